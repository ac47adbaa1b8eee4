/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures in files with indexes that were saved, for tests. */
#ifndef TEST_INDEX_SAVED_H
#define TEST_INDEX_SAVED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pktfs/index.h"
#include "same_capture.h"
#include "test_build.h"

struct kept {
	char path[32]; /* of the capture */
	int fd;        /* of it */
	int index;     /* what was saved; -1: nothing */
};

static inline void put_file(int fd, const void *bytes, size_t size)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, bytes, size, 0), (ssize_t)size);
}

static inline void kept_begin(struct kept *kept, const void *bytes, size_t size)
{
	*kept = (struct kept){.index = -1};
	strcpy(kept->path, "/tmp/pktfs-test-XXXXXX");
	kept->fd = mkstemp(kept->path);
	assert_true(kept->fd >= 0);
	put_file(kept->fd, bytes, size);
}

static inline void kept_end(struct kept *kept)
{
	close(kept->fd);
	util_close(kept->index);
	unlink(kept->path);
}

static inline pktfs_capture *kept_open(const struct kept *kept, unsigned flags)
{
	const struct pktfs_open_options options = {
		.flags = flags | (kept->index >= 0 ? PKTFS_OPEN_INDEX : 0),
		.index_fd = kept->index};
	struct pktfs_error error;
	pktfs_capture *capture;

	if (pktfs_open(kept->path, &options, &capture, &error) < 0)
		fail_msg("open: %s", error.text);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	return capture;
}

static inline int new_file(void)
{
	int fd = memfd_create("index", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static inline void kept_save_of(struct kept *kept, pktfs_capture *capture)
{
	struct pktfs_error error;
	int fd = new_file();

	if (pktfs_index_save(capture, fd, &error) < 0)
		fail_msg("save: %s", error.text);
	util_close(kept->index);
	kept->index = fd;
}

static inline void kept_save(struct kept *kept)
{
	pktfs_capture *capture = kept_open(kept, 0);

	kept_save_of(kept, capture);
	pktfs_close(capture);
}

static inline enum pktfs_index_use use_of(pktfs_capture *capture)
{
	struct pktfs_index_status status;

	pktfs_index_status_get(capture, &status);
	return status.use;
}

/* Opened with what was saved it is as it is without. */
static inline void check_same(struct kept *kept, enum pktfs_index_use use)
{
	pktfs_capture *with = kept_open(kept, 0), *without;
	struct pktfs_index_status status;
	const char *differs;
	struct kept bare = *kept;

	pktfs_index_status_get(with, &status);
	if (status.use != use)
		fail_msg("use %d in place of %d: %s", status.use, use, status.reason.text);
	bare.index = -1;
	without = kept_open(&bare, 0);
	differs = same_capture(with, without);
	if (differs)
		fail_msg("differ: %s", differs);
	assert_int_equal(use_of(with), use);
	pktfs_close(with);
	pktfs_close(without);
}

/* Many records of every kind, in sections of both byte orders. */
static inline void build_varied(struct text *text, unsigned count)
{
	bool big_endian = false;
	unsigned interfaces = 0;

	for (unsigned i = 0; i < count; i++) {
		if (i % 211 == 0) {
			big_endian = i / 211 & 1;
			if (i % 633 == 422)
				build_shb_version(text, big_endian, 9, 0);
			else
				build_shb(text, big_endian);
			interfaces = 0;
		} else if (interfaces == 0 || i % 71 == 5) {
			build_idb(text, big_endian, (uint16_t)(i % 3 ? 1 : 101), i % 2 ? 9 : 6, 0,
				  "eth");
			interfaces++;
		} else if (i % 53 == 7) {
			build_isb(text, big_endian, 0, i);
		} else if (i % 31 == 3) {
			build_block(text, big_endian, i % 2 ? 0x1234 : BLOCK_CB, "whatever", 8);
		} else if (i % 101 == 50) { /* of an interface that is not there */
			build_epb(text, big_endian, 1000, i, 20, i, NULL);
		} else {
			build_epb(text, big_endian, i % interfaces,
				  UINT64_C(1700000000000000) + i * 997 % 5000, i * 37 % 90, i,
				  i % 5 ? NULL : "comment");
		}
	}
	assert_int_equal(text->failed, 0);
}

static inline void build_plain_pcap(struct text *text, bool big_endian, unsigned count)
{
	const struct write_pcap_header header = {.big_endian = big_endian,
						 .nanosecond = big_endian,
						 .snaplen = 65535,
						 .link_type = 1,
						 .fcs_length = -1};

	write_pcap_header(text, &header);
	for (unsigned i = 0; i < count; i++)
		build_record(text, &header, 1000 + i * 31 % 500, 1000 * (i % 1000), i * 29 % 200,
			     i);
	assert_int_equal(text->failed, 0);
}

#endif
