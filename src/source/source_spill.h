/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Full buffers on their way out: one thread fills them, and whoever waits for what
 * is in them writes them, in order. If nobody does, who fills them writes one
 * himself when there is no empty one left.
 *
 *	source_spill_swap      gives a full buffer for an empty one
 *	source_spill_drain     waits until all are written
 *	source_spill_end       the same, and frees them
 *
 *	source_spill_offers    is there one to be written, which nobody does?
 *	source_spill_help      writes it
 *
 * One waits and helps, the thread of the index. A second one would be offered nothing
 * while the first writes, and not be told of the next buffer until one is filled.
 *
 * So there is no third thread beside the one that decompresses and the one that goes
 * through the bytes: with two processors one of those would be kept from its work,
 * and a buffer would be read by the one and walked over by another.
 *
 * The buffers are few and small, so that they stay in the caches of the
 * processor: decompressing into fresh memory takes twice as long. The one that
 * was emptied last is the first to be filled again.
 *
 * The first three are for the thread that fills, the others for any.
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
	/* 0, or an error, after which nothing more is written; by one thread at a time */
	int (*write)(void *context, const struct source_spill_bytes *bytes);
	void *context;
	size_t room; /* of each buffer */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	struct source_spill_bytes queue[SOURCE_SPILL_BUFFERS]; /* a ring */
	unsigned first, queued; /* the one that is being written is among them */
	bool writing;
	uint8_t *idle[SOURCE_SPILL_BUFFERS];
	unsigned idle_count, made;
	int error;
};

void source_spill_init(struct source_spill *spill, size_t room);
void source_spill_fini(struct source_spill *spill);

/*
 * *buffer, with `size` bytes in it, will be written, and comes to an end at `end`;
 * *buffer is an empty one then. Returns how many wait to be written; or -ENOMEM, or
 * what a write returned: nothing was taken.
 */
int source_spill_swap(struct source_spill *spill, uint8_t **buffer, size_t size, uint64_t end);
int source_spill_drain(struct source_spill *spill);

/* All but the caller's buffer. */
void source_spill_end(struct source_spill *spill);

bool source_spill_offers(struct source_spill *spill);
void source_spill_help(struct source_spill *spill);

#endif
