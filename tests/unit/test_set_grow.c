/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of a capture that grows, against those of the same bytes opened anew:
 * after each growth every question has the same answer, every export the same
 * bytes; exports of before go on giving what they gave.
 */
#include "test_set_grow.h"

#define SETS 14

static const struct spec {
	int parent; /* index; -1: all */
	enum set_kind kind;
	const char *expression;
} specs[SETS] = {
	{-1, SET_FILTER, "arp"},
	{-1, SET_FILTER, "greater 60"},
	{-1, SET_INTERFACE, "0"},
	{-1, SET_INTERFACE, "3"},
	{-1, SET_TIME, ".."},
	{-1, SET_TIME, "@1000010..@1000300"},
	{-1, SET_RANGE, "3,50-200,65530-65540,65600-"},
	{-1, SET_MATCH, "[37]7"},
	{-1, SET_MATCH, "packet 1\\d*$"},
	{-1, SET_PAYLOAD, ""},
	{1, SET_INTERFACE, "1"},
	{1, SET_MATCH, "5"},
	{11, SET_RANGE, "7-"},
	{4, SET_FILTER, "ip or arp"},
};

static struct set *open_spec(struct sets *sets, struct set **all, unsigned i, int *ret)
{
	struct set *set = NULL, *parent = set_all(sets->pool);

	if (specs[i].parent >= 0)
		parent = all[specs[i].parent];
	*ret = -ENOENT;
	if (parent)
		*ret = set_open(sets->pool, parent, specs[i].kind, specs[i].expression, &set, NULL);
	return *ret == 0 ? set : NULL;
}

static void check_status(struct set *a, struct set *b)
{
	struct set_status x, y;

	set_status(a, &x);
	set_status(b, &y);
	assert_true(x.complete && y.complete);
	assert_int_equal(x.passed, y.passed);
	assert_int_equal(x.packets, y.packets);
	assert_int_equal(x.captured_bytes, y.captured_bytes);
	assert_int_equal(x.original_bytes, y.original_bytes);
	assert_int_equal(x.limited, y.limited);
	assert_int_equal(x.has_time, y.has_time);
	if (!x.has_time)
		return;
	assert_int_equal(time_compare(x.first_time, y.first_time), 0);
	assert_int_equal(time_compare(x.last_time, y.last_time), 0);
	assert_int_equal(time_compare(x.min_time, y.min_time), 0);
	assert_int_equal(time_compare(x.max_time, y.max_time), 0);
}

static void check_members(struct set *a, struct set *b)
{
	uint64_t x[300], y[300], at = 1;
	int64_t n, m;

	do {
		n = set_members(a, at, x, 300);
		m = set_members(b, at, y, 300);
		assert_int_equal(n, m);
		if (n > 0) {
			assert_memory_equal(x, y, (size_t)n * sizeof(*x));
			at = x[n - 1] + 1;
		}
	} while (n > 0);
	assert_int_equal(n, -ENOENT);
}

static void check_questions(struct set *a, struct set *b, uint64_t packets, uint64_t *random)
{
	int64_t i = 0, j = 0;
	uint64_t x = 0, y = 0, n;
	unsigned k;
	int r;

	for (k = 0; k < 20; k++) {
		n = random_next(random) % (packets + 3) + 1;
		r = set_next(b, n, &y);
		assert_int_equal(set_next(a, n, &x), r);
		assert_true(r < 0 || x == y);
		r = set_rank(b, n, &y);
		assert_int_equal(set_rank(a, n, &x), r);
		assert_true(r < 0 || x == y);
		r = set_select(b, n - 1, &y);
		assert_int_equal(set_select(a, n - 1, &x), r);
		assert_true(r < 0 || x == y);
		assert_int_equal(set_contains(a, n), set_contains(b, n));
		if (set_kind(a) == SET_ALL)
			continue;
		r = set_next_minute(b, j, &j);
		assert_int_equal(set_next_minute(a, i, &i), r);
		assert_true(r < 0 || i == j);
		i = j = r < 0 ? 0 : j + 1;
	}
}

/* ---- exports */

#define KEPT 12

/* Exports of states that are over. */
struct kept {
	struct export *export;
	struct text bytes;
};

static struct {
	struct kept kept[KEPT];
	unsigned next, compared;
} exports;

static void forget(struct kept *kept)
{
	export_close(kept->export);
	text_free(&kept->bytes);
	*kept = (struct kept){0};
}

static void keep(struct set *set, enum export_format format, unsigned link, struct text *bytes)
{
	struct kept *kept = &exports.kept[exports.next++ % KEPT];

	forget(kept);
	kept->export = patient_open(set, format, link);
	assert_false(export_outgrown(kept->export));
	text_append(&kept->bytes, bytes->bytes, bytes->size);
}

static void check_kept(uint64_t *random)
{
	uint8_t bytes[3000];
	unsigned i, k;

	for (i = 0; i < KEPT; i++) {
		const struct text *text = &exports.kept[i].bytes;

		for (k = 0; exports.kept[i].export && k < 3; k++) {
			uint64_t at = k ? random_next(random) % (text->size + 1)
					: text->size - MIN(text->size, 500);
			size_t size = MIN(sizeof(bytes), text->size - at);

			assert_int_equal(patient_read(exports.kept[i].export, at, bytes,
						      sizeof(bytes)), size);
			assert_memory_equal(bytes, text->bytes + at, size);
		}
	}
}

