#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reads files in an order and compares them with the right ones.

    pushed_read.py DIR RIGHT ORDER THREADS [--map] [--forget]

ORDER: up, down, random. Each thread takes the next file. --map: reads through
mmap. --forget: the kernel is told to drop pages again, of files behind and ahead.
"""
import mmap
import os
import random
import sys
import threading

folder, right, order, threads = sys.argv[1:5]
names = sorted(os.listdir(folder))
wanted = sorted(os.listdir(right))
if names != wanted:
    sys.exit(f"{len(names)} files instead of {len(wanted)}")
for name in names:  # who sorts them looks at each
    os.stat(f"{folder}/{name}")
if order == "down":
    names.reverse()
elif order == "random":
    random.Random(1).shuffle(names)
places = iter(enumerate(names))
lock = threading.Lock()
wrong = []


def read(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        if "--map" in sys.argv and size:
            with mmap.mmap(fd, size, prot=mmap.PROT_READ) as memory:
                return memory[:]
        return os.read(fd, size + 1)
    finally:
        os.close(fd)


def forget(name):
    fd = os.open(f"{folder}/{name}", os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def work():
    while True:
        with lock:
            at, name = next(places, (None, None))
        if name is None:
            return
        if "--forget" in sys.argv and at % 50 == 0:
            for other in names[max(0, at - 100):at + 200]:
                forget(other)
        with open(f"{right}/{name}", "rb") as file:
            if read(f"{folder}/{name}") != file.read():
                wrong.append(name)


readers = [threading.Thread(target=work) for _ in range(int(threads))]
for reader in readers:
    reader.start()
for reader in readers:
    reader.join()
if wrong:
    sys.exit(f"{len(wrong)} of {len(names)} are wrong: {sorted(wrong)[:3]}")
