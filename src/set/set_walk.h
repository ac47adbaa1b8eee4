/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks over a virtual capture file piece by piece: a piece is a header, a
 * block or a record. The order for each section of a pcapng file:
 *
 *	SHB | IDB .. | NRB, DSB, CB .. | packets .. | ISB ..
 *
 *	set_walk_begin(&walk, &encoder, capture, set, place);
 *	while ((r = set_walk_look(&walk)) == 1) {
 *		... walk.size bytes at walk.at.offset: set_walk_parts ...
 *		r = set_walk_step(&walk);
 *	}
 *	set_walk_end(&walk);
 *
 * Each step costs about the same, so that a walk can start at any place that
 * another one has passed; to that end some pieces have no bytes (a packet of
 * another link type, a block that is not copied, a change of phase).
 */
#ifndef SET_WALK_H
#define SET_WALK_H

#include "set.h"
#include "set_encoder.h"
#include "set_place.h"

#define WALK_BATCH 128u

/* PHASE_EXTRAS: the section's first metadata block is still to be found. */
#define WALK_NOT_KNOWN UINT64_MAX

struct set_walk {
	const struct set_encoder *encoder;
	pktfs_capture *capture;
	struct set *set;     /* NULL: all packets */
	bool frame_only;     /* all but the packets */
	struct set_place at; /* of the piece */
	uint64_t size;       /* of the piece */
	/* private */
	struct set_place after;
	bool record;         /* the piece is that of `packet` */
	const struct pktfs_packet *packet;
	struct pktfs_block block; /* lent while `lent` */
	bool lent;
	struct text text;
	pktfs_iterator *iterator;
	uint64_t iterator_next; /* the packet that it gives next; 0: not known */
	struct {
		bool known, big_endian;
		uint32_t number;
		uint64_t first, end; /* its interfaces */
	} section;
	struct {
		uint64_t section, block;
	} metadata; /* block is the first of that section or of a later one */
	unsigned member_count, member_at;
	uint64_t members[WALK_BATCH];
};

struct set_part {
	const void *bytes;
	size_t size;
};

/* Where the file begins. */
int set_walk_start(const struct set_encoder *encoder, pktfs_capture *capture,
		   struct set_place *ret);

void set_walk_begin(struct set_walk *walk, const struct set_encoder *encoder,
		    pktfs_capture *capture, struct set *set, const struct set_place *place);
/* -EIO: what was lent of the last piece was changed meanwhile. */
int set_walk_end(struct set_walk *walk);

/* Looks at the next piece. 1, 0 at the end of the file, -EAGAIN: the set has
 * lost what was evaluated, and is wanted; -EIO, -EBADMSG, -ENOMEM. */
int set_walk_look(struct set_walk *walk);

/* The bytes of the piece that was looked at, at most `room` parts (a call for
 * each 3): lent until the next step. Returns how many. */
#define WALK_PARTS 3
int set_walk_parts(struct set_walk *walk, struct set_part parts[WALK_PARTS]);

/* Goes past the piece that was looked at. 0, or -EIO: what was lent of it was
 * changed meanwhile. */
int set_walk_step(struct set_walk *walk);

/* Goes on from another place. */
void set_walk_jump(struct set_walk *walk, const struct set_place *place);

/* Whether the records so far were what the file holds: 0 or -EIO. */
int set_walk_verify(struct set_walk *walk);

#endif
