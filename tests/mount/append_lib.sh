# SPDX-License-Identifier: BSD-2-Clause
# What the tests of append/ share; read after lib.sh.

pktgen=$build/tests/tools/pktgen
[ -x "$pktgen" ] || skip 'pktgen is not built (make tests)'

# close_gives ERRNO FILE [BEFORE [DATA]]: a file of append/ is written (DATA is
# Python), BEFORE is done to the descriptor `fd` or the file `path`, and close(2)
# must give that error; 0: none
close_gives()
{
	python3 - "$1" "$mnt/append/$2" "${3:-}" "${4:-b'some bytes'}" <<-'PYTHON'
	import errno, os, sys
	want, path, before, data = sys.argv[1:5]
	fd = os.open(path, os.O_CREAT | os.O_WRONLY)
	try:
	    data = eval(data)
	    assert os.write(fd, data) == len(data), "written short"
	    exec(before)
	except OSError as e:
	    os.unlink(path)
	    sys.exit(f"{path}: before the close: {e}")
	got = 0
	try:
	    os.close(fd)
	except OSError as e:
	    got = e.errno
	names = {0: "0", **errno.errorcode}
	if got != (0 if want == "0" else getattr(errno, want)):
	    sys.exit(f"{path}: close() gave {names.get(got, got)} instead of {want}")
	PYTHON
}

# A packet is appended as before, and all who look see it.
appends()
{
	local before

	before=$(cat "$mnt/info/packets")
	close_gives 0 "${1:-0}/again$RANDOM$RANDOM"
	same "$(cat "$mnt/info/packets")" $((before + 1)) 'packets after another'
	same "$(cat "$mnt/packets/$((before + 1))")" 'some bytes' 'the packet after another'
}

# refused ERRNO WORD FILE [BEFORE [DATA]]: the same, and nothing has come of it:
# no packet, no name, no byte in the capture; info/log says why
refused()
{
	local want=$1 word=$2 packets size lines
	local capture
	capture=$(cat "$mnt/info/path")

	shift 2
	packets=$(cat "$mnt/info/packets")
	size=$(stat -c %s "$capture")
	lines=$(wc -l <"$mnt/info/log")
	close_gives "$want" "$@"
	same "$(cat "$mnt/info/packets")" "$packets" "packets after a refused one ($*)"
	same "$(ls "$mnt/packets" | wc -l)" "$packets" "listed after a refused one ($*)"
	same "$(stat -c %s "$capture")" "$size" "bytes after a refused one ($*)"
	! [ -e "$mnt/append/$1" ] && ! [ -L "$mnt/append/$1" ] || fail "$1 is still there"
	tail -n "+$((lines + 1))" "$mnt/info/log" >log
	grep -qi -- "$word" log || fail "no '$word' in info/log after $*: $(cat log)"
}

# packets_in FILE: how many there are, which must be whole
packets_in()
{
	python3 -B -c 'import sys; sys.path.insert(0, sys.argv[1]); import append_reader
print(len(append_reader.read(sys.argv[2]).packets))' "$here" "$1"
}

# The daemon at $mnt is killed, and what it leaves is taken away.
kill_daemon()
{
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null || true
	daemon=
	umount -l "$mnt" 2>/dev/null || fusermount3 -uz "$mnt"
}

# start_refused FILE WORD [OPTION...]: -o rw is refused, by one line with that word
start_refused()
{
	local file=$1 word=$2

	shift 2
	mkdir -p "$mnt"
	expect 1 timeout 60 "$pktfs" -f -o rw "$@" "$file" "$mnt"
	same "$(wc -l <err)" 1 "lines about $file"
	[[ $(cat err) == "pktfs: "* ]] || fail "says: $(cat err)"
	grep -q -- "$word" err || fail "no '$word' in: $(cat err)"
	! is_mounted "$mnt" || fail "mounted $file"
}
