# SPDX-License-Identifier: BSD-2-Clause
# What every mount test begins with:
#
#	. "$(dirname "$0")/lib.sh"
#	make_capture pcap 100 a.pcap --files plain
#	mount_capture a.pcap          (the rest are options: -o noxattr ...)
#	cmp "$mnt/packets/000000001" plain/000000001
#
# The test runs in a private directory that goes away with it. Any command that
# fails ends it. At the end everything is unmounted, and each daemon must have
# ended with 0 and said nothing. Daemons are ended by the process id that was
# written down, never by name.

set -eEuo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/tests/mount
build=${PKTFS_BUILD_DIR:-$top/build}
pktfs=$build/pktfs
work=$(mktemp -d "${TMPDIR:-/tmp}/pktfs-test.XXXXXX")
mnt=$work/mnt
daemon=         # process id of the daemon at $mnt
repair_words='^pktfs: .*: (repaired|a repair that was interrupted is finished): '
export LC_ALL=C.UTF-8 TZ=UTC
export XDG_CACHE_HOME=$work/cache

skip()
{
	echo "SKIP: $*"
	exit 77
}

fail()
{
	echo "FAIL: $*" >&2
	exit 1
}

# Unmounts; says what is wrong with the way in which the daemon ended.
end_mount()
{
	local code=0

	"$pktfs" -u "$mnt" || { echo "FAIL: pktfs -u" >&2; return 1; }
	wait "$daemon" || code=$?
	daemon=
	if [ $code != 0 ]; then
		echo "FAIL: the daemon ended with $code" >&2
		return 1
	fi
	# what a repair has done is to be said
	if [ -z "${words_allowed:-}" ] && grep -qsvE "$repair_words" "$work/stderr"; then
		echo "FAIL: the daemon said something" >&2
		return 1
	fi
}

# Last words of a test, however it ends.
clean_up()
{
	local code=$?

	trap - EXIT ERR
	set +e
	if [ $code = 0 ] && [ -n "$daemon" ]; then
		end_mount || code=1
	fi
	grep -Fs " $work/" /proc/self/mounts | cut -d' ' -f2 | while read -r left; do
		fusermount3 -uz "$left" 2>/dev/null || umount -l "$left"
	done
	for pid in $daemon $(jobs -p); do
		kill "$pid" 2>/dev/null
	done
	[ ! -s "$work/stderr" ] || sed 's/^/stderr of the daemon: /' "$work/stderr" >&2
	cd / && rm -rf "$work"
	exit $code
}
trap clean_up EXIT
trap 'echo "FAIL: line $LINENO: $BASH_COMMAND" >&2' ERR
trap 'exit 143' TERM

[ -x "$pktfs" ] || fail "$pktfs is not built"
[ -c /dev/fuse ] || skip "there is no /dev/fuse here"
cd "$work"

# make_capture FORMAT COUNT OUT [options of captures.py]
make_capture()
{
	python3 "$here/captures.py" "$@"
}

# wait_until SECONDS COMMAND...: until it succeeds. SECONDS is after how long the test
# fails, on a loaded machine too: 60, or longer for what takes long by itself
wait_until()
{
	local end=$(($(date +%s) + $1))

	shift
	until "$@" 2>/dev/null; do
		[ "$(date +%s)" -le $end ] || fail "never came true: $*"
		sleep 0.02
	done
}

# not_with PATHS...: this is about what is off with these (tests/run --with)
not_with()
{
	[[ " $* " != *" ${PKTFS_TEST_WITH:-none} "* ]] || skip "about what --with $PKTFS_TEST_WITH changes"
}

