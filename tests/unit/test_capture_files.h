/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of several formats and compressions whose packets are numbered on: the
 * bytes and the time of packet N follow from N, whichever file it is in.
 */
#ifndef TEST_CAPTURE_FILES_H
#define TEST_CAPTURE_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "pktfs/capture.h"
#include "test_build.h"
#include "test_numbered.h"
#include "util/util_base.h"

#define MAX_FILES 64

enum kind {
	PCAP,
	PCAP_BIG_NANO,
	PCAPNG,
	PCAPNG_BIG,
	KINDS,
};

/* Files in a directory of the test; `packets` are in those so far. */
struct files {
	char dir[32];
	char *paths[MAX_FILES];
	unsigned count;
	uint64_t packets;
};

static inline void build_pcap(struct text *text, bool other, uint64_t first, unsigned count)
{
	const struct write_pcap_header header = {.big_endian = other,
						 .nanosecond = other,
						 .snaplen = 65535,
						 .link_type = other ? 101 : 1,
						 .fcs_length = -1};

	write_pcap_header(text, &header);
	for (uint64_t n = first; n < first + count; n++)
		build_record(text, &header, (int64_t)n, 1000, captured_of(n), n);
}

static inline void build_pcapng(struct text *text, bool big_endian, uint64_t first, unsigned count)
{
	uint32_t interfaces = 1;
	uint64_t n = first;

	build_shb(text, big_endian);
	build_idb(text, big_endian, 1, 6, 0, "eth0");
	for (; n < first + count; n++) {
		if (n % 31 == 0) {
			big_endian = !big_endian;
			build_shb(text, big_endian);
			build_idb(text, big_endian, 101, 6, 0, NULL);
			build_idb(text, big_endian, 113, 6, 0, NULL);
			interfaces = 2;
		}
		build_epb(text, big_endian, (uint32_t)n % interfaces, n * 1000000, captured_of(n),
			  n, n % 3 ? NULL : "third");
		if (n % 7 == 0)
			build_block(text, big_endian, n % 2 ? 0x1234 : BLOCK_CB, "abcdefgh", 8);
	}
	if (count)
		build_isb(text, big_endian, 0, first);
}

static inline void files_start(struct files *files)
{
	*files = (struct files){0};
	strcpy(files->dir, "/tmp/pktfs-test-XXXXXX");
	assert_non_null(mkdtemp(files->dir));
}

static inline void files_end(struct files *files)
{
	while (files->count > 0) {
		unlink(files->paths[--files->count]);
		free(files->paths[files->count]);
	}
	rmdir(files->dir);
}

static inline void append_to(const char *path, const void *bytes, size_t size)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
}

static inline void add_bytes(struct files *files, const void *bytes, size_t size)
{
	char **path = &files->paths[files->count++];

	assert_true(files->count <= MAX_FILES);
	assert_true(asprintf(path, "%s/%02u", files->dir, files->count) > 0);
	append_to(*path, bytes, size);
}

static inline void add_zstd(struct files *files, const struct text *text)
{
	size_t bound = ZSTD_compressBound(text->size), size;
	_cleanup_free_ char *out = malloc(bound);

	size = ZSTD_compress(out, bound, text->bytes, text->size, 1);
	assert_false(ZSTD_isError(size));
	add_bytes(files, out, size);
}

static inline void add_gzip(struct files *files, const struct text *text)
{
	z_stream z = {.next_in = (Bytef *)text->bytes, .avail_in = (uInt)text->size};
	_cleanup_free_ Bytef *out = malloc(text->size + 1000);

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)text->size + 1000;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	add_bytes(files, out, z.total_out);
	deflateEnd(&z);
}

/* One more file with the next `count` packets; `how`: plain, zstd, gzip. */
static inline void add(struct files *files, enum kind kind, unsigned count, unsigned how)
{
	_cleanup_(text_free) struct text text = {0};

	if (kind == PCAP || kind == PCAP_BIG_NANO)
		build_pcap(&text, kind == PCAP_BIG_NANO, files->packets + 1, count);
	else
		build_pcapng(&text, kind == PCAPNG_BIG, files->packets + 1, count);
	files->packets += count;
	if (how == 0)
		add_bytes(files, text.bytes, text.size);
	else if (how == 1)
		add_zstd(files, &text);
	else
		add_gzip(files, &text);
}

static inline pktfs_capture *open_files(const struct files *files, unsigned flags)
{
	const struct pktfs_open_options options = {.flags = flags};
	struct pktfs_error error;
	pktfs_capture *capture;

	if (pktfs_open_files((const char *const *)files->paths, files->count, &options, &capture,
			     &error) < 0)
		fail_msg("open: %s", error.text);
	return capture;
}

static inline void wait_all(pktfs_capture *capture)
{
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
}

static inline void check_packet(pktfs_capture *capture, uint64_t number)
{
	struct pktfs_packet packet;
	struct pktfs_error error;

	if (pktfs_packet_get(capture, number, &packet, &error) < 0)
		fail_msg("packet %llu: %s", (unsigned long long)number, error.text);
	check_bytes(&packet, number);
	assert_int_equal(pktfs_packet_release(&packet), 0);
}

#endif
