/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must be known of the packets of a set to say how large its capture file
 * is without another pass: counted while the set is evaluated, chunk by chunk,
 * and added up when a chunk is published.
 *
 *	tally_begin(&counter, &chunk_tally);
 *	tally_packet(&counter, packet); ...    for each member
 *	tally_end(&counter);
 *	chunk_tally_merge(&of_more, &chunk_tally);
 *	tally_merge(&set_tally, &chunk_tally);
 *
 * Link types behind the first TALLY_LINKS are not told apart: pktfs_link_type_get
 * knows no more of them either.
 */
#ifndef SET_TALLY_H
#define SET_TALLY_H

#include "pktfs/capture.h"
#include "util/util_base.h"

#define TALLY_LINKS 64u

struct tally_link {
	struct pktfs_link_type type;
	uint32_t max_captured;
};

/* Of a chunk. */
struct chunk_tally {
	uint64_t block_bytes; /* of the members as pcapng blocks */
	struct tally_link *links;
	uint32_t link_count;
	uint32_t interface_count, interface_room;
	uint64_t *interfaces; /* in no order; each once, until it is merged */
};

/* Interfaces by their number over the whole capture. */
struct interface_set {
	uint64_t *words;
	uint64_t count; /* words */
};

/* Of a set. */
struct set_tally {
	uint64_t block_bytes;
	struct tally_link *links;
	uint32_t link_count;
	struct interface_set interfaces;
};

/* What a thread keeps between packets. */
struct tally_counter {
	pktfs_capture *capture;
	struct chunk_tally *tally;
	uint64_t interface;      /* of the last packet; UINT64_MAX: none */
	struct tally_link *link; /* its link type; NULL: not told apart */
	struct interface_set seen;
};

void tally_begin(struct tally_counter *counter, struct chunk_tally *tally);
/* 0 or -ENOMEM. */
int tally_packet(struct tally_counter *counter, const struct pktfs_packet *packet);
void tally_end(struct tally_counter *counter);
void tally_counter_free(struct tally_counter *counter);

void chunk_tally_free(struct chunk_tally *tally);
uint64_t chunk_tally_memory(const struct chunk_tally *tally);

/* 0, or -ENOMEM: nothing was counted. */
int chunk_tally_merge(struct chunk_tally *into, const struct chunk_tally *from);
int tally_merge(struct set_tally *set, const struct chunk_tally *chunk);
void set_tally_free(struct set_tally *tally);
uint64_t set_tally_memory(const struct set_tally *tally);
const struct tally_link *set_tally_link(const struct set_tally *tally, uint16_t link_type);

/* 0 or -ENOMEM. */
int interface_set_add(struct interface_set *set, uint64_t interface);
/* The first that is `interface` or more; UINT64_MAX: none. */
uint64_t interface_set_next(const struct interface_set *set, uint64_t interface);
uint64_t interface_set_last(const struct interface_set *set);

static inline bool interface_set_has(const struct interface_set *set, uint64_t interface)
{
	return interface / 64 < set->count && set->words[interface / 64] >> interface % 64 & 1;
}

/* How long the block of a packet is in a pcapng file that is made. */
uint64_t tally_block_size(const struct pktfs_packet *packet);

#endif
