/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual captures of sets of a large pcapng capture: many sections of both
 * byte orders, interfaces of several link types, simple and obsolete packets,
 * options, metadata in between. What is made is read back by the library and
 * compared packet by packet and option by option.
 */
#include <stdio.h>

#include "test_export.h"

#define PACKETS	   70000u /* more than a chunk */
#define SECTIONS   40u
#define INTERFACES 70u /* of a section: more than a word of the bitmap */

static const uint16_t link_types[] = {1, 101, 113};

static void put_custom(struct text *options, uint16_t code, unsigned n, bool be)
{
	char value[32] = {0};
	size_t size = (size_t)sprintf(value + 4, "custom %u", n) + 4;

	write_option(options, code, value, size, be);
}

/* Options of packet or block n: a comment, custom ones, some not for copies. */
static struct pktfs_options options_of(struct text *text, unsigned n, bool be)
{
	char comment[32];

	text->size = 0;
	if (n % 3 == 0)
		write_option(text, 1, comment, (size_t)sprintf(comment, "number %u", n), be);
	if (n % 5 == 0)
		put_custom(text, n % 2 ? 19372 : 19373, n, be);
	if (n % 7 == 0)
		put_custom(text, 2989, n, be);
	if (text->size && n % 11)
		write_options_end(text, be);
	return (struct pktfs_options){(uint8_t *)text->bytes, text->size, be};
}

static void put_section(struct text *text, unsigned number, bool be)
{
	_cleanup_(text_free) struct text options = {0};
	struct pktfs_options none = options_of(&options, number * 15, be);
	size_t at = write_block_begin(text, BLOCK_SHB, be);
	unsigned i;
	char name[32];

	text_u32(text, 0x1a2b3c4d, be);
	text_u16(text, 1, be);
	text_u16(text, 0, be);
	text_u64(text, UINT64_MAX, be);
	text_append(text, none.bytes, none.size);
	write_block_end(text, at, be);
	for (i = 0; i < INTERFACES; i++) {
		sprintf(name, "s%u-i%u", number, i);
		build_idb(text, be, link_types[i % 3], i % 2 ? 9 : 6, 300, name);
	}
}

/* Metadata between the packets. */
static void put_metadata(struct text *text, unsigned n, bool be)
{
	static const uint8_t names[] = {0, 0, 0, 0};
	_cleanup_(text_free) struct text body = {0};
	struct pktfs_options options;

	text_append(&body, names, sizeof(names));
	if (n % 3 == 0) {
		_cleanup_(text_free) struct text made = {0};

		options = options_of(&made, n, be);
		text_append(&body, options.bytes, options.size);
		build_block(text, be, BLOCK_NRB, body.bytes, body.size);
	}
	build_block(text, be, n % 2 ? BLOCK_CB : BLOCK_CB_NO_COPY, "PENxdata", 8);
	build_block(text, be, 0x80000001, "local", 5);
	build_isb(text, be, n % INTERFACES, n);
}

static void put_obsolete(struct text *text, unsigned n, uint16_t interface,
			 struct pktfs_options options, bool be)
{
	size_t at = write_block_begin(text, BLOCK_PB, be);

	text_u16(text, interface, be);
	text_u16(text, n % 4 ? (uint16_t)n : 0xffff, be);
	text_u64(text, be ? n : (uint64_t)n << 32, be); /* high, low */
	text_u32(text, 9, be);
	text_u32(text, 900, be);
	build_data(text, n, 9);
	text_zeros(text, 3);
	text_append(text, options.bytes, options.size);
	write_block_end(text, at, be);
}

/* options as they are, those that are not for copies too */
static void put_packet(struct text *text, unsigned n, bool be)
{
	_cleanup_(text_free) struct text made = {0};
	struct pktfs_options options = options_of(&made, n, be);
	struct write_packet simple = {.captured = 300, .original = 500};
	uint32_t interface = n / 64 % INTERFACES, captured = n * 37 % 200;
	size_t at;

	if (n % 13 == 1) {
		put_obsolete(text, n, (uint16_t)interface, options, be);
		return;
	}
	if (n % 17 == 1) {
		write_spb(text, be, &simple);
		return;
	}
	at = write_block_begin(text, BLOCK_EPB, be);
	text_u32(text, interface, be);
	text_u32(text, n % 8, be);
	text_u32(text, n * 1000, be);
	text_u32(text, captured, be);
	text_u32(text, captured + n % 3, be);
	build_data(text, n, captured);
	text_zeros(text, util_pad4(captured) - captured);
	text_append(text, options.bytes, options.size);
	write_block_end(text, at, be);
}

