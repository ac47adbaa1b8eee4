/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual captures of sets, byte by byte: each case builds a small capture and
 * the file that a set of it must be.
 */
#include "pktfs/version.h"
#include "test_export.h"

static const char application[] = "pktfs " PKTFS_VERSION;
static const struct pktfs_options no_options = {0};

static void check(const struct text *from, enum set_kind kind, const char *expression,
		  enum export_format format, const struct text *wanted)
{
	struct sets sets = sets_over(from, 0);
	struct set *set = sets_open(&sets, kind, expression);
	_cleanup_(text_free) struct text got = {0};

	read_whole(set, format, 0, 100000, &got);
	assert_int_equal(got.size, wanted->size);
	assert_memory_equal(got.bytes, wanted->bytes, wanted->size);
	got.size = 0;
	read_whole(set, format, 0, 1, &got);
	assert_memory_equal(got.bytes, wanted->bytes, wanted->size);
	check_pieces(set, format, 0, 50, wanted);
	sets_close(&sets);
}

static void put_header(struct text *text, bool secret, bool be)
{
	size_t at = write_block_begin(text, BLOCK_SHB, be);

	text_u32(text, 0x1a2b3c4d, be);
	text_u16(text, 1, be);
	text_u16(text, 0, be);
	text_u64(text, UINT64_MAX, be);
	write_option(text, 1, "a section", 9, be);
	if (secret)
		write_option(text, 19372, "PEN!text", 8, be);
	write_option(text, 4, "dumpcap", 7, be);
	write_options_end(text, be);
	write_block_end(text, at, be);
}

static void put_names(struct text *text, bool secret, bool be)
{
	size_t at = write_block_begin(text, BLOCK_NRB, be);

	text_u16(text, 1, be);
	text_u16(text, 6, be);
	text_append(text, "\1\2\3\4a\0\0\0", 8);
	text_u32(text, 0, be);
	if (secret)
		write_option(text, 19373, "PEN!", 4, be);
	write_option(text, 1, "names", 5, be);
	write_options_end(text, be);
	write_block_end(text, at, be);
}

static void put_secrets(struct text *text, bool be)
{
	size_t at = write_block_begin(text, BLOCK_DSB, be);

	text_u32(text, 0x544c534b, be);
	text_u32(text, 5, be);
	text_append(text, "key 1\0\0\0", 8);
	write_block_end(text, at, be);
}

static void put_statistics(struct text *text, uint32_t interface, uint64_t count, bool secret,
			   bool be)
{
	size_t at = write_block_begin(text, BLOCK_ISB, be);
	uint64_t value = be ? htobe64(count) : htole64(count);

	text_u32(text, interface, be);
	text_u32(text, 7, be);
	text_u32(text, 8, be);
	if (secret)
		write_option(text, 19373, "PEN!", 4, be);
	write_option(text, 4, &value, 8, be);
	write_options_end(text, be);
	write_block_end(text, at, be);
}

static struct write_packet packet_of(uint32_t interface, const char *data)
{
	return (struct write_packet){
		.interface = interface,
		.ticks = UINT64_C(0x123456789a),
		.captured = (uint32_t)strlen(data),
		.original = 1000,
		.data = (const uint8_t *)data,
		.drops = UINT32_MAX,
	};
}

/* A section: names in front and behind, packets 1 to 4 on interfaces 0 2 3 2. */
static void put_section(struct text *text, bool be)
{
	static const uint32_t interfaces[] = {0, 2, 3, 2};
	struct write_packet packet;
	unsigned i;

	put_header(text, true, be);
	for (i = 0; i < 4; i++)
		build_idb(text, be, (uint16_t)(100 + i), i ? 9 : 6, 96 + i, i % 2 ? NULL : "eth");
	put_names(text, true, be);
	for (i = 0; i < 4; i++) {
		packet = packet_of(interfaces[i], "hello");
		packet.captured -= i;
		write_epb(text, be, &packet);
		put_statistics(text, interfaces[i], i, true, be);
		build_block(text, be, BLOCK_CB_NO_COPY, "PEN!no copy", 11);
		build_block(text, be, 9, "__REALTIME_TIMESTAMP=1\n", 23);
	}
	put_secrets(text, be);
	build_block(text, be, BLOCK_CB, "PEN!copy", 8);
	build_block(text, be, 0x80000001, "\0\0\0\3", 4);
}

/* What remains of its packets 2 and 4. */
static void put_copy(struct text *text, bool be)
{
	struct write_packet packet = packet_of(0, "hello");

	put_header(text, false, be);
	build_idb(text, be, 102, 9, 98, "eth");
	put_names(text, false, be);
	put_secrets(text, be);
	build_block(text, be, BLOCK_CB, "PEN!copy", 8);
	packet.captured = 4;
	write_epb(text, be, &packet);
	packet.captured = 2;
	write_epb(text, be, &packet);
	put_statistics(text, 0, 3, false, be);
}

