/* SPDX-License-Identifier: BSD-2-Clause */
/* The public writer: every format, byte order and compression, every option,
 * read back by the reader; what a format cannot hold. */
#include "test_writer.h"

static const char *const names[] = {
	"a.pcap", "b.pcapng", "c.pcap.gz", "d.pcapng.gz", "e.pcap.zst", "f.pcapng.zst",
};

/* Create, close, append in both ways. */
static void every_format(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names) * 8; i++) {
		const char *path = in_dir(names[i / 8]);
		struct pktfs_writer_options options = {
			.flags = (i & 1 ? PKTFS_WRITER_BIG_ENDIAN : 0) |
				 (i & 2 ? PKTFS_WRITER_BUFFERED : 0) | PKTFS_WRITER_REPLACE,
		};
		struct pktfs_writer_status status;
		pktfs_writer *writer;

		if (i & 4 && i / 8 % 2 == 0)
			options.format = PKTFS_WRITER_PCAP_NANO;
		make_capture(path, &options, 50);
		assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), 50);
		options.flags &= ~(unsigned)PKTFS_WRITER_REPLACE;
		OK(pktfs_writer_append(path, &options, &writer, error_));
		pktfs_writer_status_get(writer, &status);
		assert_int_equal(status.packets_before, 50);
		assert_int_equal(status.big_endian, i & 1);
		assert_int_equal(status.interfaces, 1);
		add_packets(writer, 51, 30);
		OK(pktfs_writer_commit(writer, error_));
		add_packets(writer, 81, 20);
		OK(pktfs_writer_sync(writer, error_));
		assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), 100);
		pktfs_writer_status_get(writer, &status);
		assert_int_equal(status.buffered, 0);
		assert_false(status.frame_open);
		OK(pktfs_writer_close(writer, error_));
	}
}

/* Without an end of the frame everything is there for our reader. */
static void unfinished_frames(void **state)
{
	static const char *const packed[] = {"u.pcap.gz", "u.pcapng.zst"};
	struct pktfs_writer_status status;
	pktfs_writer *writer;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		OK(pktfs_writer_create(in_dir(packed[i]), NULL, &writer, error_));
		add_ethernet(writer);
		add_packets(writer, 1, 5000);
		pktfs_writer_status_get(writer, &status);
		assert_true(status.frame_open);
		assert_int_equal(check_capture(in_dir(packed[i]), PKTFS_STATE_TRUNCATED), 5000);
		OK(pktfs_writer_close(writer, error_));
		assert_int_equal(check_capture(in_dir(packed[i]), PKTFS_STATE_COMPLETE), 5000);
	}
}

static struct pktfs_option get(struct pktfs_options options, uint16_t code, unsigned index)
{
	struct pktfs_option option;

	if (pktfs_option_find(options, code, index, &option) != 1)
		fail_msg("option %u, %u: not there", code, index);
	return option;
}

static void is_string(struct pktfs_options options, uint16_t code, unsigned index,
		      const char *string)
{
	struct pktfs_option option = get(options, code, index);

	assert_int_equal(option.length, strlen(string));
	assert_memory_equal(option.value, string, option.length);
}

static void is_u64(struct pktfs_options options, uint16_t code, uint64_t number)
{
	struct pktfs_option option = get(options, code, 0);

	assert_int_equal(option.length, 8);
	assert_int_equal(pktfs_option_u64(&options, &option), number);
}

static void is_u32(struct pktfs_options options, uint16_t code, uint32_t number)
{
	struct pktfs_option option = get(options, code, 0);

	assert_int_equal(option.length, 4);
	assert_int_equal(pktfs_option_u32(&options, &option), number);
}

static const char *const comments[] = {"one", "zw\xc3\xb6lf"};

