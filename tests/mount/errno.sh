#!/usr/bin/env bash
# Does each thing that cannot be done fail with the errno that it must have?
. "$(dirname "$0")/lib.sh"
make_capture pcapng 20 a.pcapng
mount_capture a.pcapng
wait_indexed
cd "$mnt"
for name in packets/21 packets/000000021 packets/0 packets/000000000 packets/-1 packets/+1 \
	    packets/1x packets/0x1 packets/0000000001 packets/00000001 packets/1. packets/1.txt \
	    packets/21.json packets/99999999999999999999999 packets/18446744073709551617 \
	    interfaces/1 sections/1 interfaces/0/nothing nothing info/nothing; do
	case $name in
	# other ways to write a number that exists are not errors
	packets/0000000001 | packets/00000001) ;;
	*) expect_errno ENOENT "os.stat('$name')" ;;
	esac
done
expect_errno ENOTDIR "os.stat('packets/1/2')"
expect_errno ENOTDIR "os.listdir('packets/1')"
expect_errno EISDIR "os.open('packets', os.O_RDWR)"
expect_errno ENAMETOOLONG "os.stat('packets/' + 'x' * 300)"
# (root may open what it cannot write: nobody asks the daemon at an open)
expect_errno EROFS "os.write(os.open('packets/1', os.O_WRONLY), b'x')"
expect_errno EROFS "os.write(os.open('packets/1', os.O_RDWR | os.O_TRUNC), b'x')"
same "$(stat -c %s packets/1)" "$(wc -c <packets/1)" 'size after O_TRUNC'
same "$(head -c 22 packets/1 | tail -c 8)" 'packet 1' 'bytes after O_TRUNC'
expect_errno EROFS "os.open('packets/new', os.O_CREAT | os.O_WRONLY)"
expect_errno EROFS "os.open('new', os.O_CREAT | os.O_WRONLY)"
expect_errno EROFS "os.truncate('packets/1', 0)"
expect_errno EROFS "os.chmod('packets/1', 0o600)"
expect_errno EROFS "os.chown('packets/1', 1, 1)"
expect_errno EROFS "os.utime('packets/1')"
expect_errno EROFS "os.mkdir('new')"
expect_errno EROFS "os.rmdir('packets')"
expect_errno EROFS "os.unlink('packets/1')"
expect_errno EROFS "os.rename('packets/1', 'packets/2')"
expect_errno EROFS "os.symlink('a', 'new')"
expect_errno EROFS "os.link('packets/1', 'new')"
expect_errno EROFS "os.mkfifo('new')"
expect_errno EROFS "os.setxattr('packets/1', 'user.x', b'1')"
expect_errno EROFS "os.removexattr('packets/1', 'user.pktfs.number')"
expect_errno EINVAL "os.readlink('packets/1')"
# reading behind the end is no error
same "$(tail -c +100000 packets/1 | wc -c)" 0
same "$(dd if=packets/1 bs=1 skip=10000 status=none | wc -c)" 0
cd "$work"
unmount

# with -o ro the kernel refuses it all
mount_capture a.pcapng -o ro
expect_errno EROFS "os.open('$mnt/packets/1', os.O_WRONLY)"
expect_errno EROFS "os.open('$mnt/packets/1', os.O_RDWR | os.O_TRUNC)"
expect_errno EROFS "os.mkdir('$mnt/by/filter/web')"
