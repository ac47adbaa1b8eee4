/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets: each kind against a plain loop over the packets, nested, in chunks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "set/set_internal.h"
#include "test_build.h"

#define COUNT 200000u /* more than three chunks */

/* Packet n: interface n % 3, time n / 10 s with every 97th a day earlier, data
 * "packet NUMBER" in an Ethernet frame of type IPv4 (even) or ARP (odd). */
static int64_t second_of(uint64_t n)
{
	return (int64_t)n / 10 + 1000000 - (n % 97 == 0 ? 86400 : 0);
}

static void build(struct text *text, unsigned count)
{
	char data[64] = {0};
	unsigned n, i, size;

	build_shb(text, false);
	for (i = 0; i < 3; i++)
		build_idb(text, false, 1, 6, 0, NULL);
	for (n = 1; n <= count; n++) {
		size_t at = write_block_begin(text, BLOCK_EPB, false);
		uint64_t ticks = (uint64_t)second_of(n) * 1000000;

		data[12] = 8;
		data[13] = n % 2 ? 6 : 0;
		size = 14 + (unsigned)sprintf(data + 14, "packet %u\nline two", n);
		text_u32(text, n % 3, false);
		text_u32(text, (uint32_t)(ticks >> 32), false);
		text_u32(text, (uint32_t)ticks, false);
		text_u32(text, size, false);
		text_u32(text, size, false);
		text_append(text, data, size);
		text_zeros(text, util_pad4(size) - size);
		write_block_end(text, at, false);
	}
}

static struct text capture_text;
static pktfs_capture *capture;
static struct set_pool *pool;

