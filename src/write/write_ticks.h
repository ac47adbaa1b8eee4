/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a point in time to the ticks of an interface: the way back from
 * pktfs_time_from_ticks. Fractions of a tick are cut. -ERANGE: before the
 * interface's offset, or behind its 2^64 ticks.
 */
#ifndef WRITE_TICKS_H
#define WRITE_TICKS_H

#include "util/util_base.h"

int write_ticks(struct pktfs_time time, uint8_t resolution, int64_t offset_seconds, uint64_t *ret);

/* The same for a time that was `ticks` of that resolution elsewhere: nothing
 * below a nanosecond is lost. `time` is what they are as a point in time. */
int write_ticks_same(struct pktfs_time time, uint64_t ticks, uint8_t resolution,
		     int64_t offset_seconds, uint64_t *ret);

#endif
