/* SPDX-License-Identifier: BSD-2-Clause */
/* The contents of the tree: fields, side files, conversions, tables. */
#include "test_view.h"

#include "set/set_export.h"

#define TICKS (UINT64_C(1763721127) * 1000000)

static void option_string(struct text *text, bool big, uint16_t code, const char *string)
{
	write_option(text, code, string, strlen(string), big);
}

static void option_number(struct text *text, bool big, uint16_t code, unsigned size,
			  uint64_t number)
{
	_cleanup_(text_free) struct text value = {0};

	if (size == 8)
		text_u64(&value, number, big);
	else if (size == 4)
		text_u32(&value, (uint32_t)number, big);
	else
		text_append(&value, &(uint8_t){(uint8_t)number}, 1);
	write_option(text, code, value.bytes, value.size, big);
}

static void rich_section(struct text *text, bool big)
{
	size_t at = write_block_begin(text, BLOCK_SHB, big);

	text_u32(text, 0x1a2b3c4d, big);
	text_u16(text, 1, big);
	text_u16(text, 0, big);
	text_u64(text, UINT64_MAX, big);
	option_string(text, big, 2, "a machine");
	option_string(text, big, 3, "an os");
	option_string(text, big, 4, "an application");
	option_string(text, big, 1, "first");
	option_string(text, big, 1, "second\nline");
	write_option(text, 4711, "\x01\x02", 2, big);
	write_option(text, 2988, "\0\0\0\0abc", 7, big);
	write_options_end(text, big);
	write_block_end(text, at, big);
}

