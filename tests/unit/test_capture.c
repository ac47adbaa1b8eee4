/* SPDX-License-Identifier: BSD-2-Clause */
/* The public reader: fields, order, random access, every cut and flip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pktfs/capture.h"
#include "test_build.h"
#include "util/util_base.h"

static pktfs_capture *open_text(const struct text *text)
{
	struct pktfs_error error;
	pktfs_capture *capture;
	int r = pktfs_open_buffer(text->bytes, text->size, NULL, &capture, &error);

	if (r < 0)
		fail_msg("open: %s", error.text);
	return capture;
}

static void check_data(const struct pktfs_packet *packet, uint64_t seed)
{
	uint32_t i;

	for (i = 0; i < packet->captured_length; i++)
		assert_int_equal(packet->data[i], build_byte(seed, i));
}

static void check_packet(pktfs_capture *capture, uint64_t number, uint64_t interface,
			 uint32_t in_section, int64_t sec, uint32_t nsec, uint32_t captured)
{
	struct pktfs_packet packet;
	struct pktfs_error error;
	int r = pktfs_packet_get(capture, number, &packet, &error);

	if (r < 0)
		fail_msg("packet %u: %s", (unsigned)number, error.text);
	assert_int_equal(packet.number, number);
	assert_int_equal(packet.interface, interface);
	assert_int_equal(packet.interface_in_section, in_section);
	assert_int_equal(packet.time.sec, sec);
	assert_int_equal(packet.time.nsec, nsec);
	assert_int_equal(packet.captured_length, captured);
	check_data(&packet, number);
	assert_int_equal(pktfs_packet_release(&packet), 0);
}

static void pcap_fields(void **state)
{
	bool big_endian, nanosecond;
	unsigned variant;

	(void)state;
	for (variant = 0; variant < 4; variant++) {
		_cleanup_(text_free) struct text text = {0};
		struct pktfs_status status;
		pktfs_capture *capture;

		big_endian = variant & 1;
		nanosecond = variant & 2;
		struct write_pcap_header header = {.big_endian = big_endian,
						   .nanosecond = nanosecond,
						   .snaplen = 100,
						   .link_type = 101,
						   .fcs_length = -1};

		write_pcap_header(&text, &header);
		build_record(&text, &header, 4294967295, 123456000, 60, 1);
		build_record(&text, &header, 7, 1000, 0, 2);
		capture = open_text(&text);
		check_packet(capture, 1, 0, 0, 4294967295, 123456000, 60);
		check_packet(capture, 2, 0, 0, 7, 1000, 0);
		assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
		pktfs_status_get(capture, &status);
		assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
		assert_int_equal(status.format, PKTFS_FORMAT_PCAP);
		assert_int_equal(status.packets, 2);
		assert_int_equal(status.blocks, 0);
		assert_int_equal(status.captured_bytes, 60);
		assert_int_equal(status.first_time.sec, 4294967295);
		assert_int_equal(status.min_time.sec, 7);
		assert_int_equal(status.big_endian, big_endian);
		assert_int_equal(status.nanosecond, nanosecond);
		pktfs_close(capture);
	}
}

/* Two sections of different byte order; interface numbers start again. */
static void build_sections(struct text *text)
{
	build_shb(text, false);
	build_idb(text, false, 1, 9, 0, "eth0");
	build_idb(text, false, 101, 6, 0, "tun0");
	build_epb(text, false, 1, 1500000, 33, 1, "first");
	build_block(text, false, BLOCK_CB, "\x01\x02\x03\x04" "custom", 10);
	build_epb(text, false, 0, 2000000001, 21, 2, NULL);
	build_isb(text, false, 0, 5);
	build_isb(text, false, 0, 77);
	build_shb(text, true);
	build_idb(text, true, 113, 0x8a, 0, "any");
	build_epb(text, true, 0, 3 * 1024 + 512, 50, 3, NULL);
	build_epb(text, true, 9, 1, 8, 99, NULL); /* unknown interface */
	build_epb(text, true, 0, 4 * 1024, 4, 4, "last");
}

