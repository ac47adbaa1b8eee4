#!/usr/bin/env bash
# What does each system call do to a file of append/ that is not closed yet?
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"
"$pktgen" --format pcapng --packets 5 --nanosecond a.pcapng
printf 'bytes of another file system' >source

for option in '' noxattr; do
	mount_capture a.pcapng -o "rw${option:+,$option}"
	wait_indexed
	python3 "$here/append_calls.py" "$mnt" $option
	unmount
	"$pktfs" --info a.pcapng >info.txt
	grep -qx 'state: complete' info.txt || fail "afterwards: $(cat info.txt)"
done
