#!/usr/bin/env bash
# Named filters and patterns: mkdir, write, refuse, mv, ln -s, rm, rmdir; and nothing else can be changed.
. "$(dirname "$0")/lib.sh"
pktgen=$build/tests/tools/pktgen
[ -x "$pktgen" ] || skip 'pktgen is not built (make tests)'
"$pktgen" --format pcapng --packets 600 --interfaces 2 a.pcapng
sum=$(sha256sum <a.pcapng)

# count DIRECTORY: how many packets a set has
count()
{
	ls "$1/packets" | wc -l
}

# writing EXPRESSION FILE: the exit code and the words of a write, which is one write
refused()
{
	expect_errno EINVAL "os.write(os.open('$2', os.O_WRONLY | os.O_TRUNC), b'''$1\n''')"
}

named()
{
	local by=$1 udp tcp

	udp=$(count "$by/filter/udp")
	tcp=$(count "$by/filter/tcp")
	[ "$udp" -gt 0 ] && [ "$tcp" -gt 0 ] && [ "$udp" != "$tcp" ] || fail "udp: $udp, tcp: $tcp"
	same "$(ls "$by/filter")" '' 'listed at first'

	# empty until it has an expression
	mkdir "$by/filter/web"
	same "$(ls "$by/filter")" web
	same "$(ls -A "$by/filter/web")" expression 'a new named set'
	same "$(cat "$by/filter/web/expression")" ''
	expect_errno ENOENT "os.stat('$by/filter/web/packets')"
	expect_errno EEXIST "os.mkdir('$by/filter/web')"

	# each write is in force at once, however often, of the same size or another
	for word in udp tcp udp 'tcp or udp' udp tcp; do
		echo "$word" >"$by/filter/web/expression"
		same "$(cat "$by/filter/web/expression")" "$word"
		same "$(stat -c %s "$by/filter/web/expression")" $((${#word} + 1)) "size of '$word'"
		same "$(count "$by/filter/web")" "$(count "$by/filter/$word")" "packets of '$word'"
		same "$(cat "$by/filter/web/info/packets")" "$(count "$by/filter/$word")" 'info/packets'
		same "$(stat -c %i "$by/filter/web/packets")" "$(stat -c %i "$by/filter/$word/packets")" 'inode'
	done
	same "$(ls -d "$by"/filter/web/{info,packets,payload,packets.tsv,capture.pcapng} | wc -l)" 5
	# without a newline, with a CR, and as other programs write
	printf udp >"$by/filter/web/expression"
	same "$(count "$by/filter/web")" "$udp"
	printf 'tcp\r\n' >"$by/filter/web/expression"
	same "$(count "$by/filter/web")" "$tcp"
	echo udp | dd of="$by/filter/web/expression" conv=notrunc status=none
	same "$(cat "$by/filter/web/expression")" udp
	echo tcp | tee "$by/filter/web/expression" >/dev/null
	echo udp >copy
	cp copy "$by/filter/web/expression"
	same "$(count "$by/filter/web")" "$udp"

	# refused: EINVAL, the old one is in force, and the reason can be read
	refused 'tcp port' "$by/filter/web/expression"
	same "$(head -1 "$by/filter/web/expression")" udp 'in force'
	same "$(count "$by/filter/web")" "$udp"
	grep -qx '# tcp port' "$by/filter/web/expression"
	grep -q '^# *^$' "$by/filter/web/expression"
	grep -q '^# .*syntax error' "$by/filter/web/expression"
	same "$(grep -vc '^#' "$by/filter/web/expression")" 1 'lines that are no comment'
	refused 'host 1.2.3.4.5' "$by/filter/web/expression"
	grep -qx '# host 1.2.3.4.5' "$by/filter/web/expression"
	! grep -qx '# tcp port' "$by/filter/web/expression" || fail 'two refused ones'
	grep -q 'host 1.2.3.4.5' "$mnt/info/log"
	# what is read can be written back: comments of ours are not an expression
	echo tcp >"$by/filter/web/expression"
	same "$(cat "$by/filter/web/expression")" tcp 'after one that is right'
	expect 1 bash -c "echo 'udp udp udp' >'$by/filter/web/expression'"
	grep -q 'Invalid argument' err
	expect_errno EINVAL "os.write(os.open('$by/filter/web/expression', os.O_WRONLY), b'udp\0tcp')"
	expect_errno EINVAL "os.write(os.open('$by/filter/web/expression', os.O_WRONLY), b'u' * 5000)"
	expect_errno EINVAL "os.pwrite(os.open('$by/filter/web/expression', os.O_WRONLY), b'udp', 3)"
	same "$(head -1 "$by/filter/web/expression")" tcp

	# patterns: the caret is where PCRE2 found it. A word is a pattern, so it is
	# a directory that exists; a name that is none begins with a plus
	expect_errno EEXIST "os.mkdir('$by/match/pass')"
	mkdir "$by/match/+pass"
	printf '%s\n' '(?i)\x00\x01' >"$by/match/+pass/expression"
	same "$(count "$by/match/+pass")" "$(count "$by/match/(?i)\x00\x01")"
	refused 'abc(def' "$by/match/+pass/expression"
	same "$(sed -n '2,$p' "$by/match/+pass/expression")" \
		"# refused:
# abc(def
#        ^
# pattern: missing closing parenthesis" 'caret'
	refused 'a[z-a]b' "$by/match/+pass/expression"
	same "$(sed -n 4p "$by/match/+pass/expression")" '#     ^' 'caret in a class'

	# mv: renamed, replacing; not to elsewhere
	mv "$by/filter/web" "$by/filter/www"
	same "$(ls "$by/filter")" www
	expect_errno ENOENT "os.stat('$by/filter/web')"
	same "$(head -1 "$by/filter/www/expression")" tcp
	mkdir "$by/filter/other"
	echo udp >"$by/filter/other/expression"
	mv -T "$by/filter/other" "$by/filter/www"
	same "$(ls "$by/filter")" www
	same "$(cat "$by/filter/www/expression")" udp 'replaced'
	expect_errno EXDEV "os.rename('$by/filter/www', '$by/match/www')"
	expect_errno EXDEV "os.rename('$by/filter/www', '$mnt/by/range/1-300/by/filter/www')"
	expect_errno EROFS "os.rename('$by/filter/www', '$mnt/www')"
	expect_errno EROFS "os.rename('$by/filter/www', '$by/range/www')"
	expect 1 mv "$by/filter/www" "$work/www"
	expect_errno ENOENT "os.rename('$by/filter/none', '$by/filter/some')"
	rmdir www 2>/dev/null || true
	[ -e "$by/filter/www/expression" ] || fail 'mv out of the mount removed the set'

	# a link is a short way to make one
	ln -s 'tcp port 80' "$by/filter/http"
	ln -s 'net 10.0.0.0%2F8' "$by/filter/ten"
	same "$(readlink "$by/filter/http")" 'tcp port 80'
	same "$(stat -c %s "$by/filter/http")" 11 'size of a link'
	same "$(count "$by/filter/http")" "$(count "$by/filter/tcp port 80")"
	same "$(count "$by/filter/ten")" "$(count "$by/filter/net 10.0.0.0%2F8")"
	same "$(ls "$by/filter" | sort | tr '\n' ' ')" 'http ten www ' 'listed'
	expect_errno EINVAL "os.symlink('tcp port', '$by/filter/bad')"
	expect_errno EEXIST "os.symlink('udp', '$by/filter/http')"
	expect_errno EINVAL "os.symlink('udp%zz', '$by/filter/bad')"
	# a target is a path to the kernel: what is none to a name beside it is refused
	for word in 'net 10.0.0.0/8' . .. ./udp ../filter/udp "udp or len > 0000$(printf '0%.0s' {1..255})"; do
		expect_errno EINVAL "os.symlink('$word', '$by/filter/bad')"
		expect_errno EINVAL "os.symlink('$word', '$by/match/+bad')"
	done
	grep -qF "link to 'net 10.0.0.0/8': found a '/'; accepted a name, in which / is written as %2F" \
		"$mnt/info/log"
	grep -q 'found more than 255 bytes' "$mnt/info/log"
	expect_errno ENOENT "os.lstat('$by/filter/bad')"
	mv "$by/filter/http" "$by/filter/h"
	same "$(readlink "$by/filter/h")" 'tcp port 80'
	# ln -s to another named one follows it
	ln -s www "$by/filter/alias" 2>/dev/null && same "$(count "$by/filter/alias")" "$udp"
	expect_errno ENOTDIR "os.rmdir('$by/filter/h')"
	expect_errno EISDIR "os.unlink('$by/filter/www')"
	rm "$by/filter/h" "$by/filter/ten"
	rm -f "$by/filter/alias"
	expect_errno ENOENT "os.lstat('$by/filter/h')"

	# rmdir of one in use: what is open stays readable, what is held stays a directory
	exec 5<"$by/filter/www/packets/$(ls "$by/filter/www/packets" | head -1)" 6<"$by/filter/www/packets.tsv"
	head -c 10 <&6 >/dev/null
	(cd "$by/filter/www" && rmdir "$by/filter/www" && ! ls expression 2>/dev/null)
	same "$(wc -l <&6)" $((udp + 1)) 'lines of an open packets.tsv'
	[ "$(wc -c <&5)" -gt 0 ] || fail 'an open packet is gone'
	exec 5<&- 6<&-
	expect_errno ENOENT "os.stat('$by/filter/www')"
	expect_errno ENOENT "os.rmdir('$by/filter/www')"
	same "$(count "$by/filter/udp")" "$udp" 'the set itself'
	rmdir "$by/match/+pass"
	same "$(ls -A "$by/filter" "$by/match" | grep -v ':$' | tr -d '\n')" ''

	# what is an expression is there already
	expect_errno EEXIST "os.mkdir('$by/filter/tcp')"
	local long
	long=$(printf 'x%.0s' {1..255})
	mkdir "$by/filter/$long"
	rmdir "$by/filter/$long"
	expect_errno ENAMETOOLONG "os.mkdir('$by/filter/${long}x')"
}

mount_capture a.pcapng
wait_indexed
named "$mnt/by"
# in sets of sets too, each place for itself
named "$mnt/by/interface/0/by"
mkdir "$mnt/by/interface/0/by/filter/x" "$mnt/by/interface/1/by/filter/x"
echo udp >"$mnt/by/interface/0/by/filter/x/expression"
echo tcp >"$mnt/by/interface/1/by/filter/x/expression"
same "$(count "$mnt/by/interface/0/by/filter/x")" "$(count "$mnt/by/filter/udp/by/interface/0")"
same "$(count "$mnt/by/interface/1/by/filter/x")" "$(count "$mnt/by/filter/tcp/by/interface/1")"
same "$(ls "$mnt/by/filter")" ''
# named sets have sets of their own
mkdir "$mnt/by/filter/u"
echo udp >"$mnt/by/filter/u/expression"
same "$(count "$mnt/by/filter/u/by/range/1-100")" "$(count "$mnt/by/filter/udp/by/range/1-100")"
mkdir "$mnt/by/filter/u/by/filter/deep"
echo 'len > 100' >"$mnt/by/filter/u/by/filter/deep/expression"
same "$(count "$mnt/by/filter/u/by/filter/deep")" "$(count "$mnt/by/filter/udp and len > 100")"
# a listing while names come and go
for n in $(seq 200); do mkdir "$mnt/by/filter/n$n"; done
same "$(ls "$mnt/by/filter" | wc -l)" 201
for n in $(seq 1 2 200); do rmdir "$mnt/by/filter/n$n"; done
same "$(ls "$mnt/by/filter" | wc -l)" 101


# at most 10,000 at one time, all of them listed; the places of those that are
# gone serve again, but to a directory that is gone nothing leads
mkdir "$mnt/by/match/+held"
exec 7<"$mnt/by/match/+held"
echo udp >"$mnt/by/match/+held/expression"
before=$(stat -c %i "$mnt/by/match/+held")
rmdir "$mnt/by/match/+held"
timeout 120 python3 - "$mnt/by/match" <<'PYTHON'
import errno, os, sys
os.chdir(sys.argv[1])
elsewhere = os.listdir("../filter")
def fill():
    made = []
    try:
        while len(made) <= 10000:
            os.mkdir(f"+{len(made)}")
            made.append(f"+{len(made)}")
    except OSError as e:
        assert e.errno == errno.ENOSPC, e
    return made
for turn in range(2):
    made = fill()
    assert len(made) + len(elsewhere) + len(os.listdir("../filter/u/by/filter")) \
        + 2 == 10000, len(made)
    assert sorted(os.listdir(".")) == sorted(made), "listed"
    assert len({os.stat(name).st_ino for name in made}) == len(made), "inodes"
    for name in made:
        os.rmdir(name)
for turn in range(1000):
    os.mkdir("+again")
    os.rmdir("+again")
assert os.listdir(".") == []
PYTHON
expect_errno ENOENT "os.stat('/proc/self/fd/7/expression')"
exec 7<&-
mkdir "$mnt/by/match/+held"
[ "$(stat -c %i "$mnt/by/match/+held")" != "$before" ] || fail 'a node that was gone is back'
rmdir "$mnt/by/match/+held"

# ---- nothing else can be changed, whoever asks
for where in . packets info by by/range by/time by/interface interfaces/0 by/filter/udp by/filter/udp/packets \
	by/filter/udp/by by/filter/u payload; do
	expect_errno EROFS "os.mkdir('$mnt/$where/new')"
	expect_errno EROFS "os.symlink('udp', '$mnt/$where/new')"
	expect_errno EROFS "open('$mnt/$where/new', 'w')"
	expect_errno EROFS "os.mknod('$mnt/$where/new')"
done
for file in README.txt packets/1 info/packets packets.tsv capture.pcapng by/filter/udp/packets.tsv; do
	[ -e "$mnt/$file" ] || fail "$file is not there"
	expect_errno EROFS "os.unlink('$mnt/$file')"
	expect_errno EROFS "os.rename('$mnt/$file', '$mnt/new')"
	expect_errno EROFS "os.chmod('$mnt/$file', 0o666)"
	expect_errno EROFS "os.truncate('$mnt/$file', 0)"
	expect_errno EROFS "os.link('$mnt/$file', '$mnt/new')"
	expect_errno EROFS "os.setxattr('$mnt/$file', 'user.a', b'b')"
	python3 - "$mnt/$file" <<-'PYTHON'
	import errno, os, sys
	for how in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND):
	    try:
	        fd = os.open(sys.argv[1], how)
	        os.write(fd, b"x")
	    except OSError as e:
	        assert e.errno in (errno.EROFS, errno.EACCES), e
	    else:
	        sys.exit(f"{sys.argv[1]} was written")
	PYTHON
done
for directory in packets by by/filter by/range by/filter/udp by/filter/udp/packets; do
	expect_errno EROFS "os.rmdir('$mnt/$directory')"
	expect_errno EROFS "os.chmod('$mnt/$directory', 0o777)"
done
expect_errno EROFS "os.chmod('$mnt/by/filter/u/expression', 0o600)"
expect_errno EROFS "os.unlink('$mnt/by/filter/u/expression')"
expect_errno EROFS "os.rename('$mnt/by/filter/udp', '$mnt/by/filter/u2')"
expect_errno EROFS "os.mknod('$mnt/by/filter/file')"
expect_errno EROFS "open('$mnt/by/filter/file', 'w')"
expect_errno EROFS "os.link('$mnt/packets/1', '$mnt/by/filter/one')"
unmount
same "$(sha256sum <a.pcapng)" "$sum" 'the capture'

# in memory only: gone with the mount
mount_capture a.pcapng
same "$(ls -A "$mnt/by/filter" "$mnt/by/match" | grep -v ':$' | tr -d '\n')" '' 'names of the mount before'
unmount

# -o ro: the kernel refuses; lookups work
mount_capture a.pcapng -o ro
wait_indexed
expect_errno EROFS "os.mkdir('$mnt/by/filter/web')"
expect_errno EROFS "os.symlink('udp', '$mnt/by/filter/web')"
[ "$(count "$mnt/by/filter/udp")" -gt 0 ] || fail 'no lookups on a mount with -o ro'
