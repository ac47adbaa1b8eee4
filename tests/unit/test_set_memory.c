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
#include <stdio.h>

#include "set/set_internal.h"
#include "test_build.h"

#define COUNT 2000u
#define SETS  1500u /* below what has their states dropped */

static struct text capture_text;
static pktfs_capture *capture;
static struct set_pool *pool;

static int setup(void **state)
{
	unsigned n;

	(void)state;
	build_shb(&capture_text, false);
	build_idb(&capture_text, false, 1, 6, 0, NULL);
	for (n = 1; n <= COUNT; n++)
		build_epb(&capture_text, false, 0, n * 1000, 60 + n % 200, n, NULL);
	assert_int_equal(pktfs_open_buffer(capture_text.bytes, capture_text.size, NULL, &capture,
					   NULL), 0);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	assert_int_equal(set_pool_open(capture, 1, 0, &pool), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	set_pool_close(pool);
	pktfs_close(capture);
	text_free(&capture_text);
	return 0;
}

/* Of the heap, in bytes; 0 with an allocator that does not say. */
static size_t taken(void)
{
	const struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* What a set of a few packets takes, evaluated, on average. */
static size_t bytes_a_set(enum set_kind kind)
{
	char expression[64];
	struct set_reader reader;
	struct set *set;
	size_t before, after;
	unsigned i;

	reader = set_pool_enter(pool);
	before = taken();
	for (i = 1; i <= SETS; i++) {
		if (kind == SET_RANGE)
			sprintf(expression, "%u-%u", i, i + 3);
		else
			sprintf(expression, "len > %u and len < %u", i, i + 3);
		assert_int_equal(set_open(pool, set_all(pool), kind, expression, &set, NULL), 0);
		assert_int_equal(set_wait(set), 0);
	}
	after = taken();
	set_pool_leave(&reader);
	return after > before ? (after - before) / SETS : 0;
}

/* 800 bytes: the set 350, a slot 200, the rest sums, words and malloc. */
static void a_range_takes_little(void **state)
{
	(void)state;
	assert_in_range(bytes_a_set(SET_RANGE), 0, 1200);
}

/* 50 bytes more: its program. */
static void a_filter_takes_little(void **state)
{
	(void)state;
	assert_in_range(bytes_a_set(SET_FILTER), 0, 1400);
}

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

/* Sets with many words: fewer are kept, but for those that somebody keeps. */
static void long_words_have_a_bound(void **state)
{
	static char expression[SET_MAX_EXPRESSION + 1];
	struct set *set = NULL, *kept;
	struct set_reader reader;
	struct set_pool *sets;
	size_t at;
	uint64_t n;
	unsigned i;

	(void)state;
	assert_int_equal(set_pool_open(capture, 1, 0, &sets), 0);
	reader = set_pool_enter(sets);
	assert_int_equal(set_open(sets, set_all(sets), SET_RANGE, "7", &kept, NULL), 0);
	set_ref(kept);
	set_pool_leave(&reader);
	for (i = 0; i < 2 * SET_MAX_BYTES / SET_MAX_EXPRESSION; i++) {
		at = (size_t)sprintf(expression, "%u", i + 1);
		while (at + 2 <= SET_MAX_EXPRESSION)
			at += (size_t)sprintf(expression + at, ",9");
		reader = set_pool_enter(sets);
		assert_int_equal(set_open(sets, set_all(sets), SET_RANGE, expression, &set, NULL),
				 0);
		set_pool_leave(&reader);
		assert_true(sets->bytes <= SET_MAX_BYTES);
	}
	assert_true(sets->count < SET_MAX_BYTES / SET_MAX_EXPRESSION + 2);
	assert_int_equal(set_wait(kept), 0);
	assert_int_equal(set_next(kept, 1, &n), 0);
	assert_int_equal(n, 7);
	set_unref(kept);
	set_pool_close(sets);
}

static unsigned length(const struct set *set)
{
	unsigned count = 0;

	for (; set; set = set->next)
		count++;
	return count;
}

/* There are readers all the time, but none that stays: one enters before the other
 * leaves. What the sets took that are given up meanwhile comes back. */
static void readers_that_take_turns(void **state)
{
	struct set_reader reader, next;
	struct set *set = NULL;
	char expression[32];
	unsigned i, most = 0;

	(void)state;
	reader = set_pool_enter(pool);
	for (i = 0; i < 4 * SET_MAX_SETS; i++) {
		sprintf(expression, "1,%u", i + 10);
		assert_int_equal(set_open(pool, set_all(pool), SET_RANGE, expression, &set, NULL),
				 0);
		next = set_pool_enter(pool);
		set_pool_leave(&reader);
		reader = next;
		most = MAX(most, length(pool->graves) + length(pool->old_graves));
	}
	assert_in_range(most, 0, SET_MAX_SETS / 2);
	set_pool_leave(&reader);
	assert_null(pool->graves);
	assert_null(pool->old_graves);
}

/* One that was given up and is kept all the same: who meets it then, by way of who keeps
 * it, may look at it to his end, though it is not kept so long. */
static void one_that_is_kept_no_more(void **state)
{
	struct set_reader first = set_pool_enter(pool), reader, other;
	struct set *set, *more;
	char expression[32];
	unsigned i;

	(void)state;
	assert_int_equal(set_open(pool, set_all(pool), SET_RANGE, "3", &set, NULL), 0);
	for (i = 0; i < 2 * SET_MAX_SETS; i++) {
		sprintf(expression, "2,%u", i + 10);
		assert_int_equal(set_open(pool, set_all(pool), SET_RANGE, expression, &more, NULL),
				 0);
	}
	assert_true(set->gone);
	set_ref(set);
	set_pool_leave(&first);
	assert_int_equal(length(pool->graves) + length(pool->old_graves), 1);

	reader = set_pool_enter(pool);
	set_unref(set);
	for (i = 0; i < 3; i++) {
		other = set_pool_enter(pool);
		set_pool_leave(&other);
	}
	assert_int_equal(length(pool->graves) + length(pool->old_graves), 1);
	assert_string_equal(set_expression(set), "3");
	set_pool_leave(&reader);
	assert_null(pool->graves);
	assert_null(pool->old_graves);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_takes_little),
		cmocka_unit_test(a_filter_takes_little),
		cmocka_unit_test(minutes_are_given_back),
		cmocka_unit_test(long_words_have_a_bound),
		cmocka_unit_test(readers_that_take_turns),
		cmocka_unit_test(one_that_is_kept_no_more),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
