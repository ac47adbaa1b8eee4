#!/usr/bin/env bash
# N.json, N.hex and N.pcapng beside each packet: found by name, not listed, right.
. "$(dirname "$0")/lib.sh"
cat >make.py <<PYTHON
import sys
sys.path.insert(0, "$here")
from captures import *
some = list(packets(20))
some[4].options = (option(1, b"first comment") + option(1, 'with "quotes" and \u00fc'.encode()) +
                   option(2, struct.pack("<I", 1)) + option(4, struct.pack("<Q", 12)) +
                   option(5, struct.pack("<Q", 2**63 + 1)) + option(0, b""))
open("a.pcapng", "wb").write(pcapng(some))
PYTHON
python3 make.py
mount_capture a.pcapng
wait_indexed
! ls "$mnt/packets" | grep -q '\.' || fail 'listed'
for n in 5 000000005 20; do
	jq -e . "$mnt/packets/$n.json" >json || fail "$n.json is not JSON"
	same "$(stat -c %s "$mnt/packets/$n.json")" "$(cat "$mnt/packets/$n.json" | wc -c)" "size of $n.json"
	same "$(jq .number json)" "${n##*0000}"
done
jq . "$mnt/packets/5.json" >json
same "$(jq .captured_length json)" 590
same "$(jq .original_length json)" 590
same "$(jq -r '.. | strings' json | grep -c 'first comment\|with "quotes" and ü')" 2
same "$(jq -r .time json)" 2025-11-21T10:32:07.005000015Z
grep -q 9223372036854775809 json || fail 'a 64-bit number lost its precision'

# hex: the form that text2pcap reads
cat "$mnt/packets/5.hex" >hex
text2pcap -q -F pcap hex back.pcap 2>err || fail "text2pcap: $(cat err)"
tail -c 590 back.pcap | cmp - "$mnt/packets/5"

# pcapng: a capture of this packet alone
cp "$mnt/packets/5.pcapng" one.pcapng
same "$(stat -c %s one.pcapng)" "$(stat -c %s "$mnt/packets/5.pcapng")"
fields='-T fields -e frame.time_epoch -e frame.len -e frame.cap_len -e frame.interface_name -e frame.comment -e frame.packet_flags'
# shellcheck disable=SC2086
cmp <(tshark -r one.pcapng $fields) <(tshark -r a.pcapng -Y frame.number==5 $fields)
same "$(capinfos -TrBc one.pcapng 2>/dev/null | cut -f2)" 1
capinfos one.pcapng | grep -q 'Interface #0' || fail 'no interface'
expect_errno ENOENT "os.stat('$mnt/packets/21.json')"
expect_errno ENOENT "os.stat('$mnt/packets/5.jsn')"
unmount
make_capture pcap 20 b.pcap
mount_capture b.pcap
jq -e '.number == 3' "$mnt/packets/3.json" >/dev/null
same "$(tshark -r "$mnt/packets/3.pcapng" -T fields -e frame.time_epoch)" \
	"$(tshark -r b.pcap -Y frame.number==3 -T fields -e frame.time_epoch)"
