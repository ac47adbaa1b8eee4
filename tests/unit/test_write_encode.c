/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write_encode against bytes written by hand from the drafts: pcap section 4
 * and 5, pcapng sections 3.5 (options) and 4.1 to 4.4 (blocks).
 */
#include "write/write_encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/format.h"

/* Compares what was encoded with `hex` (blanks and new lines mean nothing). */
static void check(struct text *text, const char *hex)
{
	_cleanup_(text_free) struct text wanted = {0}, got = {0};

	assert_int_equal(text->failed, 0);
	for (; *hex; hex++)
		if (*hex != ' ' && *hex != '\n')
			text_append(&wanted, hex, 1);
	text_hex(&got, (const uint8_t *)text->bytes, text->size);
	assert_string_equal(got.bytes, wanted.bytes);
	text_free(text);
}

static struct pktfs_options options_of(const struct text *text, bool big_endian)
{
	return (struct pktfs_options){(const uint8_t *)text->bytes, text->size, big_endian};
}

static void test_pcap_header(void **state)
{
	static const struct {
		struct write_pcap_header header;
		const char *hex;
	} cases[] = {
		{{false, false, 65535, 1, -1},
		 "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000"},
		{{true, false, 262144, 101, -1},
		 "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000065"},
		{{false, true, 96, 1, -1},
		 "4d3cb2a1 0200 0400 00000000 00000000 60000000 01000000"},
		{{true, true, 0, 276, -1},
		 "a1b23c4d 0002 0004 00000000 00000000 00000000 00000114"},
		/* FCS: 4 octets are 2 units of 16 bits, and the P bit */
		{{true, false, 65535, 1, 4},
		 "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 24000001"},
		{{false, false, 65535, 1, 0},
		 "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000004"},
		/* lengths that the field cannot say */
		{{true, false, 65535, 1, 3},
		 "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000001"},
		{{true, false, 65535, 1, 32},
		 "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000001"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(text_free) struct text text = {0};

		write_pcap_header(&text, &cases[i].header);
		assert_int_equal(text.size, WRITE_PCAP_HEADER_SIZE);
		check(&text, cases[i].hex);
	}
}

static void test_pcap_record(void **state)
{
	static const struct {
		bool big_endian, nanosecond;
		struct pktfs_time time;
		uint32_t captured, original;
		const char *hex;
	} cases[] = {
		{false, false, {1, 123456789}, 60, 1514, "01000000 40e20100 3c000000 ea050000"},
		{false, true, {1, 123456789}, 60, 1514, "01000000 15cd5b07 3c000000 ea050000"},
		{true, false, {1, 123456789}, 60, 1514, "00000001 0001e240 0000003c 000005ea"},
		{true, true, {1, 123456789}, 60, 1514, "00000001 075bcd15 0000003c 000005ea"},
		{true, true, {0, 0}, 0, 0, "00000000 00000000 00000000 00000000"},
		/* the last second that it holds: 2106-02-07T06:28:15Z */
		{true, true, {4294967295, 999999999}, 1, 1, "ffffffff 3b9ac9ff 00000001 00000001"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct write_pcap_header header = {cases[i].big_endian, cases[i].nanosecond, 0, 0,
						   0};
		_cleanup_(text_free) struct text text = {0};

		write_pcap_record(&text, &header, cases[i].time, cases[i].captured,
				  cases[i].original);
		assert_int_equal(text.size, WRITE_PCAP_RECORD_SIZE);
		check(&text, cases[i].hex);
	}
}

static void test_pcap_record_range(void **state)
{
	static const int64_t seconds[] = {-1, INT64_MIN, 4294967296, INT64_MAX};
	struct write_pcap_header header = {0};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(seconds); i++) {
		_cleanup_(text_free) struct text text = {0};

		write_pcap_record(&text, &header, (struct pktfs_time){seconds[i], 0}, 0, 0);
		assert_int_equal(text.failed, -ERANGE);
		assert_int_equal(text.size, 0);
	}
}

static void test_block(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	size_t at;

	(void)state;
	/* empty; one that needs padding; not at the start of the text */
	at = write_block_begin(&text, 0x0bad, false);
	write_block_end(&text, at, false);
	at = write_block_begin(&text, 0x0bad, true);
	text_append(&text, "abcde", 5);
	write_block_end(&text, at, true);
	check(&text, "ad0b0000 0c000000 0c000000"
		     "00000bad 00000014 6162636465 000000 00000014");
}

static void test_option(void **state)
{
	_cleanup_(text_free) struct text text = {0};

	(void)state;
	write_option(&text, 1, "", 0, false);
	write_option(&text, 1, "a", 1, false);
	write_option(&text, 2, "abcd", 4, false);
	write_option(&text, 0x1234, "abcde", 5, true);
	write_options_end(&text, true);
	check(&text, "0100 0000"
		     "0100 0100 61 000000"
		     "0200 0400 61626364"
		     "1234 0005 6162636465 000000"
		     "0000 0000");
}

static void test_option_too_long(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	_cleanup_free_ char *value = calloc(1, 65536);

	(void)state;
	write_option(&text, 1, value, 65535, false);
	assert_int_equal(text.failed, 0);
	assert_int_equal(text.size, 4 + 65536);
	write_option(&text, 1, value, 65536, false);
	assert_int_equal(text.failed, -EOVERFLOW);
}

static void test_options_copy(void **state)
{
	bool big_endian;

	(void)state;
	for (big_endian = false;; big_endian = true) {
		_cleanup_(text_free) struct text text = {0}, from = {0};

		write_option(&from, 1, "hello", 5, big_endian);
		write_option(&from, 2988, "\0\0\0\1x", 5, big_endian);
		write_option(&from, 19372, "\0\0\0\1no", 6, big_endian);
		write_option(&from, 2989, "\0\0\0\1", 4, big_endian);
		write_option(&from, 19373, "\0\0\0\1", 4, big_endian);
		/* without opt_endofopt: many writers leave it out */
		write_options_copy(&text, options_of(&from, big_endian));
		check(&text, big_endian ? "0001 0005 68656c6c6f 000000"
					  "0bac 0005 00000001 78 000000"
					  "0bad 0004 00000001"
					  "0000 0000"
					: "0100 0500 68656c6c6f 000000"
					  "ac0b 0500 00000001 78 000000"
					  "ad0b 0400 00000001"
					  "0000 0000");
		if (big_endian)
			break;
	}
}

static void test_options_copy_nothing(void **state)
{
	_cleanup_(text_free) struct text text = {0}, from = {0};

	(void)state;
	write_options_copy(&text, (struct pktfs_options){0});
	write_options_end(&from, false);
	write_option(&from, 1, "behind the end", 14, false);
	write_options_copy(&text, options_of(&from, false));
	from.size = 0;
	write_option(&from, 19372, "\0\0\0\1no", 6, false);
	write_options_copy(&text, options_of(&from, false));
	assert_int_equal(text.size, 0);
	/* what does not fit into its block ends the list */
	from.size = 0;
	write_option(&from, 1, "ok", 2, false);
	text_append(&from, "\1\0\xff\0zzz", 7);
	write_options_copy(&text, options_of(&from, false));
	check(&text, "0100 0200 6f6b 0000 0000 0000");
}

static void test_shb(void **state)
{
	_cleanup_(text_free) struct text text = {0}, from = {0};

	(void)state;
	write_shb(&text, false, (struct pktfs_options){0}, NULL);
	check(&text, "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000");
	write_shb(&text, true, (struct pktfs_options){0}, "me");
	check(&text, "0a0d0d0a 00000028 1a2b3c4d 0001 0000 ffffffffffffffff"
		     "0004 0002 6d65 0000 0000 0000 00000028");
	write_option(&from, 3, "BSD", 3, true);
	write_shb(&text, true, options_of(&from, true), "me");
	check(&text, "0a0d0d0a 00000030 1a2b3c4d 0001 0000 ffffffffffffffff"
		     "0003 0003 425344 00 0004 0002 6d65 0000 0000 0000 00000030");
	/* an application that is named already stays */
	write_option(&from, 4, "you", 3, true);
	write_options_end(&from, true);
	write_shb(&text, true, options_of(&from, true), "me");
	check(&text, "0a0d0d0a 00000030 1a2b3c4d 0001 0000 ffffffffffffffff"
		     "0003 0003 425344 00 0004 0003 796f75 00 0000 0000 00000030");
}

static void test_idb(void **state)
{
	struct write_interface interface = {1, 262144, 6, -1, {0}};
	_cleanup_(text_free) struct text text = {0}, from = {0};

	(void)state;
	write_idb(&text, false, &interface);
	check(&text, "01000000 14000000 0100 0000 00000400 14000000");
	interface.resolution = 9;
	interface.fcs_length = 4;
	write_idb(&text, true, &interface);
	check(&text, "00000001 00000028 0001 0000 00040000"
		     "0009 0001 09 000000 000d 0001 04 000000 0000 0000 00000028");
	/* options that say the same are not said twice */
	write_option(&from, 13, "\x20", 1, true);
	write_option(&from, 9, "\x09", 1, true);
	interface.options = options_of(&from, true);
	write_idb(&text, true, &interface);
	check(&text, "00000001 00000028 0001 0000 00040000"
		     "000d 0001 20 000000 0009 0001 09 000000 0000 0000 00000028");
}

/* Encodes in one step, compares, and again in three steps. */
static void check_epb(bool big_endian, const struct write_packet *packet, const char *hex)
{
	_cleanup_(text_free) struct text text = {0}, parts = {0};

	write_epb(&text, big_endian, packet);
	assert_int_equal(text.size, write_epb_size(packet));
	write_epb_head(&parts, big_endian, packet);
	text_append(&parts, packet->data, packet->captured);
	write_epb_tail(&parts, big_endian, packet);
	assert_int_equal(parts.size, text.size);
	assert_memory_equal(parts.bytes, text.bytes, text.size);
	check(&text, hex);
}

static void test_epb(void **state)
{
	static const uint8_t data[] = {0xd1, 0xd2, 0xd3, 0xd4, 0xd5};
	struct write_packet packet = {
		.interface = 2,
		.ticks = UINT64_C(0x0006443e9a1b2c3d),
		.captured = 5,
		.original = 1514,
		.data = data,
		.drops = 0xffff,
	};
	_cleanup_(text_free) struct text from = {0};

	(void)state;
	check_epb(false, &packet,
		  "06000000 28000000 02000000 3e440600 3d2c1b9a 05000000 ea050000"
		  "d1d2d3d4d5 000000 28000000");
	check_epb(true, &packet,
		  "00000006 00000028 00000002 0006443e 9a1b2c3d 00000005 000005ea"
		  "d1d2d3d4d5 000000 00000028");
	packet.captured = 4;
	packet.drops = 7;
	check_epb(true, &packet,
		  "00000006 00000034 00000002 0006443e 9a1b2c3d 00000004 000005ea"
		  "d1d2d3d4 0004 0008 0000000000000007 0000 0000 00000034");
	write_option(&from, 2, "\1\0\0\0", 4, false);
	write_option(&from, 19373, "\0\0\0\1", 4, false);
	packet.options = options_of(&from, false);
	check_epb(false, &packet,
		  "06000000 3c000000 02000000 3e440600 3d2c1b9a 04000000 ea050000"
		  "d1d2d3d4 0200 0400 01000000 0400 0800 0700000000000000 0000 0000 3c000000");
	/* a count that is there already */
	write_option(&from, 4, "\x09\0\0\0\0\0\0\0", 8, false);
	packet.options = options_of(&from, false);
	check_epb(false, &packet,
		  "06000000 3c000000 02000000 3e440600 3d2c1b9a 04000000 ea050000"
		  "d1d2d3d4 0200 0400 01000000 0400 0800 0900000000000000 0000 0000 3c000000");
	packet = (struct write_packet){.drops = UINT32_MAX};
	check_epb(false, &packet,
		  "06000000 20000000 00000000 00000000 00000000 00000000 00000000 20000000");
}

static void test_epb_room(void **state)
{
	struct write_packet packet = {.captured = 3, .original = 3, .drops = UINT32_MAX};
	_cleanup_(text_free) struct text text = {0};

	(void)state;
	write_epb(&text, true, &packet);
	check(&text, "00000006 00000024 00000000 00000000 00000000 00000003 00000003"
		     "000000 00 00000024");
}

static void test_epb_too_long(void **state)
{
	struct write_packet packet = {.captured = UINT32_MAX - 3, .drops = UINT32_MAX};
	_cleanup_(text_free) struct text text = {0};

	(void)state;
	assert_true(write_epb_size(&packet) == UINT64_C(0xfffffffc) + WRITE_EPB_SIZE);
	write_epb(&text, true, &packet);
	assert_int_equal(text.failed, -EOVERFLOW);
	assert_int_equal(text.size, 0);
}

static void test_spb(void **state)
{
	static const uint8_t data[] = {1, 2, 3, 4, 5, 6};
	struct write_packet packet = {.captured = 6, .original = 99, .data = data};
	_cleanup_(text_free) struct text text = {0};

	(void)state;
	write_spb(&text, false, &packet);
	write_spb(&text, true, &packet);
	check(&text, "03000000 18000000 63000000 010203040506 0000 18000000"
		     "00000003 00000018 00000063 010203040506 0000 00000018");
}

/* A block in three steps is what it is in one. */
static void test_spb_in_steps(void **state)
{
	static const uint8_t data[] = {1, 2, 3, 4, 5};
	struct write_packet packet = {.original = 99, .data = data};
	unsigned i;

	(void)state;
	for (i = 0; i < 2 * sizeof(data); i++) {
		_cleanup_(text_free) struct text one = {0}, three = {0};

		packet.captured = i / 2;
		write_spb(&one, i % 2, &packet);
		write_spb_head(&three, i % 2, &packet);
		text_append(&three, data, packet.captured);
		write_spb_tail(&three, i % 2, &packet);
		assert_int_equal(one.size, three.size);
		assert_int_equal(one.size, write_spb_size(&packet));
		assert_memory_equal(one.bytes, three.bytes, one.size);
	}
}

static void test_isb(void **state)
{
	static const uint8_t little[] = {1, 0, 1, 0, 'a', 0, 0, 0, 0xad, 0x4b, 4, 0, 1, 2, 3, 4};
	static const uint8_t damaged[] = {1, 0, 9, 0, 'a', 0, 0, 0};
	struct pktfs_options options = {little, 8, 0};
	_cleanup_(text_free) struct text text = {0};

	(void)state;
	assert_false(write_options_differ(options));
	options.size = sizeof(little);
	assert_true(write_options_differ(options));
	assert_true(write_options_differ((struct pktfs_options){damaged, sizeof(damaged), 0}));
	assert_false(write_options_differ((struct pktfs_options){0}));
	write_isb(&text, false, 3, UINT64_C(0x100000002), options);
	write_isb(&text, true, 3, UINT64_C(0x100000002), (struct pktfs_options){0});
	check(&text, "05000000 24000000 03000000 01000000 02000000 01000100 61000000 00000000 "
		     "24000000"
		     "00000005 00000018 00000003 00000001 00000002 00000018");
}

/* A full buffer is noticed once, at the end, and nothing is broken. */
static void test_limit(void **state)
{
	struct write_packet packet = {.captured = 100, .drops = UINT32_MAX};
	size_t limit;

	(void)state;
	for (limit = 1; limit < 132; limit++) {
		_cleanup_(text_free) struct text text = {.limit = limit};

		write_epb(&text, false, &packet);
		assert_int_equal(text.failed, -EFBIG);
		assert_true(text.size <= limit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap_header),
		cmocka_unit_test(test_pcap_record),
		cmocka_unit_test(test_pcap_record_range),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_option),
		cmocka_unit_test(test_option_too_long),
		cmocka_unit_test(test_options_copy),
		cmocka_unit_test(test_options_copy_nothing),
		cmocka_unit_test(test_shb),
		cmocka_unit_test(test_idb),
		cmocka_unit_test(test_epb),
		cmocka_unit_test(test_epb_room),
		cmocka_unit_test(test_epb_too_long),
		cmocka_unit_test(test_spb),
		cmocka_unit_test(test_spb_in_steps),
		cmocka_unit_test(test_isb),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