static void check_export(struct set *a, struct set *b, enum export_format format, unsigned link,
			 uint64_t *random)
{
	_cleanup_(text_free) struct text x = {0}, y = {0};
	uint64_t size;
	int r = patient_size(b, format, link, &size);

	assert_int_equal(patient_size(a, format, link, &size), r);
	if (r < 0)
		return;
	read_whole(b, format, link, 50000, &y);
	read_whole(a, format, link, 50000, &x);
	assert_int_equal(x.size, y.size);
	assert_int_equal(size, y.size);
	assert_memory_equal(x.bytes, y.bytes, y.size);
	exports.compared++;
	if (random_next(random) % 4 == 0)
		keep(a, format, link, &x);
}

static void check_exports(struct set *a, struct set *b, uint64_t *random)
{
	struct pktfs_link_type x, y;
	unsigned link;
	int r = 0;

	check_export(a, b, EXPORT_PCAPNG, 0, random);
	for (link = 0; r == 0; link++) {
		r = set_export_link_type(b, link, &y);
		assert_int_equal(set_export_link_type(a, link, &x), r);
		if (r < 0)
			break;
		assert_int_equal(x.link_type, y.link_type);
		assert_int_equal(x.packets, y.packets);
		check_export(a, b, EXPORT_PCAP, link, random);
	}
}

/* ---- growth */

/* Compares what has grown with the same bytes, opened anew. */
static void compare(struct growing *growing, bool with_exports, uint64_t *random)
{
	struct text prefix = {.bytes = growing->world->text.bytes, .size = growing->size};
	struct sets fresh = sets_over(&prefix, 0), *grown = &growing->sets;
	struct set *a[SETS] = {NULL}, *b[SETS] = {NULL};
	struct pktfs_status x, y;
	unsigned i;
	int r, s;

	pktfs_status_get(grown->capture, &x);
	pktfs_status_get(fresh.capture, &y);
	assert_int_equal(x.packets, y.packets);
	assert_int_equal(x.metadata, y.metadata);
	check_questions(set_all(grown->pool), set_all(fresh.pool), y.packets, random);
	for (i = 0; i < SETS; i++) {
		b[i] = open_spec(&fresh, b, i, &r);
		a[i] = open_spec(grown, a, i, &s);
		assert_true(r == s || (r == -EINVAL && y.packets == 0));
		if (!a[i] || !b[i] || random_next(random) % 3 == 0)
			continue;
		assert_int_equal(set_wait(b[i]), 0);
		assert_int_equal(set_wait(a[i]), 0);
		check_status(a[i], b[i]);
		check_members(a[i], b[i]);
		check_questions(a[i], b[i], y.packets, random);
		if (with_exports && random_next(random) % 4 == 0)
			check_exports(a[i], b[i], random);
	}
	if (with_exports && x.format != PKTFS_FORMAT_PCAPNG)
		check_exports(set_all(grown->pool), set_all(fresh.pool), random);
	sets_close(&fresh);
}

static void grow_all(const struct world *world, size_t first, unsigned most, unsigned torn,
		     uint64_t memory, uint64_t seed)
{
	struct growing growing;
	uint64_t random = seed;
	unsigned steps = 0, i;

	growing_open(&growing, world, first, memory);
	compare(&growing, true, &random);
	while (growing.records < world->count) {
		growing_more(&growing, 1 + random_next(&random) % most,
			     random_next(&random) % 100 < torn ? &random : NULL);
		compare(&growing, steps++ % 2 == 0, &random);
		check_kept(&random);
	}
	for (i = 0; i < KEPT; i++)
		forget(&exports.kept[i]);
	growing_close(&growing);
}

static void pcapng_record_by_record(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 6; seed++) {
		struct world world = {0};

		world_pcapng(&world, 150, seed);
		grow_all(&world, seed % 4, 3, 0, 0, seed);
		world_free(&world);
	}
}

static void pcap_record_by_record(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 4; seed++) {
		struct world world = {0};

		world_pcap(&world, 150, seed);
		grow_all(&world, 0, 3, 0, 0, seed);
		world_free(&world);
	}
}

/* Most writes end inside a record. */
static void torn_writes(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 11; seed <= 14; seed++) {
		struct world world = {0};

		if (seed % 2)
			world_pcapng(&world, 150, seed);
		else
			world_pcap(&world, 150, seed);
		grow_all(&world, 2, 4, 80, 0, seed);
		world_free(&world);
	}
}

/* Over the ends of chunks, also with so little memory that sets are dropped. */
static void over_the_end_of_a_chunk(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 21; seed <= 24; seed++) {
		struct world world = {0};

		if (seed % 2)
			world_pcapng(&world, SET_CHUNK + 500, seed);
		else
			world_pcap(&world, SET_CHUNK + 500, seed);
		grow_all(&world, SET_CHUNK - 300, 300, 20, seed < 23 ? 0 : 40000, seed);
		world_free(&world);
	}
	print_message("%u exports compared\n", exports.compared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcapng_record_by_record),
		cmocka_unit_test(pcap_record_by_record),
		cmocka_unit_test(torn_writes),
		cmocka_unit_test(over_the_end_of_a_chunk),
	};

	return cmocka_run_group_tests_name("set_grow", tests, NULL, NULL);
}
