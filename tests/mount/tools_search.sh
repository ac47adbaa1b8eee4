#!/usr/bin/env bash
# Do the tools that search behave on packets/ as on the same files on a disk?
. "$(dirname "$0")/lib.sh"
make_capture pcapng 500 a.pcapng --files disk
mount_capture a.pcapng
wait_indexed

# alike COMMAND: run in both directories, the output must be the same, and some
alike()
{
	(cd disk && bash -c "$1") >disk.out 2>disk.err || echo "exit $?" >>disk.out
	(cd "$mnt/packets" && bash -c "$1") >mnt.out 2>mnt.err || echo "exit $?" >>mnt.out
	cmp disk.out mnt.out || fail "$1: $(diff disk.out mnt.out | head -5)"
	cmp disk.err mnt.err || fail "$1: $(diff disk.err mnt.err | head -5)"
	[ -s mnt.out ] || fail "says nothing: $1"
}
alike 'ls'
alike 'ls -U | sort'
alike 'grep -rl password . | sort'
alike 'grep -rac packet . | sort'
alike 'grep -a password *'
alike 'grep -r nothing-has-this .'
alike 'rg -l --no-ignore --text password . | sort'
alike 'rg -c --no-ignore --text "packet [0-9]*7" . | sort'
alike 'find . -type f | sort'
alike 'find . -size +1000c | sort'
alike 'find . -size 0 | sort'
alike 'find . -empty | sort'
alike 'find . -newermt "2025-11-21 10:32:07.25 UTC" | sort'
alike 'find . -type f ! -newermt "2025-11-21 10:32:07.25 UTC" | sort'
alike 'find . -type f -printf "%f %s %T@ %y\n" | sort'
alike 'find . -name "00000004?" | sort | xargs cat | sha256sum'
alike 'ls -l --full-time --time-style=full-iso 0* | awk "{print \$5, \$6, \$7, \$9}"'
alike 'ls -t | head -20'
alike 'ls -S | head -200 | tail -20'
alike 'stat -c "%n %s %y %F" 0000000*'
alike 'wc -c *'
alike 'cat * | sha256sum'
alike 'echo 00000012?'
alike 'file -b 000000001 2>/dev/null || echo no file command'

# twice, since the second time is answered by the kernel
alike 'grep -rl password . | sort'

# the parts of the mount around packets/
same "$(find "$mnt/packets" -type f | wc -l)" 500
find "$mnt" -type f >all
grep -c . all
sort all | uniq -d >twice
[ ! -s twice ] || fail "listed twice: $(cat twice)"
grep -r password "$mnt/packets" | wc -l >count
same "$(find "$mnt/packets" -inum "$(stat -c %i "$mnt/packets/7")")" "$mnt/packets/000000007"