static void pcapng_sections(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_interface interface;
	struct pktfs_packet packet;
	struct pktfs_option option;
	struct pktfs_status status;
	struct pktfs_error error;
	pktfs_capture *capture;

	(void)state;
	build_sections(&text);
	capture = open_text(&text);
	check_packet(capture, 4, 2, 0, 4, 0, 4);
	check_packet(capture, 1, 1, 1, 1, 500000000, 33);
	check_packet(capture, 3, 2, 0, 3, 500000000, 50);
	check_packet(capture, 2, 0, 0, 2, 1, 21);
	assert_int_equal(pktfs_packet_get(capture, 5, &packet, NULL), -ENOENT);
	assert_int_equal(pktfs_packet_get(capture, 0, &packet, NULL), -ENOENT);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_DAMAGED);
	assert_int_equal(status.problems, 1);
	assert_int_equal(pktfs_problem_get(capture, 0, &error), 0);
	assert_true(error.has_offset);
	assert_int_equal(status.packets, 4);
	assert_int_equal(status.blocks, 13);
	assert_int_equal(status.sections, 2);
	assert_int_equal(status.interfaces, 3);

	assert_int_equal(pktfs_packet_get(capture, 2, &packet, NULL), 0);
	assert_int_equal(packet.frame, 3); /* the custom block is a frame to Wireshark */
	assert_int_equal(packet.block_number, 6);
	pktfs_packet_release(&packet);
	assert_int_equal(pktfs_packet_get(capture, 4, &packet, NULL), 0);
	assert_int_equal(packet.section, 1);
	assert_int_equal(pktfs_option_find(packet.options, 1, 0, &option), 1);
	assert_memory_equal(option.value, "last", 4);
	pktfs_packet_release(&packet);

	assert_int_equal(pktfs_interface_get(capture, 0, &interface, NULL), 0);
	assert_true(interface.has_statistics);
	assert_int_equal(pktfs_option_find(interface.statistics, 4, 0, &option), 1);
	assert_int_equal(pktfs_option_u64(&interface.statistics, &option), 77);
	assert_int_equal(interface.packets, 1);
	pktfs_interface_release(&interface);
	assert_int_equal(pktfs_interface_get(capture, 2, &interface, NULL), 0);
	assert_int_equal(interface.link_type, 113);
	assert_int_equal(interface.section, 1);
	assert_int_equal(interface.number_in_section, 0);
	assert_int_equal(interface.packets, 2);
	assert_false(interface.has_statistics);
	pktfs_interface_release(&interface);
	assert_int_equal(pktfs_interface_get(capture, 3, &interface, NULL), -ENOENT);
	pktfs_close(capture);
}

static void metadata_blocks(void **state)
{
	static const uint32_t types[] = {BLOCK_SHB, 1, 1, BLOCK_CB, 5, 5, BLOCK_SHB, 1, 6};
	static const uint64_t numbers[] = {1, 2, 3, 5, 7, 8, 9, 10, 12};
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_block block;
	pktfs_capture *capture;
	uint64_t index;
	unsigned i;

	(void)state;
	build_sections(&text);
	capture = open_text(&text);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		assert_int_equal(pktfs_block_get(capture, i, &block, NULL), 0);
		assert_int_equal(block.type, types[i]);
		assert_int_equal(block.number, numbers[i]);
		assert_int_equal(block.usable, types[i] != 6);
		assert_memory_equal(block.bytes, text.bytes + block.offset, block.length);
		assert_int_equal(pktfs_block_release(&block), 0);
		assert_int_equal(pktfs_block_find(capture, numbers[i], &index), 0);
		assert_int_equal(index, i);
	}
	assert_int_equal(pktfs_block_get(capture, i, &block, NULL), -ENOENT);
	assert_int_equal(pktfs_block_find(capture, 4, &index), -ENOENT);
	assert_int_equal(pktfs_block_find(capture, 14, &index), -ENOENT);
	pktfs_close(capture);
}

static void unknown_version_is_skipped(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_section section;
	struct pktfs_status status;
	pktfs_capture *capture;

	(void)state;
	build_shb(&text, false);
	build_idb(&text, false, 1, 6, 0, NULL);
	build_epb(&text, false, 0, 1000000, 10, 1, NULL);
	build_shb_version(&text, false, 2, 0);
	build_idb(&text, false, 1, 6, 0, NULL);
	build_epb(&text, false, 0, 1000000, 10, 9, NULL);
	build_shb_version(&text, true, 1, 2);
	build_idb(&text, true, 1, 6, 0, NULL);
	build_epb(&text, true, 0, 2000000, 12, 2, NULL);
	capture = open_text(&text);
	check_packet(capture, 1, 0, 0, 1, 0, 10);
	check_packet(capture, 2, 1, 0, 2, 0, 12);
	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.packets, 2);
	assert_int_equal(status.interfaces, 2);
	assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
	assert_int_equal(status.problems, 1);
	assert_int_equal(pktfs_section_get(capture, 1, &section, NULL), 0);
	assert_true(section.skipped);
	pktfs_section_release(&section);
	pktfs_close(capture);
}

