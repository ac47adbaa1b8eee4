/* SPDX-License-Identifier: BSD-2-Clause */
#include "set_link.h"

/* As many headers below IP as are passed before one gives up: each tag and
 * each label is one. Real packets have up to six. */
#define LINK_HEADERS 32u

/* An Ethernet type up to here is the length of an 802.3 frame. */
#define LENGTH_MAX 1500u

enum ethertype {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_TEB = 0x6558, /* Ethernet, inside GRE and the like */
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_MULTICAST = 0x8848,
	ETHERTYPE_PPPOE = 0x8864,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_VNTAG = 0x8926,
	ETHERTYPE_QINQ_OLD = 0x9100,
	ETHERTYPE_QINQ_OLDER = 0x9200,
};

typedef bool (*header_function)(struct cursor *c, uint16_t *ret_type);

static bool is_type(uint16_t *ret_type, uint16_t type)
{
	*ret_type = type;
	return true;
}

static bool raw(struct cursor *c, uint16_t *ret_type)
{
	return c->left && is_type(ret_type, ETHERTYPE_IPV4);
}

static bool ethernet(struct cursor *c, uint16_t *ret_type)
{
	return cursor_skip(c, 12) && cursor_u16(c, ret_type);
}

/* VLAN and VN-tag: the rest of a tag, then the EtherType. */
static bool tag(struct cursor *c, unsigned rest, uint16_t *ret_type)
{
	return cursor_skip(c, rest) && cursor_u16(c, ret_type);
}

/* The bottom label is followed by IP, told by its first four bits, or by the
 * control word of an Ethernet pseudowire: 0 (RFC 4385). */
static bool mpls(struct cursor *c, uint16_t *ret_type)
{
	uint32_t label;

	if (!cursor_u32(c, &label))
		return false;
	if (!(label & 0x100))
		return is_type(ret_type, ETHERTYPE_MPLS);
	if (!c->left)
		return false;
	switch (c->bytes[0] >> 4) {
	case 0:
		return cursor_skip(c, 4) && is_type(ret_type, ETHERTYPE_TEB);
	case 4:
	case 6:
		return raw(c, ret_type);
	default:
		return false;
	}
}

/* RFC 1661 section 2: a protocol whose first byte is odd has only that. */
static bool ppp_protocol(struct cursor *c, uint16_t *ret_type)
{
	uint8_t first, second = 0;

	if (!cursor_u8(c, &first) || (!(first & 1) && !cursor_u8(c, &second)))
		return false;
	switch (first & 1 ? first : first << 8 | second) {
	case 0x0021:
	case 0x0057:
		return raw(c, ret_type);
	case 0x0281:
	case 0x0283:
		return is_type(ret_type, ETHERTYPE_MPLS);
	default:
		return false;
	}
}

/* RFC 2516: version, type, code, session, length. */
static bool pppoe(struct cursor *c, uint16_t *ret_type)
{
	return cursor_skip(c, 6) && ppp_protocol(c, ret_type);
}

/* With or without address and control bytes (RFC 1662). */
static bool ppp(struct cursor *c, uint16_t *ret_type)
{
	if (c->left >= 2 && c->bytes[0] == 0xff && c->bytes[1] == 0x03)
		cursor_skip(c, 2);
	return ppp_protocol(c, ret_type);
}

static bool ppp_with_direction(struct cursor *c, uint16_t *ret_type)
{
	return cursor_skip(c, 1) && ppp(c, ret_type);
}

/* An address, a control byte, then an EtherType. */
static bool cisco_hdlc(struct cursor *c, uint16_t *ret_type)
{
	return tag(c, 2, ret_type);
}

/* LINKTYPE_PPP_HDLC has both, told by the address (unicast, multicast). */
static bool ppp_or_cisco(struct cursor *c, uint16_t *ret_type)
{
	if (c->left && (c->bytes[0] == 0x0f || c->bytes[0] == 0x8f))
		return cisco_hdlc(c, ret_type);
	return ppp(c, ret_type);
}

