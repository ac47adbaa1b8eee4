#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Is each packet whose close returned 0 in the file, once, after the daemon was killed?

    append_kill.py [RUNS [SEED]]      200 runs, or as many as 20 s allow; PKTFS_BIG=1: all

In each run four processes append while the daemon gets SIGKILL at a random instant. Then
the file is read as it is, repaired by -o repair, and read by a reader that shares nothing
with pktfs. Two runs at a time.
"""
import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import append_reader

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PKTFS_BUILD_DIR", os.path.join(TOP, "build"))
PKTFS, PKTGEN, LOAD = (os.path.join(BUILD, name) for name in (
    "pktfs", "tests/tools/pktgen", "tests/mount/append_load"))
SECONDS = 20
REPAIR = re.compile(r"pktfs: .*: (repaired|a repair that was interrupted is finished): ")
BASE = 30  # packets that are there before
KINDS = {
    "a.pcap": "--nanosecond", "be.pcap": "--big-endian", "a.pcapng": "--format pcapng",
    "a.pcap.zst": "--zstd single", "a.pcapng.zst": "--format pcapng --zstd frames:4",
    "a.pcap.gz": "--gzip", "a.pcapng.gz": "--format pcapng --gzip --big-endian",
}


class Wrong(Exception):
    pass


def is_mounted(mnt):
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        return any(line.split(" ")[1] == mnt for line in mounts)


class Mount:
    """A daemon in the foreground; what it leaves is taken away."""
    def __init__(self, folder, file, options):
        self.mnt = os.path.join(folder, "mnt")
        os.makedirs(self.mnt, exist_ok=True)
        self.words = tempfile.TemporaryFile()
        self.daemon = subprocess.Popen([PKTFS, "-f", "-o", options, file, self.mnt],
                                       stdin=subprocess.DEVNULL, stdout=self.words,
                                       stderr=self.words)
        end = time.monotonic() + 60
        while not is_mounted(self.mnt):
            if self.daemon.poll() is not None:
                raise Wrong(f"-o {options}: ended with {self.daemon.returncode}: {self.said()}")
            if time.monotonic() > end:
                self.kill()
                raise Wrong(f"-o {options}: not mounted after 60 s")
            time.sleep(0.003)

    def said(self):
        """But for what a repair has done, which is to be said."""
        self.words.seek(0)
        lines = self.words.read().decode(errors="replace").splitlines()
        return "\n".join(line for line in lines if not REPAIR.match(line))

    def kill(self):
        self.daemon.kill()
        try:
            self.daemon.wait(60)
        except subprocess.TimeoutExpired as error:
            # it waits for an answer of its own; this breaks the connection
            subprocess.run(["umount", "-f", self.mnt], capture_output=True, check=False)
            self.daemon.wait(60)
            raise Wrong("the daemon did not end 60 s after SIGKILL") from error
        if subprocess.run(["umount", "-l", self.mnt], capture_output=True, check=False).returncode:
            subprocess.run(["fusermount3", "-uz", self.mnt], capture_output=True, check=False)

    def value(self, name):
        with open(f"{self.mnt}/info/{name}", encoding="utf-8") as file:
            return file.read().strip()

    def count(self):
        """How many packets there are, when all are known."""
        while self.value("state") == "indexing":
            time.sleep(0.002)
        if self.value("state") != "complete":
            raise Wrong(f"{self.value('state')} after the repair: {self.value('problem')}")
        return int(self.value("packets"))

    def unmount(self):
        for _ in range(100):
            done = subprocess.run([PKTFS, "-u", self.mnt], capture_output=True, check=False)
            if done.returncode == 0:
                break
            # busy: a child of the other run inherits what is open here until it execs
            time.sleep(0.02)
        else:
            self.kill()
        code = self.daemon.wait(60)
        if done.returncode or code or self.said():
            raise Wrong(f"unmount: {done.stderr.decode()}; the daemon: {code}: {self.said()}")


class Run:
    def __init__(self, number, seed):
        self.random = random.Random(f"{seed} {number}")
        self.kind = list(KINDS)[number % len(KINDS)]
        self.pauses = number % 4 == 3
        self.torn = False
        self.acknowledged = 0

    def load(self, mount):
        """What was acknowledged until the daemon was killed: {process: packets}"""
        options = ["-a"] + ["-p"] * self.pauses
        if self.random.random() < 0.3:
            options += ["-s", str(self.random.randint(1, 20))]
        with subprocess.Popen([LOAD, *options, f"{mount.mnt}/append/0", "4", "1000000"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as load:
            time.sleep(self.random.uniform(0, 0.6 if self.pauses else 0.08))
            mount.kill()
            lines = load.stdout.read().decode().splitlines()
        done = [0] * 4
        for line in lines:
            process, packet = map(int, line.split())
            if packet != done[process]:
                raise Wrong(f"process {process}: {packet} acknowledged, {done[process]} was due")
            done[process] += 1
        self.acknowledged = sum(done)
        return done

    def check(self, packets, before, done):
        if [p.key() for p in packets[:BASE]] != [p.key() for p in before]:
            raise Wrong("packets of before were changed")
        found = [0] * 4
        for packet in packets[BASE:]:
            words = packet.data.split(b"\n")[0].split()
            process, own = int(words[1]), int(words[3])
            if own != found[process]:
                raise Wrong(f"process {process}: packet {own} in the file, {found[process]} was due")
            found[process] += 1
        for process, (there, said) in enumerate(zip(found, done)):
            if not said <= there <= said + 1:
                raise Wrong(f"process {process}: {there} in the file, {said} were acknowledged")

    def run(self, folder):
        file = os.path.join(folder, self.kind)
        subprocess.run([PKTGEN, "--packets", str(BASE), *KINDS[self.kind].split(), file], check=True)
        before = append_reader.read(file).packets
        mount = Mount(folder, file, "rw")
        try:
            done = self.load(mount)
        finally:
            if mount.daemon.poll() is None:
                mount.kill()
        try:
            packets = append_reader.read(file).packets
        except append_reader.Bad:
            self.torn = True
        else:
            self.check(packets, before, done)
        text = subprocess.run([PKTFS, "--info", file], capture_output=True, check=False).stdout
        shown = [int(line.split()[1]) for line in text.decode().splitlines()
                 if line.startswith("packets: ")]
        if not shown or shown[0] < BASE + self.acknowledged:
            raise Wrong(f"read as it is: {shown}, {BASE} + {self.acknowledged} were acknowledged")
        mount = Mount(folder, file, "rw,repair")
        try:
            repaired = mount.count()
        finally:
            mount.unmount()
        packets = append_reader.read(file).packets
        self.check(packets, before, done)
        if repaired != len(packets):
            raise Wrong(f"{repaired} packets mounted after the repair, {len(packets)} in the file")


def one(number, seed, folder):
    run = Run(number, seed)
    own = os.path.join(folder, str(number))
    os.mkdir(own)
    run.run(own)
    shutil.rmtree(own)
    return run


def main():
    if not os.path.exists("/dev/fuse"):
        print("SKIP: there is no /dev/fuse here")
        return 77
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = sys.argv[2] if len(sys.argv) > 2 else str(time.time_ns())
    limit = None if os.environ.get("PKTFS_BIG") or len(sys.argv) > 1 else SECONDS
    folder, start, results, failed = tempfile.mkdtemp(prefix="pktfs-kill."), time.monotonic(), [], []

    def turn(number):
        if failed or (limit and time.monotonic() - start > limit):
            return
        try:
            results.append(one(number, seed, folder))
        except (Wrong, append_reader.Bad, OSError, ValueError, IndexError,
                subprocess.SubprocessError) as error:
            kind = list(KINDS)[number % len(KINDS)]
            failed.append(f"run {number} (seed {seed}), {kind}: {type(error).__name__}: {error}")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(turn, range(runs)))
    for left in os.listdir(folder):
        if is_mounted(f"{folder}/{left}/mnt"):
            subprocess.run(["umount", "-l", f"{folder}/{left}/mnt"], check=False)
    print(f"# {len(results)} runs in {time.monotonic() - start:.1f} s, seed {seed}: "
          f"{sum(r.acknowledged for r in results)} packets acknowledged, {sum(r.torn for r in results)}"
          f" files with a torn tail or an unfinished frame")
    for why in failed:
        print(f"FAIL: {why}; {folder} is kept", file=sys.stderr)
    if not failed:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
