/* SPDX-License-Identifier: BSD-2-Clause */
/* The bodies of pcapng blocks: what a packet is, and what is malformed. */
#include "format_builder.h"

static void enhanced_packet(void **state)
{
	(void)state;
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct build b = build_section(big_endian, 0);
		size_t at = build_epb(&b, 0, 0x123456789abcdef0, 5, 3);
		struct walked w;

		build_data(&b, 5);
		build_pad(&b);
		build_option(&b, 1, "hello", 5);
		build_end(&b, at);
		w = walk(&b);
		assert_int_equal(w.result, 0);
		assert_int_equal(w.packets, 1);
		assert_int_equal(w.metadata, 2);
		assert_int_equal(w.last.type, BLOCK_EPB);
		assert_int_equal(w.last.class, RECORD_PACKET);
		assert_true(w.last.frame && w.last.has_time);
		assert_int_equal(w.last.big_endian, big_endian);
		assert_int_equal(w.last.ticks, 0x123456789abcdef0);
		assert_int_equal(w.last.captured, 5);
		assert_int_equal(w.last.original, 3);
		assert_int_equal(w.last.data_at, 28);
		assert_int_equal(w.last.options_at, 36);
		assert_int_equal(w.last.options_size, 12);
		assert_int_equal(w.last.length, 52);
	}
}

static void obsolete_packet(void **state)
{
	(void)state;
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct build b = build_section(big_endian, 0);
		struct walked w;
		size_t at;

		build_idb(&b, 113, 0);
		at = build_block(&b, BLOCK_PB);
		build_u16(&b, 1);
		build_u16(&b, 0x1234);
		build_u32(&b, 7);
		build_u32(&b, 8);
		build_u32(&b, 4);
		build_u32(&b, 400);
		build_data(&b, 4);
		build_option(&b, 2, "\0\0\0\1", 4);
		build_end(&b, at);
		w = walk(&b);
		assert_int_equal(w.result, 0);
		assert_int_equal(w.packets, 1);
		assert_int_equal(w.frames, 1);
		assert_int_equal(w.last.interface, 1);
		assert_int_equal(w.last.drops, 0x1234);
		assert_int_equal(w.last.ticks, UINT64_C(7) << 32 | 8);
		assert_int_equal(w.last.captured, 4);
		assert_int_equal(w.last.original, 400);
		assert_int_equal(w.last.options_at, 32);
		assert_int_equal(w.last.options_size, 8);
	}
}

/* The captured length of an SPB is not written: section 4.4. */
static void simple_packet(void **state)
{
	static const struct {
		uint32_t snaplen, original, data, captured;
	} cases[] = {
		{0, 6, 6, 6},
		{4, 6, 4, 4},
		{100, 6, 6, 6},
		{0, 0, 0, 0},
		{5, 600, 5, 5},
		{65535, 7, 7, 7},
		/* the block holds less than it should, or more */
		{0, 100, 8, 8},
		{20, 100, 8, 8},
		{4, 8, 8, 4},
		{0, 3, 8, 3},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct build b = build_section(i % 2, cases[i / 2].snaplen);
		struct walked w;
		size_t at;

		build_idb(&b, 1, 1); /* the snaplen of interface 0 counts */
		at = build_block(&b, BLOCK_SPB);
		build_u32(&b, cases[i / 2].original);
		build_data(&b, cases[i / 2].data);
		build_end(&b, at);
		w = walk(&b);
		assert_int_equal(w.result, 0);
		assert_int_equal(w.packets, 1);
		assert_int_equal(w.frames, 1);
		assert_false(w.last.has_time);
		assert_int_equal(w.last.interface, 0);
		assert_int_equal(w.last.captured, cases[i / 2].captured);
		assert_int_equal(w.last.original, cases[i / 2].original);
		assert_int_equal(w.last.data_at, 12);
		assert_int_equal(w.last.options_size, 0);
	}
}

/* A body of `words` words, none of which is a valid interface, after an IDB:
 * which blocks are malformed, with which text, and which have a frame number. */
