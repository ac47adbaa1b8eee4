# SPDX-License-Identifier: BSD-2-Clause
"""The rows: each a function of its name, in the order in which they are run."""
import os
import shutil
import subprocess

from bench_run import BUILD, CORES, ONE_CORE, PKTFS, Mount, Skip, evict, filesystem, have, output, read, run, seconds

WALK, DECODE, MAKE, APPEND = (f"{BUILD}/tests/bench/bench_{name}" for name in ("walk", "decode", "make", "append"))
ON = "all cores" if len(CORES) != 2 else "two cores"
HEADERS = "one pass over the headers"
TMPFS = "the same as files on tmpfs"
ABSENT = "zzqzzqzz"  # a word that no packet has
GB = 1e-9


# ---- the index

def walked(path, how, prefix=()):
    """Nanoseconds a packet."""
    return float(output(*prefix, WALK, how, path).split()[0])


def index_rows(bench, path, kind):
    def row(what, prefix, reach):
        bench.report(f"index a {kind}, warm, {what}",
                     bench.in_turns(lambda: walked(path, "index", prefix), lambda: walked(path, "walk")),
                     "ns/packet", 1, HEADERS, reach)

    row(ON, (), 0.3)
    row("one core", ONE_CORE, 0.5)
    per_packet = 1e9 / bench.packets
    bench.report("  the same, pktfs --info, all of the process",
                 bench.in_turns(lambda: seconds(PKTFS, "--info", path), lambda: seconds(WALK, "walk", path)),
                 "ns/packet", per_packet, HEADERS)
    for tool in ("capinfos", "-c"), ("tcpdump", "-w", "/dev/null", "-r"), ("editcap", "-F", "pcap"):
        if bench.others and have(tool[0]):
            tail = ("/dev/null",) if tool[0] == "editcap" else ()
            bench.report(f"  the same: {tool[0]}",
                         bench.in_turns(lambda: seconds(*tool, path, *tail), lambda: seconds(WALK, "walk", path)),
                         "ns/packet", per_packet, HEADERS)


def row_index(bench):
    index_rows(bench, bench.big(), "pcap")


def row_index_pcapng(bench):
    index_rows(bench, bench.generated("big.pcapng", "--format", "pcapng"), "pcapng")
    bench.drop("big.pcapng")


def row_index_cold(bench):
    """The file is taken out of the page cache before each."""
    path = bench.made("big.pcap", "cp", bench.big(), folder=bench.disk)
    if filesystem(path) == "tmpfs":
        raise Skip(f"{bench.disk} is on tmpfs: BENCH_DISK is to name a folder on a disk")

    def cold(*command):
        evict(path)
        return seconds(*command)

    pairs = bench.in_turns(lambda: cold(PKTFS, "--info", path), lambda: cold("cat", path))
    bench.report("index a pcap, cold", pairs, "s", 1, "cat FILE, as cold", 1.1)
    bench.drop(path)


# ---- compressed

DECODERS = {"zstd": "libzstd to nowhere, one thread", "gzip": "zlib to nowhere, one thread"}


def compressed_row(bench, what, path, how, reach, *prefix):
    """Until all is indexed, as with a file that is not compressed; and all of the process, which
    gives back the spool, too."""
    bench.report(what, bench.in_turns(lambda: walked(path, "index", prefix) * bench.packets / 1e9,
                                      lambda: float(output(DECODE, how, path).split()[0])),
                 "s", 1, DECODERS[how], reach)
    process_row(bench, "  the same, pktfs --info, all of the process", path, how, *prefix)


def process_row(bench, what, path, how, *prefix, spool=None):
    options = ("-o", f"spool={spool}") if spool else ()
    bench.report(what, bench.in_turns(lambda: seconds(*prefix, PKTFS, *options, "--info", path),
                                      lambda: seconds(DECODE, how, path)),
                 "s", 1, DECODERS[how])


def row_zstd(bench):
    path = bench.generated("big.single.zst", "--zstd", "single")
    compressed_row(bench, f"index a .zst of one frame, {ON}", path, "zstd", 1.1)
    process_row(bench, "  the same, spooled to memory", path, "zstd", spool=bench.work)
    compressed_row(bench, "  the same, one core", path, "zstd", None, *ONE_CORE)
    bench.drop("big.single.zst")
    path = bench.generated("big.frames.zst", "--zstd", "frames")
    compressed_row(bench, f"index a .zst of many frames, {ON}", path, "zstd", 0.6)
    compressed_row(bench, "  the same, one core", path, "zstd", None, *ONE_CORE)
    bench.drop("big.frames.zst")


def row_gzip(bench):
    path = bench.generated("big.gz", "--gzip")
    compressed_row(bench, f"index a .gz, {ON}", path, "gzip", 1.1)
    compressed_row(bench, "  the same, one core", path, "gzip", None, *ONE_CORE)
    bench.drop("big.gz")


# ---- a packet, a mount

