/* SPDX-License-Identifier: BSD-2-Clause */
#include "write_interfaces.h"

#define FIRST_ROOM 4u

void write_interfaces_free(struct write_interfaces *interfaces)
{
	free(interfaces->entries);
	text_free(&interfaces->blocks);
	*interfaces = (struct write_interfaces){0};
}

void write_interfaces_clear(struct write_interfaces *interfaces, bool big_endian)
{
	interfaces->count = 0;
	interfaces->blocks.size = 0;
	interfaces->blocks.failed = 0;
	interfaces->big_endian = big_endian;
}

static struct write_entry *next_entry(struct write_interfaces *interfaces)
{
	size_t room = interfaces->room ? interfaces->room * 2 : FIRST_ROOM;
	struct write_entry *entries;

	if (interfaces->count < interfaces->room)
		return &interfaces->entries[interfaces->count];
	entries = reallocarray(interfaces->entries, room, sizeof(*entries));
	if (!entries)
		return NULL;
	interfaces->entries = entries;
	interfaces->room = room;
	return &entries[interfaces->count];
}

int write_interfaces_add(struct write_interfaces *interfaces, struct cursor block)
{
	struct write_entry *entry = next_entry(interfaces);
	size_t at = interfaces->blocks.size;
	struct format_interface decoded;
	int r = format_interface(block, &decoded);

	if (r < 0)
		return r;
	if (!entry)
		return -ENOMEM;
	text_append(&interfaces->blocks, block.bytes, block.left);
	if (interfaces->blocks.failed) {
		r = interfaces->blocks.failed;
		interfaces->blocks.failed = 0;
		return r;
	}
	*entry = (struct write_entry){
		.link_type = decoded.link_type,
		.snaplen = decoded.snaplen,
		.resolution = decoded.resolution,
		.offset_seconds = decoded.offset_seconds,
		.fcs_length = decoded.fcs_length,
		.block_at = at,
		.block_size = block.left,
	};
	interfaces->count++;
	return 0;
}

int write_interfaces_pcap(struct write_interfaces *interfaces, const struct format *format)
{
	struct write_entry *entry = next_entry(interfaces);

	if (!entry)
		return -ENOMEM;
	*entry = (struct write_entry){
		.link_type = format->link_type,
		.snaplen = format->snaplen,
		.resolution = format->nanosecond ? 9 : 6,
		.fcs_length = format->fcs_length,
	};
	interfaces->count++;
	return 0;
}

struct cursor write_interfaces_block(const struct write_interfaces *interfaces, uint32_t number)
{
	const struct write_entry *entry = &interfaces->entries[number];

	if (!entry->block_size)
		return cursor_over(NULL, 0, interfaces->big_endian);
	return cursor_over(interfaces->blocks.bytes + entry->block_at, entry->block_size,
			   interfaces->big_endian);
}
