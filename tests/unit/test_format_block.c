/* SPDX-License-Identifier: BSD-2-Clause */
#include "format_builder.h"

static size_t count_options(struct pktfs_options options)
{
	struct pktfs_option option;
	size_t count = 0;

	while (pktfs_option_next(&options, &option) > 0)
		count++;
	return count;
}

static void section_header(void **state)
{
	(void)state;
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct build b = {.big_endian = big_endian};
		struct format_section section;
		size_t at = build_block(&b, BLOCK_SHB);

		build_u32(&b, 0x1a2b3c4d);
		build_u16(&b, 1);
		build_u16(&b, 2);
		build_u64(&b, 0x123456789c);
		build_option(&b, 4, "pktfs", 5);
		build_end(&b, at);
		assert_int_equal(format_section(build_cursor(&b), &section, NULL), 0);
		assert_int_equal(section.big_endian, big_endian);
		assert_true(section.supported);
		assert_int_equal(section.major, 1);
		assert_int_equal(section.minor, 2);
		assert_int_equal(section.length, 0x123456789c);
		assert_int_equal(count_options(section.options), 1);
		assert_int_equal(section.options.big_endian, big_endian);
		/* every cut, and a bad magic */
		for (size_t cut = 0; cut < 28; cut++)
			assert_int_equal(format_section(cursor_over(b.bytes, cut, big_endian),
							&section, NULL),
					 -EBADMSG);
		b.bytes[8] ^= 1;
		assert_int_equal(format_section(build_cursor(&b), &section, NULL), -EBADMSG);
	}
}

static void section_header_versions(void **state)
{
	struct build b = {0};
	struct format_section section;

	(void)state;
	build_shb(&b, 0, 1);
	assert_int_equal(format_section(build_cursor(&b), &section, NULL), 0);
	assert_false(section.supported);
	assert_int_equal(section.length, -1);
	assert_int_equal(section.options.size, 0);
}

static struct format_interface interface_with(bool big_endian, uint16_t code, uint64_t value,
					      uint16_t size)
{
	struct build b = {.big_endian = big_endian};
	struct build v = {.big_endian = big_endian};
	struct format_interface interface;
	size_t at = build_block(&b, BLOCK_IDB);

	build_u16(&b, 276);
	build_u16(&b, 0xffff); /* reserved: ignored */
	build_u32(&b, 262144);
	build_number(&v, value, size);
	if (code) {
		build_option(&b, 2, "eth0", 4);
		build_option(&b, code, v.bytes, size);
		build_option(&b, code, "\x01\x01\x01\x01\x01\x01\x01\x01", size);
	}
	build_end(&b, at);
	assert_int_equal(format_interface(build_cursor(&b), &interface), 0);
	assert_int_equal(interface.link_type, 276);
	assert_int_equal(interface.snaplen, 262144);
	assert_int_equal(count_options(interface.options), code ? 3 : 0);
	return interface;
}

/* A known option of a wrong length is ignored, the first of two counts. */
static void interface_options(void **state)
{
	(void)state;
	for (int e = 0; e < 2; e++) {
		assert_int_equal(interface_with(e, 0, 0, 0).resolution, 6);
		assert_int_equal(interface_with(e, 0, 0, 0).fcs_length, -1);
		assert_int_equal(interface_with(e, 0, 0, 0).offset_seconds, 0);
		assert_int_equal(interface_with(e, 9, 9, 1).resolution, 9);
		assert_int_equal(interface_with(e, 9, 0xff, 1).resolution, 0xff);
		assert_int_equal(interface_with(e, 9, 0, 0).resolution, 6);
		assert_int_equal(interface_with(e, 9, 9, 2).resolution, 6);
		assert_int_equal(interface_with(e, 13, 4, 1).fcs_length, 4);
		assert_int_equal(interface_with(e, 13, 4, 4).fcs_length, -1);
		assert_int_equal(interface_with(e, 14, (uint64_t)-7200, 8).offset_seconds, -7200);
		assert_int_equal(interface_with(e, 14, 7200, 4).offset_seconds, 0);
	}
}

static void interface_too_short(void **state)
{
	struct build b = {0};
	struct format_interface interface;

	(void)state;
	build_idb(&b, 1, 0);
	for (size_t cut = 0; cut < 20; cut++)
		assert_int_equal(format_interface(cursor_over(b.bytes, cut, false), &interface),
				 -EBADMSG);
	assert_int_equal(format_interface(build_cursor(&b), &interface), 0);
}

static void statistics(void **state)
{
	(void)state;
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct build b = {.big_endian = big_endian};
		struct format_statistics statistics;
		size_t at = build_block(&b, BLOCK_ISB);

		build_u32(&b, 3);
		build_u32(&b, 0x00051234);
		build_u32(&b, 0xfedcba98);
		build_option(&b, 4, "12345678", 8);
		build_end(&b, at);
		assert_int_equal(format_statistics(build_cursor(&b), &statistics), 0);
		assert_int_equal(statistics.interface, 3);
		assert_int_equal(statistics.ticks, 0x00051234fedcba98);
		assert_int_equal(count_options(statistics.options), 1);
		assert_int_equal(
			format_statistics(cursor_over(b.bytes, 20, big_endian), &statistics),
			-EBADMSG);
	}
}

