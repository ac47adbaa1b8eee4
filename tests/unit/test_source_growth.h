/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of compressed files that grow share. */
#ifndef TEST_SOURCE_GROWTH_H
#define TEST_SOURCE_GROWTH_H

#include "source_fixture.h"

#define SIZE ((size_t)2000000)

static uint8_t *bytes;

static UNUSED struct source *open_growing(int fd)
{
	const struct source_options options = {.growing = true};
	struct source *source;

	assert_int_equal(source_open_fd(fd, &options, &source, NULL), 0);
	assert_true(source_growing(source));
	return source;
}

/* The end, for now; `problem` is there or 0. */
static UNUSED void expect(struct source *source, size_t decoded, int problem)
{
	struct pktfs_error error = {0};
	struct pktfs_loan loan;

	assert_int_equal(fixture_end(source), decoded);
	assert_int_equal(source_problem(source, &error), problem);
	if (problem)
		assert_int_equal(error.offset, decoded);
	assert_int_equal(source_borrow(source, decoded, 1, &loan), -ENODATA);
}

static UNUSED void compare(struct source *source, size_t from, size_t to)
{
	uint8_t *copy = malloc(to - from + 1);

	assert_int_equal(source_read(source, from, copy, to - from), to - from);
	assert_memory_equal(copy, bytes + from, to - from);
	free(copy);
}

#endif
