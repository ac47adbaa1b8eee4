/* SPDX-License-Identifier: BSD-2-Clause */
/* Which packets are pushed to which readers, with a kernel that is an array: what
 * was read or pushed is in its cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "fs/fs_ahead.h"
#include "util/util_base.h"

#define FIRST (UINT64_C(7) << 47 | 1) /* of a kind of nodes */
#define COUNT 20000u

/* One request for each of the longest runs, and some before. */
#define REQUESTS (COUNT / (FS_AHEAD_RUN * FS_AHEAD_BLOCK) + 8)

struct kernel {
	struct fs_ahead ahead;
	bool cached[COUNT];
	bool unknown; /* it refuses */
	unsigned listed; /* it knows so many; 0: all */
	bool slow;    /* the thread that pushes gets no turn */
	unsigned requests, pushes, refusals;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct kernel));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* As fs_push.c does it; behind the end of the capture there is nothing. */
static void push(struct kernel *kernel, struct fs_ahead_run run)
{
	for (; run.count; run.count--, run.from += (uint64_t)(int64_t)run.step) {
		bool exists = run.from >= FIRST && run.from < FIRST + COUNT;

		if (kernel->listed && run.from >= FIRST + kernel->listed)
			exists = false;
		if (!exists || (kernel->unknown && fs_ahead_wanted(&kernel->ahead, run.from))) {
			kernel->refusals++;
			fs_ahead_drop(&kernel->ahead, &run, true);
			return;
		}
		if (fs_ahead_wanted(&kernel->ahead, run.from)) {
			kernel->pushes++;
			kernel->cached[run.from - FIRST] = true;
			fs_ahead_given(&kernel->ahead, run.from);
		}
		if (run.count == 1 || (run.from + (uint64_t)(int64_t)run.step) / FS_AHEAD_BLOCK !=
					      run.from / FS_AHEAD_BLOCK)
			fs_ahead_done(&kernel->ahead, run.from);
	}
}

static void read_one(struct kernel *kernel, unsigned number)
{
	struct fs_ahead_run run;

	if (kernel->cached[number])
		return;
	kernel->requests++;
	kernel->cached[number] = true;
	if (!fs_ahead_read(&kernel->ahead, FIRST + number, &run))
		return;
	assert_true(run.count >= 1 && run.count <= FS_AHEAD_RUN * FS_AHEAD_BLOCK);
	if (kernel->slow)
		fs_ahead_drop(&kernel->ahead, &run, false);
	else
		push(kernel, run);
}

static void all_cached(const struct kernel *kernel)
{
	for (unsigned i = 0; i < COUNT; i++)
		assert_true(kernel->cached[i]);
	/* few of them twice */
	assert_in_range(kernel->requests + kernel->pushes, COUNT, COUNT + COUNT / 20);
}

static void upwards(void **state)
{
	struct kernel *kernel = *state;

	for (unsigned i = 0; i < COUNT; i++)
		read_one(kernel, i);
	all_cached(kernel);
	assert_in_range(kernel->requests, 1, REQUESTS);
}

static void downwards(void **state)
{
	struct kernel *kernel = *state;

	for (unsigned i = COUNT; i-- > 0;)
		read_one(kernel, i);
	all_cached(kernel);
	assert_in_range(kernel->requests, 1, REQUESTS);
}

/* Two from both ends, taking turns. */
static void both_ways(void **state)
{
	struct kernel *kernel = *state;

	for (unsigned i = 0; i < COUNT; i++)
		read_one(kernel, i % 2 ? COUNT - 1 - i / 2 : i / 2);
	all_cached(kernel);
	assert_in_range(kernel->requests, 1, 64);
}

/* Threads of one program that take the next file each: nearly in order. */
static void several_threads(void **state)
{
	struct kernel *kernel = *state;

	for (unsigned i = 0; i < COUNT; i += 8)
		for (unsigned j = 0; j < 8; j++)
			read_one(kernel, i + (j * 5 + i / 8) % 8);
	all_cached(kernel);
	assert_in_range(kernel->requests, 1, 64);
}

/* Each second, as of a set: what is between is not known to the kernel, which
 * this one does not mind. */