static void sections_and_interfaces(void **state)
{
	_cleanup_(text_free) struct text from = {0}, wanted = {0};

	(void)state;
	put_section(&from, false);
	put_section(&from, true);
	build_shb_version(&from, false, 2, 0); /* skipped */
	build_block(&from, false, BLOCK_NRB, "\0\0\0\0", 4);
	put_section(&from, true);
	put_section(&from, false);
	put_copy(&wanted, true);
	put_copy(&wanted, false);
	check(&from, SET_RANGE, "6,8,14,16", EXPORT_PCAPNG, &wanted);
	wanted.size = 0;
	put_copy(&wanted, false);
	put_copy(&wanted, true);
	put_copy(&wanted, true);
	put_copy(&wanted, false);
	check(&from, SET_RANGE, "2,4,6,8,10,12,14,16", EXPORT_PCAPNG, &wanted);
}

static void simple_and_obsolete_packets(void **state)
{
	struct write_packet simple = {.captured = 50, .original = 90};
	struct write_packet packet = packet_of(0, "hello");
	int be;

	(void)state;
	for (be = 0; be < 2; be++) {
		_cleanup_(text_free) struct text from = {0}, wanted = {0};
		size_t at;

		build_shb(&from, be);
		build_idb(&from, be, 1, 6, 50, "eth0");
		build_idb(&from, be, 1, 6, 60, "eth1");
		write_spb(&from, be, &simple);
		at = write_block_begin(&from, BLOCK_PB, be);
		text_u16(&from, 1, be);
		text_u16(&from, 4711, be);
		text_u32(&from, 0x12, be);
		text_u32(&from, 0x3456789a, be);
		text_u32(&from, 5, be);
		text_u32(&from, 1000, be);
		text_append(&from, "hello\0\0", 8);
		write_block_end(&from, at, be);
		build_shb(&wanted, be);
		build_idb(&wanted, be, 1, 6, 60, "eth1");
		packet.drops = 4711;
		packet.interface = 0;
		write_epb(&wanted, be, &packet);
		check(&from, SET_RANGE, "2", EXPORT_PCAPNG, &wanted);
		wanted.size = 0;
		build_shb(&wanted, be);
		build_idb(&wanted, be, 1, 6, 50, "eth0");
		build_idb(&wanted, be, 1, 6, 60, "eth1");
		write_spb(&wanted, be, &simple);
		packet.interface = 1;
		write_epb(&wanted, be, &packet);
		check(&from, SET_RANGE, "1-", EXPORT_PCAPNG, &wanted);
	}
}

/* Valid, and what the capture is. */
static void empty_sets(void **state)
{
	struct write_pcap_header header = {false, false, 262144, 101, -1};
	struct write_pcap_header source = {true, true, 60, 147, -1};
	struct write_interface idb = {.link_type = 147, .snaplen = 60, .resolution = 9,
				      .fcs_length = -1};
	_cleanup_(text_free) struct text from = {0}, wanted = {0}, pcap = {0};

	(void)state;
	build_shb_version(&from, false, 2, 0);
	build_shb(&from, false); /* no interfaces */
	build_shb(&from, true);
	build_idb(&from, true, 101, 6, 5, "tun0");
	build_idb(&from, true, 1, 6, 5, "eth0");
	build_epb(&from, true, 1, 1, 10, 1, NULL);
	build_shb(&from, false);
	build_idb(&from, false, 1, 6, 5, "eth0");
	build_shb(&wanted, true);
	build_idb(&wanted, true, 101, 6, 5, "tun0");
	check(&from, SET_RANGE, "5", EXPORT_PCAPNG, &wanted);
	write_pcap_header(&pcap, &header);
	check(&from, SET_RANGE, "5", EXPORT_PCAP, &pcap);
	from.size = wanted.size = pcap.size = 0;
	build_shb(&from, true); /* nothing at all */
	write_shb(&wanted, false, no_options, application);
	build_idb(&wanted, false, 1, 6, 0, NULL); /* without, libpcap reads nothing */
	check(&from, SET_RANGE, "5", EXPORT_PCAPNG, &wanted);
	from.size = wanted.size = 0;
	write_pcap_header(&from, &source);
	build_record(&from, &source, 1, 2, 50, 1);
	write_shb(&wanted, false, no_options, application);
	write_idb(&wanted, false, &idb);
	check(&from, SET_RANGE, "5", EXPORT_PCAPNG, &wanted);
	header = (struct write_pcap_header){false, false, 262144, 147, -1};
	write_pcap_header(&pcap, &header);
	check(&from, SET_RANGE, "5", EXPORT_PCAP, &pcap);
}

