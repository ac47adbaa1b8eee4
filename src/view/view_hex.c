/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packets/N.hex: what text2pcap and Wireshark's "Import from Hex Dump" read.
 *
 *	000000 ff ff ff ff ff ff 00 11 22 33 44 55 08 06 00 01
 *	000010 08 00 06 04
 *
 * No letters behind the bytes: a reader may take "ab cd" there for bytes. The
 * offset has 6 digits, or 8 in a packet above 16 MiB, so each line but the
 * last has the same length and any part is made without the rest. A packet
 * without bytes is one line that holds the offset.
 */
#include <string.h>

#include "view_private.h"

#define LINE_BYTES 16u
#define LINE_ROOM  (8 + 3 * LINE_BYTES + 1)

static unsigned digits_of(uint32_t length)
{
	return length > (1u << 24) ? 8 : 6;
}

/* The length of a line that holds `count` bytes. */
static size_t line_length(unsigned digits, size_t count)
{
	return digits + 3 * count + 1;
}

static uint64_t hex_size(uint32_t length)
{
	unsigned digits = digits_of(length);
	uint64_t size = (uint64_t)(length / LINE_BYTES) * line_length(digits, LINE_BYTES);

	if (length % LINE_BYTES || !length)
		size += line_length(digits, length % LINE_BYTES);
	return size;
}

static size_t make_line(char line[LINE_ROOM], unsigned digits, uint32_t offset,
			const uint8_t *bytes, size_t count)
{
	static const char hex[] = "0123456789abcdef";
	char *at = line;
	unsigned i;

	for (i = digits; i--;)
		*at++ = hex[offset >> (4 * i) & 15];
	for (i = 0; i < count; i++) {
		*at++ = ' ';
		*at++ = hex[bytes[i] >> 4];
		*at++ = hex[bytes[i] & 15];
	}
	*at++ = '\n';
	return (size_t)(at - line);
}

static int dump_size(const struct pktfs_packet *packet, uint64_t *ret)
{
	*ret = hex_size(packet->captured_length);
	return 0;
}

static size_t dump_copy(const struct pktfs_packet *packet, uint64_t offset, uint8_t *bytes,
			size_t room)
{
	uint32_t length = packet->captured_length;
	unsigned digits = digits_of(length);
	size_t whole = line_length(digits, LINE_BYTES), skip = offset % whole;
	size_t copied = 0, made, count;
	uint64_t at = offset / whole * LINE_BYTES;
	char line[LINE_ROOM];

	while (copied < room && (at < length || !length)) {
		made = make_line(line, digits, (uint32_t)at, packet->data + at,
				 MIN(LINE_BYTES, length - (uint32_t)at));
		count = MIN(made - skip, room - copied);
		memcpy(bytes + copied, line + skip, count);
		copied += count;
		skip = 0;
		at += LINE_BYTES;
		if (!length)
			break;
	}
	return copied;
}

static const struct view_form dump = {dump_size, dump_copy};

static int hex_attributes(struct view *view, uint64_t node, struct view_attributes *ret)
{
	return view_form_attributes(view, node, &dump, ret);
}

static int64_t hex_read(struct view *view, uint64_t node, uint64_t offset, void *bytes, size_t size)
{
	return view_form_read(view, node, &dump, offset, bytes, size);
}

const struct view_kind view_kind_packet_hex = {
	.attributes = hex_attributes,
	.read = hex_read,
};