static void rich_interface(struct text *text, bool big)
{
	size_t at = write_block_begin(text, BLOCK_IDB, big);

	text_u16(text, 1, big);
	text_u16(text, 0, big);
	text_u32(text, 65535, big);
	option_string(text, big, 2, "eth0");
	option_string(text, big, 3, "b\xffroken");
	write_option(text, 4, "\xc0\x00\x02\x01\xff\xff\xff\x00", 8, big);
	write_option(text, 4, "\x0a\x00\x00\x01\xff\x00\xff\x00", 8, big);
	write_option(text, 5, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x40", 17, big);
	write_option(text, 6, "\x02\0\0\0\0\x01", 6, big);
	write_option(text, 7, "\x02\0\0\xff\xfe\0\0\x01", 8, big);
	option_number(text, big, 8, 8, 10000000000);
	option_number(text, big, 10, 4, (uint32_t)-3600);
	write_option(text, 11, "\0tcp port 80", 12, big);
	option_string(text, big, 12, "Linux");
	option_number(text, big, 13, 1, 4);
	option_number(text, big, 14, 8, (uint64_t)-5);
	option_string(text, big, 15, "a card");
	option_number(text, big, 16, 8, 1000);
	option_number(text, big, 17, 7, 2000); /* of a wrong length: ignored */
	option_string(text, big, 18, "Europe/Berlin");
	write_options_end(text, big);
	write_block_end(text, at, big);
}

static void rich_packet(struct text *text, bool big)
{
	size_t at = write_block_begin(text, BLOCK_EPB, big);

	text_u32(text, 0, big);
	text_u32(text, (uint32_t)(TICKS >> 32), big);
	text_u32(text, (uint32_t)TICKS, big);
	text_u32(text, 5, big);
	text_u32(text, 4, big); /* below the captured length */
	text_append(text, "hello\0\0\0", 8);
	option_string(text, big, 1, "say \"hi\"");
	option_string(text, big, 1, "\xc3\xbc\x80");
	option_number(text, big, 2, 4, 1 | 2u << 2 | 4u << 5 | 1u << 9 | 1u << 24 | 1u << 16);
	write_option(text, 3, "\x02\xde\xad\xbe\xef", 5, big);
	option_number(text, big, 4, 8, 7);
	option_number(text, big, 5, 8, UINT64_MAX);
	option_number(text, big, 6, 4, 3);
	write_option(text, 7, "\x00\x2a", 2, big);
	option_number(text, big, 8, 8, 0);
	option_number(text, big, 6, 4, 4); /* a second queue */
	write_option(text, 2989, "\0\0\0\0\xff", 5, big);
	write_option(text, 0x8001, "xy", 2, big);
	write_options_end(text, big);
	write_block_end(text, at, big);
}

static void rich_statistics(struct text *text, bool big)
{
	size_t at = write_block_begin(text, BLOCK_ISB, big);
	_cleanup_(text_free) struct text ticks = {0};

	text_u32(&ticks, (uint32_t)(TICKS >> 32), big);
	text_u32(&ticks, (uint32_t)TICKS, big);
	text_u32(text, 0, big);
	text_append(text, ticks.bytes, ticks.size);
	write_option(text, 2, ticks.bytes, ticks.size, big);
	option_number(text, big, 4, 8, 100);
	option_number(text, big, 5, 8, 3);
	option_number(text, big, 7, 8, 1);
	option_string(text, big, 1, "of the end");
	write_options_end(text, big);
	write_block_end(text, at, big);
}

static void check_rich(struct view *view, bool big)
{
	static const char *const absent[] = {
		"sections/0/section_length", "interfaces/0/receive_speed", "interfaces/0/comment",
		"interfaces/0/statistics/end_time", "interfaces/0/statistics/delivered",
		"interfaces/0/statistics/filter_accepted",
	};
	unsigned i;

	expect_text(view, "sections/0/byte_order", big ? "big-endian\n" : "little-endian\n");
	expect_text(view, "sections/0/version", "1.0\n");
	expect_text(view, "sections/0/hardware", "a machine\n");
	expect_text(view, "sections/0/os", "an os\n");
	expect_text(view, "sections/0/application", "an application\n");
	expect_text(view, "sections/0/comment", "first\nsecond\nline\n");
	expect_text(view, "sections/0/options",
		    "2 shb_hardware \"a machine\"\n3 shb_os \"an os\"\n"
		    "4 shb_userappl \"an application\"\n1 opt_comment \"first\"\n"
		    "1 opt_comment \"second\\nline\"\n4711 unknown 0102\n"
		    "2988 opt_custom 0 616263\n");
	expect_text(view, "interfaces/0/name", "eth0\n");
	expect_text(view, "interfaces/0/description", "b\xef\xbf\xbdroken\n");
	expect_text(view, "interfaces/0/ipv4", "192.0.2.1/24\n10.0.0.1/255.0.255.0\n");
	expect_text(view, "interfaces/0/ipv6", "2001:db8::1/64\n");
	expect_text(view, "interfaces/0/mac", "02:00:00:00:00:01\n");
	expect_text(view, "interfaces/0/eui", "02:00:00:ff:fe:00:00:01\n");
	expect_text(view, "interfaces/0/speed", "10000000000\n");
	expect_text(view, "interfaces/0/transmit_speed", "1000\n");
	expect_text(view, "interfaces/0/timezone", "-3600\n");
	expect_text(view, "interfaces/0/timezone_name", "Europe/Berlin\n");
	expect_text(view, "interfaces/0/filter", "tcp port 80\n");
	expect_text(view, "interfaces/0/os", "Linux\n");
	expect_text(view, "interfaces/0/hardware", "a card\n");
	expect_text(view, "interfaces/0/fcs_length", "4\n");
	expect_text(view, "interfaces/0/timestamp_offset", "-5\n");
	expect_text(view, "interfaces/0/timestamp_resolution", "0.000001\n");
	expect_text(view, "interfaces/0/link_type", "ETHERNET\n");
	expect_text(view, "interfaces/0/link_type_number", "1\n");
	expect_text(view, "interfaces/0/snaplen", "65535\n");
	expect_text(view, "interfaces/0/section", "0\n");
	expect_text(view, "interfaces/0/number_in_section", "0\n");
	expect_text(view, "interfaces/0/packets", "1\n");
	expect_text(view, "interfaces/0/statistics/received", "100\n");
	expect_text(view, "interfaces/0/statistics/dropped", "3\n");
	expect_text(view, "interfaces/0/statistics/os_dropped", "1\n");
	expect_text(view, "interfaces/0/statistics/comment", "of the end\n");
	expect_text(view, "interfaces/0/statistics/start_time", "2025-11-21T10:32:02.000000000Z\n");
	expect_text(view, "interfaces/0/statistics/time", "2025-11-21T10:32:02.000000000Z\n");
	for (i = 0; i < ARRAY_SIZE(absent); i++)
		expect_absent(view, absent[i]);
}

static void expect_in(const struct text *text, const char *want)
{
	if (!strstr(text->bytes, want))
		fail_msg("no %s in %s", want, text->bytes);
}

static void check_json(struct view *view)
{
	_cleanup_(text_free) struct text text = {0};

	tree_read(view, "packets/1.json", 17, &text);
	expect_in(&text, "{\n  \"number\": 1,\n  \"frame\": 1,\n  \"block_number\": 3,\n");
	expect_in(&text, "\"interface_name\": \"eth0\"");
	expect_in(&text, "\"link_type\": \"ETHERNET\"");
	expect_in(&text, "\"time\": \"2025-11-21T10:32:02.000000000Z\"");
	expect_in(&text, "\"ticks\": \"1763721127000000\"");
	expect_in(&text, "\"resolution\": 0.000001");
	expect_in(&text, "\"captured_length\": 5,\n  \"original_length\": 4,");
	expect_in(&text, "\"comment\": [\"say \\\"hi\\\"\", \"\xc3\xbc\xef\xbf\xbd\"]");
	expect_in(&text, "\"direction\": \"inbound\", \"reception\": \"multicast\", "
			 "\"fcs_length\": 4, \"checksum_not_ready\": true, "
			 "\"checksum_valid\": false");
	expect_in(&text, "\"link_layer_errors\": [\"bit_16\", \"crc\"]");
	expect_in(&text, "\"hash\": [{\"algorithm\": \"CRC32\", \"algorithm_number\": 2, "
			 "\"hex\": \"deadbeef\"}]");
	expect_in(&text, "\"dropcount\": \"7\"");
	expect_in(&text, "\"packetid\": \"18446744073709551615\"");
	expect_in(&text, "\"queue\": 3");
	expect_in(&text, "\"verdict\": [{\"kind\": \"hardware\", \"kind_number\": 0, "
			 "\"hex\": \"2a\"}]");
	expect_in(&text, "\"processid_threadid\": {\"process_id\": 0, \"thread_id\": 0}");
	expect_in(&text, "\"custom\": [{\"code\": 2989, \"pen\": 0, \"copy\": true, "
			 "\"hex\": \"ff\"}]");
	expect_in(&text, "\"other\": [{\"code\": 6, \"hex\": \"");
	expect_in(&text, "{\"code\": 32769, \"hex\": \"7879\"}]}\n}\n");
}

static void check_flags(struct view *view)
{
	_cleanup_(text_free) struct text text = {0};
	struct view_entry entry;

	assert_int_equal(tree_find(view, "packets/1", &entry, NULL), 0);
	assert_int_equal(view_getxattr(view, entry.st.st_ino, "user.pktfs.flags", &text), 0);
	assert_string_equal(text.bytes, "0x01010289");
}

static void rich(void **state)
{
	struct tree tree;
	int big;

	(void)state;
	for (big = 0; big < 2; big++) {
		tree = (struct tree){0};
		rich_section(&tree.file, big);
		rich_interface(&tree.file, big);
		rich_packet(&tree.file, big);
		rich_statistics(&tree.file, big);
		tree_open(&tree);
		check_rich(tree.view, big);
		check_json(tree.view);
		check_flags(tree.view);
		tree_close(&tree);
	}
}

/* if_tsresol of any value is an exact decimal number. */
static void resolutions(void **state)
{
	static const struct {
		uint8_t resolution;
		const char *want;
	} cases[] = {
		{0, "1\n"},          {1, "0.1\n"},          {6, "0.000001\n"},
		{9, "0.000000001\n"}, {0x80, "1\n"},         {0x81, "0.5\n"},
		{0x8a, "0.0009765625\n"}, {0x94, "0.00000095367431640625\n"},
	};
	_cleanup_(text_free) struct text text = {0};
	struct tree tree;
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		tree = (struct tree){0};
		build_shb(&tree.file, false);
		build_idb(&tree.file, false, 1, cases[i].resolution, 0, NULL);
		tree_open(&tree);
		expect_text(tree.view, "interfaces/0/timestamp_resolution", cases[i].want);
		tree_close(&tree);
	}
	tree = (struct tree){0};
	build_shb(&tree.file, false);
	build_idb(&tree.file, false, 1, 0xff, 0, NULL);
	tree_open(&tree);
	tree_read(tree.view, "interfaces/0/timestamp_resolution", 50, &text);
	assert_int_equal(text.size, 2 + 127 + 1);
	assert_memory_equal(text.bytes + text.size - 4, "125\n", 4);
	tree_close(&tree);
}

