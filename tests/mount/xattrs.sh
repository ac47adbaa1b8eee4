#!/usr/bin/env bash
# Are the extended attributes of packets right, cheap and removable?
. "$(dirname "$0")/lib.sh"
cat >make.py <<PYTHON
import sys
sys.path.insert(0, "$here")
from captures import *
some = list(packets(20))
some[2].options = option(1, b"look at this") + option(0, b"")
open("a.pcapng", "wb").write(pcapng(some))
PYTHON
python3 make.py
mount_capture a.pcapng
wait_indexed
value()
{
	getfattr --only-values -n "user.pktfs.$1" "$mnt/packets/$2" 2>/dev/null
}
same "$(value number 3)" 3
same "$(value frame 3)" 3
same "$(value interface 3)" 0
same "$(value original_length 3)" 100
same "$(value time 3)" 2025-11-21T10:32:07.003000009Z
same "$(value comment 3)" 'look at this'
case $(value link_type 3) in ETHERNET | 1) ;; *) fail "link type: $(value link_type 3)" ;; esac
same "$(getfattr "$mnt/packets/3" 2>/dev/null | grep -c '^user.pktfs.')" 7
same "$(getfattr "$mnt/packets/4" 2>/dev/null | grep -c '^user.pktfs.')" 6 'without a comment'
expect_errno ENODATA "os.getxattr('$mnt/packets/4', 'user.pktfs.comment')"
expect_errno ENODATA "os.getxattr('$mnt/packets/4', 'user.other')"
# ls asks for these, and stops when it hears that they do not exist here
expect_errno EOPNOTSUPP "os.getxattr('$mnt/packets/4', 'security.selinux')"
expect_errno EOPNOTSUPP "os.getxattr('$mnt/packets/4', 'system.posix_acl_access')"
expect_errno EOPNOTSUPP "os.getxattr('$mnt/packets/4', 'trusted.x')"
# a buffer that is too small
python3 - "$mnt/packets/3" <<'PYTHON'
import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(3)
r = libc.getxattr(sys.argv[1].encode(), b"user.pktfs.comment", buffer, 3)
assert r == -1 and ctypes.get_errno() == errno.ERANGE, (r, ctypes.get_errno())
PYTHON
cp --preserve=xattr "$mnt/packets/3" copy
if getfattr -n user.pktfs.comment copy >/dev/null 2>&1; then
	same "$(getfattr --only-values -n user.pktfs.comment copy)" 'look at this'
fi
ls -l "$mnt/packets" >/dev/null 2>err
[ ! -s err ] || fail "ls -l: $(cat err)"
unmount

mount_capture a.pcapng -o noxattr
wait_indexed
expect_errno EOPNOTSUPP "os.getxattr('$mnt/packets/3', 'user.pktfs.number')"
same "$(getfattr "$mnt/packets/3" 2>/dev/null)" ''
