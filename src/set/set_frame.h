/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of a pcapng file that is made: all its blocks but the packets. It
 * must be looked at to know its size: few blocks mostly, but there are captures
 * with a million sections. So that is done in steps of FRAME_MS, and what can
 * not change any more is not looked at again when the capture has grown:
 *
 *	SHB IDB .. NRB .. ISB .. | SHB IDB .. | NRB DSB NRB ..| .. ISB
 *	 sections that are over  ^ start      ^    extras     ^ next
 */
#ifndef SET_FRAME_H
#define SET_FRAME_H

#include "set_encoder.h"
#include "set_place.h"

struct set;

struct set_frame {
	bool busy; /* a thread measures it; pool lock */
	bool begun, known;
	uint64_t first_interface; /* the first that is used */
	/* what it is, or was begun to be, measured for */
	struct set_frame_key {
		uint64_t packets, metadata, statistics;
	} key;
	struct set_place place; /* how far that has come; its end, once known */
	struct set_place start; /* before the section that `place` is in */
	/* the extras of that section, as far as they were looked at */
	struct set_frame_extras {
		bool begun;
		uint64_t at, bytes;
		uint64_t next; /* metadata block */
	} extras;
};

/* The bytes of the frame of a set as `encoder` has it: 0; -EAGAIN: to be asked
 * again; or what failed. The set must not be dropped meanwhile. */
int set_frame_measure(struct set *set, const struct set_encoder *encoder, uint64_t *ret);

/* With the pool's lock held: whether the frame (NULL: never asked for) is known for a
 * capture of so many packets and metadata blocks; its bytes. */
bool set_frame_known(const struct set_frame *frame, uint64_t packets, uint64_t metadata,
		     uint64_t *ret);

#endif
