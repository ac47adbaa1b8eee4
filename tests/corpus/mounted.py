# SPDX-License-Identifier: BSD-2-Clause
"""A capture, mounted for the length of a `with`; its daemon must end with 0 and
say nothing."""
import os
import shutil
import subprocess
import tempfile
import time

import facts
from facts import expect


# The search for leaks at the end of a program is made by a process that traces it.
SANITIZED = ["-o", "nosandbox"] if "ASAN_OPTIONS" in os.environ else []


def kept_index(path):
    """Of tests/run --with index: the file, and when it was made."""
    if os.environ.get("PKTFS_TEST_WITH") != "index":
        return None
    st = os.stat(path)
    try:
        index = os.stat(os.path.join(os.environ["XDG_CACHE_HOME"], "pktfs", f"{st.st_dev:x}-{st.st_ino:x}.index"))
    except FileNotFoundError:
        return None
    return index.st_ino, index.st_mtime_ns


class Mounted:
    def __init__(self, path, *options):
        self.path, self.options = path, [*SANITIZED, *options]

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="pktfs-corpus.")
        self.mnt = os.path.join(self.folder, "mnt")
        os.mkdir(self.mnt)
        self.words = open(os.path.join(self.folder, "stderr"), "w+")
        self.daemon = subprocess.Popen([f"{facts.BUILD}/pktfs", "-f", *self.options, self.path, self.mnt],
                                       stdin=subprocess.DEVNULL, stdout=self.words, stderr=self.words)
        try:
            end = time.monotonic() + 30
            while not os.path.ismount(self.mnt):
                expect(self.daemon.poll() is None, f"the daemon ended: {self.said()}")
                expect(time.monotonic() < end, "not mounted after 30 s")
                time.sleep(0.005)
            self.index = kept_index(self.path)
            while self.info("state") == "indexing":
                expect(time.monotonic() < end, "not indexed after 30 s")
                time.sleep(0.005)
        except BaseException:
            self.clean_up()
            raise
        return self

    def info(self, name):
        with open(os.path.join(self.mnt, "info", name), encoding="utf-8") as value:
            return value.read().removesuffix("\n")

    def expect_index_used(self):
        """Another is kept of what has packets when the index was not used."""
        plain = self.info("compression") == "none" and self.info("packets") != "0"
        if os.environ.get("PKTFS_TEST_WITH") == "index":
            expect("index" not in self.info("log"), f"info/log: {self.info('log')}")
            expect(self.index or not plain, "there was no index")

    def said(self):
        self.words.seek(0)
        return self.words.read().strip()

    def clean_up(self):
        """Returns the exit code."""
        if os.path.ismount(self.mnt):
            subprocess.run([f"{facts.BUILD}/pktfs", "-u", self.mnt], capture_output=True)
        try:
            code = self.daemon.wait(20)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            code = self.daemon.wait()
        # what a daemon that died leaves behind is no mountpoint to os.path.ismount
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
            if f" {self.mnt} " in mounts.read():
                subprocess.run(["fusermount3", "-uz", self.mnt], capture_output=True)
        self.text = self.said()
        self.words.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return code

    def __exit__(self, kind, value, trace):
        if kind is None:
            try:
                self.expect_index_used()
            except BaseException:
                self.clean_up()
                raise
        code = self.clean_up()
        if kind is None:
            expect(code == 0, f"the daemon ended with {code}: {self.text[-500:]}")
            expect(not self.text, f"the daemon said: {self.text[-500:]}")
            expect(kept_index(self.path) == self.index, "the index that was kept was not used")
