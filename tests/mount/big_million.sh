#!/usr/bin/env bash
# A million packets: mounted at once, any of them read at once, listed, found, in
# little memory. With PKTFS_BIG=1: ten million, of the usual sizes (3.7 GB), and
# the mount must answer in 50 ms, which a busy machine cannot promise.
. "$(dirname "$0")/lib.sh"
count=1000000
most_ms=30000
[ -z "${PKTFS_BIG:-}" ] || { count=10000000; most_ms=50; }
middle=$((count / 2))
if [ $count = 10000000 ]; then
	"$build/tests/tools/pktgen" --packets $count a.pcap
	"$build/tests/tools/pktgen" --packets $count --show $middle | xxd -r -p >want
else
	make_capture pcap $count a.pcap --small
	python3 - $middle "$here" <<-'PYTHON' >want
	import sys
	sys.path.insert(0, sys.argv[2])
	import captures, itertools
	n = int(sys.argv[1])
	packet = next(itertools.islice(captures.packets(n, small=True), n - 1, None))
	sys.stdout.buffer.write(packet.data)
	PYTHON
fi

answers()
{
	local start end

	start=$(date +%s%N)
	"$pktfs" "$1" "$mnt"
	end=$(date +%s%N)
	echo "$1: mounted in $(((end - start) / 1000000)) ms"
	[ $((end - start)) -lt $((most_ms * 1000000)) ] || fail 'slow to mount'
	start=$(date +%s%N)
	cmp want "$mnt/packets/$middle" || fail 'the packet in the middle'
	end=$(date +%s%N)
	echo "$1: packet $middle after $(((end - start) / 1000000)) ms more"
}
mkdir mnt
answers a.pcap
"$pktfs" -u mnt
wait_until 60 eval '! is_mounted "$mnt"'

mount_capture a.pcap
wait_indexed 120
same "$(cat "$mnt/info/packets")" $count
same "$(find "$mnt/packets" -type f | wc -l)" $count
same "$(ls -U "$mnt/packets" | tail -1)" "$(printf %09d $count)"
same "$("$build/tests/mount/dirlist" "$mnt/packets")" $((count + 2))
echo "memory: $(own_memory "$daemon") KiB"
[ "$(own_memory "$daemon")" -lt 65536 ] || fail "$(own_memory "$daemon") KiB of memory"
cmp "$mnt/capture.pcap" a.pcap
same "$(tail -1 "$mnt/packets.tsv" | cut -f1 | tr -d ' ' | sed 's/^0*//')" $count
echo "memory: $(own_memory "$daemon") KiB after everything was read"
[ "$(own_memory "$daemon")" -lt 65536 ] || fail "$(own_memory "$daemon") KiB of memory"
unmount

zstd -q --fast a.pcap -o a.zst
mount_capture a.zst
cmp want "$mnt/packets/$middle"
wait_indexed 120
same "$(find "$mnt/packets" -type f | wc -l)" $count
[ "$(own_memory "$daemon")" -lt 65536 ] || fail "$(own_memory "$daemon") KiB of memory with zstd"