/* IP's own SAP, or SNAP with an EtherType: of nobody, or bridged (RFC 1042). */
static bool llc(struct cursor *c, uint16_t *ret_type)
{
	const uint8_t *header = cursor_take(c, 3);
	const uint8_t *owner;

	if (!header || header[2] != 0x03)
		return false;
	if (header[0] == 0x06 && header[1] == 0x06)
		return raw(c, ret_type);
	if (header[0] != 0xaa || header[1] != 0xaa)
		return false;
	owner = cursor_take(c, 3);
	return owner && !owner[0] && !owner[1] && (owner[2] == 0 || owner[2] == 0xf8) &&
	       cursor_u16(c, ret_type) && *ret_type > LENGTH_MAX;
}

/* An 802.3 frame: what is behind its length is padding. */
static bool llc_of_length(struct cursor *c, uint16_t length, uint16_t *ret_type)
{
	c->left = MIN(c->left, (size_t)length);
	return llc(c, ret_type);
}

static bool sll_type(struct cursor *c, uint16_t type, uint16_t *ret_type)
{
	if (type == 4) /* LLC; smaller and larger ones are Linux' own */
		return llc(c, ret_type);
	return type > LENGTH_MAX && is_type(ret_type, type);
}

static bool sll(struct cursor *c, uint16_t *ret_type)
{
	uint16_t type;

	return tag(c, 14, &type) && sll_type(c, type, ret_type);
}

static bool sll2(struct cursor *c, uint16_t *ret_type)
{
	uint16_t type;

	return cursor_u16(c, &type) && cursor_skip(c, 18) && sll_type(c, type, ret_type);
}

/* A protocol family in the byte order of whoever wrote it: small either way.
 * Or an EtherType; or Cisco's HDLC header, 0f 00 and an EtherType, as between
 * the others in a file that PcapPlusPlus is tested with. */
static bool null(struct cursor *c, uint16_t *ret_type)
{
	uint32_t family;

	if (!cursor_u32(c, &family))
		return false;
	if (family >> 16 == 0x0f00)
		family &= 0xffff;
	else if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:  /* AF_INET everywhere */
	case 10: /* AF_INET6 of Linux */
	case 24: /* of NetBSD and OpenBSD */
	case 28: /* of FreeBSD */
	case 30: /* of Darwin */
		return raw(c, ret_type);
	default:
		return family > LENGTH_MAX && family <= 0xffff &&
		       is_type(ret_type, (uint16_t)family);
	}
}

/* OpenBSD's enc(4): family, SPI, flags. */
static bool enc(struct cursor *c, uint16_t *ret_type)
{
	return cursor_skip(c, 12) && raw(c, ret_type);
}

/* pf's log: its first byte is its length, without the padding to 4. */
static bool pflog(struct cursor *c, uint16_t *ret_type)
{
	return c->left && c->bytes[0] && cursor_skip(c, util_pad4(c->bytes[0])) && raw(c, ret_type);
}

/* 802.11 data frames that are not encrypted, with LLC. With radiotap's data
 * pad the header is filled up to 4 bytes. */
static bool wlan_padded(struct cursor *c, bool pad, uint16_t *ret_type)
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
	if (pad)
		rest = util_pad4(rest + 2) - 2;
	return cursor_skip(c, rest) && llc(c, ret_type);
}

static bool wlan(struct cursor *c, uint16_t *ret_type)
{
	return wlan_padded(c, false, ret_type);
}

#define RADIOTAP_TSFT     (1u << 0)  /* 8 bytes, aligned to 8 */
#define RADIOTAP_FLAGS    (1u << 1)  /* 1 byte */
#define RADIOTAP_EXTENDED (1u << 31) /* another word of what is present */
#define RADIOTAP_DATA_PAD 0x20u