def index_memory(path):
    """Bytes that come with the index of a capture, and its packets."""
    _, packets, each = map(float, output(WALK, "index", path).split())
    return packets * each, packets


def row_random(bench):
    def measured(how):
        return float(output(WALK, how, bench.big(), str(bench.accesses)).split()[0])

    def per_packet():
        """Without what even a small capture takes."""
        (more, packets), (less, before) = index_memory(bench.big()), index_memory(few)
        return (more - less) / (packets - before)

    few = bench.generated("few.pcap", packets=1000)
    bench.report("random packet from the library, warm",
                 bench.in_turns(lambda: measured("library"), lambda: measured("table")), "ns", 1,
                 "a table of offsets, 8 bytes a packet", 3.2)
    bench.report_limit("  the same, memory of the index", [per_packet() for _ in range(bench.rounds)],
                       "byte/packet", 0.5)


def row_mount(bench):
    """From exec to the first packet's bytes, read from the mount."""
    def row(what, path, rounds=3):
        times, middle = [], []
        for _ in range(bench.rounds * rounds):
            with Mount(bench, path, indexed=False) as mount:
                times.append(mount.seconds * 1e3)
                if what.startswith("mount"):
                    middle.append(seconds("cat", f"{mount.mnt}/packets/{bench.packets // 2}") * 1e3)
        bench.report_limit(what, times, "ms", 20.0)
        return middle

    middle = row(f"mount until it answers, {bench.packets} packets", bench.big())
    half = walked(bench.big(), "walk") * bench.packets / 2 / 1e6
    bench.report("  cat of the packet in the middle, right after", [(m, half) for m in middle], "ms", 1,
                 f"{HEADERS} to there")
    row("  the same, a sparse pcap of 10 GB", sparse(bench))
    bench.drop("sparse.pcap")
    for name, *how in (("single.zst", "--zstd", "single"), ("frames.zst", "--zstd", "frames"), ("gz", "--gzip")):
        row(f"  the same, .{name}", bench.generated(f"big.{name}", *how), 1)
        bench.drop(f"big.{name}")


def sparse(bench):
    path = os.path.join(bench.work, "sparse.pcap")
    run(MAKE, "sparse", path, "10000000000")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


def row_again(bench):
    """A second mount, with the index that the first one left behind."""
    if not bench.lasting:
        raise Skip("this pktfs has no -o index=")
    pairs = []
    for _ in range(bench.rounds):
        shutil.rmtree(os.environ["XDG_CACHE_HOME"], ignore_errors=True)
        with Mount(bench, bench.big(), lasting=True) as mount:
            first = mount.seconds_indexed
        with Mount(bench, bench.big(), lasting=True) as mount:
            pairs.append((mount.seconds_indexed, first))
    bench.report("mount again, until all packets are there", pairs, "ms", 1e3, "the first mount, until then")


# ---- the tools of the table, on packets as files

def files(bench):
    """The same packets as files on tmpfs."""
    folder = os.path.join(bench.memory, "files")
    if filesystem(bench.memory) != "tmpfs":
        raise Skip("/dev/shm is no tmpfs")
    if not os.path.isdir(folder):
        with Mount(bench, bench.small()) as mount:
            run("cp", "-r", f"{mount.mnt}/packets", folder)
    return folder


def row_tools(bench):
    tools = (("grep -r", lambda d: ("grep", "-r", ABSENT, d), (1,), 1.5, 1.1),
             ("find -size", lambda d: ("find", d, "-size", "+1000c"), (0,), 1.5, 1.1),
             ("ls -l", lambda d: ("ls", "-l", d), (0,), 1.5, 1.1),
             ("tar", lambda d: ("bash", "-c", f"tar -C {d} -cf - . | cat"), (0,), None, None))
    folder = files(bench)
    for name, command, status, first_reach, second_reach in tools:
        times = ([], [])
        for _ in range(bench.rounds):
            with Mount(bench, bench.small()) as mount:
                for pairs in times:
                    pairs.append((seconds(*command(f"{mount.mnt}/packets"), status=status),
                                  seconds(*command(folder), status=status)))
        for which, pairs, reach in zip(("first", "second"), times, (first_reach, second_reach)):
            bench.report(f"{name} over {bench.files} packets, {which} time", pairs, "us/file", 1e6 / bench.files,
                         TMPFS, reach)
    shutil.rmtree(folder)


def row_cat(bench):
    path, times = bench.big(), ([], [])
    size = os.path.getsize(path)
    for _ in range(bench.rounds):
        with Mount(bench, path) as mount:
            for pairs in times:
                pairs.append((size / seconds("cat", f"{mount.mnt}/capture.pcap"), size / seconds("cat", path)))
    for which, pairs, reach in zip(("first", "second"), times, (0.4, 0.65)):
        bench.report(f"cat capture.pcap, {which} time", pairs, "GB/s", GB, "cat of the source, cached", reach, more=True)


# ---- sets

