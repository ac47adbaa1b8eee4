#!/usr/bin/env bash
# append/blocks/: are raw blocks checked, appended and shown at once? mkdir: are interfaces added?
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"
cat >make.py <<PYTHON
import struct, sys
sys.path.insert(0, "$here")
from captures import *
for big in (False, True):
    order, word = (">", "be") if big else ("<", "le")
    u32 = lambda n: struct.pack(order + "I", n)
    u16 = lambda n: struct.pack(order + "H", n)
    keys = b"CLIENT_RANDOM " + b"ab" * 32 + b" " + b"cd" * 48 + b"\n"
    name = bytes((10, 0, 0, 1)) + b"one.example\0"
    blocks = {
        "dsb": block(10, u32(0x544c534b) + u32(len(keys)) + keys, big),
        "nrb": block(4, u16(1) + u16(len(name)) + pad(name) + u32(0), big),
        "cb": block(0xbad, u32(32473) + b"of our own", big),
        "isb": block(5, u32(0) + u32(0x50000) + u32(1000) + option(4, struct.pack(order + "Q", 77), big) +
                     option(0, b"", big), big),
        "unknown": block(0x80000123, b"who knows", big),
        "epb": epb(Packet(START, 0, b"a packet as a block"), big, 6),
        "shb": shb(big=big), "idb": idb(big=big), "pb": pb(Packet(START, 0, b"old"), big=big),
        "no_interface": epb(Packet(START, 0, b"a packet", interface=9), big, 6),
        "cut": block(0xbad, u32(1) + b"cut short", big)[:-4],
        "short": bytes(8), "longer": block(0xbad, u32(1), big) + bytes(4),
        "tail": block(0xbad, u32(1), big)[:-4] + u32(20),
        "other_order": block(0xbad, u32(1), not big),
        "dsb_beyond": block(10, u32(0x544c534b) + u32(5000) + b"keys", big),
        "epb_beyond": block(6, u32(0) * 3 + u32(5000) * 2, big),
    }
    for kind, data in blocks.items():
        open(f"{word}.{kind}", "wb").write(data)
PYTHON
python3 -B make.py

# refused_block ERRNO FILE
refused_block()
{
	refused "$1" . "blocks/x" '' "open('$work/$2', 'rb').read()"
}

for order in le be; do
	"$pktgen" --format pcapng --packets 10 $([ $order = le ] || echo --big-endian) $order.pcapng
	cp $order.pcapng orig
	mount_capture $order.pcapng -o rw
	wait_indexed
	# looked for before they are there
	[ ! -e "$mnt/secrets/tls.keylog" ] || fail 'secrets at first'
	[ ! -s "$mnt/names/hosts" ] || fail 'names at first'
	count=$(ls "$mnt/blocks" | wc -l)
	for kind in dsb nrb cb isb unknown; do
		cp $order.$kind "$mnt/append/blocks/$kind"
		count=$((count + 1))
		same "$(ls "$mnt/blocks" | wc -l)" $count "blocks after $order.$kind"
		[[ $(readlink "$mnt/append/blocks/$kind") == ../../blocks/* ]] ||
			fail "link of $kind: $(readlink "$mnt/append/blocks/$kind")"
		cmp $order.$kind "$mnt/append/blocks/$kind"
		tail -1 "$mnt/info/appended" | grep -q "$kind	 *-	" ||
			fail "info/appended: $(tail -1 "$mnt/info/appended")"
	done
	grep -q '^CLIENT_RANDOM abab' "$mnt/secrets/tls.keylog" || fail 'secrets/tls.keylog'
	same "$(wc -c <"$mnt/secrets/tls.keylog")" "$(stat -c %s "$mnt/secrets/tls.keylog")"
	grep -q '^10.0.0.1.*one.example' "$mnt/names/hosts" || fail "names/hosts: $(cat "$mnt/names/hosts")"
	grep -rq '^77$' "$mnt/interfaces/0/statistics" || fail 'interfaces/0/statistics'
	# a second one adds to them
	sed 's/one\.example/two.example/' $order.nrb | cat >"$mnt/append/blocks/second"
	grep -q 'two.example' "$mnt/names/hosts" || fail "names/hosts: $(cat "$mnt/names/hosts")"
	# an EPB is a packet
	cp $order.epb "$mnt/append/blocks/epb"
	same "$(cat "$mnt/info/packets")" 11 'packets after an EPB'
	same "$(cat "$mnt/packets/11")" 'a packet as a block'
	same "$(timeout 60 readlink "$mnt/append/blocks/epb" || echo "exit $?")" ../../packets/000000011 'link of the EPB'
	for kind in shb idb pb; do
		refused_block EINVAL $order.$kind
	done
	for kind in cut longer tail short other_order dsb_beyond epb_beyond; do
		refused_block EINVAL $order.$kind
	done
	refused_block ENXIO $order.no_interface
	appends
	unmount
	cmp -n "$(stat -c %s orig)" orig $order.pcapng
	same "$(packets_in $order.pcapng)" 12
	tshark -n -r $order.pcapng -T fields -e frame.number >frames 2>tshark.err ||
		fail "tshark: $(cat tshark.err)"
	same "$(wc -l <frames)" 13 'frames of Wireshark, which numbers custom blocks'
	mount_capture $order.pcapng
	wait_indexed
	grep -q two.example "$mnt/names/hosts" || fail 'names of another mount'
	unmount
done

# ---- interfaces
"$pktgen" --format pcapng --packets 5 a.pcapng
mount_capture a.pcapng -o rw
wait_indexed
[ ! -e "$mnt/interfaces/1" ] || fail 'interfaces/1 at first'
mkdir "$mnt/append/lan"
same "$(cat "$mnt/interfaces/1/name")" lan
same "$(cat "$mnt/interfaces/1/link_type")" ETHERNET
mkdir "$mnt/append/wifi@IEEE802_11_RADIOTAP" "$mnt/append/can@227" "$mnt/append/raw@LINKTYPE_RAW"
same "$(cat "$mnt"/interfaces/[234]/link_type_number | tr '\n' ' ')" '127 227 101 '
same "$(ls "$mnt/interfaces" | wc -l)" 5
expect_errno EEXIST "os.mkdir('$mnt/append/lan')"
printf 'for lan' >"$mnt/append/lan/p"
printf 'for raw' >"$mnt/append/4/p"
same "$(cat "$mnt/packets/6" "$mnt/append/lan/p" "$mnt/by/interface/1/packets/6")" 'for lanfor lanfor lan'
same "$(ls "$mnt/by/interface/4/packets" "$mnt/by/interface/1/packets" | grep -c '^0')" 2
same "$(getfattr --only-values -n user.pktfs.link_type "$mnt/packets/7" 2>/dev/null)" RAW
# there are several now: which is not known
expect_errno EINVAL "open('$mnt/append/p', 'wb')"
unmount
capinfos -TmcQ a.pcapng | grep -q '"7"' || fail 'capinfos'
mount_capture a.pcapng -o rw
wait_indexed
same "$(cat "$mnt/interfaces/1/name")" lan 'after another mount'
appends 4
unmount
# what a mkdir adds is there without a packet
mount_capture a.pcapng -o rw
wait_indexed
mkdir "$mnt/append/more"
kill_daemon
same "$("$pktfs" --info a.pcapng | sed -n 's,^interfaces/5/name: ,,p')" more
