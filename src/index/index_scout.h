/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scouts go ahead of the walk, many in turns (format_scan.h), in windows of which
 * two threads can have one each:
 *
 *	         window 0                      window 1
 *	|walk ->  |scout ->  |scout -> ... |scout ->  |scout -> ...
 *	next.end  ^ guessed  ^ guessed     ^ guessed  ^ guessed
 *
 * Each begins where a record seems to begin, and notes the records that it meets.
 * What it noted counts from where the walk arrives at a record that it noted: by
 * induction all behind it is then what the walk would have met, too. What is no
 * plain packet is noted as such, and left to the walk. index_merge.c does that.
 *
 * Scouts are sent over one loan, by the byte order of one section. All functions are for the index
 * thread; another thread of the scouts' own may take every other window.
 */
#ifndef INDEX_SCOUT_H
#define INDEX_SCOUT_H

#include "format/format_scan.h"
#include "source/source.h"

#define INDEX_SCOUTS	    32u
#define INDEX_SCOUT_RECORDS 2048u /* that one can note */
#define INDEX_SCOUT_WINDOWS 6u    /* in work at a time */

/* Whether there are scouts, and how. */
struct index_scout_plan {
	bool off;
	unsigned threads;   /* that may go at a time, 1 or 2 */
	unsigned patience;  /* so many records are walked in a batch before */
	uint64_t least;     /* bytes ahead for which they go */
	uint64_t many;      /* ... for which there may be a second thread */
	/* bytes at the end of a file that another program may write that they leave
	 * alone, and of one that it does */
	uint64_t tail, active_tail;
	size_t stretch_min; /* bytes for one scout: it is to meet a quarter of */
	size_t stretch_max; /* INDEX_SCOUT_RECORDS */
};
extern const struct index_scout_plan index_scout_plan;

struct scout {
	uint64_t start; /* offset in the source */
	uint32_t count;
	const struct format_note *notes;
};

struct scout_window {
	uint64_t from, to; /* offsets: the first scout begins at or behind `from` */
	size_t stretch;
	uint32_t seconds;
	bool known; /* a record begins at `from` */
	bool done;  /* under the lock of the scouts */
	unsigned count;
	struct scout scouts[INDEX_SCOUTS];
	struct format_note *notes;
};

/* Bytes for scouts to go over, and who sends them. */
struct scout_ground {
	const struct format_walk *walk;
	uint64_t origin; /* a record begins here; below `offset`, by modulo 2^64 */
	uint64_t offset;
	const uint8_t *bytes;
	size_t size;
};

/* Goes over a window that has its place, by at most `most` scouts, each of which notes
 * at most `room` records in window->notes. */
void scout_run(const struct scout_ground *ground, struct scout_window *window, unsigned most,
	       uint32_t room);

struct index_scouts;

/* NULL without memory. NULL is allowed to be freed. */
struct index_scouts *index_scouts_new(const struct index_scout_plan *plan);
void index_scouts_free(struct index_scouts *scouts);

/*
 * Sends them over a loan from its first byte on, where the record begins that
 * `walk` would step over next, up to `end` (an offset). The loan is taken over.
 * `length` is what a record takes on average, `seconds` the time of the last.
 */
void index_scouts_send(struct index_scouts *scouts, const struct format_walk *walk,
		       struct pktfs_loan *loan, uint64_t end, uint64_t length, uint32_t seconds);

/* Are there windows that have not been given back? */
bool index_scouts_sent(const struct index_scouts *scouts);

/* What they are sent over. */
const struct pktfs_loan *index_scouts_loan(const struct index_scouts *scouts);

/* The next window, done; lent until index_scouts_next, which is told what was
 * found (as index_scouts_send). */
const struct scout_window *index_scouts_window(struct index_scouts *scouts);
void index_scouts_next(struct index_scouts *scouts, uint64_t length, uint32_t seconds);

/* Calls them all back and returns the loan. */
void index_scouts_recall(struct index_scouts *scouts);

#endif
