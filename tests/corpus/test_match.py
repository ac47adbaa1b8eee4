#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does by/match/PATTERN hold the packets that `grep -lP` names, run over their
files? grep sees lines: patterns that can cross one are judged by Python's re."""
import os
import re
import subprocess
import sys
import time

import facts
import marked
from facts import expect
from mounted import Mounted

# by `grep -laP`, in the C locale
GREPPED = [
    rb"HTTP/1\.[01]",             # literal, with a slash and a dot
    rb"GET ",                     # literal
    rb"(?i)content-length: \d+",  # case-blind, class, counted
    rb"(?i)passw(or)?d",          # optional group
    rb"\x00\x00\x00\x00\x00\x00",  # binary
    rb"\xff\xff\xff\xff",         # binary, high bytes
    rb"\xff\xfb[\x00-\x2f]",      # class of bytes
    rb"^Host: ",                  # anchored at a line
    rb"^\s*[A-Z][a-z]+-[A-Z]",    # anchored, classes
    rb"(?:close|keep-alive)\r$",  # alternation, at the end of a line
    rb"com|org|net|local",        # alternation
    rb"[0-9]{1,3}(\.[0-9]{1,3}){3}",  # counted
    rb"([^\x00\n])\1{7}",         # backreference
    rb"([a-z]{3}).{0,20}\1",      # backreference over a distance
    rb"\bw{3}(?=\.)",             # lookahead
    rb"(?<!HTTP)/1\.1",           # lookbehind
    rb"(?i)user-agent(?!: Moz)",  # negative lookahead
    rb"[[:xdigit:]]{16,}",        # POSIX class
    rb"100%|50%",                 # % in a name
    rb"\x45\x00.{2}.{4}[\x01-\x40]\x06",  # bytes of IP headers
    rb"a++b",                     # possessive
    rb"[\x80-\xff]{40}",          # many high bytes
    rb"ab\x63",                   # an escape for a plain letter
    rb"^$",                       # an empty line; behind a last newline there is none
    rb"(?m)^\r?$",
    rb"qqqqzzzz",                 # nowhere
]

# by re.search(pattern, packet, re.MULTILINE)
CROSSING = [
    rb"\A\x00",
    rb"\A[\s\S]{12}\x08\x00\x45",  # EtherType and version, counted from the start
    rb"\r\n\r\n",
    rb"\r\n\r\n[^<]*<(?i:html)",
    rb"(?s)GET.*Host",
    rb"[^\x20-\x7e]{30}",
    rb"(?s)(..)\1\1",
    rb"(?s)\A.{100,200}\Z",
    "\u00fc".encode(),            # two bytes, not a letter
    rb"(?i)\xc3\x9c",             # case-blind is for ASCII only
    b"\x01\x02",                  # raw bytes in the name
]
# \Z of Python is \z of Perl
PERL = {rb"(?s)\A.{100,200}\Z": rb"(?s)\A.{100,200}\z"}

BAD = [rb"(", rb"[a", rb"a{2,1}", rb"(?<n>", rb"*a", rb"\C", rb"(*UTF)a", rb"a\\\\(?P=x)"]


class Sum:
    compared = some = 0


def files_of(mnt, rows, folder):
    """The packets' files, copied, as grep opens each of them for each pattern."""
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        os.unlink(f"{folder}/{old}")
    packets = {}
    for row in rows:
        packets[row.number] = marked.bytes_of(mnt, row.number)
        with open(f"{folder}/{row.number:09d}", "wb") as out:
            out.write(packets[row.number])
    return packets


def grep(pattern, folder):
    done = subprocess.run([b"grep", b"-rlaP", b"-e", pattern, folder.encode()], capture_output=True,
                          env=marked.ENV, stdin=subprocess.DEVNULL)
    expect(done.returncode in (0, 1) and not done.stderr,
           f"grep {pattern}: {done.returncode}: {done.stderr[:300]}")
    return sorted(int(os.path.basename(line)) for line in done.stdout.splitlines())


def check(case, folder):
    with Mounted(case.path) as mount:
        mnt, rows = mount.mnt, marked.rows(mount.mnt)
        packets = files_of(mnt, rows, f"{folder}/packets")
        wanted = [(p, p, grep(p, f"{folder}/packets")) for p in GREPPED]
        for pattern in CROSSING:
            found = re.compile(pattern, re.MULTILINE)
            wanted.append((pattern, PERL.get(pattern, pattern),
                           [n for n, data in packets.items() if found.search(data)]))
        some, wrong = 0, []
        udp = marked.members(mnt, "filter", "udp")
        for pattern, question, want in wanted:
            got = marked.members(mnt, "match", question)
            try:
                expect(got is not None, f"{pattern}: {mount.info('log')[-300:]}")
                if pattern in GREPPED:
                    # a file without bytes has no line for grep, not even an empty one
                    got = [n for n in got if packets[n]]
                marked.compare(f"{pattern}", got, want)
                if udp is not None:
                    inside = set(udp)
                    both = [n for n in want if n in inside]
                    marked.compare(f"udp and {pattern}",
                                   marked.members(mnt, "filter", "udp", "match", question), both)
                    marked.compare(f"{pattern} and udp",
                                   marked.members(mnt, "match", question, "filter", "udp"), both)
                    Sum.compared += 2
            except AssertionError as error:
                wrong.append(str(error))
            some += 0 < len(want) < len(rows)
            Sum.compared += 1
        print(f"# {case.name}: {len(rows)} packets, {len(wanted)} patterns, {some} match some")
        Sum.some += some
        expect(not wrong, f"{len(wrong)} differ: " + "; ".join(wrong))


def check_names(case, folder):
    """%XX for any byte, in any case; bad patterns and bad names."""
    with Mounted(case.path) as mount:
        mnt = os.fsencode(mount.mnt)
        rows = marked.rows(mount.mnt)
        packets = files_of(mount.mnt, rows, f"{folder}/packets")

        def listed(name):
            return [int(n) for n in os.listdir(mnt + b"/by/match/" + name + b"/packets")]

        for byte in range(1, 256):
            want = [n for n, data in packets.items() if bytes([byte]) in data]
            plain = re.escape(bytes([byte]))
            # escaped for the pattern, then in both forms for the name
            forms = {plain.replace(b"%", b"%25").replace(b"/", b"%2F"),
                     b"".join(b"%%%02X" % c for c in plain), b"".join(b"%%%02x" % c for c in plain)}
            for form in forms:
                marked.compare(f"by/match/{form}", listed(form), want)
                Sum.compared += 1
        for bad in BAD:
            expect(marked.members(mount.mnt, "match", bad) is None, f"{bad} is a directory")
            found = marked.name_of(bad).decode()
            for _ in range(20):
                if f"'{found}': pattern: " in mount.info("log"):
                    break
                time.sleep(0.002)  # a text that was read just now stays for some ms
            else:
                expect(False, f"{bad}: no reason in info/log: {mount.info('log')[-300:]}")
        for name in (b"%", b"%1", b"%zz", b"%00", b"a%0", b"%2"):
            expect(not os.path.exists(mnt + b"/by/match/" + name), f"{name} is a directory")


def main():
    with marked.Captures() as captures:
        cases = [(case.name, lambda case=case: check(case, captures.folder)) for case in captures.cases]
        first = next((c for c in captures.cases if c.name == "dpkt__http.pcap"), captures.cases[0])
        cases.append(("names and bad patterns", lambda: check_names(first, captures.folder)))
        code = facts.run_cases(cases)
    print(f"# {Sum.compared} comparisons; {Sum.some} patterns match some packets of a capture and not all")
    return code


sys.exit(main())
