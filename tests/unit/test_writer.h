/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the writer share: a folder, packets, and their comparison
 * with what a reader finds. */
#ifndef TEST_WRITER_H
#define TEST_WRITER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pktfs/writer.h"
#include "test_build.h"

#define UNUSED __attribute__((unused))

static char writer_dir[64];

static UNUSED int writer_setup(void **state)
{
	(void)state;
	/* repairs synchronise much: in memory that is quick */
	strcpy(writer_dir, "/dev/shm/pktfs-writer-XXXXXX");
	if (!mkdtemp(writer_dir)) {
		strcpy(writer_dir, "/tmp/pktfs-writer-XXXXXX");
		if (!mkdtemp(writer_dir))
			return -1;
	}
	/* and so is the reader's spool */
	return setenv("TMPDIR", writer_dir, 1);
}

static int writer_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static UNUSED int writer_teardown(void **state)
{
	(void)state;
	return nftw(writer_dir, writer_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path in the folder; four of them are kept at a time. */
static UNUSED const char *in_dir(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", writer_dir, name);
	return path;
}

static UNUSED void put_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static UNUSED void get_file(const char *path, struct text *ret)
{
	FILE *file = fopen(path, "rb");
	struct stat st;

	*ret = (struct text){0};
	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	assert_non_null(text_grow(ret, (size_t)st.st_size));
	assert_int_equal(fread(ret->bytes, 1, ret->size, file), ret->size);
	fclose(file);
}

#define OK(call)                                                                                   \
	do {                                                                                       \
		struct pktfs_error ok_error = {0}, *error_ = &ok_error;                            \
		int ok_r = (call);                                                                 \
		if (ok_r < 0)                                                                      \
			fail_msg("%s: %d: %s", #call, ok_r, ok_error.text);                        \
	} while (0)

/* Fails, with a text. */
#define FAILS(call, want)                                                                          \
	do {                                                                                       \
		struct pktfs_error ok_error = {0}, *error_ = &ok_error;                            \
		assert_int_equal((call), (want));                                                  \
		assert_int_equal(ok_error.code, (want));                                           \
		assert_true(*ok_error.text);                                                       \
	} while (0)

/* Packet `seed`, of `size` bytes. */
static UNUSED struct pktfs_new_packet some_packet(uint64_t seed, uint32_t size)
{
	static uint8_t bytes[70000];
	uint32_t i;

	assert_true(size <= sizeof(bytes));
	for (i = 0; i < size; i++)
		bytes[i] = build_byte(seed, i);
	return (struct pktfs_new_packet){
		.time = {(int64_t)(1000000000 + seed), (uint32_t)(seed * 1000 % 1000000000)},
		.captured_length = size,
		.data = bytes,
	};
}

static UNUSED void add_packets(pktfs_writer *writer, uint64_t first, uint64_t count)
{
	struct pktfs_new_packet packet;

	for (uint64_t seed = first; seed < first + count; seed++) {
		packet = some_packet(seed, (uint32_t)(seed * 37 % 1500));
		OK(pktfs_writer_packet(writer, &packet, NULL, error_));
	}
}

static UNUSED void add_ethernet(pktfs_writer *writer)
{
	const struct pktfs_new_interface ethernet = {.link_type = 1};

	OK(pktfs_writer_interface(writer, &ethernet, NULL, error_));
}

/* A section with a length, behind `before` bytes of another: the length lies in
 * one sector of a disk or in two. `count` packets, from seed 1. */
static UNUSED void build_fixed_section(struct text *text, size_t before, bool big_endian,
					 uint64_t count)
{
	static const uint8_t filler[512];
	size_t at, length_at;
	uint64_t length;

	build_shb(text, false);
	build_block(text, false, 0x80000001, filler, before - text->size - 12);
	at = write_block_begin(text, BLOCK_SHB, big_endian);
	text_u32(text, 0x1a2b3c4d, big_endian);
	text_u32(text, big_endian ? 0x00010000 : 0x00000001, big_endian);
	length_at = text->size;
	text_u64(text, 0, big_endian);
	write_block_end(text, at, big_endian);
	at = text->size;
	build_idb(text, big_endian, 1, 9, 0, "eth0");
	build_idb(text, big_endian, 1, 6, 0, "eth1");
	for (uint64_t seed = 1; seed <= count; seed++)
		build_epb(text, big_endian, 0, (1000000000 + seed) * 1000000000 + seed * 1000,
			  (uint32_t)(seed * 37 % 1500), seed, NULL);
	length = text->size - at;
	length = big_endian ? htobe64(length) : htole64(length);
	memcpy(text->bytes + length_at, &length, 8);
}

/* A capture of `count` packets, from seed 1. */
static UNUSED void make_capture(const char *path, const struct pktfs_writer_options *options,
				uint64_t count)
{
	pktfs_writer *writer;

	OK(pktfs_writer_create(path, options, &writer, error_));
	add_ethernet(writer);
	add_packets(writer, 1, count);
	OK(pktfs_writer_close(writer, error_));
}

/* All packets, which are those of seed 1 and so on; returns how many. */
static UNUSED uint64_t check_capture(const char *path, enum pktfs_state state)
{
	const struct pktfs_packet *packet;
	struct pktfs_status status;
	struct pktfs_error error = {0};
	pktfs_iterator *iterator;
	pktfs_capture *capture;
	uint64_t count = 0;
	uint32_t i;

	OK(pktfs_open(path, NULL, &capture, error_));
	assert_int_equal(pktfs_iterator_open(capture, 1, &iterator), 0);
	while (pktfs_iterator_next(iterator, &packet, NULL) == 1) {
		count++;
		assert_int_equal(packet->captured_length, count * 37 % 1500);
		assert_int_equal(packet->time.sec, 1000000000 + count);
		assert_int_equal(packet->time.nsec, count * 1000 % 1000000000);
		for (i = 0; i < packet->captured_length; i++)
			assert_int_equal(packet->data[i], build_byte(count, i));
	}
	pktfs_iterator_close(iterator);
	pktfs_status_get(capture, &status);
	if (status.problems)
		pktfs_problem_get(capture, 0, &error);
	if (status.state != state)
		fail_msg("%s: state %d: %s", path, (int)status.state, error.text);
	pktfs_close(capture);
	return count;
}

#endif