/* The fixed part of a block of each type that may have options. */
static void build_fixed(struct build *b, uint32_t type)
{
	switch (type) {
	case BLOCK_SHB:
		build_u32(b, 0x1a2b3c4d);
		build_u32(b, 1);
		build_u64(b, 0);
		break;
	case BLOCK_IDB:
		build_u64(b, 0);
		break;
	case BLOCK_PB:
	case BLOCK_EPB:
		build_u64(b, 0);
		build_u32(b, 0);
		build_u32(b, 5);
		build_u32(b, 5);
		build_data(b, 5);
		break;
	case BLOCK_NRB:
		build_option(b, 1, "\x7f\0\0\1localhost\0", 14);
		build_option(b, 77, "unknown", 7);
		build_u32(b, 0);
		break;
	case BLOCK_ISB:
		build_u64(b, 0);
		build_u32(b, 0);
		break;
	case BLOCK_DSB:
		build_u32(b, 0x544c534b);
		build_u32(b, 6);
		build_data(b, 6);
		break;
	default:
		build_u32(b, 8);
		build_data(b, 8);
		break;
	}
	build_pad(b);
}

static void where_options_are(void **state)
{
	static const struct {
		uint32_t type;
		bool has;
	} cases[] = {
		{BLOCK_SHB, true}, {BLOCK_IDB, true},         {BLOCK_EPB, true},
		{BLOCK_PB, true},  {BLOCK_NRB, true},         {BLOCK_ISB, true},
		{BLOCK_DSB, true}, {BLOCK_SPB, false},        {BLOCK_JOURNAL, false},
		{BLOCK_CB, false}, {BLOCK_CB_NO_COPY, false}, {0x204, false},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct build b = {.big_endian = i % 2};
		uint32_t type = cases[i / 2].type;
		size_t at = build_block(&b, type), fixed;
		struct pktfs_options options;
		struct pktfs_option option;

		build_fixed(&b, type);
		fixed = b.size;
		build_option(&b, 1, "comment", 7);
		build_u32(&b, 0);
		build_end(&b, at);
		options = format_block_options(build_cursor(&b), type);
		assert_int_equal(options.big_endian, b.big_endian);
		assert_int_equal(options.size, cases[i / 2].has ? 16 : 0);
		if (!cases[i / 2].has)
			continue;
		assert_ptr_equal(options.bytes, b.bytes + fixed);
		assert_int_equal(pktfs_option_find(options, 1, 0, &option), 1);
		assert_memory_equal(option.value, "comment", 7);
		/* A block that is cut has none, or fewer; never bytes outside. */
		for (size_t cut = 0; cut < b.size; cut++) {
			uint8_t *copy = malloc(cut ? cut : 1);

			memcpy(copy, b.bytes, cut);
			options = format_block_options(cursor_over(copy, cut, b.big_endian), type);
			assert_int_equal(options.size, cut < fixed + 4 ? 0 : cut - 4 - fixed);
			count_options(options);
			free(copy);
		}
	}
}

/* Without its end record an NRB has no place where options could start. */
static void names_without_end(void **state)
{
	struct build b = {0};
	size_t at = build_block(&b, BLOCK_NRB);

	(void)state;
	build_option(&b, 1, "\x7f\0\0\1a\0", 6);
	build_end(&b, at);
	assert_int_equal(format_block_options(build_cursor(&b), BLOCK_NRB).size, 0);
	b.bytes[10] = 0xff; /* a record longer than the block */
	assert_int_equal(format_block_options(build_cursor(&b), BLOCK_NRB).size, 0);
}

static void type_names(void **state)
{
	static const struct {
		uint32_t type;
		const char *name;
	} cases[] = {
		{BLOCK_SHB, "shb"}, {BLOCK_IDB, "idb"},         {BLOCK_PB, "pb"},
		{BLOCK_SPB, "spb"}, {BLOCK_NRB, "nrb"},         {BLOCK_ISB, "isb"},
		{BLOCK_EPB, "epb"}, {BLOCK_JOURNAL, "journal"}, {BLOCK_DSB, "dsb"},
		{BLOCK_CB, "cb"},   {BLOCK_CB_NO_COPY, "cb"},   {0x204, "sysdig-event"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(pktfs_block_type_name(cases[i].type), cases[i].name);
	assert_null(pktfs_block_type_name(0));
	assert_null(pktfs_block_type_name(0x80000001));
	assert_null(pktfs_block_type_name(0xffffffff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_header),    cmocka_unit_test(section_header_versions),
		cmocka_unit_test(interface_options), cmocka_unit_test(interface_too_short),
		cmocka_unit_test(statistics),        cmocka_unit_test(where_options_are),
		cmocka_unit_test(names_without_end), cmocka_unit_test(type_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