static void info(void **state)
{
	struct tree tree = {0};
	char size[32];

	(void)state;
	build_shb(&tree.file, false);
	build_idb(&tree.file, false, 1, 9, 0, NULL);
	build_idb(&tree.file, false, 101, 9, 0, NULL);
	build_idb(&tree.file, false, 60000, 9, 0, NULL);
	build_epb(&tree.file, false, 0, TICKS * 1000 + 5, 10, 1, NULL);
	build_epb(&tree.file, false, 1, TICKS * 1000 + 2000000000, 20, 2, NULL);
	build_epb(&tree.file, false, 1, TICKS * 1000 + 6, 30, 3, NULL);
	text_zeros(&tree.file, 12);
	tree_open(&tree);
	expect_text(tree.view, "info/path", "/some/trace\n");
	expect_text(tree.view, "info/format", "pcapng\n");
	expect_text(tree.view, "info/compression", "none\n");
	snprintf(size, sizeof(size), "%zu\n", tree.file.size);
	expect_text(tree.view, "info/size", size);
	expect_text(tree.view, "info/packets", "3\n");
	expect_text(tree.view, "info/bytes", "60\n");
	expect_text(tree.view, "info/first_time", "2025-11-21T10:32:07.000000005Z\n");
	expect_text(tree.view, "info/last_time", "2025-11-21T10:32:07.000000006Z\n");
	expect_text(tree.view, "info/duration", "1.999999995\n");
	expect_text(tree.view, "info/link_types", "ETHERNET RAW 60000\n");
	expect_text(tree.view, "info/state", "damaged\n");
	{
		_cleanup_(text_free) struct text problem = {0};

		tree_read(tree.view, "info/problem", 100, &problem);
		snprintf(size, sizeof(size), "offset %zu: ", tree.file.size - 12);
		assert_memory_equal(problem.bytes, size, strlen(size));
		assert_int_equal(problem.bytes[problem.size - 1], '\n');
	}
	expect_text(tree.view, "interfaces/2/link_type", "60000\n");
	tree_close(&tree);
}