static int setup(void **state)
{
	(void)state;
	build(&capture_text, COUNT);
	assert_int_equal(pktfs_open_buffer(capture_text.bytes, capture_text.size, NULL, &capture,
					   NULL), 0);
	assert_int_equal(set_pool_open(capture, 2, 0, &pool), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pktfs_cancel(capture);
	set_pool_close(pool);
	pktfs_close(capture);
	text_free(&capture_text);
	return 0;
}

static struct set *open_set(struct set *parent, enum set_kind kind, const char *expression)
{
	struct pktfs_error error;
	struct set *set;
	int r;

	do {
		r = set_open(pool, parent ? parent : set_all(pool), kind, expression, &set, &error);
	} while (r == -EAGAIN);
	if (r < 0)
		fail_msg("%s: %s", expression, error.text);
	return set;
}

/* The set has just the packets for which `wanted` says so. */
static void check(struct set *set, bool (*wanted)(uint64_t n))
{
	struct set_status status;
	uint64_t n, at = 0, rank = 0, got;

	assert_int_equal(set_wait(set), 0);
	for (n = 1; n <= COUNT; n++) {
		if (!wanted(n))
			continue;
		if (set_next(set, at + 1, &at) < 0 || at != n)
			fail_msg("'%s': packet %u is missing", set_expression(set), (unsigned)n);
		if (rank % 1013 == 0) {
			assert_int_equal(set_select(set, rank, &got), 0);
			assert_int_equal(got, n);
			assert_int_equal(set_rank(set, n, &got), 0);
			assert_int_equal(got, rank);
			assert_int_equal(set_contains(set, n), 1);
		}
		rank++;
	}
	assert_int_equal(set_next(set, at + 1, &at), -ENOENT);
	assert_int_equal(set_select(set, rank, &got), -ENOENT);
	set_status(set, &status);
	assert_true(status.complete);
	assert_int_equal(status.packets, rank);
	assert_int_equal(status.passed, COUNT);
}

static bool in_range(uint64_t n)
{
	return n == 7 || (n >= 65530 && n <= 70000) || n >= 199990;
}

static bool on_interface_1(uint64_t n)
{
	return n % 3 == 1;
}

static bool in_time(uint64_t n)
{
	return second_of(n) >= 1005000 && second_of(n) < 1006000;
}

static bool is_arp(uint64_t n)
{
	return n % 2;
}

static bool has_777(uint64_t n)
{
	char text[32];

	sprintf(text, "%u", (unsigned)n);
	return strstr(text, "777");
}

static bool nested(uint64_t n)
{
	return is_arp(n) && on_interface_1(n) && has_777(n) && n >= 1000;
}

static bool every(uint64_t n)
{
	return n > 0;
}

static bool none(uint64_t n)
{
	return n == 0;
}

static void each_kind(void **state)
{
	(void)state;
	check(open_set(NULL, SET_RANGE, "7,65530-70000,199990-"), in_range);
	check(open_set(NULL, SET_INTERFACE, "1"), on_interface_1);
	check(open_set(NULL, SET_TIME, "@1005000..@1006000"), in_time);
	check(open_set(NULL, SET_TIME, "1970-01-12T15:10:00..1970-01-12T15:26:40"), in_time);
	check(open_set(NULL, SET_TIME, "@1005000.0..19700112T152640Z"), in_time);
	check(open_set(NULL, SET_FILTER, "arp"), is_arp);
	check(open_set(NULL, SET_MATCH, "packet \\d*777"), has_777);
	check(open_set(NULL, SET_MATCH, "^line two$"), every);
	check(open_set(NULL, SET_MATCH, "(?i)LINE TWO\\z"), every);
	check(open_set(NULL, SET_MATCH, "nothing of this kind"), none);
	check(open_set(NULL, SET_PAYLOAD, ""), none);
	check(open_set(NULL, SET_TIME, ".."), every);
	check(set_all(pool), every);
	set_want(set_all(pool)); /* a question that needs no thread */
}

/* A period without dots; the minutes that have packets. */
static void periods_and_minutes(void **state)
{
	struct set *day = open_set(NULL, SET_TIME, "1970-01-12");
	struct set *minute = open_set(NULL, SET_TIME, "1970-01-12T15:10");
	struct set_status status;
	int64_t found;

	(void)state;
	assert_int_equal(set_wait(minute), 0);
	set_status(minute, &status);
	assert_int_equal(status.min_time.sec, 1005000);
	assert_int_equal(status.max_time.sec, 1005059);
	assert_int_equal(set_next_minute(minute, 0, &found), 0);
	assert_int_equal(found, 1005000 / 60);
	assert_int_equal(set_next_minute(minute, found + 1, &found), -ENOENT);
	assert_int_equal(set_wait(day), 0);
	set_status(day, &status);
	assert_int_equal(status.min_time.sec, 1000000); /* the capture begins there */
	assert_int_equal(set_next_minute(day, INT64_MIN, &found), 0);
	assert_int_equal(found, 1000000 / 60);
	assert_int_equal(set_next_minute(day, 1019999 / 60, &found), 0);
	assert_int_equal(set_next_minute(day, 1020060 / 60, &found), -ENOENT);
}

static void sets_nest(void **state)
{
	struct set *set = open_set(NULL, SET_FILTER, "arp");

	(void)state;
	set = open_set(set, SET_INTERFACE, "1");
	set = open_set(set, SET_MATCH, "777");
	set = open_set(set, SET_RANGE, "1000-");
	assert_int_equal(set_contains(set, 1777), nested(1777)); /* not evaluated */
	check(set, nested);
	assert_ptr_equal(open_set(set_parent(set), SET_RANGE, "1000-"), set);
	assert_ptr_equal(set_by_id(pool, set_id(set)), set);
	assert_null(set_by_id(pool, 4000000000u));
}

/* A parent that was first asked for a late chunk is completed all the same. */
static void a_parent_begun_in_the_middle(void **state)
{
	struct set *parent = open_set(NULL, SET_MATCH, "7+7+7");
	struct set *child = open_set(parent, SET_RANGE, "150000-");

	(void)state;
	assert_int_equal(set_wait(child), 0);
	check(parent, has_777);
}

static void wrong_expressions(void **state)
{
	static const struct {
		enum set_kind kind;
		const char *expression;
		int error;
	} cases[] = {
		{SET_FILTER, "tcp port port", -EINVAL}, {SET_FILTER, "wlan type mgt and", -EINVAL},
		{SET_MATCH, "a(b", -EINVAL},		{SET_MATCH, "[", -EINVAL},
		{SET_MATCH, "(*UTF)x", -EINVAL},	{SET_RANGE, "", -EINVAL},
		{SET_RANGE, "-", -EINVAL},		{SET_RANGE, "0", -EINVAL},
		{SET_RANGE, "5-3", -EINVAL},		{SET_RANGE, "1,", -EINVAL},
		{SET_RANGE, "99999999999999999999", -EINVAL}, {SET_RANGE, "1 ", -EINVAL},
		{SET_TIME, "", -EINVAL},		{SET_TIME, "2026", -EINVAL},
		{SET_TIME, "2026-13-01..", -EINVAL},	{SET_TIME, "2026-02-29..", -EINVAL},
		{SET_TIME, "..2026-01-01T24:00", -EINVAL}, {SET_TIME, "...", -EINVAL},
		{SET_TIME, "2026-01-01..x", -EINVAL},	{SET_INTERFACE, "3", -ENOENT},
		{SET_INTERFACE, "-1", -EINVAL},		{SET_PAYLOAD, "x", -EINVAL},
	};
	struct pktfs_error error;
	struct set *set;
	size_t i;

	(void)state;
	pktfs_wait(capture, UINT64_MAX, -1);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		error.code = 0;
		assert_int_equal(set_open(pool, set_all(pool), cases[i].kind, cases[i].expression,
					  &set, &error), cases[i].error);
		assert_int_equal(error.code, cases[i].error);
		assert_true(error.text[0]);
	}
}

