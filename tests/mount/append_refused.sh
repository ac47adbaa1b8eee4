#!/usr/bin/env bash
# Is a packet that the file cannot hold refused by close, with a reason in the log, and nothing else harmed?
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"
cat >make.py <<PYTHON
import sys
sys.path.insert(0, "$here")
from captures import *
open("small.pcap", "wb").write(pcap_header(nano=False, snaplen=100))
later = option(9, b"\\x09") + option(14, (2000000000).to_bytes(8, "little")) + option(0, b"")
open("a.pcapng", "wb").write(shb() + idb(1) + idb(1, 100) + idb(101, 0, later) +
                             idb(1, 0, option(9, b"\\x12") + option(0, b"")))
open("sections.pcapng", "wb").write(shb() + idb(1) + shb() + idb(101) + idb(1))
open("none.pcapng", "wb").write(shb() + idb(1) + shb())
PYTHON
python3 -B make.py
comment="os.setxattr(fd, 'user.pktfs.comment', b'a comment')"
flags="os.setxattr(fd, 'user.pktfs.flags', b'1')"

# at SECONDS: sets the time
at()
{
	echo "os.utime(fd, ns=(0, $1 * 10**9))"
}

original_length_of()
{
	python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "user.pktfs.original_length").decode())' "$1"
}

# An original length below the captured one is in some files, and is copied.
lesser_lengths()
{
	local length new

	for length in 0 9; do
		new=$mnt/append/0/length$length
		close_gives 0 "0/length$length" "os.setxattr(fd, 'user.pktfs.original_length', b'$length')"
		same "$(original_length_of "$new")" $length 'original length'
		cp --preserve=xattr "$(readlink -f "$new")" "$new.copy"
		same "$(original_length_of "$new.copy")" $length 'original length of a copy'
	done
}

# ---- pcap
"$pktgen" --packets 5 a.pcap
mount_capture a.pcap -o rw
wait_indexed
appends
refused EOPNOTSUPP pcap 0/p "$comment"
refused EOPNOTSUPP pcap 0/p "$flags"
refused ERANGE 1970 0/p "$(at -1)"
refused ERANGE 2106 0/p "$(at 4294967296)"
lesser_lengths
refused EINVAL 'link' 0/p "os.setxattr(fd, 'user.pktfs.link_type', b'RAW')"
refused EOPNOTSUPP pcap 0/p "$comment; os.setxattr(fd, 'user.pktfs.link_type', b'ETHERNET')"
close_gives 0 0/first "$(at 0)"
close_gives 0 0/last "$(at 4294967295)"
same "$(stat -c %Y "$mnt/append/0/first" -L)" 0 'the first second'
same "$(stat -c %Y "$mnt/append/0/last" -L)" 4294967295 'the last second'
appends
# a program that looks hears it
printf bytes >source
setfattr -n user.pktfs.comment -v no source 2>/dev/null || skip 'no extended attributes here'
expect 1 cp --preserve=xattr source "$mnt/append/0/p"
grep -q 'not supported' err || fail "cp says: $(cat err)"
touch -d 1969-01-01 source
expect 1 cp -p source "$mnt/append/0/p"
grep -qi 'range\|large' err || fail "cp says: $(cat err)"
expect 1 bash -c "touch -d 1969-01-01 '$mnt/append/0/p' && dd if=source of='$mnt/append/0/p' conv=fsync status=none"
rm -f "$mnt/append/0/p"
# a pcap has one interface, and no blocks
expect_errno EOPNOTSUPP "os.mkdir('$mnt/append/new')"
expect_errno EOPNOTSUPP "os.mkdir('$mnt/append/new@RAW')"
[ ! -e "$mnt/append/blocks" ] || expect_errno EOPNOTSUPP "open('$mnt/append/blocks/b', 'wb')"
expect_errno ENOENT "open('$mnt/append/1/p', 'wb')"
appends
unmount
same "$(packets_in a.pcap)" 14 'packets in the file'

mount_capture small.pcap -o rw
wait_indexed
close_gives 0 0/most '' 'bytes(100)'
refused EMSGSIZE snaplen 0/more '' 'bytes(101)'
appends
unmount
same "$(packets_in small.pcap)" 2

