#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Is capture.pcapng of each mounted capture what tshark and capinfos read with
the facts that are known of the source? And a source that is pcapng unchanged?"""
import gzip
import hashlib
import os
import shutil
import subprocess
import sys

import facts
from facts import expect
from mounted import Mounted

# Wireshark refuses the whole file, or reads other times, for reasons of its own
# (MANIFEST.tsv, wiretap_error); what it then says of our copy is no evidence.
# In a converted capture the times are ours, so they are compared.


def tshark(path):
    done = facts.ask(["tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e",
                      "frame.cap_len", "-e", "frame.len", "-e", "frame.protocols"], path)
    return (done.returncode, [line.split("\t") for line in done.stdout.decode().splitlines()],
            done.stderr.decode())


def nanoseconds(text):
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    return sign * (int(whole) * 10**9 + int(fraction.ljust(9, "0")[:9]))


def decompressed(capture):
    if capture.compression == "gz":
        with gzip.open(capture.path) as file:
            return file.read()
    if capture.compression == "zst":
        return subprocess.run(["zstd", "-dcq", capture.path], capture_output=True, check=True).stdout
    with open(capture.path, "rb") as file:
        return file.read()


def check_tshark(capture, copy, converted):
    code, frames, words = tshark(copy)
    refused = capture.row["wiretap_error"] != "-" or capture.wiretap.startswith("count")
    if refused and not converted:
        return "Wireshark does not read the source: " + capture.row["wiretap_error"][:80]
    if capture.total("tshark_packets") not in (None, capture.count) and not converted:
        # custom, journal and sysdig blocks are frames for Wireshark
        return f"Wireshark counts {capture.row['tshark_packets']} frames, custom blocks included"
    expect(len(frames) == capture.count, f"tshark: {len(frames)} frames, {capture.count} packets: {words[-300:]}")
    for packet, (time, captured, original, _) in zip(capture.packets or [], frames):
        expect(int(captured) == packet.captured, f"packet {packet.number}: tshark: captured {captured}")
        if packet.original >= packet.captured:
            # Wireshark does not count beyond INT_MAX
            expect(int(original) == min(packet.original, 0x7fffffff),
                   f"packet {packet.number}: tshark: length {original}")
        if time and (converted or not capture.wiretap.startswith("ts@")):
            expect(nanoseconds(time) == packet.time,
                   f"packet {packet.number}: tshark: time {time} instead of {packet.time}")
    return None


def check_capinfos(capture, copy, converted):
    done = subprocess.run(["capinfos", "-TrcM", copy], capture_output=True, text=True)
    refused = capture.row["wiretap_error"] != "-" or capture.wiretap.startswith("count")
    if refused and not converted:
        return
    if not done.stdout.strip() and not converted:
        source = subprocess.run(["capinfos", "-TrcM", capture.path], capture_output=True, text=True)
        expect(not source.stdout.strip(), f"capinfos reads the source, not the copy: {done.stderr}")
        return
    expect(done.stdout.strip(), f"capinfos: {done.stderr}")
    count = int(done.stdout.split("\n")[0].split("\t")[1])
    expect(count == capture.count, f"capinfos counts {count} packets, not {capture.count}")


def check(capture):
    if capture.refused:
        return "refused: " + facts.REFUSED[capture.name][:60]
    native = capture.format.startswith("pcapng")
    with Mounted(capture.path) as mount:
        name = "capture.pcapng" if native else "capture.pcap"
        with open(f"{mount.mnt}/{name}", "rb") as file:
            expect(hashlib.sha256(file.read()).digest() == hashlib.sha256(decompressed(capture)).digest(),
                   f"{name} is not what the source is")
        expect(os.path.exists(f"{mount.mnt}/capture.pcapng"), "no capture.pcapng")
        copy = os.path.join(mount.folder, "copy.pcapng")
        shutil.copyfile(f"{mount.mnt}/capture.pcapng", copy)
        why = check_tshark(capture, copy, converted=not native)
        check_capinfos(capture, copy, converted=not native)
        if native and capture.count:
            check_back(capture, mount)
    return why


def check_back(capture, mount):
    """pcapng as pcap: one file for each link type, all packets once."""
    names = [n for n in os.listdir(mount.mnt) if n.startswith("capture.") and n.endswith(".pcap")]
    total = 0
    for name in names:
        done = subprocess.run(["capinfos", "-Trc", f"{mount.mnt}/{name}"], capture_output=True, text=True)
        expect(done.stdout.strip(), f"capinfos {name}: {done.stderr}")
        total += int(done.stdout.split("\n")[0].split("\t")[1])
    if names:
        expect(total == capture.count, f"{total} packets in {names}")


facts.need_shared()
if not shutil.which("tshark"):
    print("SKIP: tshark is not installed")
    sys.exit(77)
sys.exit(facts.run_cases((capture.name, lambda capture=capture: check(capture))
                         for capture in facts.captures()))
