# SPDX-License-Identifier: BSD-2-Clause
"""Watches a mount of a capture that is being written, by follow_send's packets:

    follow_watch.py MNT FILE FORMAT PID

until the process PID is gone, and then until all of FILE is shown. Whatever is
there must be right: bytes of packets, listings, packets.tsv, the capture file.
Prints how often it looked, and the longest time in which a byte of the file was
not shown yet (checked each time that it looked).
"""
import os
import random
import struct
import sys
import time

mnt, file, kind, pid = sys.argv[1:5]
own = f"{mnt}/capture.{kind}"
RECORD = 400  # no record of these captures is longer
# Less than a second is what is promised; a machine may have much else to do.
LIMIT = 1 if os.environ.get("PKTFS_BIG") else 60
looks = reads = 0


def value(name):
    with open(f"{mnt}/info/{name}") as f:
        return f.read().strip()


def check_packet(number, data):
    """Its number in the traffic."""
    global reads
    reads += 1
    assert data[12:14] == b"\x88\xb5", f"packet {number}: {data[:30].hex()}"
    n = struct.unpack(">Q", data[14:22])[0]
    length = 60 + n * 37 % 200
    assert data == data[:22] + bytes((n * 31 + i * 7) & 0xff for i in range(22, length)), \
        f"packet {number}, sent as {n}: {data.hex()}"
    return n


def packet(number):
    with open(f"{mnt}/packets/{number}", "rb") as f:
        return check_packet(number, f.read())


def records(data):
    """Where the last of whole records ends; of pcap."""
    at = 24
    while at + 16 <= len(data):
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
    return at


def blocks(data):
    at = 0
    while at + 8 <= len(data):
        at += struct.unpack_from("<I", data, at + 4)[0]
    return at


def check_own():
    """A copy of the capture file is whole, and the same as the original."""
    with open(own, "rb") as f:
        size = os.fstat(f.fileno()).st_size
        data = f.read(size)
    assert len(data) == size, f"{own}: {len(data)} bytes of {size}"
    end = (records if kind == "pcap" else blocks)(data)
    assert end == len(data), f"{own}: {len(data)} bytes, the records end at {end}"
    with open(file, "rb") as f:
        assert f.read(size) == data, f"{own}: other bytes"


def check_lines():
    with open(f"{mnt}/packets.tsv", "rb") as f:
        head = f.readline()
        size = os.fstat(f.fileno()).st_size
        assert size % len(head) == 0, f"packets.tsv: {size} bytes"
        count = size // len(head) - 1
        if count:
            f.seek(count * len(head))
            last = f.read(len(head))
            assert int(last.split()[0]) == count, last
    return count


def check_listing():
    before = int(value("packets"))
    names = os.listdir(f"{mnt}/packets")
    after = int(value("packets"))
    assert before <= len(names) <= after, f"{before} <= {len(names)} <= {after}"
    assert [int(n) for n in sorted(names)] == list(range(1, len(names) + 1))


def check():
    global looks
    looks += 1
    count = int(value("packets"))
    lines = check_lines()
    assert count <= lines
    if count:
        last = packet(count)
        some = random.randint(1, count)
        n = packet(some)
        assert some - 1 <= n and last - n >= count - some
        assert not os.path.exists(f"{mnt}/packets/{count + 10000000}")
    if looks % 10 == 1:
        check_own()
    if looks % 40 == 2:
        check_listing()
    state = value("state")
    assert state in ("growing", "indexing"), f"state: {state}"
    assert not os.path.exists(f"{mnt}/info/problem"), value("problem")


class Lag:
    """Sizes of the file, and when they were seen, until the mount shows them."""
    def __init__(self):
        self.open, self.worst = [], 0.0

    def look(self):
        size, now = os.stat(file).st_size, time.monotonic()
        shown = os.stat(own).st_size
        self.open = [(s, t) for s, t in self.open if s - RECORD > shown]
        self.open.append((size, now))
        waiting = time.monotonic() - self.open[0][1]
        self.worst = max(self.worst, waiting)
        assert waiting < LIMIT, f"not shown for {waiting} s: {self.open[0][0]}, shown {shown}"


def running():
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


lag = Lag()
while running():
    lag.look()
    check()
end = time.monotonic()
while os.stat(own).st_size != os.stat(file).st_size:
    assert time.monotonic() - end < LIMIT, "the end is not shown"
check_own()
print(f"{value('packets')} packets; {looks} looks, {reads} packets read; "
      f"at most {lag.worst:.3f} s behind")
