/* SPDX-License-Identifier: BSD-2-Clause */
/* Appending to files of others: byte orders, sections, odd resolutions;
 * repairs that were interrupted; damage. */
#include "test_writer.h"

#include <zlib.h>

static void append_one(const char *path, uint32_t interface, struct pktfs_time time)
{
	struct pktfs_new_packet packet = some_packet(77, 60);
	pktfs_writer *writer;

	packet.interface = interface;
	packet.time = time;
	OK(pktfs_writer_append(path, NULL, &writer, error_));
	OK(pktfs_writer_packet(writer, &packet, NULL, error_));
	OK(pktfs_writer_close(writer, error_));
}

/* Packet `number` is the one that append_one appends. */
static void check_one(const char *path, uint64_t number, struct pktfs_time time)
{
	struct pktfs_packet packet;
	struct pktfs_status status;
	pktfs_capture *capture;

	OK(pktfs_open(path, NULL, &capture, error_));
	OK(pktfs_packet_get(capture, number, &packet, error_));
	assert_int_equal(packet.time.sec, time.sec);
	assert_int_equal(packet.time.nsec, time.nsec);
	assert_int_equal(packet.captured_length, 60);
	for (uint32_t i = 0; i < 60; i++)
		assert_int_equal(packet.data[i], build_byte(77, i));
	pktfs_packet_release(&packet);
	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.packets, number);
	assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
	pktfs_close(capture);
}

/* What was there is there, but for `skip` bytes at `at`. */
static void check_prefix(const char *path, const struct text *before, size_t at, size_t skip)
{
	struct text after;

	get_file(path, &after);
	assert_true(after.size >= before->size);
	assert_memory_equal(after.bytes, before->bytes, at);
	assert_memory_equal(after.bytes + at + skip, before->bytes + at + skip,
			    before->size - at - skip);
	text_free(&after);
}

/* The last section decides: its order, its interfaces, their resolutions. */
static void last_section(void **state)
{
	static const uint8_t offset[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x9c};
	_cleanup_(text_free) struct text text = {0};
	const char *path = in_dir("sections.pcapng");
	uint8_t resolution = 0x94;
	size_t at;

	(void)state;
	build_shb(&text, false);
	build_idb(&text, false, 1, 9, 0, "eth0");
	build_epb(&text, false, 0, 5, 8, 1, NULL);
	build_shb(&text, true);
	build_idb(&text, true, 113, 3, 0, "any");
	at = write_block_begin(&text, BLOCK_IDB, true);
	text_u16(&text, 101, true);
	text_u16(&text, 0, true);
	text_u32(&text, 60, true);
	write_option(&text, 9, &resolution, 1, true);
	write_option(&text, 14, offset, 8, true); /* -100 s */
	write_options_end(&text, true);
	write_block_end(&text, at, true);
	put_file(path, text.bytes, text.size);
	append_one(path, 0, (struct pktfs_time){7, 999999999});
	check_one(path, 2, (struct pktfs_time){7, 999000000});
	append_one(path, 1, (struct pktfs_time){-99, 500000000});
	check_one(path, 3, (struct pktfs_time){-99, 500000000});
	check_prefix(path, &text, 0, 0);
}

/* Files of old and odd programs. */
static void pcap_variants(void **state)
{
	static const struct {
		uint32_t magic;
		uint16_t minor;
		uint32_t header;
	} variants[] = {{0xa1b2c3d4, 4, 16}, {0xa1b23c4d, 4, 16}, {0xa1b2c3d4, 2, 16},
			{0xa1b2c3d4, 3, 16}, {0xa1b2cd34, 4, 24}};
	const struct pktfs_time time = {4294967295, 123456000};
	const char *path = in_dir("variant.pcap");

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(variants) * 2; i++) {
		_cleanup_(text_free) struct text text = {0};
		bool be = i & 1;

		text_u32(&text, variants[i / 2].magic, be);
		text_u16(&text, 2, be);
		text_u16(&text, variants[i / 2].minor, be);
		text_zeros(&text, 8);
		text_u32(&text, 0, be);
		text_u32(&text, 1, be);
		for (unsigned n = 0; n < 2; n++) {
			text_u64(&text, n, be);
			text_u32(&text, variants[i / 2].minor == 2 ? 9 : 4, be);
			text_u32(&text, variants[i / 2].minor == 2 ? 4 : 9, be);
			text_zeros(&text, variants[i / 2].header - 16 + 4);
		}
		put_file(path, text.bytes, text.size);
		append_one(path, 0, time);
		check_one(path, 3, time);
		check_prefix(path, &text, 0, 0);
	}
}

