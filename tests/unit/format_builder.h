/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds small captures by hand, for the tests of the format module: not with
 * our own writer, which could share a misunderstanding with the reader.
 *
 *	struct build b = {.big_endian = true};
 *	build_shb(&b, 1, 0);
 *	build_idb(&b, 1, 0);
 *	size_t at = build_block(&b, BLOCK_EPB);
 *	build_u32(&b, 0); ...
 *	build_end(&b, at);
 */
#ifndef FORMAT_BUILDER_H
#define FORMAT_BUILDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/format.h"
#include "pktfs/capture.h"

struct build {
	uint8_t bytes[8192];
	size_t size;
	bool big_endian;
};

static inline void build_bytes(struct build *b, const void *bytes, size_t size)
{
	assert_true(b->size + size <= sizeof(b->bytes));
	memcpy(b->bytes + b->size, bytes, size);
	b->size += size;
}

static inline void build_number(struct build *b, uint64_t number, unsigned size)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < size; i++)
		bytes[i] = (uint8_t)(number >> 8 * (b->big_endian ? size - 1 - i : i));
	build_bytes(b, bytes, size);
}

static inline void build_u16(struct build *b, uint16_t number)
{
	build_number(b, number, 2);
}

static inline void build_u32(struct build *b, uint32_t number)
{
	build_number(b, number, 4);
}

static inline void build_u64(struct build *b, uint64_t number)
{
	build_number(b, number, 8);
}

static inline void build_pad(struct build *b)
{
	while (b->size % 4)
		build_number(b, 0, 1);
}

static inline void build_data(struct build *b, size_t size)
{
	for (size_t i = 0; i < size; i++)
		build_number(b, 0xd0 + i % 16, 1);
}

static inline size_t build_block(struct build *b, uint32_t type)
{
	size_t at = b->size;

	build_u32(b, type);
	build_u32(b, 0);
	return at;
}

static inline void build_end(struct build *b, size_t at)
{
	struct build length = {.big_endian = b->big_endian};

	build_pad(b);
	build_u32(&length, (uint32_t)(b->size - at + 4));
	memcpy(b->bytes + at + 4, length.bytes, 4);
	build_bytes(b, length.bytes, 4);
}

static inline void build_option(struct build *b, uint16_t code, const void *value, uint16_t size)
{
	build_u16(b, code);
	build_u16(b, size);
	build_bytes(b, value, size);
	build_pad(b);
}

static inline void build_shb(struct build *b, uint16_t major, uint16_t minor)
{
	size_t at = build_block(b, BLOCK_SHB);

	build_u32(b, 0x1a2b3c4d);
	build_u16(b, major);
	build_u16(b, minor);
	build_u64(b, UINT64_MAX);
	build_end(b, at);
}

static inline void build_idb(struct build *b, uint16_t link_type, uint32_t snaplen)
{
	size_t at = build_block(b, BLOCK_IDB);

	build_u16(b, link_type);
	build_u16(b, 0);
	build_u32(b, snaplen);
	build_end(b, at);
}

/* A section with one interface, ready for the block under test. */
static inline struct build build_section(bool big_endian, uint32_t snaplen)
{
	struct build b = {.big_endian = big_endian};

	build_shb(&b, 1, 0);
	build_idb(&b, 1, snaplen);
	return b;
}

/* Begins an EPB, up to its data. */
static inline size_t build_epb(struct build *b, uint32_t interface, uint64_t ticks,
			       uint32_t captured, uint32_t original)
{
	size_t at = build_block(b, BLOCK_EPB);

	build_u32(b, interface);
	build_u32(b, (uint32_t)(ticks >> 32));
	build_u32(b, (uint32_t)ticks);
	build_u32(b, captured);
	build_u32(b, original);
	return at;
}

static inline void build_pcap(struct build *b, uint32_t magic, uint16_t major, uint16_t minor,
			      uint32_t link_type)
{
	build_u32(b, magic);
	build_u16(b, major);
	build_u16(b, minor);
	build_u32(b, 3600); /* reserved, formerly the time zone */
	build_u32(b, 6);
	build_u32(b, 65535);
	build_u32(b, link_type);
}

static inline void build_record(struct build *b, uint32_t seconds, uint32_t fraction,
				uint32_t captured, uint32_t original)
{
	build_u32(b, seconds);
	build_u32(b, fraction);
	build_u32(b, captured);
	build_u32(b, original);
}

/* The last thing that a walk over a whole file met. */
struct walked {
	unsigned packets, metadata, malformed, frames;
	int result; /* 0: the end; or what format_step or format_open said */
	uint64_t at, need;
	struct format_record last;
	struct format_walk walk;
	struct pktfs_error error, malformed_error;
};

/* Walks a copy of exactly `size` bytes, so that a sanitizer sees each byte
 * that is read behind it. */
static inline struct walked walk_over(const uint8_t *bytes, size_t size)
{
	struct walked w = {0};
	struct format format;
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, bytes, size);
	w.result = format_open(&format, cursor_over(copy, MIN(size, FORMAT_HEAD_SIZE), false),
			       &w.error);
	if (!w.result) {
		format_walk_start(&w.walk, &format);
		w.at = format.first_record;
	}
	while (!w.result && w.at < size) {
		struct format_walk before = w.walk;

		w.result = format_step(&w.walk, cursor_over(copy + w.at, size - w.at, false), w.at,
				       &w.last, &w.need, &w.error);
		if (w.result) {
			assert_memory_equal(&before, &w.walk, sizeof(before));
			break;
		}
		assert_true(w.last.length > 0 && w.last.length <= size - w.at);
		assert_int_equal(w.last.offset, w.at);
		if (w.last.class == RECORD_PACKET)
			assert_true(w.last.data_at + (uint64_t)w.last.captured <= w.last.length);
		assert_true((uint64_t)w.last.options_at + w.last.options_size <= w.last.length);
		w.packets += w.last.class == RECORD_PACKET;
		w.metadata += w.last.class == RECORD_METADATA;
		w.malformed += w.last.class == RECORD_MALFORMED;
		w.frames += w.last.frame;
		if (w.last.class == RECORD_MALFORMED)
			w.malformed_error = w.error;
		w.at += w.last.length;
	}
	w.walk.format = NULL; /* it was on our stack */
	free(copy);
	return w;
}

static inline struct walked walk(const struct build *b)
{
	return walk_over(b->bytes, b->size);
}

static inline struct cursor build_cursor(const struct build *b)
{
	return cursor_over(b->bytes, b->size, b->big_endian);
}

#define assert_contains(text, part)                                             \
	do {                                                                    \
		if (!strstr(text, part))                                        \
			fail_msg("\"%s\" does not contain \"%s\"", text, part); \
	} while (0)

#endif