static void pcap_file(void **state)
{
	const struct write_pcap_header header = {
		.big_endian = true, .nanosecond = true, .snaplen = 99, .link_type = 101,
		.fcs_length = -1};
	struct tree tree = {0};
	struct view_entry entry;

	(void)state;
	write_pcap_header(&tree.file, &header);
	build_record(&tree.file, &header, 1, 2, 40, 1);
	tree_open(&tree);
	expect_text(tree.view, "info/format", "pcap (nanosecond)\n");
	expect_text(tree.view, "sections/0/byte_order", "big-endian\n");
	expect_text(tree.view, "sections/0/version", "2.4\n");
	expect_text(tree.view, "interfaces/0/link_type", "RAW\n");
	expect_text(tree.view, "interfaces/0/snaplen", "99\n");
	expect_text(tree.view, "interfaces/0/timestamp_resolution", "0.000000001\n");
	expect_absent(tree.view, "interfaces/0/name");
	expect_absent(tree.view, "interfaces/0/fcs_length");
	expect_absent(tree.view, "sections/0/options");
	expect_absent(tree.view, "sections/1");
	expect_absent(tree.view, "capture.RAW.pcap");
	assert_int_equal(tree_find(tree.view, "capture.pcap", &entry, NULL), 0);
	assert_int_equal(entry.st.st_size, tree.file.size);
	assert_int_equal(tree_find(tree.view, "capture.pcapng", &entry, NULL), 0);
	tree_close(&tree);
}