static void section_length(pktfs_capture *capture, uint64_t number, int64_t length)
{
	struct pktfs_section section;

	assert_int_equal(pktfs_section_get(capture, number, &section, NULL), 0);
	assert_int_equal(section.section_length, length);
	pktfs_section_release(&section);
}

static void fixed_length(void **state)
{
	const struct pktfs_time time = {5, 6000};
	const char *path = in_dir("fixed.pcapng");
	struct pktfs_status status;
	pktfs_capture *capture;
	pktfs_writer *writer;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		_cleanup_(text_free) struct text text = {0};
		bool be = i & 1, split = i & 2;
		size_t before = split ? 492 : 200;

		build_fixed_section(&text, before, be, 1);
		put_file(path, text.bytes, text.size);
		OK(pktfs_writer_append(path, NULL, &writer, error_)); /* and nothing more */
		OK(pktfs_writer_close(writer, error_));
		check_prefix(path, &text, 0, 0);
		append_one(path, 1, time);
		check_one(path, 2, time);
		check_prefix(path, &text, split ? 0 : before + 16, split ? 0 : 8);
		OK(pktfs_open(path, NULL, &capture, error_));
		pktfs_wait(capture, UINT64_MAX, -1);
		pktfs_status_get(capture, &status);
		assert_int_equal(status.sections, split ? 3 : 2);
		assert_int_equal(status.interfaces, split ? 4 : 2);
		section_length(capture, status.sections - 1, -1);
		pktfs_close(capture);
	}
}

static void unknown_version(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	const char *path = in_dir("version.pcapng");
	struct pktfs_new_packet packet = some_packet(77, 60);
	struct pktfs_writer_status status;
	pktfs_writer *writer;

	(void)state;
	build_shb_version(&text, true, 2, 0);
	build_idb(&text, true, 1, 9, 0, "eth0");
	put_file(path, text.bytes, text.size);
	OK(pktfs_writer_append(path, NULL, &writer, error_));
	pktfs_writer_status_get(writer, &status);
	assert_true(status.section_follows);
	assert_int_equal(status.interfaces, 0);
	add_ethernet(writer);
	packet.time = (struct pktfs_time){1, 2};
	OK(pktfs_writer_packet(writer, &packet, NULL, error_));
	OK(pktfs_writer_close(writer, error_));
	check_prefix(path, &text, 0, 0);
}

/* A repair that was interrupted after the log was written, at any of its steps,
 * is done by the next one, and said to whoever does not repair. */
