/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures that a test writes while they are open: what is in each prefix of
 * them, and how to append and compare.
 */
#ifndef TEST_CAPTURE_GROWING_H
#define TEST_CAPTURE_GROWING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "pktfs/capture.h"
#include "test_build.h"
#include "test_numbered.h"
#include "util/util_base.h"

#define MAX_RECORDS 4096

/* A capture in memory, with what is known of each prefix that ends between two
 * records. */
struct plan {
	struct text text;
	unsigned records;
	struct known {
		size_t end;
		uint64_t packets, metadata, sections, interfaces, statistics;
	} at[MAX_RECORDS + 1]; /* [0]: the head */
};

static inline void mark(struct plan *plan, unsigned packets, unsigned metadata, unsigned sections,
		 unsigned interfaces)
{
	struct known *known = &plan->at[++plan->records];

	assert_true(plan->records <= MAX_RECORDS);
	*known = known[-1];
	known->end = plan->text.size;
	known->packets += packets;
	known->metadata += metadata;
	known->sections += sections;
	known->interfaces += interfaces;
}

static inline void plan_pcap(struct plan *plan, bool big_endian, bool nanosecond, unsigned count)
{
	const struct write_pcap_header header = {.big_endian = big_endian,
						 .nanosecond = nanosecond,
						 .snaplen = 65535,
						 .link_type = 1,
						 .fcs_length = -1};
	uint64_t n;

	write_pcap_header(&plan->text, &header);
	plan->at[0] = (struct known){.end = plan->text.size, .sections = 1, .interfaces = 1};
	for (n = 1; n <= count; n++) {
		build_record(&plan->text, &header, (int64_t)n, 1000, captured_of(n), n);
		mark(plan, 1, 0, 0, 0);
	}
}

/* Packets, and now and then a section, an interface, statistics and a block
 * that nobody knows. */
static inline void plan_pcapng(struct plan *plan, bool big_endian, unsigned count)
{
	struct text *text = &plan->text;
	unsigned interfaces = 0;
	uint64_t n = 0;

	build_shb(text, big_endian);
	plan->at[0] = (struct known){.end = text->size, .metadata = 1, .sections = 1};
	for (unsigned i = 0; i < count; i++) {
		if (i % 40 == 39) {
			big_endian = !big_endian;
			interfaces = 0;
			build_shb(text, big_endian);
			mark(plan, 0, 1, 1, 0);
		} else if (interfaces == 0 || i % 17 == 5) {
			build_idb(text, big_endian, (uint16_t)(interfaces ? 101 : 1), 6, 0, "eth");
			mark(plan, 0, 1, 0, 1);
			interfaces++;
		} else if (i % 13 == 7) {
			build_isb(text, big_endian, 0, i);
			mark(plan, 0, 1, 0, 0);
			plan->at[plan->records].statistics = i;
		} else if (i % 13 == 9) {
			build_block(text, big_endian, 0x1234, "whatever", 8);
			mark(plan, 0, 1, 0, 0);
		} else {
			n++;
			build_epb(text, big_endian, (uint32_t)(n % interfaces), n * 1000000 + 1,
				  captured_of(n), n, n % 5 ? NULL : "comment");
			mark(plan, 1, 0, 0, 0);
		}
	}
}

/* What a prefix of `size` bytes holds. */
static inline const struct known *known_at(const struct plan *plan, size_t size)
{
	unsigned i = plan->records;

	while (i > 0 && plan->at[i].end > size)
		i--;
	return &plan->at[i];
}

/* A capture file that the test appends to. */
struct growing {
	const struct plan *plan;
	char path[32];
	int fd;
	size_t size;
	pktfs_capture *capture;
};

static inline void append(struct growing *g, size_t size)
{
	assert_int_equal(pwrite(g->fd, g->plan->text.bytes + g->size, size - g->size,
				(off_t)g->size), (ssize_t)(size - g->size));
	g->size = size;
}

static inline void growing_open(struct growing *g, const struct plan *plan, size_t size,
				unsigned flags)
{
	const struct pktfs_open_options options = {.flags = PKTFS_OPEN_GROWING | flags};
	struct pktfs_error error;

	*g = (struct growing){.plan = plan};
	strcpy(g->path, "/tmp/pktfs-test-XXXXXX");
	g->fd = mkstemp(g->path);
	assert_true(g->fd >= 0);
	append(g, size);
	if (pktfs_open(g->path, &options, &g->capture, &error) < 0)
		fail_msg("open: %s", error.text);
}

static inline void growing_close(struct growing *g)
{
	pktfs_close(g->capture);
	close(g->fd);
	unlink(g->path);
}

static inline void grow_to(struct growing *g, size_t size)
{
	append(g, size);
	assert_int_equal(pktfs_grow(g->capture), 1);
	assert_int_equal(pktfs_wait_offset(g->capture, size, 10000), 0);
}

static inline void check_packet(pktfs_capture *capture, uint64_t number)
{
	struct pktfs_packet packet;
	struct pktfs_error error;

	if (pktfs_packet_try(capture, number, &packet, &error) < 0)
		fail_msg("packet %llu: %s", (unsigned long long)number, error.text);
	check_bytes(&packet, number);
	assert_int_equal(pktfs_packet_release(&packet), 0);
}

/* What is published is what the first `size` bytes hold. */
static inline void check_status(struct growing *g, size_t size)
{
	const struct known *known = known_at(g->plan, size);
	const bool whole = known->end == size;
	struct pktfs_status status;
	struct pktfs_packet packet;
	struct pktfs_error error;

	pktfs_status_get(g->capture, &status);
	assert_int_equal(status.state, whole ? PKTFS_STATE_COMPLETE : PKTFS_STATE_TRUNCATED);
	assert_int_equal(status.problems, !whole);
	assert_int_equal(pktfs_problem_get(g->capture, 0, &error), whole ? -ENOENT : 0);
	if (!whole)
		assert_int_equal(error.offset, known->end);
	assert_int_equal(pktfs_problem_get(g->capture, 1, &error), -ENOENT);
	assert_int_equal(status.packets, known->packets);
	assert_int_equal(status.metadata, known->metadata);
	assert_int_equal(status.blocks, known->metadata ? known->packets + known->metadata : 0);
	assert_int_equal(status.sections, known->sections);
	assert_int_equal(status.interfaces, known->interfaces);
	assert_int_equal(status.indexed_bytes, known->end);
	assert_int_equal(status.file_size, size);
	assert_true(status.growing);
	assert_int_equal(pktfs_packet_try(g->capture, known->packets + 1, &packet, NULL), -ENOENT);
	assert_int_equal(pktfs_packet_get(g->capture, known->packets + 1, &packet, NULL), -ENOENT);
	assert_int_equal(pktfs_wait(g->capture, known->packets + 1, -1), 0);
	if (known->packets)
		check_packet(g->capture, known->packets);
}

#endif