static void names_and_secrets(void **state)
{
	static const uint8_t nrb[] = "\x01\x00\x0b\x00\x7f\x00\x00\x01one\0two\0"
				     "\x05\x00\x02\x00zz\0\0"
				     "\x02\x00\x12\x00\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01x\0\0\0"
				     "\0\0\0\0";
	static const uint8_t dsb[] = "\x4b\x53\x4c\x54\x05\0\0\0hello\0\0";
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_secret secret;
	struct pktfs_block block;
	struct pktfs_name name;
	pktfs_capture *capture;
	uint64_t position = 0;

	(void)state;
	build_shb(&text, false);
	/* the first record is 4 + 4 + "one\0two" = 11 bytes, padded to 12 */
	build_block(&text, false, BLOCK_NRB, nrb, sizeof(nrb) - 1);
	build_block(&text, false, BLOCK_DSB, dsb, sizeof(dsb));
	capture = open_text(&text);
	pktfs_wait(capture, UINT64_MAX, -1);
	assert_int_equal(pktfs_block_get(capture, 1, &block, NULL), 0);
	assert_int_equal(pktfs_block_next_name(&block, &position, &name), 1);
	assert_int_equal(name.length, 3);
	assert_memory_equal(name.name, "one", 3);
	assert_int_equal(pktfs_block_next_name(&block, &position, &name), 1);
	assert_memory_equal(name.name, "two", 3);
	assert_int_equal(pktfs_block_next_name(&block, &position, &name), 1);
	assert_int_equal(name.type, 2);
	assert_int_equal(name.length, 1);
	assert_int_equal(pktfs_block_next_name(&block, &position, &name), 0);
	assert_int_equal(pktfs_block_secret(&block, &secret), 0);
	pktfs_block_release(&block);
	assert_int_equal(pktfs_block_get(capture, 2, &block, NULL), 0);
	assert_int_equal(pktfs_block_secret(&block, &secret), 1);
	assert_int_equal(secret.type, 0x544c534b);
	assert_int_equal(secret.length, 5);
	assert_memory_equal(secret.bytes, "hello", 5);
	pktfs_block_release(&block);
	pktfs_close(capture);
}

/* The iterator and direct access in any order give the same packets. */
static void iterator_and_random_access(void **state)
{
	const uint64_t count = 3000;
	_cleanup_(text_free) struct text text = {0};
	const struct pktfs_packet *packet;
	pktfs_iterator *iterator;
	pktfs_capture *capture;
	uint64_t i, n;

	(void)state;
	build_shb(&text, false);
	build_idb(&text, false, 1, 6, 0, NULL);
	for (i = 1; i <= count; i++) {
		build_epb(&text, false, 0, i * 1000000, (uint32_t)(i % 97), i, NULL);
		if (i % 13 == 0)
			build_block(&text, false, 0x80000001, "x", 1);
	}
	capture = open_text(&text);
	for (i = 0, n = 1; i < count; i++, n = (n * 7919 + 1) % count + 1)
		check_packet(capture, n, 0, 0, (int64_t)n, 0, (uint32_t)(n % 97));
	for (n = count; n > count - 200; n--)
		check_packet(capture, n, 0, 0, (int64_t)n, 0, (uint32_t)(n % 97));
	assert_int_equal(pktfs_iterator_open(capture, 5, &iterator), 0);
	for (n = 5; pktfs_iterator_next(iterator, &packet, NULL) == 1; n++) {
		assert_int_equal(packet->number, n);
		assert_int_equal(packet->time.sec, n);
		check_data(packet, n);
	}
	assert_int_equal(n, count + 1);
	pktfs_iterator_close(iterator);
	pktfs_close(capture);
}