static void write_interfaces(pktfs_writer *writer)
{
	static const uint8_t mac[] = {2, 0, 0, 0, 0, 1}, ip[] = {192, 0, 2, 1, 255, 255, 255, 0};
	const struct pktfs_new_option list[] = {{6, mac, 6}, {4, ip, 8}};
	const struct pktfs_new_interface first = {
		.link_type = 1, .snaplen = 2000, .name = "eth0", .description = "d",
		.filter = "not arp", .os = "Linux", .hardware = "hw", .time_zone = "Europe/Berlin",
		.has = PKTFS_IF_OFFSET | PKTFS_IF_FCS_LENGTH | PKTFS_IF_TX_SPEED |
		       PKTFS_IF_RX_SPEED,
		.offset_seconds = -3600, .fcs_length = 4, .tx_speed = 10, .rx_speed = 1000000000,
		.options = {.comments = comments, .comment_count = 2,
			    .list = list, .list_count = 2},
	};
	const struct pktfs_new_interface second = {
		.link_type = 101, .has = PKTFS_IF_RESOLUTION | PKTFS_IF_SPEED, .resolution = 0x8a,
		.speed = 7,
	};
	uint32_t number;

	OK(pktfs_writer_interface(writer, &first, &number, error_));
	assert_int_equal(number, 0);
	OK(pktfs_writer_interface(writer, &second, &number, error_));
	assert_int_equal(number, 1);
}

static void write_packets(pktfs_writer *writer)
{
	const uint64_t drop = 2;
	const uint32_t pen = 32473;
	uint8_t verdict[9] = {2}, custom[8] = {[4] = 'd', 'a', 't', 'a'};
	struct pktfs_new_packet packet = some_packet(1, 60);
	struct pktfs_new_option list[] = {{3, "\2\1\2\3\4", 5}, {7, verdict, 9}, {2989, custom, 8}};

	memcpy(verdict + 1, &drop, 8);
	memcpy(custom, &pen, 4);
	packet.has = PKTFS_PACKET_FLAGS | PKTFS_PACKET_DROPS | PKTFS_PACKET_ID |
		     PKTFS_PACKET_QUEUE | PKTFS_PACKET_PROCESS;
	packet.flags = 0x12345601;
	packet.drops = 3;
	packet.id = 0x1122334455667788;
	packet.queue = 4;
	packet.process = 1234;
	packet.thread = 5;
	packet.original_length = 1500;
	packet.options = (struct pktfs_new_options){
		.comments = comments, .comment_count = 2, .list = list, .list_count = 3};
	OK(pktfs_writer_packet(writer, &packet, NULL, error_));
	packet = some_packet(2, 7);
	packet.interface = 1;
	packet.time = (struct pktfs_time){3, 500000000};
	OK(pktfs_writer_packet(writer, &packet, NULL, error_));
}

static void write_metadata(pktfs_writer *writer)
{
	const struct pktfs_name list[] = {
		{1, (const uint8_t *)"\x7f\0\0\1", "one", 3},
		{3, (const uint8_t *)"\2\0\0\0\0\1", "mac", 3},
	};
	const struct pktfs_secret secret = {0x544c534b, (const uint8_t *)"hello", 5};
	const struct pktfs_new_options options = {.comments = comments, .comment_count = 1};
	const struct pktfs_new_statistics statistics = {
		.time = {9, 5}, .has = 127, .start = {1, 2}, .end = {0x112233445, 0},
		.received = 1, .dropped = 2, .accepted = 3, .os_dropped = 4, .delivered = 5,
	};

	OK(pktfs_writer_names(writer, list, 2, &options, NULL, error_));
	OK(pktfs_writer_secrets(writer, &secret, &options, NULL, error_));
	OK(pktfs_writer_custom(writer, 32473, 1, "copy", 4, NULL, error_));
	OK(pktfs_writer_custom(writer, 32473, 0, "keep", 4, NULL, error_));
	OK(pktfs_writer_statistics(writer, &statistics, NULL, error_));
}

