#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Captures for the tests, written by an encoder that shares nothing with pktfs.

As a module: the encoder. As a program:

    captures.py FORMAT COUNT OUT [--files DIR] [--big-endian] [--micro] [--small] [--cut BYTES]

writes COUNT packets to OUT (FORMAT: pcap, pcapng) and, with --files, each packet
as a file with the name, the bytes and the time that the mount must show.
"""
import argparse
import os
import struct

START = 1763721127  # 2025-11-21T10:32:07Z
SIZES = (60, 74, 90, 0, 150, 590, 1514, 61, 62, 63)


class Packet:
    def __init__(self, sec, nsec, data, original=None, interface=0, options=b""):
        self.sec, self.nsec, self.data = sec, nsec, data
        self.original = len(data) if original is None else original
        self.interface, self.options = interface, options


def packets(count, small=False, micro=False):
    """Deterministic packets. One in ten holds "password=", one in ten is empty."""
    for n in range(1, count + 1):
        size = 60 if small else SIZES[n % len(SIZES)]
        text = b"packet %d\n" % n
        if n % 10 == 0 and not small:
            text += b"password=hunter%d\n" % n
        head = bytes.fromhex("02000000000102000000000288b5") + text
        filler = bytes((n * 31 + i * 7) & 0xff for i in range(16)) * (size // 16 + 1)
        data = (head + filler)[:size]
        nsec = (n * 1000003) % 1000000000
        if micro:
            nsec -= nsec % 1000
        yield Packet(START + n * 1000003 // 1000000000, nsec, data,
                     len(data) + (100 if n % 3 == 0 else 0))


def pcap_header(big=False, nano=True, modified=False, version=(2, 4), snaplen=262144, link=1):
    magic = 0xa1b2cd34 if modified else 0xa1b23c4d if nano else 0xa1b2c3d4
    return struct.pack((">" if big else "<") + "IHHiIII", magic, *version, 0, 0, snaplen, link)


def pcap_record(packet, big=False, nano=True, modified=False):
    fraction = packet.nsec if nano and not modified else packet.nsec // 1000
    head = struct.pack((">" if big else "<") + "IIII", packet.sec & 0xffffffff, fraction,
                       len(packet.data), packet.original)
    return head + (bytes(8) if modified else b"") + packet.data


def pcap(some, **how):
    record_how = {k: v for k, v in how.items() if k in ("big", "nano", "modified")}
    return pcap_header(**how) + b"".join(pcap_record(p, **record_how) for p in some)


def pad(data):
    return data + bytes(-len(data) % 4)


def block(kind, body, big=False):
    order = ">" if big else "<"
    length = len(pad(body)) + 12
    return struct.pack(order + "II", kind, length) + pad(body) + struct.pack(order + "I", length)


def option(code, value, big=False):
    return struct.pack((">" if big else "<") + "HH", code, len(value)) + pad(value)


def shb(options=b"", big=False, version=(1, 0), length=-1):
    return block(0x0a0d0d0a, struct.pack((">" if big else "<") + "IHHq", 0x1a2b3c4d, *version,
                                         length) + options, big)


def idb(link=1, snaplen=0, options=b"", big=False):
    return block(1, struct.pack((">" if big else "<") + "HHI", link, 0, snaplen) + options, big)


def epb(packet, big=False, resolution=9):
    ticks = packet.sec * 10**resolution + packet.nsec // 10**(9 - resolution)
    return block(6, struct.pack((">" if big else "<") + "IIIII", packet.interface, ticks >> 32,
                                ticks & 0xffffffff, len(packet.data), packet.original) +
                 pad(packet.data) + packet.options, big)


def spb(data, original=None, big=False):
    return block(3, struct.pack((">" if big else "<") + "I",
                                len(data) if original is None else original) + data, big)


def pb(packet, drops=0xffff, big=False):
    ticks = packet.sec * 10**6 + packet.nsec // 1000
    return block(2, struct.pack((">" if big else "<") + "HHIIII", packet.interface, drops,
                                ticks >> 32, ticks & 0xffffffff, len(packet.data),
                                packet.original) + pad(packet.data) + packet.options, big)


def pcapng_head(big=False):
    end = option(0, b"", big)
    return (shb(option(2, b"a test machine", big) + option(3, b"test os", big) +
                option(4, b"captures.py", big) + option(1, b"a section", big) + end, big) +
            idb(1, 262144, option(2, b"eth0", big) + option(3, b"first", big) +
                option(9, b"\x09", big) + end, big))


def pcapng(some, big=False):
    return pcapng_head(big) + b"".join(epb(p, big) for p in some)


def write_files(some, folder):
    os.makedirs(folder, exist_ok=True)
    for n, packet in enumerate(some, 1):
        path = f"{folder}/{n:09d}"
        with open(path, "wb") as out:
            out.write(packet.data)
        ns = packet.sec * 10**9 + packet.nsec
        os.utime(path, ns=(ns, ns))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("format", choices=("pcap", "pcapng"))
    parser.add_argument("count", type=int)
    parser.add_argument("out")
    parser.add_argument("--files")
    parser.add_argument("--big-endian", action="store_true")
    parser.add_argument("--micro", action="store_true")
    parser.add_argument("--small", action="store_true", help="packets of 60 bytes")
    parser.add_argument("--cut", type=int, default=0, help="leave so many bytes off the end")
    options = parser.parse_args()

    def some():
        return packets(options.count, options.small, options.micro)

    with open(options.out, "wb", buffering=1 << 20) as out:
        if options.format == "pcap":
            out.write(pcap_header(options.big_endian, not options.micro))
            for packet in some():
                out.write(pcap_record(packet, options.big_endian, not options.micro))
        else:
            out.write(pcapng_head(options.big_endian))
            for packet in some():
                out.write(epb(packet, options.big_endian))
        if options.cut:
            out.truncate(out.tell() - options.cut)
    if options.files:
        write_files(some(), options.files)


if __name__ == "__main__":
    main()