/* Any piece of a file, however cut, is a piece of the whole. */
static void check_pieces(struct view *view, const char *path, const struct text *whole)
{
	static const size_t pieces[] = {1, 7, 54, 55, 56, 1000};
	_cleanup_(text_free) struct text text = {0};
	struct view_entry entry;
	char bytes[300];
	uint64_t offset;
	int64_t n;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		text.size = 0;
		tree_read(view, path, pieces[i], &text);
		assert_int_equal(text.size, whole->size);
		assert_memory_equal(text.bytes, whole->bytes, whole->size);
	}
	assert_int_equal(tree_find(view, path, &entry, NULL), 0);
	for (offset = 0; offset <= whole->size; offset++) {
		n = view_read(view, entry.st.st_ino, offset, bytes, 1 + offset % sizeof(bytes));
		assert_int_equal(n, MIN(1 + offset % sizeof(bytes), whole->size - offset));
		assert_memory_equal(bytes, whole->bytes + offset, (size_t)n);
	}
}

static void hex(void **state)
{
	static const uint32_t lengths[] = {0, 1, 15, 16, 17, 31, 32, 33, 1000};
	struct tree tree = {0};
	unsigned i, k;
	char path[32];

	(void)state;
	build_shb(&tree.file, false);
	build_idb(&tree.file, false, 1, 9, 0, NULL);
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		build_epb(&tree.file, false, 0, 0, lengths[i], i, NULL);
	tree_open(&tree);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		_cleanup_(text_free) struct text want = {0};

		for (k = 0; k < lengths[i]; k++) {
			if (k % 16 == 0)
				text_printf(&want, "%s%06x", k ? "\n" : "", k);
			text_printf(&want, " %02x", build_byte(i, k));
		}
		text_string(&want, k ? "\n" : "000000\n");
		snprintf(path, sizeof(path), "packets/%u.hex", i + 1);
		check_pieces(tree.view, path, &want);
	}
	tree_close(&tree);
}

/* An offset has 8 digits in a packet above 16 MiB, and one near the end needs
 * no more work than one at the start. */
static void large_hex(void **state)
{
	const uint32_t length = (16u << 20) + 5;
	struct tree tree = {0};
	struct view_entry entry;
	char bytes[80];
	int64_t n;

	(void)state;
	build_shb(&tree.file, false);
	build_idb(&tree.file, false, 1, 9, 0, NULL);
	build_epb(&tree.file, false, 0, 0, length, 1, NULL);
	tree_open(&tree);
	assert_int_equal(tree_find(tree.view, "packets/1.hex", &entry, NULL), 0);
	assert_int_equal(entry.st.st_size, (16u << 20) / 16 * 57 + 8 + 15 + 1);
	n = view_read(tree.view, entry.st.st_ino, (uint64_t)entry.st.st_size - 24, bytes, 80);
	assert_int_equal(n, 24);
	assert_memory_equal(bytes, "01000000 ", 9);
	assert_int_equal(bytes[23], '\n');
	tree_close(&tree);
}

