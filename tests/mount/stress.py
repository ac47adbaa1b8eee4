#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many clients at once, for STRESS seconds (60): readers that compare every byte,
listings, filters, patterns, ranges, named sets, whole files and appends, killed by
SIGKILL now and then. In the end: no error, each acknowledged append is there once,
the daemon has no more descriptors and no more memory than it may have, and ends
with 0 and without a word.

    STRESS=3600 tests/mount/stress.py
    PKTFS_BUILD_DIR=/some/tsan/build tests/mount/stress.py
"""
import ctypes
import mmap
import os
import random
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
from captures import packets, pcapng  # noqa: E402

SECONDS = float(os.environ.get("STRESS", "60"))
BUILD = os.environ.get("PKTFS_BUILD_DIR", os.path.join(HERE, "..", "..", "build"))
PKTFS = os.path.join(BUILD, "pktfs")
COUNT = 5000
ORIGINAL = [None, *packets(COUNT)]
# The questions are some hundred: the sets that they make are all there after a
# quarter of the time, and what grows later should not.
#
# appended packets are shorter than this, so that what filters find is known
SHORT = 150
APPENDS_A_SECOND = 60  # of one client
# what a committed name, its packet and its line in info/appended may take
BYTES_AN_APPEND = 400
NOISE = 6 << 20


class Wrong(Exception):
    pass


def must(condition, *what):
    if not condition:
        raise Wrong(*what)


# ---- what clients do: each function is one step, and returns the bytes compared

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


# ---- clients and their death

class Counts(ctypes.Structure):
    _fields_ = [("steps", ctypes.c_uint64), ("bytes", ctypes.c_uint64)]


def run_client(mnt, client, counts):
    """A process of its own, for ever; ends with 1 and words if something is wrong."""
    step = STEPS[client]
    try:
        random.seed(os.getpid())
        while True:
            compared = step(mnt, client)
            counts.steps += 1
            counts.bytes += compared
    except BaseException:  # pylint: disable=broad-except
        sys.stderr.write(f"{step.__name__}: {traceback.format_exc()}")
        os._exit(1)


def start_client(mnt, client, counts):
    pid = os.fork()
    if pid == 0:
        run_client(mnt, client, counts[client])
    return pid


def end_client(pid):
    """Killed, unless it had ended by itself, which it never should."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        ended, status = os.waitpid(pid, 0)
    must(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "a client ended with", status)


# ---- the daemon

def figures(pid):
    """KiB of VmRSS, RssAnon and VmData, and descriptors."""
    text = open(f"/proc/{pid}/status").read()
    found = {name: int(re.search(rf"{name}:\s+(\d+)", text)[1]) for name in ("VmRSS", "RssAnon", "VmData")}
    return {**found, "descriptors": len(os.listdir(f"/proc/{pid}/fd")), "threads": len(os.listdir(f"/proc/{pid}/task"))}


def show(figure):
    return ", ".join(f"{name} {value}" for name, value in figure.items())


def is_mounted(mnt):
    return f" {mnt} fuse.pktfs " in open("/proc/self/mounts").read()


def mount(capture, mnt, errors):
    daemon = subprocess.Popen([PKTFS, "-f", "-o", "rw", capture, mnt], stderr=errors)
    for _ in range(1000):
        if is_mounted(mnt):
            break
        must(daemon.poll() is None, "the daemon ended with", daemon.returncode)
        time.sleep(0.02)
    while read(f"{mnt}/info/state") != b"complete\n":
        time.sleep(0.02)
    return daemon


def check_appends(mnt):
    """Each acknowledged one once, none twice, none that nobody wrote."""
    seen, last = {}, int(read(f"{mnt}/info/packets"))
    for number in range(COUNT + 1, last + 1):
        data = read(f"{mnt}/packets/{number}")
        check_packet(number, data)
        found = re.match(rb"appended (\d+) (\d+);", data)
        key = int(found[1]), int(found[2])
        must(key not in seen, "twice", key)
        seen[key] = number
    acknowledged = 0
    for client, step in enumerate(STEPS):
        if step is append:
            done = [int(line) for line in read(f"{mnt}.done.{client}").split()]
            missing = [n for n in done if (client, n) not in seen]
            must(not missing, "not there", client, missing[:5])
            acknowledged += len(done)
    return len(seen), acknowledged


