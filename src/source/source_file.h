/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources whose bytes are all there from the start: regular files and block
 * devices, mapped or read by pread(2), and memory.
 *
 * A mapped file lends pointers into the map. Once the map was hit (a fault, or
 * a file that is shorter than what was lent), the source reads by pread for
 * ever after: slower, and always the truth.
 *
 * A file that grows is mapped with room behind its end: pages become valid as
 * it grows over them, nothing is ever remapped, and a lent pointer stays. What
 * is behind the room is read by pread.
 */
#ifndef SOURCE_FILE_H
#define SOURCE_FILE_H

#include "source.h"

/* Address space behind the end of a file that grows, or what a limit (RLIMIT_AS)
 * leaves: a quarter of it, and so on. */
#define SOURCE_FILE_ROOM ((uint64_t)64 << 30)

/* Takes over `fd` when it returns 0. Only a regular file may be `growing`. */
int source_file_open(int fd, uint64_t size, bool no_mmap, bool growing, struct source **ret);
int source_memory_open(const void *bytes, size_t size, struct source **ret);

/* pread(2) of all `size` bytes: 0; -EIO, also when there are fewer. *ret_done
 * (may be NULL) says how many there were. */
int source_pread(int fd, uint64_t offset, void *bytes, size_t size, size_t *ret_done);

/* Lends a copy of `size` bytes at `offset` of a descriptor, or of some more
 * that lie below `limit`. */
int source_lend_copy(int fd, uint64_t offset, size_t size, uint64_t limit, struct pktfs_loan *ret);

#endif
