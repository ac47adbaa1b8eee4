# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of sets share: the captures that they use, the packets of a
mount, the names of questions, and marked copies: captures written here whose
n-th packet says that it is the n-th, so that what another program selects can
be told by number."""
import glob
import os
import shutil
import struct
import subprocess
import tempfile

import facts
from facts import expect

# How libpcap and editcap are to see times and numbers.
ENV = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
LARGEST = 262144  # libpcap refuses larger packets of most link types


class Case:
    def __init__(self, name, path):
        self.name, self.path = name, path


def generated(folder):
    """Captures by pktgen, one for each thing that sets care about."""
    pktgen = f"{facts.BUILD}/tests/tools/pktgen"
    if not os.path.exists(pktgen):
        return []
    cases = []
    for name, options in (("sample.pcapng", ["--sample", "--format", "pcapng"]),
                          ("disorder.pcap", ["--packets", "2000", "--disorder", "--nanosecond",
                                             "--gap", "1000000007"]),
                          ("sections.pcapng", ["--format", "pcapng", "--packets", "900", "--sections",
                                               "3", "--interfaces", "2", "--mixed-endian"]),
                          ("raw.pcap", ["--packets", "500", "--link-type", "101", "--big-endian"]),
                          ("null.pcap", ["--packets", "500", "--link-type", "0", "--snaplen", "96"]),
                          ("null_be.pcap", ["--packets", "500", "--link-type", "0", "--big-endian"])):
        path = os.path.join(folder, "pktgen_" + name)
        done = subprocess.run([pktgen, *options, path], capture_output=True, text=True)
        expect(done.returncode == 0, f"pktgen {options}: {done.stderr}")
        cases.append(Case("pktgen_" + name, path))
    return cases


class Captures:
    """with Captures() as cases: the files of ../shared/captures that mount, and
    generated ones. `folder` of it is for whatever a test writes."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="pktfs-sets.")
        self.cases = generated(self.folder)
        if os.path.isdir(facts.SHARED):
            self.cases = [Case(c.name, c.path) for c in facts.captures() if not c.refused] + self.cases
        expect(self.cases, "no captures: neither ../shared/captures nor pktgen")
        return self

    def __exit__(self, kind, value, trace):
        shutil.rmtree(self.folder, ignore_errors=True)


class Row:
    """A line of packets.tsv. `time` is in nanoseconds, of any size, or None."""

    def __init__(self, line):
        number, time, interface, _, captured, original = (c.strip() for c in line.split("\t"))
        self.number, self.interface = int(number), int(interface)
        self.captured, self.original = int(captured), int(original)
        self.text = None if time == "-" else time
        self.time = nanoseconds(time)


def days_before(year, month, day):
    """From 1970-01-01, in the Gregorian calendar, years 0 to 9999."""
    year -= month <= 2
    era, in_era = divmod(year, 400)
    in_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + in_era * 365 + in_era // 4 - in_era // 100 + in_year - 719468


def nanoseconds(text):
    """Of a time as pktfs writes it: ISO 8601, or seconds out of its range; None."""
    if text in ("-", None):
        return None
    if text.endswith("Z") and "T" in text:
        seconds = (days_before(int(text[0:4]), int(text[5:7]), int(text[8:10])) * 86400 +
                   int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19]))
        return seconds * 10**9 + int(text[20:29])
    sign = -1 if text.startswith("-") else 1
    whole, fraction = text.lstrip("-").split(".")
    return sign * (int(whole) * 10**9 + int(fraction))


def rows(mnt):
    with open(f"{mnt}/packets.tsv") as table:
        return [Row(line) for line in table.readlines()[1:]]


def link_types(mnt):
    """LINKTYPE_ of each interface."""
    found = []
    for number in range(len(os.listdir(f"{mnt}/interfaces"))):
        with open(f"{mnt}/interfaces/{number}/link_type_number") as text:
            found.append(int(text.read()))
    return found


def bytes_of(mnt, number):
    with open(f"{mnt}/packets/{number}", "rb") as packet:
        return packet.read()


def name_of(question):
    """As a name in a directory."""
    question = question if isinstance(question, bytes) else question.encode()
    return question.replace(b"%", b"%25").replace(b"/", b"%2F")


def members(mnt, *path):
    """The numbers in packets/ of a set: members(mnt, "filter", "udp", "range", "1-9").
    None: there is no such set."""
    where = os.fsencode(mnt)
    for kind, question in zip(path[::2], path[1::2]):
        where += b"/by/" + kind.encode() + b"/" + name_of(question)
    try:
        names = os.listdir(where + b"/packets")
    except FileNotFoundError:
        return None
    numbers = [int(name) for name in names]
    expect(numbers == sorted(set(numbers)), f"{path}: not in order: {numbers[:20]}")
    return numbers


def told(members_, most=12):
    text = " ".join(str(n) for n in members_[:most])
    return f"{len(members_)} packets ({text}{' ...' if len(members_) > most else ''})"


def compare(what, got, want):
    if got == want:
        return
    missing = sorted(set(want) - set(got))
    extra = sorted(set(got) - set(want))
    expect(False, f"{what}: {len(got)} packets instead of {len(want)}; missing {told(missing)}, "
                  f"too many {told(extra)}")


def pcap(link_type, packets):
    """A pcap of (mark, original length, bytes); a mark is the record's seconds."""
    out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, LARGEST, link_type)]
    for mark, original, data in packets:
        out.append(struct.pack("<IIII", mark, 0, len(data), original) + data)
    return b"".join(out)


def records(data):
    """The records of a pcap (or a pcap in nanoseconds) that is well-formed."""
    magic = data[:4]
    order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, found = 24, []
    while at + 16 <= len(data):
        sec, fraction, captured, original = struct.unpack_from(order + "IIII", data, at)
        found.append((sec, fraction, captured, original, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return found


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def pcapng(times):
    """A pcapng of packets that hold nothing but their number, each with its time
    in nanoseconds. What editcap writes of it is read with marks()."""
    out = [block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)),
           block(1, struct.pack("<HHI", 147, 0, 0) + struct.pack("<HHB3xI", 9, 1, 9, 0))]
    for number, time in times:
        out.append(block(6, struct.pack("<IIIIII", 0, time >> 32, time & 0xffffffff, 4, 4, number)))
    return b"".join(out)


def marks(data):
    """The numbers in a little-endian pcapng of such packets."""
    at, found = 0, []
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 6:
            found.append(struct.unpack_from("<I", data, at + 28)[0])
        at += length
    return found


def fed(argv, data):
    """What a program that reads a capture from standard input writes to standard output."""
    done = subprocess.run(argv, input=data, capture_output=True, env=ENV)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()


def own_file(case, mnt, folder):
    """The capture as a plain file, decompressed."""
    if not case.path.endswith((".gz", ".zst")):
        return case.path
    path = os.path.join(folder, "plain")
    for source in glob.glob(f"{mnt}/capture.pcap*"):
        if source.endswith("pcapng") == ("pcapng" in case.name):
            shutil.copyfile(source, path)
            return path
    return None
