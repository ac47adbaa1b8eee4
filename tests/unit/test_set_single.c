/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One packet as a file of its own: its section header, its interface and its
 * block, with the options of all three.
 */
#include "set/set_export.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pktfs/version.h"
#include "test_build.h"

static void check_single(const struct text *from, uint64_t number, const struct text *wanted)
{
	_cleanup_(text_free) struct text got = {0};
	struct pktfs_error error;
	pktfs_capture *capture;

	assert_int_equal(pktfs_open_buffer(from->bytes, from->size, NULL, &capture, &error), 0);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	text_string(&got, "before");
	if (export_single(capture, number, &got, &error) < 0)
		fail_msg("single: %s", error.text);
	assert_int_equal(got.size, wanted->size + 6);
	assert_memory_equal(got.bytes + 6, wanted->bytes, wanted->size);
	assert_int_equal(export_single(capture, 0, &got, &error), -ENOENT);
	assert_int_equal(export_single(capture, 1000, &got, &error), -ENOENT);
	assert_int_equal(got.size, wanted->size + 6);
	pktfs_close(capture);
}

/* The options of a block: a comment, one not to be copied, and `code`. */
static struct pktfs_options make_options(struct text *text, const char *comment, uint16_t code,
					 const void *value, size_t size, bool secret, bool be)
{
	text->size = 0;
	write_option(text, 1, comment, strlen(comment), be);
	if (secret)
		write_option(text, 19373, "\0\0\0\1secret", 10, be);
	write_option(text, code, value, size, be);
	write_options_end(text, be);
	return (struct pktfs_options){(const uint8_t *)text->bytes, text->size, be};
}

static void put_options(struct text *text, struct pktfs_options options)
{
	text_append(text, options.bytes, options.size);
}

static void put_section(struct text *text, bool secret, bool be)
{
	_cleanup_(text_free) struct text options = {0};
	size_t at = write_block_begin(text, BLOCK_SHB, be);

	text_u32(text, 0x1a2b3c4d, be);
	text_u16(text, 1, be);
	text_u16(text, 0, be);
	text_u64(text, UINT64_MAX, be);
	put_options(text, make_options(&options, "a section", 2, "box", 3, secret, be));
	write_block_end(text, at, be);
}

/* With if_tsoffset and a resolution of 2^-10: times are copied as they are. */
static void put_interface(struct text *text, bool secret, bool be)
{
	_cleanup_(text_free) struct text options = {0};
	size_t at = write_block_begin(text, BLOCK_IDB, be);
	uint64_t offset = be ? htobe64(3600) : htole64(3600);

	text_u16(text, 1, be);
	text_u16(text, 0, be);
	text_u32(text, 96, be);
	write_option(text, 14, &offset, 8, be);
	write_option(text, 9, "\x8a", 1, be);
	put_options(text, make_options(&options, "an interface", 2, "eth0", 4, secret, be));
	write_block_end(text, at, be);
}

/* Another section, then the section with the packet's interface as number 1. */
static void put_before(struct text *text, bool be)
{
	build_shb(text, !be);
	build_idb(text, !be, 101, 6, 0, "other");
	build_epb(text, !be, 0, 0, 20, 1, NULL);
	put_section(text, true, be);
	build_idb(text, be, 101, 6, 0, "tun0");
	put_interface(text, true, be);
}

static void test_enhanced(void **state)
{
	int be;

	(void)state;
	for (be = 0; be < 2; be++) {
		_cleanup_(text_free) struct text from = {0}, wanted = {0}, options = {0};
		struct write_packet packet = {
			.ticks = UINT64_C(0x123456789abcdef0),
			.captured = 7,
			.original = 5,
			.data = (const uint8_t *)"payload",
			.drops = UINT32_MAX,
		};

		put_before(&from, be);
		packet.interface = 1;
		packet.options = make_options(&options, "a packet", 2, "\1\2\3\4", 4, true, be);
		write_epb(&from, be, &packet);
		put_section(&wanted, false, be);
		put_interface(&wanted, false, be);
		packet.interface = 0;
		packet.options = make_options(&options, "a packet", 2, "\1\2\3\4", 4, false, be);
		write_epb(&wanted, be, &packet);
		check_single(&from, 2, &wanted);
	}
}

static void put_obsolete(struct text *text, uint16_t drops, bool be)
{
	size_t at = write_block_begin(text, BLOCK_PB, be);

	text_u16(text, 1, be);
	text_u16(text, drops, be);
	text_u32(text, 0x00000123, be);
	text_u32(text, 0x456789ab, be);
	text_u32(text, 5, be);
	text_u32(text, 900, be);
	text_append(text, "hello\0\0", 8);
	write_option(text, 3, "\1abc", 4, be); /* pack_hash */
	write_options_end(text, be);
	write_block_end(text, at, be);
}

/* A Packet Block becomes an Enhanced one: writers must not write the former. */
static void test_obsolete(void **state)
{
	static const uint16_t drops[] = {0, 0x0102, 0xfffe, 0xffff};
	int be;
	size_t i;

	(void)state;
	for (i = 0; i < 2 * ARRAY_SIZE(drops); i++) {
		_cleanup_(text_free) struct text from = {0}, wanted = {0}, options = {0};
		struct write_packet packet = {
			.ticks = UINT64_C(0x123456789ab),
			.captured = 5,
			.original = 900,
			.data = (const uint8_t *)"hello",
			.drops = drops[i / 2],
		};

		be = i % 2;
		put_before(&from, be);
		put_obsolete(&from, drops[i / 2], be);
		put_section(&wanted, false, be);
		put_interface(&wanted, false, be);
		write_option(&options, 3, "\1abc", 4, be);
		packet.options = (struct pktfs_options){(uint8_t *)options.bytes, options.size, be};
		write_epb(&wanted, be, &packet);
		check_single(&from, 2, &wanted);
	}
}

static void test_simple(void **state)
{
	struct write_packet packet = {.captured = 96, .original = 100};
	int be;

	(void)state;
	for (be = 0; be < 2; be++) {
		_cleanup_(text_free) struct text from = {0}, wanted = {0};

		put_section(&from, true, be);
		put_interface(&from, true, be);
		write_spb(&from, be, &packet);
		put_section(&wanted, false, be);
		put_interface(&wanted, false, be);
		write_spb(&wanted, be, &packet);
		check_single(&from, 1, &wanted);
	}
}

static void test_pcap(void **state)
{
	static const char application[] = "pktfs " PKTFS_VERSION;
	struct write_pcap_header header = {true, true, 4096, 101, 4};
	struct write_interface idb = {101, 4096, 9, 4, {0}};
	struct write_packet packet = {
		.ticks = UINT64_C(5000000006),
		.captured = 3,
		.original = 1500,
		.data = (const uint8_t *)"abc",
		.drops = UINT32_MAX,
	};
	_cleanup_(text_free) struct text from = {0}, wanted = {0};

	(void)state;
	write_pcap_header(&from, &header);
	build_record(&from, &header, 4, 4, 50, 1);
	write_pcap_record(&from, &header, (struct pktfs_time){5, 6}, 3, 1500);
	text_string(&from, "abc");
	write_shb(&wanted, false, (struct pktfs_options){0}, application);
	write_idb(&wanted, false, &idb);
	write_epb(&wanted, false, &packet);
	check_single(&from, 2, &wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enhanced),
		cmocka_unit_test(test_obsolete),
		cmocka_unit_test(test_simple),
		cmocka_unit_test(test_pcap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
