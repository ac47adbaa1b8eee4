#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many clients at once, for STRESS seconds (15), at two mounts: one to which they
append, and one whose capture another program writes. Readers that compare every
byte, listings, filters, patterns, ranges, named sets, whole files, tails and appends,
killed by SIGKILL now and then. In the end: no error, each acknowledged append is
there once, so is each record that was written, the daemons have no more descriptors
and no more memory than they may have, and end with 0 and without a word.

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
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import stress_growing as growing  # noqa: E402
import stress_steps as steps  # noqa: E402
from captures import pcapng  # noqa: E402
from stress_steps import COUNT, ORIGINAL, check_packet, must, read  # noqa: E402

SECONDS = float(os.environ.get("STRESS", "15"))
BUILD = os.environ.get("PKTFS_BUILD_DIR", os.path.join(HERE, "..", "..", "build"))
PKTFS = os.path.join(BUILD, "pktfs")
# what a committed name, its packet and its line in info/appended may take
BYTES_AN_APPEND = 400
BYTES_A_RECORD = 16  # of the capture that grows, in all the sets that it is in
NOISE = 6 << 20


# ---- clients and their death

class Counts(ctypes.Structure):
    _fields_ = [("steps", ctypes.c_uint64), ("bytes", ctypes.c_uint64)]


class Client:
    """A process that takes one kind of step for ever; ends with 1 and words if something is wrong."""

    def __init__(self, mount, number):
        self.mount, self.number, self.step, self.pid = mount, number, mount.steps[number], 0
        self.counts = Counts.from_buffer(mmap.mmap(-1, ctypes.sizeof(Counts)))

    def run(self):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            random.seed(os.getpid())
            while True:
                compared = self.step(self.mount.mnt, self.number)
                self.counts.steps += 1
                self.counts.bytes += compared
        except BaseException:  # pylint: disable=broad-except
            sys.stderr.write(f"{self.step.__name__}: {traceback.format_exc()}")
            sys.stderr.flush()
            os._exit(1)

    def start(self):
        self.pid = os.fork()
        if self.pid == 0:
            self.run()

    def end(self):
        """Killed, unless it had ended by itself, which it never should."""
        pid, self.pid = self.pid, 0
        os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        must(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "a client ended with", status)


# ---- the daemons

def figures(pid):
    """KiB of VmRSS, RssAnon and VmData, and descriptors."""
    text = open(f"/proc/{pid}/status").read()
    found = {name: int(re.search(rf"{name}:\s+(\d+)", text)[1]) for name in ("VmRSS", "RssAnon", "VmData")}
    return {**found, "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
            "threads": len(os.listdir(f"/proc/{pid}/task"))}


def is_mounted(mnt):
    return f" {mnt} fuse.pktfs " in open("/proc/self/mounts").read()


class Mount:
    """A daemon, its clients' steps, and what it took at each quarter of the time."""

    def __init__(self, work, name, capture, options, some, bytes_a_packet):
        self.name, self.steps, self.bytes_a_packet = name, some, bytes_a_packet
        self.mnt, self.samples = f"{work}/{name}", []
        os.mkdir(self.mnt)
        self.words = f"{work}/{name}.stderr"
        with open(self.words, "wb") as errors:
            self.daemon = subprocess.Popen([PKTFS, "-f", *options, capture, self.mnt], stderr=errors)
        while not is_mounted(self.mnt):
            self.must_live()
            time.sleep(0.02)
        while read(f"{self.mnt}/info/state") == b"indexing\n":
            time.sleep(0.02)

    def must_live(self):
        must(self.daemon.poll() is None, self.name, "the daemon ended with", self.daemon.returncode)

    def sample(self):
        self.samples.append({**figures(self.daemon.pid), "packets": int(read(f"{self.mnt}/info/packets"))})

    def check_end(self, instrumented):
        """The first sample was taken when it was idle; the sets that are asked for were all there at the
        second. What clients left open is closed soon."""
        idle, warm, end = self.samples[0], self.samples[1], time.monotonic() + 60
        while figures(self.daemon.pid)["descriptors"] != idle["descriptors"]:
            must(time.monotonic() < end, self.name, "descriptors", idle, figures(self.daemon.pid))
            time.sleep(0.1)
        self.sample()
        last = self.samples[-1]
        allowed = (NOISE + self.bytes_a_packet * (last["packets"] - warm["packets"])) // 1024
        must(instrumented or last["RssAnon"] - warm["RssAnon"] <= allowed, self.name, "memory", self.samples, allowed)

    def end(self):
        subprocess.run([PKTFS, "-u", self.mnt], check=True)
        must(self.daemon.wait(60) == 0, self.name, "the daemon ended with", self.daemon.returncode)
        words = read(self.words)
        must(not words, self.name, "the daemon said", words[:2000].decode(errors="replace"))

    def clean_up(self):
        if is_mounted(self.mnt):
            subprocess.run(["umount", "-l", self.mnt] if os.getuid() == 0 else
                           ["fusermount3", "-uz", self.mnt], check=False)
        sys.stderr.write(read(self.words).decode(errors="replace")[:20000])


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
    for client, step in enumerate(steps.STEPS):
        if step is steps.append:
            done = [int(line) for line in read(f"{mnt}.done.{client}").split()]
            missing = [n for n in done if (client, n) not in seen]
            must(not missing, "not there", client, missing[:5])
            acknowledged += len(done)
    return len(seen), acknowledged


