/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An unlinked temporary file which one thread appends to and many read while
 * it grows.
 *
 * Address space is reserved by mapping far beyond the end of the file, so
 * nothing is ever remapped and a lent pointer stays: pages become valid as the
 * file grows over them.
 *
 *	file    |#########|
 *	map 0   |#########.......... 64 GiB ........|   map 1, when it is needed
 *
 * What has been written, and how far readers may go, is published by the
 * source that the spool belongs to.
 */
#ifndef SOURCE_SPOOL_H
#define SOURCE_SPOOL_H

#include <stdatomic.h>

#include "source.h"

/* 16 TiB in the largest steps; behind the last, and where no address space can
 * be reserved, reads are copies by pread(2). */
#define SOURCE_SPOOL_STEPS 256

/*
 * A spool must not fill the disk under the feet of others: so much of its file
 * system stays free. Asked each time SOURCE_SPOOL_CHECK bytes were written.
 */
#define SOURCE_SPOOL_KEEP_FREE      ((uint64_t)256 << 20)
#define SOURCE_SPOOL_KEEP_FREE_PART 20 /* or a twentieth, where that is less */
#define SOURCE_SPOOL_CHECK          ((uint64_t)16 << 20)

struct source_fault;

struct source_spool {
	struct source_opener opener; /* of the file; may be set before it is opened */
	int fd;           /* -1: not open */
	uint64_t written; /* the writer's */
	uint64_t checked;
	bool no_more_maps;
	unsigned step_shift; /* a step is 1 << step_shift bytes; 0: no maps */
	struct source_spool_step {
		uint8_t *_Atomic map; /* set before the bytes in it are published */
		struct source_fault *fault;
	} steps[SOURCE_SPOOL_STEPS]; /* the first that is NULL ends them */
};

void source_spool_init(struct source_spool *spool);
/* `dir` NULL: $TMPDIR, or /var/tmp. */
int source_spool_open(struct source_spool *spool, const char *dir, struct pktfs_error *ret_error);
/* The file itself: a descriptor or negative errno. */
int source_spool_make(const char *dir);
void source_spool_close(struct source_spool *spool);

/* Appends. 0; -EFBIG when too little of the file system would be left free;
 * -ENOSPC and others from the system. */
int source_spool_write(struct source_spool *spool, const void *bytes, size_t size);

/* Lends `size` bytes at `offset`, and up to `limit` what follows them; all of
 * that was published. */
int source_spool_borrow(struct source_spool *spool, uint64_t offset, size_t size, uint64_t limit,
			struct pktfs_loan *ret);
/* -EIO when the disk failed under the maps. */
int source_spool_verify(const struct source_spool *spool);

#endif