static void interrupted_repair(void **state)
{
	char path[128], log_path[128];
	struct pktfs_writer_options options = {.flags = PKTFS_WRITER_REPLACE};
	_cleanup_(text_free) struct text log = {0};
	struct pktfs_writer_status status;
	struct text whole;
	struct stat st;
	pktfs_writer *writer;

	(void)state;
	snprintf(path, sizeof(path), "%s", in_dir("again.pcapng.zst"));
	snprintf(log_path, sizeof(log_path), "%s", in_dir("again.pcapng.zst.repair"));
	make_capture(path, &options, 5);
	get_file(path, &whole);
	for (size_t done = 0; done <= whole.size + 1; done++) {
		/* the whole file is what the log writes, behind a torn 1 */
		bool before = done == whole.size + 1;

		put_file(path, before ? "\x28\xb5\x2f\xfd torn" : whole.bytes, before ? 9 : done);
		assert_int_equal(stat(path, &st), 0);
		log.size = 0;
		text_append(&log, "pktfsrep", 8);
		text_u64(&log, st.st_ino, false);
		text_u64(&log, 9, false);
		text_u64(&log, 0, false);
		text_u64(&log, whole.size, false);
		text_u32(&log, (uint32_t)crc32(0, (uint8_t *)whole.bytes, (uInt)whole.size), false);
		text_u32(&log, (uint32_t)crc32(0, (uint8_t *)log.bytes, (uInt)log.size), false);
		text_append(&log, whole.bytes, whole.size);
		put_file(log_path, log.bytes, log.size);
		options.flags = 0;
		FAILS(pktfs_writer_append(path, &options, &writer, error_), -ENODATA);
		options.flags = PKTFS_WRITER_REPAIR;
		OK(pktfs_writer_append(path, &options, &writer, error_));
		pktfs_writer_status_get(writer, &status);
		assert_int_equal(status.repair, PKTFS_WRITER_REPAIR_RESUMED);
		assert_int_equal(status.repair_offset, 0);
		assert_int_equal(status.repair_bytes, 9);
		OK(pktfs_writer_close(writer, error_));
		assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), 5);
		assert_int_equal(access(log_path, F_OK), -1);
	}
	/* a log that is not whole is of a repair that did not begin */
	put_file(log_path, log.bytes, log.size - 1);
	OK(pktfs_writer_append(path, &options, &writer, error_));
	OK(pktfs_writer_close(writer, error_));
	assert_int_equal(access(log_path, F_OK), -1);
	text_free(&whole);
}

/* Damage in the middle, and what is no capture: refused, repair or not. */
static void damaged(void **state)
{
	const struct pktfs_writer_options repair = {.flags = PKTFS_WRITER_REPAIR};
	const struct pktfs_writer_options replace = {.flags = PKTFS_WRITER_REPLACE};
	const char *path = in_dir("damaged.pcapng");
	pktfs_writer *writer;
	struct text text;

	(void)state;
	make_capture(path, &replace, 10);
	get_file(path, &text);
	text.bytes[text.size - 100] ^= 0x55; /* of a packet: its data */
	put_file(path, text.bytes, text.size);
	OK(pktfs_writer_append(path, NULL, &writer, error_));
	OK(pktfs_writer_close(writer, error_));
	text.bytes[text.size - 1] ^= 0x55; /* its length */
	put_file(path, text.bytes, text.size);
	FAILS(pktfs_writer_append(path, &repair, &writer, error_), -EBADMSG);
	check_prefix(path, &text, 0, 0);
	text_free(&text);
	put_file(path, "#!/bin/sh\n", 10);
	FAILS(pktfs_writer_append(path, &repair, &writer, error_), -EBADMSG);
	put_file(path, "", 0);
	FAILS(pktfs_writer_append(path, &repair, &writer, error_), -ENODATA);
	FAILS(pktfs_writer_append(writer_dir, NULL, &writer, error_), -EISDIR);
	FAILS(pktfs_writer_append(in_dir("absent"), NULL, &writer, error_), -ENOENT);
}

static void wanted_format(void **state)
{
	const struct pktfs_writer_options make = {.flags = PKTFS_WRITER_MAKE};
	const struct pktfs_writer_options nano = {.format = PKTFS_WRITER_PCAP_NANO};
	const struct pktfs_writer_options gzip = {.compression = PKTFS_WRITER_GZIP};
	pktfs_writer *writer;

	(void)state;
	OK(pktfs_writer_append(in_dir("made.pcap"), &make, &writer, error_));
	add_ethernet(writer);
	OK(pktfs_writer_close(writer, error_));
	OK(pktfs_writer_append(in_dir("made.pcap"), &make, &writer, error_));
	OK(pktfs_writer_close(writer, error_));
	FAILS(pktfs_writer_append(in_dir("made.pcap"), &nano, &writer, error_), -EINVAL);
	FAILS(pktfs_writer_append(in_dir("made.pcap"), &gzip, &writer, error_), -EINVAL);
	FAILS(pktfs_writer_create(in_dir("x.pcap"), &make, &writer, error_), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_section),	  cmocka_unit_test(pcap_variants),
		cmocka_unit_test(fixed_length),	  cmocka_unit_test(unknown_version),
		cmocka_unit_test(interrupted_repair), cmocka_unit_test(damaged),
		cmocka_unit_test(wanted_format),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
