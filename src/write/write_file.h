/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file below a writer: bytes go to its end, all of them or none.
 */
#ifndef WRITE_FILE_H
#define WRITE_FILE_H

#include "util/util_base.h"

struct write_file {
	int fd;
	int directory;   /* -1, or to be synchronised after a file was made in it */
	uint64_t end;    /* where the last good record ends */
	bool dirty;      /* there may be bytes behind it that we could not cut off */
	bool had_name;   /* memfds never have one */
};

/* `size` bytes to the end, by one write. After a failure the file ends where it
 * did; if even that fails, the next call tries again. */
int write_file_put(struct write_file *file, const void *bytes, size_t size,
		   struct pktfs_error *ret_error);

/* Takes back what a failed call has left behind the last good record. */
int write_file_settle(struct write_file *file, struct pktfs_error *ret_error);

/* Replaces bytes, by one write. */
int write_file_patch(struct write_file *file, uint64_t offset, const void *bytes, size_t size,
		     struct pktfs_error *ret_error);

/* All of `size` bytes at `offset`; fewer only at the end of the file. */
int64_t write_pread(int fd, uint64_t offset, void *bytes, size_t size);
int write_pwrite(int fd, uint64_t offset, const void *bytes, size_t size);

/* The directory that `path` is in, for fsync. A descriptor or negative errno. */
int write_open_directory(const char *path);

#endif
