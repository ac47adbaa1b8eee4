# SPDX-License-Identifier: BSD-2-Clause
"""What the clients of stress.py do at a mount whose capture another program
writes, and that program. Each step returns the bytes that it compared.

Packet N is known from N alone, and lengths come again every PERIOD packets, so
that the size of the capture of N packets, and what a filter finds among them, are
known as well."""
import os
import random
import signal
import time

from captures import Packet, START, epb, pcapng_head
from stress_steps import COUNT, must, read

PERIOD = 400
LEAST = 20
RECORDS_A_SECOND = 200
BATCH = 100  # records at most that are written without a pause
HEAD = len(pcapng_head())


def length(number):
    return LEAST + number * 37 % PERIOD


def packet(number):
    text = b"grown %d, " % number
    return Packet(START + number // 1000, number % 1000 * 10**6, (text * (1 + length(number) // len(text)))[:length(number)])


BLOCK = [32 + (length(n) + 3) // 4 * 4 for n in range(PERIOD)]  # of packet n, n + PERIOD, ...


def size_of(count):
    """Bytes of the capture of so many packets."""
    whole, rest = divmod(count, PERIOD)
    return HEAD + whole * sum(BLOCK) + sum(BLOCK[1:rest + 1])


def count_in(size):
    """Packets in a capture of so many bytes, which must end with one."""
    whole, rest = divmod(size - HEAD, sum(BLOCK))
    count = whole * PERIOD
    for n in range(1, PERIOD):
        if rest <= 0:
            break
        rest -= BLOCK[n]
        count += 1
    must(rest == 0, "the capture ends inside a record, at", size)
    return count


def longer(least, count):
    """How many of the first so many packets are longer than that."""
    whole, rest = divmod(count, PERIOD)
    return whole * sum(length(n) > least for n in range(PERIOD)) + sum(
        length(n) > least for n in range(1, rest + 1))


# ---- the program that writes

def write(path, number, state):
    """Appends packets from NUMBER on, in pieces that end anywhere, until SIGTERM."""
    random.seed(number)
    with open(path, "ab", buffering=0) as out:
        while not state.ended:
            some = random.randrange(1, BATCH)
            data = b"".join(epb(packet(n)) for n in range(number, number + some))
            cuts = sorted(random.sample(range(len(data) + 1), random.randrange(4)))
            for first, last in zip([0, *cuts], [*cuts, len(data)]):
                out.write(data[first:last])
                time.sleep(random.random() * 2 * some / RECORDS_A_SECOND / (len(cuts) + 1))
            number += some


class State:
    ended = False


def start_writer(path):
    """A process that writes the capture that is at PATH until it gets SIGTERM, and ends with
    a whole record. Returns its id."""
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGTERM, lambda *_: setattr(State, "ended", True))
    try:
        write(path, count_in(os.stat(path).st_size) + 1, State)
        os._exit(0)
    except BaseException as error:  # pylint: disable=broad-except
        os.write(2, f"the writer: {error}\n".encode())
        os._exit(1)


def end_writer(pid):
    os.kill(pid, signal.SIGTERM)
    must(os.waitpid(pid, 0)[1] == 0, "the writer failed")


def begin(path, count):
    with open(path, "wb") as out:
        out.write(pcapng_head() + b"".join(epb(packet(n)) for n in range(1, count + 1)))


# ---- steps

def shown(mnt):
    return int(read(f"{mnt}/info/packets"))


def await_growth(mnt):
    """Until the mount says that its capture grows. What the kernel knows of one that holds
    still it may go on saying for some milliseconds; from here on nobody reads what was
    kept of that."""
    end = time.monotonic() + 60
    while read(f"{mnt}/info/state") != b"growing\n" or shown(mnt) == COUNT:
        must(time.monotonic() < end, "it never grew")
        time.sleep(0.02)


def check(mnt, number):
    want = packet(number)
    fd = os.open(f"{mnt}/packets/{number:09d}", os.O_RDONLY)
    try:
        status, data = os.fstat(fd), os.read(fd, 1 << 16)
    finally:
        os.close(fd)
    must(data == want.data, "grown packet", number, data[:60])
    must(status.st_size == len(data), "size of grown packet", number, status.st_size)
    must(status.st_mtime_ns == want.sec * 10**9 + want.nsec, "time of grown packet", number)
    return len(data)


def grown_packets(mnt, _):
    last = shown(mnt)
    must(read(f"{mnt}/info/state") == b"growing\n", "state")
    return sum(check(mnt, n) for n in {last, *(random.randint(1, last) for _ in range(30))})


def grown_list(mnt, _):
    least = shown(mnt)
    names = sorted(os.listdir(f"{mnt}/packets"))
    must(least <= len(names) <= shown(mnt), "listed", len(names), "from", least)
    must(names == [f"{n:09d}" for n in range(1, len(names) + 1)], "names listed")
    return check(mnt, len(names))


def grown_capture(mnt, _):
    """A piece of it is the same as in the file that is written; its end is a record's."""
    least = shown(mnt)
    with open(f"{mnt}/capture.pcapng", "rb") as file:
        size = os.fstat(file.fileno()).st_size
        must(least <= count_in(size) <= shown(mnt), "capture of", size, "bytes from", least)
        at = random.choice((0, max(0, size - 4096), random.randrange(size)))
        data = os.pread(file.fileno(), 1 << 20, at)
    must(len(data) >= min(1 << 20, size - at), "read", len(data), "of", size, "at", at)
    with open(f"{mnt}.written", "rb") as file:
        must(data == os.pread(file.fileno(), len(data), at), "capture at", at)
    return len(data)


def grown_table(mnt, _):
    """As tail -f: the last lines, and those that come."""
    with open(f"{mnt}/packets.tsv", "rb") as file:
        width = len(file.readline())
        file.seek(max(width, os.fstat(file.fileno()).st_size - 20 * width))
        number, total, end = None, 0, time.monotonic() + 1
        while time.monotonic() < end:
            line = file.readline()
            if not line:
                time.sleep(0.02)
                continue
            fields = line.split(b"\t")
            must(len(line) == width, "line", line)
            must(number is None or int(fields[0]) == number + 1, "line after", number, line)
            number = int(fields[0])
            must(int(fields[4]) == length(number), "length in line", line)
            total += len(line)
    return total


def grown_filter(mnt, _):
    limit = random.randrange(LEAST + PERIOD - 20, LEAST + PERIOD, 4)
    place, before = f"{mnt}/by/filter/len > {limit}", shown(mnt)
    got, after = int(read(f"{place}/info/packets")), shown(mnt)
    must(longer(limit, before) <= got <= longer(limit, after), "filter", limit, got, "of", before, after)
    names = sorted(os.listdir(f"{place}/packets"))
    must(got <= len(names) <= longer(limit, shown(mnt)), "names of filter", limit, len(names))
    last = int(names[-1]) if names else 0
    must([int(name) for name in names] == [n for n in range(1, last + 1) if length(n) > limit],
         "names of filter", limit)
    return sum(check(mnt, int(name)) for name in names[-5:])


def grown_range(mnt, _):
    last = shown(mnt)
    first = max(1, last - 50)
    names = sorted(os.listdir(f"{mnt}/by/range/{first}-{last}/packets"))
    must(names == [f"{n:09d}" for n in range(first, last + 1)], "range", first, last, names)
    data = read(f"{mnt}/by/range/{first}-{last}/capture.pcapng")
    must(data.endswith(epb(packet(last))[-20:]), "the capture of range", first, last)
    return len(data)


STEPS = [grown_packets, grown_list, grown_capture, grown_table, grown_filter, grown_range]


def check_end(mnt):
    """The writer has ended: all that it wrote is shown, and nothing else."""
    size = os.stat(f"{mnt}.written").st_size
    count, end = count_in(size), time.monotonic() + 60
    while shown(mnt) != count:
        must(time.monotonic() < end, "shown", shown(mnt), "of", count)
        time.sleep(0.02)
    with open(f"{mnt}/capture.pcapng", "rb") as one, open(f"{mnt}.written", "rb") as other:
        while data := other.read(1 << 20):
            must(one.read(len(data)) == data, "the capture in the end")
        must(not one.read(1), "the capture's end")
    for number in random.sample(range(1, count + 1), min(count, 5000)):
        check(mnt, number)
    return count, size
