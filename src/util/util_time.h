/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Points in time: comparison, a saturated 64-bit form, and text.
 */
#ifndef UTIL_TIME_H
#define UTIL_TIME_H

#include <time.h>

#include "util_base.h"

#define TIME_NSEC_PER_SEC 1000000000u

/* The room that time_format needs, the NUL included. */
#define TIME_TEXT_ROOM 40

/* When `nsec` from now on are over, by `clock`: for the timed waits. */
struct timespec time_deadline(clockid_t clock, int64_t nsec);

/* Negative, 0 or positive, as memcmp. Here, as time_to_ns: handed over in registers a
 * time that was just stored is loaded in one piece from two, and that waits until the
 * processor has written them: 50 cycles a packet. */
static inline int time_compare(struct pktfs_time a, struct pktfs_time b)
{
	if (a.sec != b.sec)
		return a.sec < b.sec ? -1 : 1;
	if (a.nsec != b.nsec)
		return a.nsec < b.nsec ? -1 : 1;
	return 0;
}

/* Nanoseconds since the epoch, saturated to the range of int64_t (the years
 * 1677 to 2262): order is kept, equality beyond the range is not. */
static inline int64_t time_to_ns(struct pktfs_time time)
{
	int64_t ns;

	if (!mul_ok(time.sec, (int64_t)TIME_NSEC_PER_SEC, &ns) ||
	    !add_ok(ns, (int64_t)time.nsec, &ns))
		return time.sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

struct pktfs_time time_difference(struct pktfs_time later, struct pktfs_time earlier);

/* "2026-11-21T10:32:07.123456789Z", always 30 characters; for years outside
 * 0000 to 9999 the seconds since the epoch, "4734231571822.539464000".
 * Returns its length. */
size_t time_format(struct pktfs_time time, char text[TIME_TEXT_ROOM]);

/* The start of a day of the Gregorian calendar (UTC), in seconds since the
 * epoch. False when there is no such day. Years 0 to 9999. */
bool time_from_date(int64_t year, int64_t month, int64_t day, int64_t *ret);

/* "12.345678901": seconds with nine decimals, for durations. */
size_t time_format_seconds(struct pktfs_time time, char text[TIME_TEXT_ROOM]);

#endif
