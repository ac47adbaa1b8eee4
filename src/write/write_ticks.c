/* SPDX-License-Identifier: BSD-2-Clause */
#include "write_ticks.h"

#include "util/util_time.h"

#define RESOLUTION_BINARY 0x80u
#define RESOLUTION_NANO   9u
#define MAX_DECIMAL       19u /* 10^19 is the largest power that fits 64 bits */
#define MAX_BINARY        63u
/* A nanosecond of 2^-97 seconds is more than 2^64 of them. */
#define MAX_SHIFT 97u

typedef unsigned __int128 u128;

/* Ticks in a second, where 64 bits can say it. */
static bool units_of(uint8_t resolution, uint64_t *ret)
{
	unsigned exponent = resolution & ~RESOLUTION_BINARY;
	uint64_t units = 1;

	if (resolution & RESOLUTION_BINARY) {
		*ret = UINT64_C(1) << (exponent & MAX_BINARY);
		return exponent <= MAX_BINARY;
	}
	if (exponent > MAX_DECIMAL)
		return false;
	while (exponent-- > 0)
		units *= 10;
	*ret = units;
	return true;
}

/* Ticks so fine that 2^64 of them are less than two seconds. */
static int fine_ticks(uint32_t nsec, uint8_t resolution, uint64_t *ret)
{
	unsigned exponent = resolution & ~RESOLUTION_BINARY;
	uint64_t ticks = nsec;
	u128 wide;

	if (nsec == 0) {
		*ret = 0;
		return 0;
	}
	if (resolution & RESOLUTION_BINARY) {
		if (exponent > MAX_SHIFT)
			return -ERANGE;
		wide = ((u128)nsec << exponent) / TIME_NSEC_PER_SEC;
		if (wide > UINT64_MAX)
			return -ERANGE;
		*ret = (uint64_t)wide;
		return 0;
	}
	for (; exponent > RESOLUTION_NANO; exponent--)
		if (!mul_ok(ticks, UINT64_C(10), &ticks))
			return -ERANGE;
	*ret = ticks;
	return 0;
}

/* Seconds since the interface's zero. */
static int seconds_of(struct pktfs_time time, int64_t offset, uint64_t *ret)
{
	__int128 seconds = (__int128)time.sec - offset;

	if (seconds < 0 || seconds > UINT64_MAX)
		return -ERANGE;
	*ret = (uint64_t)seconds;
	return 0;
}

static int add_ticks(uint64_t seconds, uint64_t units, uint64_t fraction, uint64_t *ret)
{
	u128 ticks = (u128)seconds * units + fraction;

	if (ticks > UINT64_MAX)
		return -ERANGE;
	*ret = (uint64_t)ticks;
	return 0;
}

int write_ticks(struct pktfs_time time, uint8_t resolution, int64_t offset_seconds, uint64_t *ret)
{
	uint64_t seconds, units;
	int r;

	if (time.nsec >= TIME_NSEC_PER_SEC)
		return -ERANGE;
	/* what nearly every file has: no wide division */
	if (resolution == RESOLUTION_NANO && offset_seconds == 0 && time.sec >= 0 &&
	    time.sec <= (int64_t)UINT32_MAX) {
		*ret = (uint64_t)time.sec * TIME_NSEC_PER_SEC + time.nsec;
		return 0;
	}
	r = seconds_of(time, offset_seconds, &seconds);
	if (r < 0)
		return r;
	if (units_of(resolution, &units))
		return add_ticks(seconds, units,
				 (uint64_t)((u128)time.nsec * units / TIME_NSEC_PER_SEC), ret);
	return seconds ? -ERANGE : fine_ticks(time.nsec, resolution, ret);
}

int write_ticks_same(struct pktfs_time time, uint64_t ticks, uint8_t resolution,
		     int64_t offset_seconds, uint64_t *ret)
{
	uint64_t seconds, units;
	int r = seconds_of(time, offset_seconds, &seconds);

	if (r < 0)
		return r;
	if (time.sec == INT64_MAX) /* saturated: what the ticks are is not known */
		return -ERANGE;
	/* offsets are whole seconds: the fraction is the same under any */
	if (units_of(resolution, &units))
		return add_ticks(seconds, units, ticks % units, ret);
	if (seconds)
		return -ERANGE;
	*ret = ticks;
	return 0;
}
