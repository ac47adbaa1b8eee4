# SPDX-License-Identifier: BSD-2-Clause
"""How a row of the benchmark is measured: processes, captures, mounts, lines."""
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("PKTFS_BUILD_DIR") or os.path.join(TOP, "build"))
PKTFS, PKTGEN = f"{BUILD}/pktfs", f"{BUILD}/tests/tools/pktgen"
CORES = sorted(os.sched_getaffinity(0))
ONE_CORE = ("taskset", "-c", str(CORES[-1]))
FOREVER_AGO = 1_000_000_000  # a time stamp; what was written just now is taken for growing


class Skip(Exception):
    """A row cannot be measured here; the text says why."""


class Bench:
    """The folders, the sizes and the lines of one run."""

    def __init__(self, options, full):
        self.full, self.rounds, self.others = full, options.rounds, options.others
        self.packets = options.packets or (10_000_000 if full else 1_000_000)
        self.files, self.accesses = options.files, 1_000_000 if full else 200_000
        self.rows = []
        self.lasting = "\n  index=" in output(PKTFS, "--help")
        self.plain = ("-o", "index=none") if self.lasting else ()
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        # captures; packets as files, which must be on tmpfs; what must be on a disk
        self.work = tempfile.mkdtemp(prefix="pktfs-bench.", dir=os.environ.get("BENCH_DIR") or memory)
        self.memory = tempfile.mkdtemp(prefix="pktfs-bench.", dir=memory)
        self.disk = tempfile.mkdtemp(prefix="pktfs-bench.", dir=os.environ.get("BENCH_DISK") or "/var/tmp")
        self.mnt = os.path.join(self.work, "mnt")
        os.environ.update(XDG_CACHE_HOME=f"{self.work}/cache", LC_ALL="C")

    def close(self):
        if os.path.ismount(self.mnt):
            subprocess.run(["fusermount3", "-uz", self.mnt])
        for folder in (self.work, self.memory, self.disk):
            shutil.rmtree(folder, ignore_errors=True)

    # ---- captures

    def made(self, name, *command, folder=None):
        """A capture in the page cache, made by a command whose last argument is its path."""
        path = os.path.join(folder or self.work, name)
        if not os.path.exists(path):
            free = shutil.disk_usage(os.path.dirname(path)).free
            if free < self.packets * 400:
                raise Skip(f"no room for {name} in {os.path.dirname(path)}")
            run(*command, path)
            os.utime(path, (FOREVER_AGO, FOREVER_AGO))
        if filesystem(path) != "tmpfs":
            run("cat", path)
        return path

    def generated(self, name, *arguments, packets=None):
        return self.made(name, PKTGEN, "--packets", str(packets or self.packets), *arguments)

    def big(self):
        return self.generated("big.pcap")

    def small(self):
        return self.generated("small.pcap", packets=self.files)

    def drop(self, *names):
        """Of what only one row needs."""
        for name in names:
            for folder in (self.work, self.disk):
                if os.path.exists(f"{folder}/{name}"):
                    os.unlink(f"{folder}/{name}")

    # ---- lines

    def in_turns(self, one, other):
        """A B A B ...: pairs of figures."""
        return [(one(), other()) for _ in range(self.rounds)]

    def report(self, what, pairs, unit, scale, baseline, reach=None, more=False):
        """Of pairs of figure and baseline; `more` is better."""
        ratios = [a / b for a, b in pairs]
        self.line({"what": what, "figure": statistics.median(a for a, _ in pairs) * scale,
                   "baseline": statistics.median(b for _, b in pairs) * scale, "unit": unit,
                   "baseline_is": baseline, "ratio": statistics.median(ratios), "ratio_min": min(ratios),
                   "ratio_max": max(ratios), "reach": reach, "more_is_better": more})

    def report_limit(self, what, figures, unit, limit, limit_is="limit"):
        """Of figures that have a fixed limit."""
        self.report(what, [(figure, limit) for figure in figures], unit, 1, limit_is, 1.0)

    def line(self, row):
        reach, ratio = row["reach"], row["ratio"]
        row["row"] = self.row
        row["reached"] = None if reach is None else ratio >= reach if row["more_is_better"] else ratio <= reach
        verdict = {None: "", True: "reached", False: "MISSED"}[row["reached"]]
        self.rows.append(row)
        print(f"{row['what']:52} {row['figure']:9.2f} {row['baseline']:9.2f} {row['unit']:10} {ratio:6.2f} "
              f"{'(%.2f to %.2f)' % (row['ratio_min'], row['ratio_max']):18} "
              f"{'' if reach is None else '%.2f' % reach:>5} {verdict:8} {row['baseline_is']}", flush=True)

    def skipped(self, why):
        self.rows.append({"row": self.row, "skipped": str(why)})
        print(f"{self.row}: SKIP: {why}", flush=True)

    def failed(self, why):
        self.rows.append({"row": self.row, "failed": str(why)})
        print(f"{self.row}: FAILED: {why}", flush=True)

    def heading(self):
        print(f"{self.packets} packets, {self.files} files, {self.rounds} rounds, {len(CORES)} cores, "
              f"{time.strftime('%Y-%m-%d')}, {version()}, captures on {filesystem(self.work)}\n"
              f"{'':52} {'figure':>9} {'baseline':>9} {'':10} {'ratio':>6} {'(least to most)':18} {'reach':>5}",
              flush=True)

    def write_json(self, path):
        with open(path, "w") as out:
            json.dump({"date": time.strftime("%Y-%m-%d"), "version": version(), "kernel": os.uname().release,
                       "cores": len(CORES), "packets": self.packets, "files": self.files,
                       "rounds": self.rounds, "captures_on": filesystem(self.work), "rows": self.rows},
                      out, indent=1)

    def write_markdown(self, path):
        def short(number):
            return f"{float(f'{number:.3g}'):g}"

        def cells(row):
            number = f"{short(row['figure'])} {row['unit']}"
            if row["baseline_is"] == "limit":
                return row["what"], number, "", "", f"{short(row['baseline'])} {row['unit']}"
            return (row["what"], number, f"{row['baseline_is']}: {short(row['baseline'])}",
                    f"{row['ratio']:.2f} ({row['ratio_min']:.2f} to {row['ratio_max']:.2f})",
                    "" if row["reach"] is None else f"{row['reach']:g}")

        lines = [("", "pktfs", "baseline", "ratio", "reach"), ("---",) * 5]
        lines += [cells(row) for row in self.rows if "what" in row]
        with open(path, "w") as out:
            out.writelines("| " + " | ".join(word.strip() for word in line) + " |\n" for line in lines)