static void build_world(struct text *text)
{
	unsigned n, section = 0;
	bool be = false;

	text->limit = (size_t)1 << 30;
	for (n = 1; n <= PACKETS; n++) {
		/* the last third of the packets shares a few sections */
		if (n == 1 || (n % (PACKETS / SECTIONS) == 0 && n < PACKETS * 2 / 3)) {
			be = section % 3 == 1;
			put_section(text, section++, be);
		}
		if (n % 500 == 0)
			put_metadata(text, n, be);
		put_packet(text, n, be);
	}
	put_metadata(text, 999, be);
}

static bool copied(const struct pktfs_option *option)
{
	return option->code != 19372 && option->code != 19373;
}

static int next_copied(struct pktfs_options *options, struct pktfs_option *ret)
{
	int r;

	while ((r = pktfs_option_next(options, ret)) == 1)
		if (copied(ret))
			return 1;
	return r;
}

/* `made` has the options of `from` but those that are not for copies; a drop
 * count behind them is told. */
static bool same_options(struct pktfs_options from, struct pktfs_options made, uint64_t *drops)
{
	struct pktfs_option a, b;
	int r, s;

	while ((r = next_copied(&from, &a)) == 1) {
		if (pktfs_option_next(&made, &b) != 1 || a.code != b.code ||
		    a.length != b.length || memcmp(a.value, b.value, a.length))
			return false;
	}
	s = pktfs_option_next(&made, &b);
	if (s == 1 && b.code == 4 && drops) {
		*drops = pktfs_option_u64(&made, &b);
		s = pktfs_option_next(&made, &b);
	}
	return r == 0 && s == 0;
}

static void compare_interfaces(pktfs_capture *from, uint64_t a, pktfs_capture *made, uint64_t b)
{
	struct pktfs_interface x, y;

	assert_int_equal(pktfs_interface_get(from, a, &x, NULL), 0);
	assert_int_equal(pktfs_interface_get(made, b, &y, NULL), 0);
	assert_true(same_options(x.options, y.options, NULL));
	assert_int_equal(x.snaplen, y.snaplen);
	assert_int_equal(x.has_statistics, y.has_statistics);
	if (x.has_statistics)
		assert_true(same_options(x.statistics, y.statistics, NULL));
	pktfs_interface_release(&x);
	pktfs_interface_release(&y);
}

static void compare_packets(const struct pktfs_packet *x, const struct pktfs_packet *y)
{
	uint64_t drops = UINT64_MAX;
	bool old = x->block_type == BLOCK_PB;

	assert_int_equal(x->captured_length, y->captured_length);
	assert_int_equal(x->original_length, y->original_length);
	assert_memory_equal(x->data, y->data, x->captured_length);
	assert_int_equal(x->link_type, y->link_type);
	assert_int_equal(x->resolution, y->resolution);
	assert_int_equal(x->has_time, y->has_time);
	if (x->has_time) {
		assert_int_equal(x->ticks, y->ticks);
		assert_int_equal(x->time.sec, y->time.sec);
		assert_int_equal(x->time.nsec, y->time.nsec);
	}
	assert_int_equal(y->block_type, old ? BLOCK_EPB : x->block_type);
	assert_true(same_options(x->options, y->options, old ? &drops : NULL));
	if (old)
		assert_int_equal(drops, x->number % 4 ? (uint16_t)x->number : UINT64_MAX);
}

static void compare_sections(pktfs_capture *from, uint64_t a, pktfs_capture *made, uint64_t b)
{
	struct pktfs_section x, y;

	assert_int_equal(pktfs_section_get(from, a, &x, NULL), 0);
	assert_int_equal(pktfs_section_get(made, b, &y, NULL), 0);
	assert_int_equal(x.big_endian, y.big_endian);
	assert_true(same_options(x.options, y.options, NULL));
	pktfs_section_release(&x);
	pktfs_section_release(&y);
}

/* The capture `made` has just the packets of the set, each with its interface
 * and section. */