def row_filter(bench):
    """The index is complete before the question is asked."""
    def asked(question, prefix=()):
        with Mount(bench, bench.big(), prefix=prefix) as mount:
            return seconds("cat", f"{mount.mnt}/by/{question}/info/packets")

    def tcpdump(expression):
        return seconds("tcpdump", "-r", bench.big(), "-w", "/dev/null", expression)

    def row(what, expression, prefix, reach):
        bench.report(what, bench.in_turns(lambda: asked(f"filter/{expression}", prefix), lambda: tcpdump(expression)),
                     "s", 1, f"tcpdump -w /dev/null '{expression}'", reach)

    row(f"by/filter/tcp port 80, {ON}", "tcp port 80", (), 0.4)
    row("  the same, one core", "tcp port 80", ONE_CORE, None)
    row(f"by/filter/ip, which most are, {ON}", "ip", (), 0.4)
    bench.report("by/match/ of a word that is not there",
                 bench.in_turns(lambda: asked(f"match/{ABSENT}"),
                                lambda: seconds("grep", "-c", ABSENT, bench.big(), status=(1,))),
                 "s", 1, "grep -c over the file")
    with Mount(bench, bench.big()) as mount:
        some = f"{mount.mnt}/by/range/1-10/by/filter/len > 0/packets"
        bench.report_limit("ls of a set of 10, first time", [seconds("ls", some) * 1e3], "ms", 1000.0)
        again = [seconds("ls", some) * 1e3 for _ in range(bench.rounds)]
        bench.report_limit("  the same, second time", again, "ms", 10.0)


# ---- memory

def row_memory(bench):
    """The most that is seen."""
    def row(what, path, limit, *command):
        with Mount(bench, path) as mount:
            bench.report_limit(what, [mount.most_memory(*(word.replace("MNT", mount.mnt) for word in command))],
                               "MiB", limit)

    find = ("find", "MNT/packets")
    row(f"memory, find over {bench.packets} packets", bench.big(), 64.0, *find)
    row("  the same, three sets evaluated", bench.big(), 64.0, "cat",
        *(f"MNT/by/{of}/info/packets" for of in ("filter/tcp", "filter/ip", "match/GET")))
    for name, how in (("one frame", "single"), ("many frames", "frames")):
        row(f"  the same, .zst of {name}", bench.generated(f"big.{how}.zst", "--zstd", how), 64.0, *find)
        bench.drop(f"big.{how}.zst")
    count = 1_000_000_000 if bench.full else 100_000_000
    path = bench.made("tiny.pcap.zst", "bash", "-c", f'{MAKE} tiny "$0" {count}')
    row(f"memory, {count} packets of no bytes, .zst", path, 256.0, "cat",
        f"MNT/packets/{count}", f"MNT/packets/{count // 3}")
    bench.drop("tiny.pcap.zst")


# ---- appending

def per_second(how, path, count, sizes="60"):
    """Of a file or folder that is made for this; a file goes away."""
    done = output(APPEND, how, path, str(count), sizes)
    if os.path.isfile(path):
        os.unlink(path)
    return float(done)


def row_append(bench):
    """A record is in the file when its call has returned; or it is buffered."""
    def row(name, sizes, how, baseline):
        plain = name.split(".")[0]
        word, of = {"library": ("one write each", "one write(2) each"),
                    "buffered": ("buffered", "fwrite, as dumpcap does it")}[how]
        bench.report(f"append {sizes} to {name}, {word}",
                     bench.in_turns(lambda: per_second(how, f"{bench.work}/append.{name}", bench.packets, sizes),
                                    lambda: per_second(baseline, f"{bench.work}/plain.{plain}", bench.packets, sizes)),
                     "M packet/s", 1e-6, of if plain == name else of + ", not compressed", more=True)

    for name, sizes in (("pcapng", "60"), ("pcapng", "imix"), ("pcap", "60"), ("pcap", "imix"),
                        ("pcapng.zst", "imix"), ("pcapng.gz", "imix")):
        row(name, sizes, "buffered", "stdio")
        row(name, sizes, "library", "write")


def row_append_mount(bench):
    path, count, pairs = f"{bench.work}/append.pcapng", bench.files, []
    for n in range(bench.rounds):
        bench.generated("append.pcapng", "--format", "pcapng", packets=10)
        with Mount(bench, path, "-o", "rw") as mount:
            figure = per_second("files", f"{mount.mnt}/append/0", count)
            if int(read(f"{mount.mnt}/info/packets")) != 10 + count:
                raise RuntimeError(f"not {10 + count} packets after {count} were appended")
        folder = f"{bench.memory}/created.{n}"
        os.mkdir(folder)
        pairs.append((figure, per_second("files", folder, count)))
        shutil.rmtree(folder)
        bench.drop("append.pcapng")
    bench.report(f"create, write, close in append/0, {count} files", pairs, "k files/s", 1e-3, TMPFS, more=True)