static void table(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	struct tree tree = {0};
	char *line, *rest, *columns[6], *save;
	size_t width;
	unsigned n, i;

	(void)state;
	build_shb(&tree.file, false);
	build_idb(&tree.file, false, 1, 9, 0, NULL);
	build_idb(&tree.file, false, 60000, 9, 0, NULL);
	for (n = 1; n <= 20; n++)
		build_epb(&tree.file, false, n % 2, TICKS * 1000 + n, n, n, NULL);
	build_block(&tree.file, false, BLOCK_SPB, "\x03\0\0\0abc", 7);
	tree_open(&tree);
	tree_read(tree.view, "packets.tsv", 1000, &text);
	width = (size_t)(strchr(text.bytes, '\n') - text.bytes) + 1;
	assert_int_equal(text.size, width * 22);
	check_pieces(tree.view, "packets.tsv", &text);
	rest = text.bytes;
	for (n = 0; (line = strsep(&rest, "\n")) && *line; n++) {
		assert_int_equal(strlen(line), width - 1);
		for (i = 0; i < 6; i++)
			columns[i] = strtok_r(i ? NULL : line, "\t ", &save);
		assert_null(strtok_r(NULL, "\t ", &save));
		if (n == 0) {
			assert_string_equal(columns[0], "number");
			assert_string_equal(columns[5], "original_length");
			continue;
		}
		assert_int_equal(atoi(columns[0]), n);
		if (n == 21) {
			assert_string_equal(columns[1], "-");
			assert_int_equal(atoi(columns[5]), 3);
			continue;
		}
		assert_int_equal(strlen(columns[1]), 30);
		assert_int_equal(atoi(columns[2]), n % 2);
		assert_string_equal(columns[3], n % 2 ? "60000" : "ETHERNET");
		assert_int_equal(atoi(columns[4]), n);
		assert_int_equal(atoi(columns[5]), n + 10);
	}
	assert_int_equal(n, 22);
	tree_close(&tree);
}

static void name_record(struct text *text, bool big, uint16_t type, const void *value, size_t size)
{
	text_u16(text, type, big);
	text_u16(text, (uint16_t)size, big);
	text_append(text, value, size);
	text_zeros(text, util_pad4(size) - size);
}

static void secret(struct text *text, bool big, uint32_t type, const char *bytes, size_t size)
{
	size_t at = write_block_begin(text, BLOCK_DSB, big);

	text_u32(text, type, big);
	text_u32(text, (uint32_t)size, big);
	text_append(text, bytes, size);
	text_zeros(text, util_pad4(size) - size);
	write_block_end(text, at, big);
}

