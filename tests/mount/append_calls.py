# SPDX-License-Identifier: BSD-2-Clause
"""append_calls.py MOUNT [noxattr]: system calls on files of append/0 that are not
closed yet. Each call is tried on a file of its own, which is one packet at its
close, or none."""
import ctypes
import errno
import fcntl
import mmap
import os
import sys
import time

MOUNT = sys.argv[1]
NOXATTR = "noxattr" in sys.argv
LIBC = ctypes.CDLL(None, use_errno=True)
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def packets():
    with open(f"{MOUNT}/info/packets") as file:
        return int(file.read())


def packet(number):
    with open(f"{MOUNT}/packets/{number}", "rb") as file:
        return file.read()


def refused(want, call, *arguments, **more):
    try:
        got = call(*arguments, **more)
    except OSError as error:
        assert error.errno == want, f"{errno.errorcode[error.errno]}, not {errno.errorcode[want]}"
    else:
        raise AssertionError(f"{got!r}, not {errno.errorcode[want]}")


class New:
    """A new file; at its end it becomes a packet of these bytes (None: it does not)."""
    count = 0

    def __init__(self, want, flags=os.O_RDWR, bytes_=b""):
        New.count += 1
        self.want, self.flags, self.bytes = want, flags, bytes_
        self.path = f"{MOUNT}/append/0/{os.getpid()}-{New.count}"

    def __enter__(self):
        self.before = packets()
        self.fd = os.open(self.path, self.flags | os.O_CREAT | os.O_EXCL, 0o644)
        if self.bytes:
            assert os.write(self.fd, self.bytes) == len(self.bytes)
        return self

    def __exit__(self, kind, *_):
        if kind:
            return
        assert packets() == self.before, "appended before the close"
        os.close(self.fd)
        if self.want is None:
            assert packets() == self.before, "appended"
            assert os.stat(self.path).st_size == 0
            os.unlink(self.path)
            return
        assert packets() == self.before + 1, f"{packets() - self.before} packets"
        assert packet(packets()) == self.want, packet(packets())[:100]
        assert os.readlink(self.path) == f"../../packets/{packets():09}"


# ---- writing

@test
def vectors():
    with New(b"aZcdef") as file:
        assert os.writev(file.fd, [b"ab", b"", b"cdef"]) == 6
        assert os.pwritev(file.fd, [b"Z"], 1) == 1


@test
def a_hole_is_zeros():
    with New(b"\0\0\0x") as file:
        os.pwrite(file.fd, b"x", 3)


@test
def append_flag():
    with New(b"abcdef", os.O_WRONLY | os.O_APPEND) as file:
        os.write(file.fd, b"abc")
        os.lseek(file.fd, 0, os.SEEK_SET)
        os.write(file.fd, b"def")


@test
def append_flag_of_another_descriptor():
    with New(b"abcdef", bytes_=b"abc") as file:
        other = os.open(file.path, os.O_WRONLY | os.O_APPEND)
        os.write(other, b"def")
        os.close(other)
        assert os.fstat(file.fd).st_size == 6


@test
def truncating_flag():
    with New(b"x", bytes_=b"abcdef") as file:
        other = os.open(file.path, os.O_WRONLY | os.O_TRUNC)
        assert os.fstat(file.fd).st_size == 0
        os.write(other, b"x")
        os.close(other)


@test
def by_proc():
    with New(b"Xbcd", bytes_=b"abcd") as file:
        other = os.open(f"/proc/self/fd/{file.fd}", os.O_WRONLY)
        os.write(other, b"X")
        os.close(other)


@test
def direct_and_synchronous():
    for flag in (os.O_DIRECT, os.O_SYNC, os.O_DSYNC):
        with New(b"abcdefgh", os.O_WRONLY | flag) as file:
            os.write(file.fd, b"abcd")
            os.write(file.fd, b"efgh")


@test
def more_than_one_request():
    data = os.urandom(3 << 20)
    with New(data) as file:
        assert os.write(file.fd, data) == len(data)
        assert os.fstat(file.fd).st_size == len(data)
        assert os.pread(file.fd, 1 << 20, 1 << 20) == data[1 << 20:2 << 20]


# ---- size

@test
def truncate():
    with New(b"abc\0\0", bytes_=b"abcdef") as file:
        os.ftruncate(file.fd, 3)
        assert os.fstat(file.fd).st_size == 3
        os.truncate(file.path, 5)
        assert os.fstat(file.fd).st_size == 5