static void check_interfaces(pktfs_capture *capture)
{
	struct pktfs_interface interface;

	assert_int_equal(pktfs_interface_get(capture, 0, &interface, NULL), 0);
	assert_int_equal(interface.resolution, 9);
	assert_int_equal(interface.offset_seconds, -3600);
	assert_int_equal(interface.snaplen, 2000);
	assert_int_equal(interface.fcs_length, 4);
	is_string(interface.options, 2, 0, "eth0");
	is_string(interface.options, 3, 0, "d");
	assert_memory_equal(get(interface.options, 11, 0).value, "\0not arp", 8);
	is_string(interface.options, 12, 0, "Linux");
	is_string(interface.options, 15, 0, "hw");
	is_string(interface.options, 18, 0, "Europe/Berlin");
	is_string(interface.options, 1, 0, "one");
	is_string(interface.options, 1, 1, "zw\xc3\xb6lf");
	is_u64(interface.options, 16, 10);
	is_u64(interface.options, 17, 1000000000);
	assert_memory_equal(get(interface.options, 6, 0).value, "\2\0\0\0\0\1", 6);
	assert_memory_equal(get(interface.options, 4, 0).value, "\xc0\0\2\1", 4);
	assert_true(interface.has_statistics);
	for (uint16_t code = 4; code <= 8; code++)
		is_u64(interface.statistics, code, code - 3u);
	assert_int_equal(interface.statistics_time.sec, 9);
	assert_int_equal(interface.statistics_time.nsec, 5);
	/* two u32, high and low, of (0x112233445 + 3600) * 10^9 ticks */
	assert_int_equal((uint64_t)(0x112233445 + 3600) * 1000000000,
			 (uint64_t)bytes_u32(get(interface.statistics, 3, 0).value,
					     interface.statistics.big_endian) << 32 |
				 bytes_u32(get(interface.statistics, 3, 0).value + 4,
					   interface.statistics.big_endian));
	pktfs_interface_release(&interface);
	assert_int_equal(pktfs_interface_get(capture, 1, &interface, NULL), 0);
	assert_int_equal(interface.link_type, 101);
	assert_int_equal(interface.resolution, 0x8a);
	is_u64(interface.options, 8, 7);
	pktfs_interface_release(&interface);
}

static void check_packets(pktfs_capture *capture)
{
	struct pktfs_packet packet;
	const uint8_t *value;

	assert_int_equal(pktfs_packet_get(capture, 1, &packet, NULL), 0);
	assert_int_equal(packet.time.sec, 1000000001);
	assert_int_equal(packet.time.nsec, 1000);
	assert_int_equal(packet.original_length, 1500);
	is_u32(packet.options, 2, 0x12345601);
	is_u64(packet.options, 4, 3);
	is_u64(packet.options, 5, 0x1122334455667788);
	is_u32(packet.options, 6, 4);
	value = get(packet.options, 8, 0).value;
	assert_int_equal(bytes_u32(value, packet.options.big_endian), 1234);
	assert_int_equal(bytes_u32(value + 4, packet.options.big_endian), 5);
	assert_memory_equal(get(packet.options, 3, 0).value, "\2\1\2\3\4", 5);
	value = get(packet.options, 7, 0).value;
	assert_int_equal(bytes_u64(value + 1, packet.options.big_endian), 2);
	value = get(packet.options, 2989, 0).value;
	assert_int_equal(bytes_u32(value, packet.options.big_endian), 32473);
	assert_memory_equal(value + 4, "data", 4);
	is_string(packet.options, 1, 1, "zw\xc3\xb6lf");
	pktfs_packet_release(&packet);
	assert_int_equal(pktfs_packet_get(capture, 2, &packet, NULL), 0);
	assert_int_equal(packet.interface_in_section, 1);
	assert_int_equal(packet.time.sec, 3);
	assert_int_equal(packet.ticks, 3 * 1024 + 512);
	pktfs_packet_release(&packet);
}

