#!/usr/bin/env bash
# The keeper: does it hold nothing that was the caller's, does it tidy up however the daemon ends, and can everything that
# needs rights still be done from the sandbox (files of others, appending, repairing, spooling)?
. "$(dirname "$0")/lib.sh"
make_capture pcapng 200 a.pcapng --files disk

# keeper_of PID: the child that it has
keeper_of()
{
	cat "/proc/$1/task/$1/children" | tr -d ' '
}

# background FILE MOUNTPOINT [OPTION...]: its process id, by the lock that it holds on the directory
background()
{
	env --default-signal=INT "$pktfs" "${@:3}" "$1" "$2" || return
	daemon_at=$(daemon_of "${@:3}" "$1" "$2")
	[ -n "$daemon_at" ] || fail "no daemon of $2"
}
# gone MOUNTPOINT PROCESS...
gone()
{
	local pid

	! is_mounted "$1" && [ ! -e "$1" ] || return
	for pid in "${@:2}"; do
		is_ended "$pid" || return
	done
}

# a command substitution, a pipe and a lock of the caller's end with the command
same "$(timeout 60 "$pktfs" "$work/a.pcapng" m1; echo $?)" 0
exec 9<"$work/a.pcapng" && flock 9
background "$work/a.pcapng" "$work/m2"
exec 9<&-
flock -n "$work/a.pcapng" true || fail 'a descriptor of the caller is held'
keeper=$(keeper_of "$daemon_at")
same "$(cat "/proc/$keeper/comm")" pktfs-keeper
for pid in $daemon_at $keeper; do
	same "$(readlink "/proc/$pid/cwd")" / 'the working directory'
	same "$(readlink "/proc/$pid/fd/"[012] | sort -u)" /dev/null "what $(cat "/proc/$pid/comm") prints to"
	same "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid" 'the session'
done
same "$(ls "/proc/$keeper/fd" | wc -l)" 5 'descriptors of the keeper'
! readlink "/proc/$keeper/fd/"* | grep -q fuse || fail 'the keeper keeps the device open'
"$pktfs" -u m1

# the end: by unmounting, by a signal, by a signal to both
"$pktfs" -u m2
wait_until 60 gone "$work/m2" "$keeper" "$daemon_at"
for signal in TERM INT HUP; do
	background "$work/a.pcapng" "$work/m2"
	keeper=$(keeper_of "$daemon_at")
	kill -$signal "$keeper" "$daemon_at"
	wait_until 60 gone "$work/m2" "$keeper" "$daemon_at"
done
# SIGKILL of the daemon: a dead mount is left, and no process
background "$work/a.pcapng" "$work/m2"
keeper=$(keeper_of "$daemon_at")
kill -KILL "$daemon_at"
wait_until 60 eval 'is_ended "$keeper" && is_ended "$daemon_at"'
expect_errno ENOTCONN "os.listdir('$work/m2')"
"$pktfs" -u m2
rmdir m2
# SIGKILL of the keeper: the mount goes on, and somebody else can end it
background "$work/a.pcapng" "$work/m2"
kill -KILL "$(keeper_of "$daemon_at")"
cmp m2/packets/7 disk/000000007
"$pktfs" -u m2
wait_until 60 is_ended "$daemon_at"
rmdir m2

# killed while it starts: a pipe that brings nothing
for signal in TERM KILL; do
	mkfifo fifo
	sleep 100 >fifo &
	silent=$!
	"$pktfs" -f fifo m2 >out 2>&1 &
	starting=$!
	wait_until 60 eval '[ -n "$(keeper_of $starting)" ]'
	keeper=$(keeper_of $starting)
	kill -$signal $starting
	wait $starting 2>/dev/null || true
	wait_until 60 gone "$work/m2" "$keeper"
	kill $silent
	wait $silent 2>/dev/null || true
	rm fifo
done

