/* SPDX-License-Identifier: BSD-2-Clause */
#include "format_builder.h"

static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};

static void build_modified_rest(struct build *b, uint32_t magic)
{
	if (magic != 0xa1b2cd34)
		return;
	build_u32(b, 2);
	build_u16(b, 0x800);
	build_u16(b, 0);
}

/* Three packets: ordinary, empty, captured longer than original. */
static void build_file(struct build *b, uint32_t magic)
{
	build_pcap(b, magic, 2, 4, 1);
	build_record(b, 1000, 5, 7, 60);
	build_modified_rest(b, magic);
	build_data(b, 7);
	build_record(b, 0xffffffff, 999999, 0, 0);
	build_modified_rest(b, magic);
	build_record(b, 1001, 6, 9, 8);
	build_modified_rest(b, magic);
	build_data(b, 9);
}

static void every_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(magics); i++) {
		uint32_t magic = magics[i / 2];
		struct build b = {.big_endian = i % 2};
		uint64_t unit = magic == 0xa1b23c4d ? 1000000000 : 1000000;
		uint32_t header = magic == 0xa1b2cd34 ? 24 : 16;
		struct walked w;

		build_file(&b, magic);
		w = walk(&b);
		assert_int_equal(w.result, 0);
		assert_int_equal(w.packets, 3);
		assert_int_equal(w.frames, 3);
		assert_int_equal(w.last.offset, 24 + 2 * header + 7);
		assert_int_equal(w.last.length, header + 9);
		assert_int_equal(w.last.type, 0);
		assert_int_equal(w.last.big_endian, b.big_endian);
		assert_true(w.last.has_time);
		assert_int_equal(w.last.nanosecond, magic == 0xa1b23c4d);
		assert_int_equal(w.last.interface, 0);
		assert_int_equal(w.last.captured, 9);
		assert_int_equal(w.last.original, 8);
		assert_int_equal(w.last.ticks, 1001 * unit + 6);
		assert_int_equal(w.last.data_at, header);
		assert_int_equal(w.last.options_size, 0);
		/* the second: seconds are unsigned */
		w = walk_over(b.bytes, 24 + 2 * header + 7);
		assert_int_equal(w.last.ticks, 0xffffffff * unit + 999999);
		assert_int_equal(w.last.captured, 0);
	}
}

static void order_of_lengths(void **state)
{
	static const struct {
		uint16_t major, minor;
		uint32_t first, second, captured, original;
	} cases[] = {
		{2, 2, 60, 8, 8, 60},   {2, 0, 8, 8, 8, 8},   {2, 3, 8, 60, 8, 60},
		{2, 3, 60, 8, 8, 60},   {2, 4, 8, 60, 8, 60}, {2, 4, 8, 7, 8, 7},
		{543, 0, 60, 8, 8, 60},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct build b = {0};
		struct walked w;

		build_pcap(&b, 0xa1b2c3d4, cases[i].major, cases[i].minor, 1);
		build_record(&b, 1, 2, cases[i].first, cases[i].second);
		build_data(&b, 8);
		w = walk(&b);
		assert_int_equal(w.result, 0);
		assert_int_equal(w.packets, 1);
		assert_int_equal(w.last.captured, cases[i].captured);
		assert_int_equal(w.last.original, cases[i].original);
	}
}

/* tcpdump's timestamp_invalid_micro.pcap */
static void fraction_of_a_second_and_more(void **state)
{
	struct build b = {0};
	struct pktfs_time time;
	struct walked w;

	(void)state;
	build_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
	build_record(&b, 10, 0xffffffff, 0, 0);
	w = walk(&b);
	assert_int_equal(w.last.ticks, 10 * 1000000 + UINT64_C(0xffffffff));
	time = pktfs_time_from_ticks(w.last.ticks, 6, 0);
	assert_int_equal(time.sec, 10 + 4294);
	assert_int_equal(time.nsec, 967295000);
}

