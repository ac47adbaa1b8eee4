/* SPDX-License-Identifier: BSD-2-Clause */
/* Points in time as ticks: every resolution, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/util_time.h"
#include "write/write_ticks.h"

static const struct pktfs_time times[] = {
	{0, 0}, {0, 1}, {0, 999999999}, {1, 0}, {1763721127, 123456789},
	{4294967295, 999999999}, {4294967296, 5}, {9223372036, 854775807},
	{18446744073, 709551615}, {253402300799, 1}, {INT64_MAX, 999999999},
};

/* The ticks are the last ones that are not behind the time. */
static void every_resolution(void **state)
{
	unsigned made = 0, refused = 0;
	uint64_t ticks;

	(void)state;
	for (unsigned resolution = 0; resolution < 256; resolution++) {
		for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
			struct pktfs_time back, next;
			uint8_t r = (uint8_t)resolution;

			if (write_ticks(times[i], r, 0, &ticks) < 0) {
				/* is it really behind all that there are? */
				back = pktfs_time_from_ticks(UINT64_MAX, r, 0);
				assert_true(time_compare(back, times[i]) <= 0);
				refused++;
				continue;
			}
			back = pktfs_time_from_ticks(ticks, r, 0);
			next = pktfs_time_from_ticks(ticks + 1, r, 0);
			assert_true(time_compare(back, times[i]) <= 0);
			/* the reader cuts a tick to nanoseconds, perhaps to our time */
			assert_true(ticks == UINT64_MAX || next.sec == INT64_MAX ||
				    time_compare(next, times[i]) >= (r <= 9));
			made++;
		}
	}
	assert_true(made > 500);
	assert_true(refused > 800);
}

static void offsets(void **state)
{
	const struct pktfs_time time = {1000, 500000000};
	uint64_t ticks;

	(void)state;
	assert_int_equal(write_ticks(time, 6, 1000, &ticks), 0);
	assert_int_equal(ticks, 500000);
	assert_int_equal(write_ticks(time, 6, 1001, &ticks), -ERANGE);
	assert_int_equal(write_ticks(time, 9, -1, &ticks), 0);
	assert_int_equal(ticks, 1001500000000);
	assert_int_equal(write_ticks(time, 0, INT64_MIN, &ticks), 0);
	assert_int_equal(ticks, UINT64_C(1000) + (UINT64_C(1) << 63));
	assert_int_equal(write_ticks((struct pktfs_time){INT64_MIN, 0}, 0, INT64_MIN, &ticks), 0);
	assert_int_equal(ticks, 0);
	assert_int_equal(write_ticks((struct pktfs_time){0, 1000000000}, 6, 0, &ticks), -ERANGE);
}

/* What is finer than a nanosecond survives, also under another offset. */
static void same_resolution(void **state)
{
	static const uint8_t resolutions[] = {0, 6, 9, 12, 18, 19, 0x80, 0x8a, 0xa0, 0xbf};
	const uint64_t ticks = UINT64_C(9223372036854770000);
	struct pktfs_time time;
	uint64_t found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(resolutions); i++) {
		time = pktfs_time_from_ticks(ticks, resolutions[i], 3600);
		assert_int_equal(write_ticks_same(time, ticks, resolutions[i], 3600, &found), 0);
		assert_int_equal(found, ticks);
	}
	/* what a reader cut off cannot be put back */
	time = pktfs_time_from_ticks(UINT64_MAX, 0, 0);
	assert_int_equal(write_ticks_same(time, UINT64_MAX, 0, 0, &found), -ERANGE);
	time = pktfs_time_from_ticks(ticks, 12, 100);
	assert_int_equal(write_ticks_same(time, ticks, 12, 0, &found), 0);
	assert_int_equal(found, ticks + UINT64_C(100) * 1000000000000);
	assert_int_equal(write_ticks_same(time, ticks, 12, time.sec + 1, &found), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_resolution),
		cmocka_unit_test(offsets),
		cmocka_unit_test(same_resolution),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
