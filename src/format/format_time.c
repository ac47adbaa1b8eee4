/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the ticks of an interface to a point in time (draft section 4.2,
 * if_tsresol and if_tsoffset). Every resolution that an octet can say has a
 * meaning: 10^-0 to 10^-127, 2^-0 to 2^-127.
 */
#include "format.h"

#include "format_private.h"
#include "pktfs/capture.h"
#include "util/util_time.h"

#define RESOLUTION_BINARY 0x80u
#define RESOLUTION_NANO   9u
#define MAX_POWER_OF_TEN  19u /* the largest that fits 64 bits */

static uint64_t power_of_ten(unsigned exponent)
{
	static const uint64_t powers[MAX_POWER_OF_TEN + 1] = {
		1u,
		10u,
		100u,
		1000u,
		10000u,
		100000u,
		1000000u,
		10000000u,
		100000000u,
		1000000000u,
		10000000000u,
		100000000000u,
		1000000000000u,
		10000000000000u,
		100000000000000u,
		1000000000000000u,
		10000000000000000u,
		100000000000000000u,
		1000000000000000000u,
		10000000000000000000u,
	};

	return powers[exponent];
}

/* 2^64 ticks of 10^-20 seconds and finer are less than a second. */
static uint64_t split_decimal(uint64_t ticks, unsigned exponent, uint32_t *ret_nsec)
{
	uint64_t unit, rest;

	if (exponent > MAX_POWER_OF_TEN) {
		exponent -= RESOLUTION_NANO;
		*ret_nsec = 0;
		if (exponent <= MAX_POWER_OF_TEN)
			*ret_nsec = (uint32_t)(ticks / power_of_ten(exponent));
		return 0;
	}
	unit = power_of_ten(exponent);
	rest = ticks % unit;
	if (exponent <= RESOLUTION_NANO)
		*ret_nsec = (uint32_t)(rest * power_of_ten(RESOLUTION_NANO - exponent));
	else
		*ret_nsec = (uint32_t)(rest / power_of_ten(exponent - RESOLUTION_NANO));
	return ticks / unit;
}

static uint64_t split_binary(uint64_t ticks, unsigned exponent, uint32_t *ret_nsec)
{
	uint64_t seconds = exponent < 64 ? ticks >> exponent : 0;
	uint64_t rest = exponent < 64 ? ticks - (seconds << exponent) : ticks;

	*ret_nsec = (uint32_t)((unsigned __int128)rest * TIME_NSEC_PER_SEC >> exponent);
	return seconds;
}

static struct pktfs_time add_offset(uint64_t seconds, uint32_t nsec, int64_t offset)
{
	__int128 sum = (__int128)seconds + offset;

	if (sum > INT64_MAX)
		return (struct pktfs_time){.sec = INT64_MAX, .nsec = TIME_NSEC_PER_SEC - 1};
	return (struct pktfs_time){.sec = (int64_t)sum, .nsec = nsec};
}

struct pktfs_time pktfs_time_from_ticks(uint64_t ticks, uint8_t resolution, int64_t offset_seconds)
{
	uint64_t seconds;
	uint32_t nsec;

	/* What nearly every file has: division by a constant is cheap. */
	if (likely(resolution == 6)) {
		seconds = ticks / 1000000;
		nsec = (uint32_t)(ticks % 1000000) * 1000;
	} else if (likely(resolution == RESOLUTION_NANO)) {
		seconds = ticks / TIME_NSEC_PER_SEC;
		nsec = (uint32_t)(ticks % TIME_NSEC_PER_SEC);
	} else if (resolution & RESOLUTION_BINARY) {
		seconds = split_binary(ticks, resolution & ~RESOLUTION_BINARY, &nsec);
	} else {
		seconds = split_decimal(ticks, resolution, &nsec);
	}
	return add_offset(seconds, nsec, offset_seconds);
}
