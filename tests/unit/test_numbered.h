/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets whose length, time and bytes follow from their number. */
#ifndef TEST_NUMBERED_H
#define TEST_NUMBERED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pktfs/capture.h"
#include "test_build.h"

static inline uint32_t captured_of(uint64_t number)
{
	return (uint32_t)(number * 37 % 151);
}

static inline void check_bytes(const struct pktfs_packet *packet, uint64_t number)
{
	assert_int_equal(packet->number, number);
	assert_int_equal(packet->captured_length, captured_of(number));
	assert_int_equal(packet->time.sec, number);
	for (uint32_t i = 0; i < packet->captured_length; i++)
		assert_int_equal(packet->data[i], build_byte(number, i));
}

#endif
