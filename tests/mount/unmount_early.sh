#!/usr/bin/env bash
# An unmount as soon as the mount is there, before the daemon has found it in the
# table of mounts: it ends with 0 and silently all the same.
. "$(dirname "$0")/lib.sh"
preload=$build/tests/mount/unmount_early_preload.so
[ -e "$preload" ] || skip 'unmount_early_preload.so is not built (make tests)'
make_capture pcap 3 a.pcap
mkdir -p "$mnt"
for _ in 1 2 3; do
	LD_PRELOAD=$preload "$pktfs" -f a.pcap "$mnt" 2>>"$work/stderr" >>"$work/stdout" &
	daemon=$!
	until is_mounted "$mnt"; do
		kill -0 $daemon 2>/dev/null || fail "the daemon ended"
	done
	umount "$mnt" 2>/dev/null || fusermount3 -u "$mnt"
	wait $daemon || fail "the daemon ended with $?"
	daemon=
	[ ! -s "$work/stderr" ] || fail "the daemon said something"
done