# daemon_of ARGUMENT...: the process in the background that was started with these
daemon_of()
{
	local pid

	for pid in $(pgrep -x pktfs); do
		# there may be options before (tests/run --with)
		[[ $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") != "$pktfs "*"$* " ]] || echo "$pid"
	done 2>/dev/null
}

# the process is no more; one of which nobody has asked the exit code is none
is_ended()
{
	local stat

	! stat=$(cat "/proc/$1/stat" 2>/dev/null) || [[ ${stat##*) } == Z* ]]
}

is_mounted()
{
	grep -qF " $1 fuse.pktfs " /proc/self/mounts
}

# mount_capture FILE [OPTION...]: at $mnt, in the foreground of a background
# job, so that its words and its exit code are seen
mount_capture()
{
	local file=$1

	shift
	mkdir -p "$mnt"
	# bash has background jobs ignore SIGINT
	env --default-signal=INT "$pktfs" -f "$@" "$file" "$mnt" 2>>"$work/stderr" >>"$work/stdout" &
	daemon=$!
	local end=$(($(date +%s) + 60))
	until is_mounted "$mnt"; do
		kill -0 $daemon 2>/dev/null || { cat "$work/stderr" >&2; fail "the daemon ended"; }
		[ "$(date +%s)" -le $end ] || fail "not mounted after 60 s"
		sleep 0.01
	done
}

# the mount says that the whole file is indexed
wait_indexed()
{
	local end=$(($(date +%s) + ${1:-60}))

	while [ "$(cat "$mnt/info/state")" = indexing ]; do
		[ "$(date +%s)" -le $end ] || fail "still indexing"
		sleep 0.02
	done
}

# the daemon must end with 0, silently, and be gone
unmount()
{
	end_mount || exit 1
	! is_mounted "$mnt" || fail "still mounted"
}

# expect CODE COMMAND...: its exit code; words to out and err
expect()
{
	local want=$1 got=0

	shift
	"$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
	[ "$got" = "$want" ] ||
		fail "exit code $got instead of $want: $*: $(cat "$work/out" "$work/err")"
}

# expect_errno NAME PYTHON: the errno that a statement in Python raises
expect_errno()
{
	python3 - "$@" <<-'PYTHON'
	import errno, os, sys
	want, statement = sys.argv[1:3]
	try:
	    exec(statement)
	except OSError as e:
	    got = e.errno
	else:
	    got = 0
	if got != getattr(errno, want):
	    sys.exit(f"{statement}: {errno.errorcode.get(got, 'success')} instead of {want}")
	PYTHON
}

# same A B [WHAT]
same()
{
	[ "$1" = "$2" ] || fail "${3:-values} differ: '$1' and '$2'"
}

# run_as_user TEST: once more, as an ordinary user who may use /dev/fuse (where it is
# root's, there is another one in its place) and may not use allow_other. Only for
# root. 77: that cannot be done here, and it is said why.
run_as_user()
{
	local code=0

	chmod 755 "$work" && mkdir -m 777 "$work/user"
	"$top/tests/tools/unshared" bash -c '
		as_user="setpriv --reuid=65534 --regid=65534 --clear-groups env PATH=/usr/bin:/bin"
		mknod "$1/fuse" c 10 229 && chmod 666 "$1/fuse" && mount --bind "$1/fuse" /dev/fuse || exit 77
		: >"$1/fuse.conf" && { [ ! -e /etc/fuse.conf ] || mount --bind "$1/fuse.conf" /etc/fuse.conf; } || exit 77
		$as_user test -x "$2" -a -x "$3" || exit 77
		exec $as_user env TMPDIR="$1/user" "$3"' - "$work" "$pktfs" "$1" 2>"$work/as_user.err" || code=$?
	[ $code = 0 ] || cat "$work/as_user.err"
	[ $code != 77 ] || echo "# an ordinary user cannot be tried here: $(tail -1 "$work/as_user.err")"
	return $code
}

# time of processors that a process has taken, in ms: that which has passed says more about the
# rest of the machine
processor_ms()
{
	local stat

	stat=$(cat "/proc/$1/stat")
	set -- ${stat##*) } # from the third field on
	echo $(((${12} + ${13}) * 1000 / $(getconf CLK_TCK)))
}

# memory of its own that a process has, in KiB
own_memory()
{
	awk '$1 == "RssAnon:" {print $2}' "/proc/$1/status"
}
