# SPDX-License-Identifier: BSD-2-Clause
"""What the clients of stress.py do at a mount to which they append: each function
is one step, and returns the bytes that it compared."""
import mmap
import os
import random
import re
import stat
import struct
import time

from captures import packets, pcapng

COUNT = 5000
ORIGINAL = [None, *packets(COUNT)]
# The questions are some hundred: the sets that they make are all there after a
# quarter of the time, and what grows later should not.
#
# appended packets are shorter than this, so that what filters find is known
SHORT = 150
APPENDS_A_SECOND = 60  # of one client


class Wrong(Exception):
    pass


def must(condition, *what):
    if not condition:
        raise Wrong(*what)


def appended_bytes(client, sequence):
    return b"appended %d %d;" % (client, sequence) * (1 + sequence % 4)


def check_packet(number, data):
    if number <= COUNT:
        must(data == ORIGINAL[number].data, "packet", number, data[:60])
        return
    found = re.match(rb"appended (\d+) (\d+);", data)
    must(found, "appended packet", number, data[:60])
    must(data == appended_bytes(int(found[1]), int(found[2])), "appended packet", number, data[:60])


def read(path):
    with open(path, "rb") as file:
        return file.read()


def some_packet(mnt):
    return random.randrange(1, int(read(f"{mnt}/info/packets")) + 1)


def read_packets(mnt, _):
    last, total = int(read(f"{mnt}/info/packets")), 0
    for _ in range(50):
        number = random.randrange(1, last + 1)
        fd = os.open(f"{mnt}/packets/{number:09d}", os.O_RDONLY)
        try:
            status, data = os.fstat(fd), os.read(fd, 1 << 16)
        finally:
            os.close(fd)
        must(status.st_size == len(data), "size of", number, status.st_size, len(data))
        check_packet(number, data)
        if number <= COUNT:
            packet = ORIGINAL[number]
            must(status.st_mtime_ns == packet.sec * 10**9 + packet.nsec, "time of", number)
        total += len(data)
    return total


def map_packet(mnt, _):
    number = some_packet(mnt)
    with open(f"{mnt}/packets/{number}", "rb") as file:
        if os.fstat(file.fileno()).st_size:
            with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as pages:
                data = bytes(pages)
        else:
            data = b""
    check_packet(number, data)
    return len(data)


def list_packets(mnt, _):
    least = int(read(f"{mnt}/info/packets"))
    names = sorted(os.listdir(f"{mnt}/packets"))
    must(len(names) >= least, "listed", len(names), "of", least)
    must(names == [f"{n:09d}" for n in range(1, len(names) + 1)], "names listed")
    return 0


def list_attributes(mnt, _):
    with os.scandir(f"{mnt}/packets") as entries:
        for entry in entries:
            number, status = int(entry.name), entry.stat()
            must(stat.S_ISREG(status.st_mode), "type of", number)
            if number <= COUNT:
                must(status.st_size == len(ORIGINAL[number].data), "size of", number)
    return 0


def read_capture(mnt, _):
    original = pcapng(ORIGINAL[1:])
    data = read(f"{mnt}/capture.pcapng")
    must(data[:len(original)] == original, "the capture's first part")
    at = len(original)
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        must(kind in (6, 1) and length >= 12, "block", kind, length)
        if kind == 6:
            size = struct.unpack_from("<I", data, at + 20)[0]
            check_packet(COUNT + 1, data[at + 28:at + 28 + size])
        at += length
    must(at == len(data), "the capture's end")
    return len(data)


def read_table(mnt, _):
    lines = read(f"{mnt}/packets.tsv").splitlines()[1:]
    must(len(lines) >= COUNT, "lines", len(lines))
    for number, line in enumerate(lines, 1):
        must(int(line.split(b"\t")[0]) == number, "line", number, line)
    return sum(map(len, lines))


