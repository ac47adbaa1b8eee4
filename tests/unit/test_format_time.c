/* SPDX-License-Identifier: BSD-2-Clause */
#include "format_builder.h"

#define BINARY 0x80

static void table(void **state)
{
	static const struct {
		uint64_t ticks;
		uint8_t resolution;
		int64_t offset, sec;
		uint32_t nsec;
	} cases[] = {
		{0, 6, 0, 0, 0},
		{1339340954905298, 6, 0, 1339340954, 905298000},
		{UINT64_MAX, 6, 0, 18446744073709, 551615000},
		{1730555435524360149, 9, 0, 1730555435, 524360149},
		{UINT64_MAX, 9, 0, 18446744073, 709551615},
		{1, 9, -1, -1, 1},
		{5, 0, 0, 5, 0},
		{15, 1, 0, 1, 500000000},
		{1234567, 3, 0, 1234, 567000000},
		{123456789, 8, 0, 1, 234567890},
		/* finer than a nanosecond: cut, not rounded */
		{19999999999, 10, 0, 1, 999999999},
		{1999999999999, 12, 0, 1, 999999999},
		{UINT64_MAX, 19, 0, 1, 844674407},
		{UINT64_MAX, 20, 0, 0, 184467440},
		{UINT64_MAX, 28, 0, 0, 1},
		{UINT64_MAX, 29, 0, 0, 0},
		{UINT64_MAX, 127, 0, 0, 0},
		{UINT64_MAX, 127, 7, 7, 0},
		/* powers of two */
		{5, BINARY | 0, 0, 5, 0},
		{3, BINARY | 1, 0, 1, 500000000},
		{0x180, BINARY | 8, 0, 1, 500000000},
		{0x1ff, BINARY | 8, 0, 1, 996093750},
		{(UINT64_C(7) << 32) + 1, BINARY | 32, 0, 7, 0},
		{(UINT64_C(7) << 32) + 0x80000000, BINARY | 32, 0, 7, 500000000},
		{UINT64_MAX, BINARY | 32, 0, 4294967295, 999999999},
		{UINT64_MAX, BINARY | 63, 0, 1, 999999999},
		{UINT64_MAX, BINARY | 64, 0, 0, 999999999},
		{UINT64_MAX, BINARY | 65, 0, 0, 499999999},
		{UINT64_MAX, BINARY | 93, 0, 0, 1},
		{UINT64_MAX, BINARY | 94, 0, 0, 0},
		{UINT64_MAX, BINARY | 127, 0, 0, 0},
		/* if_tsoffset is signed */
		{1000000, 6, -2, -1, 0},
		{1500000, 6, -2, -1, 500000000},
		{1500000, 6, 1000000000, 1000000001, 500000000},
		{0, 6, INT64_MIN, INT64_MIN, 0},
		{0, 6, INT64_MAX, INT64_MAX, 0},
		{UINT64_MAX, 0, INT64_MIN, INT64_MAX, 0},
		{UINT64_MAX, 0, -INT64_MAX, INT64_MAX, 999999999},
		/* beyond the range: the last moment there is */
		{UINT64_MAX, 0, 0, INT64_MAX, 999999999},
		{1000000, 6, INT64_MAX, INT64_MAX, 999999999},
		{UINT64_MAX, 0, INT64_MAX, INT64_MAX, 999999999},
		{UINT64_MAX, BINARY, INT64_MAX, INT64_MAX, 999999999},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pktfs_time time =
			pktfs_time_from_ticks(cases[i].ticks, cases[i].resolution, cases[i].offset);

		if (time.sec != cases[i].sec || time.nsec != cases[i].nsec)
			fail_msg("case %zu: found %jd.%09u", i, (intmax_t)time.sec, time.nsec);
	}
}

/* Order is kept, and the nanoseconds are below a second, for every resolution
 * that an octet can say. */
static void every_resolution(void **state)
{
	(void)state;
	for (unsigned resolution = 0; resolution < 256; resolution++) {
		struct pktfs_time last = {.sec = INT64_MIN};

		for (unsigned shift = 0; shift <= 64; shift++) {
			uint64_t ticks = shift == 64 ? UINT64_MAX : (UINT64_C(1) << shift) - 1;
			struct pktfs_time time =
				pktfs_time_from_ticks(ticks, (uint8_t)resolution, -5);

			assert_true(time.nsec < 1000000000);
			assert_true(time.sec >= -5);
			assert_true(time.sec > last.sec ||
				    (time.sec == last.sec && time.nsec >= last.nsec));
			last = time;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(every_resolution),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
