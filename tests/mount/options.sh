#!/usr/bin/env bash
# uid, gid, umask, allow_other, spool, ro, rw, fsname
. "$(dirname "$0")/lib.sh"
make_capture pcap 50 a.pcap --files disk
mount_capture a.pcap
same "$(stat -c '%a %u %g' "$mnt/packets/1")" "444 $(id -u) $(id -g)"
same "$(stat -c '%a %u' "$mnt/packets" "$mnt" "$mnt/info" | sort -u)" "555 $(id -u)"
unmount
mount_capture a.pcap -o uid=12,gid=34,umask=077
same "$(stat -c '%a %u %g' "$mnt/packets/1")" '400 12 34'
same "$(stat -c '%a %u %g' "$mnt")" '500 12 34'
same "$(stat -c '%a' "$mnt/info/packets")" 400
same "$(find "$mnt" -printf '%U %G\n' | sort -u)" '12 34'
unmount
as_other='setpriv --reuid=65534 --regid=65534 --clear-groups'
if [ "$(id -u)" = 0 ] && $as_other true 2>/dev/null; then
	chmod 755 "$work"
	mount_capture a.pcap
	! $as_other cat "$mnt/packets/1" >/dev/null 2>&1 || fail 'another user may read without allow_other'
	unmount
	mount_capture a.pcap -o allow_other
	$as_other cat "$mnt/packets/1" | cmp - disk/000000001
	unmount
	mount_capture a.pcap -o allow_other,umask=007
	! $as_other cat "$mnt/packets/1" >/dev/null 2>&1 || fail 'umask is not obeyed'
	unmount
fi
mount_capture a.pcap -s -o ro
diff -r disk "$mnt/packets"
unmount
# the spool is where it is asked for, and leaves nothing behind
mkdir spool
make_capture pcap 60000 b.pcap
zstd -q -c <b.pcap >b.zst
mount_capture b.zst -o spool="$work/spool"
wait_indexed
same "$(ls -A spool)" ''
ls -l "/proc/$daemon/fd" | grep -q "$work/spool" || fail "spooled elsewhere: $(ls -l "/proc/$daemon/fd")"
unmount
same "$(ls -A spool)" ''
expect 1 "$pktfs" -f -o spool=/nonexistent b.zst mnt
grep -q /nonexistent err || fail "which spool: $(cat err)"
