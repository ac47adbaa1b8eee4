/* SPDX-License-Identifier: BSD-2-Clause */
/* The interfaces of a section, with their blocks, so that another section can
 * begin with the same. */
#ifndef WRITE_INTERFACES_H
#define WRITE_INTERFACES_H

#include "format/format.h"
#include "util/util_text.h"

struct write_entry {
	uint16_t link_type;
	uint32_t snaplen;
	uint8_t resolution;
	int64_t offset_seconds;
	int fcs_length;
	size_t block_at, block_size; /* in `blocks` */
};

struct write_interfaces {
	struct write_entry *entries;
	uint32_t count;
	size_t room;
	struct text blocks;
	bool big_endian; /* of the blocks */
};

void write_interfaces_free(struct write_interfaces *interfaces);
void write_interfaces_clear(struct write_interfaces *interfaces, bool big_endian);

/* Adds a block: 0, -EBADMSG, -ENOMEM, -EFBIG (all of them are above 64 MiB). */
int write_interfaces_add(struct write_interfaces *interfaces, struct cursor block);
/* The one of a pcap file, which has no block. */
int write_interfaces_pcap(struct write_interfaces *interfaces, const struct format *format);

/* The block of an entry; empty: a pcap's. */
struct cursor write_interfaces_block(const struct write_interfaces *interfaces, uint32_t number);

#endif
