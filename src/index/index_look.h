/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scouts in bytes that are decompressed ahead of the walk, by the threads that do so
 * (source_set_looker): they note what is in a frame while it is in the cache of their
 * processor, and of all of it the walk needs no more than these notes and the
 * records that begin in one frame and end in the next.
 *
 *	frame    | - - - | scouts, by the thread that decompressed it | - - -
 *	notes            `--> window, with the frame, until the walk has come to it
 *
 * index_thread.c says how the walk gets on; without that, nobody looks.
 */
#ifndef INDEX_LOOK_H
#define INDEX_LOOK_H

#include "index_scout.h"

/* Where the walk is. */
struct index_look_from {
	bool on;
	struct format_walk walk;
	uint64_t origin; /* a record begins here; nobody looks in front of it */
	uint64_t length; /* of a record, on average */
	uint32_t seconds; /* the time of the last one */
};

struct index_look {
	pthread_mutex_t lock;
	struct index_look_from from; /* under the lock */
};

/* What was noted in a frame, freed by free(3). */
struct index_noted {
	bool big_endian; /* what it was taken for */
	struct scout_window window;
	struct format_note notes[];
};

void index_look_set(struct index_look *look, const struct index_look_from *from);

/* For source_set_looker; context: a struct index_look. */
void *index_look(void *context, uint64_t offset, const uint8_t *bytes, size_t size);

/* What was noted of the bytes of a loan, if it was by this walk; NULL: nothing. */
struct index_noted *index_look_take(const struct pktfs_loan *loan, const struct format_walk *walk);

#endif
