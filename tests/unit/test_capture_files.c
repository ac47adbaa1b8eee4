/* SPDX-License-Identifier: BSD-2-Clause */
/* Several files as one capture: the same as each of them, one behind the other,
 * also when the last one grows. */
#include "test_capture_files.h"

#include <pthread.h>
#include <stdatomic.h>

/* What the files before the one at hand hold. */
struct before {
	struct pktfs_status sum;
	uint64_t records, frames, offset;
};

static void same_packets(pktfs_capture *whole, pktfs_capture *one, const struct before *before,
			 uint64_t packets)
{
	struct pktfs_packet a, b;

	for (uint64_t n = 1; n <= packets; n++) {
		assert_int_equal(pktfs_packet_get(one, n, &a, NULL), 0);
		assert_int_equal(pktfs_packet_get(whole, before->sum.packets + n, &b, NULL), 0);
		assert_int_equal(b.number, before->sum.packets + a.number);
		assert_int_equal(b.frame, before->frames + a.frame);
		assert_int_equal(b.section, before->sum.sections + a.section);
		assert_int_equal(b.interface, before->sum.interfaces + a.interface);
		assert_int_equal(b.interface_in_section, a.interface_in_section);
		assert_int_equal(b.block_number, before->records + a.block_number);
		assert_int_equal(b.offset, before->offset + a.offset);
		assert_int_equal(b.link_type, a.link_type);
		assert_int_equal(b.ticks, a.ticks);
		assert_int_equal(b.block_length, a.block_length);
		assert_memory_equal(b.block, a.block, a.block_length);
		assert_int_equal(b.options.size, a.options.size);
		check_bytes(&b, before->sum.packets + n);
		assert_int_equal(pktfs_packet_release(&a), 0);
		assert_int_equal(pktfs_packet_release(&b), 0);
	}
}

static void same_blocks(pktfs_capture *whole, pktfs_capture *one, const struct before *before,
			uint64_t metadata)
{
	struct pktfs_block a, b;
	uint64_t index;

	for (uint64_t i = 0; i < metadata; i++) {
		assert_int_equal(pktfs_block_get(one, i, &a, NULL), 0);
		assert_int_equal(pktfs_block_get(whole, before->sum.metadata + i, &b, NULL), 0);
		assert_int_equal(b.type, a.type);
		assert_int_equal(b.number, before->records + a.number);
		assert_int_equal(b.offset, before->offset + a.offset);
		assert_int_equal(b.section, before->sum.sections + a.section);
		assert_int_equal(b.length, a.length);
		assert_memory_equal(b.bytes, a.bytes, a.length);
		assert_int_equal(pktfs_block_at(whole, b.offset, &index), 0);
		assert_int_equal(index, before->sum.metadata + i);
		assert_int_equal(pktfs_block_at(whole, b.offset + 1, &index), -ENOENT);
		assert_int_equal(pktfs_block_find(whole, b.number, &index), 0);
		assert_int_equal(index, before->sum.metadata + i);
		pktfs_block_release(&a);
		pktfs_block_release(&b);
	}
}

static void same_tables(pktfs_capture *whole, pktfs_capture *one, const struct before *before,
			const struct pktfs_status *status)
{
	struct pktfs_interface a, b;
	struct pktfs_section c, d;

	for (uint64_t i = 0; i < status->interfaces; i++) {
		assert_int_equal(pktfs_interface_get(one, i, &a, NULL), 0);
		assert_int_equal(pktfs_interface_get(whole, before->sum.interfaces + i, &b, NULL),
				 0);
		assert_int_equal(b.section, before->sum.sections + a.section);
		assert_int_equal(b.number_in_section, a.number_in_section);
		assert_int_equal(b.link_type, a.link_type);
		assert_int_equal(b.packets, a.packets);
		assert_int_equal(b.resolution, a.resolution);
		assert_int_equal(b.options.size, a.options.size);
		assert_int_equal(b.has_statistics, a.has_statistics);
		assert_int_equal(b.statistics.size, a.statistics.size);
		if (a.has_statistics)
			assert_memory_equal(b.statistics.bytes, a.statistics.bytes,
					    a.statistics.size);
		pktfs_interface_release(&a);
		pktfs_interface_release(&b);
	}
	for (uint64_t i = 0; i < status->sections; i++) {
		assert_int_equal(pktfs_section_get(one, i, &c, NULL), 0);
		assert_int_equal(pktfs_section_get(whole, before->sum.sections + i, &d, NULL), 0);
		assert_int_equal(d.offset, before->offset + c.offset);
		assert_int_equal(d.big_endian, c.big_endian);
		assert_int_equal(d.first_interface, before->sum.interfaces + c.first_interface);
		assert_int_equal(d.interfaces, c.interfaces);
		pktfs_section_release(&c);
		pktfs_section_release(&d);
	}
}

