/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking ahead in a capture. A walk from record to record waits for memory at
 * each of them, since each says where the next one is. Many walks in turns, from
 * places where records seem to begin, do not: what one waits for comes while the
 * others are served.
 *
 *	if (format_can_scan(&walk) && format_guess(&walk, window, distance, near, &at))
 *		scans[n++] = (struct format_scan){.at = window.bytes + at, ...};
 *	format_scan(&walk, scans, n, end);
 *
 * A guess may be wrong, and then all that was noted from there on is: hostile
 * captures are made of packets that look like records. Notes are what format_step
 * would have found, if a record begins where the scan began, no section of another
 * byte order or of an unknown version has begun since, and the interfaces are known.
 */
#ifndef FORMAT_SCAN_H
#define FORMAT_SCAN_H

#include "format.h"

/* A record. Of what is no plain packet nothing but the length is noted, which is
 * what it would be in this byte order. */
struct format_note {
	uint64_t ticks;
	uint32_t captured, original;
	uint32_t length;
	uint32_t interface; /* FORMAT_NOTE_OTHER: no plain packet */
};
#define FORMAT_NOTE_OTHER UINT32_MAX

struct format_scan {
	const uint8_t *at;    /* the next record */
	const uint8_t *limit; /* none that begins here or behind is noted */
	struct format_note *notes;
	uint32_t count, room; /* notes; 0 < room */
	uint32_t last;        /* format_scan's own */
};

/* Whether there is something to be won: records of this kind are noted. */
bool format_can_scan(const struct format_walk *walk);

/*
 * From the start of `window`, which is `distance` bytes behind the start of some
 * record: where does a record begin, probably? *ret is its place in the window;
 * or false, and it looks so nowhere before that. `seconds` is the time of a packet
 * near by (pcap: a record with another is none).
 */
bool format_guess(const struct format_walk *walk, struct cursor window, uint64_t distance,
		  uint32_t seconds, size_t *ret);

/* What format_guess looks at: a record that is no longer than this is found. */
#define FORMAT_GUESS_RANGE ((size_t)128 << 10)

/*
 * Walks them all in turns, until each has come to its limit, has no more room, or
 * is at something that is unsound or does not end before `end`.
 * scan.at is then behind the last record that is noted.
 */
void format_scan(const struct format_walk *walk, struct format_scan *scans, unsigned count,
		 const uint8_t *end);
#define FORMAT_SCANS_MAX 64u

#endif
