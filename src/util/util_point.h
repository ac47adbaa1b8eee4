/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A point in time as people write it, in UTC: ISO 8601, extended or basic, as
 * short as one likes:
 *	2026-11-21T10:32:07.5  2026-11-21 10:32  20261121T1040  2026-11-21
 * or seconds since 1970 with an @: @1795257127.25
 */
#ifndef UTIL_POINT_H
#define UTIL_POINT_H

#include "util_base.h"

struct time_point {
	struct pktfs_time time;
	int64_t seconds; /* how long what it names is: a day, ... a second; 0: a fraction */
};

/* Takes a point off the front of *at. False: *at is where it is wrong. */
bool time_point_take(const char **at, struct time_point *ret);

#endif
