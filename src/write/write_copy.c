/* SPDX-License-Identifier: BSD-2-Clause */
/* From a reader to a writer: nothing that the target can hold is lost. */
#include "write_private.h"

#include <inttypes.h>
#include <string.h>

#include "util/util_cursor.h"
#include "write_encode.h"
#include "write_ticks.h"

#define OPT_IF_RESOLUTION  9
#define OPT_IF_FCS_LENGTH  13
#define OPT_IF_OFFSET      14
#define PB_DROPS_AT        10u
#define PB_DROPS_UNKNOWN   0xffffu
#define RESOLUTION_DEFAULT 6
#define BLOCK_HEADER_SIZE  8u
#define BLOCK_TRAILER_SIZE 4u

static bool has_option(struct pktfs_options options, uint16_t code)
{
	struct pktfs_option option;

	return pktfs_option_find(options, code, 0, &option) == 1;
}

/* ---- sections and interfaces */

int pktfs_writer_copy_section(pktfs_writer *writer, const struct pktfs_section *section,
			      struct pktfs_written *ret_written, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	const struct pktfs_new_section new = {.options.copy = section->options};

	return writer_section(writer, &new, ret_written, ret_error);
}

/* Of an interface of a pcapng for a pcap: what it says of times and FCS is in
 * the other fields. */
static bool only_numbers(struct pktfs_options options)
{
	struct pktfs_option option;

	while (pktfs_option_next(&options, &option) == 1)
		if (option.code != OPT_IF_RESOLUTION && option.code != OPT_IF_FCS_LENGTH &&
		    option.code != OPT_IF_OFFSET)
			return false;
	return true;
}

int pktfs_writer_copy_interface(pktfs_writer *writer, const struct pktfs_interface *interface,
				uint32_t *ret_number, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	struct pktfs_new_interface new = {
		.link_type = interface->link_type,
		.snaplen = interface->snaplen,
		.has = WRITE_IF_AS_IT_IS,
		.resolution = interface->resolution,
		.fcs_length = (uint8_t)interface->fcs_length,
	};

	/* a pcap's have no options, and nevertheless a meaning */
	if (interface->resolution != RESOLUTION_DEFAULT && writer->pcapng &&
	    !has_option(interface->options, OPT_IF_RESOLUTION))
		new.has |= PKTFS_IF_RESOLUTION;
	if (interface->fcs_length >= 0 &&
	    (!writer->pcapng || !has_option(interface->options, OPT_IF_FCS_LENGTH)))
		new.has |= PKTFS_IF_FCS_LENGTH;
	if (writer->pcapng || !only_numbers(interface->options))
		new.options.copy = interface->options;
	return writer_interface(writer, &new, ret_number, ret_error);
}

/* ---- packets */

static int ticks_of(const struct pktfs_packet *packet, const struct write_entry *entry,
		    uint64_t *ret)
{
	if (packet->has_time && packet->resolution == entry->resolution)
		return write_ticks_same(packet->time, packet->ticks, entry->resolution,
					entry->offset_seconds, ret);
	return write_ticks(packet->time, entry->resolution, entry->offset_seconds, ret);
}

/* A reader takes the lesser of snaplen and original length for the captured
 * length (section 4.4): is that so here? */
static bool may_be_simple(const struct pktfs_writer *writer, const struct pktfs_packet *packet,
			  uint32_t interface, const struct write_entry *entry)
{
	uint32_t captured = packet->original_length;

	if (!writer->pcapng || packet->block_type != BLOCK_SPB || interface != 0)
		return false;
	if (entry->snaplen)
		captured = MIN(captured, entry->snaplen);
	return captured == packet->captured_length;
}

static int put_simple(struct pktfs_writer *writer, const struct pktfs_packet *packet,
		      struct pktfs_written *ret_written, struct pktfs_error *ret_error)
{
	const struct write_packet simple = {
		.captured = packet->captured_length,
		.original = packet->original_length,
		.data = packet->data,
	};
	struct write_mark mark;
	int r = writer_begin(writer, &mark, ret_error);

	if (r < 0)
		return r;
	write_spb(&writer->pending, writer->big_endian, &simple);
	return writer_end(writer, &mark, 1, ret_written, ret_error);
}

static int put_packet(struct pktfs_writer *writer, const struct pktfs_packet *packet,
		      uint32_t interface, const struct write_entry *entry,
		      struct pktfs_written *ret_written, struct pktfs_error *ret_error)
{
	struct pktfs_new_packet new = {
		.interface = interface,
		.captured_length = packet->captured_length,
		.original_length = packet->original_length,
		.data = packet->data,
		.has = WRITE_PACKET_AS_IT_IS,
		.options.copy = packet->options,
	};

	if (ticks_of(packet, entry, &new.ticks) < 0)
		return error_set(ret_error, -ERANGE,
				 "packet %" PRIu64 ": found a time of %" PRId64
				 " seconds since 1970, which the target cannot say",
				 packet->number, packet->time.sec);
	if (packet->block_type == BLOCK_PB) {
		new.drops = bytes_u16(packet->block + PB_DROPS_AT, packet->options.big_endian);
		if (new.drops != PB_DROPS_UNKNOWN)
			new.has |= PKTFS_PACKET_DROPS;
	}
	return writer_packet(writer, &new, ret_written, ret_error);
}