/* Whether the 802.11 header is padded: what radiotap's flags say. */
static bool radiotap_pads(struct cursor header)
{
	const uint8_t *first = header.bytes;
	uint32_t present, more;
	uint8_t flags;

	header.big_endian = false;
	if (!cursor_skip(&header, 4) || !cursor_u32(&header, &present) ||
	    !(present & RADIOTAP_FLAGS))
		return false;
	for (more = present; more & RADIOTAP_EXTENDED;)
		if (!cursor_u32(&header, &more))
			return false;
	if (present & RADIOTAP_TSFT && !cursor_skip(&header, (header.bytes - first) % 8 ? 12 : 8))
		return false;
	return cursor_u8(&header, &flags) && flags & RADIOTAP_DATA_PAD;
}

/* Version, padding, its own length in little-endian. */
static bool radiotap(struct cursor *c, uint16_t *ret_type)
{
	struct cursor header;

	return c->left >= 8 && cursor_sub(c, bytes_u16(c->bytes + 2, false), &header) &&
	       wlan_padded(c, radiotap_pads(header), ret_type);
}

static bool avs(struct cursor *c, uint16_t *ret_type)
{
	return c->left >= 8 && cursor_skip(c, bytes_u32(c->bytes + 4, true)) && wlan(c, ret_type);
}

/* 144 bytes; but some drivers write AVS headers under this link type. */
static bool prism(struct cursor *c, uint16_t *ret_type)
{
	if (c->left >= 4 && (bytes_u32(c->bytes, true) & 0xfffff000) == 0x80211000)
		return avs(c, ret_type);
	return cursor_skip(c, 144) && wlan(c, ret_type);
}

/* Link types inside PPI and PKTAP, which are not nested. */
static bool ppi(struct cursor *c, uint16_t *ret_type);
static bool pktap(struct cursor *c, uint16_t *ret_type);
static header_function header_of(uint32_t link_type);

static bool wrapped(struct cursor *c, uint32_t link_type, uint16_t *ret_type)
{
	header_function header = header_of(link_type);

	return header && header != ppi && header != pktap && header(c, ret_type);
}

/* Per-Packet Information: version, flags, length, link type, little-endian. */
static bool ppi(struct cursor *c, uint16_t *ret_type)
{
	const uint8_t *header = c->left >= 8 ? c->bytes : NULL;

	return header && cursor_skip(c, bytes_u16(header + 2, false)) &&
	       wrapped(c, bytes_u32(header + 4, false), ret_type);
}

/* Darwin's pktap: length, 1 for a packet, link type, little-endian. */
static bool pktap(struct cursor *c, uint16_t *ret_type)
{
	const uint8_t *header = c->left >= 12 ? c->bytes : NULL;

	return header && bytes_u32(header + 4, false) == 1 &&
	       cursor_skip(c, bytes_u32(header, false)) &&
	       wrapped(c, bytes_u32(header + 8, false), ret_type);
}

#define NFLOG_PAYLOAD 9u

/* Linux' NFLOG: a family, then attributes in the byte order of the machine,
 * which the length of the first, a small one, tells. */
static bool nflog(struct cursor *c, uint16_t *ret_type)
{
	const uint8_t *header = cursor_take(c, 4);
	uint16_t length, type;

	if (!header || (header[0] != 2 && header[0] != 10) || c->left < 4)
		return false;
	c->big_endian = bytes_u16(c->bytes, true) < bytes_u16(c->bytes, false);
	while (cursor_u16(c, &length) && cursor_u16(c, &type) && length >= 4) {
		if ((type & 0x7fff) == NFLOG_PAYLOAD) {
			c->left = MIN(c->left, length - 4u);
			c->big_endian = true;
			return raw(c, ret_type);
		}
		if (!cursor_skip(c, util_pad4(length) - 4))
			return false;
	}
	return false;
}

