/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocks of pcapng that say something about others: sections, interfaces,
 * statistics; and where in a block its options are.
 */
#include "format.h"

#include <inttypes.h>

#include "format_private.h"
#include "pktfs/capture.h"

#define OPTION_IF_TSRESOL  9
#define OPTION_IF_FCSLEN   13
#define OPTION_IF_TSOFFSET 14

#define RESOLUTION_DEFAULT 6

/* The body of a block; an empty one where it cannot even have a frame. */
static struct cursor body_of(struct cursor block)
{
	struct cursor body = cursor_over(block.bytes, 0, block.big_endian);

	if (cursor_skip(&block, BLOCK_HEADER_SIZE) && block.left >= BLOCK_TRAILER_SIZE)
		cursor_sub(&block, block.left - BLOCK_TRAILER_SIZE, &body);
	return body;
}

/* What is left of a body is its options. */
static struct pktfs_options options_in(struct cursor body)
{
	return (struct pktfs_options){
		.bytes = body.bytes,
		.size = body.left,
		.big_endian = body.big_endian,
	};
}

static struct pktfs_options no_options(struct cursor block)
{
	return (struct pktfs_options){.big_endian = block.big_endian};
}

int format_section(struct cursor block, struct format_section *ret, struct pktfs_error *ret_error)
{
	struct cursor body = body_of(block);
	const uint8_t *bytes = cursor_take(&body, SHB_FIXED_SIZE - BLOCK_HEADER_SIZE);
	uint16_t major, minor;
	int order;

	if (!bytes)
		return error_set(ret_error, -EBADMSG,
				 "section header: found %zu bytes; at least %u", block.left,
				 SHB_FIXED_SIZE + BLOCK_TRAILER_SIZE);
	order = format_byte_order(bytes, PCAPNG_BYTE_ORDER_MAGIC);
	if (order < 0)
		return error_set(ret_error, -EBADMSG,
				 "byte-order magic: found 0x%08" PRIx32 "; accepted 0x%08" PRIx32,
				 bytes_u32(bytes, false), PCAPNG_BYTE_ORDER_MAGIC);
	body.big_endian = order > 0;
	major = bytes_u16(bytes + 4, body.big_endian);
	minor = bytes_u16(bytes + 6, body.big_endian);
	*ret = (struct format_section){
		.big_endian = body.big_endian,
		.supported = format_version_supported(major, minor),
		.major = major,
		.minor = minor,
		.length = (int64_t)bytes_u64(bytes + 8, body.big_endian),
		.options = options_in(body),
	};
	return 0;
}

/* An option of a wrong length is as good as absent: the default stands. Of
 * several (only one is allowed) the first counts. */
static bool find_sized(struct pktfs_options options, uint16_t code, uint16_t length,
		       struct pktfs_option *ret)
{
	while (pktfs_option_next(&options, ret) > 0)
		if (ret->code == code && ret->length == length)
			return true;
	return false;
}

int format_interface(struct cursor block, struct format_interface *ret)
{
	struct cursor body = body_of(block);
	const uint8_t *bytes = cursor_take(&body, IDB_FIXED_SIZE - BLOCK_HEADER_SIZE);
	struct pktfs_option option;

	if (!bytes)
		return -EBADMSG;
	*ret = (struct format_interface){
		.link_type = bytes_u16(bytes, body.big_endian),
		.snaplen = bytes_u32(bytes + 4, body.big_endian),
		.resolution = RESOLUTION_DEFAULT,
		.fcs_length = -1,
		.options = options_in(body),
	};
	if (find_sized(ret->options, OPTION_IF_TSRESOL, 1, &option))
		ret->resolution = *option.value;
	if (find_sized(ret->options, OPTION_IF_FCSLEN, 1, &option))
		ret->fcs_length = *option.value;
	if (find_sized(ret->options, OPTION_IF_TSOFFSET, 8, &option))
		ret->offset_seconds = (int64_t)pktfs_option_u64(&ret->options, &option);
	return 0;
}