@test
def truncate_to_nothing():
    with New(None, bytes_=b"abcdef") as file:
        os.ftruncate(file.fd, 0)


@test
def fallocate():
    with New(b"abcdef\0\0\0\0", bytes_=b"abcdef") as file:
        for mode in (0, 1, 3, 8, 16, 32):
            assert LIBC.fallocate(file.fd, mode, ctypes.c_long(0), ctypes.c_long(10)) == -1
            assert ctypes.get_errno() == errno.EOPNOTSUPP, (mode, ctypes.get_errno())
        os.posix_fallocate(file.fd, 0, 10)  # the C library writes zeros behind the end


# ---- reading back

@test
def read_back():
    with New(b"abcdef\0\0z", bytes_=b"abcdef") as file:
        assert os.pread(file.fd, 3, 1) == b"bcd"
        assert os.lseek(file.fd, 0, os.SEEK_END) == 6
        assert os.lseek(file.fd, -2, os.SEEK_END) == 4
        assert os.read(file.fd, 100) == b"ef"
        assert os.read(file.fd, 100) == b""
        assert os.lseek(file.fd, 1, os.SEEK_DATA) == 1
        assert os.lseek(file.fd, 1, os.SEEK_HOLE) == 6
        refused(errno.ENXIO, os.lseek, file.fd, 6, os.SEEK_DATA)
        os.lseek(file.fd, 2, os.SEEK_END)
        os.write(file.fd, b"z")


@test
def wrong_way():
    with New(b"x", os.O_WRONLY) as file:
        os.write(file.fd, b"x")
        refused(errno.EBADF, os.read, file.fd, 1)
        other = os.open(file.path, os.O_RDONLY)
        refused(errno.EBADF, os.write, other, b"y")
        assert os.read(other, 10) == b"x"
        os.close(other)


# ---- without read(2) and write(2)

@test
def mapped():
    with New(b"abcd", bytes_=b"abcd") as file:
        refused(errno.ENODEV, mmap.mmap, file.fd, 4, mmap.MAP_SHARED)
        refused(errno.ENODEV, mmap.mmap, file.fd, 4, mmap.MAP_SHARED, mmap.PROT_READ)
        with mmap.mmap(file.fd, 4, mmap.MAP_PRIVATE) as private:
            assert private[:] == b"abcd"
            private[0:1] = b"X"


@test
def copy_file_range():
    source = os.open(f"{MOUNT}/packets/1", os.O_RDONLY)
    with New(packet(1)) as file:
        assert os.copy_file_range(source, file.fd, 100000) == len(packet(1))
    os.close(source)
    source = os.open("source", os.O_RDONLY)
    with New(None) as file:  # who copies goes on with read and write
        refused(errno.EXDEV, os.copy_file_range, source, file.fd, 100000)
    os.close(source)


@test
def sendfile():
    for name in (f"{MOUNT}/packets/1", "source"):
        source = os.open(name, os.O_RDONLY)
        with open(name, "rb") as whole, New(whole.read()) as file:
            assert os.sendfile(file.fd, source, 0, 100000) == len(file.want)
        os.close(source)


@test
def splice():
    ends = os.pipe()
    source = os.open(f"{MOUNT}/packets/1", os.O_RDONLY)
    with New(packet(1) + b"piped") as file:
        assert os.splice(source, ends[1], 100000) == len(packet(1))
        os.write(ends[1], b"piped")
        assert os.splice(ends[0], file.fd, 100000) == len(file.want)
    for fd in (*ends, source):
        os.close(fd)


@test
def a_failed_write_ends_it():
    before, data = packets(), bytes(64 << 20)
    file = New(None)
    fd = os.open(file.path, os.O_WRONLY | os.O_CREAT)
    for _ in range(4):
        os.write(fd, data)
    refused(errno.EFBIG, os.write, fd, data)
    refused(errno.EFBIG, os.pwrite, fd, b"x", 0)
    refused(errno.EFBIG, os.close, fd)
    assert not os.path.lexists(file.path) and packets() == before
    with open(f"{MOUNT}/info/log") as log:
        line = log.readlines()[-1]
    assert os.path.basename(file.path) in line, line
    assert "a.pcapng: accepted up to 268435456 in a file" in line, line


