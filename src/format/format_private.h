/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this module share and nobody else needs.
 */
#ifndef FORMAT_PRIVATE_H
#define FORMAT_PRIVATE_H

#include "format.h"

/* For everything that makes a text: out of the way of the hot path. */
#define _cold_ __attribute__((noinline, cold))

#define FORMAT_ACCEPTED "accepted pcap, pcapng (also inside zstd or gzip)"

#define PCAP_MAGIC_MICROSECOND 0xa1b2c3d4u
#define PCAP_MAGIC_NANOSECOND  0xa1b23c4du
#define PCAP_MAGIC_MODIFIED    0xa1b2cd34u
#define PCAP_HEADER_SIZE       24u

#define PCAPNG_BYTE_ORDER_MAGIC 0x1a2b3c4du

/* Every block: type, length, body, length again. */
#define BLOCK_HEADER_SIZE  8u
#define BLOCK_TRAILER_SIZE 4u
#define BLOCK_MIN_SIZE     12u

/* Where the options (or, in packets, the data) of a block start. */
#define SHB_FIXED_SIZE    24u
#define IDB_FIXED_SIZE    16u
#define PACKET_FIXED_SIZE 28u /* EPB and PB */
#define SPB_FIXED_SIZE    12u
#define ISB_FIXED_SIZE    20u
#define DSB_FIXED_SIZE    16u
#define CB_FIXED_SIZE     12u

static inline bool format_version_supported(uint16_t major, uint16_t minor)
{
	/* Minor version 2 only added block types: readers MUST treat it as 0
	 * (section 4.1). There never was a 1.1. */
	return major == 1 && (minor == 0 || minor == 2);
}

/* Which byte order makes these four bytes `magic`? -1: neither. */
static inline int format_byte_order(const uint8_t *bytes, uint32_t magic)
{
	uint32_t found = bytes_u32(bytes, false);

	if (found == magic)
		return 0;
	return found == __builtin_bswap32(magic) ? 1 : -1;
}

/* The head of a pcap file of this kind; the magic has been seen. */
int format_pcap_open(struct format *ret, struct cursor head, enum format_kind kind,
		     struct pktfs_error *ret_error);

/* -EBADMSG, with a text that names what the head looks like. */
int format_not_a_capture(struct cursor head, struct pktfs_error *ret_error);

int format_pcap_step(const struct format *format, const struct cursor *at, uint64_t offset,
		     struct format_record *ret, uint64_t *ret_need, struct pktfs_error *ret_error);
int format_pcapng_step(struct format_walk *walk, const struct cursor *at, uint64_t offset,
		       struct format_record *ret, uint64_t *ret_need,
		       struct pktfs_error *ret_error);

/* -EAGAIN: `found` bytes of the record at `offset` are there. */
int format_need(uint64_t offset, size_t found, uint64_t need, uint64_t *ret_need,
		struct pktfs_error *ret_error);

#endif
