/* SPDX-License-Identifier: BSD-2-Clause */
#include "set_link.h"

/* As many tags and labels as are passed before one gives up. */
#define LINK_TAGS 16u

enum ethertype {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_MULTICAST = 0x8848,
	ETHERTYPE_PPPOE = 0x8864,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_VNTAG = 0x8926,
	ETHERTYPE_QINQ_OLD = 0x9100,
	ETHERTYPE_QINQ_OLDER = 0x9200,
	ETHERTYPE_TEB = 0x6558, /* Ethernet inside GRE */
};

static bool ethernet(struct cursor *c);

static bool ppp_protocol(struct cursor *c)
{
	uint8_t first;
	uint16_t protocol;

	if (!cursor_u8(c, &first))
		return false;
	protocol = first; /* RFC 1661 section 2: an odd first byte is the whole */
	if (!(first & 1)) {
		uint8_t second;

		if (!cursor_u8(c, &second))
			return false;
		protocol = (uint16_t)(first << 8 | second);
	}
	return protocol == 0x21 || protocol == 0x57;
}

static bool pppoe(struct cursor *c)
{
	return cursor_skip(c, 6) && ppp_protocol(c);
}

/* Labels until the bottom of the stack; then the first four bits tell IP, and
 * 0 the control word of an Ethernet pseudowire (RFC 4385). */
static bool mpls(struct cursor *c)
{
	uint32_t label = 0;
	unsigned i;

	for (i = 0; i < LINK_TAGS && !(label & 0x100); i++)
		if (!cursor_u32(c, &label))
			return false;
	if (!(label & 0x100) || !c->left)
		return false;
	if (c->bytes[0] >> 4 == 4 || c->bytes[0] >> 4 == 6)
		return true;
	return c->bytes[0] >> 4 == 0 && cursor_skip(c, 4) && ethernet(c);
}

bool link_ethertype(struct cursor *c, uint16_t type)
{
	unsigned i;

	for (i = 0; i < LINK_TAGS; i++) {
		switch (type) {
		case ETHERTYPE_IPV4:
		case ETHERTYPE_IPV6:
			return true;
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
		case ETHERTYPE_QINQ_OLDER:
			if (!cursor_skip(c, 2) || !cursor_u16(c, &type))
				return false;
			break;
		case ETHERTYPE_VNTAG:
			if (!cursor_skip(c, 4) || !cursor_u16(c, &type))
				return false;
			break;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_MULTICAST:
			return mpls(c);
		case ETHERTYPE_PPPOE:
			return pppoe(c);
		case ETHERTYPE_TEB:
			return ethernet(c);
		default:
			return false;
		}
	}
	return false;
}

/* LLC with SNAP (AA AA 03), or IP's own SAP. */
static bool llc(struct cursor *c)
{
	const uint8_t *header = cursor_take(c, 3);
	const uint8_t *snap;
	uint16_t type;

	if (!header)
		return false;
	if (header[0] == 0x06 && header[1] == 0x06)
		return true;
	if (header[0] != 0xaa || header[1] != 0xaa || header[2] != 0x03)
		return false;
	snap = cursor_take(c, 3);
	return snap && cursor_u16(c, &type) && link_ethertype(c, type);
}

static bool ethernet(struct cursor *c)
{
	uint16_t type;

	if (!cursor_skip(c, 12) || !cursor_u16(c, &type))
		return false;
	if (type > 1500)
		return link_ethertype(c, type);
	c->left = MIN(c->left, (size_t)type);
	return llc(c);
}

static bool sll(struct cursor *c)
{
	uint16_t type;

	return cursor_skip(c, 14) && cursor_u16(c, &type) && link_ethertype(c, type);
}

static bool sll2(struct cursor *c)
{
	uint16_t type;

	return cursor_u16(c, &type) && cursor_skip(c, 18) && link_ethertype(c, type);
}

static bool raw(struct cursor *c)
{
	return c->left > 0;
}

