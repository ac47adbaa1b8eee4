/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The members of a set among SET_CHUNK consecutive packet numbers, in the
 * smallest of four forms. Members are counted from 0 inside the chunk.
 *
 *	nothing     count 0
 *	everything  `full` consecutive members from 0 on, no memory
 *	a list      up to CHUNK_LIST_MAX 16-bit numbers
 *	bits        8 KiB
 */
#ifndef SET_CHUNK_H
#define SET_CHUNK_H

#include "set.h"
#include "set_tally.h"

#define CHUNK_WORDS    (SET_CHUNK / 64)
#define CHUNK_LIST_MAX 4096u

/* What packets add up to. */
struct chunk_counts {
	uint64_t packets, captured_bytes, original_bytes;
	uint64_t limited; /* packets beside them, given up at a match limit */
	bool has_time;
	struct pktfs_time first_time, last_time, min_time, max_time;
};

struct set_chunk {
	uint32_t count;
	bool full;      /* the members are 0 .. count - 1 */
	uint16_t *list; /* or */
	uint64_t *bits;
	int64_t *minutes; /* of the members, since 1970, in order, each once */
	uint32_t minute_count;
	/* of those members that are not published yet */
	struct chunk_counts counts;
	struct chunk_tally tally;
};

/* Packs the bits of `words` (CHUNK_WORDS) into the members of `chunk`, whose
 * other fields are kept. 0 or -ENOMEM. */
int chunk_pack(struct set_chunk *chunk, const uint64_t *words);
void chunk_unpack(const struct set_chunk *chunk, uint64_t *words);
/* Adds members that are all behind those of `into`, with all that is known of
 * them; `from` is empty then. 0, or -ENOMEM: both are as they were. */
int chunk_merge(struct set_chunk *into, struct set_chunk *from);
void chunk_free(struct set_chunk *chunk);
uint64_t chunk_memory(const struct set_chunk *chunk);

/* Notes a member's minute: `minutes` is then neither in order nor unique until
 * chunk_sort_minutes. 0 or -ENOMEM. */
int chunk_add_minute(struct set_chunk *chunk, int64_t minute);
void chunk_sort_minutes(struct set_chunk *chunk);

void chunk_count(struct chunk_counts *counts, const struct pktfs_packet *packet);
/* Adds what is counted of packets that are all behind those of `into`. */
void chunk_counts_add(struct chunk_counts *into, const struct chunk_counts *behind);

/* The first member that is `member` or more; SET_CHUNK: none. */
uint32_t chunk_next(const struct set_chunk *chunk, uint32_t member);
/* The member with `rank` (below count) members before it. */
uint32_t chunk_select(const struct set_chunk *chunk, uint32_t rank);
/* Up to `room` members that are `member` or more, each plus `base`: how many. */
size_t chunk_members(const struct set_chunk *chunk, uint32_t member, uint64_t base, uint64_t *ret,
		     size_t room);
/* How many members are below `member` (0 to SET_CHUNK). */
uint32_t chunk_rank(const struct set_chunk *chunk, uint32_t member);

#endif