def use_filter(mnt, _):
    least = random.randrange(SHORT, 1515, 10)
    want = sum(len(p.data) + 100 * (n % 3 == 0) > least for n, p in enumerate(ORIGINAL[1:], 1))
    place = f"{mnt}/by/filter/len > {least}"
    got = int(read(f"{place}/info/packets"))
    must(got == want, "filter", least, got, want)
    names = os.listdir(f"{place}/packets")
    must(len(names) == want, "names of filter", least, len(names), want)
    total = 0
    for name in random.sample(names, min(10, len(names))):
        data = read(f"{place}/packets/{name}")
        check_packet(int(name), data)
        total += len(data)
    return total


def use_match(mnt, _):
    number = random.randrange(10, COUNT, 70)
    names = os.listdir(f"{mnt}/by/match/hunter{number}$/packets")
    want = [f"{number:09d}"] if b"hunter%d\n" % number in ORIGINAL[number].data else []
    must(names == want, "match", number, names)
    return 0


def use_range(mnt, _):
    first = random.randrange(1, COUNT, 23)
    last = min(COUNT, first + first % 200)
    place = f"{mnt}/by/range/{first}-{last}"
    must(int(read(f"{place}/info/packets")) == last - first + 1, "range", first, last)
    names = sorted(os.listdir(f"{place}/by/filter/len > 200/packets"))
    want = [f"{n:09d}" for n in range(first, last + 1)
            if len(ORIGINAL[n].data) + 100 * (n % 3 == 0) > 200]
    must(names == want, "a filter in a range", first, last, names, want)
    data = read(f"{place}/capture.pcapng")
    must(len(data) == os.stat(f"{place}/capture.pcapng").st_size, "size of a range's capture")
    return len(data)


def name_set(mnt, client):
    if not name_set.tidied:  # what one left that was killed
        for old in os.listdir(f"{mnt}/by/filter"):
            os.rmdir(f"{mnt}/by/filter/{old}")
        name_set.tidied = True
    name = f"{mnt}/by/filter/stress{client}-{os.getpid()}"
    try:
        os.mkdir(name)
        with open(f"{name}/expression", "w") as out:
            out.write("len > 1600")
        must(int(read(f"{name}/info/packets")) == sum(
            len(p.data) + 100 * (n % 3 == 0) > 1600 for n, p in enumerate(ORIGINAL[1:], 1)), name)
    finally:
        os.rmdir(name)
    return 0


name_set.tidied = False


def read_around(mnt, _):
    total = 0
    for name in ("README.txt", "info/state", "info/log", "info/progress", "info/last_time", "interfaces/0/name",
                 "sections/0/hardware", "blocks/000000001.shb", f"packets/{some_packet(mnt)}.json",
                 f"packets/{some_packet(mnt)}.hex", "by/interface/0/info/bytes"):
        total += len(read(f"{mnt}/{name}"))
    must(read(f"{mnt}/info/state") == b"complete\n", "state")
    return total


def append(mnt, client):
    me = append.state
    if not me:  # a new process goes on behind all that was begun
        me["sequence"] = max((int(line) for line in read(f"{mnt}.begun.{client}").split()), default=0)
        me["begun"] = os.open(f"{mnt}.begun.{client}", os.O_WRONLY | os.O_APPEND)
        me["done"] = os.open(f"{mnt}.done.{client}", os.O_WRONLY | os.O_APPEND)
    me["sequence"] += 1
    sequence, data = me["sequence"], appended_bytes(client, me["sequence"])
    os.write(me["begun"], b"%d\n" % sequence)
    path = f"{mnt}/append/0/c{client}-{sequence}"
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o644)
    os.write(fd, data)
    os.close(fd)
    os.write(me["done"], b"%d\n" % sequence)
    must(read(path) == data, "what was appended", path)
    if sequence % 100 == 0:
        directory = os.open(f"{mnt}/append/0", os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
    os.unlink(path)
    time.sleep(random.random() * 2 / APPENDS_A_SECOND)
    return len(data)


append.state = {}

STEPS = [read_packets, read_packets, map_packet, list_packets, list_attributes, read_capture, read_table,
         use_filter, use_match, use_range, name_set, read_around, append, append]