static void check_metadata(pktfs_capture *capture, bool all)
{
	struct pktfs_secret secret;
	struct pktfs_block block;
	struct pktfs_status status;
	struct pktfs_name name;
	uint64_t position = 0, at = 3;

	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
	assert_int_equal(status.metadata, all ? 8 : 7);
	assert_int_equal(pktfs_block_get(capture, at++, &block, NULL), 0);
	assert_int_equal(pktfs_block_next_name(&block, &position, &name), 1);
	assert_memory_equal(name.name, "one", 3);
	assert_int_equal(pktfs_block_next_name(&block, &position, &name), 1);
	assert_memory_equal(name.address, "\2\0\0\0\0\1", 6);
	is_string(block.options, 1, 0, "one");
	pktfs_block_release(&block);
	assert_int_equal(pktfs_block_get(capture, at++, &block, NULL), 0);
	assert_int_equal(pktfs_block_secret(&block, &secret), 1);
	assert_int_equal(secret.type, 0x544c534b);
	assert_memory_equal(secret.bytes, "hello", 5);
	is_string(block.options, 1, 0, "one");
	pktfs_block_release(&block);
	assert_int_equal(pktfs_block_get(capture, at++, &block, NULL), 0);
	assert_int_equal(block.type, BLOCK_CB);
	assert_int_equal(bytes_u32(block.bytes + 8, block.big_endian), 32473);
	assert_memory_equal(block.bytes + 12, "copy", 4);
	pktfs_block_release(&block);
}

static void check_all(const char *path, bool all)
{
	pktfs_capture *capture;

	OK(pktfs_open(path, NULL, &capture, error_));
	check_metadata(capture, all);
	check_interfaces(capture);
	check_packets(capture);
	pktfs_close(capture);
}

/* Packets and other blocks in file order, interfaces when they are needed. */
static void copy_capture(const char *from, const char *to,
			 const struct pktfs_writer_options *options)
{
	const struct pktfs_packet *packet;
	struct pktfs_interface interface;
	struct pktfs_section section;
	struct pktfs_status status;
	struct pktfs_block block;
	pktfs_iterator *iterator;
	pktfs_capture *capture;
	pktfs_writer *writer;
	uint64_t i;

	OK(pktfs_open(from, NULL, &capture, error_));
	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	OK(pktfs_writer_create(to, options, &writer, error_));
	assert_int_equal(pktfs_section_get(capture, 0, &section, NULL), 0);
	OK(pktfs_writer_copy_section(writer, &section, NULL, error_));
	pktfs_section_release(&section);
	for (i = 0; pktfs_interface_get(capture, i, &interface, NULL) == 0; i++) {
		OK(pktfs_writer_copy_interface(writer, &interface, NULL, error_));
		pktfs_interface_release(&interface);
	}
	assert_int_equal(pktfs_iterator_open(capture, 1, &iterator), 0);
	while (pktfs_iterator_next(iterator, &packet, NULL) == 1)
		OK(pktfs_writer_copy_packet(writer, packet, packet->interface_in_section, NULL,
					    error_));
	pktfs_iterator_close(iterator);
	for (i = 0; i < status.metadata; i++) {
		assert_int_equal(pktfs_block_get(capture, i, &block, NULL), 0);
		if (block.type != BLOCK_SHB && block.type != BLOCK_IDB)
			OK(pktfs_writer_copy_block(writer, &block, 0, NULL, error_));
		pktfs_block_release(&block);
	}
	OK(pktfs_writer_close(writer, error_));
	pktfs_close(capture);
}

/* Everything once, in both orders; then copied into either order. */
static void every_option(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct pktfs_writer_options options = {.flags = PKTFS_WRITER_REPLACE};
		const struct pktfs_new_section section = {.application = "test", .os = "os"};
		pktfs_writer *writer;

		options.flags |= i & 1 ? PKTFS_WRITER_BIG_ENDIAN : 0;
		OK(pktfs_writer_create(in_dir("o.pcapng"), &options, &writer, error_));
		OK(pktfs_writer_section(writer, &section, NULL, error_));
		write_interfaces(writer);
		write_packets(writer);
		write_metadata(writer);
		OK(pktfs_writer_close(writer, error_));
		check_all(in_dir("o.pcapng"), true);
		options.flags ^= i & 2 ? PKTFS_WRITER_BIG_ENDIAN : 0;
		copy_capture(in_dir("o.pcapng"), in_dir("p.pcapng"), &options);
		check_all(in_dir("p.pcapng"), false);
	}
}