def run(mounts, clients):
    """Kills and starts clients until the time is over, and takes the samples. Returns the deaths."""
    for client in clients:
        client.start()
    start, deaths = time.monotonic(), 0
    while time.monotonic() - start < SECONDS:
        time.sleep(random.random() * 0.4)
        victim = random.choice(clients)
        victim.end()
        victim.start()
        deaths += 1
        quarter = int(4 * (time.monotonic() - start) / SECONDS)
        for mount in mounts:
            mount.must_live()
            while len(mount.samples) <= min(quarter, 3):
                mount.sample()
    for client in clients:
        client.end()
    return deaths


def tell(mounts, clients, deaths):
    for mount in mounts:
        kinds = {}
        for client in clients:
            if client.mount is mount:
                name = client.step.__name__
                kinds[name] = kinds.get(name, 0) + client.counts.steps
        print(f"{mount.name}: steps:", ", ".join(f"{name} {n}" for name, n in kinds.items()))
        for when, sample in zip(("idle", "a quarter", "half", "three quarters", "the end"), mount.samples):
            print(f"{mount.name}: {when}:", ", ".join(f"{name} {value}" for name, value in sample.items()))
    print(f"ok 1 - {SECONDS:.0f} s, {len(clients)} clients, {deaths} of them killed: "
          f"{sum(c.counts.steps for c in clients)} steps, {sum(c.counts.bytes for c in clients) >> 20} MiB compared")


def stress(work, mounts, clients, writers):
    with open(f"{work}/a.pcapng", "wb") as out:
        out.write(pcapng(ORIGINAL[1:]))
    growing.begin(f"{work}/growing.written", COUNT)
    for client in range(len(steps.STEPS)):
        for what in ("begun", "done"):
            open(f"{work}/appended.{what}.{client}", "w").close()
    appended = Mount(work, "appended", f"{work}/a.pcapng", ["-o", "rw"], steps.STEPS, BYTES_AN_APPEND)
    mounts.append(appended)
    written = Mount(work, "growing", f"{work}/growing.written", [], growing.STEPS, BYTES_A_RECORD)
    mounts.append(written)
    for mount in mounts:
        mount.sample()
    writers.append(growing.start_writer(f"{work}/growing.written"))
    growing.await_growth(written.mnt)
    clients.extend(Client(mount, number) for mount in mounts for number in range(len(mount.steps)))
    deaths = run(mounts, clients)
    growing.end_writer(writers.pop())
    count, size = growing.check_end(written.mnt)
    there, acknowledged = check_appends(appended.mnt)
    instrumented = any(word in read(PKTFS) for word in (b"__tsan_init", b"__asan_init"))
    for mount in mounts:
        mount.check_end(instrumented)
        mount.end()
    tell(mounts, clients, deaths)
    print(f"ok 2 - {acknowledged} appends acknowledged, {there} found, each once")
    print(f"ok 3 - {count - COUNT} records written by another program, {size} bytes, all there")
    print("1..3")


def main():
    if not os.path.exists("/dev/fuse"):
        print("SKIP: there is no /dev/fuse here")
        sys.exit(77)
    work = os.path.realpath(tempfile.mkdtemp(prefix="pktfs-stress."))
    mounts, clients, writers = [], [], []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        stress(work, mounts, clients, writers)
    finally:
        for pid in [client.pid for client in clients if client.pid] + writers:
            os.kill(pid, signal.SIGKILL)
        for mount in mounts:
            mount.clean_up()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
