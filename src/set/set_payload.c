/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The headers from IP upwards, and the predicate of packets with payload; the
 * headers below IP are in set_link.c.
 */
#include "set_payload.h"

#include "set_link.h"
#include "set_predicate.h"

/* IP in IP, GRE: as deep as tunnels are looked into. */
#define PAYLOAD_DEPTH 8u

enum protocol {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_IPV4 = 4,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_GRE = 47,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMPV6 = 58,
	PROTOCOL_DESTINATION = 60,
	PROTOCOL_SCTP = 132,
	PROTOCOL_MOBILITY = 135,
	PROTOCOL_UDP_LITE = 136,
};

/* Its functions share one window, by address: copies of it, from function to
 * function, took longer than everything else. */
struct dissection {
	const uint8_t *data; /* start of the packet */
	struct payload *payload;
	unsigned depth;
};

static bool ip(struct dissection *d, struct cursor *c);

static void add_piece(struct dissection *d, const struct cursor *c)
{
	struct payload *payload = d->payload;

	if (!c->left || payload->count == PAYLOAD_PIECES)
		return;
	payload->pieces[payload->count].offset = (uint32_t)(c->bytes - d->data);
	payload->pieces[payload->count++].size = (uint32_t)c->left;
	payload->size += (uint32_t)c->left;
}

/* Shortens a window to what a header says that there is. */
static void cut(struct cursor *c, size_t size)
{
	c->left = MIN(c->left, size);
}

static void tcp(struct dissection *d, struct cursor *c)
{
	const uint8_t *header = cursor_take(c, 20);
	unsigned length;

	if (!header)
		return;
	length = (header[12] >> 4) * 4u;
	if (length >= 20 && cursor_skip(c, length - 20))
		add_piece(d, c);
}

static void udp(struct dissection *d, struct cursor *c)
{
	uint16_t length;

	if (!cursor_skip(c, 4) || !cursor_u16(c, &length) || !cursor_skip(c, 2))
		return;
	if (length && length < 8)
		return;
	if (length) /* 0: a jumbogram (RFC 2675 section 4) */
		cut(c, length - 8u);
	add_piece(d, c);
}

#define SCTP_DATA   0u
#define SCTP_I_DATA 64u

/* DATA chunks (RFC 9260 section 3.3.1) and I-DATA chunks (RFC 8260 section
 * 2.1): 4 bytes as all chunks, and 12 or 16 more, then the user's. */
static void sctp(struct dissection *d, struct cursor *c)
{
	uint8_t type, flags;
	uint16_t length;
	struct cursor chunk;

	if (!cursor_skip(c, 12))
		return;
	while (cursor_u8(c, &type) && cursor_u8(c, &flags) && cursor_u16(c, &length) &&
	       length >= 4) {
		chunk = *c;
		cut(&chunk, length - 4u);
		if ((type == SCTP_DATA && cursor_skip(&chunk, 12)) ||
		    (type == SCTP_I_DATA && cursor_skip(&chunk, 16)))
			add_piece(d, &chunk);
		if (!cursor_skip(c, util_pad4(length) - 4))
			return;
	}
}

/* GRE (RFC 2784, 2890): optional checksum, key and sequence number; not with
 * the source routes of RFC 1701, not PPTP's version 1. */
static void gre(struct dissection *d, struct cursor *c)
{
	uint16_t flags, type;

	if (!cursor_u16(c, &flags) || !cursor_u16(c, &type) || (flags & 0x4007) != 0 ||
	    !cursor_skip(c, (unsigned)__builtin_popcount(flags & 0xb000u) * 4u))
		return;
	if (link_ethertype(c, type))
		ip(d, c);
}

/* Steps over one extension header; false at the transport header, and with
 * `*ret_first` false where it is not there. */
static bool extension(struct cursor *c, uint8_t *next, bool *ret_first)
{
	const uint8_t *header = c->bytes;
	size_t length;

	switch (*next) {
	case PROTOCOL_HOP_BY_HOP:
	case PROTOCOL_ROUTING:
	case PROTOCOL_DESTINATION:
	case PROTOCOL_MOBILITY:
		length = c->left >= 2 ? (header[1] + 1u) * 8u : SIZE_MAX;
		break;
	case PROTOCOL_AH:
		length = c->left >= 2 ? (header[1] + 2u) * 4u : SIZE_MAX;
		break;
	case PROTOCOL_FRAGMENT:
		length = 8;
		if (c->left >= length)
			*ret_first = (bytes_u16(header + 2, true) & 0xfff8) == 0;
		break;
	default:
		return false;
	}
	*ret_first = cursor_skip(c, length) && *ret_first;
	if (*ret_first)
		*next = header[0];
	return *ret_first;
}