/* A protocol family in the byte order of whoever wrote it: small either way. */
static bool null(struct cursor *c)
{
	uint32_t family;

	if (!cursor_u32(c, &family))
		return false;
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	/* AF_INET; AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin */
	return family == 2 || family == 10 || family == 24 || family == 28 || family == 30;
}

/* With or without address and control bytes (RFC 1662). */
static bool ppp(struct cursor *c)
{
	if (c->left >= 2 && c->bytes[0] == 0xff && c->bytes[1] == 0x03)
		cursor_skip(c, 2);
	return ppp_protocol(c);
}

static bool ppp_with_direction(struct cursor *c)
{
	return cursor_skip(c, 1) && ppp(c);
}

static bool cisco_hdlc(struct cursor *c)
{
	uint16_t type;

	return cursor_skip(c, 2) && cursor_u16(c, &type) && link_ethertype(c, type);
}

/* 802.11 data frames that are not encrypted, with LLC. */
static bool wlan(struct cursor *c)
{
	const uint8_t *control = cursor_take(c, 2);
	unsigned subtype;
	size_t rest = 22;

	if (!control || (control[0] & 0x0c) != 0x08 || (control[1] & 0x40))
		return false;
	subtype = control[0] >> 4;
	if (subtype & 4) /* no data */
		return false;
	if ((control[1] & 3) == 3) /* to and from a distribution system */
		rest += 6;
	if (subtype & 8) /* QoS; with HT control where the order bit is set */
		rest += control[1] & 0x80 ? 6 : 2;
	return cursor_skip(c, rest) && llc(c);
}

static bool radiotap(struct cursor *c)
{
	const uint8_t *header = c->left >= 4 ? c->bytes : NULL;

	return header && cursor_skip(c, bytes_u16(header + 2, false)) && wlan(c);
}

static bool prism(struct cursor *c)
{
	return cursor_skip(c, 144) && wlan(c);
}

static bool avs(struct cursor *c)
{
	const uint8_t *header = c->left >= 8 ? c->bytes : NULL;

	return header && cursor_skip(c, bytes_u32(header + 4, true)) && wlan(c);
}

/* Per-Packet Information: its own length and the link type that follows. */
static bool ppi(struct cursor *c)
{
	const uint8_t *header = c->left >= 8 ? c->bytes : NULL;
	uint32_t inner;

	if (!header)
		return false;
	inner = bytes_u32(header + 4, false);
	return cursor_skip(c, bytes_u16(header + 2, false)) && inner <= UINT16_MAX &&
	       inner != 192 && link_to_ip((uint16_t)inner, c);
}

static const struct {
	uint16_t link_type;
	bool (*to_ip)(struct cursor *c);
} links[] = {
	{0, null},	  /* NULL */
	{1, ethernet},	  /* ETHERNET */
	{9, ppp},	  /* PPP */
	{12, raw},	  /* DLT_RAW, in files of some old tools */
	{14, raw},	  /* the same of OpenBSD */
	{50, ppp},	  /* PPP_HDLC */
	{51, pppoe},	  /* PPP_ETHER */
	{101, raw},	  /* RAW */
	{104, cisco_hdlc}, /* C_HDLC */
	{105, wlan},	  /* IEEE802_11 */
	{108, null},	  /* LOOP */
	{113, sll},	  /* LINUX_SLL */
	{119, prism},	  /* IEEE802_11_PRISM */
	{127, radiotap},  /* IEEE802_11_RADIOTAP */
	{163, avs},	  /* IEEE802_11_AVS */
	{192, ppi},	  /* PPI */
	{204, ppp_with_direction}, /* PPP_WITH_DIR */
	{228, raw},	  /* IPV4 */
	{229, raw},	  /* IPV6 */
	{276, sll2},	  /* LINUX_SLL2 */
};

bool link_to_ip(uint16_t link_type, struct cursor *c)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(links); i++)
		if (links[i].link_type == link_type)
			return links[i].to_ip(c);
	return false;
}

bool link_known(uint16_t link_type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(links); i++)
		if (links[i].link_type == link_type)
			return true;
	return false;
}
