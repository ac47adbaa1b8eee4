#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the starting corpus of the fuzz targets: small inputs, made from bytes
that are written down here or in tests/mount/captures.py, none of them taken from
anybody's file. Run it again after adding a seed; inputs that a fuzzer found lie
beside them, named after their bug, and are left alone.

    tests/fuzz/make_corpus.py        writes tests/fuzz/corpus/TARGET/seed-*
"""
import gzip
import os
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "mount"))
sys.dont_write_bytecode = True
from captures import (START, Packet, block, epb, idb, option, pad, pb, pcap, pcap_header,  # noqa: E402
                      pcap_record, pcapng, shb, spb)

SOME = [Packet(START, 1, b"first packet"), Packet(START + 1, 999999999, b""),
        Packet(0xffffffff, 0, b"odd", original=1), Packet(0, 5, bytes(range(21)), original=70000)]


def pcap_seeds():
    for big in (False, True):
        order = ">" if big else "<"
        word = "be" if big else "le"
        yield f"micro-{word}", pcap(SOME, big=big, nano=False)
        yield f"nano-{word}", pcap(SOME, big=big)
        yield f"modified-{word}", pcap(SOME, big=big, modified=True)
        # below 2.3 the two lengths are swapped; 2.3 has both kinds
        yield f"version-2.2-{word}", pcap(SOME, big=big, nano=False, version=(2, 2))
        yield f"version-2.3-{word}", pcap(SOME, big=big, nano=False, version=(2, 3))
        # FCS length and reserved bits in the link-type word
        yield f"fcs-{word}", pcap(SOME[:1], big=big, link=0x4c000001)
        yield f"reserved-{word}", pcap(SOME[:1], big=big, link=0x03ff0001)
        yield f"fraction-{word}", pcap_header(big, False) + struct.pack(
            order + "IIII", START, 0xffffffff, 4, 4) + b"data"
        yield f"length-{word}", pcap_header(big) + struct.pack(
            order + "IIII", START, 0, 0xffffffff, 0xffffffff) + bytes(40)
        yield f"limit-{word}", pcap_header(big) + struct.pack(
            order + "IIII", START, 0, (128 << 20) + 1, 60) + bytes(40)
    yield "header-only", pcap_header()
    yield "snaplen-0", pcap_header(snaplen=0) + pcap_record(SOME[0])
    yield "version-1.4", pcap(SOME[:1], version=(1, 4))
    yield "text", b"\n\r\r\n and then a text"
    yield "ascii-mode", pcapng(SOME[:1]).replace(b"\n", b"\r\n")
    yield "snoop", b"snoop\0\0\0" + struct.pack(">II", 2, 4) + bytes(24)


def blocks_of_each_kind(big):
    order = ">" if big else "<"
    end = option(0, b"", big)
    yield idb(1, 96, option(2, b"eth0", big) + option(9, b"\x89", big) +
              option(14, struct.pack(order + "q", -3600), big) +
              option(4, bytes(8), big) + option(5, bytes(17), big) + option(6, bytes(6), big) +
              option(11, b"\0not arp", big) + option(13, b"\x04", big) + end, big)
    yield idb(101, 0, option(9, b"\xff", big) + end, big)
    yield idb(113, 0, option(9, b"\x7f", big) + end, big)
    for n, packet in enumerate(SOME):
        packet.interface = n % 3
        packet.options = (option(1, b"comment", big) + option(2, struct.pack(order + "I", 0x201), big) +
                          option(3, b"\x02crc!", big) + option(2988, struct.pack(order + "I", 32473) + b"x", big) +
                          end) if n == 0 else b""
        yield epb(packet, big)
        yield pb(packet, 3, big)
        packet.options, packet.interface = b"", 0
    yield spb(b"a simple one", big=big)
    yield spb(bytes(96), 1500, big)
    yield block(4, struct.pack(order + "HH", 1, 9) + pad(b"\xc0\0\2\1name\0") +
                struct.pack(order + "HH", 2, 18) + pad(bytes(16) + b"a\0") +
                struct.pack(order + "HH", 3, 8) + pad(bytes(6) + b"m\0") +
                struct.pack(order + "HH", 77, 3) + pad(b"???") + bytes(4) +
                option(2, b"dns.example", big) + end, big)
    ticks = START * 10**6
    halves = struct.pack(order + "II", ticks >> 32, ticks & 0xffffffff)
    yield block(5, struct.pack(order + "I", 0) + halves + option(2, halves, big) + option(3, halves, big) +
                option(4, struct.pack(order + "Q", 10), big) + option(5, bytes(8), big) + end, big)
    yield block(10, struct.pack(order + "II", 0x544c534b, 7) + pad(b"secret\n") + option(1, b"c", big) + end, big)
    yield block(0x0bad, struct.pack(order + "I", 32473) + b"custom", big)
    yield block(0x40000bad, struct.pack(order + "I", 32473) + b"not to be copied", big)
    yield block(9, pad(b"__REALTIME_TIMESTAMP=1763721127000000\nMESSAGE=hello\n"), big)
    yield block(0x80000001, b"of somebody's own", big)
    yield block(7, b"", big)


def pcapng_seeds():
    for big in (False, True):
        word, order = ("be", ">") if big else ("le", "<")
        whole = b"".join(blocks_of_each_kind(big))
        yield f"all-{word}", shb(option(1, b"all", big) + option(0, b"", big), big) + whole
        yield f"version-1.2-{word}", shb(b"", big, (1, 2)) + idb(big=big) + epb(SOME[0], big)
        yield f"version-9-{word}", shb(b"", big, (9, 0)) + whole + shb(b"", big) + idb(big=big) + epb(SOME[0], big)
        yield f"section-length-{word}", shb(b"", big, length=4) + idb(big=big) + epb(SOME[0], big)
        head = shb(b"", big) + idb(big=big)
        yield f"no-interface-{word}", shb(b"", big) + epb(SOME[0], big) + spb(b"x", big=big)
        yield f"overrun-{word}", head + block(6, struct.pack(order + "IIIII", 0, 0, 0, 65536, 65536), big)
        yield f"overflow-{word}", head + block(6, struct.pack(order + "IIIII", 0, 0, 0, 0xfffffffd, 1), big)
        yield f"huge-{word}", head + struct.pack(order + "II", 6, 0xfffffffc) + bytes(40)
        yield f"odd-{word}", head + struct.pack(order + "II", 6, 33) + bytes(25)
        yield f"short-{word}", head + struct.pack(order + "III", 1, 12, 12) + struct.pack(order + "III", 6, 12, 12)
        yield f"zero-{word}", head + struct.pack(order + "III", 6, 0, 0)
        yield f"option-{word}", shb(struct.pack(order + "HH", 1, 0xffff) + b"too long", big) + idb(big=big)
        yield f"trailer-{word}", head[:-4] + b"\1\2\3\4" + epb(SOME[0], big)
    yield "orders", pcapng(SOME[:2]) + pcapng(SOME[2:], big=True) + pcapng(SOME[:1])
    yield "section-only", shb()
    yield "snaplen-spb", shb() + idb(1, 5) + spb(b"12345", 100)
    yield "time-offset", shb() + idb(1, 0, option(14, struct.pack("<q", -2**63)) + option(0, b"")) + epb(SOME[0])
    yield "time-most", shb() + idb(1, 0, option(9, b"\0") + option(14, struct.pack("<q", 2**63 - 1)) + option(
        0, b"")) + block(6, struct.pack("<IIIII", 0, 0xffffffff, 0xffffffff, 0, 0))


def options_seeds():
    for big in (0, 1):
        order = bytes([big])
        end = option(0, b"", big)
        yield f"several-{big}", order + option(1, b"comment", big) + option(2, b"abc", big) + end + b"behind"
        yield f"no-end-{big}", order + option(1, b"comment", big)
        yield f"empty-{big}", order + option(1, b"", big) * 3
        yield f"long-{big}", order + struct.pack("><"[1 - big] + "HH", 1, 0xffff) + b"abc"
        yield f"end-with-length-{big}", order + option(0, b"1234", big) + option(1, b"x", big)
        yield f"custom-{big}", order + option(2988, b"\0\0~\xd9text", big) + option(19373, b"\1\2", big)
        yield f"cut-padding-{big}", order + option(1, b"a", big)[:-1]
    yield "nothing", b"\0"


def zstd(data, *arguments):
    return subprocess.run(["zstd", "-q", "-c", *arguments], input=data, capture_output=True, check=True).stdout


def zstd_seeds():
    data = pcapng(SOME)
    frames = [zstd(data[at:at + 60], "--no-check") for at in range(0, len(data), 60)]
    skip = struct.pack("<II", 0x184d2a53, 3) + b"abc"
    yield "single", zstd(data)
    yield "declared", zstd(data, f"--stream-size={len(data)}")
    yield "frames", b"".join(frames)
    yield "skippable", skip + skip.join(frames) + struct.pack("<II", 0x184d2a5f, 0)
    table = b"".join(struct.pack("<II", len(f), min(60, len(data) - 60 * n)) for n, f in enumerate(frames))
    footer = struct.pack("<IBI", len(frames), 0, 0x8f92eab1)
    yield "seekable", b"".join(frames) + struct.pack("<II", 0x184d2a5e, len(table) + 9) + table + footer
    yield "seekable-lies", b"".join(frames) + struct.pack("<II", 0x184d2a5e, 17) + b"\xff" * 8 + footer
    yield "claims", b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 60) + b"\1\0\0"
    yield "window", b"\x28\xb5\x2f\xfd\x00\xff" + b"\1\0\0"
    yield "empty-frame", b"\x28\xb5\x2f\xfd\x20\0\1\0\0"
    yield "skippable-only", skip
    yield "skippable-huge", struct.pack("<II", 0x184d2a50, 0xffffffff) + b"abc"
    yield "run-length", b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", 60) + b"\xe3\1\0" + b"\n"
    yield "tail", zstd(data) + b"and more"


def gzip_seeds():
    data = pcap(SOME)
    whole = gzip.compress(data, mtime=0)
    yield "single", whole
    yield "members", gzip.compress(data[:30], mtime=0) + gzip.compress(data[30:], mtime=0)
    yield "cut", whole[:-5]
    yield "crc", whole[:-8] + bytes(8)
    yield "named", whole[:3] + b"\x08" + whole[4:10] + b"a name\0" + whole[10:]
    yield "tail", whole + b"and more"
    yield "zeros", whole + bytes(16)


def set_seeds():
    yield "filter", b"ftcp port 80\nfip host 10.0.0.1 or not arp"
    yield "filter-all", b"fether[0] & 1 = 0 and (vlan or mpls or ip6 protochain 6)"
    yield "filter-wrong", b"ftcp prot 80"
    yield "match", b"m(?i)passw(or)?d\nmGET .* HTTP\nm^$"
    yield "match-slow", b"m(a+)+$\nm((((.*)*)*)*)x\nm(?R)"
    yield "interface", b"i0\ni1\ni2\ni99"
    yield "time", b"t2025-11-21T10:32:07Z..2025-11-21T10:33\nt..@1763721200\nt2025-11-21"
    yield "range", b"r1-5,7,9-\nr-3\nr18446744073709551615-"
    yield "nested", b"r2-\nftcp\nmpass\ni0\nt2025..2026"


def call(number, *rest):
    return bytes([number]) + b"".join(rest)


def named(name):
    return bytes([len(name)]) + name


def view_seeds():
    def walk(*names):
        # each name in what was found before: the nodes go round, 1 to 15 and 0
        return b"".join(call(0, bytes([n]), named(name)) for n, name in enumerate(names))

    def then(*names, steps=b""):
        return walk(*names) + steps

    read = b"".join(call(2, bytes([n]), bytes(8), b"\xff\x0f") for n in range(6))
    listing = b"".join(call(3, bytes([n]), b"\0", b"\xff") for n in range(6))
    attributes = b"".join(call(4, bytes([n]), named(b"user.pktfs.number")) for n in range(4))
    # root is node 0 as well, and keeps being it as long as 15 are not met
    for name in (b"README.txt", b"capture.pcapng", b"capture.pcap", b"packets.tsv", b"nothing", b"append"):
        yield "root-" + name.decode(), then(name, steps=call(2, b"\1", bytes(8), b"\xff\xff") + attributes)
    for folder in (b"packets", b"payload", b"info", b"sections", b"interfaces", b"blocks", b"names", b"secrets", b"by"):
        yield "list-" + folder.decode(), walk(folder) + call(3, b"\1", b"\0", b"\xff") + call(3, b"\1", b"\0", b"\x08") + read
    for name in (b"1", b"000000002", b"3.json", b"4.hex", b"5.pcapng", b"4294967297", b"00000000000000000000001"):
        yield "packet-" + name.decode(), walk(b"packets", name) + read + attributes
    for kind, what in ((b"filter", b"tcp port 80"), (b"match", b"GET"), (b"interface", b"1"), (b"range", b"2-5"),
                       (b"time", b"2025-11-21"), (b"filter", b"tcp prot"), (b"stream", b"x")):
        name = (kind + b"-" + what).decode().replace(" ", "-")
        yield "by-" + name, walk(b"by", kind, what, b"info", b"packets") + listing + read
        yield "nested-" + name, walk(b"by", kind, what, b"by", b"range", b"-3", b"capture.pcapng") + listing + read
    change = b"".join(call(5, b"\2\2", bytes([what]), named(b"name"), named(b"udp")) for what in range(8))
    yield "change", walk(b"by", b"filter") + change + walk(b"by", b"filter", b"name") + read + change
    yield "numbers", b"".join(call(6, struct.pack("<Q", kind << 47 | n), b"\7\1") for kind in range(42) for n in (0, 1))
    yield "cookies", walk(b"packets") + b"".join(
        call(3, b"\1\x08", struct.pack("<Q", cookie), b"\x09") for cookie in (1, 3, 2**31, 2**63 - 1, 2**64 - 1))
    yield "offsets", walk(b"capture.pcap") + b"".join(
        call(2, b"\1", struct.pack("<Q", at), b"\xff\0") for at in (1, 23, 24, 4095, 2**32, 2**63 - 1, 2**64 - 1))


def cli_seeds():
    yield "plain", b"a.pcap\nmnt"
    yield "short", b"-fdso\nrw,noxattr\na\nb"
    yield "options", b"-o\nspool=/tmp,threads=4,uid=1,gid=2,umask=022,sets=32M,fsname=x,ro\n--\n-a\nb"
    yield "append", b"-oappend=x.pcapng,repair\na\nb"
    yield "kernel", b"-o\nallow_other,context=\"a,b\",x-y=1,nofail,defaults\na\nb"
    yield "wrong", b"-o\nthraeds=4\na\nb"
    yield "info", b"--info\na\n--json"
    yield "unmount", b"-u\nmnt"
    yield "long", b"--options=rw\n--foreground\n--help"
    yield "numbers", b"-o\nsets=99999999999999999999G,uid=4294967295,umask=8\na"
    yield "many", b"a\nb\nc\nd"
    yield "empty", b"\n\n"


def attribute_seeds():
    def give(*values):
        return b"".join(bytes([which]) + named(value) for which, value in values)

    yield "time", give((3, b"2026-11-21T10:32:07.123456789Z"))
    yield "time-seconds", give((3, b"12.5"), (2, b"0x201"), (0, b"1514"), (4, b"ETHERNET"))
    yield "time-ends", give((3, b"-9223372036854775808"), (3, b"584554049253-01-01T00:00:00Z"))
    yield "comment", give((1, b"one\ntwo\n\nthree\n"))
    yield "comment-odd", give((1, b"\n"), (1, b"\xff\xfe"), (1, b"\xe2\x82\xac"))
    yield "flags", give((2, b"0xffffffff"), (2, b"0x"), (2, b"-1"), (2, b"4294967296"))
    yield "length", give((0, b"3"), (0, b"4294967295"))
    yield "link-type", give((4, b"101"), (4, b"LINKTYPE_RAW"), (4, b"nothing"))
    yield "described", give((5, b"7"), (6, b"x"), (7, b""))
    yield "removed", give((1, b"x"), (9, b""), (9, b"")) + bytes([250]) + named(b"other") + named(b"value")


def grow_seeds():
    for kind, seeds in (("pcap", pcap_seeds), ("pcapng", pcapng_seeds), ("zstd", zstd_seeds), ("gzip", gzip_seeds)):
        for number, (name, data) in enumerate(seeds()):
            if name.endswith("-be"):
                continue
            size = max(1, len(data))
            places = sorted((size * (n + 1) // 4 + number) % size for n in range(number % 4))
            yield f"{kind}-{name}", bytes([number % 4]) + b"".join(struct.pack("<H", p) for p in places) + data


def chain_seeds():
    files = [pcap(SOME[:2]), pcapng(SOME), pcap(SOME[:3], big=True, nano=False), b"not a capture at all, but long",
             gzip.compress(pcap(SOME), mtime=0), pcapng(SOME[:2], big=True), zstd(pcapng(SOME)), pcap(SOME)[:-5], b"",
             zstd(pcapng(SOME))[:-9], gzip.compress(pcap(SOME), mtime=0)[:-5], pcap_header()]
    for first in range(len(files)):
        some = [files[(first + n * (1 + first % 3)) % len(files)] for n in range(1 + first % 5)]
        yield f"{first}", (bytes([len(some) - 1]) + b"".join(struct.pack("<H", len(f)) for f in some[:-1]) +
                           b"".join(some))


def index_file_seeds():
    def changes(*some):
        return bytes([len(some)]) + b"".join(struct.pack("<HBQ", at, kind, number) for at, kind, number in some)

    # places are words behind the head of the file: 0 to 8 the key, 9 to 24 totals, 25 to 29 counts
    small, large = pcapng(SOME), pcap(SOME * 100)
    blocks = shb() + b"".join(blocks_of_each_kind(False))
    one = 2**64 - 1
    for name, some in (("whole", ()), ("key", ((2, 1, 1),)), ("end", ((9, 1, 4),)), ("records", ((10, 1, 1), (11, 1, 1))),
                       ("checkpoints", ((0, 6, 1),)), ("no-section", ((34, 6, 2),)), ("interface", ((36, 6, 5),)),
                       ("offset", ((32, 1, 4),)), ("spans", ((33, 3, 34),)), ("metadata", ((12, 1, one), (35, 1, one))),
                       ("cut", ((0, 4, 5),)), ("longer", ((40, 5, 3),)), ("flipped", ((39, 2, 1), (0, 7, 0)))):
        yield f"many-{name}", changes(*some) + large
        if name in ("whole", "interface"):  # these are cut and flipped at each byte: a few are enough
            yield name, changes(*some) + small
            yield f"blocks-{name}", changes(*some) + blocks


KINDS = {"index_file": index_file_seeds, "set": set_seeds, "view": view_seeds, "cli": cli_seeds, "append_attribute": attribute_seeds,
         "grow": grow_seeds, "chain": chain_seeds, "pcap": pcap_seeds, "pcapng": pcapng_seeds, "option": options_seeds, "zstd": zstd_seeds, "gzip": gzip_seeds}
# enough for a target that takes milliseconds for each of some thousand cuts and flips of a seed
SLOW = ("all-le", "nano-le", "modified-le", "no-interface-le", "snaplen-spb", "time-most", "frames")
# a target that reads whole files gets the seeds of several kinds
FILES = ("pcap", "pcapng", "zstd", "gzip")
TARGETS = {"capture": FILES, "append": FILES, "view_file": FILES, "source": ("zstd", "gzip")}


def main():
    targets = sorted(n[5:-2] for n in os.listdir(HERE) if n.startswith("fuzz_") and n.endswith(".c"))
    for target in targets:
        kinds = TARGETS.get(target, (target,))
        if not set(kinds) & set(KINDS):
            continue  # has its seeds from elsewhere
        folder = os.path.join(HERE, "corpus", target)
        os.makedirs(folder, exist_ok=True)
        for old in os.listdir(folder):
            if old.startswith("seed-"):
                os.unlink(os.path.join(folder, old))
        total = 0
        for kind in kinds:
            for name, data in KINDS.get(kind, lambda: ())():
                if target in ("capture", "view_file") and kind in ("pcap", "pcapng") and "-be" in name:
                    continue  # a few of each are enough where the format's own target has them all
                if target == "view_file" and name not in SLOW:
                    continue
                with open(os.path.join(folder, f"seed-{kind}-{name}".replace("/", "-")), "wb") as out:
                    out.write(data)
                total += len(data)
        print(f"{target}: {total} bytes")


if __name__ == "__main__":
    main()