static void names_and_secrets(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	static struct names listed;
	struct tree tree = {0};
	size_t at;

	(void)state;
	build_shb(&tree.file, true);
	build_idb(&tree.file, true, 1, 9, 0, NULL);
	at = write_block_begin(&tree.file, BLOCK_NRB, true);
	name_record(&tree.file, true, 1, "\xc0\0\2\7host.example\0second\0", 24);
	name_record(&tree.file, true, 1, "\xc0\0\2\x08" "ev il\n#%\0", 13);
	name_record(&tree.file, true, 9, "what is this", 12);
	name_record(&tree.file, true, 2, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1six\0", 20);
	name_record(&tree.file, true, 3, "\2\0\0\0\0\1nic\0", 10);
	name_record(&tree.file, true, 4, "\2\0\0\0\0\0\0\1eui\0", 12);
	name_record(&tree.file, true, 0, "", 0);
	write_block_end(&tree.file, at, true);
	secret(&tree.file, true, 0x544c534b, "CLIENT_RANDOM 1 2", 17);
	secret(&tree.file, true, 0x5a4e574b, "0123456789abcdefPN", 18);
	secret(&tree.file, true, 0x544c534b, "CLIENT_RANDOM 3 4\n", 18);
	secret(&tree.file, true, 0x12345678, "\0\1\2", 3);
	tree_open(&tree);
	expect_text(tree.view, "names/hosts",
		    "192.0.2.7\thost.example second\n192.0.2.8\tev%20il%0A%23%25\n"
		    "2001:db8::1\tsix\n");
	expect_text(tree.view, "names/ethers",
		    "02:00:00:00:00:01\tnic\n02:00:00:00:00:00:00:01\teui\n");
	expect_text(tree.view, "secrets/tls.keylog", "CLIENT_RANDOM 1 2\nCLIENT_RANDOM 3 4\n");
	expect_text(tree.view, "secrets/zigbee_nwk.key", "0123456789abcdefPN");
	tree_read(tree.view, "secrets/type_12345678.bin", 10, &text);
	assert_int_equal(text.size, 3);
	assert_memory_equal(text.bytes, "\0\1\2", 3);
	expect_absent(tree.view, "secrets/ssh.keylog");
	expect_absent(tree.view, "secrets/type_544c534b.bin");
	expect_absent(tree.view, "secrets/type_12345679.bin");
	tree_list(tree.view, "secrets", 0, true, 0, &listed);
	assert_int_equal(listed.count, 5);
	assert_string_equal(listed.name[4], "type_12345678.bin");
	tree_list(tree.view, "names", 0, true, 0, &listed);
	assert_int_equal(listed.count, 4);
	tree_close(&tree);
}

/* All blocks and packets, put together again, are the file. */
static void blocks(void **state)
{
	static struct names listed;
	_cleanup_(text_free) struct text whole = {0};
	struct tree tree = {0};
	unsigned i;
	char path[128];

	(void)state;
	build_shb(&tree.file, false);
	build_idb(&tree.file, false, 1, 9, 0, "eth0");
	build_block(&tree.file, false, 0x80000001, "opaque", 6);
	build_block(&tree.file, false, 0x0bad, "\x01\0\0\0x", 5);
	build_isb(&tree.file, false, 0, 1);
	tree_open(&tree);
	tree_list(tree.view, "blocks", 0, true, 0, &listed);
	assert_int_equal(listed.count, 7);
	assert_string_equal(listed.name[2], "000000001.shb");
	assert_string_equal(listed.name[3], "000000002.idb");
	assert_string_equal(listed.name[4], "000000003.80000001");
	assert_string_equal(listed.name[6], "000000005.isb");
	for (i = 2; i < listed.count; i++) {
		_cleanup_(text_free) struct text block = {0};

		snprintf(path, sizeof(path), "blocks/%s", listed.name[i]);
		tree_read(tree.view, path, 5, &block);
		text_append(&whole, block.bytes, block.size);
		check_pieces(tree.view, path, &block);
		snprintf(path, sizeof(path), "blocks/%u%s", i - 1, strchr(listed.name[i], '.'));
		check_pieces(tree.view, path, &block);
		snprintf(path, sizeof(path), "blocks/%u", i - 1);
		check_pieces(tree.view, path, &block);
	}
	assert_int_equal(whole.size, tree.file.size);
	assert_memory_equal(whole.bytes, tree.file.bytes, whole.size);
	expect_absent(tree.view, "blocks/3.80000002");
	expect_absent(tree.view, "blocks/6");
	tree_close(&tree);
}

/* Reads an export through the tree, waiting for its sums. */
static void read_export(struct view *view, const char *path, struct text *ret)
{
	struct view_entry entry;
	char bytes[1000];
	int64_t n;

	assert_int_equal(tree_find(view, path, &entry, NULL), 0);
	do {
		n = view_read(view, entry.st.st_ino, ret->size, bytes, sizeof(bytes));
		if (n > 0)
			text_append(ret, bytes, (size_t)n);
	} while (n > 0 || n == -EAGAIN);
	assert_int_equal(n, 0);
	assert_int_equal(ret->size, entry.st.st_size);
}

static void captures(void **state)
{
	_cleanup_(text_free) struct text own = {0}, ethernet = {0};
	static struct names listed;
	struct tree tree = {0};
	pktfs_capture *converted;
	struct pktfs_packet packet;
	unsigned n;

	(void)state;
	build_shb(&tree.file, false);
	build_idb(&tree.file, false, 1, 9, 0, NULL);
	build_idb(&tree.file, false, 101, 9, 0, NULL);
	build_idb(&tree.file, false, 276, 9, 0, NULL); /* without packets */
	for (n = 1; n <= 30; n++)
		build_epb(&tree.file, false, n % 3 == 0, TICKS * 1000 + n, n, n, NULL);
	tree_open(&tree);
	tree_list(tree.view, "", 0, true, 0, &listed);
	assert_false(has_name(&listed, "capture.pcap"));
	assert_false(has_name(&listed, "capture.LINUX_SLL2.pcap"));
	assert_true(has_name(&listed, "capture.ETHERNET.pcap"));
	assert_true(has_name(&listed, "capture.RAW.pcap"));
	expect_absent(tree.view, "capture.pcap");
	expect_absent(tree.view, "capture.LINUX_SLL2.pcap");
	check_pieces(tree.view, "capture.pcapng", &tree.file);
	read_export(tree.view, "capture.pcapng", &own);
	assert_memory_equal(own.bytes, tree.file.bytes, own.size);
	read_export(tree.view, "capture.ETHERNET.pcap", &ethernet);
	assert_int_equal(pktfs_open_buffer(ethernet.bytes, ethernet.size, NULL, &converted, NULL),
			 0);
	assert_int_equal(pktfs_packet_get(converted, 20, &packet, NULL), 0);
	assert_int_equal(packet.captured_length, 29);
	assert_int_equal(packet.time.nsec, 29);
	assert_int_equal(pktfs_packet_release(&packet), 0);
	assert_int_equal(pktfs_packet_get(converted, 21, &packet, NULL), -ENOENT);
	pktfs_close(converted);
	tree_close(&tree);
}

/* A time that pcap cannot hold: no capture.pcap, and the log says why, once. */
static void capture_without_pcap(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	static struct names listed;
	struct tree tree = {0};
	char *first;

	(void)state;
	build_shb(&tree.file, false);
	build_idb(&tree.file, false, 1, 0, 0, NULL);
	build_epb(&tree.file, false, 0, UINT64_C(1) << 40, 4, 1, NULL);
	tree_open(&tree);
	tree_list(tree.view, "", 0, true, 0, &listed);
	assert_false(has_name(&listed, "capture.pcap"));
	expect_absent(tree.view, "capture.pcap");
	expect_absent(tree.view, "capture.pcap");
	tree_read(tree.view, "info/log", 100, &text);
	first = strstr(text.bytes, "capture.pcap");
	assert_non_null(first);
	assert_null(strstr(first + 1, "capture.pcap"));
	tree_close(&tree);
}

static void single(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_packet packet;
	struct tree tree = {0};
	pktfs_capture *alone;

	(void)state;
	build_shb(&tree.file, false);
	build_idb(&tree.file, false, 1, 9, 0, "eth0");
	build_epb(&tree.file, false, 0, TICKS, 7, 1, NULL);
	build_epb(&tree.file, false, 0, TICKS + 1, 0, 2, "nothing in it");
	tree_open(&tree);
	tree_read(tree.view, "packets/2.pcapng", 9, &text);
	assert_int_equal(pktfs_open_buffer(text.bytes, text.size, NULL, &alone, NULL), 0);
	assert_int_equal(pktfs_packet_get(alone, 1, &packet, NULL), 0);
	assert_int_equal(packet.captured_length, 0);
	assert_int_equal(packet.ticks, TICKS + 1);
	assert_int_equal(pktfs_packet_release(&packet), 0);
	assert_int_equal(pktfs_packet_get(alone, 2, &packet, NULL), -ENOENT);
	pktfs_close(alone);
	tree_close(&tree);
}

static void empty(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	static struct names listed;
	struct tree tree = {0};

	(void)state;
	build_shb(&tree.file, false);
	tree_open(&tree);
	expect_text(tree.view, "info/packets", "0\n");
	expect_text(tree.view, "info/progress", "100.0\n");
	expect_absent(tree.view, "info/first_time");
	expect_absent(tree.view, "info/duration");
	expect_absent(tree.view, "info/link_types");
	expect_absent(tree.view, "capture.pcap");
	tree_list(tree.view, "packets", 0, true, 0, &listed);
	assert_int_equal(listed.count, 2);
	tree_read(tree.view, "packets.tsv", 10, &text);
	assert_ptr_equal(strchr(text.bytes, '\n'), text.bytes + text.size - 1);
	text.size = 0;
	tree_read(tree.view, "README.txt", 1000, &text);
	tree_close(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rich),
		cmocka_unit_test(resolutions),
		cmocka_unit_test(info),
		cmocka_unit_test(pcap_file),
		cmocka_unit_test(hex),
		cmocka_unit_test(large_hex),
		cmocka_unit_test(table),
		cmocka_unit_test(names_and_secrets),
		cmocka_unit_test(blocks),
		cmocka_unit_test(captures),
		cmocka_unit_test(capture_without_pcap),
		cmocka_unit_test(single),
		cmocka_unit_test(empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
