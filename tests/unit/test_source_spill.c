/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers that are written by whoever waits for them: all, in order, once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "source/source_spill.h"

#define ROOM  64u
#define COUNT 3000u

struct written {
	struct source_spill spill;
	atomic_bool writing; /* by one thread at a time */
	uint64_t end, fail_at;
	atomic_bool over;
};

static int write_some(void *context, const struct source_spill_bytes *bytes)
{
	struct written *w = context;

	assert_false(atomic_exchange(&w->writing, true));
	assert_int_equal(bytes->end, w->end + bytes->size);
	for (size_t i = 0; i < bytes->size; i++)
		assert_int_equal(bytes->bytes[i], (uint8_t)(bytes->end / ROOM));
	if (bytes->end < w->fail_at)
		w->end = bytes->end;
	atomic_store(&w->writing, false);
	return bytes->end < w->fail_at ? 0 : -ENOSPC;
}

static void *help(void *context)
{
	struct written *w = context;

	while (!atomic_load(&w->over)) {
		if (source_spill_offers(&w->spill))
			source_spill_help(&w->spill);
	}
	return NULL;
}

/* Returns the first error, or 0; how many were taken is in *ret_taken. */
static int fill(struct written *w, uint64_t fail_at, unsigned helpers, unsigned *ret_taken)
{
	uint8_t *buffer = malloc(ROOM);
	pthread_t threads[2];
	int r = 0, drained;

	*w = (struct written){.fail_at = fail_at};
	source_spill_init(&w->spill, ROOM);
	w->spill.write = write_some;
	w->spill.context = w;
	for (unsigned i = 0; i < helpers; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, help, w), 0);
	for (*ret_taken = 0; r >= 0 && *ret_taken < COUNT; *ret_taken += r >= 0) {
		uint64_t end = (*ret_taken + 1) * (uint64_t)ROOM;

		memset(buffer, (int)(uint8_t)(end / ROOM), ROOM);
		r = source_spill_swap(&w->spill, &buffer, ROOM, end);
		assert_true(r <= (int)SOURCE_SPILL_BUFFERS);
		assert_int_not_equal(r, 0);
		if (*ret_taken % 100 == 99 && r > 0 && source_spill_drain(&w->spill) == 0)
			assert_int_equal(w->end, end);
	}
	drained = source_spill_drain(&w->spill);
	assert_false(source_spill_offers(&w->spill));
	source_spill_help(&w->spill); /* nothing */
	atomic_store(&w->over, true);
	for (unsigned i = 0; i < helpers; i++)
		pthread_join(threads[i], NULL);
	source_spill_end(&w->spill);
	source_spill_fini(&w->spill);
	free(buffer);
	return drained;
}

static void all_are_written(void **state)
{
	struct written w;
	unsigned taken;

	(void)state;
	for (unsigned helpers = 0; helpers <= 2; helpers++) {
		assert_int_equal(fill(&w, UINT64_MAX, helpers, &taken), 0);
		assert_int_equal(taken, COUNT);
		assert_int_equal(w.end, COUNT * (uint64_t)ROOM);
	}
}

/* An error ends it: nothing behind it is written, and no more is taken. */
static void an_error_ends_it(void **state)
{
	const uint64_t fail_at = 1000 * (uint64_t)ROOM;
	struct written w;
	unsigned taken;

	(void)state;
	for (unsigned helpers = 0; helpers <= 2; helpers++) {
		assert_int_equal(fill(&w, fail_at, helpers, &taken), -ENOSPC);
		assert_int_equal(w.end, fail_at - ROOM);
		assert_true(taken >= 1000 && taken <= 1000 + SOURCE_SPILL_BUFFERS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_written),
		cmocka_unit_test(an_error_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
