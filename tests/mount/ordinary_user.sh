#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Who is not root mounts and unmounts by fusermount3: what it says is said, and an
# unmounted capture has no process any more.
. "$(dirname "$0")/lib.sh"
if [ "$(id -u)" = 0 ]; then
	code=0
	run_as_user "$here/ordinary_user.sh" || code=$?
	exit $code
fi
make_capture pcap 20 a.pcap --files disk

# refused CODE WORDS COMMAND...: in one line
refused()
{
	local words=$2

	expect "$1" "${@:3}"
	grep -q -- "$words" err || fail "no '$words': $(cat err)"
	same "$(wc -l <err)" 1 "lines of ${*:3}"
}

# ---- mounting
if ! grep -qs '^ *user_allow_other' /etc/fuse.conf; then
	for option in allow_other allow_root; do
		refused 1 "^pktfs: m: cannot be mounted: fusermount3: .*'user_allow_other'.*/etc/fuse.conf; have root" \
			"$pktfs" -o $option a.pcap m
		refused 1 "^pktfs: m: cannot be mounted: fusermount3: " "$pktfs" -f -o $option a.pcap m
		[ ! -e m ] || fail "m is left with $option"
	done
fi
mkdir -m 555 theirs
refused 1 '^pktfs: theirs: cannot be mounted: fusermount3: .*no write access' "$pktfs" a.pcap theirs

# ---- unmounting
"$pktfs" a.pcap m
exec 5<m/packets/7
refused 1 '^pktfs: m: in use: ' "$pktfs" -u m
cmp m/packets/8 disk/000000008
exec 5<&-
refused 1 '^pktfs: m: fusermount3: No such file' env PATH=/nonexistent "$pktfs" -u m
cmp m/packets/8 disk/000000008
"$pktfs" -u m

# ---- what is left when -u has ended: nothing
# start [OPTION...]: $pid is the daemon
start()
{
	"$pktfs" "$@" a.pcap m
	pid=$(daemon_of "$@" a.pcap m)
	[ -n "$pid" ] || fail 'no daemon'
	cat m/packets/* | cmp - <(cat disk/*)
}
for _ in {1..30}; do
	start
	"$pktfs" -u m
	is_ended "$pid" || fail 'the daemon outlives -u'
	[ ! -e m ] || fail 'the directory outlives -u'
done

# ---- what is left of a daemon that is killed
start
kill -KILL "$pid"
wait_until 60 is_ended "$pid"
expect_errno ENOTCONN 'os.listdir("m")'
refused 1 '^pktfs: m: a mount whose daemon is gone is here; end it with pktfs -u first' \
	"$pktfs" -o auto_unmount a.pcap m
"$pktfs" -u m
rmdir m
start -oauto_unmount
kill -KILL "$pid"
wait_until 60 eval '! is_mounted "$PWD/m"'
wait_until 60 test ! -e m # which holds for a dead mount, too
start -oauto_unmount
"$pktfs" -u m
[ ! -e m ] || fail 'm is left'
