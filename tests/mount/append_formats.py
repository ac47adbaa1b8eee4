# SPDX-License-Identifier: BSD-2-Clause
"""The files of append_formats.sh: made, appended to, and read back by other programs.

    append_formats.py make PKTGEN        what pktgen does not make, into this directory; the
                                         names of all files
    append_formats.py append MNT FILE    to each interface of the last section, with cp and by
                                         hand; what was appended to FILE.json
    append_formats.py check MNT FILE     FILE, also mounted at MNT: the packets of FILE.orig,
                                         then those of FILE.json
"""
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import append_reader
from captures import (Packet, block, epb, idb, option, packets, pb, pcap, pcapng, pcapng_head, shb,
                      spb)

START = 1795257127  # of what is appended; later than all in the files
PKTGEN = {  # name: options
    "us.pcap": "", "ns.pcap": "--nanosecond", "us_be.pcap": "--big-endian",
    "ns_be.pcap": "--big-endian --nanosecond", "mod.pcap": "--modified",
    "mod_be.pcap": "--modified --big-endian", "raw.pcap": "--link-type 101 --nanosecond",
    "le.pcapng": "--format pcapng --interfaces 2", "be.pcapng":
    "--format pcapng --big-endian --interfaces 2 --nanosecond",
    "sections.pcapng": "--format pcapng --sections 3 --interfaces 3",
    "mixed.pcapng": "--format pcapng --sections 4 --interfaces 2 --mixed-endian",
    "one.pcap.zst": "--zstd single --nanosecond", "frames.pcap.zst": "--zstd frames:4",
    "one.pcapng.zst": "--format pcapng --zstd single --interfaces 2",
    "frames.pcapng.zst": "--format pcapng --zstd frames:8 --sections 2 --interfaces 2",
    "undeclared.pcapng.zst": "--format pcapng --zstd frames:8 --zstd-undeclared",
    "a.pcap.gz": "--gzip", "be.pcapng.gz": "--gzip --format pcapng --big-endian --interfaces 2",
}
RESOLUTIONS = (  # if_tsresol, if_tsoffset; None: no option
    (None, None), (3, None), (9, None), (0, None), (None, 86400 * 365), (6, -86400 * 365 * 60),
    (12, START - 1000), (0x80 | 10, None), (0x80 | 30, 1000000000), (0x80 | 0, None),
    (9, 1), (18, START + 3600))


def odd_interfaces(big):
    for number, (resolution, offset) in enumerate(RESOLUTIONS):
        options = option(2, b"if%d" % number, big)
        if resolution is not None:
            options += option(9, bytes((resolution,)), big)
        if offset is not None:
            options += option(14, offset.to_bytes(8, "big" if big else "little", signed=True), big)
        yield idb(1, 0, options + option(0, b"", big), big)


def fixed(body, big=False):
    return shb(big=big, length=len(body)) + body


def section_body(big, count=5):
    return idb(1, 0, big=big) + b"".join(epb(p, big, 6) for p in packets(count, True, True))


def make(pktgen):
    for name, options in PKTGEN.items():
        subprocess.run([pktgen, "--packets", "40", *options.split(), name], check=True)
    le, be = section_body(False), section_body(True)
    unknown = block(0x80000001, b"what is that")
    statistics = block(5, bytes(12))
    filler = (512 - 20 - 12 - len(shb() + le)) % 512
    files = {
        "empty.pcap": pcap([]), "empty.pcapng": pcapng([]), "empty_be.pcap": pcap([], big=True),
        "odd.pcapng": shb() + b"".join(odd_interfaces(False)),
        "odd_be.pcapng": shb(big=True) + b"".join(odd_interfaces(True)),
        "fixed.pcapng": fixed(le), "fixed_be.pcapng": fixed(be, True),
        "fixed_two.pcapng": fixed(le) + fixed(be, True),
        "fixed_mixed.pcapng": fixed(be, True) + fixed(le),
        # the length field lies across a sector
        "fixed_far.pcapng": shb() + le + block(0x80000001, bytes(filler)) + fixed(le),
        "old.pcapng": pcapng_head() + spb(b"simple packet") + pb(next(packets(1))) + statistics,
        "unknown.pcapng": pcapng_head() + epb(next(packets(1))) + unknown,
        "commented.pcapng": pcapng_head() + epb(Packet(START - 9, 7, b"bytes", 1000, 0, option(
            1, b"first") + option(1, b"second") + option(0, b""))),
    }
    for name, data in files.items():
        with open(name, "wb") as out:
            out.write(data)
    subprocess.run("gzip -c us.pcap >two.pcap.gz; printf '' | gzip >>two.pcap.gz\n"
                   "zstd -qc --no-check le.pcapng >cli.pcapng.zst\n"
                   "editcap -F modpcap us.pcap editcap_mod.pcap\n"
                   "editcap -F nsecpcap ns.pcap editcap_ns.pcap\n"
                   "editcap -F pcapng ns.pcap editcap.pcapng", shell=True, check=True)
    names = [*PKTGEN, *files, "two.pcap.gz", "cli.pcapng.zst", "editcap_mod.pcap",
             "editcap_ns.pcap", "editcap.pcapng"]
    print("\n".join(names))