static void same_file(pktfs_capture *whole, const char *path, unsigned number,
		      struct before *before)
{
	struct pktfs_packet last = {0};
	struct pktfs_status status;
	pktfs_capture *one;
	struct pktfs_file file;

	assert_int_equal(pktfs_open(path, NULL, &one, NULL), 0);
	wait_all(one);
	pktfs_status_get(one, &status);
	assert_int_equal(pktfs_file_get(whole, number, &file), 0);
	assert_int_equal(file.path, number);
	assert_int_equal(file.offset, before->offset);
	assert_int_equal(file.packets_before, before->sum.packets);
	assert_int_equal(file.metadata_before, before->sum.metadata);
	assert_int_equal(file.first_section, before->sum.sections);
	assert_int_equal(file.first_interface, before->sum.interfaces);
	assert_int_equal(file.format, status.format);
	same_packets(whole, one, before, status.packets);
	same_blocks(whole, one, before, status.metadata);
	same_tables(whole, one, before, &status);
	if (status.packets) {
		assert_int_equal(pktfs_packet_get(one, status.packets, &last, NULL), 0);
		pktfs_packet_release(&last);
	}
	/* custom blocks behind the last packet are frames, too */
	for (uint64_t i = 0; i < status.metadata; i++) {
		struct pktfs_block block;

		assert_int_equal(pktfs_block_get(one, i, &block, NULL), 0);
		if (block.type == BLOCK_CB && block.number > last.block_number)
			last.frame++;
		pktfs_block_release(&block);
	}
	before->sum.packets += status.packets;
	before->sum.metadata += status.metadata;
	before->sum.sections += status.sections;
	before->sum.interfaces += status.interfaces;
	before->sum.captured_bytes += status.captured_bytes;
	before->sum.file_size += status.file_size;
	before->records += status.packets + status.metadata;
	before->frames += last.frame;
	before->offset += status.decoded_bytes;
	pktfs_close(one);
}

/* The capture of all files is each of them, one behind the other. */
static void check_files(const struct files *files, unsigned flags)
{
	pktfs_capture *capture = open_files(files, flags);
	struct before before = {0};
	struct pktfs_status status;
	struct pktfs_file file;
	uint64_t seed = 1;

	wait_all(capture);
	for (unsigned i = 0; i < files->count; i++)
		same_file(capture, files->paths[i], i, &before);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
	assert_int_equal(status.problems, 0);
	assert_int_equal(status.packets, files->packets);
	assert_int_equal(status.packets, before.sum.packets);
	assert_int_equal(status.metadata, before.sum.metadata);
	assert_int_equal(status.blocks, before.sum.metadata ? before.records : 0);
	assert_int_equal(status.sections, before.sum.sections);
	assert_int_equal(status.interfaces, before.sum.interfaces);
	assert_int_equal(status.captured_bytes, before.sum.captured_bytes);
	assert_int_equal(status.file_size, before.sum.file_size);
	assert_int_equal(status.indexed_bytes, before.offset);
	assert_int_equal(pktfs_file_get(capture, files->count, &file), -ENOENT);
	for (unsigned i = 0; files->packets && i < 1000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		check_packet(capture, (seed >> 33) % files->packets + 1);
	}
	pktfs_close(capture);
}

static void mixed_formats(void **state)
{
	struct files files;

	(void)state;
	for (unsigned first = 0; first < KINDS; first++) {
		files_start(&files);
		for (unsigned i = 0; i < 12; i++)
			add(&files, (first + i * (1 + i / 4)) % KINDS, 10 + i * 53 % 200, i % 3);
		check_files(&files, 0);
		check_files(&files, PKTFS_OPEN_NO_MMAP);
		files_end(&files);
	}
}

/* Files end before, at and behind checkpoints; some hold nothing. */
static void file_sizes(void **state)
{
	static const unsigned sizes[] = {64, 0, 0, 64, 63, 1, 0, 128, 65, 1, 1, 1, 0, 61, 62, 0};
	struct files files;

	(void)state;
	for (unsigned first = 0; first < KINDS; first++) {
		for (unsigned step = 0; step < 2; step++) {
			files_start(&files);
			for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
				add(&files, (first + i * step) % KINDS, sizes[i], 0);
			check_files(&files, 0);
			files_end(&files);
		}
	}
}

/* ---- growth of the last */

