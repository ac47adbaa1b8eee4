#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does the mounted tree of each known capture agree with its facts?"""
import hashlib
import json
import os
import subprocess
import sys

import facts
from facts import expect
from mounted import SANITIZED, Mounted

# what ext4 and most others can store, and what st_mtim of the kernel's FUSE
# interface carries, is wider than what Python's st_mtime_ns shows exactly: both
# are 64-bit, so times are compared whole.


def check_refused(capture):
    done = subprocess.run([f"{facts.BUILD}/pktfs", *SANITIZED, capture.path, "/nonexistent-mountpoint/mnt"],
                          capture_output=True, text=True)
    expect(done.returncode == 1, f"exit code {done.returncode}")
    expect(len(done.stderr.splitlines()) == 1 and done.stderr.startswith(f"pktfs: {capture.path}: "),
           f"said: {done.stderr}")
    info = subprocess.run([f"{facts.BUILD}/pktfs", "--info", capture.path], capture_output=True, text=True)
    expect(info.returncode == 1, f"--info: exit code {info.returncode}")


def packet_of(mnt, number, name):
    path = f"{mnt}/packets/{name}"
    st = os.stat(path)
    with open(path, "rb") as file:
        data = file.read()
    expect(len(data) == st.st_size, f"{name}: st_size {st.st_size}, {len(data)} bytes read")

    def attribute(key):
        return os.getxattr(path, f"user.pktfs.{key}").decode()

    expect(attribute("number") == str(number), f"{name}: number {attribute('number')}")
    interface = f"{mnt}/interfaces/{attribute('interface')}"

    def value(key):
        with open(f"{interface}/{key}") as text:
            return int(text.read())

    return (number, value("section"), value("number_in_section"), value("link_type_number"),
            st.st_mtime_ns, st.st_size, int(attribute("original_length")),
            hashlib.sha256(data).hexdigest())


def check_json(mnt, packets):
    """Every hundredth packet also as JSON."""
    for number, section, interface, link, ns, captured, original, _ in packets[::100]:
        with open(f"{mnt}/packets/{number}.json") as text:
            facts_of = json.load(text)
        expect(facts_of["number"] == number, f"{number}.json: number")
        expect(facts_of["captured_length"] == captured, f"{number}.json: captured_length")
        expect(facts_of["original_length"] == original, f"{number}.json: original_length")
        expect(facts_of["section"] == section, f"{number}.json: section")


def check(capture):
    if capture.refused:
        return check_refused(capture)
    with Mounted(capture.path) as mount:
        names = sorted(os.listdir(f"{mount.mnt}/packets"))
        expect(names == [f"{n:09d}" for n in range(1, capture.count + 1)],
               f"{len(names)} names in packets/, {capture.count} packets")
        packets = [packet_of(mount.mnt, number, name) for number, name in enumerate(names, 1)]
        facts.compare_packets(capture, packets)
        check_json(mount.mnt, packets)
        expect(mount.info("packets") == str(capture.count), "info/packets")
        want = {"gz": "gzip", "zst": "zstd", "-": "none"}[capture.compression]
        expect(mount.info("compression") == want, f"info/compression: {mount.info('compression')}")
        kind = "modified pcap" if "modified" in capture.format else capture.format.split("-")[0]
        expect(mount.info("format").split(" (")[0] == kind, f"info/format: {mount.info('format')}")
        cut = "truncated" in capture.row["stop_reason"]
        expect((mount.info("state") == "truncated") == cut or
               (cut and mount.info("state") == "damaged"), f"info/state: {mount.info('state')}")
        if mount.info("state") != "complete":
            expect(mount.info("problem"), "no problem said")
        # everything else can be read too, and is as long as it says
        for folder, _, files in os.walk(mount.mnt):
            if folder.endswith("/packets"):
                continue
            for name in files:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    size, data = os.fstat(file.fileno()).st_size, file.read()
                expect(len(data) == size or "/info" in folder, f"{path}: {size} and {len(data)} bytes")


facts.need_shared()
sys.exit(facts.run_cases((capture.name, lambda capture=capture: check(capture))
                         for capture in facts.captures()))
