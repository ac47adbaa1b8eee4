#!/usr/bin/env bash
# Does a capture through a pipe work: standard input, /dev/stdin, a FIFO, compressed?
. "$(dirname "$0")/lib.sh"
make_capture pcap 300 a.pcap --files disk
zstd -q a.pcap -o a.zst
mkdir -p mnt
mkfifo fifo

compare()
{
	local end=$(($(date +%s) + 60))

	until is_mounted "$mnt"; do
		kill -0 $daemon 2>/dev/null || fail "the daemon ended: $(cat stderr)"
		[ "$(date +%s)" -le $end ] || fail 'not mounted after 60 s'
		sleep 0.01
	done
	wait_indexed
	same "$(cat "$mnt/info/packets")" 300
	diff -r disk "$mnt/packets"
	cmp a.pcap "$mnt/capture.pcap"
	unmount
}
for file in a.pcap a.zst; do
	cat "$file" | "$pktfs" -f - mnt 2>>stderr &
	daemon=$!
	compare
	"$pktfs" -f - mnt 2>>stderr <"$file" &
	daemon=$!
	compare
	cat "$file" >fifo &
	"$pktfs" -f fifo mnt 2>>stderr &
	daemon=$!
	compare
done
# into the background
cat a.pcap | "$pktfs" - mnt >out 2>&1 || fail "in the background: $(cat out)"
wait_indexed
diff -r disk "$mnt/packets"
"$pktfs" -u mnt
wait_until 60 eval '! is_mounted "$mnt"'
# nothing comes
expect 1 "$pktfs" -f - mnt
same "$(wc -l <err)" 1 'lines about an empty pipe'