def run(mnt, daemon, counts):
    """Kills and starts clients until the time is over. Returns deaths and the figures at a quarter of it."""
    pids = [start_client(mnt, client, counts) for client in range(len(STEPS))]
    start, deaths, warm = time.monotonic(), 0, None
    try:
        while time.monotonic() - start < SECONDS:
            time.sleep(random.random() * 0.4)
            must(daemon.poll() is None, "the daemon ended with", daemon.returncode)
            victim = random.randrange(len(pids))
            end_client(pids[victim])
            deaths += 1
            pids[victim] = start_client(mnt, victim, counts)
            if not warm and time.monotonic() - start > SECONDS / 4:
                warm = figures(daemon.pid), int(read(f"{mnt}/info/packets"))
    except BaseException:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        raise
    for pid in pids:
        end_client(pid)
    return deaths, warm


def stress(work, mnt):
    with open(f"{work}/a.pcapng", "wb") as out:
        out.write(pcapng(ORIGINAL[1:]))
    for client in range(len(STEPS)):
        for what in ("begun", "done"):
            open(f"{mnt}.{what}.{client}", "w").close()
    instrumented = any(word in read(PKTFS) for word in (b"__tsan_init", b"__asan_init"))
    shared = mmap.mmap(-1, ctypes.sizeof(Counts) * len(STEPS))
    counts = (Counts * len(STEPS)).from_buffer(shared)
    with open(f"{work}/stderr", "wb") as errors:
        daemon = mount(f"{work}/a.pcapng", mnt, errors)
    idle = figures(daemon.pid)
    deaths, (warm, warm_packets) = run(mnt, daemon, counts)
    time.sleep(2)  # what clients left open is closed, what they asked for has an answer
    end, last = figures(daemon.pid), int(read(f"{mnt}/info/packets"))
    there, acknowledged = check_appends(mnt)
    must(end["descriptors"] == idle["descriptors"], "descriptors", idle, end)
    allowed = (NOISE + BYTES_AN_APPEND * (last - warm_packets)) // 1024
    must(instrumented or end["RssAnon"] - warm["RssAnon"] <= allowed, "memory", warm, end, allowed)
    subprocess.run([PKTFS, "-u", mnt], check=True)
    must(daemon.wait(30) == 0, "the daemon ended with", daemon.returncode)
    words = read(f"{work}/stderr")
    must(not words, "the daemon said", words[:2000].decode(errors="replace"))
    kinds = {}
    for client, step in enumerate(STEPS):
        kinds[step.__name__] = kinds.get(step.__name__, 0) + counts[client].steps
    print("steps:", ", ".join(f"{name} {n}" for name, n in kinds.items()))
    print("idle:", show(idle))
    print("after a quarter:", show(warm))
    print("end:", show(end))
    print(f"ok 1 - {SECONDS:.0f} s, {len(STEPS)} clients, {deaths} of them killed: {sum(kinds.values())} steps, "
          f"{sum(c.bytes for c in counts) >> 20} MiB compared, {acknowledged} appends acknowledged of {there} found, "
          f"RssAnon {warm['RssAnon']} to {end['RssAnon']} KiB, {idle['descriptors']} descriptors before and after")
    print("1..1")


def main():
    if not os.path.exists("/dev/fuse"):
        print("SKIP: there is no /dev/fuse here")
        sys.exit(77)
    work = os.path.realpath(tempfile.mkdtemp(prefix="pktfs-stress."))
    mnt = f"{work}/mnt"
    os.mkdir(mnt)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        stress(work, mnt)
    finally:
        if is_mounted(mnt):
            subprocess.run(["umount", "-l", mnt], check=False) if os.getuid() == 0 else subprocess.run(
                ["fusermount3", "-uz", mnt], check=False)
        sys.stderr.write(read(f"{work}/stderr").decode(errors="replace")[:20000])
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
