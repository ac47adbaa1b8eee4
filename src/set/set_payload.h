/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in a packet the application's bytes are: behind the TCP, UDP, SCTP or
 * ICMP header, cut to what the IP header says (no padding of the link).
 *
 *	struct payload payload;
 *	if (payload_find(packet.link_type, packet.data, packet.captured_length, &payload))
 *		... payload.size bytes in payload.count pieces of packet.data
 *
 * Pure functions over hostile bytes. What counts as payload:
 *
 *	TCP, UDP	what is behind the header. A UDP length of 0 (a jumbogram)
 *			or beyond the packet is what IP says; 1 to 7: nothing
 *	UDP-Lite	the same; its length field is what the checksum covers
 *	SCTP		the user's bytes of all DATA and I-DATA chunks, as pieces
 *	ICMP, ICMPv6	what is behind the first 8 bytes, whatever the type: the
 *			data of an echo; of an error, the packet that it quotes,
 *			from its IP header; of others (neighbor discovery) the
 *			message's body. The quoted packet is not looked into.
 *	IP in IP, GRE	that of the inner packet. Tunnels over UDP (VXLAN, L2TP,
 *			Teredo) are UDP: their payload begins with their header
 *
 * Not reassembled: of a fragmented IP packet the first fragment gives what it
 * holds, the others nothing. An IPv4 total length of 0 (a packet that the card
 * was to cut up: TSO) or an IPv6 payload length of 0 without the jumbo option
 * means all that was captured. Not decrypted, not decompressed.
 */
#ifndef SET_PAYLOAD_H
#define SET_PAYLOAD_H

#include "util/util_base.h"

/* SCTP packets hold several DATA chunks, 73 in 1500 bytes at the most; chunks
 * beyond are left out. All others have one piece. */
#define PAYLOAD_PIECES 80u

struct payload {
	uint32_t size; /* sum of the pieces; 0 where there is none */
	unsigned count;
	struct payload_piece {
		uint32_t offset, size;
	} pieces[PAYLOAD_PIECES];
};

/* False where there is none, or the link type is not known. The pieces lie in
 * data[0 .. captured), in order, and do not overlap. */
bool payload_find(uint16_t link_type, const uint8_t *data, uint32_t captured, struct payload *ret);

/* Whether packets of a link type can be looked into at all: of any, and all of
 * them are below PAYLOAD_LINK_TYPES, for those who want to list them. */
#define PAYLOAD_LINK_TYPES 512u
bool payload_knows(uint16_t link_type);

#endif
