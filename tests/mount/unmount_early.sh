#!/usr/bin/env bash
# An unmount as soon as the mount is there, while its daemon is still at its start:
# it ends with 0 and silently all the same.
. "$(dirname "$0")/lib.sh"
make_capture pcap 3 a.pcap
mkdir -p "$mnt"
# a processor that has much else to do
busy='while :; do :; done'
timeout 60 taskset -c 0 bash -c "$busy" &
timeout 60 taskset -c 0 bash -c "$busy" &
for _ in $(seq 25); do
	nice -n 19 taskset -c 0 "$pktfs" -f a.pcap "$mnt" 2>>"$work/stderr" >>"$work/stdout" &
	daemon=$!
	until is_mounted "$mnt"; do
		kill -0 $daemon 2>/dev/null || fail "the daemon ended"
	done
	umount "$mnt" 2>/dev/null || fusermount3 -u "$mnt"
	wait $daemon || fail "the daemon ended with $?"
	daemon=
	[ ! -s "$work/stderr" ] || fail "the daemon said something"
done
