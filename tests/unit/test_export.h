/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual captures of sets, for tests: opening them with patience, reading them
 * as a whole, and in random pieces by several threads.
 */
#ifndef TEST_EXPORT_H
#define TEST_EXPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "set/set_export.h"
#include "set/set_internal.h"
#include "test_build.h"

#define EXPORT_READ_MOST 70000
#define EXPORT_READERS	 3
#define EXPORT_PATIENCE	 20000 /* times 0.5 ms */

struct sets {
	pktfs_capture *capture;
	struct set_pool *pool;
};

__attribute__((unused)) static struct sets sets_over(const struct text *text, uint64_t memory)
{
	struct pktfs_error error;
	struct sets sets;

	assert_int_equal(text->failed, 0);
	if (pktfs_open_buffer(text->bytes, text->size, NULL, &sets.capture, &error) < 0)
		fail_msg("open: %s", error.text);
	assert_int_equal(pktfs_wait(sets.capture, UINT64_MAX, -1), 0);
	assert_int_equal(set_pool_open(sets.capture, 2, memory, &sets.pool), 0);
	return sets;
}

__attribute__((unused)) static void sets_close(struct sets *sets)
{
	set_pool_close(sets->pool);
	pktfs_close(sets->capture);
}

__attribute__((unused)) static struct set *sets_open(struct sets *sets, enum set_kind kind,
						     const char *expression)
{
	struct pktfs_error error;
	struct set *set;

	if (set_open(sets->pool, set_all(sets->pool), kind, expression, &set, &error) < 0)
		fail_msg("%s: %s", expression, error.text);
	return set;
}

__attribute__((unused)) static int patient_size(struct set *set, enum export_format format,
						unsigned link, uint64_t *ret)
{
	unsigned i;
	int r = -EAGAIN;

	for (i = 0; i < EXPORT_PATIENCE && r == -EAGAIN; i++) {
		r = set_export_size(set, format, link, ret, NULL);
		if (r == -EAGAIN)
			usleep(500);
	}
	return r;
}

__attribute__((unused)) static struct export *patient_open(struct set *set,
							   enum export_format format,
							   unsigned link)
{
	struct pktfs_error error = {0};
	struct export *export;
	unsigned i;
	int r = -EAGAIN;

	for (i = 0; i < EXPORT_PATIENCE && r == -EAGAIN; i++) {
		r = set_export_open(set, format, link, &export, &error);
		if (r == -EAGAIN)
			usleep(500);
	}
	if (r < 0)
		fail_msg("open: %d %s", r, error.text);
	return export;
}

static int64_t patient_read(struct export *export, uint64_t offset, void *bytes, size_t size)
{
	unsigned i;
	int64_t r = -EAGAIN;

	for (i = 0; i < EXPORT_PATIENCE && r == -EAGAIN; i++) {
		r = export_read(export, offset, bytes, size);
		if (r == -EAGAIN)
			usleep(500);
	}
	return r;
}

/* The whole file, in pieces of `step`. */
__attribute__((unused)) static void read_whole(struct set *set, enum export_format format,
					       unsigned link, size_t step, struct text *ret)
{
	struct export *export = patient_open(set, format, link);
	_cleanup_free_ uint8_t *bytes = malloc(step);
	uint64_t size;
	int64_t r;

	ret->limit = (size_t)1 << 30;
	while ((r = patient_read(export, ret->size, bytes, step)) > 0)
		text_append(ret, bytes, (size_t)r);
	assert_int_equal(r, 0);
	assert_int_equal(patient_size(set, format, link, &size), 0);
	assert_int_equal(size, ret->size);
	export_close(export);
}

struct random_reader {
	struct export *export;
	const struct text *wanted;
	uint64_t random;
	unsigned reads, wrong;
	pthread_t thread;
};

static inline uint64_t random_next(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *random >> 33;
}

static void *random_reads(void *context)
{
	struct random_reader *reader = context;
	_cleanup_free_ uint8_t *bytes = malloc(EXPORT_READ_MOST);
	const struct text *wanted = reader->wanted;
	unsigned i;

	for (i = 0; i < reader->reads; i++) {
		uint64_t offset = random_next(&reader->random) % (wanted->size + 3);
		uint64_t size = random_next(&reader->random) % (i % 3 ? 200 : EXPORT_READ_MOST);
		uint64_t present = offset < wanted->size ? MIN(size, wanted->size - offset) : 0;
		int64_t r = patient_read(reader->export, offset, bytes, size);

		if (r != (int64_t)present || memcmp(bytes, wanted->bytes + offset, present))
			reader->wrong++;
	}
	return NULL;
}

/* Random pieces of a fresh export equal `wanted`. */
__attribute__((unused)) static void check_pieces(struct set *set, enum export_format format,
						 unsigned link, unsigned reads,
						 const struct text *wanted)
{
	struct export *export = patient_open(set, format, link);
	struct random_reader readers[EXPORT_READERS];
	unsigned i;

	for (i = 0; i < EXPORT_READERS; i++) {
		readers[i] = (struct random_reader){export, wanted, i + 1, reads, 0, 0};
		pthread_create(&readers[i].thread, NULL, random_reads, &readers[i]);
	}
	for (i = 0; i < EXPORT_READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(readers[i].wrong, 0);
	}
	export_close(export);
}

#endif