# ---- what is beside the bytes

@test
def locks():
    with New(b"abcd", bytes_=b"abcd") as file:
        fcntl.flock(file.fd, fcntl.LOCK_EX)
        fcntl.lockf(file.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


@test
def mode_and_owner():
    with New(b"abcd", bytes_=b"abcd") as file:
        os.fchmod(file.fd, 0o600)
        os.fchown(file.fd, os.getuid(), os.getgid())
        assert os.fstat(file.fd).st_mode & 0o7777 == 0o600
        assert os.fstat(file.fd).st_nlink == 1


@test
def attributes():
    if NOXATTR:
        return
    name = "user.pktfs.comment"
    with New(b"abcd", bytes_=b"abcd") as file:
        log = open(f"{MOUNT}/info/log").read()
        refused(errno.ENODATA, os.removexattr, file.fd, name)
        refused(errno.ENODATA, os.removexattr, file.fd, "user.other")
        refused(errno.ENODATA, os.getxattr, file.fd, name)
        refused(errno.ENODATA, os.setxattr, file.fd, name, b"x", os.XATTR_REPLACE)
        os.setxattr(file.fd, name, b"one", os.XATTR_CREATE)
        refused(errno.EEXIST, os.setxattr, file.fd, name, b"x", os.XATTR_CREATE)
        os.setxattr(file.fd, name, b"two", os.XATTR_REPLACE)
        assert os.getxattr(file.fd, name) == b"two" and os.listxattr(file.fd) == [name]
        os.removexattr(file.fd, name)
        refused(errno.ENODATA, os.removexattr, file.fd, name)
        refused(errno.EOPNOTSUPP, os.setxattr, file.fd, "user.pktfs.other", b"x")
        refused(errno.EOPNOTSUPP, os.setxattr, file.fd, "user.other", b"x")
        assert open(f"{MOUNT}/info/log").read() == log
    refused(errno.ENODATA, os.getxattr, file.path, name)


@test
def what_there_is_not():
    refused(errno.EOPNOTSUPP, os.open, f"{MOUNT}/append/0", os.O_TMPFILE | os.O_WRONLY)
    with New(b"abcd", bytes_=b"abcd") as file:
        refused(errno.EPERM, os.link, file.path, file.path + "-link")
        refused(errno.EPERM, os.mkfifo, file.path + "-fifo")


# ---- afterwards

@test
def after_fsync():
    before = packets()
    file = New(None)
    fd = os.open(file.path, os.O_RDWR | os.O_CREAT)
    os.write(fd, b"abcd")
    os.fsync(fd)
    assert packets() == before + 1
    assert os.pread(fd, 10, 0) == b"abcd" and os.fstat(fd).st_size == 4
    refused(errno.EROFS, os.write, fd, b"x")
    refused(errno.EROFS, os.ftruncate, fd, 0)
    refused(errno.EROFS, os.utime, fd)
    os.close(fd)
    assert packets() == before + 1 and packet(packets()) == b"abcd"


@test
def directories():
    """All but their times, which are the newest packet's, is the same at once and for
    ever; those may be old for the 10 ms that the kernel keeps them."""
    names = [f"{MOUNT}/{name}" for name in ("", "packets", "append", "append/0", "info", "payload")]

    def look():
        return [os.stat(name) for name in names]

    def lasting(stats):
        return [(s.st_mode, s.st_nlink, s.st_size, s.st_blocks, s.st_uid, s.st_gid) for s in stats]

    def newest():
        return all(s.st_mtime_ns == new for s in look())

    before = look()
    new = max(s.st_mtime_ns for s in before) + 10**12
    with New(b"abcd", bytes_=b"abcd") as file:
        os.utime(file.fd, ns=(new, new))
    assert lasting(look()) == lasting(before)
    end = time.monotonic() + 60
    while not newest():
        assert time.monotonic() < end, look()
    assert lasting(look()) == lasting(before)


def main():
    failed = 0
    for function in TESTS:
        try:
            function()
        except (AssertionError, OSError) as error:
            at = error.__traceback__
            while at.tb_next and at.tb_next.tb_frame.f_code.co_filename == __file__:
                at = at.tb_next
            print(f"{function.__name__}, line {at.tb_lineno}: {error!r}", file=sys.stderr)
            failed += 1
    sys.exit(f"{failed} of {len(TESTS)} failed" if failed else 0)


main()
