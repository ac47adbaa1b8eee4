/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small captures in memory, for tests: a capture is a text buffer that these
 * functions append to, with the encoders of src/write.
 */
#ifndef TEST_BUILD_H
#define TEST_BUILD_H

#include <string.h>

#include "format/format.h"
#include "write/write_encode.h"

static inline void build_shb(struct text *text, bool big_endian)
{
	write_shb(text, big_endian, (struct pktfs_options){0}, NULL);
}

/* An SHB of any version. */
__attribute__((unused)) static void build_shb_version(struct text *text, bool big_endian,
						      uint16_t major, uint16_t minor)
{
	size_t at = write_block_begin(text, BLOCK_SHB, big_endian);

	text_u32(text, 0x1a2b3c4d, big_endian);
	text_u16(text, major, big_endian);
	text_u16(text, minor, big_endian);
	text_u64(text, UINT64_MAX, big_endian);
	write_block_end(text, at, big_endian);
}

__attribute__((unused)) static void build_idb(struct text *text, bool big_endian,
					      uint16_t link_type, uint8_t resolution,
					      uint32_t snaplen, const char *name)
{
	size_t at = write_block_begin(text, BLOCK_IDB, big_endian);

	text_u16(text, link_type, big_endian);
	text_u16(text, 0, big_endian);
	text_u32(text, snaplen, big_endian);
	if (name)
		write_option(text, 2, name, strlen(name), big_endian);
	if (resolution != 6)
		write_option(text, 9, &resolution, 1, big_endian);
	if (name || resolution != 6)
		write_options_end(text, big_endian);
	write_block_end(text, at, big_endian);
}

/* The byte at `at` of test packet `seed`. */
static inline uint8_t build_byte(uint64_t seed, uint32_t at)
{
	return (uint8_t)(seed * 131 + at * 7 + (seed >> 8));
}

__attribute__((unused)) static void build_data(struct text *text, uint64_t seed, uint32_t size)
{
	uint8_t *at = text_grow(text, size);
	uint32_t i;

	for (i = 0; at && i < size; i++)
		at[i] = build_byte(seed, i);
}

/* An EPB whose data are build_byte(seed, ...), with a comment if there is one. */
__attribute__((unused)) static void build_epb(struct text *text, bool big_endian,
					      uint32_t interface, uint64_t ticks, uint32_t captured,
					      uint64_t seed, const char *comment)
{
	size_t at = write_block_begin(text, BLOCK_EPB, big_endian);

	text_u32(text, interface, big_endian);
	text_u32(text, (uint32_t)(ticks >> 32), big_endian);
	text_u32(text, (uint32_t)ticks, big_endian);
	text_u32(text, captured, big_endian);
	text_u32(text, captured + 10, big_endian);
	build_data(text, seed, captured);
	text_zeros(text, util_pad4(captured) - captured);
	if (comment) {
		write_option(text, 1, comment, strlen(comment), big_endian);
		write_options_end(text, big_endian);
	}
	write_block_end(text, at, big_endian);
}

__attribute__((unused)) static void build_isb(struct text *text, bool big_endian,
					      uint32_t interface, uint64_t received)
{
	size_t at = write_block_begin(text, BLOCK_ISB, big_endian);
	struct text value = {0};

	text_u32(text, interface, big_endian);
	text_u64(text, 0, big_endian);
	text_u64(&value, received, big_endian);
	write_option(text, 4, value.bytes, value.size, big_endian);
	write_options_end(text, big_endian);
	write_block_end(text, at, big_endian);
	text_free(&value);
}

/* A block of any type with `size` bytes of body. */
__attribute__((unused)) static void build_block(struct text *text, bool big_endian, uint32_t type,
						const void *body, size_t size)
{
	size_t at = write_block_begin(text, type, big_endian);

	text_append(text, body, size);
	text_zeros(text, util_pad4(size) - size);
	write_block_end(text, at, big_endian);
}

/* A record of a pcap file. */
__attribute__((unused)) static void build_record(struct text *text,
						 const struct write_pcap_header *header,
						 int64_t sec, uint32_t nsec, uint32_t captured,
						 uint64_t seed)
{
	write_pcap_record(text, header, (struct pktfs_time){sec, nsec}, captured, captured);
	build_data(text, seed, captured);
}

#endif
