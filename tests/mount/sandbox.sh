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
	wait_until 10 test -e x/port
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
	same "$(wc -l <words)" $((n - 1)) 'attempts that were told'
	[ "$n" -gt 40 ] || fail "only $n attempts"
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

# held WHO: nothing succeeded
held()
{
	local got

	got=$(grep ': done' words || true)
	[ -z "$got" ] || fail "$1: the exploit succeeded: $got"
	echo "# $1: $(wc -l <words) attempts, all refused"
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

# the rights that a process has left; its keeper is another
rights_of()
{
	sed -n 's/^\(Uid\|Gid\|Groups\|CapPrm\|CapEff\|CapBnd\|NoNewPrivs\|Seccomp\):[ \t]*/\1 /p' "/proc/$1/status"
}

# tried WHO OWNER OPTIONS: both ways
tried()
{
	local who=$1 owner=$2 options=$3 rights

	for way in '' ,nosandbox; do
		prepare "$owner"
		LD_PRELOAD=$preload mount_capture x/capture.pcap -o "${options:-threads=2}$way"
		wait_until 10 $reader test -e "$mnt/info/state"
		same "$($reader sed -n 's/.*\(sandbox: .*\)/\1/p' "$mnt/info/log")" "${way:+sandbox: off, by -o nosandbox}" 'info/log'
		rights=$(rights_of "$daemon")
		if [ "$(id -u)" = 0 ]; then
			grep -q "^Uid $owner.$owner.$owner.$owner" <<<"$rights" || fail "$who: $rights"
		fi
		if [ -z "$way" ]; then
			grep -q '^CapPrm 0*$' <<<"$rights" || fail "$who: capabilities: $rights"
			grep -q '^NoNewPrivs 1' <<<"$rights" || fail "$who: new privileges: $rights"
			grep -q '^Seccomp 2' <<<"$rights" || fail "$who: seccomp: $rights"
			[ "$(id -u)" != 0 ] || grep -q '^CapBnd 0*$' <<<"$rights" || fail "$who: bounding set: $rights"
			grep -q '^Max core file size *0 *0' "/proc/$daemon/limits" || fail "$who: core dumps"
		fi
		exploit
		stop_victim
		if [ -z "$way" ]; then
			held "$who"
		else
			broken "$who" "$([ "$owner" = 0 ] && echo root)"
		fi
		unmount
	done
}

make_capture pcap 30 some.pcap --files disk
reader=
if [ "$(id -u)" != 0 ]; then
	tried "user $(id -u)" "$(id -u)" ''
	exit 0
fi
tried root 0 ''
# who it is for, and nobody else, root included
reader=$as_nobody
tried "root for user $nobody" $nobody setuid=nobody
reader=

# an ordinary user, who may use /dev/fuse: where it is root's, another one in its place
as_user()
{
	mknod "$work/fuse" c 10 229 && chmod 666 "$work/fuse" && mount --bind "$work/fuse" /dev/fuse || exit 77
	$as_nobody test -x "$pktfs" -a -x "$here/sandbox.sh" || exit 77
	exec $as_nobody env TMPDIR="$work/user" "$here/sandbox.sh"
}
mkdir -m 777 user
export -f as_user
export work as_nobody pktfs here
code=0
unshare -m --propagation private bash -c as_user 2>as_user.err || code=$?
[ $code = 0 ] || cat as_user.err
[ $code != 77 ] || echo "# an ordinary user cannot be tried here: $(tail -1 as_user.err)"
same $((code % 77)) 0 'exit code as an ordinary user'
