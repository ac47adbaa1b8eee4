# SPDX-License-Identifier: BSD-2-Clause
# What the tests of captures that lie share; read after lib.sh. Each lie that was
# tried is a line of TAP, with what was measured, and is counted by its first words.

not_with index # it is made before the mount, of a lie in more than a minute
lies=$here/lies.py
few=30 # packets before the lie, as lies.py writes them
make_capture pcap $few few.pcap --files disk
told=0

instrumented=
! grep -qa __asan_init "$pktfs" && ! grep -qa __tsan_init "$pktfs" || instrumented=1

tell()
{
	told=$((told + 1))
	echo "ok $told - $*"
	[[ $* == *'# SKIP '* ]] || echo "COUNT 1 captures that lie or change: ${1%%: *}"
}

# within SECONDS COMMAND...: nothing hangs. Its exit code.
within()
{
	local code=0

	timeout -s KILL "$@" || code=$?
	[ $code != 137 ] || fail "hangs: $*"
	return $code
}

# The packets before the lie are there, to the byte.
check_few()
{
	local n

	for n in $(ls disk); do
		within 60 cmp "$mnt/packets/$n" "disk/$n" || fail "$1: packet $n"
	done
}

# Everything that can be asked without waiting for the end has an answer, or an
# errno, in time.
ask_around()
{
	local name

	for name in README.txt info/state info/packets info/progress info/problem info/log info/size \
		info/bytes; do
		within 60 cat "$mnt/$name" >/dev/null 2>&1 || true
	done
	for name in . packets interfaces sections blocks by by/interface; do
		[ ! -d "$mnt/$name" ] || within 60 ls -U "$mnt/$name" 2>/dev/null | head -n 100 >/dev/null || true
	done
	within 60 cat "$mnt/packets/1.json" >/dev/null
	within 60 cat "$mnt/by/range/1-5/packets/3" | cmp - disk/000000003
}

# memory_below MIB WHAT: of its own, now; sets $memory
memory_below()
{
	memory=$((($(own_memory "$daemon") + 1023) / 1024))
	[ -n "$instrumented" ] || [ $memory -le "$1" ] || fail "$2: $memory MiB of memory, not $1"
}

end_in_time()
{
	local before=$SECONDS

	unmount
	[ $((SECONDS - before)) -le 60 ] || fail "$1: $((SECONDS - before)) s to unmount"
}

# lie FILE MIB SECONDS WHAT [OPTION...]: mounted, looked at for so long or until it
# is indexed, asked for everything, and unmounted. Sets $state, $found, $memory.
lie()
{
	local file=$1 limit=$2 seconds=$3 what=$4 end

	shift 4
	mount_capture "$file" "$@"
	check_few "$what"
	end=$((SECONDS + seconds))
	while state=$(within 60 cat "$mnt/info/state"); [ "$state" = indexing ] && [ $SECONDS -lt $end ]; do
		memory_below "$limit" "$what"
		sleep 0.1
	done
	ask_around
	check_few "$what"
	memory_below "$limit" "$what"
	found=$(within 60 cat "$mnt/info/packets")
	[ "$found" -ge $few ] || fail "$what: $found packets"
	problem=$(within 60 cat "$mnt/info/problem" 2>/dev/null | head -n 1) || true
	case $state in
	damaged | truncated) [ -n "$problem" ] || fail "$what: $state, and no problem said" ;;
	esac
	end_in_time "$what"
}
