/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Full buffers on their way out: one thread fills them, and another one of this
 * module's writes them, in order.
 *
 *	source_spill_swap      gives a full buffer for an empty one
 *	source_spill_drain     waits until all are written
 *	source_spill_end       the same, and ends the thread
 *
 * The buffers are few and small, so that they stay in the caches of the
 * processor: decompressing into fresh memory takes twice as long. The one that
 * was emptied last is the first to be filled again.
 *
 * All functions are for the thread that fills.
 */
#ifndef SOURCE_SPILL_H
#define SOURCE_SPILL_H

#include "util/util_base.h"

#define SOURCE_SPILL_BUFFERS 8u

struct source_spill_bytes {
	uint8_t *bytes;
	size_t size;
	uint64_t end; /* as given to source_spill_swap */
};

struct source_spill {
	/* 0, or an error, after which nothing more is written */
	int (*write)(void *context, const struct source_spill_bytes *bytes);
	void *context;
	size_t room; /* of each buffer */

	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	struct source_spill_bytes queue[SOURCE_SPILL_BUFFERS]; /* a ring */
	unsigned first, queued; /* the one that is being written is among them */
	uint8_t *idle[SOURCE_SPILL_BUFFERS];
	unsigned idle_count, made;
	bool ending;
	int error;
};

void source_spill_init(struct source_spill *spill, size_t room);
/* Starts the thread; once, or again after source_spill_end. Negative errno. */
int source_spill_start(struct source_spill *spill);

/*
 * *buffer, with `size` bytes in it, is written, and comes to an end at `end`;
 * *buffer is an empty one then. Waits while all of them are full. 0; or -ENOMEM,
 * or what a write returned: nothing was taken.
 */
int source_spill_swap(struct source_spill *spill, uint8_t **buffer, size_t size, uint64_t end);
int source_spill_drain(struct source_spill *spill);

/* Frees the buffers too, but for the caller's. Not running: does nothing. */
void source_spill_end(struct source_spill *spill);
void source_spill_fini(struct source_spill *spill);

#endif
