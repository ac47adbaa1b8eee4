/* SPDX-License-Identifier: BSD-2-Clause */
/* From block to block: framing, sections, versions; cuts and flipped bytes. */
#include "format_builder.h"

/* A block that is the whole capture but for its length; the walk ends there. */
static void framing(void **state)
{
	static const struct {
		uint32_t type, length;
		int result;
		const char *text;
	} cases[] = {
		{BLOCK_EPB, 0, -EBADMSG, "length: found 0; accepted multiples of 4 from 12 on"},
		{BLOCK_EPB, 4, -EBADMSG, "length: found 4"},
		{BLOCK_EPB, 8, -EBADMSG, "length: found 8"},
		{BLOCK_EPB, 11, -EBADMSG, "length: found 11"},
		{BLOCK_EPB, 13, -EBADMSG, "length: found 13"},
		{BLOCK_EPB, 0xffffffff, -EBADMSG, "length: found 4294967295"},
		{BLOCK_EPB, 0xfffffffc, -EFBIG, "length: found 4294967292; at most 268435456"},
		{BLOCK_EPB, FORMAT_MAX_BLOCK + 4, -EFBIG, "at most 268435456"},
		{BLOCK_EPB, FORMAT_MAX_BLOCK, -EAGAIN, "268435456 wanted"},
		{BLOCK_EPB, 16, -EAGAIN, "found 12 bytes; 16 wanted"},
		{0x12345, 3, -EBADMSG, "(type 0x00012345)"},
		/* section 11.1: what a transfer in ASCII mode makes of types */
		{0x0a0d0a1c, 1, -EBADMSG, "ASCII mode"},
		{0x1c0a0d0a, 1, -EBADMSG, "ASCII mode"},
		{0x000a0d0d, 1, -EBADMSG, "ASCII mode"},
		{0x0d0d0aff, 0x10000000 + 4, -EBADMSG, "ASCII mode"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct build b = build_section(i % 2, 0);
		struct walked w;

		build_u32(&b, cases[i / 2].type);
		build_u32(&b, cases[i / 2].length);
		build_u32(&b, cases[i / 2].length);
		w = walk(&b);
		assert_int_equal(w.result, cases[i / 2].result);
		assert_int_equal(w.metadata, 2);
		assert_int_equal(w.error.offset, 48);
		assert_contains(w.error.text, "at offset 48");
		assert_contains(w.error.text, cases[i / 2].text);
		if (w.result == -EAGAIN)
			assert_int_equal(w.need, cases[i / 2].length);
	}
}

static void trailer_differs(void **state)
{
	(void)state;
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct build b = build_section(big_endian, 0);
		struct walked w;

		build_u32(&b, BLOCK_NRB);
		build_u32(&b, 12);
		build_u32(&b, 16);
		w = walk(&b);
		assert_int_equal(w.result, -EBADMSG);
		assert_contains(w.error.text, "length at its end: found 16; its start says 12");
	}
}

/* Each section has its own byte order, interfaces and version. */
static void sections(void **state)
{
	struct build b = {0};
	struct walked w;
	size_t at;

	(void)state;
	build_shb(&b, 1, 0);
	build_idb(&b, 1, 7);
	build_idb(&b, 1, 8);
	b.big_endian = true;
	build_shb(&b, 1, 2);
	w = walk(&b);
	assert_int_equal(w.walk.interfaces, 0);
	assert_int_equal(w.walk.snaplen, 0);
	assert_true(w.walk.big_endian && !w.walk.skipped);
	at = build_epb(&b, 1, 0, 0, 0);
	build_end(&b, at);
	w = walk(&b);
	assert_int_equal(w.malformed, 1);
	build_idb(&b, 1, 0);
	at = build_epb(&b, 0, 0, 0, 0);
	build_end(&b, at);
	w = walk(&b);
	assert_int_equal(w.result, 0);
	assert_int_equal(w.packets, 1);
	assert_int_equal(w.metadata, 5);
}