/* A copy without anything that must not be copied is the same file. */
static void copy_is_identical(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	struct text copied;
	const struct pktfs_writer_options options = {.flags = PKTFS_WRITER_REPLACE};

	(void)state;
	build_shb(&text, false);
	build_idb(&text, false, 1, 6, 0, "eth0");
	build_idb(&text, false, 101, 12, 0, NULL);
	build_epb(&text, false, 1, 1234567890123456789, 33, 1, "first");
	build_block(&text, false, BLOCK_SPB, "\4\0\0\0data", 8);
	build_epb(&text, false, 0, 5, 0, 3, NULL);
	build_isb(&text, false, 0, 77);
	build_block(&text, false, 0x80000001, "local", 5);
	put_file(in_dir("q.pcapng"), text.bytes, text.size);
	copy_capture(in_dir("q.pcapng"), in_dir("r.pcapng"), &options);
	get_file(in_dir("r.pcapng"), &copied);
	assert_int_equal(copied.size, text.size);
	assert_memory_equal(copied.bytes, text.bytes, text.size);
	text_free(&copied);
}

static void pcap_refuses(void **state)
{
	const struct pktfs_writer_options options = {.flags = PKTFS_WRITER_REPLACE};
	const struct pktfs_new_interface named = {.link_type = 1, .name = "eth0"};
	const struct pktfs_new_interface other = {.link_type = 101};
	struct pktfs_new_interface small = {.link_type = 1, .snaplen = 100};
	struct pktfs_new_packet packet = some_packet(1, 60);
	struct text before, after;
	pktfs_writer *writer;

	(void)state;
	OK(pktfs_writer_create(in_dir("refuse.pcap"), &options, &writer, error_));
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -ENXIO);
	FAILS(pktfs_writer_interface(writer, &named, NULL, error_), -ENOTSUP);
	OK(pktfs_writer_interface(writer, &small, NULL, error_));
	get_file(in_dir("refuse.pcap"), &before);
	FAILS(pktfs_writer_interface(writer, &other, NULL, error_), -ENOTSUP);
	packet.time.sec = -1;
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -ERANGE);
	packet.time.sec = 4294967296;
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -ERANGE);
	packet.time.sec = 4294967295;
	packet.options = (struct pktfs_new_options){.comments = comments, .comment_count = 1};
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -ENOTSUP);
	packet.options.comment_count = 0;
	packet.original_length = 59;
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -EINVAL);
	packet.original_length = 0;
	packet.has = PKTFS_PACKET_ORIGINAL;
	packet.captured_length = 101;
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -EMSGSIZE);
	packet = some_packet(1, 101);
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -EMSGSIZE);
	FAILS(pktfs_writer_section(writer, NULL, NULL, error_), -ENOTSUP);
	FAILS(pktfs_writer_block(writer, "", 0, NULL, error_), -ENOTSUP);
	get_file(in_dir("refuse.pcap"), &after);
	assert_int_equal(after.size, before.size);
	packet = some_packet(1, 100);
	OK(pktfs_writer_packet(writer, &packet, NULL, error_));
	OK(pktfs_writer_close(writer, error_));
	text_free(&before);
	text_free(&after);
}