static void every_type_and_size(void **state)
{
	static const struct {
		uint32_t type;
		unsigned words; /* fewer than so many: malformed */
		bool frame;
	} cases[] = {
		{BLOCK_IDB, 2, false},  {BLOCK_ISB, 3, false},
		{BLOCK_SPB, 1, true},   {BLOCK_PB, 5, true},
		{BLOCK_EPB, 5, true},   {BLOCK_DSB, 2, false},
		{BLOCK_CB, 1, true},    {BLOCK_CB_NO_COPY, 1, true},
		{BLOCK_NRB, 0, false},  {BLOCK_JOURNAL, 0, true},
		{0x204, 0, true},       {0x216, 0, true},
		{0x221, 0, true},       {0x201, 0, false},
		{0x208, 0, false},      {0x217, 0, false},
		{0x222, 0, false},      {0, 0, false},
		{7, 0, false},          {8, 0, false},
		{0x80000001, 0, false}, {0xffffffff, 0, false},
		{0x0a0d0a01, 0, false}, {0x101, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		for (unsigned words = 0; words < 8; words++) {
			struct build b = build_section(i % 2, 0);
			size_t at = build_block(&b, cases[i / 2].type);
			bool good = words >= cases[i / 2].words;
			struct walked w;

			for (unsigned j = 0; j < words; j++)
				build_u32(&b, 0);
			build_end(&b, at);
			w = walk(&b);
			assert_int_equal(w.result, 0);
			assert_int_equal(w.malformed, !good);
			assert_int_equal(w.frames, good && cases[i / 2].frame);
			assert_int_equal(w.last.type, cases[i / 2].type);
			assert_int_equal(w.last.length, 12 + 4 * words);
			if (!good)
				assert_contains(w.malformed_error.text, "length: found ");
		}
	}
}

static void interface_unknown(void **state)
{
	static const uint32_t types[] = {BLOCK_EPB, BLOCK_PB, BLOCK_ISB};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(types); i++) {
		for (uint32_t interface = 0; interface < 4; interface++) {
			struct build b = build_section(i % 2, 0);
			uint32_t type = types[i / 2];
			struct walked w;
			size_t at;

			build_idb(&b, 1, 0);
			at = build_block(&b, type);
			if (type == BLOCK_PB)
				build_u16(&b, (uint16_t)interface);
			else
				build_u32(&b, interface);
			for (int j = 0; j < 5; j++)
				build_u32(&b, 0);
			build_end(&b, at);
			w = walk(&b);
			assert_int_equal(w.result, 0);
			assert_int_equal(w.malformed, interface >= 2);
			if (interface < 2)
				continue;
			assert_int_equal(w.malformed_error.code, -EBADMSG);
			assert_contains(w.malformed_error.text, "interface: found ");
			assert_int_equal(w.malformed_error.offset, 28 + 20 + 20);
			assert_false(w.last.frame);
		}
	}
}

static void simple_packet_without_interface(void **state)
{
	struct build b = {0};
	struct walked w;
	size_t at;

	(void)state;
	build_shb(&b, 1, 0);
	at = build_block(&b, BLOCK_SPB);
	build_u32(&b, 4);
	build_data(&b, 4);
	build_end(&b, at);
	w = walk(&b);
	assert_int_equal(w.result, 0);
	assert_int_equal(w.malformed, 1);
}

/* An IDB that is malformed has no number: the next one takes it. */
static void malformed_interface_has_no_number(void **state)
{
	struct build b = {0};
	struct walked w;
	size_t at;

	(void)state;
	build_shb(&b, 1, 0);
	at = build_block(&b, BLOCK_IDB);
	build_u32(&b, 1);
	build_end(&b, at);
	build_idb(&b, 1, 3);
	at = build_epb(&b, 0, 0, 0, 0);
	build_end(&b, at);
	w = walk(&b);
	assert_int_equal(w.malformed, 1);
	assert_int_equal(w.packets, 1);
	assert_int_equal(w.walk.interfaces, 1);
	assert_int_equal(w.walk.snaplen, 3);
}

static void captured_overruns(void **state)
{
	static const uint32_t captured[] = {0, 3, 4, 5, 8, 9, 0x7fffffff, 0xfffffffd, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < 4 * ARRAY_SIZE(captured); i++) {
		struct build b = build_section(i % 2, 0);
		size_t at = build_epb(&b, 0, 0, captured[i / 4], 8);
		struct walked w;

		if (i / 2 % 2) {
			b.size = at; /* a PB's interface and drops are 0 as well */
			at = build_block(&b, BLOCK_PB);
			b.size += 20;
		}
		build_data(&b, 8);
		build_end(&b, at);
		at = build_epb(&b, 0, 0, 0, 0);
		build_end(&b, at);
		w = walk(&b);
		assert_int_equal(w.result, 0);
		assert_int_equal(w.malformed, captured[i / 4] > 8);
		assert_int_equal(w.packets, 1 + (captured[i / 4] <= 8));
		if (captured[i / 4] > 8)
			assert_contains(w.malformed_error.text, "captured length: found ");
	}
}

static void secrets_overrun(void **state)
{
	(void)state;
	for (uint32_t size = 0; size < 12; size++) {
		struct build b = build_section(size % 2, 0);
		size_t at = build_block(&b, BLOCK_DSB);

		build_u32(&b, 0x544c534b);
		build_u32(&b, size == 11 ? 0xffffffff : size);
		build_data(&b, 8);
		build_end(&b, at);
		assert_int_equal(walk(&b).malformed, size > 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enhanced_packet),
		cmocka_unit_test(obsolete_packet),
		cmocka_unit_test(simple_packet),
		cmocka_unit_test(every_type_and_size),
		cmocka_unit_test(interface_unknown),
		cmocka_unit_test(simple_packet_without_interface),
		cmocka_unit_test(malformed_interface_has_no_number),
		cmocka_unit_test(captured_overruns),
		cmocka_unit_test(secrets_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