static void each_second(void **state)
{
	struct kernel *kernel = *state;

	for (unsigned i = 0; i < COUNT; i += 2)
		read_one(kernel, i);
	assert_in_range(kernel->requests, 1, 64);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void here_and_there(void **state)
{
	struct kernel *kernel = *state;
	uint32_t seed = 1;

	for (unsigned i = 0; i < 300; i++)
		read_one(kernel, next_random(&seed) % COUNT);
	/* 3 of 64 by chance, now and then; then the neighbours */
	assert_in_range(kernel->requests, 200, 300);
}

/* Every packet, in no order at all. */
static void all_at_random(void **state)
{
	struct kernel *kernel = *state;
	unsigned *order = malloc(COUNT * sizeof(*order));
	uint32_t seed = 1;

	assert_non_null(order);
	for (unsigned i = 0; i < COUNT; i++)
		order[i] = i;
	for (unsigned i = COUNT - 1; i > 0; i--) {
		unsigned j = next_random(&seed) % (i + 1), was = order[i];

		order[i] = order[j];
		order[j] = was;
	}
	for (unsigned i = 0; i < COUNT; i++)
		read_one(kernel, order[i]);
	free(order);
	for (unsigned i = 0; i < COUNT; i++)
		assert_true(kernel->cached[i]);
}

/* What was pushed may go, when memory is short: it is pushed again. */
static void forgotten(void **state)
{
	struct kernel *kernel = *state;

	for (unsigned i = 0; i < COUNT; i++)
		read_one(kernel, i);
	memset(kernel->cached, 0, sizeof(kernel->cached));
	kernel->requests = kernel->pushes = 0;
	for (unsigned i = 0; i < COUNT; i++)
		read_one(kernel, i);
	all_cached(kernel);
	assert_in_range(kernel->requests, 1, 64);
}

/* A few attempts a block are what it costs. */
static void refused(void **state)
{
	struct kernel *kernel = *state;

	kernel->unknown = true;
	for (unsigned i = 0; i < COUNT; i++)
		read_one(kernel, i);
	assert_int_equal(kernel->requests, COUNT);
	assert_in_range(kernel->refusals, 1, 7 * (COUNT / FS_AHEAD_BLOCK + 1));
}

/* Who reads the files of one part of a listing before it reads the next part: what
 * is behind is not known yet. */
static void as_listed(void **state)
{
	struct kernel *kernel = *state;

	for (kernel->listed = 0; kernel->listed < COUNT;) {
		unsigned from = kernel->listed;

		kernel->listed = MIN(from + 194, COUNT);
		for (unsigned i = from; i < kernel->listed; i++)
			read_one(kernel, i);
	}
	all_cached(kernel);
	assert_in_range(kernel->requests, 1, 8 * (COUNT / 194));
}

/* Runs that are never done are no reason to stop. */
static void never_pushed(void **state)
{
	struct kernel *kernel = *state;

	kernel->slow = true;
	for (unsigned i = 0; i < COUNT; i++)
		read_one(kernel, i);
	assert_int_equal(kernel->requests, COUNT);
	kernel->slow = false;
	memset(kernel->cached, 0, sizeof(kernel->cached));
	kernel->requests = 0;
	for (unsigned i = 0; i < COUNT; i++)
		read_one(kernel, i);
	assert_in_range(kernel->requests, 1, 64);
}

/* Far apart, so that each slot of the table is taken by another and another. */
static void table_full(void **state)
{
	struct kernel *kernel = *state;
	struct fs_ahead_run run;

	for (uint64_t i = 0, offset = FIRST; i < 100 * FS_AHEAD_SLOTS; i++) {
		assert_false(fs_ahead_read(&kernel->ahead, offset, &run));
		offset += 1000 * FS_AHEAD_BLOCK;
	}
	upwards(state);
}

/* At the ends of what numbers there are. */
static void edges(void **state)
{
	struct kernel *kernel = *state;
	struct fs_ahead_run run;
	uint64_t last = UINT64_MAX - 70;

	for (uint64_t i = 0; i < 70; i++)
		if (fs_ahead_read(&kernel->ahead, last + i, &run))
			fs_ahead_drop(&kernel->ahead, &run, false);
	for (uint64_t i = 70; i-- > 0;)
		if (fs_ahead_read(&kernel->ahead, i, &run))
			fs_ahead_drop(&kernel->ahead, &run, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(upwards),      TEST(downwards),    TEST(both_ways),  TEST(several_threads),
		TEST(each_second),  TEST(here_and_there), TEST(all_at_random), TEST(forgotten),
		TEST(refused),      TEST(never_pushed), TEST(table_full), TEST(edges),
		TEST(as_listed),
	};

	return cmocka_run_group_tests_name("fs_ahead", tests, NULL, NULL);
}