static void compare(struct sets *sets, struct set *set, const struct text *text)
{
	struct pktfs_status status;
	struct pktfs_packet x, y;
	pktfs_capture *made;
	uint64_t n = 0, m = 0;

	assert_int_equal(pktfs_open_buffer(text->bytes, text->size, NULL, &made, NULL), 0);
	pktfs_wait(made, UINT64_MAX, -1);
	pktfs_status_get(made, &status);
	assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
	while (set_next(set, n + 1, &n) == 0) {
		assert_int_equal(pktfs_packet_get(sets->capture, n, &x, NULL), 0);
		assert_int_equal(pktfs_packet_get(made, ++m, &y, NULL), 0);
		compare_packets(&x, &y);
		if (m % 100 == 1) {
			compare_interfaces(sets->capture, x.interface, made, y.interface);
			compare_sections(sets->capture, x.section, made, y.section);
		}
		pktfs_packet_release(&x);
		pktfs_packet_release(&y);
	}
	assert_int_equal(status.packets, m);
	pktfs_close(made);
}

#define OPTIONS_NOT_COPIED UINT32_MAX

/* Metadata blocks of a type, or that have options which are not for copies. */
static unsigned count_blocks(pktfs_capture *capture, uint32_t type)
{
	struct pktfs_block block;
	unsigned count = 0;
	uint64_t i;

	for (i = 0; pktfs_block_get(capture, i, &block, NULL) == 0; i++) {
		count += block.type == type;
		if (type == OPTIONS_NOT_COPIED)
			count += write_options_differ(block.options);
		pktfs_block_release(&block);
	}
	return count;
}

static void check_set(struct sets *sets, enum set_kind kind, const char *expression)
{
	struct set *set = sets_open(sets, kind, expression);
	_cleanup_(text_free) struct text text = {0}, again = {0};

	read_whole(set, EXPORT_PCAPNG, 0, 100000, &text);
	read_whole(set, EXPORT_PCAPNG, 0, 4093, &again);
	assert_int_equal(text.size, again.size);
	assert_memory_equal(text.bytes, again.bytes, text.size);
	check_pieces(set, EXPORT_PCAPNG, 0, 100, &text);
	compare(sets, set, &text);
}

static struct text world;
static struct sets sets_of_world;

