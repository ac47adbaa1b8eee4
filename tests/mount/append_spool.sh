#!/usr/bin/env bash
# The folder of the spool is full: does close say so instead of waiting, and is what was closed in the file?
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"
words_allowed=yes # of the request that fails with EIO
mkdir spool
mount -t tmpfs -o size=64k tmpfs spool 2>/dev/null || skip 'no tmpfs can be mounted here'
for kind in 'a.pcap.zst:--zstd single' 'b.pcapng.gz:--gzip --format pcapng'; do
	file=${kind%%:*}
	# shellcheck disable=SC2086
	"$pktgen" --packets 20 ${kind#*:} "$file"
	mount_capture "$file" -o rw,spool="$work/spool"
	wait_indexed
	done=$(timeout 60 python3 - "$mnt/append/0" <<-'PYTHON'
	import errno, os, sys
	for done in range(300):
	    fd = os.open(f"{sys.argv[1]}/{done}", os.O_CREAT | os.O_WRONLY)
	    os.write(fd, os.urandom(700))
	    try:
	        os.close(fd)
	    except OSError as e:
	        assert e.errno == errno.EIO, e
	        print(done)
	        break
	PYTHON
	) || fail "$file: close() waits for ever"
	[ -n "$done" ] || fail "$file: the spool was never full"
	grep -q 'spool' "$mnt/info/problem" || fail "info/problem says: $(cat "$mnt/info/problem")"
	cat "$mnt/packets/$((20 + done))" >/dev/null
	unmount
	mount_capture "$file"
	wait_indexed
	count=$(cat "$mnt/info/packets")
	[ "$count" -ge $((20 + done)) ] || fail "$file: $count packets, $((20 + done)) were closed"
	unmount
	same "$(packets_in "$file")" "$count" "packets in $file"
	rm -f "$file"
done