static void versions(void **state)
{
	static const struct {
		uint16_t major, minor;
		bool supported;
	} cases[] = {
		{1, 0, true},  {1, 2, true},  {1, 1, false},   {1, 3, false},
		{0, 1, false}, {2, 0, false}, {256, 0, false}, {1, 512, false},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct build b = {.big_endian = i % 2};
		bool supported = cases[i / 2].supported;
		struct walked w;
		size_t at;

		build_shb(&b, cases[i / 2].major, cases[i / 2].minor);
		build_idb(&b, 1, 0);
		at = build_epb(&b, 0, 0, 99, 99); /* malformed, if one looks */
		build_end(&b, at);
		at = build_epb(&b, 0, 0, 0, 0);
		build_end(&b, at);
		at = build_block(&b, BLOCK_CB);
		build_u32(&b, 32473);
		build_end(&b, at);
		w = walk(&b);
		assert_int_equal(w.result, 0);
		assert_int_equal(w.walk.skipped, !supported);
		assert_int_equal(w.packets, supported);
		assert_int_equal(w.malformed, supported);
		assert_int_equal(w.frames, supported ? 2 : 0);
		assert_int_equal(w.metadata, supported ? 3 : 5);
		assert_int_equal(w.walk.interfaces, supported);
		/* and on at the next section */
		b.big_endian = !b.big_endian;
		build_shb(&b, 1, 0);
		build_idb(&b, 1, 0);
		at = build_epb(&b, 0, 0, 0, 0);
		build_end(&b, at);
		w = walk(&b);
		assert_int_equal(w.result, 0);
		assert_int_equal(w.packets, 1 + supported);
	}
}

static void bad_section_headers(void **state)
{
	(void)state;
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct build b = build_section(big_endian, 0), c;
		struct walked w;

		/* another byte-order magic, behind a good section */
		c = b;
		build_shb(&c, 1, 0);
		c.bytes[48 + 8] ^= 0xff;
		w = walk(&c);
		assert_int_equal(w.result, -EBADMSG);
		assert_contains(w.error.text, "section header at offset 48: byte-order magic");
		/* too short for a version */
		build_u32(&b, BLOCK_SHB);
		build_u32(&b, 24);
		build_u32(&b, 0x1a2b3c4d);
		for (int i = 0; i < 2; i++)
			build_u32(&b, 0);
		build_u32(&b, 24);
		w = walk(&b);
		assert_int_equal(w.result, -EBADMSG);
		assert_contains(w.error.text, "section header at offset 48: length");
	}
}

static void no_section(void **state)
{
	struct format format = {.kind = FORMAT_PCAPNG};
	struct format_record record;
	struct pktfs_error error;
	struct format_walk walk_;
	struct build b = {0};

	(void)state;
	build_idb(&b, 1, 0);
	format_walk_start(&walk_, &format);
	assert_int_equal(format_step(&walk_, build_cursor(&b), 0, &record, NULL, &error), -EBADMSG);
	assert_contains(error.text, "accepted a section header");
}

/* One of everything, with options. */
static void build_everything(struct build *b)
{
	size_t at;

	build_shb(b, 1, 0);
	at = build_block(b, BLOCK_IDB);
	build_u16(b, 1);
	build_u16(b, 0);
	build_u32(b, 0);
	build_option(b, 9, "\x09", 1);
	build_u32(b, 0);
	build_end(b, at);
	at = build_epb(b, 0, 1, 5, 60);
	build_data(b, 5);
	build_pad(b);
	build_option(b, 1, "x", 1);
	build_u32(b, 0);
	build_end(b, at);
	at = build_block(b, BLOCK_SPB);
	build_u32(b, 3);
	build_data(b, 3);
	build_end(b, at);
	at = build_block(b, BLOCK_NRB);
	build_option(b, 1, "\x7f\0\0\1a\0", 6);
	build_u32(b, 0);
	build_end(b, at);
	at = build_block(b, BLOCK_CB);
	build_u32(b, 32473);
	build_end(b, at);
	at = build_block(b, BLOCK_ISB);
	build_u32(b, 0);
	build_u64(b, 0);
	build_end(b, at);
}

