# SPDX-License-Identifier: BSD-2-Clause
"""cut_pinned.py FILE CAPTURE RIGHT FROM SIZE: reads FILE, of which CAPTURE is the source, to its end or an error; once
FROM bytes were read, CAPTURE is cut to SIZE. What was read must be as in RIGHT: what is gone is an error, never zeros."""
import os
import sys
import threading

path, capture, right, start, size = *sys.argv[1:4], *map(int, sys.argv[4:])
begun = threading.Event()


def cut():
    begun.wait()
    os.truncate(capture, size)


thread = threading.Thread(target=cut)
thread.start()
with open(right, "rb") as file:
    wanted = file.read()
got, error = bytearray(), None
fd = os.open(path, os.O_RDONLY)
try:
    while piece := os.read(fd, 1 << 18):
        got += piece
        if len(got) >= start:
            begun.set()
except OSError as failure:
    error = failure
thread.join()
if bytes(got) != wanted[:len(got)]:
    at = next(i for i, (a, b) in enumerate(zip(got, wanted)) if a != b)
    sys.exit(f"other bytes from {at} of {len(got)} on; cut to {size}")
if error and error.strerror != "Input/output error":
    sys.exit(f"{error}")