static void ceiling(void **state)
{
	static const struct {
		uint32_t captured;
		int result;
	} cases[] = {
		{FORMAT_MAX_CAPTURED, -EAGAIN},
		{FORMAT_MAX_CAPTURED + 1, -EFBIG},
		{0x80000000, -EFBIG},
		{0xffffffff, -EFBIG},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct build b = {.big_endian = i % 2};
		struct walked w;

		build_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
		build_record(&b, 1, 2, cases[i / 2].captured, 60);
		w = walk(&b);
		assert_int_equal(w.result, cases[i / 2].result);
		assert_int_equal(w.error.offset, 24);
		if (w.result == -EAGAIN)
			assert_int_equal(w.need, 16 + (uint64_t)FORMAT_MAX_CAPTURED);
		else
			assert_contains(w.error.text,
					"record at offset 24: captured length: found");
	}
}

/* Cut at every length: nothing is lost before the cut, nothing is made up
 * behind it, and what is missing is said. */
static void every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(magics); i++) {
		uint32_t header = magics[i / 2] == 0xa1b2cd34 ? 24 : 16;
		const size_t ends[] = {24, 24 + header + 7, 24 + 2 * header + 7,
				       24 + 3 * header + 16};
		struct build b = {.big_endian = i % 2};

		build_file(&b, magics[i / 2]);
		assert_int_equal(b.size, ends[3]);
		for (size_t cut = 24; cut <= b.size; cut++) {
			struct walked w = walk_over(b.bytes, cut);
			unsigned whole = 0;

			while (whole < 3 && ends[whole + 1] <= cut)
				whole++;
			assert_int_equal(w.packets, whole);
			assert_int_equal(w.result, cut == ends[whole] ? 0 : -EAGAIN);
			if (!w.result)
				continue;
			assert_int_equal(w.at, ends[whole]);
			assert_int_equal(w.error.offset, ends[whole]);
			assert_int_equal(w.need, cut - ends[whole] < header
							 ? header
							 : ends[whole + 1] - ends[whole]);
		}
	}
}

static void every_flipped_byte(void **state)
{
	unsigned rejected = 0;
	struct build b = {0};

	(void)state;
	build_file(&b, 0xa1b2c3d4);
	for (size_t i = 0; i < b.size; i++) {
		for (unsigned mask = 1; mask < 256; mask = mask * 2 + 1) {
			struct walked w;

			b.bytes[i] ^= (uint8_t)mask;
			w = walk(&b);
			b.bytes[i] ^= (uint8_t)mask;
			assert_true(w.result == 0 || w.result == -EAGAIN || w.result == -EFBIG ||
				    w.result == -EBADMSG || w.result == -ENOTSUP);
			rejected += w.result != 0;
		}
	}
	assert_true(rejected > 0);
}

/* A window longer than the record, no room for an error, no need. */
static void optional_parameters(void **state)
{
	struct format_record record;
	struct format_walk walk_;
	struct build b = {0};
	struct format f;

	(void)state;
	build_file(&b, 0xa1b2c3d4);
	assert_int_equal(format_open(&f, build_cursor(&b), NULL), 0);
	format_walk_start(&walk_, &f);
	assert_int_equal(
		format_step(&walk_, cursor_over(b.bytes + 24, 15, false), 24, &record, NULL, NULL),
		-EAGAIN);
	assert_int_equal(
		format_step(&walk_, cursor_over(b.bytes + 24, 22, false), 24, &record, NULL, NULL),
		-EAGAIN);
	assert_int_equal(
		format_step(&walk_, cursor_over(b.bytes + 24, 23, false), 24, &record, NULL, NULL),
		0);
	assert_int_equal(record.length, 23);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(order_of_lengths),
		cmocka_unit_test(fraction_of_a_second_and_more),
		cmocka_unit_test(ceiling),
		cmocka_unit_test(every_cut),
		cmocka_unit_test(every_flipped_byte),
		cmocka_unit_test(optional_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
