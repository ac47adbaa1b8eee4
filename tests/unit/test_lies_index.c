/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures whose index would take more memory than it may: everything before the
 * block that does not fit is there, and the problem says which knob to turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pktfs/capture.h"
#include "test_build.h"

#define MANY 20000u

static pktfs_capture *open_with(const struct text *file, uint64_t memory,
				struct pktfs_status *ret)
{
	const struct pktfs_open_options options = {.memory_bytes = memory};
	pktfs_capture *capture;

	assert_int_equal(pktfs_open_buffer(file->bytes, file->size, &options, &capture, NULL), 0);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	pktfs_status_get(capture, ret);
	return capture;
}

/* Each block is there, each packet can be read, and the end is at the block that
 * the problem names. */
static void check_what_is_there(pktfs_capture *capture, const struct pktfs_status *status)
{
	struct pktfs_interface interface;
	struct pktfs_section section;
	struct pktfs_packet packet;
	struct pktfs_block block;
	struct pktfs_error problem;

	assert_int_equal(status->state, PKTFS_STATE_DAMAGED);
	assert_int_equal(status->problems, 1);
	assert_int_equal(pktfs_problem_get(capture, 0, &problem), 0);
	assert_int_equal(problem.code, -EFBIG);
	assert_true(problem.has_offset && problem.offset == status->indexed_bytes);
	assert_non_null(strstr(problem.text, "-o memory"));
	for (uint64_t i = 0; i < status->metadata; i++) {
		assert_int_equal(pktfs_block_get(capture, i, &block, NULL), 0);
		assert_int_equal(pktfs_block_release(&block), 0);
	}
	assert_int_equal(pktfs_block_get(capture, status->metadata, &block, NULL), -ENOENT);
	for (uint64_t i = 1; i <= status->packets; i++) {
		assert_int_equal(pktfs_packet_get(capture, i, &packet, NULL), 0);
		assert_int_equal(pktfs_packet_release(&packet), 0);
	}
	assert_int_equal(pktfs_interface_get(capture, status->interfaces - 1, &interface, NULL), 0);
	pktfs_interface_release(&interface);
	assert_int_equal(pktfs_interface_get(capture, status->interfaces, &interface, NULL),
			 -ENOENT);
	assert_int_equal(pktfs_section_get(capture, status->sections - 1, &section, NULL), 0);
	pktfs_section_release(&section);
}

static void test_interfaces(void **state)
{
	struct pktfs_status status;
	struct text file = {0};
	pktfs_capture *capture;

	(void)state;
	build_shb(&file, false);
	build_idb(&file, false, 1, 6, 0, NULL);
	build_epb(&file, false, 0, 0, 60, 1, NULL);
	for (unsigned i = 1; i < MANY; i++)
		build_idb(&file, false, 1, 6, 0, NULL);
	build_epb(&file, false, 7, 0, 60, 2, NULL);
	capture = open_with(&file, 1 << 20, &status);
	assert_int_equal(status.packets, 1);
	assert_in_range(status.interfaces, 7000, 9000);
	assert_int_equal(status.metadata, status.interfaces + 1);
	check_what_is_there(capture, &status);
	pktfs_close(capture);
	capture = open_with(&file, 0, &status);
	assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
	assert_int_equal(status.interfaces, MANY);
	assert_int_equal(status.packets, 2);
	pktfs_close(capture);
	text_free(&file);
}

static void test_sections(void **state)
{
	struct pktfs_status status;
	struct text file = {0};
	pktfs_capture *capture;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		build_shb(&file, i & 1);
		build_idb(&file, i & 1, 1, 6, 0, NULL);
		build_epb(&file, i & 1, 0, 0, 60, i, NULL);
	}
	capture = open_with(&file, 1 << 20, &status);
	assert_in_range(status.sections, 5000, 7000);
	check_what_is_there(capture, &status);
	pktfs_close(capture);
	text_free(&file);
}

/* Checkpoints alone: the limit is met between two packets. */
static void test_packets(void **state)
{
	struct pktfs_status status;
	struct text file = {0};
	pktfs_capture *capture;

	(void)state;
	build_shb(&file, false);
	build_idb(&file, false, 1, 6, 0, NULL);
	for (unsigned i = 0; i < MANY; i++)
		build_epb(&file, false, 0, i, 4, i, NULL);
	capture = open_with(&file, 4096, &status);
	assert_in_range(status.packets, 8000, 11000);
	check_what_is_there(capture, &status);
	pktfs_close(capture);
	text_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
