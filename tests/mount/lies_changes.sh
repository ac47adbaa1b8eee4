#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Files that change under a mount, and that cannot be read: cut, replaced, removed,
# overwritten with other packets and with garbage, all while they are read; on a
# file system that gives EIO; and a spool on a disk that is full.
. "$(dirname "$0")/lib.sh"
. "$here/lies_lib.sh"
words_allowed=1 # it says what it cannot read any more
limit=64

# Files of one layout: COUNT packets of 1000 bytes, each of one byte.
cat >make.py <<PYTHON
import struct, sys
sys.path.insert(0, "$here")
from captures import START, Packet, pcap
name, byte, count = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3])
open(name, "wb").write(pcap([Packet(START + n, n, byte * 1000) for n in range(count)], nano=False))
PYTHON
count=20000
python3 make.py all-a a $count
python3 make.py all-b b $count

# Reads packets at random until the file `changed` is there, and 200 more; each has
# 1000 bytes of those that were ever in the file, or an error. Prints how many of
# which; makes the file STARTED when the first 50 are read.
cat >reader.py <<'PYTHON'
import errno, os, random, sys
mnt, count, started, allowed, garbage = sys.argv[1], int(sys.argv[2]), sys.argv[3], set(sys.argv[4].encode()), len(sys.argv) > 5
random.seed(os.getpid())
good = bad = after = 0
while after < 200:
    after += os.path.exists("changed")
    if good + bad == 50:
        open(started, "w").close()
    n = random.randrange(1, count + 1)
    try:
        with open(f"{mnt}/packets/{n}", "rb") as file:
            data = file.read()
    except OSError as e:
        assert e.errno in (errno.EIO, errno.ENOENT), e
        bad += 1
        continue
    if not garbage:
        assert len(data) == 1000 and set(data) <= allowed, (n, len(data), set(data))
    good += 1
print(good, bad)
PYTHON

# change WHAT ALLOWED SCRIPT [GARBAGE]: SCRIPT changes a.pcap while four read it
change()
{
	local what=$1 allowed=$2 script=$3 pids=() pid good=0 bad=0 g b

	cp all-a a.pcap
	mount_capture a.pcap
	wait_indexed
	rm -f changed started.*
	for reader in 1 2 3 4; do
		timeout -s KILL 120 python3 reader.py "$mnt" $count started.$reader "$allowed" \
			${4:+garbage} >"read.$reader" &
		pids+=($!)
	done
	for reader in 1 2 3 4; do
		wait_until 60 test -e started.$reader
	done
	timeout -s KILL 60 bash -c "$script" || fail "$what: cannot be done"
	touch changed
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "$what: a reader failed"
	done
	while read -r g b; do
		good=$((good + g)) bad=$((bad + b))
	done < <(cat read.?)
	kill -0 "$daemon" 2>/dev/null || fail "$what: the daemon is gone"
	[ "$good" -gt 100 ] || fail "$what: only $good packets read"
	for name in state packets log; do
		within 60 cat "$mnt/info/$name" >/dev/null || fail "$what: info/$name"
	done
	within 60 cat "$mnt/by/filter/len > 10/info/packets" >/dev/null 2>&1 || true
	memory_below $limit "$what"
	end_in_time "$what"
	tell "$what, 4 readers: $good packets right, $bad errors, $memory MiB of $limit"
}
change 'cut to the half' a 'truncate -s 50% a.pcap 2>/dev/null || truncate -s 10160012 a.pcap'
change 'cut and made longer, 50 times' a '
for n in $(seq 50); do truncate -s 9000000 a.pcap; sleep 0.02; cat all-a 1<>a.pcap >&1; sleep 0.02; done'
change 'replaced by rename' a 'cp all-b b.pcap; mv b.pcap a.pcap'
change 'removed' a 'rm a.pcap'
change 'overwritten with other packets, 20 times' ab '
for n in $(seq 10); do dd if=all-b of=a.pcap conv=notrunc bs=64k status=none; sleep 0.05
dd if=all-a of=a.pcap conv=notrunc bs=64k status=none; sleep 0.05; done'
change 'overwritten with garbage' a '
head -c 20000000 /dev/urandom | dd of=a.pcap conv=notrunc bs=64k iflag=fullblock status=none' garbage

