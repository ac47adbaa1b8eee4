#!/usr/bin/env bash
# After fsync on append/ has returned, the machine loses its power: the capture is
# on an ext4 file system on a loop device, and the image below it, which has what
# had reached the "disk", is copied and mounted. All packets are there, and what
# follows them can be repaired.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip 'only root mounts a loop device'
command -v mkfs.ext4 >/dev/null || skip 'mkfs.ext4 is not installed'

truncate -s 24M image
mkfs.ext4 -q -F -b 4096 -J size=4 -E lazy_itable_init=0,lazy_journal_init=0 image >/dev/null
mkdir disk crashed
mount -t ext4 -o loop image disk 2>/dev/null || skip 'no loop device can be mounted here'

# Creates files, synchronises the directory, and creates some more.
cat >client.py <<'PYTHON'
import os, sys
folder, first, synced, more = sys.argv[1], *map(int, sys.argv[2:])
def put(number):
    with open(f"{folder}/p{number}", "wb") as file:
        file.write(b"packet %d " % number * (number % 40 + 1))
for number in range(first, first + synced):
    put(number)
directory = os.open(folder, os.O_RDONLY)
os.fsync(directory)
for number in range(first + synced, first + synced + more):
    put(number)
PYTHON

# crashed_has FILE COUNT NAMED: a crash now; the file has COUNT packets or more,
# the last NAMED of which are the client's
crashed_has()
{
	local opened

	cp --sparse=always image copy
	mount -t ext4 -o loop copy crashed
	cp "crashed/$1" "after-$1"
	umount crashed
	# repairs what is torn, and appends to it
	"$build/tests/corpus/corpus_append" "after-$1" >out || fail "$1: cannot be repaired"
	opened=$(head -1 out | cut -f2)
	[ "$opened" -ge "$2" ] || fail "$1: $opened packets after the crash, $2 were synchronised"
	"$build/tests/corpus/corpus_dump" iterate "after-$1" | head -n "$2" | cut -f9 |
		python3 -c "
import sys
rows = [bytes.fromhex(line) for line in sys.stdin]
for number in range($3):
    want = b'packet %d ' % number * (number % 40 + 1)
    assert rows[$2 - $3 + number] == want, (number, rows[$2 - $3 + number])
" || fail "$1: other packets than were written"
	echo "$1: $2 synchronised, $opened after the crash: $(head -1 out | cut -f5)"
}

try()
{
	local file=$1 next=0 round

	cp "$file" "disk/$file"
	sync
	mount_capture "disk/$file" -o rw
	[ -d "$mnt/append/0" ] || skip 'this pktfs has no append/'
	for round in 1 2 3 4 5 6; do
		python3 client.py "$mnt/append/0" $next $((round * 3)) $((round % 3 * 2))
		# the journal is written, with the sizes of all files
		[ $((round % 2)) = 0 ] || { echo x >disk/other && sync disk/other; }
		crashed_has "$file" $((20 + next + round * 3)) $((next + round * 3))
		next=$((next + round * 3 + round % 3 * 2))
	done
	unmount
	same "$("$pktfs" --info "disk/$file" | awk '$1 == "packets" || $1 == "packets:" {print $2}')" \
		$((20 + next)) 'packets at the end'
}

make_capture pcapng 20 a.pcapng
make_capture pcap 20 a.pcap
zstd -q a.pcapng
gzip -k a.pcap
for file in a.pcapng a.pcap a.pcapng.zst a.pcap.gz; do
	try $file
done
