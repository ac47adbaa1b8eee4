/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has frames decompressed ahead of those who go through them in order, into the
 * frame cache:
 *
 *	frames    | cached | cached | i | i + 1 | i + 2 | i + 3 |
 *	                              ^   `-- wanted, decompressed by the threads
 *	          somebody comes to it for the first time
 *
 * Nobody says that he reads in order: it is so when the frames in front of the
 * one that he comes to are in the cache, and the longer their run, the more are
 * wanted. So any number of readers are served, and one who jumps about is not.
 */
#ifndef SOURCE_AHEAD_H
#define SOURCE_AHEAD_H

#include "source_cache.h"
#include "source_pool.h"
#include "util/util_table.h"

/* What lies so far behind the one that somebody comes to, he has passed; others who go
 * the same way side by side with him may still be there before. */
#define SOURCE_AHEAD_BEHIND ((uint64_t)4 << 20)

/* What is wanted at a time: two frames for each thread or, of small ones, so many
 * bytes; never more than half of the cache. */
#define SOURCE_AHEAD_BYTES  ((uint64_t)2 << 20)
#define SOURCE_AHEAD_FRAMES 32u

struct source_ahead {
	struct source_pool *pool;
	struct source_cache *cache;
	struct table *frames; /* of struct source_frame */
};

/* Somebody is about to get frame `index` of the `count` in the table: any thread. */
void source_ahead_step(struct source_ahead *ahead, uint64_t index, uint64_t count);

#endif