# ---- a file system that gives EIO: a mount of pktfs whose own file was cut
mkdir inner
python3 - <<PYTHON
import sys
sys.path.insert(0, "$here")
from captures import START, Packet, pcap
open("large.pcap", "wb").write(pcap([Packet(START + n, n, bytes([n + 1]) * (8 << 20)) for n in range(12)]))
PYTHON
below()
{
	"$pktfs" -f large.pcap inner 2>>stderr &
	inner=$!
	wait_until 60 is_mounted "$work/inner"
	wait_until 60 grep -qx complete inner/info/state
}
end_below()
{
	"$pktfs" -u inner
	wait "$inner" || fail 'the mount below'
}
# as the outer mount sees it: how many packets are right, and how many are not there
count_large()
{
	timeout -s KILL 60 python3 - "$mnt" <<-'PYTHON'
	import errno, sys
	right = gone = 0
	for n in range(1, 13):
	    try:
	        data = open(f"{sys.argv[1]}/packets/{n}", "rb").read()
	    except OSError as e:
	        assert e.errno in (errno.EIO, errno.ENOENT), e
	        gone += 1
	        continue
	    assert data == bytes([n]) * (8 << 20), n
	    right += 1
	print(right, gone)
	PYTHON
}
below
mount_capture inner/capture.pcap
wait_indexed
truncate -s 30M large.pcap
read -r right gone < <(count_large)
[ "$right" -ge 3 ] && [ $((right + gone)) = 12 ] || fail "EIO behind the index: $right $gone"
within 60 cat "$mnt/info/log" >/dev/null
memory_below $limit 'EIO'
end_in_time 'EIO'
end_below
tell "EIO from the file system, behind the index: $right packets of 8 MiB right, $gone errors, $memory MiB of $limit"

python3 - <<PYTHON
import sys
sys.path.insert(0, "$here")
from captures import START, Packet, pcap
open("large.pcap", "wb").write(pcap([Packet(START + n, n, bytes([n + 1]) * (8 << 20)) for n in range(12)]))
PYTHON
below
truncate -s 30M large.pcap
mount_capture inner/capture.pcap
wait_indexed
same "$(cat "$mnt/info/state")" damaged 'state after EIO'
[ -s "$mnt/info/problem" ] || fail 'EIO, and no problem'
read -r right gone < <(count_large)
same "$right" 3 'packets before EIO'
problem=$(head -n 1 "$mnt/info/problem")
memory_below $limit 'EIO'
end_in_time 'EIO'
end_below
tell "EIO from the file system, while it is indexed: $right packets, damaged ($problem), $memory MiB of $limit"

# ---- a spool on a disk that is full
if [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=8M tmpfs small 2>/dev/null; then
	trap 'cd /; umount -l "$work/small" 2>/dev/null; clean_up' EXIT
	for how in zst gz; do
		python3 make.py all-a a $count
		case $how in zst) zstd -q -c --no-check <all-a >a.$how ;; gz) gzip -c all-a >a.$how ;; esac
		for filled in 0 7 8; do
			head -c ${filled}M /dev/zero >small/other 2>/dev/null || true
			# with no room at all it may be refused
			"$pktfs" -o "spool=$work/small" -f a.$how "$mnt" 2>err &
			daemon=$!
			wait_until 60 eval 'is_mounted "$mnt" || ! kill -0 $daemon'
			if ! is_mounted "$mnt"; then
				wait "$daemon" && fail 'a full spool: ended with 0'
				daemon=
				[ "$(wc -l <err)" = 1 ] || fail "a full spool says: $(cat err)"
				tell "spool of 8 MiB with ${filled} MiB taken, $how: refused: $(cat err)"
				continue
			fi
			wait_indexed
			found=$(cat "$mnt/info/packets")
			same "$(cat "$mnt/info/state")" damaged 'state with a full spool'
			[ -s "$mnt/info/problem" ] || fail 'a full spool, and no problem'
			[ "$found" = 0 ] || [ "$(tr -d a <"$mnt/packets/$found" | wc -c)" = 0 ]
			problem=$(head -n 1 "$mnt/info/problem")
			end_in_time 'full spool'
			tell "spool of 8 MiB with ${filled} MiB taken, $how: $found of $count packets ($problem)"
		done
	done
else
	tell "spool on a full disk # SKIP only root mounts a small one"
fi
sort -u stderr | grep -v 'request for inode\|spool file\|says\|pktfs: ' >odd || true
[ ! -s odd ] || fail "says: $(head -n 3 odd)"
: >stderr
echo "1..$told"
