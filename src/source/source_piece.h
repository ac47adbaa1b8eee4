/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that a loan holds on to: a copy, or a decompressed frame. Counted, and
 * freed with the last reference. Large ones are mapped, so that they leave the
 * process when they are freed, and the bound of the frame cache is one.
 */
#ifndef SOURCE_PIECE_H
#define SOURCE_PIECE_H

#include <stdatomic.h>

#include "util/util_base.h"

struct source_piece {
	atomic_uint refs;
	bool mapped;
	void *_Atomic notes; /* source_take_notes */
	size_t room; /* of `bytes` */
	size_t size; /* how many of them are filled */
	_Alignas(16) uint8_t bytes[];
};

/* Room for `room` bytes, and one reference; NULL without memory. */
struct source_piece *source_piece_new(size_t room);
struct source_piece *source_piece_ref(struct source_piece *piece);
/* Gives back what a large one does not need, if that is the larger part of it. */
void source_piece_trim(struct source_piece *piece);
/* The reference is the only one: it is as new. */
void source_piece_clear(struct source_piece *piece);
/* NULL is allowed. */
void source_piece_unref(struct source_piece *piece);

static inline void source_piece_unref_at(struct source_piece **piece)
{
	source_piece_unref(*piece);
}
#define _cleanup_piece_ _cleanup_(source_piece_unref_at)

#endif