int pktfs_writer_copy_packet(pktfs_writer *writer, const struct pktfs_packet *packet,
			     uint32_t interface, struct pktfs_written *ret_written,
			     struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	const struct write_entry *entry = writer_entry(writer, interface, ret_error);

	if (!entry)
		return -ENXIO;
	if (packet->link_type != entry->link_type)
		return error_set(ret_error, -EINVAL,
				 "packet %" PRIu64 ": found link type %u; accepted %u, the target "
				 "interface's",
				 packet->number, packet->link_type, entry->link_type);
	if (may_be_simple(writer, packet, interface, entry))
		return put_simple(writer, packet, ret_written, ret_error);
	return put_packet(writer, packet, interface, entry, ret_written, ret_error);
}

/* ---- blocks */

/* Records of names: only their headers are numbers. */
static void copy_names(struct text *text, struct cursor body, bool be)
{
	const uint8_t *value;
	uint16_t type, length;

	while (cursor_u16(&body, &type) && cursor_u16(&body, &length)) {
		value = cursor_take(&body, util_pad4(length));
		text_u16(text, type, be);
		text_u16(text, value ? length : 0, be);
		if (!value || type == 0)
			return;
		text_append(text, value, (size_t)util_pad4(length));
	}
}

/* `count` u32, then bytes. */
static void copy_numbers(struct text *text, struct cursor body, unsigned count, bool be)
{
	uint32_t number;

	for (; count > 0 && cursor_u32(&body, &number); count--)
		text_u32(text, number, be);
	text_append(text, body.bytes, body.left);
}

static int copy_statistics(struct pktfs_writer *writer, struct cursor body, uint32_t interface,
			   struct pktfs_error *ret_error)
{
	if (!writer_entry(writer, interface, ret_error))
		return -ENXIO;
	cursor_skip(&body, sizeof(interface));
	text_u32(&writer->pending, interface, writer->big_endian);
	copy_numbers(&writer->pending, body, 2, writer->big_endian);
	return 0;
}

static int copy_body(struct pktfs_writer *writer, const struct pktfs_block *block,
		     struct cursor body, uint32_t interface, struct pktfs_error *ret_error)
{
	struct text *text = &writer->pending;
	const bool be = writer->big_endian;

	switch (block->type) {
	case BLOCK_ISB:
		return copy_statistics(writer, body, interface, ret_error);
	case BLOCK_NRB:
		copy_names(text, body, be);
		return 0;
	case BLOCK_DSB:
		copy_numbers(text, body, 2, be);
		return 0;
	case BLOCK_CB:
		copy_numbers(text, body, 1, be);
		return 0;
	case BLOCK_JOURNAL:
		text_append(text, body.bytes, body.left);
		return 0;
	default:
		break;
	}
	if (body.big_endian != be)
		return error_set(ret_error, -ENOTSUP,
				 "block %" PRIu64 ": found type 0x%08" PRIx32
				 " in another byte order; accepted types that are known",
				 block->number, block->type);
	text_append(text, body.bytes, body.left);
	return 0;
}

/* What is between the header and the options, or the trailer. */
static struct cursor body_of(const struct pktfs_block *block)
{
	struct cursor body = cursor_over(block->bytes, (size_t)block->length, block->big_endian);
	struct cursor fixed = cursor_over(block->bytes, 0, block->big_endian);
	size_t options = block->options.bytes ? block->options.size : 0;

	if (cursor_skip(&body, BLOCK_HEADER_SIZE) && body.left >= BLOCK_TRAILER_SIZE + options)
		cursor_sub(&body, body.left - BLOCK_TRAILER_SIZE - options, &fixed);
	return fixed;
}

static int check_block(const struct pktfs_writer *writer, const struct pktfs_block *block,
		       struct pktfs_error *ret_error)
{
	int r = writer_wants_pcapng(writer, "blocks", ret_error);

	if (r < 0)
		return r;
	if (block->type == BLOCK_SHB || block->type == BLOCK_IDB || block->type == BLOCK_EPB ||
	    block->type == BLOCK_SPB || block->type == BLOCK_PB)
		return error_set(ret_error, -EINVAL,
				 "block %" PRIu64 ": found a section, an interface or a packet; "
				 "accepted others",
				 block->number);
	if (!block->usable)
		return error_at(ret_error, -EBADMSG, block->offset,
				"block %" PRIu64 ": found a malformed one", block->number);
	return 0;
}

static int copy_block(struct pktfs_writer *writer, const struct pktfs_block *block,
		      uint32_t interface, struct pktfs_written *ret_written,
		      struct pktfs_error *ret_error)
{
	struct write_list list =
		write_list_over(&writer->pending, block->type, writer->big_endian, ret_error);
	struct write_mark mark;
	int r = writer_begin(writer, &mark, ret_error);

	if (r < 0)
		return r;
	write_block_begin(&writer->pending, block->type, writer->big_endian);
	r = copy_body(writer, block, body_of(block), interface, ret_error);
	if (r < 0)
		return writer_abandon(writer, &mark, r);
	write_list_copy(&list, block->options);
	r = write_list_end(&list);
	write_block_end(&writer->pending, mark.record, writer->big_endian);
	return r < 0 ? writer_abandon(writer, &mark, r)
		     : writer_end(writer, &mark, 0, ret_written, ret_error);
}

int pktfs_writer_copy_block(pktfs_writer *writer, const struct pktfs_block *block,
			    uint32_t interface, struct pktfs_written *ret_written,
			    struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	int r = check_block(writer, block, ret_error);

	if (r < 0)
		return r;
	if (block->type != BLOCK_CB_NO_COPY)
		return copy_block(writer, block, interface, ret_written, ret_error);
	if (ret_written)
		*ret_written = (struct pktfs_written){.offset = writer->base + writer->pending.size,
						      .packet = writer->packets};
	return 0;
}
