#!/usr/bin/env bash
# Can an exploit in the daemon open another file, talk to anybody, start a program, get more rights? (The exploit is
# preloaded: see sandbox_preload.c.) As root, as root for another user, as an ordinary user; and without a sandbox, where
# it must succeed, or the test tests nothing.
. "$(dirname "$0")/lib.sh"
preload=$build/tests/mount/sandbox_preload.so
[ -e "$preload" ] || fail "$preload is not built"
nobody=65534
# without what only root may look into
as_nobody="setpriv --reuid=$nobody --regid=$nobody --clear-groups env PATH=/usr/bin:/bin"

# what is to be reached lies in x/; `owner` is who the daemon is to be
prepare()
{
	local owner=$1

	rm -rf x && mkdir -m 777 x x/mountpoint && chmod 755 "$work"
	make_capture pcap 30 x/capture.pcap
	echo secret >x/secret
	echo other >x/file
	touch x/to_remove x/to_rename
	chmod 600 x/secret
	if [ "$(id -u)" = 0 ]; then
		chown -R "$owner" x
		# root's daemon may read it only by a capability, others not at all
		chown $((owner ? 0 : nobody)) x/secret
	fi
	rm -f port
	$([ "$owner" = "$(id -u)" ] || echo "$as_nobody") python3 - x <<-'PYTHON' &
	import os, socket, sys, time
	folder = sys.argv[1]
	tcp = socket.create_server(("127.0.0.1", 0))
	local = socket.socket(socket.AF_UNIX)
	local.bind(folder + "/socket")
	local.listen()
	datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	datagrams.bind(folder + "/datagrams")
	with open(folder + "/port.new", "w") as port:
	    port.write(str(tcp.getsockname()[1]))
	os.rename(folder + "/port.new", folder + "/port")
	time.sleep(600)
	PYTHON
	victim=$!
	wait_until 60 test -e x/port
	export EXPLOIT_DIR=$work/x EXPLOIT_PID=$victim EXPLOIT_PORT
	EXPLOIT_PORT=$(cat x/port)
}

# the attempts, one after the other; their words to the file `words`
exploit()
{
	local n=0

	: >words
	until grep -q 'that was all' words; do
		[ $n -lt 200 ] || fail "no end: $(tail -3 words)"
		! $reader ls "$mnt/by/filter/ether proto 0x88b5 and len = $n" >/dev/null 2>&1 ||
			fail "the exploit's filter $n was accepted"
		n=$((n + 1))
		$reader cat "$mnt/info/log" | sed -n 's/^.*filter: \(exploit.*\)/\1/p' | awk '!seen[$0]++' >words
	done
	sed -i '/that was all/d' words
	[ "$(wc -l <words)" -gt 40 ] || fail "only $(wc -l <words) attempts"
	# it is still there, and works
	$reader cmp "$mnt/packets/7" disk/000000007
	kill -0 "$victim" || fail 'the exploit has ended another process'
}

stop_victim()
{
	kill "$victim"
	wait "$victim" || true
	victim=
}

# What Landlock alone refuses; what it refuses, with or without seccomp.
reads='^exploit (read /etc/passwd|read another|read the capture|list a|environment of|command line of)'
opens='^exploit (read |write |append to|make a (file|temp|symb|dir|pipe)|remove|rename|list|connect by TCP)'

# held WHO: nothing succeeds, but what this kernel cannot refuse
held()
{
	local got

	case $lacks in
	'') cp words kept ;;
	Landlock) grep -vE "$reads" words >kept ;;
	seccomp*) grep -E "$opens" words >kept ;;
	*) : >kept ;;
	esac
	got=$(grep ': done' kept || true)
	[ -z "$got" ] || fail "$1: the exploit succeeded: $got"
	echo "# $1: $(wc -l <kept) of $(wc -l <words) attempts must be refused, and are${lacks:+ (there is no $lacks)}"
}

# broken WHO ROOT: without the sandbox it succeeds
broken()
{
	local got

	got=$(grep refused words | grep -v '\[maybe\]' || true)
	[ "$2" = root ] || got=$(grep -v '\[root\]' <<<"$got" || true)
	[ -z "$got" ] || fail "$1: refused without a sandbox: $got"
	echo "# $1: $(grep -c ': done' words) of $(wc -l <words) attempts succeed without a sandbox"
}

# has FIELD VALUE: of the daemon; its keeper is another process
has()
{
	grep -qx "$1:[[:space:]]*$2" "/proc/$daemon/status" ||
		fail "$1 is not $2: $(grep "^$1:" "/proc/$daemon/status")"
}

# whose OWNER
whose()
{
	has Uid "$1[[:space:]]$1[[:space:]]$1[[:space:]]$1"
	[ "$1" = 0 ] || has Groups ' *'
}

# mounted OWNER OPTIONS: x/capture.pcap, by a daemon with the exploit in it; `log`
mounted()
{
	prepare "$1"
	LD_PRELOAD=$preload mount_capture x/capture.pcap -o "$2"
	wait_until 60 $reader test -e "$mnt/info/state"
	log=$($reader sed -n 's/.*sandbox: //p' "$mnt/info/log")
	whose "$1"
}

# with_sandbox WHO OWNER OPTIONS
with_sandbox()
{
	mounted "$2" "$3"
	lacks=$(sed -n 's/^this kernel has no \(.*\); going on without$/\1/p' <<<"$log" | paste -sd, | sed 's/,/ and /')
	[ -n "$lacks" ] || same "$log" '' info/log
	has CapPrm '0*'
	has CapEff '0*'
	[ "$(id -u)" != 0 ] || has CapBnd '0*'
	has NoNewPrivs 1
	[[ $lacks == *seccomp* ]] || has Seccomp 2
	grep -q '^Max core file size *0 *0' "/proc/$daemon/limits" || fail "$1: core dumps"
	exploit
	stop_victim
	held "$1"
	unmount
}

# without_sandbox WHO OWNER OPTIONS
without_sandbox()
{
	mounted "$2" "$3,nosandbox"
	same "$log" 'off, by -o nosandbox' info/log
	exploit
	stop_victim
	broken "$1" "$([ "$2" != 0 ] || echo root)"
	unmount
}

make_capture pcap 30 some.pcap --files disk
reader=
if [ "$(id -u)" != 0 ]; then
	with_sandbox "user $(id -u)" "$(id -u)" threads=2
	without_sandbox "user $(id -u)" "$(id -u)" threads=2
	exit 0
fi
with_sandbox root 0 threads=2
without_sandbox root 0 threads=2
[ -z "$lacks" ] || echo "# this kernel has no $lacks"

# a kernel that has less
for part in landlock seccomp; do
	printf '%s\n' '#!/bin/sh' "exec '$build/tests/mount/sandbox_without' $part '$pktfs' \"\$@\"" >without
	chmod +x without
	pktfs=$work/without with_sandbox "root, no $part" 0 threads=2
	[[ ${lacks,,} == *$part* ]] || fail "info/log does not say that there is no $part: $log"
done

# who it is for, and nobody else, root included
reader=$as_nobody
with_sandbox "root for user $nobody" $nobody setuid=nobody
without_sandbox "root for user $nobody" $nobody setuid=nobody
reader=

# an ordinary user
code=0
run_as_user "$here/sandbox.sh" || code=$?
same $((code % 77)) 0 'exit code as an ordinary user'