# what comes by a named pipe, and by one of the shell's
mkfifo fifo
cat a.pcapng >fifo &
mount_capture fifo
wait_indexed
diff -r disk "$mnt/packets"
unmount
mount_capture <(cat a.pcapng)
wait_indexed
diff -r disk "$mnt/packets"
unmount
# many spools, none of which has a name
mkdir spool
zstd -q a.pcapng
mount_capture a.pcapng.zst -o spool="$work/spool"
wait_indexed
diff -r disk "$mnt/packets"
same "$(ls -A spool)" ''
unmount

# ports and protocols have names, hosts only those in /etc/hosts
mount_capture a.pcapng
ls "$mnt/by/filter/tcp port http" >/dev/null
ls "$mnt/by/filter/host localhost" >/dev/null
! ls "$mnt/by/filter/host no.such.host.invalid" 2>/dev/null || fail 'a host that is not there'
ls "$mnt/by/match/p[a-z]+word" >/dev/null
# the core has nowhere to go, and nobody else may look in
[ "$(id -u)" != 0 ] || same "$(stat -c %u "/proc/$daemon/environ")" 0
unmount

# appending: the file, and what a repair needs beside it
cp a.pcapng rw.pcapng
head -c -7 a.pcapng >torn.pcapng
for what in rw:rw.pcapng rw,repair:torn.pcapng append=made.pcapng:a.pcapng; do
	mount_capture "${what#*:}" -o "${what%:*}"
	wait_indexed
	echo 'some bytes that become a packet' >"$mnt/append/0/x"
	{ echo one; (echo two); } >"$mnt/append/0/y" # closed by two, appended once
	same "$(readlink "$mnt/append/0/x" | grep -c packets)" 1
	same "$(cat "$mnt/append/0/y")" $'one\ntwo'
	unmount
done
[ -s torn.pcapng.torn ] || fail 'what was cut off is not kept'
[ -s made.pcapng ] || fail 'nothing was made'
# a start that fails takes back what it made
expect 1 "$pktfs" -o append=new.pcapng /etc/passwd m2
[ ! -e new.pcapng ] && [ ! -e m2 ] || fail 'something is left of a start that failed'

[ "$(id -u)" = 0 ] || exit 0
# ---- root: files of others, which it may open, though its daemon may not
nobody=65534
as_nobody="setpriv --reuid=$nobody --regid=$nobody --clear-groups"
chmod 755 "$work"
mkdir -m 700 private
cp a.pcapng private/
make_capture pcapng 10 private/c.pcapng
zstd -q private/c.pcapng
chmod 600 private/*
chown -R $nobody private
for file in private/a.pcapng private/c.pcapng.zst; do
	mount_capture $file
	cat "$mnt/packets/10" >/dev/null
	unmount
done
mount_capture private/a.pcapng -o rw
echo bytes >"$mnt/append/0/x"
unmount
same "$(stat -c %u private/a.pcapng)" $nobody
# ... for that user: its own mount, which root cannot look into; files that it could not open itself
chmod 600 a.pcapng
for option in '' ,nosandbox ,rw ,append=private/new.pcapng; do
	mount_capture a.pcapng -o setuid=nobody$option
	$as_nobody cmp "$mnt/packets/7" disk/000000007 2>/dev/null ||
		$as_nobody cat "$mnt/packets/7" | cmp - disk/000000007
	same "$($as_nobody stat -c '%u %g' "$mnt/packets/7")" "$nobody $nobody"
	! cat "$mnt/packets/7" >/dev/null 2>&1 || fail "root looks into another user's mount"
	same "$(ps -o uid= -p "$daemon" | tr -d ' ')" $nobody
	[ "$option" = '' ] || [ "$option" = ,nosandbox ] ||
		$as_nobody bash -c 'echo x >"$1"' - "$mnt/append/0/x"
	unmount
done
same "$(stat -c %u private/new.pcapng)" $nobody 'owner of what was made'
mount_capture a.pcapng -o setuid=$nobody,allow_other,uid=7
same "$(stat -c '%u %g' "$mnt/packets/7")" "7 $nobody"
unmount
expect 2 "$pktfs" -o setuid=no-such-user a.pcapng m2
expect 2 $as_nobody "$pktfs" -o setuid=nobody a.pcapng m2
grep -q 'only root' err
