/* SPDX-License-Identifier: BSD-2-Clause */
/* A small capture for targets whose input is not a file: of two sections and
 * three interfaces, with one of each of the usual blocks. */
#ifndef FUZZ_SAMPLE_H
#define FUZZ_SAMPLE_H

#include <assert.h>
#include <string.h>

#include "pktfs/capture.h"
#include "format/format.h"
#include "write/write_encode.h"

#define SAMPLE_PACKETS 20u

/* Ethernet, IPv4, TCP to port 80, and a request. */
static const uint8_t sample_frame[] =
	"\2\0\0\0\0\1\2\0\0\0\0\2\10\0"
	"\x45\0\0\x3c\0\1\0\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2"
	"\4\0\0\x50\0\0\0\1\0\0\0\0\x50\x18\x20\0\0\0\0\0"
	"GET /password HTTP/1.0\r\n";

static void sample_idb(struct text *text, bool big, uint16_t link_type)
{
	size_t at = write_block_begin(text, BLOCK_IDB, big);

	text_u16(text, link_type, big);
	text_u16(text, 0, big);
	text_u32(text, 0, big);
	write_option(text, 2, "eth0", 4, big);
	write_option(text, 9, "\t", 1, big);
	write_options_end(text, big);
	write_block_end(text, at, big);
}

static void sample_epb(struct text *text, bool big, unsigned number)
{
	const uint64_t ticks = UINT64_C(1763721127000000000) + number * UINT64_C(7000000003);
	size_t at = write_block_begin(text, BLOCK_EPB, big);
	uint32_t size = number % 5 == 4 ? 0 : (uint32_t)sizeof(sample_frame) - number;

	text_u32(text, big ? 0 : number % 2, big);
	text_u32(text, (uint32_t)(ticks >> 32), big);
	text_u32(text, (uint32_t)ticks, big);
	text_u32(text, size, big);
	text_u32(text, size + number % 3, big);
	text_append(text, sample_frame, size);
	text_zeros(text, -size & 3);
	if (number == 1) {
		write_option(text, 1, "a comment", 9, big);
		write_option(text, 2, "\1\0\0\0", 4, big);
		write_options_end(text, big);
	}
	write_block_end(text, at, big);
}

static void sample_block(struct text *text, uint32_t type, const char *body, size_t size)
{
	size_t at = write_block_begin(text, type, false);

	text_append(text, body, size);
	text_zeros(text, -size & 3);
	write_block_end(text, at, false);
}

static void sample_make(struct text *ret)
{
	const char hosts[] = "\1\0\11\0\300\0\2\1name\0\0\0\0\0\0\0";
	const char keys[] = "KSLT\7\0\0\0secret\n";
	unsigned number;

	write_shb(ret, false, (struct pktfs_options){0}, NULL);
	sample_idb(ret, false, 1);
	sample_idb(ret, false, 1);
	sample_block(ret, BLOCK_NRB, hosts, sizeof(hosts) - 1);
	sample_block(ret, BLOCK_DSB, keys, sizeof(keys) - 1);
	for (number = 1; number <= SAMPLE_PACKETS / 2; number++)
		sample_epb(ret, false, number);
	write_shb(ret, true, (struct pktfs_options){0}, NULL);
	sample_idb(ret, true, 1);
	for (; number <= SAMPLE_PACKETS; number++)
		sample_epb(ret, true, number);
	assert(!ret->failed);
}

/* Its bytes, made once. */
static inline const struct text *sample_bytes(void)
{
	static struct text text;

	if (!text.size)
		sample_make(&text);
	return &text;
}

/* Indexed. */
static inline pktfs_capture *sample_open(void)
{
	const struct text *text = sample_bytes();
	struct pktfs_status status;
	pktfs_capture *capture;
	int r = pktfs_open_buffer(text->bytes, text->size, NULL, &capture, NULL);

	assert(r == 0);
	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	assert(status.state == PKTFS_STATE_COMPLETE && status.packets == SAMPLE_PACKETS);
	return capture;
}

#endif
