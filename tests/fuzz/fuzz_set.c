/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions: filters, patterns, times, ranges, interfaces, nested. Each line is a
 * letter and an expression, about the set of the line before, over
 * a small capture. What must hold: a refusal has a reason; a set comes to an end;
 * its members are members of its parent, in order, as many as it says, and
 * exactly those that belong to it when they are asked one by one.
 */
#include <stdio.h>

#include "input.h"
#include "sample.h"
#include "set/set.h"

static void check(struct set *set, struct set *parent)
{
	struct set_status status;
	uint64_t number, found = 0, last = 0, rank;
	int r;

	r = set_wait(set);
	assert(r == 0);
	set_status(set, &status);
	assert(status.complete && status.passed == SAMPLE_PACKETS);
	for (number = 1; (r = set_next(set, number, &number)) == 0; number++) {
		assert(number > last && number <= SAMPLE_PACKETS);
		r = set_rank(set, number, &rank);
		assert(r == 0 && rank == found);
		r = set_select(set, found, &rank);
		assert(r == 0 && rank == number);
		last = number;
		found++;
	}
	assert(r == -ENOENT && found == status.packets);
	if (status.limited) /* given up: how far it came may differ */
		return;
	for (number = 1, rank = 0; number <= SAMPLE_PACKETS; number++) {
		r = set_contains(set, number);
		assert(r == 0 || (r == 1 && set_contains(parent, number) == 1));
		rank += (uint64_t)r;
	}
	assert(rank == found);
}

static enum set_kind kind_of(char letter)
{
	static const char letters[] = "fmitr"; /* as enum set_kind has them */
	const char *at = strchr(letters, letter);

	return (enum set_kind)(SET_FILTER + (at ? at - letters : letter & 3));
}

/* The set of a line, or its parent where the line is refused. */
static struct set *ask(struct set_pool *pool, struct set *parent, const char *line)
{
	struct pktfs_error error = {0};
	struct set *set;
	int r = set_open(pool, parent, kind_of(*line), line + 1, &set, &error);

	if (r < 0) {
		assert(r != -EINVAL || (*error.text && !strchr(error.text, '\n')));
		assert(memchr(error.text, 0, sizeof(error.text)));
		assert(!error.has_offset || error.offset <= strlen(line));
		return parent;
	}
	assert(set_by_id(pool, set_id(set)) == set);
	check(set, parent);
	return set;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *lines = strndup(size ? (const char *)bytes : "", size), *rest = lines, *line;
	pktfs_capture *capture = sample_open();
	unsigned asked = 0;
	struct set_reader reader;
	struct set_pool *pool;
	struct set *set;
	int r = set_pool_open(capture, 1, 0, &pool);

	assert(lines && r == 0);
	reader = set_pool_enter(pool);
	set = set_all(pool);
	while ((line = strsep(&rest, "\n")) && asked++ < 8)
		if (*line)
			set = ask(pool, set, line);
	set_pool_leave(&reader);
	pktfs_cancel(capture);
	set_pool_close(pool);
	pktfs_close(capture);
	free(lines);
	return 0;
}
