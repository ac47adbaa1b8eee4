#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Is each known capture the same with an index that was saved as without?"""
import subprocess
import sys

import facts
from facts import expect


def check(capture):
    done = subprocess.run([f"{facts.BUILD}/tests/corpus/corpus_index", capture.path], capture_output=True, text=True)
    expect(done.returncode == 0 and not done.stderr, f"exit code {done.returncode}: {done.stderr}")
    said = done.stdout.strip()
    if capture.refused:
        expect(said == "refused", said)
    elif capture.compression not in ("-", "none", ""):
        expect(said.startswith("none: not of one plain file"), said)
    elif said != "same":
        expect(said == "none: nothing is indexed" and capture.count == 0, said)


facts.need_shared()
sys.exit(facts.run_cases((capture.name, lambda capture=capture: check(capture)) for capture in facts.captures()))