static void the_last_grows(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		_cleanup_(text_free) struct text text = {0};
		struct pktfs_status status;
		pktfs_capture *capture;
		uint64_t before, start;
		struct files files;
		size_t at;

		files_start(&files);
		add(&files, (kind + 1) % KINDS, 64, 0);
		add(&files, (kind + 2) % KINDS, 100, 1);
		if (kind == PCAP || kind == PCAP_BIG_NANO)
			build_pcap(&text, kind == PCAP_BIG_NANO, files.packets + 1, 50);
		else
			build_pcapng(&text, kind == PCAPNG_BIG, files.packets + 1, 50);
		before = files.packets;
		add_bytes(&files, text.bytes, 5); /* not even a head */
		capture = open_files(&files, PKTFS_OPEN_GROWING);
		wait_all(capture);
		pktfs_status_get(capture, &status);
		assert_int_equal(status.state, PKTFS_STATE_TRUNCATED);
		assert_int_equal(status.problems, 1);
		assert_int_equal(status.packets, before);
		assert_true(status.growing);
		start = status.decoded_bytes - 5;
		for (at = 6; at <= text.size; at++) {
			append_to(files.paths[2], text.bytes + at - 1, 1);
			assert_int_equal(pktfs_grow(capture), 1);
			assert_int_equal(pktfs_wait_offset(capture, start + at, 10000), 0);
			pktfs_status_get(capture, &status);
			assert_true(status.indexed_bytes <= start + at);
			assert_int_equal(status.problems, status.state == PKTFS_STATE_TRUNCATED);
			if (at > 28)
				assert_int_equal(status.state, status.indexed_bytes == start + at
								       ? PKTFS_STATE_COMPLETE
								       : PKTFS_STATE_TRUNCATED);
			if (status.packets)
				check_packet(capture, status.packets);
		}
		pktfs_status_get(capture, &status);
		assert_int_equal(status.packets, before + 50);
		files.packets += 50;
		pktfs_close(capture);
		check_files(&files, 0);
		files_end(&files);
	}
}

struct readers {
	pktfs_capture *capture;
	uint64_t packets; /* in the end */
	atomic_bool done;
};

static void *read_all(void *arg)
{
	struct readers *readers = arg;
	const struct pktfs_packet *packet;
	pktfs_iterator *iterator;
	uint64_t number = 1, other;
	bool done;

	assert_int_equal(pktfs_iterator_open(readers->capture, 1, &iterator), 0);
	do {
		done = atomic_load(&readers->done);
		while (pktfs_iterator_next(iterator, &packet, NULL) == 1) {
			check_bytes(packet, number);
			other = number * 7919 % number + 1;
			check_packet(readers->capture, other);
			number++;
		}
	} while (!done);
	assert_int_equal(number, readers->packets + 1);
	pktfs_iterator_close(iterator);
	return NULL;
}

/* Readers from the first moment on, over the edges of files and their growth. */
static void readers_meanwhile(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 8; round++) {
		_cleanup_(text_free) struct text text = {0};
		struct readers readers = {0};
		struct files files;
		pthread_t threads[3];
		size_t at = 30, step;

		files_start(&files);
		for (unsigned i = 0; i < 10; i++)
			add(&files, (round + i) % KINDS, 100, (round + i) % 3);
		if (round % KINDS <= PCAP_BIG_NANO)
			build_pcap(&text, round % KINDS, files.packets + 1, 300);
		else
			build_pcapng(&text, round & 1, files.packets + 1, 300);
		add_bytes(&files, text.bytes, at);
		readers.packets = files.packets + 300;
		readers.capture = open_files(&files, PKTFS_OPEN_GROWING);
		for (unsigned i = 0; i < 3; i++)
			pthread_create(&threads[i], NULL, read_all, &readers);
		for (; at < text.size; at += step) {
			step = MIN(text.size - at, 1 + at * 7919 % 500);
			append_to(files.paths[10], text.bytes + at, step);
			assert_int_equal(pktfs_grow(readers.capture), 1);
		}
		assert_int_equal(pktfs_wait(readers.capture, UINT64_MAX, -1), 0);
		while (pktfs_wait(readers.capture, readers.packets, 100) == 0) {
			struct pktfs_status status;

			pktfs_status_get(readers.capture, &status);
			if (status.packets == readers.packets)
				break;
		}
		atomic_store(&readers.done, true);
		for (unsigned i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
		pktfs_close(readers.capture);
		files_end(&files);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mixed_formats),
		cmocka_unit_test(file_sizes),
		cmocka_unit_test(the_last_grows),
		cmocka_unit_test(readers_meanwhile),
	};

	return cmocka_run_group_tests_name("capture_files", tests, NULL, NULL);
}