/* Behind an IP header. */
static void transport(struct dissection *d, struct cursor *c, uint8_t protocol)
{
	bool first = true;

	while (extension(c, &protocol, &first))
		;
	if (!first)
		return;
	switch (protocol) {
	case PROTOCOL_TCP:
		tcp(d, c);
		break;
	case PROTOCOL_UDP:
		udp(d, c);
		break;
	case PROTOCOL_SCTP:
		sctp(d, c);
		break;
	case PROTOCOL_UDP_LITE: /* the length is what the checksum covers */
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		if (cursor_skip(c, 8))
			add_piece(d, c);
		break;
	case PROTOCOL_IPV4:
	case PROTOCOL_IPV6:
		ip(d, c);
		break;
	case PROTOCOL_GRE:
		gre(d, c);
		break;
	default:
		break;
	}
}

static void ipv4(struct dissection *d, struct cursor *c)
{
	const uint8_t *header = cursor_take(c, 20);
	uint16_t total, fragment;
	unsigned length;

	if (!header)
		return;
	length = (header[0] & 15) * 4u;
	total = bytes_u16(header + 2, true);
	fragment = bytes_u16(header + 6, true);
	if (length < 20 || (total && total < length) || (fragment & 0x1fff))
		return;
	if (total) /* 0: the card was to cut a larger one up */
		cut(c, total - 20u);
	if (cursor_skip(c, length - 20))
		transport(d, c, header[9]);
}

#define OPTION_PAD1  0u
#define OPTION_JUMBO 0xc2u

/* The jumbo payload length (RFC 2675 section 2) of a hop-by-hop header. */
static bool jumbo_length(struct cursor c, uint32_t *ret_length)
{
	struct cursor option;
	uint8_t type, length;

	if (!cursor_skip(&c, 1) || !cursor_u8(&c, &length))
		return false;
	cut(&c, length * 8u + 6u);
	while (cursor_u8(&c, &type)) {
		if (type == OPTION_PAD1)
			continue;
		if (!cursor_u8(&c, &length) || !cursor_sub(&c, length, &option))
			return false;
		if (type == OPTION_JUMBO)
			return cursor_u32(&option, ret_length);
	}
	return false;
}

static void ipv6(struct dissection *d, struct cursor *c)
{
	const uint8_t *header = cursor_take(c, 40);
	uint32_t length;

	if (!header)
		return;
	length = bytes_u16(header + 4, true);
	if (length || (header[6] == PROTOCOL_HOP_BY_HOP && jumbo_length(*c, &length)))
		cut(c, length);
	transport(d, c, header[6]);
}

/* Either version, by its first four bits. */
static bool ip(struct dissection *d, struct cursor *c)
{
	if (!c->left || d->depth++ == PAYLOAD_DEPTH)
		return false;
	if (c->bytes[0] >> 4 == 4)
		ipv4(d, c);
	else if (c->bytes[0] >> 4 == 6)
		ipv6(d, c);
	return d->payload->size > 0;
}

bool payload_find(uint16_t link_type, const uint8_t *data, uint32_t captured, struct payload *ret)
{
	struct cursor c = cursor_over(data, captured, true);
	struct dissection d = {.data = data, .payload = ret};

	ret->size = 0;
	ret->count = 0;
	return link_to_ip(link_type, &c) && ip(&d, &c);
}

bool payload_knows(uint16_t link_type)
{
	return link_known(link_type);
}

static int payload_open(pktfs_capture *capture, const char *expression, void **ret_state,
			struct pktfs_error *ret_error)
{
	(void)capture;
	if (*expression)
		return error_set(ret_error, -EINVAL, "payload: takes no expression");
	*ret_state = malloc(1); /* no state, but NULL means "to be opened" */
	return *ret_state ? 0 : error_set(ret_error, -ENOMEM, "no memory");
}

static int payload_matches(void *state, void *scratch, const struct pktfs_packet *packet)
{
	struct payload payload;

	(void)state;
	(void)scratch;
	return payload_find(packet->link_type, packet->data, packet->captured_length, &payload);
}

const struct set_predicate set_payload_predicate = {
	.open = payload_open,
	.close = free,
	.matches = payload_matches,
};
