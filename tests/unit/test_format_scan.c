/* SPDX-License-Identifier: BSD-2-Clause */
/* Guesses where a record begins, and notes of many in turns. What index_scout makes of
 * them is in test_index_scout.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "format/format_scan.h"
#include "test_build.h"

#define SECONDS 1700000000
#define PACKETS 60u

/* A capture with one block that is no packet in the middle, if it is pcapng. */
struct made {
	struct text text;
	const uint8_t *bytes;
	struct format format;
	struct format_walk walk;
	size_t first;                   /* the first packet */
	size_t starts[PACKETS + 2];     /* of records from there on */
	struct format_note notes[PACKETS + 1];
	unsigned count;
};

static void make(struct made *m, bool pcapng, bool big_endian)
{
	struct write_pcap_header header = {big_endian, false, 65535, 1, -1};
	struct format_record record;
	size_t at;

	*m = (struct made){0};
	if (pcapng) {
		build_shb(&m->text, big_endian);
		build_idb(&m->text, big_endian, 1, 6, 0, NULL);
	} else {
		write_pcap_header(&m->text, &header);
	}
	m->first = m->text.size;
	for (unsigned i = 0; i < PACKETS; i++) {
		if (pcapng && i == PACKETS / 2)
			build_block(&m->text, big_endian, BLOCK_CB, "custom block", 12);
		if (pcapng)
			build_epb(&m->text, big_endian, 0, i, i * 3, i, NULL);
		else
			build_record(&m->text, &header, SECONDS + i, 0, i * 3, i);
	}
	m->bytes = (const uint8_t *)m->text.bytes;
	assert_int_equal(format_open(&m->format, cursor_over(m->bytes, 28, false), NULL), 0);
	format_walk_start(&m->walk, &m->format);
	for (at = m->format.first_record; at < m->text.size; at += record.length) {
		assert_int_equal(format_step(&m->walk, cursor_over(m->bytes + at, m->text.size - at,
								   m->walk.big_endian),
					     at, &record, NULL, NULL), 0);
		if (at < m->first)
			continue;
		m->starts[m->count] = at;
		m->notes[m->count++] = (struct format_note){
			.ticks = record.ticks,
			.captured = record.captured,
			.original = record.original,
			.length = (uint32_t)record.length,
			.interface = record.class == RECORD_PACKET ? record.interface
								   : FORMAT_NOTE_OTHER,
		};
	}
	m->starts[m->count] = m->text.size;
	assert_true(format_can_scan(&m->walk));
}

static void same_note(const struct format_note *a, const struct format_note *b)
{
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->interface, b->interface);
	if (a->interface == FORMAT_NOTE_OTHER)
		return;
	assert_int_equal(a->ticks, b->ticks);
	assert_int_equal(a->captured, b->captured);
	assert_int_equal(a->original, b->original);
}

/* Scans that begin at every record at once, each with room for ten. */
static void check_scans(const struct made *m, const uint8_t *end)
{
	struct format_note notes[PACKETS + 1][10];
	struct format_scan scans[PACKETS + 1];
	unsigned i, n;

	for (i = 0; i < m->count; i++)
		scans[i] = (struct format_scan){
			.at = m->bytes + m->starts[i],
			.limit = end,
			.notes = notes[i],
			.room = 10,
		};
	format_scan(&m->walk, scans, m->count, end);
	for (i = 0; i < m->count; i++) {
		for (n = 0; n < scans[i].count; n++)
			same_note(&notes[i][n], &m->notes[i + n]);
		assert_ptr_equal(scans[i].at, m->bytes + m->starts[i + n]);
		/* it has stopped for a reason */
		assert_true(n == 10 || m->bytes + m->starts[i + n] == end ||
			    m->bytes + m->starts[i + n + 1] > end);
	}
}

static void scans_note_what_a_walk_finds(void **state)
{
	struct made m;

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		make(&m, kind & 1, kind & 2);
		for (size_t end = m.text.size; end > m.text.size - 300; end--) {
			uint8_t *copy = malloc(end); /* so that a look behind it is found */
			const uint8_t *bytes = m.bytes;

			memcpy(copy, m.bytes, end);
			m.bytes = copy;
			while (m.starts[m.count - 1] >= end)
				m.count--;
			check_scans(&m, copy + end);
			m.bytes = bytes;
			free(copy);
		}
		text_free(&m.text);
	}
}

/* A trailer that is wrong is what format_step ends at, too. */
static void a_wrong_trailer_stops(void **state)
{
	struct format_note notes[PACKETS + 1];
	struct format_scan scan;
	struct made m;

	(void)state;
	make(&m, true, false);
	m.text.bytes[m.starts[5] - 1] ^= 1;
	scan = (struct format_scan){.at = m.bytes + m.first, .limit = m.bytes + m.text.size,
				    .notes = notes, .room = PACKETS};
	format_scan(&m.walk, &scan, 1, m.bytes + m.text.size);
	assert_int_equal(scan.count, 4);
	assert_ptr_equal(scan.at, m.bytes + m.starts[4]);
	text_free(&m.text);
}

static void guesses_find_the_next_packet(void **state)
{
	struct made m;

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		unsigned next = 0;
		size_t found;

		make(&m, kind & 1, kind & 2);
		for (size_t at = m.first; at < m.starts[m.count - 8]; at++) {
			struct cursor window = cursor_over(m.bytes + at, m.text.size - at,
							   m.walk.big_endian);

			while (m.starts[next] < at || m.notes[next].interface == FORMAT_NOTE_OTHER)
				next++;
			assert_true(format_guess(&m.walk, window, at - m.first, SECONDS, &found));
			assert_int_equal(at + found, m.starts[next]);
		}
		text_free(&m.text);
	}
}

/* Times of another year, and bytes that are no records. */
static void guesses_find_nothing(void **state)
{
	static uint8_t zeros[FORMAT_GUESS_RANGE + 100];
	struct made m;
	size_t found;

	(void)state;
	make(&m, false, false);
	assert_false(format_guess(&m.walk, cursor_over(m.bytes + 24, m.text.size - 24, false), 0,
				  SECONDS + 40000000, &found));
	assert_true(found > m.text.size - 100);
	assert_false(format_guess(&m.walk, cursor_over(zeros, sizeof(zeros), false), 0, SECONDS,
				  &found));
	assert_int_equal(found, FORMAT_GUESS_RANGE);
	assert_false(format_guess(&m.walk, cursor_over(zeros, 10, false), 0, 0, &found));
	assert_int_equal(found, 10);
	text_free(&m.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scans_note_what_a_walk_finds),
		cmocka_unit_test(a_wrong_trailer_stops),
		cmocka_unit_test(guesses_find_the_next_packet),
		cmocka_unit_test(guesses_find_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