int format_statistics(struct cursor block, struct format_statistics *ret)
{
	struct cursor body = body_of(block);
	const uint8_t *bytes = cursor_take(&body, ISB_FIXED_SIZE - BLOCK_HEADER_SIZE);

	if (!bytes)
		return -EBADMSG;
	*ret = (struct format_statistics){
		.interface = bytes_u32(bytes, body.big_endian),
		.ticks = (uint64_t)bytes_u32(bytes + 4, body.big_endian) << 32 |
			 bytes_u32(bytes + 8, body.big_endian),
		.options = options_in(body),
	};
	return 0;
}

/* Past a fixed part that ends in a length and past so many bytes, padded. */
static bool skip_sized(struct cursor *body, uint32_t fixed_size, uint32_t length_at)
{
	const uint8_t *bytes = cursor_take(body, fixed_size - BLOCK_HEADER_SIZE);

	return bytes && cursor_skip(body, util_pad4(bytes_u32(bytes + length_at - BLOCK_HEADER_SIZE,
							      body->big_endian)));
}

/* Name Resolution Block (section 4.5): the options follow the end record. */
static bool skip_names(struct cursor *body)
{
	uint16_t type, length;

	while (cursor_u16(body, &type) && cursor_u16(body, &length)) {
		if (!cursor_skip(body, util_pad4(length)))
			return false;
		if (type == 0)
			return true;
	}
	return false;
}

struct pktfs_options format_block_options(struct cursor block, uint32_t type)
{
	struct cursor body = body_of(block);
	bool found = false;

	switch (type) {
	case BLOCK_SHB:
		found = cursor_skip(&body, SHB_FIXED_SIZE - BLOCK_HEADER_SIZE);
		break;
	case BLOCK_IDB:
		found = cursor_skip(&body, IDB_FIXED_SIZE - BLOCK_HEADER_SIZE);
		break;
	case BLOCK_ISB:
		found = cursor_skip(&body, ISB_FIXED_SIZE - BLOCK_HEADER_SIZE);
		break;
	case BLOCK_PB:
	case BLOCK_EPB:
		found = skip_sized(&body, PACKET_FIXED_SIZE, 20);
		break;
	case BLOCK_DSB:
		found = skip_sized(&body, DSB_FIXED_SIZE, 12);
		break;
	case BLOCK_NRB:
		found = skip_names(&body);
		break;
	default:
		break;
	}
	return found ? options_in(body) : no_options(block);
}

const char *pktfs_block_type_name(uint32_t type)
{
	static const struct {
		uint32_t type;
		const char *name;
	} names[] = {
		{BLOCK_EPB, "epb"},
		{BLOCK_SHB, "shb"},
		{BLOCK_IDB, "idb"},
		{BLOCK_PB, "pb"},
		{BLOCK_SPB, "spb"},
		{BLOCK_NRB, "nrb"},
		{BLOCK_ISB, "isb"},
		{7, "irig"},
		{8, "arinc"},
		{BLOCK_JOURNAL, "journal"},
		{BLOCK_DSB, "dsb"},
		{BLOCK_CB, "cb"},
		{BLOCK_CB_NO_COPY, "cb"},
		{0x101, "hone-machine"},
		{0x102, "hone-event"},
		/* sysdig; those from 0x214 on are not in the draft, but in
		 * falcosecurity/libs and in Wireshark */
		{0x201, "sysdig-machine"},
		{0x202, "sysdig-process"},
		{0x203, "sysdig-fd"},
		{0x204, "sysdig-event"},
		{0x205, "sysdig-interface"},
		{0x206, "sysdig-user"},
		{0x207, "sysdig-process"},
		{0x208, "sysdig-event"},
		{0x209, "sysdig-process"},
		{0x210, "sysdig-process"},
		{0x211, "sysdig-process"},
		{0x212, "sysdig-process"},
		{0x213, "sysdig-process"},
		{0x214, "sysdig-process"},
		{0x215, "sysdig-process"},
		{0x216, "sysdig-event"},
		{0x217, "sysdig-event"},
		{0x218, "sysdig-fd"},
		{0x219, "sysdig-interface"},
		{0x220, "sysdig-user"},
		{0x221, "sysdig-event"},
		{0x222, "sysdig-event"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].type == type)
			return names[i].name;
	return NULL;
}
