#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does the library read each known capture as its facts say: by the iterator,
by number in random order, and from memory?"""
import hashlib
import subprocess
import sys

import facts
from facts import expect


def dump(how, path):
    done = subprocess.run([f"{facts.BUILD}/tests/corpus/corpus_dump", how, path],
                          capture_output=True, text=True)
    rows = []
    for line in done.stdout.splitlines():
        number, section, interface, link, sec, nsec, captured, original, data = line.split("\t")
        data = bytes.fromhex(data)
        expect(len(data) == int(captured), f"packet {number}: length")
        rows.append((int(number), int(section), int(interface), int(link),
                     int(sec) * 10**9 + int(nsec), int(captured), int(original),
                     hashlib.sha256(data).hexdigest()))
    return done.returncode, done.stderr, rows


def check(how, capture):
    code, words, rows = dump(how, capture.path)
    if capture.refused:
        expect(code == 3, f"accepted, or crashed: exit code {code}; {words}")
        expect(len(words.splitlines()) == 1, f"said: {words}")
        return
    expect(code == 0 and not words, f"exit code {code}: {words}")
    facts.compare_packets(capture, rows)


facts.need_shared()
sys.exit(facts.run_cases((f"{how} {capture.name}", lambda how=how, capture=capture: check(how, capture))
                         for capture in facts.captures() for how in ("iterate", "random", "buffer")))
