/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a program has a file open for writing.
 *
 * The kernel tells by a read lease, which it gives only where nobody has. It is
 * given back at once; a writer that opens the file in these microseconds waits
 * for that (and one that opens with O_NONBLOCK fails), so ask seldom where
 * nobody writes. A lease is given to the owner of the file and to CAP_LEASE, and
 * not by every file system.
 */
#ifndef CAPTURE_WRITER_H
#define CAPTURE_WRITER_H

/* A descriptor of its own to ask with, of the file that `descriptor` is, to be
 * closed; -1: none can be had, as in a sandbox, where source_written may know. */
int capture_writer_open(int descriptor);

/* 1, 0, or -1: not known. */
int capture_writer_there(int writer);

#endif