# ---- append

def floor_time(interface, time):
    """What the interface can hold of a time."""
    return interface.time((time - interface.offset * 10**9) * interface.ticks // 10**9)


def append(mnt, file):
    capture = append_reader.read(f"{file}.orig")
    is_pcap, wanted = ".pcapng" not in file, []
    last = capture.interfaces[-1].section
    for number, interface in enumerate(capture.interfaces):
        if interface.section != last:
            continue
        data = os.urandom(40 + number)
        # a copy of a file, with its time
        time = (START + 3600 + number) * 10**9 + 123456789
        with open("source", "wb") as out:
            out.write(data)
        os.utime("source", ns=(time, time))
        subprocess.run(["cp", "-p", "source", f"{mnt}/append/{number}/copied"], check=True)
        wanted.append({"interface": number, "time": floor_time(interface, time), "data": data.hex(),
                       "original": len(data), "comments": [], "flags": None})
        # by hand, with attributes
        time += 500000000
        with open(f"{mnt}/append/{number}/by hand", "wb", buffering=0) as out:
            out.write(data[::-1])
            os.utime(out.fileno(), ns=(time, time))
            os.setxattr(out.fileno(), "user.pktfs.original_length", b"2000")
            if not is_pcap:
                os.setxattr(out.fileno(), "user.pktfs.comment", "zwölf %\nBoxkämpfer".encode())
                os.setxattr(out.fileno(), "user.pktfs.flags", b"0x00000026")
        wanted.append({"interface": number, "time": floor_time(interface, time),
                       "data": data[::-1].hex(), "original": 2000,
                       "comments": [] if is_pcap else ["zwölf %", "Boxkämpfer"],
                       "flags": None if is_pcap else 0x26})
    # (a packet that is mounted is a file like others: of the first, all is kept)
    first = capture.packets[0] if capture.packets else None
    if first and first.time is not None and len(capture.interfaces) == 1:
        subprocess.run(["cp", "--preserve=all", f"{mnt}/packets/000000001",
                        f"{mnt}/append/0/again"], check=True)
        wanted.append({"interface": 0, "time": first.time, "data": first.data.hex(),
                       "original": first.original, "comments": first.comments, "flags": None})
    with open(f"{file}.json", "w", encoding="utf-8") as out:
        json.dump(wanted, out)


# ---- check

def same(what, got, want):
    if got != want:
        sys.exit(f"{what}: {got!r:.300} instead of {want!r:.300}")


def check_file(file, before, wanted):
    after = append_reader.read(file)
    count = len(before.packets)
    same(f"{file}: packets", len(after.packets), count + len(wanted))
    same(f"{file}: packets of before", [p.key()[1:] for p in after.packets[:count]],
         [p.key()[1:] for p in before.packets])
    begun = len(after.interfaces) - len(before.interfaces)  # in a section that was begun anew
    for number, (packet, want) in enumerate(zip(after.packets[count:], wanted), count + 1):
        for name in ("time", "original", "comments", "flags"):
            same(f"{file}: {name} of {number}", getattr(packet, name), want[name])
        same(f"{file}: bytes of {number}", packet.data.hex(), want["data"])
        same(f"{file}: interface of {number}", packet.interface, want["interface"] + begun)
    old, new = append_reader.decoded(f"{file}.orig"), append_reader.decoded(file)
    kept = [a for a in range(len(old)) if old[a] != new[a]]
    if kept and not (file.startswith("fixed") and kept[-1] - kept[0] < 8
                     and not new[kept[0]:kept[-1] + 1].strip(b"\xff")):
        sys.exit(f"{file}: bytes {kept[0]} to {kept[-1]} were changed")
    return after


def check_mount(mnt, file, after):
    same(f"{file}: mounted", len(os.listdir(f"{mnt}/packets")), len(after.packets))
    for number, packet in enumerate(after.packets, 1):
        path = f"{mnt}/packets/{number}"
        with open(path, "rb") as read:
            same(f"{path} of {file}", read.read(), packet.data)
        if packet.time is not None:
            same(f"{file}: time of {path}", os.stat(path).st_mtime_ns, packet.time)
        value = {n: os.getxattr(path, n).decode() for n in os.listxattr(path)}
        same(f"{file}: interface of {path}", value["user.pktfs.interface"], str(packet.interface))
        same(f"{file}: length of {path}", value["user.pktfs.original_length"], str(packet.original))
        same(f"{file}: comment of {path}", value.get("user.pktfs.comment", ""),
             "\n".join(packet.comments))


def run(*argv):
    done = subprocess.run(argv, capture_output=True, check=False)
    errors = [line for line in done.stderr.decode().splitlines() if "Running as user" not in line
              and not line.startswith(("reading from file", "Warning: interface"))]
    if done.returncode or errors:
        sys.exit(f"{' '.join(argv)}: {done.returncode}: {errors}")
    return done.stdout


def check_others(file, after):
    """What Wireshark's library and libpcap read."""
    count = len(after.packets)
    same(f"capinfos {file}", run("capinfos", "-TmrcQ", file).decode().split(",")[-1].strip(' \n"'),
         str(count))
    fields = run("tshark", "-n", "-r", file, "-T", "fields", "-E", "aggregator=\x01", *(
        word for name in ("time_epoch", "len", "cap_len", "comment") for word in (
            "-e", f"frame.{name}"))).decode().splitlines()
    same(f"tshark {file}: frames", len(fields), count)
    for number, (line, packet) in enumerate(zip(fields, after.packets), 1):
        epoch, size, captured, comment = (line.split("\t") + [""])[:4]
        # (Wireshark multiplies the fraction by 10^9 in 64 bits)
        ticks = after.interfaces[packet.interface].ticks
        if packet.time is not None and ticks * 10**9 < 2**64:
            sec, fraction = epoch.split(".")
            same(f"tshark {file}: time of {number}", int(sec) * 10**9 + int(fraction), packet.time)
        same(f"tshark {file}: lengths of {number}", (int(size), int(captured)),
             (packet.original, len(packet.data)))
        same(f"tshark {file}: comments of {number}", comment, "\x01".join(packet.comments))
    # (editcap takes the length of the first section over to all of them)
    copy = append_reader.read_pcapng(run("editcap", "-F", "pcapng", file, "-"), fixed=False)
    same(f"editcap {file}: bytes", [p.data for p in copy.packets], [p.data for p in after.packets])
    # libpcap: one link type, one snaplen, one byte order, no compression
    if file.endswith((".pcap", ".pcapng")) and not file.startswith(("odd", "fixed", "mixed")):
        lines = run("tcpdump", "-nn", "-r", file, "-t", "-q").decode().splitlines()
        if len([line for line in lines if not line.startswith("\t")]) < count:
            sys.exit(f"tcpdump {file}: {len(lines)} lines, {count} packets")


def check(mnt, file):
    with open(f"{file}.json", encoding="utf-8") as read:
        wanted = json.load(read)
    after = check_file(file, append_reader.read(f"{file}.orig"), wanted)
    check_mount(mnt, file, after)
    check_others(file, after)
    print(f"# {file}: {len(after.packets)} packets, {len(wanted)} of them appended")


if __name__ == "__main__":
    {"make": make, "append": append, "check": check}[sys.argv[1]](*sys.argv[2:])