/* A pattern that explodes gives up each packet, and the set says so. */
static void a_pattern_that_explodes(void **state)
{
	struct set *few = open_set(NULL, SET_RANGE, "1-3");
	struct set *set =
		open_set(few, SET_MATCH, "^(((((((((([a-z0-9 ]+)+)+)+)+)+)+)+)+)+)+[^a-z0-9 \n]");
	struct set_status status;

	(void)state;
	assert_int_equal(set_wait(set), 0);
	set_status(set, &status);
	assert_int_equal(status.packets, 0);
	assert_int_equal(status.limited, 3);
}

/* Ten thousand filters: what they evaluated is dropped, and comes back. */
static void many_sets_stay_in_bounds(void **state)
{
	struct set_pool *small;
	struct set *set, *first = NULL;
	char expression[64];
	uint64_t n;
	unsigned i;

	(void)state;
	assert_int_equal(set_pool_open(capture, 1, 1 << 20, &small), 0);
	for (i = 0; i < 10000; i++) {
		sprintf(expression, "less %u", i + 20);
		assert_int_equal(
			set_open(small, set_all(small), SET_FILTER, expression, &set, NULL), 0);
		if (i == 0)
			first = set;
		assert_true(small->memory <= small->memory_bound + SET_STATE_MEMORY);
	}
	assert_int_equal(set_wait(first), 0);
	assert_int_equal(set_next(first, 1, &n), -ENOENT);
	set_pool_close(small);
}

/* More sets than are kept: the oldest go, those that somebody keeps stay, and
 * one that comes back has the number that it had. */
static void sets_come_and_go(void **state)
{
	struct set *set = NULL, *kept, *child;
	struct set_reader reader;
	char expression[64];
	uint32_t first = 0;
	uint64_t n;
	unsigned i;

	(void)state;
	reader = set_pool_enter(pool);
	kept = open_set(NULL, SET_RANGE, "3,5");
	child = open_set(kept, SET_RANGE, "5");
	set_ref(child);
	set_pool_leave(&reader);
	for (i = 0; i < 3 * SET_MAX_SETS; i++) {
		reader = set_pool_enter(pool);
		sprintf(expression, "%u-%u", i + 1, i + 100);
		assert_int_equal(set_open(pool, set_all(pool), SET_RANGE, expression, &set, NULL),
				 0);
		if (i == 0)
			first = set_id(set);
		set_pool_leave(&reader);
		assert_true(pool->count <= SET_MAX_SETS);
	}
	reader = set_pool_enter(pool);
	assert_null(set_by_id(pool, first));
	assert_ptr_equal(open_set(NULL, SET_RANGE, "3,5"), kept);
	assert_int_equal(set_wait(child), 0);
	assert_int_equal(set_next(child, 1, &n), 0);
	assert_int_equal(n, 5);
	assert_int_equal(set_id(open_set(NULL, SET_RANGE, "1-100")), first);
	set_unref(child);
	set_pool_leave(&reader);
	assert_null(pool->graves);
	assert_null(pool->old_graves);
}