static void every_cut(void **state)
{
	(void)state;
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct build b = {.big_endian = big_endian};
		size_t ends[16] = {0}, count = 0;
		struct walked w;

		build_everything(&b);
		w = walk(&b);
		assert_int_equal(w.result, 0);
		assert_int_equal(w.packets, 2);
		assert_int_equal(w.metadata, 5);
		assert_int_equal(w.frames, 3);
		while (ends[count] < b.size) {
			uint32_t length = bytes_u32(b.bytes + ends[count] + 4, big_endian);

			ends[count + 1] = ends[count] + length;
			count++;
		}
		assert_int_equal(count, 7);
		for (size_t cut = 12; cut <= b.size; cut++) {
			unsigned whole = 0;

			while (whole < count && ends[whole + 1] <= cut)
				whole++;
			w = walk_over(b.bytes, cut);
			assert_int_equal(w.packets + w.metadata, whole);
			assert_int_equal(w.malformed, 0);
			assert_int_equal(w.at, ends[whole]);
			assert_int_equal(w.result, cut == ends[whole] ? 0 : -EAGAIN);
			if (!w.result)
				continue;
			assert_int_equal(w.error.offset, ends[whole]);
			assert_int_equal(
				w.need, cut - ends[whole] < 8 ? 12 : ends[whole + 1] - ends[whole]);
		}
	}
}

/* A flip is met by a rejection, by a malformed block, or changes a value. */
static void every_flipped_byte(void **state)
{
	unsigned rejected = 0, malformed = 0;
	struct build b = {0};

	(void)state;
	build_everything(&b);
	for (size_t i = 0; i < b.size; i++) {
		for (unsigned mask = 1; mask < 256; mask = mask * 2 + 1) {
			struct walked w;

			b.bytes[i] ^= (uint8_t)mask;
			w = walk(&b);
			b.bytes[i] ^= (uint8_t)mask;
			assert_true(w.result == 0 || w.result == -EAGAIN || w.result == -EFBIG ||
				    w.result == -EBADMSG);
			rejected += w.result != 0;
			malformed += w.malformed != 0;
		}
	}
	/* 7 blocks with 8 bytes of length each, all 8 masks of each byte */
	assert_true(rejected >= 7 * 8 * 8);
	assert_true(malformed > 0);
}

/* A copy of a walk resumes where it was made. */
static void resume(void **state)
{
	struct format_record record, again;
	struct format_walk walk_, copy;
	struct build b = {.big_endian = true};
	struct format f;
	uint64_t at = 0;

	(void)state;
	build_everything(&b);
	assert_int_equal(format_open(&f, build_cursor(&b), NULL), 0);
	format_walk_start(&walk_, &f);
	while (at < b.size) {
		struct cursor window = cursor_over(b.bytes + at, b.size - at, false);

		copy = walk_;
		assert_int_equal(format_step(&walk_, window, at, &record, NULL, NULL), 0);
		assert_int_equal(format_step(&copy, window, at, &again, NULL, NULL), 0);
		assert_int_equal(record.length, again.length);
		assert_int_equal(record.class, again.class);
		assert_int_equal(walk_.interfaces, copy.interfaces);
		at += record.length;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framing),
		cmocka_unit_test(trailer_differs),
		cmocka_unit_test(sections),
		cmocka_unit_test(versions),
		cmocka_unit_test(bad_section_headers),
		cmocka_unit_test(no_section),
		cmocka_unit_test(every_cut),
		cmocka_unit_test(every_flipped_byte),
		cmocka_unit_test(resume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