/* From a pcap file: only the set's packets, and the snaplen they allow. */
static void pcap_sources(void **state)
{
	struct write_pcap_header source = {true, true, 60, 1, 4};
	struct write_pcap_header header = {false, true, 300000, 1, -1};
	struct write_interface idb = {.link_type = 1, .snaplen = 60, .resolution = 9,
				      .fcs_length = 4};
	_cleanup_(text_free) struct text from = {0}, wanted = {0}, pcap = {0};
	struct write_packet packet = {.drops = UINT32_MAX};
	unsigned n;

	(void)state;
	write_pcap_header(&from, &source);
	write_shb(&wanted, false, no_options, application);
	write_idb(&wanted, false, &idb);
	write_pcap_header(&pcap, &header);
	for (n = 1; n <= 1000; n++) {
		uint32_t size = n == 500 ? 300000 : n % 61;

		build_record(&from, &source, n, n, size, n);
		if (n > 500)
			continue;
		build_record(&pcap, &header, n, n, size, n);
		if (n == 500)
			break;
		packet.ticks = n * UINT64_C(1000000000) + n;
		packet.captured = packet.original = size;
		packet.data = (uint8_t *)from.bytes + from.size - size;
		write_epb(&wanted, false, &packet);
	}
	check(&from, SET_RANGE, "1-499", EXPORT_PCAPNG, &wanted);
	check(&from, SET_RANGE, "-500", EXPORT_PCAP, &pcap);
	idb.snaplen = 0; /* a packet proves it wrong */
	wanted.size = 0;
	write_shb(&wanted, false, no_options, application);
	write_idb(&wanted, false, &idb);
	packet.ticks = 500 * UINT64_C(1000000000) + 500;
	packet.captured = packet.original = 300000;
	packet.data = (uint8_t *)from.bytes + from.size - 300000;
	write_epb(&wanted, false, &packet);
	check(&from, SET_RANGE, "500", EXPORT_PCAPNG, &wanted);
}

/* A packet that pcap cannot hold is in the way only where it is in the set. */
static void times_out_of_range(void **state)
{
	_cleanup_(text_free) struct text from = {0};
	struct pktfs_error error = {0};
	struct sets sets;
	uint64_t size;

	(void)state;
	build_shb(&from, false);
	build_idb(&from, false, 1, 0, 0, NULL);
	build_epb(&from, false, 0, UINT32_MAX, 10, 1, NULL);
	build_epb(&from, false, 0, (uint64_t)UINT32_MAX + 1, 10, 1, NULL);
	sets = sets_over(&from, 0);
	assert_int_equal(patient_size(sets_open(&sets, SET_RANGE, "1"), EXPORT_PCAP, 0, &size), 0);
	assert_int_equal(size, 24 + 16 + 10);
	assert_int_equal(patient_size(sets_open(&sets, SET_RANGE, "2"), EXPORT_PCAP, 0, &size),
			 -ERANGE);
	assert_int_equal(patient_size(sets_open(&sets, SET_RANGE, "2"), EXPORT_PCAP, 1, &size),
			 -ENOENT);
	assert_int_equal(set_export_size(sets_open(&sets, SET_RANGE, "2"), EXPORT_PCAP, 1, &size,
					 &error), -ENOENT);
	assert_true(error.text[0]);
	assert_int_equal(set_export_size(sets_open(&sets, SET_RANGE, "2-"), EXPORT_PCAP, 0, &size,
					 &error), -EAGAIN); /* nobody has evaluated it */
	sets_close(&sets);
}

/* Few of many: read at once, without a walk over the others. */
static void few_of_many(void **state)
{
	struct write_pcap_header source = {false, false, 65535, 1, -1};
	_cleanup_(text_free) struct text from = {0};
	struct export *export;
	struct sets sets;
	struct set *set;
	uint8_t bytes[2000];
	uint64_t size;
	unsigned n;

	(void)state;
	write_pcap_header(&from, &source);
	for (n = 0; n < 300000; n++)
		build_record(&from, &source, n, n, 20, n);
	sets = sets_over(&from, 0);
	set = sets_open(&sets, SET_RANGE, "1,7,99999,150000,200000-200003,299999,300000");
	assert_int_equal(set_wait(set), 0);
	assert_int_equal(set_export_size(set, EXPORT_PCAPNG, 0, &size, NULL), 0);
	for (n = 0; n < 3; n++) {
		assert_int_equal(set_export_open(set, EXPORT_PCAPNG, 0, &export, NULL), 0);
		assert_int_equal(export_read(export, size - 52, bytes, sizeof(bytes)), 52);
		assert_int_equal(export_read(export, 0, bytes, sizeof(bytes)), (int64_t)size);
		export_close(export);
	}
	assert_int_equal(size % 4, 0);
	assert_true(size > 520 && size < 700);
	sets_close(&sets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_and_interfaces),
		cmocka_unit_test(simple_and_obsolete_packets),
		cmocka_unit_test(empty_sets),
		cmocka_unit_test(pcap_sources),
		cmocka_unit_test(times_out_of_range),
		cmocka_unit_test(few_of_many),
	};

	return cmocka_run_group_tests_name("set_export_small", tests, NULL, NULL);
}
