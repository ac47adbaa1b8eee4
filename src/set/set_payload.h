/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in a packet the application's bytes are: behind the TCP, UDP, SCTP or
 * ICMP header, cut to what the IP header says (no padding of the link).
 *
 *	struct payload payload;
 *	if (payload_find(packet.link_type, packet.data, packet.captured_length, &payload))
 *		... payload.size bytes in payload.count pieces of packet.data
 *
 * Pure functions. Not reassembled: of a fragmented IP packet the first
 * fragment gives what it holds, the others nothing.
 */
#ifndef SET_PAYLOAD_H
#define SET_PAYLOAD_H

#include "util/util_base.h"

/* SCTP packets hold several DATA chunks; all others one piece. */
#define PAYLOAD_PIECES 32u

struct payload {
	uint32_t size; /* sum of the pieces, more than 0 */
	unsigned count;
	struct payload_piece {
		uint32_t offset, size;
	} pieces[PAYLOAD_PIECES];
};

/* False where there is none, or the link type is not known. */
bool payload_find(uint16_t link_type, const uint8_t *data, uint32_t captured,
		  struct payload *ret);

/* Whether packets of a link type can be looked into at all. */
bool payload_knows(uint16_t link_type);

#endif
