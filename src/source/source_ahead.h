/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decompresses frames ahead of those who go through them in order, by threads of
 * its own, into the frame cache:
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
#include "util/util_table.h"

/* More do not help: one who goes through the bytes is no faster than these. */
#define SOURCE_AHEAD_THREADS 4u

/* What is wanted at a time: two frames for each thread or, of small ones, so many
 * bytes; never more than half of the cache. */
#define SOURCE_AHEAD_BYTES  ((uint64_t)2 << 20)
#define SOURCE_AHEAD_FRAMES 32u

/* A thread ends when it had nothing to do for so long: there may be many sources. */
#define SOURCE_AHEAD_IDLE_S 2

struct source_ahead {
	struct source_cache *cache;
	struct table *frames;  /* of struct source_frame */
	unsigned thread_limit; /* 0: nothing is done */

	pthread_mutex_t lock; /* of all below; taken before that of the cache */
	pthread_cond_t changed;
	struct source_ahead_thread {
		struct source_ahead *ahead;
		pthread_t thread;
		bool started, done; /* done: it waits to be joined */
	} threads[SOURCE_AHEAD_THREADS];
	unsigned active; /* threads that are not done */
	uint64_t wanted[SOURCE_AHEAD_FRAMES]; /* a ring of indices */
	unsigned first, count;
	bool ending;
};

void source_ahead_init(struct source_ahead *ahead, struct source_cache *cache, struct table *frames,
		       unsigned thread_limit);
/* The cache is cancelled by then. */
void source_ahead_fini(struct source_ahead *ahead);

/* Somebody is about to get frame `index` of the `count` in the table: any thread. */
void source_ahead_step(struct source_ahead *ahead, uint64_t index, uint64_t count);

#endif
