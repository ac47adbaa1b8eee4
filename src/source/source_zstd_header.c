/* SPDX-License-Identifier: BSD-2-Clause */
/* The header of a zstd frame (RFC 8878, section 3.1.1.1). */
#include "source_zstd_private.h"

#include <string.h>

#define DESCRIPTOR_AT  4u
#define SINGLE_SEGMENT 0x20 /* no window descriptor */
#define KEPT_BITS      0x1f /* those that tell of no length */

/* Exponent 13, mantissa 0: SOURCE_FRAME_LIMIT. */
#define WINDOW_OF_LIMIT (13 << 3)
_Static_assert(SOURCE_FRAME_LIMIT == UINT64_C(1) << (10 + 13), "");

static unsigned length_size(uint8_t descriptor)
{
	static const uint8_t sizes[] = {0, 2, 4, 8};

	return descriptor >> 6 ? sizes[descriptor >> 6] : descriptor >> 5 & 1;
}

static unsigned dictionary_size(uint8_t descriptor)
{
	static const uint8_t sizes[] = {0, 1, 2, 4};

	return sizes[descriptor & 3];
}

static unsigned dictionary_at(uint8_t descriptor)
{
	return descriptor & SINGLE_SEGMENT ? DESCRIPTOR_AT + 1 : DESCRIPTOR_AT + 2;
}

unsigned source_zstd_header_size(const uint8_t *bytes)
{
	uint8_t descriptor = bytes[DESCRIPTOR_AT];

	return dictionary_at(descriptor) + dictionary_size(descriptor) + length_size(descriptor);
}

static uint64_t little_endian(const uint8_t *bytes, unsigned size)
{
	uint64_t number = 0;

	while (size-- > 0)
		number = number << 8 | bytes[size];
	return number;
}

/* Section 3.1.1.1.2: an exponent, and eighths. */
static uint64_t window_size(const uint8_t *bytes)
{
	uint8_t window = bytes[DESCRIPTOR_AT + 1];
	uint64_t base = UINT64_C(1) << (10 + (window >> 3));

	return bytes[DESCRIPTOR_AT] & SINGLE_SEGMENT ? 0 : base + base / 8 * (window & 7);
}

/* The same header without a length, and with a window for all that a frame may
 * give that is decompressed on demand. */
static void drop_length(const uint8_t *bytes, struct zstd_header *header)
{
	uint8_t descriptor = bytes[DESCRIPTOR_AT];
	unsigned dictionary = dictionary_size(descriptor);

	memcpy(header->open, bytes, DESCRIPTOR_AT);
	header->open[DESCRIPTOR_AT] = descriptor & KEPT_BITS;
	header->open[DESCRIPTOR_AT + 1] = WINDOW_OF_LIMIT;
	memcpy(header->open + DESCRIPTOR_AT + 2, bytes + dictionary_at(descriptor), dictionary);
	header->open_size = DESCRIPTOR_AT + 2 + dictionary;
}

struct zstd_header source_zstd_header(const uint8_t *bytes)
{
	uint8_t descriptor = bytes[DESCRIPTOR_AT];
	unsigned lengths = length_size(descriptor), dictionary = dictionary_at(descriptor);
	struct zstd_header header = {
		.size = source_zstd_header_size(bytes),
		.has_checksum = descriptor & 4,
		.has_length = lengths > 0,
		.window = window_size(bytes),
		.dictionary =
			(uint32_t)little_endian(bytes + dictionary, dictionary_size(descriptor)),
	};

	header.length = little_endian(bytes + header.size - lengths, lengths);
	if (lengths == 2)
		header.length += 256;
	if (header.has_length && header.length <= SOURCE_FRAME_LIMIT) {
		drop_length(bytes, &header);
	} else {
		memcpy(header.open, bytes, header.size);
		header.open_size = header.size;
	}
	return header;
}
