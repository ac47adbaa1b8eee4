# SPDX-License-Identifier: BSD-2-Clause
"""Writes a capture piece by piece while it is mounted, and looks:

    follow_pieces.py HOW WHOLE FILE MNT FORMAT [FRAMES...]

FILE begins as the start of WHOLE (what is written first, the caller has done).
HOW: pieces   odd cuts, in the middle of records
     closed   the same, opened and closed for each piece (as cat >> does)
     zeros    the file is made longer first, and filled record by record
     back     half a record is written and taken back before each piece
     frames   FILE, which is the first of FRAMES, gets the others, each in two pieces;
              WHOLE is what they hold
Whatever the mount shows at any time must be the start of WHOLE, of whole records.
Exit code 3: what was half there stayed so for too long, as the machine has no time for
us just now; once more.
"""
import os
import random
import struct
import sys
import time

how, whole_path, path, mnt, kind = sys.argv[1:6]
random.seed(4)
with open(whole_path, "rb") as f:
    whole = f.read()
own = f"{mnt}/capture.{kind}"
TOO_SLOW = 3  # exit code: this machine has no time for us just now


def boundaries():
    """Ends of records, and how many packets are before each."""
    found, packets = {}, 0
    at = 24 if kind == "pcap" else 0
    while at < len(whole):
        found[at] = packets
        if kind == "pcap":
            at += 16 + struct.unpack_from("<I", whole, at + 8)[0]
            packets += 1
        else:
            block, length = struct.unpack_from("<II", whole, at)
            at += length
            packets += block == 6
    found[at] = packets
    return found


ends = boundaries()
order = sorted(ends)


def value(name):
    with open(f"{mnt}/info/{name}") as f:
        return f.read().strip()


def packets_at(size):
    return ends[max(e for e in order if e <= size)]


def check(least, most):
    """So many bytes of WHOLE must, and may, be there."""
    count = int(value("packets"))
    assert packets_at(least) <= count <= packets_at(most), \
        f"{count} packets; {packets_at(least)} to {packets_at(most)} are right"
    with open(own, "rb") as f:
        data = f.read()
    assert whole.startswith(data), f"{own}: {len(data)} bytes, others"
    assert len(data) in ends, f"{own}: ends inside a record, at {len(data)}"
    assert value("state") == "growing", value("state")
    assert not os.path.exists(f"{mnt}/info/problem"), value("problem")
    for n in {count, random.randint(1, max(count, 1))} - {0}:
        with open(f"{mnt}/packets/{n}", "rb") as f:
            data = f.read()
        with open(f"disk/{n:09d}", "rb") as f:
            assert f.read() == data, f"packet {n}"
    assert len(os.listdir(f"{mnt}/packets")) >= count


def wait_for(size):
    end = time.monotonic() + 60  # a machine may have much else to do
    while int(value("packets")) < packets_at(size):
        assert time.monotonic() < end, f"{size} bytes are not shown: {value('packets')}"
        time.sleep(0.005)


def pause():
    time.sleep(random.choice((0, 0, 0.002, 0.01, 0.03)))


def write_pieces(fd, at):
    looks = 0
    while at < len(whole):
        if how == "back":
            torn = whole[at:at + random.randint(1, 40)]
            start = time.monotonic()
            os.pwrite(fd, b"\xff" * len(torn), at)
            pause()
            os.ftruncate(fd, at)
            if time.monotonic() - start > 2.5:  # what stays for 3 s is believed
                sys.exit(TOO_SLOW)
        if how in ("zeros", "back"):
            to = random.choice([e for e in order if e > at][:8])
        else:
            to = min(at + random.randint(1, 400), len(whole))
        if how == "closed":
            os.close(fd)
            fd = os.open(path, os.O_WRONLY)
        os.pwrite(fd, whole[at:to], at)
        at = to
        pause()
        if random.random() < 0.3:
            wait_for(at)
            check(at, at)
            looks += 1
    return fd, looks


def write_frames(fd):
    looks = 0
    written = os.path.getsize(sys.argv[6].rsplit(".", 1)[0])
    for name in sys.argv[7:]:
        with open(name, "rb") as f:
            frame = f.read()
        size = os.path.getsize(name.rsplit(".", 1)[0])
        cut = random.randint(1, len(frame) - 1)
        os.write(fd, frame[:cut])
        pause()
        if random.random() < 0.5:
            check(0, written + size)
        os.write(fd, frame[cut:])
        written += size
        if random.random() < 0.5:
            wait_for(written)
            check(written, written)
            looks += 1
    return looks


fd = os.open(path, os.O_WRONLY | (os.O_APPEND if how == "frames" else 0))
start = os.fstat(fd).st_size
if how == "frames":
    looks = write_frames(fd)
else:
    if how == "zeros":
        os.ftruncate(fd, len(whole) + 5000)
    fd, looks = write_pieces(fd, start)
wait_for(len(whole))
check(len(whole), len(whole))
if how == "zeros":
    os.ftruncate(fd, len(whole))
    time.sleep(0.1)
os.close(fd)
with open(own, "rb") as f:
    assert f.read() == whole, f"{own}: not the whole"
print(f"{how}, {kind}: {looks} looks between writes")