static void pcapng_refuses(void **state)
{
	static const uint8_t good[] = {9, 0, 0, 0, 16, 0, 0, 0, 'a', '=', 'b', 10, 16, 0, 0, 0};
	static const uint8_t epb[] = {6, 0, 0, 0, 32, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				      0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0};
	const char *const bad[] = {"\xff"};
	const struct pktfs_new_option wrong[] = {{6, "1", 1}, {0, "", 0}};
	struct pktfs_new_packet packet = some_packet(1, 10);
	struct pktfs_new_interface interface = {.link_type = 1, .has = 127, .offset_seconds = 100};
	struct pktfs_writer_status status;
	uint8_t block[sizeof(good)];
	struct pktfs_written written;
	pktfs_writer *writer;

	(void)state;
	OK(pktfs_writer_create(in_dir("refuse.pcapng"), NULL, &writer, error_));
	FAILS(pktfs_writer_create(in_dir("refuse.pcapng"), NULL, &writer, error_), -EEXIST);
	FAILS(pktfs_writer_interface(writer, &interface, NULL, error_), -EINVAL);
	interface.has = PKTFS_IF_OFFSET;
	OK(pktfs_writer_interface(writer, &interface, NULL, error_));
	packet.time.sec = 99;
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -ERANGE);
	packet.time.sec = 100 + INT64_C(18446744074);
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -ERANGE);
	packet.time.sec = 100;
	packet.options = (struct pktfs_new_options){.comments = bad, .comment_count = 1};
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -EILSEQ);
	packet.options = (struct pktfs_new_options){.list = wrong, .list_count = 1};
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -EINVAL);
	packet.options.list++;
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -EINVAL);
	packet.options.list_count = 0;
	packet.interface = 1;
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -ENXIO);
	for (size_t size = 0; size < sizeof(good); size++)
		FAILS(pktfs_writer_block(writer, good, size, NULL, error_), -EBADMSG);
	memcpy(block, good, sizeof(block));
	for (uint8_t type = 1; type < 3; type++) {
		block[0] = type;
		FAILS(pktfs_writer_block(writer, block, sizeof(block), NULL, error_), -EINVAL);
	}
	FAILS(pktfs_writer_block(writer, "\0\0\0\x0b\0\0\0\x0c\0\0\0\x0c", 12, NULL, error_),
	      -EBADMSG);
	FAILS(pktfs_writer_block(writer, epb, sizeof(epb), NULL, error_), -ENXIO);
	OK(pktfs_writer_block(writer, good, sizeof(good), &written, error_));
	assert_int_equal(written.length, sizeof(good));
	pktfs_writer_status_get(writer, &status);
	assert_int_equal(written.offset + written.length, status.end);
	assert_int_equal(status.end, status.stored_end);
	OK(pktfs_writer_close(writer, error_));
	OK(pktfs_writer_append(in_dir("refuse.pcapng"), NULL, &writer, error_));
	OK(pktfs_writer_close(writer, error_));
}

/* Where each record went, in every mode, is where a reader finds it. */
static void offsets(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names) * 2; i++) {
		const struct pktfs_writer_options options = {
			.flags = PKTFS_WRITER_REPLACE | (i & 1 ? PKTFS_WRITER_BUFFERED : 0)};
		struct pktfs_written written[200];
		struct pktfs_new_packet packet;
		struct pktfs_packet found;
		pktfs_capture *capture;
		pktfs_writer *writer;
		uint64_t n;

		OK(pktfs_writer_create(in_dir(names[i / 2]), &options, &writer, error_));
		add_ethernet(writer);
		for (n = 0; n < 200; n++) {
			packet = some_packet(n, (uint32_t)(n * 50));
			OK(pktfs_writer_packet(writer, &packet, &written[n], error_));
		}
		OK(pktfs_writer_close(writer, error_));
		OK(pktfs_open(in_dir(names[i / 2]), NULL, &capture, error_));
		for (n = 0; n < 200; n++) {
			assert_int_equal(written[n].packet, n + 1);
			assert_int_equal(pktfs_packet_get(capture, n + 1, &found, NULL), 0);
			assert_int_equal(found.offset, written[n].offset);
			assert_int_equal(found.block_length, written[n].length);
			pktfs_packet_release(&found);
		}
		pktfs_close(capture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format),	     cmocka_unit_test(unfinished_frames),
		cmocka_unit_test(every_option),	     cmocka_unit_test(copy_is_identical),
		cmocka_unit_test(pcap_refuses),	     cmocka_unit_test(pcapng_refuses),
		cmocka_unit_test(offsets),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