class Mount:
    """A mount that lasts as long as the block; indexed, unless that is not waited for."""

    def __init__(self, bench, path, *options, indexed=True, prefix=(), lasting=False):
        self.path, self.indexed, self.mnt = path, indexed, bench.mnt
        self.command = (*prefix, PKTFS, *(() if lasting else bench.plain), *options, path, self.mnt)

    def __enter__(self):
        os.makedirs(self.mnt, exist_ok=True)
        start = time.perf_counter()
        run(*self.command)
        os.listdir(self.mnt)
        with open(f"{self.mnt}/packets/1", "rb") as packet:
            packet.read()
        self.seconds = time.perf_counter() - start
        while self.indexed and read(f"{self.mnt}/info/state") == "indexing\n":
            time.sleep(0.001)
        self.seconds_indexed = time.perf_counter() - start
        return self

    def __exit__(self, *_):
        run(PKTFS, "-u", self.mnt)
        while os.path.ismount(self.mnt):
            time.sleep(0.001)

    def memory(self):
        """MiB of all processes that serve this mount. Pages of files are not counted, on tmpfs neither:
        they are those of the capture, and the kernel's."""
        kib = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = read(f"/proc/{pid}/cmdline").split("\0")
                if words[0] == PKTFS and self.mnt in words:
                    kib += sum(int(line.split()[1]) for line in read(f"/proc/{pid}/status").splitlines()
                               if line.startswith("RssAnon:"))
            except (OSError, IndexError):
                pass
        if not kib:
            raise RuntimeError("no daemon")
        return kib / 1024

    def most_memory(self, *command):
        """The most of it that is seen while a command runs."""
        most, done = [self.memory()], threading.Event()

        def look():
            while not done.wait(0.02):
                most.append(self.memory())
        thread = threading.Thread(target=look)
        thread.start()
        try:
            run(*command)
        finally:
            done.set()
            thread.join()
        return max(*most, self.memory())


def run(*argv, **how):
    how.setdefault("stdout", subprocess.DEVNULL)
    return subprocess.run(argv, check=True, **how)


def output(*argv):
    return run(*argv, stdout=subprocess.PIPE, text=True).stdout


def seconds(*argv, status=(0,)):
    """A whole process, from exec to exit; `status`: what it may exit with."""
    start = time.perf_counter()
    done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    end = time.perf_counter()
    if done.returncode not in status:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr}")
    return end - start


def read(path):
    with open(path) as file:
        return file.read()


def filesystem(path):
    return output("stat", "-f", "-c", "%T", path).strip()


def version():
    return output(PKTFS, "--version").splitlines()[0]


def have(tool):
    return shutil.which(tool) is not None


def evict(path):
    """Takes a file out of the page cache, and makes sure of it."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)
    if in_cache(path) and os.geteuid() == 0:
        with open("/proc/sys/vm/drop_caches", "w") as drop:
            drop.write("1\n")
    if in_cache(path):
        raise Skip(f"{path} does not leave the page cache, and only root can drop all of that")


def in_cache(path):
    return int(output("fincore", "-nb", "-o", "RES", path))
