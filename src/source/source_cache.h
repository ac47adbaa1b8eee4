/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decompressed frames that are kept, least recently used first to go. Each is
 * decompressed by one thread at a time, with no lock held, while others who
 * want it wait; loans keep a frame's bytes alive beyond its time in the cache.
 *
 * What is being decompressed counts from its start, and with its compressed form
 * no more than seven eighths of the cache are in that state: many readers of
 * different frames must not make the process larger than the bound that the user
 * gave. (Two frames of 8 MiB fit into the 32 that are usual.)
 */
#ifndef SOURCE_CACHE_H
#define SOURCE_CACHE_H

#include <sys/queue.h>

#include "source_piece.h"

/* An entry of the frame table: frames that are decompressed together, or a run
 * of bytes that are in the spool. Does not change but for `item`. */
struct source_frame {
	uint64_t packed_at;             /* offset in the file */
	uint64_t start;                 /* offset of the first byte in the decoded bytes */
	uint64_t spool_at;              /* of a run: offset in the spool */
	uint32_t packed;                /* bytes in the file */
	uint32_t length;                /* decoded; 0: a run, which reaches to the next entry */
	struct source_cache_item *item; /* under the cache's lock; NULL: not kept */
};

TAILQ_HEAD(source_cache_list, source_cache_item);

struct source_cache {
	/* Decompresses a frame into a piece with room for it. A damaged frame
	 * is a success with fewer bytes: those before it in its group. */
	int (*load)(void *context, const struct source_frame *frame, struct source_piece *piece);
	/* Optional: what was loaded ahead of those who want it; with no lock held */
	void (*loaded)(void *context, const struct source_frame *frame,
		       struct source_piece *piece);
	void *context;
	uint64_t limit;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	uint64_t bytes;   /* of frames, those that are being loaded too */
	uint64_t loading; /* bytes and compressed bytes of the latter */
	uint64_t fresh;   /* bytes that were put there, and nobody has got yet */
	bool cancelled;
	struct source_cache_list list; /* loaded ones, least recently used first */
};

void source_cache_init(struct source_cache *cache, uint64_t limit);
void source_cache_fini(struct source_cache *cache);
/* Wakes those who wait for a frame, with -ECANCELED. */
void source_cache_cancel(struct source_cache *cache);

/* A reference to the bytes of a frame, for the caller to give back. 0, or an
 * error: that of load, -ENOMEM, -ECANCELED. */
int source_cache_get(struct source_cache *cache, struct source_frame *frame,
		     struct source_piece **ret);

/* Loads a frame that is not there, ahead of those who want it: 0, also when another
 * thread does or has done that, or an error. */
int source_cache_load(struct source_cache *cache, struct source_frame *frame);
/*
 * For who loads frames himself, before they are in the frame table: room for `size`
 * bytes counts as taken, and is there (NULL: no memory), until source_cache_unreserve
 * gives it back, with the reference; or source_cache_put, which keeps the bytes of a
 * frame that nobody knows yet.
 */
struct source_piece *source_cache_reserve(struct source_cache *cache, size_t size);
void source_cache_unreserve(struct source_cache *cache, size_t size, struct source_piece *piece);
void source_cache_put(struct source_cache *cache, struct source_frame *frame,
		      struct source_piece *piece, size_t reserved);

/*
 * Waits until somebody has got what was put there, but for `most` bytes: frames that are
 * gone before he comes are loaded again, and he who is late would be ever later. If
 * nobody comes for a while, none of that counts any more.
 */
#define SOURCE_CACHE_WAIT_NS 50000000
void source_cache_wait_used(struct source_cache *cache, uint64_t most);

/* Who goes through the frames in order has left it behind: it is the first to go, so that
 * the next ones come into its memory, which the processor has in its cache, and not into
 * all of the frame cache in turns. */
void source_cache_pass(struct source_cache *cache, const struct source_frame *frame);

/* Is it there, or being loaded? And has nobody got it yet since? */
bool source_cache_has(struct source_cache *cache, const struct source_frame *frame);
bool source_cache_is_new(struct source_cache *cache, const struct source_frame *frame);

#endif
