#!/usr/bin/env bash
# A capture cut short under the mount: EIO for what is gone, and the rest goes on.
. "$(dirname "$0")/lib.sh"
words_allowed=1 # it says what it cannot read any more
make_capture pcap 20000 a.pcap --files disk
mount_capture a.pcap
wait_indexed
cmp "$mnt/packets/10" disk/000000010
exec 5<"$mnt/packets/19990" # open, not yet read
exec 6<"$mnt/capture.pcap"
head -c 100 <&6 >/dev/null
size=$(stat -c %s a.pcap)
truncate -s $((size / 2)) a.pcap
expect 1 cat "$mnt/packets/19999"
grep -q 'Input/output error' err || fail "instead of EIO: $(cat err)"
expect_errno EIO "open('$mnt/packets/19998', 'rb').read()"
expect_errno EIO "os.read(5, 4096)" 5<&5
same "$(wc -c <out)" 0 'bytes that were invented'
# what is still there is read as before, also for the first time
for n in 1 10 77 5000; do
	cmp "$mnt/packets/$n" "disk/$(printf %09d $n)"
done
# a reader of everything gets errors for the missing ones only
(cd "$mnt/packets" && cat -- * >/dev/null 2>"$work/errors") || true
gone=$(grep -c 'Input/output error' errors)
[ "$gone" -gt 5000 ] && [ "$gone" -lt 12000 ] || fail "$gone packets gone"
[ "$(ls "$mnt/packets" | wc -l)" = 20000 ] || true
cat "$mnt/info/state" "$mnt/info/log" >/dev/null
expect 1 cp "$mnt/capture.pcap" copy
exec 5<&- 6<&-

# to nothing, and away
truncate -s 0 a.pcap
expect 1 cat "$mnt/packets/5001"
rm a.pcap
cat "$mnt/info/packets" >/dev/null
ls "$mnt/packets" >/dev/null
kill -0 "$daemon" || fail 'the daemon is gone'
unmount

# in the middle of a reader of capture.pcap, which has the file's own pages, or copies
rm -f a.pcap
"$build/tests/tools/pktgen" --packets 50000 right.pcap
size=$(stat -c %s right.pcap)
for ((i = 0; i < 20; i++)); do
	cp right.pcap a.pcap
	touch -d '1 hour ago' a.pcap
	if ((i % 4)); then
		mount_capture a.pcap
	else
		mount_capture a.pcap -o nopin
	fi
	wait_indexed
	python3 -B "$here/cut_pinned.py" "$mnt/capture.pcap" a.pcap right.pcap $((size / 3)) $((size / 3 + (i << 18) + 77))
	unmount
done