/* Reads everything that a capture gives; returns the packets. */
static uint64_t read_all(const struct text *text, size_t size, enum pktfs_state *ret_state)
{
	const struct pktfs_packet *packet;
	struct pktfs_interface interface;
	struct pktfs_section section;
	struct pktfs_status status;
	struct pktfs_block block;
	pktfs_iterator *iterator;
	pktfs_capture *capture;
	uint64_t i, packets = 0;
	int r = pktfs_open_buffer(text->bytes, size, NULL, &capture, NULL);

	if (r < 0) {
		assert_true(r == -EBADMSG || r == -ENODATA || r == -ENOTSUP || r == -EFBIG);
		return UINT64_MAX;
	}
	assert_int_equal(pktfs_iterator_open(capture, 1, &iterator), 0);
	while ((r = pktfs_iterator_next(iterator, &packet, NULL)) == 1)
		packets++;
	assert_int_equal(r, 0);
	pktfs_iterator_close(iterator);
	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.packets, packets);
	for (i = 0; i < status.metadata; i++) {
		assert_int_equal(pktfs_block_get(capture, i, &block, NULL), 0);
		pktfs_block_release(&block);
	}
	for (i = 0; pktfs_section_get(capture, i, &section, NULL) == 0; i++)
		pktfs_section_release(&section);
	for (i = 0; pktfs_interface_get(capture, i, &interface, NULL) == 0; i++)
		pktfs_interface_release(&interface);
	*ret_state = status.state;
	pktfs_close(capture);
	return packets;
}

/* Cut at every length: the packets before the cut are there, and the state is
 * TRUNCATED unless the cut is between two blocks. */
static void every_cut(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	unsigned whole = 0, refused = 0;
	uint64_t packets, last = 0;
	enum pktfs_state found;
	size_t size;

	(void)state;
	build_sections(&text);
	for (size = 1; size < text.size; size++) {
		packets = read_all(&text, size, &found);
		if (packets == UINT64_MAX) {
			refused++;
			continue;
		}
		assert_true(packets >= last);
		last = packets;
		whole += found == PKTFS_STATE_COMPLETE;
		if (found != PKTFS_STATE_COMPLETE && found != PKTFS_STATE_TRUNCATED)
			assert_int_equal(found, PKTFS_STATE_DAMAGED);
	}
	assert_int_equal(refused, 11); /* fewer than 12 bytes are no SHB */
	assert_int_equal(whole, 11);   /* block ends before the one with the wrong interface */
	assert_int_equal(last, 3);
	print_message("COUNT %zu valid files cut: pcapng\n", size - 1);
}

/* Every byte flipped: no crash, and many of the flips are noticed. */
static void every_flip(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	unsigned refused = 0, damaged = 0;
	enum pktfs_state found;
	size_t at;

	(void)state;
	build_shb(&text, false);
	build_idb(&text, false, 1, 9, 0, "eth0");
	build_epb(&text, false, 0, 1500000, 33, 1, "first");
	build_epb(&text, false, 0, 1500001, 3, 2, NULL);
	for (at = 0; at < text.size; at++) {
		text.bytes[at] = (char)~text.bytes[at];
		if (read_all(&text, text.size, &found) == UINT64_MAX)
			refused++;
		else
			damaged += found != PKTFS_STATE_COMPLETE;
		text.bytes[at] = (char)~text.bytes[at];
	}
	assert_int_equal(refused, 8); /* block type and byte-order magic */
	assert_in_range(damaged, 40, 80);
	print_message("COUNT %zu valid files with a byte changed: pcapng\n", at);
}

/* A pipe that is still being fed: what is there can be read, what is not yet
 * there is waited for. */
static void a_pipe_that_grows(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_packet packet;
	struct pktfs_status status;
	pktfs_capture *capture;
	size_t half;
	int fds[2];

	(void)state;
	build_shb(&text, false);
	build_idb(&text, false, 1, 6, 0, NULL);
	build_epb(&text, false, 0, 1000000, 40, 1, NULL);
	half = text.size + 20;
	build_epb(&text, false, 0, 2000000, 40, 2, NULL);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text.bytes, half), half);
	assert_int_equal(pktfs_open_fd(fds[0], NULL, &capture, NULL), 0);
	check_packet(capture, 1, 0, 0, 1, 0, 40);
	assert_int_equal(pktfs_packet_try(capture, 2, &packet, NULL), -EAGAIN);
	assert_int_equal(pktfs_wait(capture, 2, 50), -EAGAIN);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_INDEXING);
	assert_int_equal(write(fds[1], text.bytes + half, text.size - half), text.size - half);
	check_packet(capture, 2, 0, 0, 2, 0, 40);
	close(fds[1]);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
	pktfs_close(capture);
	close(fds[0]);
}

