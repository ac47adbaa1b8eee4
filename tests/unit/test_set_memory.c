/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sets take as long as they are kept. A mount that is asked new questions
 * all day keeps thousands, each of them a few packets: what one takes beside its
 * members is most of what the daemon holds then.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "set/set_internal.h"

/* Two minutes that take turns for as long as the chunk is. */
static void minutes_are_given_back(void **state)
{
	struct set_chunk chunk = {0};
	unsigned i;

	(void)state;
	for (i = 0; i < SET_CHUNK; i++)
		assert_int_equal(chunk_add_minute(&chunk, 1000 + i % 2), 0);
	assert_true(malloc_usable_size(chunk.minutes) >= SET_CHUNK * sizeof(*chunk.minutes));
	chunk_sort_minutes(&chunk);
	assert_int_equal(chunk.minute_count, 2);
	assert_int_equal(chunk.minutes[0], 1000);
	assert_int_equal(chunk.minutes[1], 1001);
	assert_true(malloc_usable_size(chunk.minutes) <= 8192); /* a page, of its own mapping */
	chunk_free(&chunk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(minutes_are_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