/* What a reader has met does not go away under it. */
static void a_reader_keeps_what_it_met(void **state)
{
	char expression[64];
	struct set *met, *set;
	struct set_reader reader;
	uint64_t n;
	unsigned i;

	(void)state;
	reader = set_pool_enter(pool);
	met = open_set(NULL, SET_RANGE, "7-8");
	for (i = 0; i < 2 * SET_MAX_SETS; i++) {
		sprintf(expression, "%u", i + 1);
		assert_int_equal(set_open(pool, set_all(pool), SET_RANGE, expression, &set, NULL),
				 0);
	}
	assert_int_equal(set_next(met, 1, &n), -ESTALE);
	assert_int_equal(set_open(pool, met, SET_RANGE, "8", &set, NULL), -ESTALE);
	set_pool_leave(&reader);
	assert_null(pool->graves);
	assert_null(pool->old_graves);
}

static void too_deep(void **state)
{
	struct set *set = set_all(pool), *deeper;
	unsigned i;

	(void)state;
	for (i = 0; i < SET_MAX_DEPTH; i++)
		set = open_set(set, SET_RANGE, "1-");
	assert_int_equal(set_wait(set), 0);
	assert_int_equal(set_open(pool, set, SET_RANGE, "1-", &deeper, NULL), -E2BIG);
}

static void an_empty_capture(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	struct set_status status;
	pktfs_capture *empty;
	struct set_pool *sets;
	struct set *set;
	uint64_t n;

	(void)state;
	build_shb(&text, false);
	assert_int_equal(pktfs_open_buffer(text.bytes, text.size, NULL, &empty, NULL), 0);
	assert_int_equal(set_pool_open(empty, 0, 0, &sets), 0);
	pktfs_wait(empty, UINT64_MAX, -1);
	assert_int_equal(set_open(sets, set_all(sets), SET_FILTER, "tcp", &set, NULL), 0);
	assert_int_equal(set_wait(set), 0);
	set_status(set, &status);
	assert_int_equal(status.packets, 0);
	assert_int_equal(set_next(set, 1, &n), -ENOENT);
	assert_int_equal(set_next(set_all(sets), 1, &n), -ENOENT);
	set_pool_close(sets);
	pktfs_close(empty);
}

static void chunks_pack_every_form(void **state)
{
	static const uint32_t every_nth[] = {1, 2, 15, 16, 17, 1000, 65536};
	uint64_t words[CHUNK_WORDS], again[CHUNK_WORDS];
	unsigned i, m;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(every_nth); i++) {
		struct set_chunk chunk = {0};
		uint32_t rank = 0, last = 0;

		memset(words, 0, sizeof(words));
		for (m = every_nth[i] / 2; m < SET_CHUNK; m += every_nth[i])
			words[m / 64] |= UINT64_C(1) << m % 64;
		assert_int_equal(chunk_pack(&chunk, words), 0);
		chunk_unpack(&chunk, again);
		assert_memory_equal(words, again, sizeof(words));
		for (m = 0; m < SET_CHUNK; m++) {
			assert_int_equal(chunk_rank(&chunk, m), rank);
			if (!(words[m / 64] >> m % 64 & 1))
				continue;
			assert_int_equal(chunk_select(&chunk, rank++), m);
			assert_int_equal(chunk_next(&chunk, last), m);
			last = m + 1;
		}
		assert_int_equal(chunk_next(&chunk, last), SET_CHUNK);
		assert_int_equal(chunk.count, rank);
		chunk_free(&chunk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_pack_every_form),
		cmocka_unit_test(each_kind),
		cmocka_unit_test(periods_and_minutes),
		cmocka_unit_test(sets_nest),
		cmocka_unit_test(a_parent_begun_in_the_middle),
		cmocka_unit_test(wrong_expressions),
		cmocka_unit_test(a_pattern_that_explodes),
		cmocka_unit_test(many_sets_stay_in_bounds),
		cmocka_unit_test(sets_come_and_go),
		cmocka_unit_test(a_reader_keeps_what_it_met),
		cmocka_unit_test(too_deep),
		cmocka_unit_test(an_empty_capture),
	};

	return cmocka_run_group_tests_name("set", tests, setup, teardown);
}
