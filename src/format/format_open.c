/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which format a file has, by its first bytes, and the dispatch to the code
 * for that format.
 */
#include "format.h"

#include <inttypes.h>

#include "format_private.h"

struct magic {
	uint32_t number;
	enum format_kind kind;
};

/* As numbers: the byte order of the file is the one in which they read so.
 * (The list of octet sequences in the pcap draft, "File Endian Information",
 * has little and big endian interchanged; its "Magic Number" text is right.) */
static const struct magic magics[] = {
	{PCAP_MAGIC_MICROSECOND, FORMAT_PCAP},
	{PCAP_MAGIC_NANOSECOND, FORMAT_PCAP},
	{PCAP_MAGIC_MODIFIED, FORMAT_PCAP_MODIFIED},
};

static _cold_ int too_short(struct cursor head, struct pktfs_error *ret_error)
{
	return error_at(ret_error, -ENODATA, head.left,
			"file header: found %zu bytes; at least 4 wanted; " FORMAT_ACCEPTED,
			head.left);
}

/* Fewer bytes than a magic has, but all of them fit one. */
static bool starts_like_capture(struct cursor head)
{
	static const uint8_t starts[][3] = {
		{0xd4, 0xc3, 0xb2}, {0xa1, 0xb2, 0xc3}, {0x4d, 0x3c, 0xb2}, {0xa1, 0xb2, 0x3c},
		{0x34, 0xcd, 0xb2}, {0xa1, 0xb2, 0xcd}, {0x0a, 0x0d, 0x0d},
	};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (!memcmp(head.bytes, starts[i], head.left))
			return true;
	return false;
}

static int open_pcapng(struct format *ret, struct cursor head, struct pktfs_error *ret_error)
{
	const uint8_t *bytes = cursor_take(&head, BLOCK_MIN_SIZE);
	int order;

	if (!bytes)
		return error_at(ret_error, -ENODATA, head.left,
				"pcapng section header: found %zu bytes; at least %u wanted",
				head.left, SHB_FIXED_SIZE + BLOCK_TRAILER_SIZE);
	order = format_byte_order(bytes + 8, PCAPNG_BYTE_ORDER_MAGIC);
	if (order < 0)
		return error_at(ret_error, -EBADMSG, 8,
				"pcapng byte-order magic at offset 8: found 0x%08" PRIx32
				"; accepted 0x%08" PRIx32 " in either byte order",
				bytes_u32(bytes + 8, false), PCAPNG_BYTE_ORDER_MAGIC);
	*ret = (struct format){
		.kind = FORMAT_PCAPNG,
		.big_endian = order > 0,
		.fcs_length = -1,
	};
	return 0;
}

int format_open(struct format *ret, struct cursor head, struct pktfs_error *ret_error)
{
	uint8_t copy[FORMAT_HEAD_SIZE]; /* mapped bytes may change while we look */
	struct cursor c;

	if (head.left)
		memcpy(copy, head.bytes, MIN(head.left, sizeof(copy)));
	head = cursor_over(copy, MIN(head.left, sizeof(copy)), false);
	if (!head.left)
		return too_short(head, ret_error);
	c = head;
	if (!cursor_skip(&c, sizeof(uint32_t)))
		return starts_like_capture(head) ? too_short(head, ret_error)
						 : format_not_a_capture(head, ret_error);
	if (format_byte_order(copy, BLOCK_SHB) >= 0)
		return open_pcapng(ret, head, ret_error);
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (format_byte_order(copy, magics[i].number) >= 0)
			return format_pcap_open(ret, head, magics[i].kind, ret_error);
	return format_not_a_capture(head, ret_error);
}

void format_walk_start(struct format_walk *walk, const struct format *format)
{
	*walk = (struct format_walk){
		.format = format,
		.big_endian = format->big_endian,
	};
	if (format->kind != FORMAT_PCAPNG) {
		walk->in_section = true;
		walk->interfaces = 1;
	}
}

int format_step_at(struct format_walk *walk, const struct cursor *window, uint64_t offset,
		   struct format_record *ret, uint64_t *ret_need, struct pktfs_error *ret_error)
{
	if (walk->format->kind == FORMAT_PCAPNG)
		return format_pcapng_step(walk, window, offset, ret, ret_need, ret_error);
	return format_pcap_step(walk->format, window, offset, ret, ret_need, ret_error);
}

_cold_ int format_need(uint64_t offset, size_t found, uint64_t need, uint64_t *ret_need,
		       struct pktfs_error *ret_error)
{
	if (ret_need)
		*ret_need = need;
	return error_at(ret_error, -EAGAIN, offset,
			"record at offset %" PRIu64 ": found %zu bytes; %" PRIu64 " wanted", offset,
			found, need);
}
