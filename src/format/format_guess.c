/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guesses where a record begins in the middle of a capture: where a few records
 * in a row would make sense. A wrong guess costs time, no more.
 */
#include "format_private.h"
#include "format_scan.h"

/* Records in a row that have to look right. */
#define GUESS_PCAP_CHAIN   4u
#define GUESS_PCAPNG_CHAIN 3u

/* The times of packets near each other differ by no more than this. */
#define GUESS_SECONDS (7u * 86400u)

#define GUESS_INTERFACE_MAX 0xffffu

/* Looked at before that is enough: what is made to look like records costs no
 * more time than this. */
#define GUESS_TRIES 64u

/* How long the record at the start of `window` would be; 0: it is none. */
static uint64_t record_at(const struct format *format, struct cursor window, uint32_t near)
{
	const uint8_t *bytes = cursor_take(&window, format->record_header);
	uint32_t captured;

	if (!bytes ||
	    bytes_u32(bytes, format->big_endian) - near + GUESS_SECONDS > 2 * GUESS_SECONDS ||
	    bytes_u32(bytes + 4, format->big_endian) >= 1000000000u)
		return 0;
	captured = bytes_u32(bytes + 8, format->big_endian);
	if (captured > FORMAT_GUESS_RANGE || captured > bytes_u32(bytes + 12, format->big_endian))
		return 0;
	return cursor_skip(&window, captured) ? format->record_header + captured : 0;
}

/* The same of a block; the first of a row has to be a packet. */
static uint64_t block_at(const struct format_walk *walk, struct cursor window, bool first)
{
	const uint8_t *bytes = window.bytes;
	uint32_t length;

	if (window.left < PACKET_FIXED_SIZE + BLOCK_TRAILER_SIZE)
		return 0;
	if (first && (bytes_u32(bytes, walk->big_endian) != BLOCK_EPB ||
		      bytes_u32(bytes + 8, walk->big_endian) > GUESS_INTERFACE_MAX))
		return 0;
	length = bytes_u32(bytes + 4, walk->big_endian);
	if (length < BLOCK_MIN_SIZE || length > FORMAT_GUESS_RANGE || length % 4 ||
	    !cursor_skip(&window, length) ||
	    bytes_u32(bytes + length - BLOCK_TRAILER_SIZE, walk->big_endian) != length)
		return 0;
	return length;
}

static bool is_chain(const struct format_walk *walk, struct cursor window, uint32_t near)
{
	const bool pcapng = walk->format->kind == FORMAT_PCAPNG;
	const unsigned count = pcapng ? GUESS_PCAPNG_CHAIN : GUESS_PCAP_CHAIN;
	uint64_t length;
	unsigned i;

	for (i = 0; i < count; i++) {
		length = pcapng ? block_at(walk, window, i == 0)
				: record_at(walk->format, window, near);
		if (!length)
			return false;
		cursor_skip(&window, length);
	}
	return true;
}

/* Places that are worth a closer look: one comparison for each of them. */
static size_t next_candidate(const struct format_walk *walk, struct cursor window, size_t at,
			     size_t end, uint32_t near)
{
	const uint8_t *bytes = window.bytes;
	uint32_t seconds;

	if (walk->format->kind == FORMAT_PCAPNG) {
		while (at < end && bytes_u32(bytes + at, walk->big_endian) != BLOCK_EPB)
			at += 4;
		return at;
	}
	for (; at < end; at++) {
		seconds = bytes_u32(bytes + at, walk->format->big_endian);
		if (unlikely(seconds - near + GUESS_SECONDS <= 2 * GUESS_SECONDS))
			break;
	}
	return at;
}

bool format_guess(const struct format_walk *walk, struct cursor window, uint64_t distance,
		  uint32_t seconds, size_t *ret)
{
	const bool pcapng = walk->format->kind == FORMAT_PCAPNG;
	size_t at = pcapng ? (4 - distance % 4) % 4 : 0, end;
	unsigned tries;

	*ret = window.left;
	if (window.left < PACKET_FIXED_SIZE)
		return false;
	end = MIN(window.left - PACKET_FIXED_SIZE, FORMAT_GUESS_RANGE);
	for (tries = 0; tries < GUESS_TRIES; tries++) {
		struct cursor rest = window;

		at = next_candidate(walk, window, at, end, seconds);
		*ret = at;
		if (at >= end)
			return false;
		cursor_skip(&rest, at);
		if (is_chain(walk, rest, seconds))
			return true;
		at += pcapng ? 4 : 1;
	}
	return false;
}