# ---- pcapng
mount_capture a.pcapng -o rw
wait_indexed
appends
close_gives 0 1/most '' 'bytes(100)'
refused EMSGSIZE snaplen 1/more '' 'bytes(101)'
refused ERANGE 'resolution' 2/early "$(at 1999999999)"
close_gives 0 2/first "$(at 2000000000)"
refused ERANGE 'resolution' 3/late "$(at 19)"
refused ERANGE 'resolution' 3/now
close_gives 0 3/first "$(at 18)"
lesser_lengths
refused EINVAL 'link' 2/p "$(at 2000000000); os.setxattr(fd, 'user.pktfs.link_type', b'ETHERNET')"
refused EMSGSIZE 'length' 0/p '' 'bytes((128 << 20) + 1)'
# what cannot be is refused at once
: >"$mnt/append/0/p"
p=$mnt/append/0/p
expect_errno EINVAL "os.setxattr('$p', 'user.pktfs.flags', b'many')"
expect_errno EINVAL "os.setxattr('$p', 'user.pktfs.original_length', b'-1')"
expect_errno EINVAL "os.setxattr('$p', 'user.pktfs.time', b'yesterday')"
expect_errno EOPNOTSUPP "os.setxattr('$p', 'user.pktfs.nothing', b'1')"
expect_errno EOPNOTSUPP "os.setxattr('$p', 'user.other', b'1')"
expect_errno ENODATA "os.removexattr('$p', 'user.pktfs.comment')"
expect_errno ENODATA "os.getxattr('$p', 'user.pktfs.comment')"
expect_errno EFBIG "os.truncate('$p', (256 << 20) + 1)"
expect_errno EFBIG "os.pwrite(os.open('$p', os.O_WRONLY), b'x', 256 << 20)"
! [ -e "$p" ] || fail 'a file of which a write failed is still there'
expect_errno EFBIG "os.pwrite(os.open('$p', os.O_WRONLY | os.O_CREAT), b'x', 1 << 40)"
: >"$p"
expect_errno EEXIST "os.open('$p', os.O_CREAT | os.O_EXCL | os.O_WRONLY)"
expect_errno ENOTDIR "open('$p/q', 'wb')"
rm "$p"
# which interface?
expect_errno EINVAL "open('$mnt/append/p', 'wb')"
tail -n 1 "$mnt/info/log" | grep -q 'append/p: found 4 interfaces; accepted append/I/NAME$' ||
	fail "info/log says: $(tail -n 1 "$mnt/info/log")"
expect_errno ENOENT "open('$mnt/append/4/p', 'wb')"
expect_errno ENOENT "open('$mnt/append/none/p', 'wb')"
expect_errno EEXIST "os.mkdir('$mnt/append/0')"
expect_errno EINVAL "os.mkdir('$mnt/append/x@NOTHING')"
# what was committed takes no more
expect_errno EROFS "os.write(os.open('$mnt/append/1/most', os.O_WRONLY), b'x')"
expect_errno EROFS "os.truncate('$mnt/append/1/most', 0)"
expect_errno EEXIST "os.open('$mnt/append/1/most', os.O_CREAT | os.O_EXCL | os.O_WRONLY)"
expect_errno EXDEV "os.rename('$mnt/append/1/most', '$mnt/append/0/most')"
expect_errno EROFS "os.rename('$mnt/packets/1', '$mnt/append/0/one')"
# files are all that can be made there
expect_errno EPERM "os.mkdir('$mnt/append/0/new')"
expect_errno EPERM "os.symlink('x', '$mnt/append/0/new')"
expect_errno EPERM "os.mkfifo('$mnt/append/0/new')"
expect_errno EPERM "os.link('$mnt/packets/1', '$mnt/append/0/new')"
expect_errno EPERM "os.rmdir('$mnt/append/0')"
# nothing else can be changed, with -o rw neither
expect_errno EROFS "open('$mnt/packets/1', 'r+b', buffering=0).write(b'x')"
expect_errno EROFS "os.unlink('$mnt/packets/1')"
expect_errno EROFS "open('$mnt/new', 'wb')"
expect_errno EROFS "open('$mnt/packets/new', 'wb')"
expect_errno EROFS "os.mkdir('$mnt/new')"
appends
unmount
same "$(packets_in a.pcapng)" 9

# interfaces of another section; a section without one
mount_capture sections.pcapng -o rw
wait_indexed
appends 1
appends 2
# to one of a section that is over: refused, or it is one of the same link type
if (echo bytes >"$mnt/append/0/p") 2>err; then
	same "$(getfattr --only-values -n user.pktfs.link_type "$mnt/packets/3" 2>/dev/null)" ETHERNET
else
	grep -q interface "$mnt/info/log" || fail "info/log: $(cat "$mnt/info/log")"
fi
unmount
packets_in sections.pcapng >count
mount_capture none.pcapng -o rw
wait_indexed
before=$(cat "$mnt/info/packets")
! (echo bytes >"$mnt/append/0/p") 2>err || same "$(cat "$mnt/info/packets")" $((before + 1))
unmount
packets_in none.pcapng >count
