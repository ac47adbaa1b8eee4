#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each known capture, opened to append: packets to every interface of its last
section, statistics, names, secrets and a custom block. What was there before is
unchanged, byte for byte; what is new is right, for the library, and for tshark,
capinfos and tcpdump as far as they read the original. And the copy that is made
by iterating and writing has every record and every option."""
import gzip
import os
import shutil
import subprocess
import sys
import tempfile

import facts
from facts import expect

APPEND = f"{facts.BUILD}/tests/corpus/corpus_append"
COPY = f"{facts.BUILD}/tests/corpus/corpus_copy"
DUMP = f"{facts.BUILD}/tests/corpus/corpus_dump"

# ---- captures that cannot be continued, repair or not: damaged in the middle
NOT_APPENDED = {
    "PcapPlusPlus__fuzz-299674a75a914ae16d4046fa.pcap": "a record of 4,294,967,295 bytes",
    "PcapPlusPlus__solaris.snoop": "another format",
    "libpcap__pcap-invalid-version-1.pcap": "version 1.4",
    "libpcap__shb-option-too-long.pcapng": "its first block is damaged",
    "pcapng__http.bigendian.ntar": "a section of an unknown version, with blocks of odd lengths",
}
# Zeros at the end are what a crash leaves: a repair cuts them off, though in a
# pcap they could be read as empty packets of 1970. So many are such.
ZEROS = {"PcapPlusPlus__fuzz-2365d7877ade12eef5aaf8b7.pcap": 1}

compared = {"library": 0, "tshark": 0, "capinfos": 0, "tcpdump": 0, "repaired": 0}


def output(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace")
    return done.returncode, done.stdout.splitlines(), done.stderr.strip()


def library(path):
    """A row a packet: interface in its section, link type, time, lengths, bytes."""
    code, lines, words = output(DUMP, "iterate", path)
    expect(code == 0, f"the library: {words}")
    return [line.split("\t") for line in lines]


def decompressed(path, compression, to):
    if compression == "gz":
        with gzip.open(path) as source, open(to, "wb") as out:
            shutil.copyfileobj(source, out)
    elif compression == "zst":
        subprocess.run(["zstd", "-dqfo", to, path], check=True)
    else:
        shutil.copyfile(path, to)
    return to


# ---- the other readers: what each says of a file; None where it does not read it

def asked(path, *argv):
    done = facts.ask(argv, path)
    return done.returncode, done.stdout.decode(errors="replace").splitlines()


def tshark(path):
    code, lines = asked(path, "tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e",
                        "frame.cap_len", "-e", "frame.len", "-e", "frame.interface_id", "-e",
                        "frame.comment")
    return lines if code == 0 else None


def capinfos(path):
    code, lines = asked(path, "capinfos", "-TrcM", path)
    return int(lines[0].split("\t")[1]) if code == 0 and lines else None


def tcpdump(path):
    code, lines = asked(path, "tcpdump", "-nn", "--count", "-r", path)
    return int(lines[-1].split()[0]) if code == 0 and lines else None


def check_tshark(before, after, added, native):
    """Frames that are no packets are counted, too: the custom block is the last."""
    if before is None:
        return
    compared["tshark"] += 1
    expect(after is not None, "tshark reads the original, but not what was appended")
    expect(after[:len(before)] == before, "tshark: frames that were there before have changed")
    rows = after[len(before):]
    expect(len(rows) - len(added) in ((0, 1) if native else (0,)), f"tshark: {len(rows)} new frames")
    for row, want in zip(rows, added):
        time, captured, original, interface, comment = (row.split("\t") + [""] * 4)[:5]
        _, number, _, sec, nsec, want_captured, want_original, _, want_comment = want
        expect((captured, original, comment) == (want_captured, want_original, want_comment),
               f"tshark: {row} instead of {want}")
        if time:
            whole, _, fraction = time.partition(".")
            expect((int(whole), int(fraction[:9])) == (int(sec), int(nsec)), f"tshark: time {time}, not {want}")
        if native and interface:
            expect(int(interface) >= int(number), f"tshark: interface {interface}, not {number}")


def check_counts(before, after, added, native):
    for reader in (capinfos, tcpdump):
        old, new = reader(before), reader(after)
        if old is not None:
            compared[reader.__name__] += 1
            expect(new is not None, f"{reader.__name__} reads the original, but not what was appended")
            expect(new - old - added in ((0, 1) if native else (0,)),
                   f"{reader.__name__}: {new} packets after {added} were appended to {old}")


# ---- cases

def same_start(capture, path, repaired):
    """All bytes of the original, but for the length of a section, and a torn tail."""
    with open(capture.path, "rb") as one, open(path, "rb") as other:
        old, new = one.read(), other.read()
    if repaired:
        torn = open(path + ".torn", "rb").read() if os.path.exists(path + ".torn") else b""
        expect(not torn or old.endswith(torn), "FILE.torn is not what was cut off")
        old = old[:len(old) - len(torn)]
    changed = [i for i, (a, b) in enumerate(zip(old, new)) if a != b]
    expect(len(new) > len(old) or capture.count == 0, "nothing was appended")
    if changed:
        at = changed[0] // 4 * 4
        at -= 4 if new[at - 4:at] == b"\xff" * 4 else 0
        expect(changed[-1] < at + 8 and new[at:at + 8] == b"\xff" * 8,
               f"bytes {changed[0]} to {changed[-1]} have changed")


def append(capture, folder):
    path = os.path.join(folder, capture.name)
    shutil.copyfile(capture.path, path)
    code, lines, words = output(APPEND, path)
    if capture.name in NOT_APPENDED:
        expect(code == 3 and len(words.splitlines()) == 1, f"exit code {code}: {words}")
        with open(capture.path, "rb") as one, open(path, "rb") as other:
            expect(one.read() == other.read(), "refused, but changed")
        return None
    expect(code == 0, f"exit code {code}: {words}")
    opened, added = lines[0].split("\t"), [line.split("\t")[1:] for line in lines[1:]]
    native = capture.format.startswith("pcapng")
    same_start(capture, path, opened[4] == "repaired")
    check_library(capture, path, added)
    before = decompressed(capture.path, capture.compression, os.path.join(folder, "before"))
    after = decompressed(path, capture.compression, os.path.join(folder, "after"))
    # a torn tail is an error for some readers, and gone afterwards
    compared["repaired"] += opened[4] == "repaired"
    if opened[4] == "whole":
        check_tshark(tshark(before), tshark(after), added, native)
        check_counts(before, after, len(added), native)
    return None


def check_library(capture, path, added):
    before, after = library(capture.path), library(path)
    before = before[:len(before) - ZEROS.get(capture.name, 0)]
    compared["library"] += 1
    expect(after[:len(before)] == before, "packets that were there before have changed")
    expect(len(after) == len(before) + len(added), f"{len(after)} packets, {len(before)} before, {len(added)} new")
    for row, want in zip(after[len(before):], added):
        number, _, interface, *rest = row
        expect([number, interface, *rest] == want[:8], f"{row} instead of {want}")


def copy(capture, folder):
    path = os.path.join(folder, "copy")
    code, _, words = output(COPY, "copy", capture.path, path)
    if capture.refused:
        expect(code == 3, f"exit code {code}: {words}")
        return None
    expect(code == 0, f"exit code {code}: {words}")
    _, one, _ = output(COPY, "show", capture.path)
    code, other, words = output(COPY, "show", path)
    expect(code == 0, f"the copy: {words}")
    for before, after in zip(one, other):
        expect(before == after, f"{after[:250]} instead of {before[:250]}")
    # a capture without a section gets one
    expect(len(one) == len(other) or not one, f"{len(other)} records instead of {len(one)}")
    return None


def in_folder(check, capture):
    with tempfile.TemporaryDirectory(prefix="pktfs-append.") as folder:
        return check(capture, folder)


facts.need_shared()
for tool in ("tshark", "tcpdump", "zstd"):
    if not shutil.which(tool):
        print(f"SKIP: {tool} is not installed")
        sys.exit(77)
code = facts.run_cases((f"{check.__name__} {capture.name}",
                        lambda check=check, capture=capture: in_folder(check, capture))
                       for capture in facts.captures() for check in (append, copy))
print("# appended and compared: " + ", ".join(f"{count} {word}" for word, count in compared.items()))
sys.exit(code)
