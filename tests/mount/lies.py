#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Captures that lie, made when they are needed: `lies.py KIND OUT` writes one and
prints how large it is when it is unpacked. Nothing of this is kept: some have
hundreds of megabytes."""
import os
import struct
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from captures import START, Packet, block, epb, idb, option, packets, pcap, pcapng, shb  # noqa: E402

FEW = 30  # packets before the lie
TIB = 1 << 40
RLE_SIZE = 128 << 10


def few():
    return list(packets(FEW))


# ---- compression

def raw_block(data, last=False):
    return struct.pack("<I", last | len(data) << 3)[:3] + data


def run_block(count, last=False, byte=b"\0"):
    return struct.pack("<I", last | 1 << 1 | count << 3)[:3] + byte


def zstd_frame(blocks, claim=None):
    """A frame with a window of 2 MiB; `claim`: the size that its header declares."""
    descriptor = 3 << 6 if claim is not None else 0
    head = struct.pack("<IBB", 0xfd2fb528, descriptor, 0x58)
    return head + (struct.pack("<Q", claim) if claim is not None else b"") + b"".join(blocks)


def zeros_frame(size, claim=None):
    """Of zeros, which are packets of no bytes to a pcap file."""
    count = size // RLE_SIZE
    return zstd_frame([run_block(RLE_SIZE, n + 1 == count) for n in range(count)], claim)


def zstd_claims(out):
    """Frames that each declare a tebibyte, and have one block."""
    out.write(zstd_frame([raw_block(pcap(few()), True)]))
    for _ in range(100):
        out.write(zstd_frame([run_block(RLE_SIZE, True)], TIB))
    return 100 * TIB


def zstd_claims_most(out):
    """Sizes whose sum is more than there are numbers."""
    out.write(zstd_frame([raw_block(pcap(few()), True)]))
    for _ in range(100):
        out.write(zstd_frame([run_block(RLE_SIZE, True)], (1 << 64) - 2))
    return 100 << 64


def zstd_frames(out, total=TIB):
    """Frames of 8 MiB of zeros, which declare it: 270 bytes each."""
    out.write(zstd_frame([raw_block(pcap(few()), True)], len(pcap(few()))))
    one = zeros_frame(8 << 20, 8 << 20) * 1024
    for _ in range(total // (8 << 30)):
        out.write(one)
    return total


def zstd_one(out, total=256 << 30):
    """One frame that declares nothing and gives 256 GiB."""
    out.write(zstd_frame([raw_block(pcap(few()))]))
    some = run_block(RLE_SIZE) * 4096
    for _ in range(total // (RLE_SIZE * 4096)):
        out.write(some)
    out.write(run_block(0, True))
    return total


def zstd_kibibytes(out):
    """4 KiB that give 100 MiB, skippable frames between frames of zeros."""
    skip = struct.pack("<II", 0x184d2a50, 4) + b"skip"
    out.write(zstd_frame([raw_block(pcap(few()), True)]))
    for _ in range(12):
        out.write(skip + zeros_frame(8 << 20) + zstd_frame([raw_block(b"", True)]))
    return 96 << 20


def gzip_bomb(out, total=8 << 30):
    """Members of 64 MiB of zeros, 64 KiB each."""
    def member(data):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        return packer.compress(data) + packer.flush()

    out.write(member(pcap(few())))
    one = member(bytes(64 << 20))
    for _ in range(total // (64 << 20)):
        out.write(one)
    return total


# ---- tables, lengths, times

def interfaces(out, count=10_000_000):
    out.write(pcapng(few()))
    some = idb() * 10000
    for _ in range(count // 10000):
        out.write(some)
    return count


def sections(out, count=1_000_000):
    out.write(pcapng(few()))
    some = (shb() + idb() + epb(Packet(START, 1, b"of a section"))) * 1000
    for _ in range(count // 1000):
        out.write(some)
    return count


def options(out, count=400):
    """Blocks of four options of 65,535 bytes: packets, interfaces, sections."""
    def long(code):
        return option(code, bytes([code % 256]) * 65535)

    out.write(pcapng(few()))
    packet = Packet(START, 1, b"commented", options=long(1) + long(1) + long(2988) + long(1) + option(0, b""))
    some = epb(packet) + idb(1, 0, long(2) + long(3) + long(11) + long(1) + option(0, b""))
    for n in range(count // 2):
        out.write(some)
        if n % 100 == 0:
            out.write(shb(long(1) + long(2) + long(3) + long(4)) + idb())
    return count


LENGTHS = [0xffffffff, 0xfffffffe, 0xfffffffd, 0xfffffffc, 0xfffffff8, 0xfffffff4, 0xfffffff0, 0x80000000,
           0x7fffffff, 0x7ffffffc, 0x10000004, 0x10000000]


def length_file(length, kind, big=False):
    order = ">" if big else "<"
    head = shb(b"", big) + idb(big=big) + b"".join(epb(p, big) for p in few())
    return head + struct.pack(order + "II", kind, length) + bytes(100) + struct.pack(order + "I", length)


def pcap_length_file(length):
    return pcap(few()) + struct.pack("<IIII", START, 0, length, length) + bytes(100)


def times(out):
    """Every resolution with the ends of its ticks and of the offset."""
    out.write(pcapng(few()))
    count = 0
    for resolution in range(256):
        for offset in (0, 2**63 - 1, -2**63, -1):
            out.write(shb() + idb(1, 0, option(9, bytes([resolution])) + option(14, struct.pack("<q", offset)) +
                                  option(0, b"")))
            for ticks in (0, 1, 2**63 - 1, 2**63, 2**64 - 1):
                out.write(block(6, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xffffffff, 4, 4) + b"time"))
                count += 1
    return count


def write_lengths(folder):
    """A file for each length, block type and byte order."""
    os.makedirs(folder, exist_ok=True)
    files = {f"{length:08x}.pcap": pcap_length_file(length) for length in LENGTHS}
    for length in LENGTHS:
        for kind in (6, 1, 0x0a0d0d0a, 5, 10, 0xbad, 0x77):
            for big in (False, True):
                files[f"{length:08x}-{kind:x}-{'be' if big else 'le'}.pcapng"] = length_file(length, kind, big)
    for name, data in files.items():
        with open(f"{folder}/{name}", "wb") as out:
            out.write(data)
    return len(files)


KINDS = {f.__name__: f for f in (zstd_claims, zstd_claims_most, zstd_frames, zstd_one, zstd_kibibytes, gzip_bomb,
                                 interfaces, sections, options, times)}


def main():
    kind, path = sys.argv[1:3]
    if kind == "lengths":
        print(write_lengths(path))
        return
    with open(path, "wb") as out:
        print(KINDS[kind](out))


if __name__ == "__main__":
    main()
