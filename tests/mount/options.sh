#!/usr/bin/env bash
# uid, gid, umask, allow_other, spool, ro, rw, append, repair, fsname
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

packets_of()
{
	capinfos -rTMc "$1" | cut -f2
}

# ---- append/ is there if it was asked for, and only then
append_is()
{
	same "$(test -d "$mnt/append" && echo yes || echo no)" "$1" "append/ with $2"
}
for option in noxattr ro rw,ro rw,dev nosuid,rw; do
	mount_capture a.pcap -o $option
	append_is no $option
	expect_errno EROFS "os.open('$mnt/packets/x', os.O_CREAT | os.O_WRONLY)"
	unmount
done
cmp a.pcap <(make_capture pcap 50 b.pcap && cat b.pcap)
for option in rw ro,rw append append,nosuid; do
	mount_capture a.pcap -o $option
	append_is yes $option
	unmount
done
cp a.pcap rw.pcap
mount_capture rw.pcap -o rw
cp a.pcap "$mnt/append/p"
cmp a.pcap "$mnt/packets/51"
same "$(readlink "$mnt/append/p")" ../packets/000000051
# one writer at a time, whichever way it comes
expect 1 "$pktfs" -o append rw.pcap mnt2
grep -q "^pktfs: rw.pcap: .*\b$daemon\b" err || fail "who has it: $(cat err)"
[ ! -e mnt2 ] || fail 'mnt2 is left behind'
ln rw.pcap other.pcap
expect 1 "$pktfs" -o append=other.pcap a.pcap mnt2
unmount
same "$(packets_of rw.pcap)" 51

# another file: made, shown behind the capture, which stays as it is
cp a.pcap before.pcap
for run in 1 2; do
	mount_capture a.pcap -o append=more.pcapng
	same "$(cat "$mnt/info/packets")" $((49 + run))
	cp "disk/00000000$run" "$mnt/append/0/$run"
	cmp "disk/00000000$run" "$mnt/packets/$((50 + run))"
	cmp disk/000000050 "$mnt/packets/50"
	unmount
	same "$(packets_of more.pcapng)" $run
done
cmp a.pcap before.pcap
# a start that fails makes nothing
expect 1 "$pktfs" -o append=new.pcapng a.pcap /dev/null
expect 1 "$pktfs" -o append=new.pcapng /dev/null mnt
expect 1 "$pktfs" -o append=new.pcapng,spool=/nonexistent a.pcap mnt
expect 1 "$pktfs" -o append=none/new.pcapng a.pcap mnt
[ ! -e new.pcapng ] || fail 'new.pcapng is left behind'

# refusals: CODE WORDS ARGUMENTS...
refused()
{
	local code=$1 words=$2

	shift 2
	expect "$code" "$pktfs" "$@" mnt
	grep -q -- "$words" err || fail "$*: $(cat err)"
	same "$(wc -l <err)" 1 "lines of $*"
	! is_mounted "$mnt" || fail "mounted: $*"
}
ln -s a.pcap link.pcap
mkfifo pipe
refused 2 'use -o rw' -o append=link.pcap a.pcap
refused 2 'not together with -o ro' -o ro,append a.pcap
refused 2 'needs -o rw' -o repair a.pcap
refused 2 'standard input cannot be appended to' -o rw -
refused 1 'pipe: cannot be appended to: found a pipe' -o rw pipe
refused 1 'pipe: cannot be appended to: found a pipe' -o append=pipe a.pcap
refused 1 'cannot be appended to: found a pipe' -o rw <(cat a.pcap)
refused 1 '/dev/null: cannot be appended to: found a device' -o append=/dev/null a.pcap
refused 1 'cannot be appended to: found a directory' -o append=spool a.pcap

# a torn tail is named, and mended where that was asked for
head -c -10 a.pcap >torn.pcap
cp torn.pcap before.pcap
refused 1 '^pktfs: torn.pcap: .*offset [0-9]' -o rw torn.pcap
cmp torn.pcap before.pcap
mount_capture torn.pcap -o rw,repair
same "$(cat "$mnt/info/packets" "$mnt/info/state")" "49
complete"
cp disk/000000050 "$mnt/append/p"
unmount
cmp before.pcap <(head -c "$(($(stat -c %s before.pcap) - $(stat -c %s torn.pcap.torn)))" torn.pcap; cat torn.pcap.torn)
same "$(packets_of torn.pcap)" 50