/* IP over InfiniBand: the global route header, an EtherType, 2 bytes of 0. */
static bool ipoib(struct cursor *c, uint16_t *ret_type)
{
	return tag(c, 40, ret_type) && cursor_skip(c, 2);
}

/* IP over IEEE 1394: two addresses of 8 bytes. */
static bool ieee1394(struct cursor *c, uint16_t *ret_type)
{
	return tag(c, 16, ret_type);
}

/* Broadcom switches: a tag of 4 bytes behind the addresses, or before them. */
static bool brcm_tag(struct cursor *c, uint16_t *ret_type)
{
	return tag(c, 16, ret_type);
}

static bool brcm_tag_before(struct cursor *c, uint16_t *ret_type)
{
	return cursor_skip(c, 4) && ethernet(c, ret_type);
}

/* By LINKTYPE. 12 and 14 are what DLT_RAW is on most systems and on OpenBSD. */
static const header_function headers[] = {
	[0] = null,                 /* NULL */
	[1] = ethernet,             /* ETHERNET */
	[9] = ppp,                  /* PPP */
	[12] = raw,                 /* (RAW) */
	[14] = raw,                 /* (RAW) */
	[50] = ppp_or_cisco,        /* PPP_HDLC */
	[51] = pppoe,               /* PPP_ETHER */
	[100] = llc,                /* ATM_RFC1483 */
	[101] = raw,                /* RAW */
	[104] = cisco_hdlc,         /* C_HDLC */
	[105] = wlan,               /* IEEE802_11 */
	[108] = null,               /* LOOP */
	[109] = enc,                /* ENC */
	[113] = sll,                /* LINUX_SLL */
	[117] = pflog,              /* PFLOG */
	[119] = prism,              /* IEEE802_11_PRISM */
	[127] = radiotap,           /* IEEE802_11_RADIOTAP */
	[138] = ieee1394,           /* APPLE_IP_OVER_IEEE1394 */
	[163] = avs,                /* IEEE802_11_AVS */
	[192] = ppi,                /* PPI */
	[204] = ppp_with_direction, /* PPP_WITH_DIR */
	[228] = raw,                /* IPV4 */
	[229] = raw,                /* IPV6 */
	[239] = nflog,              /* NFLOG */
	[242] = ipoib,              /* IPOIB */
	[258] = pktap,              /* PKTAP */
	[276] = sll2,               /* LINUX_SLL2 */
	[281] = brcm_tag,           /* DSA_TAG_BRCM */
	[282] = brcm_tag_before,    /* DSA_TAG_BRCM_PREPEND */
};

static header_function header_of(uint32_t link_type)
{
	return link_type < ARRAY_SIZE(headers) ? headers[link_type] : NULL;
}

bool link_ethertype(struct cursor *c, uint16_t type)
{
	bool more = true;
	unsigned i;

	for (i = 0; more && i < LINK_HEADERS; i++) {
		switch (type) {
		case ETHERTYPE_IPV4:
		case ETHERTYPE_IPV6:
			return true;
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
		case ETHERTYPE_QINQ_OLDER:
			more = tag(c, 2, &type);
			break;
		case ETHERTYPE_VNTAG:
			more = tag(c, 4, &type);
			break;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_MULTICAST:
			more = mpls(c, &type);
			break;
		case ETHERTYPE_PPPOE:
			more = pppoe(c, &type);
			break;
		case ETHERTYPE_TEB:
			more = ethernet(c, &type);
			break;
		default:
			more = type <= LENGTH_MAX && llc_of_length(c, type, &type);
			break;
		}
	}
	return false;
}

bool link_to_ip(uint16_t link_type, struct cursor *c)
{
	header_function header = header_of(link_type);
	uint16_t type;

	return header && header(c, &type) && link_ethertype(c, type);
}

bool link_known(uint16_t link_type)
{
	return header_of(link_type) != NULL;
}
