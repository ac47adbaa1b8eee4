/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the pieces of a virtual capture lie: the place of each 2^shift-th step
 * of a walk over it, found by a thread that walks it once, and published by a
 * count.
 *
 *	steps   0 .. 63 | 64 .. 127 | 128 ..       shift 6
 *	places  start     p1          p2
 *
 * Where a span gives no bytes, the next place has the same offset.
 */
#ifndef SET_SUMS_H
#define SET_SUMS_H

#include "set_walk.h"
#include "util/util_table.h"

struct set_sums {
	pktfs_capture *capture;
	struct set *set;
	const struct set_encoder *encoder;
	unsigned shift;
	struct table table; /* struct set_place */
	_Atomic int state;  /* SUMS_..., or why it ended too early */
	_Atomic bool stop;
	bool started;       /* under the owner's lock */
	pthread_t thread;
};

enum {
	SUMS_RUNNING = 0,
	SUMS_COMPLETE = 1,
};

/* Nothing runs yet: the start alone is known. -ENOMEM, -EIO, ... */
int set_sums_init(struct set_sums *sums, pktfs_capture *capture, struct set *set,
		  const struct set_encoder *encoder);

/* Starts the thread if that was not done. The caller serialises. */
int set_sums_start(struct set_sums *sums);
void set_sums_end(struct set_sums *sums);

/* SUMS_RUNNING, SUMS_COMPLETE or a negative errno. To be asked before
 * set_sums_find, whose answer is then at least as good. */
int set_sums_state(struct set_sums *sums);

/* The last of the places known that is not behind `offset`. */
struct set_place set_sums_find(const struct set_sums *sums, uint64_t offset);

#endif
