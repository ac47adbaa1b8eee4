# SPDX-License-Identifier: BSD-2-Clause
"""Each way to write a file, on a mounted append/: one TAP line each.

    append_ways.py MNT FILE PLACE INTERFACE TICK [PATTERN...]

MNT is mounted -o rw; FILE is its capture; PLACE is the folder of append/ to write to, ""
for append/ itself; TICK is the interface's resolution in nanoseconds. What to do is a
table (append_ways_table.py). This process looks at everything before and after a way
that others walk, so whatever is stale shows here.
"""
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import append_reader
from append_ways_table import WAYS

BASE = 1795258800 * 10**9  # 2026-11-21T11:00:00Z: the source files are of this hour
HOUR = "by/time/2026-11-21/11"
FILTER, MATCH = "udp port 4242", "needle"


class Wrong(Exception):
    pass


def same(what, got, want):
    if got != want:
        raise Wrong(f"{what}: {short(got)} instead of {short(want)}")


def short(value):
    text = repr(value)
    return text if len(text) < 300 else f"{text[:140]} ... {text[-140:]}"


def udp_frame(number, size):
    """An Ethernet frame of that size that FILTER and MATCH select."""
    ip = bytes.fromhex("4500") + (size - 14).to_bytes(2, "big") + bytes.fromhex(
        "0000000040110000 0a000001 0a000002")
    udp = (5000).to_bytes(2, "big") + (4242).to_bytes(2, "big") + (size - 34).to_bytes(
        2, "big") + b"\0\0"
    text = b"needle %d " % number
    return (b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\x00" + ip + udp + text * size)[:size]


class View:
    """What one sees of the mount at one moment."""
    def __init__(self, mnt, interface):
        self.mnt = mnt
        self.count = int(self.text("info/packets"))
        self.bytes = int(self.text("info/bytes"))
        self.appended = self.text("info/appended").splitlines()
        self.listed = self.names("packets")
        self.sets = {path: self.names(f"{path}/packets") for path in (
            f"by/interface/{interface}", "by/range/1-100000", f"by/filter/{FILTER}",
            f"by/match/{MATCH}", f"by/interface/{interface}/by/match/{MATCH}",
            f"by/filter/{FILTER}/by/range/1-100000", HOUR)}
        self.rows = {path: self.lines(f"{path}/packets.tsv") for path in
                     (".", f"by/interface/{interface}", f"by/filter/{FILTER}")}
        self.captures = {path: self.read(path) for path in (
            "capture.pcap", "capture.pcapng", f"by/filter/{FILTER}/capture.pcap",
            f"by/interface/{interface}/capture.pcapng")}

    def path(self, name):
        return os.path.join(self.mnt, name)

    def read(self, name):
        """Its bytes, as many as stat says."""
        try:
            size = os.stat(self.path(name)).st_size
            with open(self.path(name), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return b""
        same(f"size of {name}", size, len(data))
        return data

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read().rstrip("\n")

    def names(self, name):
        try:
            return sorted(os.listdir(self.path(name)))
        except FileNotFoundError:
            return []

    def lines(self, name):
        return self.read(name).decode().splitlines()


class Driver:
    def __init__(self, mnt, file, place, interface, tick):
        self.mnt, self.file, self.interface, self.tick = mnt, file, int(interface), int(tick)
        self.folder = os.path.join(mnt, "append", place).rstrip("/")
        self.up = "../../packets/" if place else "../packets/"
        self.held = os.open(os.path.join(mnt, "packets"), os.O_RDONLY)  # listed before
        self.number = 0
        os.makedirs("ways", exist_ok=True)

    def absent(self, number):
        """Asks for names that are not there, so that the kernel may remember that."""
        for name in (f"packets/{number:09d}", f"packets/{number}", f"payload/{number:09d}",
                     f"by/range/1-100000/packets/{number}", f"by/match/{MATCH}/packets/{number}",
                     f"by/range/{number}-{number}/packets/{number}"):
            if os.path.lexists(os.path.join(self.mnt, name)):
                raise Wrong(f"{name} is there already")

    def make_source(self, way):
        n = self.number
        data = way.data if way.data is not None else udp_frame(n, 60 + n * 37 % 900)
        source = os.path.abspath(f"ways/s{n}")
        half = len(data) // 3
        for name, part in ((source, data), (source + "a", data[:half]), (source + "b", data[half:])):
            with open(name, "wb") as file:
                file.write(part)
            stamp = BASE + n * 1000000007 + 123456789
            os.utime(name, ns=(stamp, stamp))
        return source, data, stamp

    def environment(self, way, source, data):
        def octal(part):
            return "".join(f"\\0{byte:03o}" for byte in part)

        half = len(data) // 3
        name = f"w{self.number}.frame"
        return {**os.environ, "M": self.mnt, "S": source, "A": source + "a", "B": source + "b",
                "T": os.path.join(self.folder, name), "D": self.folder, "N": name,
                "W": os.path.dirname(source), "HEX": data.hex(),
                "OCT": octal(data) if len(data) < 1000 else "", "OCTA": octal(data[:half]),
                "OCTB": octal(data[half:]) if len(data) < 1000 else "",
                "PYTHONDONTWRITEBYTECODE": "1"}

    def walk(self, way, env):
        argv = {"python": [sys.executable, "-c", "import os, sys\nS, A, B, T, D, M = "
                           "(os.environ[n] for n in 'SABTDM')\ndata = open(S, 'rb').read()\n"
                           "a, b = open(A, 'rb').read(), open(B, 'rb').read()\n" + way.script],
                "perl": ["perl", "-e", way.script]}.get(
                    way.shell, [way.shell, "-e", "-c", way.script])
        done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=30, check=False)
        words = (done.stdout + done.stderr).decode(errors="replace").strip()
        if done.returncode or words:
            raise Wrong(f"exit code {done.returncode}: {words}")

    def try_way(self, way):
        self.number += 1
        before = View(self.mnt, self.interface)
        self.absent(before.count + 1)
        listed = sorted(os.listdir(self.held))
        source, data, stamp = self.make_source(way)
        env = self.environment(way, source, data)
        data = {"S": data, "A": data[:len(data) // 3]}.get(way.packet, way.packet)
        start = time.time_ns()
        self.walk(way, env)
        end = time.time_ns()
        after = View(self.mnt, self.interface)
        if data is None:
            same("packets", after.count, before.count)
            same("listing", after.listed, before.listed)
            same("lines of info/appended", len(after.appended), len(before.appended))
            return
        same("listing before, again", sorted(os.listdir(self.held)), after.listed)
        same("listing before", listed, before.listed)
        want = {"source": (stamp, stamp), "now": (start, end)}.get(way.time, (way.time, way.time))
        self.check_packet(way, after, after.count, data, want)
        self.check_growth(before, after, data)
        self.check_name(env, after.count)

    def check_packet(self, way, view, number, data, want):
        name = f"packets/{number:09d}"
        st = os.stat(view.path(name))
        same("bytes", view.read(name), data)
        same("inode by the other name", os.stat(view.path(f"packets/{number}")).st_ino, st.st_ino)
        low, high = (t // self.tick * self.tick for t in want)
        if not low <= st.st_mtime_ns <= high:
            raise Wrong(f"time {st.st_mtime_ns}, not in {low} to {high}")

        def value(attribute):
            try:
                return os.getxattr(view.path(name), f"user.pktfs.{attribute}").decode()
            except OSError:
                return None

        same("interface", value("interface"), str(self.interface))
        same("original length", value("original_length"), str(way.original or len(data)))
        same("comment", value("comment"), way.comment)
        last = append_reader.read(self.file).packets[-1]
        same("bytes in the file", last.data, data)
        same("time in the file", last.time, st.st_mtime_ns)
        same("flags in the file", last.flags, way.flags)

    def check_growth(self, before, after, data):
        new = f"{before.count + 1:09d}"
        same("info/packets", after.count, before.count + 1)
        same("info/bytes", after.bytes, before.bytes + len(data))
        same("listing", after.listed, before.listed + [new])
        same("lines of info/appended", len(after.appended), len(before.appended) + 1)
        fits = {FILTER: data[12:14] == b"\x08\x00", MATCH: b"needle" in data}
        mtime = os.stat(after.path(f"packets/{new}")).st_mtime_ns
        for path, names in after.sets.items():
            belongs = all(fit for word, fit in fits.items() if word in path)
            if path == HOUR:
                belongs = mtime // (3600 * 10**9) == BASE // (3600 * 10**9)
            same(path, names, before.sets[path] + [new] * belongs)
        for path, lines in after.rows.items():
            belongs = fits[FILTER] or FILTER not in path
            same(f"{path}/packets.tsv", lines[:len(before.rows[path]) or 1],
                 before.rows[path] or lines[:1])
            same(f"new lines of {path}/packets.tsv", [line.split("\t")[0].strip() for line in
                 lines[len(before.rows[path]) or 1:]], [new.lstrip("0")] * belongs)
        for path, read in after.captures.items():
            if read and (fits[FILTER] or FILTER not in path):
                packets = append_reader.read_bytes(read).packets
                same(f"last packet of {path}", packets[-1].data, data)
                if not path.startswith("by"):
                    same(f"packets of {path}", len(packets), after.count)

    def check_name(self, env, number):
        path = env["T"]
        same(f"link {path}", os.readlink(path), f"{self.up}{number:09d}")
        same("through the link", os.stat(path).st_ino,
             os.stat(os.path.join(self.mnt, f"packets/{number}")).st_ino)
        if os.path.basename(path) not in os.listdir(self.folder):
            raise Wrong("the link is not listed")
        last = open(os.path.join(self.mnt, "info/appended"), encoding="utf-8").read().splitlines()[-1]
        name, packet, offset = last.split("\t")
        same("name in info/appended", os.path.basename(name), os.path.basename(path))
        same("number in info/appended", packet.strip(), str(number))
        same("offset in info/appended", int(offset),
             append_reader.read(self.file).packets[-1].offset)
        if self.number % 3 == 0:
            os.unlink(path)
            same("link after rm", os.path.lexists(path), False)


def main():
    driver = Driver(*sys.argv[1:6])
    patterns, failed = sys.argv[6:], 0
    for number, way in enumerate(WAYS, 1):
        if patterns and not any(p in way.title for p in patterns):
            continue
        if driver.file.endswith(".pcap") and (way.comment or way.flags):
            continue
        title = f"{number} - {os.path.basename(driver.file)}: {way.title}"
        why = way.skip()
        if why:
            print(f"ok {title} # SKIP {why}", flush=True)
            continue
        try:
            driver.try_way(way)
            print(f"ok {title}", flush=True)
        except (Wrong, OSError, append_reader.Bad, subprocess.TimeoutExpired) as error:
            failed = 1
            print(f"not ok {title}\n# {type(error).__name__}: {error}\n# {way.script}", flush=True)
    os.close(driver.held)
    return failed


if __name__ == "__main__":
    sys.exit(main())
