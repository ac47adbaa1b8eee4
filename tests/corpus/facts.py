# SPDX-License-Identifier: BSD-2-Clause
"""What the captures of ../shared/captures are known to hold, where the project
decides otherwise than the plain parser that wrote it down, and how a test says
what it found (TAP)."""
import atexit
import collections
import csv
import hashlib
import os
import pickle
import subprocess
import sys
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(os.environ.get("PKTFS_SHARED", os.path.join(TOP, "..", "shared")), "captures")
BUILD = os.environ.get("PKTFS_BUILD_DIR", os.path.join(TOP, "build"))

# ---- where the readers disagree: FILE: (what we do, why)

# Refused as a whole: nothing is mounted.
REFUSED = {
    "PcapPlusPlus__solaris.snoop": "snoop is another format; Wireshark reads it, design.md does not list it",
    "libpcap__pcap-invalid-version-1.pcap":
        "pcap 1.4: no program ever wrote major version 1 with these records, and libpcap and"
        " Wireshark refuse it: what the fields mean is a guess (house rule: never guess)",
}
# Not refused, though libpcap and Wireshark do: libpcap__shb-option-too-long.pcapng,
# whose first block has two different lengths (52 and 808464432). It is a pcapng that
# is damaged at offset 0, so it mounts with what was before the damage, which is
# nothing, and info/problem says so.

# Mounted without the packets of a section whose version is unknown ("a section
# whose version is unknown: skip, continue at the next SHB", pcapng-checklist):
# packet numbers of the plain parser that are left.
KEPT = {
    "gopacket__test901.pcapng": ([1, 3], "the second of three sections has version 2.0"),
    "libpcap__pcapng-invalid-vers-1.pcapng": ([], "the only section has version 0.1"),
    "pcapng__http.bigendian.ntar": ([], "NTAR's version 256.0; its blocks are no multiple of 4 either"),
}

# Where Wireshark's reader (wiretap_vs_raw in MANIFEST.tsv) sees other times:
# microseconds above 999,999 carry into the seconds here, as libpcap's callers
# and the plain parser have it; Wireshark keeps the seconds and carries too, or not.
TSHARK_OTHER_TIMES = ("ts@",)


class Packet:
    """One row of packets/FILE.tsv. `time` is in nanoseconds, of any size."""

    def __init__(self, row, number):
        self.number = number
        self.section, self.interface = int(row["section"]), int(row["interface"])
        self.link_type = int(row["linktype"])
        self.time = int(row["ts_ns"])
        self.captured, self.original = int(row["caplen"]), int(row["len"])
        self.sha256 = row["sha256"]

    def key(self):
        return (self.number, self.section, self.interface, self.link_type, self.time,
                self.captured, self.original, self.sha256)


class Capture:
    def __init__(self, row):
        self.name, self.row = row["file"], row
        self.path = os.path.join(SHARED, "files", self.name)
        self.format, self.compression = row["format"], row["compression"]
        self.refused = self.name in REFUSED
        self.wiretap = row["wiretap_vs_raw"]
        self.packets = None  # None: only the totals are known
        path = os.path.join(SHARED, "packets", self.name + ".tsv")
        if os.path.exists(path):
            with open(path, newline="") as table:
                rows = list(csv.DictReader(table, delimiter="\t"))
            kept = KEPT.get(self.name, (range(1, len(rows) + 1), ""))[0]
            self.packets = [Packet(rows[old - 1], new) for new, old in enumerate(kept, 1)]
        self.count = int(row["packets"]) if self.packets is None else len(self.packets)

    def total(self, name):
        return int(self.row[name]) if self.row[name] not in ("-", "") else None


# ---- other programs

Answer = collections.namedtuple("Answer", "returncode stdout stderr")


class Answers:
    """What other programs said of the same bytes when a test ran on another build of pktfs:
    in $PKTFS_TEST_ANSWERS, a folder that tests/run makes anew."""

    def __init__(self, folder):
        self.known, self.new, self.path = {}, {}, None
        if not folder:
            return
        self.path = os.path.join(folder, os.path.basename(sys.argv[0]))
        if os.path.exists(self.path):
            with open(self.path, "rb") as file:
                self.known = pickle.load(file)
        atexit.register(self.save)

    def save(self):
        if not self.new:
            return
        with open(f"{self.path}.{os.getpid()}", "wb") as file:
            pickle.dump(self.known | self.new, file)
        os.rename(f"{self.path}.{os.getpid()}", self.path)

    def ask(self, argv, data, path, env):
        def run():
            done = subprocess.run(argv, input=data if path is None else b"", capture_output=True, env=env)
            return Answer(done.returncode, done.stdout, done.stderr)

        if not self.path:
            return run()
        # a name may say what is in a file
        key = (*(word if word != path else os.path.splitext(path)[1] for word in argv),
               hashlib.sha256(data).digest())
        answer = self.known.get(key) or self.new.get(key)
        if not answer:
            answer = self.new[key] = run()
        return answer


ANSWERS = Answers(os.environ.get("PKTFS_TEST_ANSWERS"))


def ask(argv, path, env=None):
    """Runs a program that reads the file PATH, one of ARGV, and nothing else, and writes no file."""
    with open(path, "rb") as file:
        return ANSWERS.ask(tuple(argv), file.read(), path, env)


def feed(argv, data, env=None):
    """Runs a program that reads standard input and nothing else, and writes no file."""
    return ANSWERS.ask(tuple(argv), data, None, env)


# ---- captures

def captures():
    with open(os.path.join(SHARED, "MANIFEST.tsv"), newline="") as table:
        return [Capture(row) for row in csv.DictReader(table, delimiter="\t")]


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def compare_packets(capture, found):
    """`found`: tuples as Packet.key() makes them. Totals where only these are known."""
    expect(len(found) == capture.count, f"{len(found)} packets instead of {capture.count}")
    if capture.packets is None:
        expect(sum(p[5] for p in found) == capture.total("sum_caplen"), "sum of captured lengths")
        expect(sum(p[6] for p in found) == capture.total("sum_len"), "sum of original lengths")
        expect(found[0][4] == capture.total("first_ns"), "first time")
        expect(found[-1][4] == capture.total("last_ns"), "last time")
        expect(min(p[4] for p in found) == capture.total("min_ns"), "earliest time")
        expect(max(p[4] for p in found) == capture.total("max_ns"), "latest time")
        return
    for want, got in zip(capture.packets, found):
        expect(want.key() == got, f"packet {want.number}: {got} instead of {want.key()}")


def run_cases(cases):
    """Runs (name, function) pairs; one TAP line each; returns the exit code."""
    cases, failed = list(cases), 0
    print(f"1..{len(cases)}")
    for number, (name, function) in enumerate(cases, 1):
        try:
            why = function()
        except Exception as error:  # each case says what it found; the rest go on
            if not isinstance(error, AssertionError):
                traceback.print_exc(file=sys.stdout)
            print(f"# {name}: {str(error)[:600]}")
            print(f"not ok {number} - {name}", flush=True)
            failed += 1
        else:
            print(f"ok {number} - {name}" + (f" # SKIP {why}" if why else ""), flush=True)
    return 1 if failed else 0


def need_shared():
    if not os.path.isdir(SHARED):
        print(f"SKIP: there are no captures at {os.path.normpath(SHARED)} (PKTFS_SHARED names another place)")
        sys.exit(77)
