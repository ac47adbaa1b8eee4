#!/usr/bin/env bash
# Do info/, sections/ and interfaces/ say what the capture says, one value a file?
. "$(dirname "$0")/lib.sh"
cat >make.py <<PYTHON
import sys
sys.path.insert(0, "$here")
from captures import *
some = list(packets(30))
end = option(0, b"")
for n, p in enumerate(some):
    p.interface = n % 2
statistics = block(5, struct.pack("<III", 0, START * 10**9 >> 32, START * 10**9 & 0xffffffff) +
    option(4, struct.pack("<Q", 1000)) + option(5, struct.pack("<Q", 3)) +
    option(2, struct.pack("<II", START * 10**9 >> 32, START * 10**9 & 0xffffffff)) + end)
open("a.pcapng", "wb").write(
    shb(option(2, b"x86_64 machine") + option(3, b"Linux 6.1") + option(4, b"a test") +
        option(1, b"first comment") + option(1, "zweiter \u00fc".encode()) + end) +
    idb(1, 65535, option(2, b"eth0") + option(3, b"uplink") + option(9, b"\\x09") +
        option(11, b"\\0tcp port 80") + option(12, b"Linux") + option(15, b"some card") +
        option(8, struct.pack("<Q", 10**9)) + option(6, bytes.fromhex("020000000001")) +
        option(4, bytes([192, 0, 2, 1, 255, 255, 255, 0])) +
        option(5, bytes.fromhex("20010db8000000000000000000000001") + bytes([64])) + end) +
    idb(101, 0, option(9, b"\\x09") + end) +
    b"".join(epb(p) for p in some) + statistics +
    block(0x0bad, struct.pack("<I", 32473) + b"private") +
    block(4, struct.pack("<HH", 1, 17) + pad(bytes([192, 0, 2, 7]) + b"host.example\\0") +
          struct.pack("<HH", 0, 0)) +
    block(10, struct.pack("<II", 0x544c534b, 27) + b"CLIENT_RANDOM 01 02 secret\\n"))
PYTHON
python3 make.py
tshark -r a.pcapng 2>&1 >/dev/null | grep -v 'Running as' || true
mount_capture a.pcapng
wait_indexed

value()
{
	[ "$(wc -l <"$mnt/$1")" = 1 ] || fail "$1: not one line"
	same "$(cat "$mnt/$1")" "$2" "$1"
}
absent()
{
	[ ! -e "$mnt/$1" ] || fail "$1 is there: $(cat "$mnt/$1")"
}
value info/path "$work/a.pcapng"
value info/format pcapng
value info/size "$(stat -c %s a.pcapng)"
value info/packets 30
value info/bytes "$(find "$mnt/packets" -type f -printf '%s\n' | awk '{s += $1} END {print s}')"
value info/first_time 2025-11-21T10:32:07.001000003Z
value info/last_time 2025-11-21T10:32:07.030000090Z
value info/duration 0.029000087
value info/state complete
value info/version "$(sed -n 's/^.define PKTFS_VERSION "\(.*\)"/\1/p' "$top/include/pktfs/version.h")"
absent info/problem
same "$(tr '\n' ' ' <"$mnt/info/link_types" | sed 's/ $//')" 'ETHERNET RAW' info/link_types
value sections/0/byte_order little-endian
value sections/0/version 1.0
value sections/0/hardware 'x86_64 machine'
value sections/0/os 'Linux 6.1'
value sections/0/application 'a test'
grep -qx 'first comment' "$mnt"/sections/0/comment*
grep -rqx 'zweiter ü' "$mnt/sections/0"
value interfaces/0/name eth0
value interfaces/0/description uplink
value interfaces/0/link_type ETHERNET
value interfaces/0/link_type_number 1
value interfaces/0/snaplen 65535
value interfaces/0/filter 'tcp port 80'
value interfaces/0/os Linux
value interfaces/0/hardware 'some card'
value interfaces/0/speed 1000000000
value interfaces/0/mac 02:00:00:00:00:01
grep -q 192.0.2.1 "$mnt/interfaces/0/ipv4"
grep -q 2001:db8::1 "$mnt/interfaces/0/ipv6"
value interfaces/0/section 0
value interfaces/0/number_in_section 0
value interfaces/0/packets 15
value interfaces/0/statistics/received 1000
value interfaces/0/statistics/dropped 3
value interfaces/0/statistics/start_time 2025-11-21T10:32:07.000000000Z
value interfaces/1/link_type RAW
value interfaces/1/packets 15
absent interfaces/1/name
absent interfaces/1/statistics
absent interfaces/1/filter
absent interfaces/2
absent sections/1
# blocks that are no packets, raw, in file order
same "$(ls "$mnt/blocks" | tr '\n' ' ')" '000000001.shb 000000002.idb 000000003.idb 000000034.isb 000000035.cb 000000036.nrb 000000037.dsb '
cat "$mnt"/blocks/*.shb "$mnt"/blocks/*.idb >head.bytes
cmp head.bytes <(head -c "$(stat -c %s head.bytes)" a.pcapng)
cat "$mnt"/blocks/*.{isb,cb,nrb,dsb} >tail.bytes
cmp tail.bytes <(tail -c "$(stat -c %s tail.bytes)" a.pcapng)
grep -qP '^192\.0\.2\.7\s+host\.example$' "$mnt/names/hosts" || fail "names/hosts: $(cat "$mnt/names/hosts")"
cmp "$mnt/secrets/tls.keylog" <(echo 'CLIENT_RANDOM 01 02 secret')
[ -s "$mnt/README.txt" ]
# the commands that README.txt names work
for word in packets info capture; do
	grep -q $word "$mnt/README.txt" || fail "README.txt does not know $word"
done

# the same without a mount
"$pktfs" --info a.pcapng >text
"$pktfs" --info --json a.pcapng >json
jq -e . json >/dev/null || fail 'not JSON'
grep -q 30 text
jq -r '.. | scalars' json >scalars
for fact in 30 pcapng complete eth0 uplink 'x86_64 machine' 'tcp port 80' 'zweiter ü'; do
	grep -qxF -- "$fact" scalars || fail "--json does not know '$fact'"
done
unmount

# a pcap has little to say, and says no more
make_capture pcap 10 b.pcap --micro
mount_capture b.pcap
wait_indexed
value info/format pcap
value interfaces/0/link_type ETHERNET
value interfaces/0/snaplen 262144
value sections/0/byte_order little-endian
same "$(ls "$mnt/blocks" 2>/dev/null | wc -l)" 0
absent sections/0/os
absent interfaces/0/name
