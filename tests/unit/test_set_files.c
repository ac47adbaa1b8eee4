/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of a capture that is several files: what is exported is read back and
 * compared packet by packet.
 */
#include "test_set_grow.h"

static void put_file(char path[64], const struct text *text)
{
	int fd;

	sprintf(path, "/tmp/test_set_files.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text->bytes, text->size), text->size);
	close(fd);
}

static struct sets open_files(const struct world *worlds, size_t count)
{
	char room[8][64];
	const char *paths[8];
	struct sets sets;
	size_t i;

	for (i = 0; i < count; i++) {
		put_file(room[i], &worlds[i].text);
		paths[i] = room[i];
	}
	assert_int_equal(pktfs_open_files(paths, count, NULL, &sets.capture, NULL), 0);
	assert_int_equal(pktfs_wait(sets.capture, UINT64_MAX, -1), 0);
	assert_int_equal(set_pool_open(sets.capture, 2, 0, &sets.pool), 0);
	for (i = 0; i < count; i++)
		unlink(paths[i]);
	return sets;
}

static void check_packet(const struct pktfs_packet *a, const struct pktfs_packet *b)
{
	assert_int_equal(a->captured_length, b->captured_length);
	assert_int_equal(a->original_length, b->original_length);
	assert_memory_equal(a->data, b->data, a->captured_length);
	assert_int_equal(a->has_time, b->has_time);
	if (a->has_time)
		assert_int_equal(time_compare(a->time, b->time), 0);
	assert_int_equal(a->link_type, b->link_type);
	assert_int_equal(a->options.size, b->options.size);
}

/* Packet by packet, those of the link type (-1: all) of the set. */
static uint64_t check_export(struct sets *sets, struct set *set, enum export_format format,
			     unsigned link, int link_type)
{
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_packet a, b;
	struct sets made;
	uint64_t n = 0, at = 0;

	read_whole(set, format, link, 9999, &text);
	made = sets_over(&text, 0);
	while (set_next(set, n + 1, &n) == 0) {
		assert_int_equal(pktfs_packet_get(sets->capture, n, &a, NULL), 0);
		if (link_type < 0 || a.link_type == link_type) {
			assert_int_equal(pktfs_packet_get(made.capture, ++at, &b, NULL), 0);
			if (format == EXPORT_PCAP) { /* has no options, and all have times */
				b.options = a.options;
				b.has_time = a.has_time;
				b.time = a.time;
			}
			check_packet(&a, &b);
			assert_int_equal(pktfs_packet_release(&b), 0);
		}
		assert_int_equal(pktfs_packet_release(&a), 0);
	}
	assert_int_equal(pktfs_packet_get(made.capture, at + 1, &b, NULL), -ENOENT);
	sets_close(&made);
	return at;
}

static void check_single(struct sets *sets, uint64_t number)
{
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_packet a, b;
	struct sets made;

	assert_int_equal(export_single(sets->capture, number, &text, NULL), 0);
	made = sets_over(&text, 0);
	assert_int_equal(pktfs_packet_get(sets->capture, number, &a, NULL), 0);
	assert_int_equal(pktfs_packet_get(made.capture, 1, &b, NULL), 0);
	check_packet(&a, &b);
	assert_int_equal(pktfs_packet_release(&a), 0);
	assert_int_equal(pktfs_packet_release(&b), 0);
	sets_close(&made);
}

static void check_all(struct sets *sets)
{
	struct set *greater = sets_open(sets, SET_FILTER, "greater 50");
	struct set *third = sets_open(sets, SET_MATCH, "3");
	struct pktfs_link_type type;
	struct pktfs_status status;
	uint64_t sum = 0, n;
	unsigned link;

	pktfs_status_get(sets->capture, &status);
	assert_int_equal(set_wait(greater), 0);
	assert_int_equal(set_wait(third), 0);
	assert_true(check_export(sets, greater, EXPORT_PCAPNG, 0, -1) > 10);
	assert_true(check_export(sets, third, EXPORT_PCAPNG, 0, -1) > 10);
	for (link = 0; set_export_link_type(set_all(sets->pool), link, &type) == 0; link++)
		sum += check_export(sets, set_all(sets->pool), EXPORT_PCAP, link, type.link_type);
	assert_int_equal(sum, status.packets);
	for (n = 1; n <= status.packets; n++)
		check_single(sets, n);
}

/* pcap of two link types and byte orders, and pcapng. */
static void make_worlds(struct world worlds[4], bool with_pcap)
{
	unsigned i;

	memset(worlds, 0, 4 * sizeof(*worlds));
	for (i = 0; i < 4; i++)
		if (with_pcap && i % 2 == 0)
			world_pcap(&worlds[i], 60 + i, i);
		else
			world_pcapng(&worlds[i], 60 + i, i);
	if (with_pcap)
		worlds[0].text.bytes[20] = 101; /* LINKTYPE_RAW */
}

static void free_worlds(struct world worlds[4])
{
	unsigned i;

	for (i = 0; i < 4; i++)
		world_free(&worlds[i]);
}

static void mixed_formats(void **state)
{
	struct world worlds[4];
	unsigned first;

	(void)state;
	make_worlds(worlds, true);
	for (first = 0; first < 2; first++) { /* begins with either format */
		struct sets sets = open_files(worlds + first, 4 - first);

		check_all(&sets);
		check_export(&sets, set_all(sets.pool), EXPORT_PCAPNG, 0, -1);
		sets_close(&sets);
	}
	free_worlds(worlds);
}

static void all_pcapng(void **state)
{
	struct world worlds[4];
	struct sets sets;
	uint64_t size;

	(void)state;
	make_worlds(worlds, false);
	sets = open_files(worlds, 4);
	check_all(&sets);
	assert_int_equal(set_export_size(set_all(sets.pool), EXPORT_PCAPNG, 0, &size, NULL),
			 -ENOTSUP);
	sets_close(&sets);
	free_worlds(worlds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mixed_formats),
		cmocka_unit_test(all_pcapng),
	};

	return cmocka_run_group_tests_name("set_files", tests, NULL, NULL);
}
