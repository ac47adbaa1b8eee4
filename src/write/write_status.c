/* SPDX-License-Identifier: BSD-2-Clause */
/* What a writer is, as others ask. */
#include "write_private.h"

#include <inttypes.h>
#include <string.h>

#define OPT_IF_NAME 2

int writer_wants_pcapng(const struct pktfs_writer *writer, const char *what,
			struct pktfs_error *ret_error)
{
	if (writer->pcapng)
		return 0;
	return error_set(ret_error, -ENOTSUP, "a pcap file cannot hold %s; accepted in a pcapng",
			 what);
}

const struct write_entry *writer_entry(const struct pktfs_writer *writer, uint32_t number,
				       struct pktfs_error *ret_error)
{
	if (likely(number < writer->interfaces.count))
		return &writer->interfaces.entries[number];
	error_set(ret_error, -ENXIO,
		  "interface: found number %" PRIu32 "; accepted those below %" PRIu32, number,
		  writer->interfaces.count);
	return NULL;
}

void pktfs_writer_status_get(pktfs_writer *writer, struct pktfs_writer_status *ret)
{
	UTIL_LOCK_SCOPE(&writer->lock);

	*ret = (struct pktfs_writer_status){
		.format = writer->pcapng                                ? PKTFS_FORMAT_PCAPNG
			  : writer->format.kind == FORMAT_PCAP_MODIFIED ? PKTFS_FORMAT_PCAP_MODIFIED
									: PKTFS_FORMAT_PCAP,
		.compression = writer->stream.compression,
		.big_endian = writer->big_endian,
		.nanosecond = writer->format.nanosecond,
		.end = writer->base + writer->pending.size,
		.stored_end = writer->file.end,
		.buffered = writer->pending.size,
		.frame_open = writer->stream.open,
		.packets = writer->packets,
		.packets_before = writer->packets_before,
		.sections = writer->sections,
		.interfaces = writer->interfaces.count,
		.interfaces_before = writer->interfaces_before,
		.section_follows = writer->section_follows,
		.repair = writer->repaired.how,
		.repair_offset = writer->repaired.offset,
		.repair_bytes = writer->repaired.bytes,
	};
}

/* Not in the middle of a character. */
static size_t cut_name(const uint8_t *name, size_t size, size_t room)
{
	if (size < room)
		return size;
	size = room - 1;
	while (size > 0 && (name[size] & 0xc0) == 0x80)
		size--;
	return size;
}

int pktfs_writer_interface_get(pktfs_writer *writer, uint32_t number,
			       struct pktfs_writer_interface *ret)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	const struct write_entry *entry = writer_entry(writer, number, NULL);
	struct format_interface decoded = {0};
	struct pktfs_option name;

	if (!entry)
		return -ENXIO;
	*ret = (struct pktfs_writer_interface){
		.link_type = entry->link_type,
		.snaplen = entry->snaplen,
		.resolution = entry->resolution,
		.offset_seconds = entry->offset_seconds,
	};
	if (entry->block_size &&
	    format_interface(write_interfaces_block(&writer->interfaces, number), &decoded) == 0 &&
	    pktfs_option_find(decoded.options, OPT_IF_NAME, 0, &name) == 1)
		memcpy(ret->name, name.value, cut_name(name.value, name.length, sizeof(ret->name)));
	return 0;
}
