/* SPDX-License-Identifier: BSD-2-Clause */
#include "format_builder.h"

static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};

static int open_build(const struct build *b, struct format *ret, struct pktfs_error *error)
{
	return format_open(ret, build_cursor(b), error);
}

static void pcap_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(magics); i++) {
		struct build b = {.big_endian = i % 2};
		uint32_t magic = magics[i / 2];
		struct format f;

		build_pcap(&b, magic, 2, 4, 113);
		assert_int_equal(open_build(&b, &f, NULL), 0);
		assert_int_equal(f.kind, magic == 0xa1b2cd34 ? FORMAT_PCAP_MODIFIED : FORMAT_PCAP);
		assert_int_equal(f.big_endian, b.big_endian);
		assert_int_equal(f.nanosecond, magic == 0xa1b23c4d);
		assert_int_equal(f.first_record, 24);
		assert_int_equal(f.record_header, magic == 0xa1b2cd34 ? 24 : 16);
		assert_int_equal(f.version_major, 2);
		assert_int_equal(f.version_minor, 4);
		assert_int_equal(f.snaplen, 65535);
		assert_int_equal(f.link_type, 113);
		assert_int_equal(f.fcs_length, -1);
		assert_false(f.swapped_lengths || f.guess_lengths);
	}
}

static void pcap_versions(void **state)
{
	static const struct {
		uint16_t major, minor;
		int result;
		bool swapped, guess;
	} cases[] = {
		{2, 0, 0, true, false},         {2, 2, 0, true, false},
		{2, 3, 0, false, true},         {2, 4, 0, false, false},
		{2, 5, 0, false, false},        {2, 65535, 0, false, false},
		{543, 0, 0, true, false},       {543, 1, -ENOTSUP, false, false},
		{1, 4, -ENOTSUP, false, false}, {0, 4, -ENOTSUP, false, false},
		{3, 0, -ENOTSUP, false, false}, {0x200, 0x400, -ENOTSUP, false, false},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct build b = {.big_endian = i % 2};
		struct pktfs_error error = {0};
		struct format f = {0};

		build_pcap(&b, 0xa1b2c3d4, cases[i / 2].major, cases[i / 2].minor, 1);
		assert_int_equal(open_build(&b, &f, &error), cases[i / 2].result);
		assert_int_equal(error.code, cases[i / 2].result);
		if (error.code) {
			assert_contains(error.text, "major version at offset 4: found ");
			assert_contains(error.text, "accepted 2");
			assert_int_equal(error.offset, 4);
			assert_int_equal(f.first_record, 0);
		}
		assert_int_equal(f.swapped_lengths, cases[i / 2].swapped);
		assert_int_equal(f.guess_lengths, cases[i / 2].guess);
	}
}

/* libpcap's linktype-reserved-field-not-zero, ptcpdump's FCS bits without P */
static void pcap_link_type_word(void **state)
{
	static const struct {
		uint32_t word;
		uint16_t link_type;
		int fcs_length;
	} cases[] = {
		{1, 1, -1},          {0xf0000001, 1, -1}, {0x24000001, 1, 4},  {0x04000069, 105, 0},
		{0xf4000001, 1, 30}, {0x03ff0000, 0, -1}, {0x08000001, 1, -1}, {0xffff, 65535, -1},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct build b = {.big_endian = i % 2};
		struct format f;

		build_pcap(&b, 0xa1b23c4d, 2, 4, cases[i / 2].word);
		assert_int_equal(open_build(&b, &f, NULL), 0);
		assert_int_equal(f.link_type, cases[i / 2].link_type);
		assert_int_equal(f.fcs_length, cases[i / 2].fcs_length);
	}
}

static void pcapng_headers(void **state)
{
	(void)state;
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct build b = {.big_endian = big_endian};
		struct pktfs_error error;
		struct format f;

		build_shb(&b, 1, 0);
		assert_int_equal(open_build(&b, &f, NULL), 0);
		assert_int_equal(f.kind, FORMAT_PCAPNG);
		assert_int_equal(f.big_endian, big_endian);
		assert_int_equal(f.first_record, 0);
		b.bytes[9] ^= 1;
		assert_int_equal(open_build(&b, &f, &error), -EBADMSG);
		assert_contains(error.text, "byte-order magic at offset 8: found 0x");
	}
}

/* A capture that ends in its header is one, not some unknown file. */
static void every_cut_of_a_header(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * (ARRAY_SIZE(magics) + 1); i++) {
		struct build b = {.big_endian = i % 2};
		bool ng = i / 2 == ARRAY_SIZE(magics);
		size_t enough = ng ? 12 : 24;

		if (ng)
			build_shb(&b, 1, 0);
		else
			build_pcap(&b, magics[i / 2], 2, 4, 1);
		for (size_t cut = 0; cut <= b.size; cut++) {
			uint8_t *copy = malloc(cut ? cut : 1);
			struct pktfs_error error = {0};
			struct format f;

			memcpy(copy, b.bytes, cut);
			assert_int_equal(format_open(&f, cursor_over(copy, cut, false), &error),
					 cut < enough ? -ENODATA : 0);
			if (cut < enough)
				assert_int_equal(error.offset, cut);
			free(copy);
		}
	}
}