static int setup(void **state)
{
	(void)state;
	build_world(&world);
	sets_of_world = sets_over(&world, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sets_close(&sets_of_world);
	text_free(&world);
	return 0;
}

static void sets_of_all_sizes(void **state)
{
	static const struct {
		enum set_kind kind;
		const char *expression;
	} cases[] = {
		{SET_RANGE, "1-"},	    {SET_RANGE, "1"},	       {SET_RANGE, "70000"},
		{SET_RANGE, "2000-50000"},  {SET_RANGE, "5,1749-1751,60000-60003"},
		{SET_INTERFACE, "69"},	    {SET_INTERFACE, "1000"},   {SET_MATCH, "\\x00\\x07"},
		{SET_RANGE, "1000000"},	    {SET_FILTER, "greater 150"}, {SET_TIME, "@8590.."},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		check_set(&sets_of_world, cases[i].kind, cases[i].expression);
}

/* All of it has all blocks that may be copied, once. */
static void metadata_is_kept(void **state)
{
	static const uint32_t types[] = {BLOCK_SHB, BLOCK_NRB, BLOCK_CB};
	struct set *set = sets_open(&sets_of_world, SET_RANGE, "1-");
	_cleanup_(text_free) struct text text = {0};
	pktfs_capture *made;
	size_t i;

	(void)state;
	read_whole(set, EXPORT_PCAPNG, 0, 100000, &text);
	assert_int_equal(pktfs_open_buffer(text.bytes, text.size, NULL, &made, NULL), 0);
	pktfs_wait(made, UINT64_MAX, -1);
	for (i = 0; i < ARRAY_SIZE(types); i++)
		assert_int_equal(count_blocks(made, types[i]),
				 count_blocks(sets_of_world.capture, types[i]));
	assert_int_equal(count_blocks(made, BLOCK_CB_NO_COPY), 0);
	assert_int_equal(count_blocks(made, 0x80000001), 0);
	assert_int_equal(count_blocks(made, OPTIONS_NOT_COPIED), 0);
	assert_true(count_blocks(sets_of_world.capture, OPTIONS_NOT_COPIED) > 20);
	pktfs_close(made);
}

/* pcap: the link types of the set, each with its packets. */
static void link_types_of_sets(void **state)
{
	struct set *set = sets_open(&sets_of_world, SET_RANGE, "65-128,200-10000");
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_link_type link;
	struct pktfs_status status;
	uint64_t packets = 0;
	pktfs_capture *made;
	unsigned i;

	(void)state;
	assert_int_equal(set_wait(set), 0);
	for (i = 0; set_export_link_type(set, i, &link) == 0; i++) {
		assert_int_equal(link.link_type, link_types[i]);
		text.size = 0;
		read_whole(set, EXPORT_PCAP, i, 100000, &text);
		check_pieces(set, EXPORT_PCAP, i, 50, &text);
		assert_int_equal(pktfs_open_buffer(text.bytes, text.size, NULL, &made, NULL), 0);
		pktfs_wait(made, UINT64_MAX, -1);
		pktfs_status_get(made, &status);
		assert_int_equal(status.packets, link.packets);
		assert_int_equal(status.captured_bytes, link.captured_bytes);
		packets += status.packets;
		pktfs_close(made);
	}
	assert_int_equal(i, 3);
	assert_int_equal(packets, 64 + 9801);
	set = sets_open(&sets_of_world, SET_INTERFACE, "1"); /* of link type 101 */
	assert_int_equal(set_wait(set), 0);
	assert_int_equal(set_export_link_type(set, 0, &link), 0);
	assert_int_equal(link.link_type, 101);
	assert_int_equal(set_export_link_type(set, 1, &link), -ENOENT);
}

/* The whole capture by way of its set. */
static void the_set_of_all(void **state)
{
	struct set *all = set_all(sets_of_world.pool);
	_cleanup_(text_free) struct text text = {0}, same = {0};
	struct pktfs_link_type link;
	uint64_t size;

	(void)state;
	assert_int_equal(set_export_size(all, EXPORT_PCAPNG, 0, &size, NULL), -ENOTSUP);
	assert_int_equal(set_export_link_type(all, 2, &link), 0);
	assert_int_equal(set_export_link_type(all, 3, &link), -ENOENT);
	read_whole(all, EXPORT_PCAP, 1, 100000, &text);
	read_whole(sets_open(&sets_of_world, SET_RANGE, "1-"), EXPORT_PCAP, 1, 99999, &same);
	assert_int_equal(text.size, same.size);
	/* the snaplen may differ */
	assert_memory_equal(text.bytes + 24, same.bytes + 24, text.size - 24);
}

/* What was evaluated is dropped while the file is read: -EAGAIN, and then it
 * goes on where it was. */
static void dropped_while_reading(void **state)
{
	struct sets sets = sets_over(&world, 50000);
	struct set *set = sets_open(&sets, SET_FILTER, "greater 100"), *other;
	_cleanup_(text_free) struct text text = {0};
	struct export *export;
	uint8_t bytes[20000];
	char expression[32];
	uint64_t offset, dropped = 0;
	unsigned i = 0;
	int64_t r;

	(void)state;
	read_whole(sets_open(&sets_of_world, SET_FILTER, "greater 100"), EXPORT_PCAPNG, 0, 100000,
		   &text);
	export = patient_open(set, EXPORT_PCAPNG, 0);
	for (offset = 0; offset < text.size; offset += (uint64_t)r) {
		if (offset / 500000 >= i) {
			usleep(1000);
			set->lease_ms = 0; /* as if nobody had asked for long */
			sprintf(expression, "greater %u", 20 + i++);
			other = sets_open(&sets, SET_FILTER, expression);
			assert_int_equal(set_wait(other), 0);
			other->lease_ms = 0;
			dropped += !set->passed;
		}
		r = patient_read(export, offset, bytes, sizeof(bytes));
		assert_true(r > 0);
		assert_memory_equal(bytes, text.bytes + offset, (size_t)r);
	}
	assert_int_equal(offset, text.size);
	assert_true(dropped > 3);
	export_close(export);
	sets_close(&sets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_of_all_sizes),	  cmocka_unit_test(metadata_is_kept),
		cmocka_unit_test(link_types_of_sets),	  cmocka_unit_test(the_set_of_all),
		cmocka_unit_test(dropped_while_reading),
	};

	return cmocka_run_group_tests_name("set_export_ng", tests, setup, teardown);
}
