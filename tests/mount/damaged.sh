#!/usr/bin/env bash
# Does a cut or damaged capture mount with everything before the damage, and say what it found?
. "$(dirname "$0")/lib.sh"

info()
{
	cat "$mnt/info/$1"
}
for format in pcap pcapng; do
	make_capture $format 100 whole --files disk
	size=$(stat -c %s whole)
	# cut at many places: inside headers, data and padding of the last packet
	for cut in 1 3 4 12 30 60; do
		head -c $((size - cut)) whole >a.cap
		mount_capture a.cap
		wait_indexed
		same "$(info state)" truncated "$format cut by $cut"
		same "$(info packets)" 99
		same "$(ls "$mnt/packets" | wc -l)" 99
		cmp "$mnt/packets/99" disk/000000099
		grep -q '[0-9]' "$mnt/info/problem" || fail 'a problem without an offset'
		expect_errno ENOENT "os.stat('$mnt/packets/100')"
		cmp a.cap "$mnt/capture.$format"
		expect 0 "$pktfs" --info a.cap
		unmount
	done
done

# a block that says it is longer than the file could be, one of odd length
cat >make.py <<PYTHON
import struct, sys
sys.path.insert(0, "$here")
from captures import *
some = list(packets(50))
head, rest = pcapng(some[:30]), b"".join(epb(p) for p in some[30:])
bad = struct.pack("<II", 6, 0x7ffffff0) + bytes(40)
open("long.pcapng", "wb").write(head + bad + rest)
open("odd.pcapng", "wb").write(head + struct.pack("<II", 6, 33) + bytes(25) + rest)
body = block(6, bytes(60))
open("trailer.pcapng", "wb").write(head + body[:-4] + b"\\x10\\0\\0\\0" + rest)
open("caplen.pcapng", "wb").write(head + block(6, struct.pack("<IIIII", 0, 0, 0, 5000, 5000) + bytes(100)) + rest)
open("interface.pcapng", "wb").write(head + block(6, struct.pack("<IIIII", 9, 0, 0, 4, 4) + bytes(4)) + rest)
open("long.pcap", "wb").write(pcap(some[:30]) + struct.pack("<IIII", 1, 1, 0xffffffff, 60) + bytes(100))
open("version.pcapng", "wb").write(head + shb(version=(9, 0)) + idb() + rest + pcapng(some[30:]))
PYTHON
python3 make.py
for file in long.pcapng odd.pcapng trailer.pcapng long.pcap; do
	mount_capture $file
	wait_indexed
	case $(info state) in damaged | truncated) ;; *) fail "$file: $(info state)" ;; esac
	same "$(info packets)" 30 "packets of $file"
	grep -q "$(stat -c %s $file)\|[0-9]\{4\}" "$mnt/info/problem" || fail "$file: no offset: $(info problem)"
	cmp "$mnt/packets/30" disk/000000030
	unmount
done
# blocks that are framed well and make no sense are passed over
for file in caplen.pcapng interface.pcapng; do
	mount_capture $file
	wait_indexed
	same "$(info state)" damaged "state of $file"
	same "$(info packets)" 50 "packets of $file"
	[ -s "$mnt/info/problem" ] || fail "$file: no problem said"
	cmp "$mnt/packets/50" disk/000000050
	unmount
done
# a section of an unknown version is skipped, the next one is read
mount_capture version.pcapng
wait_indexed
same "$(info packets)" 50 "packets of version.pcapng"
grep -qi version "$mnt/info/problem" || fail "version.pcapng: $(info problem)"
cmp "$mnt/packets/50" disk/000000050
