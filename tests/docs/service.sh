#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Does the unit for systemd --user do what it says: start, restart, stop, say why it has
# failed, take options, be started again after a kill? By a real systemd, which runs as
# an ordinary user in namespaces of its own: root makes them, and runs this once more in
# them, and that does so as the user.
. "$(dirname "$0")/../mount/lib.sh"
self=$top/tests/docs/service.sh
journald=/lib/systemd/systemd-journald
stage=${service_stage:-outside}

# ---- outside: a cgroup, which has to go in the end
enter()
{
	"$top/tests/tools/unshared" bash -c '
		mkdir "$1" && mount -t cgroup2 none "$1" && mkdir "$1/$2" || exit 77
		(echo $BASHPID >"$1/$2/cgroup.procs" && exec unshare -C -p -f --kill-child "$3" || exit 77)
		code=$?
		for _ in {1..100}; do # those who have ended leave it a moment later
			find "$1/$2" -depth -type d -exec rmdir {} + 2>/dev/null
			[ -e "$1/$2" ] || break
			sleep 0.1
		done
		exit $code' - "$work/cgroup" "pktfs-test-$$" "$self"
}
if [ "$stage" = outside ]; then
	[ "$(id -u)" = 0 ] || skip 'only root can make the namespaces'
	command -v systemctl >/dev/null && [ -x $journald ] || skip 'systemd is not installed'
	[ -s /etc/machine-id ] || skip 'there is no /etc/machine-id, which systemd needs'
	code=0
	service_stage=inside enter 2>enter.err || code=$?
	cat enter.err
	[ $code != 77 ] || skip "no systemd can be run here: $(tail -1 enter.err)"
	exit $code
fi

# ---- inside: a cgroup that the user may divide, a journal, and what logind makes
prepare()
{
	mount -t proc proc /proc && mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /sys/fs/cgroup &&
		mount -t cgroup2 none /sys/fs/cgroup && mkdir -p "$cgroup" || return
	mkdir -p /run/systemd/system /run/systemd/journal /run/log/journal /run/user/65534
	chmod 700 /run/user/65534
	chown -R 65534:65534 /run/user/65534 "$cgroup"
}
if [ "$(id -u)" = 0 ]; then
	# by its name journald knows what is the user's
	cgroup=/sys/fs/cgroup/user.slice/user-65534.slice/user@65534.service
	prepare || exit 77
	$journald >journald 2>&1 &
	wait_until 60 eval 'ls /run/log/journal/*/system.journal >/dev/null'
	chmod -R a+rX /run/log/journal
	export service_stage=user XDG_RUNTIME_DIR=/run/user/65534
	code=0
	(echo $BASHPID >"$cgroup/cgroup.procs" && run_as_user "$self") || code=$?
	exit $code
fi

# ---- the user's service manager
export HOME=$work/home
export SYSTEMD_UNIT_PATH=$HOME/.config/systemd/user:/usr/lib/systemd/user
mkdir -p "$HOME/.config/systemd/user" local/bin
sed "s|@PREFIX@|$work/local|" "$top/scripts/dist/pktfs@.service.in" >"$HOME/.config/systemd/user/pktfs@.service"
ln -s "$pktfs" local/bin/pktfs
make_capture pcap 50 'a "trace" of %h.pcap' --files disk
/lib/systemd/systemd --user --unit=basic.target --log-target=console >manager.log 2>&1 &
manager=$!
wait_until 60 eval 'systemctl --user is-system-running >/dev/null || is_ended $manager'
! is_ended $manager || { echo "SKIP: systemd --user has ended: $(tail -1 manager.log)"; exit 77; }

# unit FILE: its name
unit()
{
	systemd-escape -p --template=pktfs@.service "$work/$1"
}
trace=$(unit 'a "trace" of %h.pcap')
at="$HOME/pktfs/a \"trace\" of %h"

# ctl WORD...: systemctl --user, without its words; is COMMAND: the unit's, and its daemon
ctl()
{
	systemctl --user "$@" >ctl.out 2>&1 || fail "systemctl $*: $(cat ctl.out "$work/manager.log")"
}
property()
{
	systemctl --user show -P "$1" "$trace"
}
is_state()
{
	[ "$(property ActiveState)" = "$1" ]
}
started()
{
	is_state active || fail "the unit is $(property ActiveState)"
	pid=$(property MainPID)
	same "$(cat "/proc/$pid/comm")" pktfs
	diff -r disk "$at/packets"
}
ended()
{
	[ ! -e "$at" ] || fail "$at is left"
	is_ended "$pid" || fail "process $pid is left"
}

# starts, is started anew, goes on while the units are read again, stops
ctl start "$trace"
started
before=$pid
ctl restart "$trace"
started
is_ended "$before" && [ "$before" != "$pid" ] || fail 'restart has left the daemon'
ctl daemon-reload
started
exec 5<"$at/packets/000000007"
ctl stop "$trace"
exec 5<&-
ended
is_state inactive || fail "stopped, the unit is $(property ActiveState)"

# unmounted by somebody else; killed, and started again
ctl start "$trace"
started
"$pktfs" -u "$at"
wait_until 60 is_state inactive
ctl start "$trace"
started
kill -KILL "$pid"
wait_until 60 is_state failed
ended
ctl start "$trace"
started
ctl stop "$trace"
ended

# says why it has failed; in the journal, as journald does not always know in time which
# unit a process was of that has ended, and `status` shows the lines of the unit alone
expect 1 systemctl --user start "$(unit none.pcap)"
expect 3 systemctl --user status "$(unit none.pcap)"
grep -q 'exit-code' out || fail "the status: $(cat out)"
words()
{
	journalctl -q -o cat | grep -x "pktfs: $work/none.pcap: No such file or directory" >/dev/null
}
wait_until 60 words

# options, as the comment of the unit has them; and what it is to do at each login
mkdir "$HOME/.config/systemd/user/$trace.d"
sed -n 's/^#\t\(\[Service\]\|Environment=\)/\1/p' "$HOME/.config/systemd/user/pktfs@.service" \
	>"$HOME/.config/systemd/user/$trace.d/override.conf"
grep -q append "$HOME/.config/systemd/user/$trace.d/override.conf"
ctl daemon-reload
ctl enable "$trace"
[ -L "$HOME/.config/systemd/user/default.target.wants/$trace" ] || fail 'not enabled'
ctl start default.target
started
cp disk/000000007 "$at/append/0/x"
ctl stop "$trace"
ended
same "$("$pktfs" --info --json 'a "trace" of %h.pcap' | jq .packets)" 51
kill $manager
wait $manager || fail "systemd ended with $?"