#define HEAD(literal) literal, sizeof(literal) - 1

static void names_what_it_is_not(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *text;
	} cases[] = {
		{HEAD("snoop\0\0\0\0\0\0\2\0\0\0\4"), "found a snoop capture"},
		{HEAD("XCP\0002.001\0"), "Network Associates Sniffer"},
		{HEAD("\xcb\xc3\xb2\xa1\2\0\4\0"), "BPF savefile"},
		{HEAD("\xa1\xb2\xc3\xcb\0\2\0\4"), "BPF savefile"},
		{HEAD("\xa1\xb2\x34\xcd\0\2\0\4"), "a1b234cd"},
		{HEAD("\xcd\x34\xb2\xa1\2\0\4\0"), "a1b234cd"},
		{HEAD("\xa1\x2b\x3c\x4d\0\2\0\4"), "a12b3c4d"},
		{HEAD("\x4d\x3c\x2b\xa1\2\0\4\0"), "a12b3c4d"},
		{HEAD("\x1f\x8b\x08\0\0\0\0\0"), "gzip file inside"},
		{HEAD("\x28\xb5\x2f\xfd\x24"), "zstd file inside"},
		{HEAD("\x7f"
		      "ELF\2\1\1"),
		 "an ELF program"},
		{HEAD("PK\3\4\x14\0\0\0"), "a ZIP archive"},
		{HEAD("<!DOCTYPE html>"), "HTML"},
		{HEAD("\r\n  <html>"), "HTML"},
		{HEAD("10:32:07.1 IP 192.0.2.1 > 192.0.2.2: ICMP"), "found text"},
		{HEAD("a"), "found text"},
		{HEAD("\0\0\0\0\0\0\0\0\0\0\0\0"), "zero bytes"},
		{HEAD("\xde\xad\xbe\xef\1"), "found bytes de ad be ef 01"},
		{HEAD("\xde"), "found bytes de;"},
		/* LF to CR LF, CR LF to LF, CR to LF, CR dropped, LF to CR */
		{HEAD("\r\n\r\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0"), "ASCII mode"},
		{HEAD("\n\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0"), "ASCII mode"},
		{HEAD("\n\n\n\n\0\0\0\x1c\x1a\x2b\x3c\x4d\0\1\0\0"), "ASCII mode"},
		{HEAD("\n\n\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0"), "ASCII mode"},
		{HEAD("\r\r\r\r\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0"), "ASCII mode"},
		{HEAD("\xef\xbf\xbd\xc3\xb2\xef\xbf\xbd\2\0\4\0"), "UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t *copy = malloc(cases[i].size);
		struct pktfs_error error = {0};
		struct format f;

		memcpy(copy, cases[i].bytes, cases[i].size);
		assert_int_equal(format_open(&f, cursor_over(copy, cases[i].size, false), &error),
				 -EBADMSG);
		free(copy);
		assert_int_equal(error.code, -EBADMSG);
		assert_contains(error.text, cases[i].text);
		assert_contains(error.text, "accepted pcap, pcapng (also inside zstd or gzip)");
		assert_null(strchr(error.text, '\n'));
	}
}

static void empty(void **state)
{
	struct pktfs_error error;
	struct format f;

	(void)state;
	assert_int_equal(format_open(&f, cursor_over(NULL, 0, false), &error), -ENODATA);
	assert_contains(error.text, "found 0 bytes");
	assert_int_equal(format_open(&f, cursor_over(NULL, 0, false), NULL), -ENODATA);
}

/* In the first 24 bytes only a magic or a version can be wrong. */
static void every_flipped_byte(void **state)
{
	unsigned rejected = 0;

	(void)state;
	for (size_t i = 0; i < 24 * 8; i++) {
		struct build b = {0};
		struct format f;
		int r;

		build_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
		b.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
		r = open_build(&b, &f, NULL);
		assert_true(r == 0 || r == -EBADMSG || r == -ENOTSUP);
		rejected += r != 0;
		assert_int_equal(r != 0, i < 6 * 8);
	}
	assert_true(rejected > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_headers),
		cmocka_unit_test(pcap_versions),
		cmocka_unit_test(pcap_link_type_word),
		cmocka_unit_test(pcapng_headers),
		cmocka_unit_test(every_cut_of_a_header),
		cmocka_unit_test(names_what_it_is_not),
		cmocka_unit_test(empty),
		cmocka_unit_test(every_flipped_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