/* Closing does not wait for a pipe that nobody feeds. */
static void closing_a_silent_pipe(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	pktfs_capture *capture;
	int fds[2];

	(void)state;
	build_shb(&text, false);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text.bytes, text.size), text.size);
	assert_int_equal(pktfs_open_fd(fds[0], NULL, &capture, NULL), 0);
	pktfs_close(capture);
	close(fds[0]);
	close(fds[1]);
}

/* A file that is cut while it is mapped: -EIO for what is gone, the rest is
 * there, nothing is invented. */
static void a_file_cut_under_us(void **state)
{
	const struct write_pcap_header header = {.snaplen = 65535, .link_type = 1,
						 .fcs_length = -1};
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_packet packet;
	struct pktfs_status status;
	pktfs_capture *capture;
	char path[] = "/tmp/pktfs-test-XXXXXX";
	uint64_t n;
	int fd, r;

	(void)state;
	write_pcap_header(&text, &header);
	for (n = 1; n <= 2000; n++)
		build_record(&text, &header, (int64_t)n, 0, 100, n);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.bytes, text.size), text.size);
	assert_int_equal(pktfs_open(path, NULL, &capture, NULL), 0);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	assert_int_equal(ftruncate(fd, 24 + 116 * 1000 + 30), 0);
	for (n = 1; n <= 2000; n++) {
		r = pktfs_packet_get(capture, n, &packet, NULL);
		if (r == 0) {
			uint8_t copy[100];

			memcpy(copy, packet.data, sizeof(copy));
			r = pktfs_packet_release(&packet);
			if (r == 0)
				assert_int_equal(copy[50], build_byte(n, 50));
		}
		assert_int_equal(r, n <= 1000 ? 0 : -EIO);
	}
	pktfs_status_get(capture, &status);
	assert_int_equal(status.packets, 2000);
	pktfs_close(capture);
	close(fd);
	unlink(path);
}

/* A file that is overwritten while it is mapped, by blocks that the index has
 * never seen: what is read may be wrong, but from the file, and nothing crashes. */
static void a_file_overwritten_under_us(void **state)
{
	_cleanup_(text_free) struct text text = {0}, over = {0};
	struct pktfs_packet packet;
	pktfs_iterator *iterator;
	const struct pktfs_packet *next;
	pktfs_capture *capture;
	char path[] = "/tmp/pktfs-test-XXXXXX";
	uint64_t n;
	int fd, r;

	(void)state;
	build_shb(&text, false);
	build_idb(&text, false, 1, 6, 0, NULL);
	for (n = 1; n <= 500; n++) /* each as long as an SHB and an IDB: 48 */
		build_epb(&text, false, 0, n, 16, n, NULL);
	while (over.size < 48 * 200) {
		bool big_endian = over.size % 96;

		build_shb(&over, big_endian);
		build_idb(&over, big_endian, 147, 6, 0, NULL);
	}
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.bytes, text.size), text.size);
	assert_int_equal(pktfs_open(path, NULL, &capture, NULL), 0);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	assert_int_equal(pwrite(fd, over.bytes, over.size, 28 + 20 + 48 * 100), over.size);
	for (n = 1; n <= 500; n++) {
		r = pktfs_packet_get(capture, n, &packet, NULL);
		if (r == 0) {
			assert_true(packet.interface < 1);
			pktfs_packet_release(&packet);
		} else {
			assert_int_equal(r, -EIO);
			assert_true(n > 64); /* those of the first checkpoint are before it */
		}
	}
	assert_int_equal(pktfs_iterator_open(capture, 1, &iterator), 0);
	while ((r = pktfs_iterator_next(iterator, &next, NULL)) == 1)
		assert_true(next->interface < 1);
	assert_int_equal(r, -EIO);
	pktfs_iterator_close(iterator);
	pktfs_close(capture);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_fields),
		cmocka_unit_test(pcapng_sections),
		cmocka_unit_test(metadata_blocks),
		cmocka_unit_test(unknown_version_is_skipped),
		cmocka_unit_test(names_and_secrets),
		cmocka_unit_test(iterator_and_random_access),
		cmocka_unit_test(every_cut),
		cmocka_unit_test(every_flip),
		cmocka_unit_test(a_pipe_that_grows),
		cmocka_unit_test(closing_a_silent_pipe),
		cmocka_unit_test(a_file_cut_under_us),
		cmocka_unit_test(a_file_overwritten_under_us),
	};

	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
