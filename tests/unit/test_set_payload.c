/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of each link type and each combination of headers, whole, cut at
 * every length, padded, and with every byte flipped.
 */
#include "set/set_payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "set/set_predicate.h"

/* Parts of packets, as strings that go together by standing side by side. All
 * carry DATA, of 11 bytes. */
#define DATA      "the payload"
#define UDP       "\x9c\x40\x9c\x41\0\x13\0\0" DATA /* 19 bytes */
#define ZERO4     "\0\0\0\0"
#define ZERO8     ZERO4 ZERO4
#define ZERO16    ZERO8 ZERO8
#define ZERO64    ZERO16 ZERO16 ZERO16 ZERO16
#define TCP       "\0\x50\0\x51" ZERO8 "\x50\x18" ZERO4 "\0\0" DATA         /* 31 bytes */
#define TCP_LONG  "\0\x50\0\x51" ZERO8 "\x60\x18" ZERO4 "\0\0\1\1\1\1" DATA /* 35 bytes */
#define TCP_EMPTY "\0\x50\0\x51" ZERO8 "\x50\x10" ZERO4 "\0\0"

/* length of the whole, of 2 bytes; fragment; protocol */
#define IPV4(length, fragment, protocol) \
	"\x45\0" length "\0\1" fragment "\x40" protocol "\0\0\x0a\0\0\1\x0a\0\0\2"
#define IPV6(length, protocol) "\x60\0\0\0" length protocol "\x40" ZERO16 ZERO16

#define IP    IPV4("\0\x27", "\0\0", "\x11") UDP
#define IP_4T IPV4("\0\x33", "\x40\0", "\x06") TCP
#define IP_6  IPV6("\0\x13", "\x11") UDP
#define IP_6T IPV6("\0\x1f", "\x06") TCP

#define MACS       "\x02\0\0\0\0\1\x02\0\0\0\0\2"
#define ETH(type)  MACS type
#define SNAP(type) "\xaa\xaa\3\0\0\0" type
#define WLAN       "\x08\1" ZERO16 ZERO4 "\0\0" SNAP("\x08\0")
#define WLAN_QOS   "\x88\1" ZERO16 ZERO4 "\0\0\0\0"
#define BOTTOM     "\0\1\x11\x40"
#define LABEL      "\0\1\0\x40"
#define PPPOE      "\x11\0\0\1\0\x29"
#define AVS        "\x80\x21\x10\1\0\0\0\x40" ZERO16 ZERO16 ZERO16 ZERO8
#define SLL(type)  "\0\0\0\1\0\6" ZERO8 type

static const struct sample {
	uint16_t link_type;
	const char *name, *bytes;
	size_t size;
	const char *payload; /* NULL: none */
	bool endless;        /* no header says where it ends */
} samples[] = {
#define HAS(link, name, bytes, payload)                              \
	{                                                            \
		link, name, bytes, sizeof(bytes) - 1, payload, false \
	}
#define GIVES(link, name, bytes)   HAS(link, name, bytes, DATA)
#define NOTHING(link, name, bytes) HAS(link, name, bytes, NULL)
#define ENDLESS(link, name, bytes)                               \
	{                                                        \
		link, name, bytes, sizeof(bytes) - 1, DATA, true \
	}
	/* link types */
	GIVES(0, "null, little-endian", "\2\0\0\0" IP),
	GIVES(0, "null, big-endian", "\0\0\0\2" IP),
	GIVES(0, "null, IPv6 of Darwin", "\x1e\0\0\0" IP_6T),
	GIVES(0, "null, IPv6 of FreeBSD", "\x1c\0\0\0" IP_6),
	GIVES(0, "null, IPv6 of NetBSD", "\0\0\0\x18" IP_6),
	GIVES(0, "null, IPv6 of Linux", "\x0a\0\0\0" IP_6),
	GIVES(0, "null, EtherType", "\0\x08\0\0" IP),
	GIVES(0, "null, Cisco's HDLC", "\x0f\0\x08\0" IP),
	NOTHING(0, "null, another family", "\7\0\0\0" IP),
	GIVES(1, "Ethernet", ETH("\x08\0") IP),
	NOTHING(1, "ARP", ETH("\x08\6") IP),
	NOTHING(1, "type that is neither length nor EtherType", ETH("\5\xdd") IP),
	GIVES(9, "PPP", "\xff\3\0\x21" IP),
	GIVES(9, "PPP without address", "\0\x57" IP_6),
	GIVES(9, "PPP with a short protocol", "\x21" IP),
	GIVES(9, "PPP, MPLS", "\2\x81" BOTTOM IP),
	NOTHING(9, "LCP", "\xff\3\xc0\x21\1\1\0\4"),
	GIVES(12, "DLT_RAW", IP),
	GIVES(14, "DLT_RAW of OpenBSD", IP_6),
	GIVES(50, "PPP_HDLC", "\xff\3\0\x21" IP),
	GIVES(50, "PPP_HDLC, Cisco", "\x0f\0\x08\0" IP),
	GIVES(51, "PPP_ETHER", PPPOE "\0\x21" IP),
	GIVES(100, "RFC 1483", SNAP("\x08\0") IP),
	GIVES(101, "raw IPv4", IP_4T),
	GIVES(101, "raw IPv6", IP_6T),
	NOTHING(101, "raw, neither version", "\x55" IP),
	GIVES(104, "Cisco's HDLC", "\x8f\0\x86\xdd" IP_6),
	GIVES(105, "802.11", WLAN IP),
	GIVES(105, "802.11 with a frame check sequence", WLAN IP "\1\2\3\4"),
	GIVES(105, "802.11 QoS", WLAN_QOS SNAP("\x08\0") IP),
	GIVES(105, "802.11 with HT control", "\x88\x81" ZERO16 ZERO8 ZERO4 SNAP("\x08\0") IP),
	GIVES(105, "802.11 of four addresses", "\x08\3" ZERO16 ZERO8 ZERO4 SNAP("\x86\xdd") IP_6),
	NOTHING(105, "802.11 encrypted", "\x08\x41" ZERO16 ZERO4 "\0\0" SNAP("\x08\0") IP),
	NOTHING(105, "802.11 without data", "\x48\1" ZERO16 ZERO4 "\0\0" SNAP("\x08\0") IP),
	NOTHING(105, "802.11 management", "\x80\0" ZERO16 ZERO4 "\0\0" SNAP("\x08\0") IP),
	GIVES(108, "loop", "\0\0\0\x18" IP_6),
	GIVES(109, "enc", "\2\0\0\0" ZERO8 IP),
	GIVES(113, "SLL", SLL("\x08\0") IP),
	GIVES(113, "SLL, VLAN", SLL("\x81\0") "\0\5\x86\xdd" IP_6),
	GIVES(113, "SLL, LLC", SLL("\0\4") SNAP("\x08\0") IP),
	NOTHING(113, "SLL, CAN", SLL("\0\x0c") IP),
	GIVES(117, "pflog", "\x3d\2" ZERO16 ZERO16 ZERO16 ZERO8 ZERO4 "\0\0" IP),
	NOTHING(117, "pflog of no length", "\0\2" IP),
	GIVES(119, "prism", "\x44\0\0\0\x90\0\0\0" ZERO64 ZERO64 ZERO8 WLAN IP),
	GIVES(119, "AVS as prism", AVS WLAN IP),
	GIVES(127, "radiotap", "\0\0\x08\0" ZERO4 WLAN IP),
	GIVES(127, "radiotap with flags",
	      "\0\0\x11\0\3\0\0\0" ZERO8 "\0" WLAN_QOS SNAP("\x08\0") IP),
	GIVES(127, "radiotap with data pad",
	      "\0\0\x11\0\3\0\0\0" ZERO8 "\x20" WLAN_QOS "\0\0" SNAP("\x08\0") IP),
	GIVES(127, "radiotap with data pad, extended twice",
	      "\0\0\x19\0\3\0\0\xa0\0\0\0\x80" ZERO4 ZERO8 "\x20" WLAN_QOS "\0\0" SNAP("\x08\0")
		      IP),
	GIVES(127, "radiotap with data pad, no time, of nothing", "\0\0\x09\0\2\0\0\0\x20" WLAN IP),
	NOTHING(127, "radiotap longer than the packet", "\0\0\xff\xff" ZERO4 WLAN IP),
	GIVES(138, "IEEE 1394", ZERO16 "\x08\0" IP),
	GIVES(163, "AVS", AVS WLAN IP),
	GIVES(192, "PPI, 802.11", "\0\0\x08\0\x69\0\0\0" WLAN IP),
	GIVES(192, "PPI, Ethernet, a field", "\0\0\x10\0\1\0\0\0" ZERO8 ETH("\x08\0") IP),
	NOTHING(192, "PPI in PPI", "\0\0\x08\0\xc0\0\0\0\0\0\x08\0\1\0\0\0" ETH("\x08\0") IP),
	NOTHING(192, "PPI, huge link type", "\0\0\x08\0\1\0\1\0" ETH("\x08\0") IP),
	NOTHING(192, "PPI of no length, PKTAP", "\0\0\0\0\2\1\0\0" ETH("\x08\0") IP),
	GIVES(204, "PPP with direction", "\1\xff\3\0\x21" IP),
	GIVES(228, "IPV4", IP),
	GIVES(229, "IPV6", IP_6),
	GIVES(239, "NFLOG, little-endian",
	      "\2\0\0\0\x08\0\1\0" ZERO4 "\6\0\x0a\0" ZERO4 "\x2b\0\x09\0" IP),
	GIVES(239, "NFLOG, big-endian", "\2\0\0\0\0\x08\0\1" ZERO4 "\0\x2b\0\x09" IP),
	NOTHING(239, "NFLOG of ARP", "\3\0\0\0\x08\0\1\0" ZERO4 "\x2b\0\x09\0" IP),
	NOTHING(239, "NFLOG with an attribute of no length",
		"\2\0\0\0\x08\0\1\0" ZERO4 ZERO4 "\x2b\0\x09\0" IP),
	GIVES(242, "IP over InfiniBand", ZERO16 ZERO16 ZERO8 "\x08\0\0\0" IP),
	GIVES(258, "PKTAP", "\x10\0\0\0\1\0\0\0\1\0\0\0" ZERO4 ETH("\x08\0") IP),
	NOTHING(258, "PKTAP, no packet", "\x10\0\0\0\2\0\0\0\1\0\0\0" ZERO4 ETH("\x08\0") IP),
	NOTHING(258, "PKTAP of PPI",
		"\x0c\0\0\0\1\0\0\0\xc0\0\0\0\0\0\x08\0\1\0\0\0" ETH("\x08\0") IP),
	GIVES(276, "SLL2", "\x08\0" ZERO16 "\0\0" IP),
	GIVES(281, "Broadcom's tag", MACS ZERO4 "\x08\0" IP),
	GIVES(282, "Broadcom's tag, before", ZERO4 ETH("\x08\0") IP),
	NOTHING(2, "a link type that is not known", ETH("\x08\0") IP),
	NOTHING(65535, "the largest link type", IP),
	/* between Ethernet and IP */
	GIVES(1, "VLAN", ETH("\x81\0") "\0\5\x08\0" IP),
	GIVES(1, "QinQ", ETH("\x88\xa8") "\0\5\x81\0\0\6\x86\xdd" IP_6),
	GIVES(1, "QinQ of old", ETH("\x91\0") "\0\5\x92\0\0\5\x81\0\0\6\x08\0" IP),
	GIVES(1, "VLAN, length", ETH("\x81\0") "\0\5\0\x2f" SNAP("\x08\0") IP ZERO8),
	GIVES(1, "MPLS", ETH("\x88\x47") LABEL LABEL BOTTOM IP),
	GIVES(1, "MPLS, multicast, IPv6", ETH("\x88\x48") BOTTOM IP_6),
	GIVES(1, "MPLS, Ethernet", ETH("\x88\x47") BOTTOM ZERO4 ETH("\x08\0") IP),
	GIVES(1, "MPLS, Ethernet, MPLS",
	      ETH("\x88\x47") BOTTOM ZERO4 ETH("\x81\0") "\0\1\x88\x47" LABEL BOTTOM IP),
	NOTHING(1, "MPLS of something else", ETH("\x88\x47") BOTTOM "\x10" IP),
	GIVES(1, "PPPoE", ETH("\x88\x64") PPPOE "\0\x21" IP),
	NOTHING(1, "PPPoE, LCP", ETH("\x88\x64") PPPOE "\xc0\x21" IP),
	GIVES(1, "VN-tag", ETH("\x89\x26") ZERO4 "\x81\0\0\5\x08\0" IP),
	GIVES(1, "SNAP", ETH("\0\x2f") SNAP("\x08\0") IP ZERO8),
	GIVES(1, "SNAP, bridged", ETH("\0\x2f") "\xaa\xaa\3\0\0\xf8\x08\0" IP),
	NOTHING(1, "SNAP of Cisco", ETH("\0\x2f") "\xaa\xaa\3\0\0\x0c\x08\0" IP),
	NOTHING(1, "SNAP in SNAP", ETH("\0\x30") SNAP("\0\x2f") SNAP("\x08\0") IP),
	GIVES(1, "SAP of IP", ETH("\0\x2a") "\6\6\3" IP),
	NOTHING(1, "spanning tree", ETH("\0\x26") "\x42\x42\3" IP),
	HAS(1, "802.3 cuts", ETH("\0\x28") SNAP("\x08\0") IP, "the "),
	/* IP */
	GIVES(101, "IPv4 options", "\x47\0\0\x2f\0\1\0\0\x40\x11\0\0" ZERO8 "\1\1\1\1\1\1\1\0" UDP),
	GIVES(101, "padding", IP ZERO16),
	ENDLESS(101, "TSO", IPV4("\0\0", "\0\0", "\x06") TCP),
	HAS(101, "IPv4 length within", IPV4("\0\x20", "\0\0", "\x11") UDP, "the "),
	GIVES(101, "IPv4 length beyond", IPV4("\xff\xff", "\0\0", "\x06") TCP),
	NOTHING(101, "IPv4 length below its header", IPV4("\0\x13", "\0\0", "\x11") UDP),
	NOTHING(101, "IPv4 header below 20", "\x44\0\0\x27\0\1\0\0\x40\x11" ZERO8 "\0\0" UDP),
	NOTHING(101, "IPv4 header longer than the packet",
		"\x4f\0\0\x27\0\1\0\0\x40\x11" ZERO8 "\0\0" UDP),
	NOTHING(101, "IPv4 of another protocol", IPV4("\0\x27", "\0\0", "\x59") UDP),
	HAS(101, "IPv4 first fragment", IPV4("\0\x20", "\x20\0", "\x11") UDP, "the "),
	NOTHING(101, "IPv4 second fragment", IPV4("\0\x27", "\x20\1", "\x11") UDP),
	NOTHING(101, "IPv4 last fragment", IPV4("\0\x27", "\x1f\xff", "\x11") UDP),
	GIVES(101, "IPv6 padding", IP_6T ZERO8),
	HAS(101, "IPv6 length within", IPV6("\0\x0c", "\x11") UDP, "the "),
	ENDLESS(101, "IPv6 length 0", IPV6("\0\0", "\x06") TCP),
	GIVES(101, "IPv6 jumbogram", IPV6("\0\0", "\0") "\6\0\xc2\4\0\0\0\x27" TCP),
	GIVES(101, "IPv6 jumbogram, another option first",
	      IPV6("\0\0", "\0") "\6\1\0\1\1\0\0\0\xc2\4\0\0\0\x2f\1\0" TCP),
	ENDLESS(101, "IPv6 jumbo option of no length", IPV6("\0\0", "\0") "\6\0\xc2\0\1\2\0\0" TCP),
	ENDLESS(101, "IPv6 jumbo option beyond its header",
		IPV6("\0\0", "\0") "\6\0\1\3\0\0\0\xc2" TCP),
	GIVES(101, "IPv6 hop-by-hop", IPV6("\0\x1b", "\0") "\x11\0" ZERO4 "\0\0" UDP),
	GIVES(101, "IPv6 all extensions",
	      IPV6("\0\x5b", "\0") "\x3c\0\1\4\0\0\0\0\x2b\1" ZERO8 ZERO4 "\0\0\x33\0" ZERO4 "\0\0"
				   "\x87\1" ZERO8 "\0\0\x2c\0" ZERO4 "\0\0\6\0\0\1" ZERO4 TCP),
	NOTHING(101, "IPv6 later fragment", IPV6("\0\x1b", "\x2c") "\x11\0\0\x08\0\0\0\1" UDP),
	NOTHING(101, "IPv6 no next header", IPV6("\0\x13", "\x3b") UDP),
	NOTHING(101, "IPv6 extension beyond", IPV6("\0\x1b", "\0") "\x11\xff" ZERO4 "\0\0" UDP),
	GIVES(101, "IPv4 authentication",
	      IPV4("\0\x3f", "\0\0", "\x33") "\x11\4" ZERO16 ZERO4 "\0\0" UDP),
	GIVES(101, "IP in IP", IPV4("\0\x3b", "\0\0", "\4") IP),
	GIVES(101, "6in4", IPV4("\0\x4f", "\0\0", "\x29") IP_6),
	GIVES(101, "4in6", IPV6("\0\x27", "\4") IP),
	GIVES(101, "GRE", IPV4("\0\x3f", "\0\0", "\x2f") "\0\0\x08\0" IP),
	GIVES(101, "GRE with all", IPV4("\0\x4b", "\0\0", "\x2f") "\xb0\0\x08\0" ZERO8 ZERO4 IP),
	GIVES(101, "GRE, Ethernet", IPV4("\0\x4d", "\0\0", "\x2f") "\0\0\x65\x58" ETH("\x08\0") IP),
	NOTHING(101, "GRE with routes", IPV4("\0\x43", "\0\0", "\x2f") "\x40\0\x08\0" ZERO4 IP),
	NOTHING(101, "GRE of PPTP", IPV4("\0\x3f", "\0\0", "\x2f") "\0\1\x08\0" IP),
	/* transports */
	GIVES(101, "TCP options", IPV4("\0\x37", "\0\0", "\x06") TCP_LONG),
	NOTHING(101, "TCP without payload", IPV4("\0\x28", "\0\0", "\x06") TCP_EMPTY ZERO4 "\0\0"),
	NOTHING(101, "TCP header below 20",
		IPV4("\0\x33", "\0\0", "\x06") "\0\x50\0\x51" ZERO8 "\x40\x18" ZERO4 "\0\0" DATA),
	HAS(101, "UDP length within", IPV4("\0\x27", "\0\0", "\x11") "\0\1\0\2\0\x0c\0\0" DATA,
	    "the "),
	GIVES(101, "UDP length beyond", IPV4("\0\x27", "\0\0", "\x11") "\0\1\0\2\1\0\0\0" DATA),
	GIVES(101, "UDP length 0", IPV4("\0\x27", "\0\0", "\x11") "\0\1\0\2\0\0\0\0" DATA),
	NOTHING(101, "UDP length 7", IPV4("\0\x27", "\0\0", "\x11") "\0\1\0\2\0\7\0\0" DATA),
	NOTHING(101, "UDP without payload",
		IPV4("\0\x1c", "\0\0", "\x11") "\0\1\0\2\0\x08\0\0" DATA),
	GIVES(101, "UDP-Lite", IPV4("\0\x27", "\0\0", "\x88") "\0\1\0\2\0\x08\0\0" DATA),
	GIVES(101, "SCTP",
	      IPV4("\0\x3b", "\0\0", "\x84") "\0\1\0\2" ZERO8 "\0\3\0\x1b" ZERO8 ZERO4 DATA),
	HAS(101, "SCTP, several chunks",
	    IPV4("\0\x80", "\0\0", "\x84") "\0\1\0\2" ZERO8 "\3\0\0\x08\0\0\0\0"
					   "\0\3\0\x1b" ZERO8 ZERO4 DATA "\0"
					   "\0\3\0\x11" ZERO8 ZERO4 "+\0\0\0"
					   "\x40\3\0\x1f" ZERO16 DATA,
	    DATA "+" DATA),
	HAS(101, "SCTP, chunk longer than the packet",
	    IPV4("\0\x3b", "\0\0", "\x84") "\0\1\0\2" ZERO8 "\0\3\xff\xff" ZERO8 ZERO4 DATA, DATA),
	NOTHING(101, "SCTP, chunk of no length",
		IPV4("\0\x3f", "\0\0", "\x84") "\0\1\0\2" ZERO8 ZERO4
					       "\0\3\0\x1b" ZERO8 ZERO4 DATA),
	NOTHING(101, "SCTP, heartbeat",
		IPV4("\0\x28", "\0\0", "\x84") "\0\1\0\2" ZERO8 "\4\0\0\x08\0\0\0\0"),
	GIVES(101, "echo", IPV4("\0\x27", "\0\0", "\1") "\x08\0\0\0\0\1\0\1" DATA),
	GIVES(101, "echo of IPv6", IPV6("\0\x13", "\x3a") "\x80\0\0\0\0\1\0\1" DATA),
	HAS(101, "unreachable, quoting", IPV4("\0\x24", "\0\0", "\1") "\3\3" ZERO4 "\0\0" DATA,
	    "the payl"),
	NOTHING(101, "ICMP without payload",
		IPV4("\0\x1c", "\0\0", "\1") "\x0b" ZERO4 "\0\0\0" DATA),
};

/* The payload's bytes, after a check of what the header promises of pieces. */
static size_t gather(const struct payload *payload, const uint8_t *data, size_t captured, char *ret)
{
	size_t size = 0, end = 0;
	unsigned i;

	assert_in_range(payload->count, 0, PAYLOAD_PIECES);
	for (i = 0; i < payload->count; i++) {
		const struct payload_piece *piece = &payload->pieces[i];

		assert_true(piece->size > 0 && piece->offset >= end);
		end = (size_t)piece->offset + piece->size;
		assert_true(end <= captured);
		memcpy(ret + size, data + piece->offset, piece->size);
		size += piece->size;
	}
	assert_int_equal(payload->size, size);
	return size;
}

/* Of a copy that ends where its memory ends, for AddressSanitizer. */
static size_t find(const struct sample *sample, const void *bytes, size_t size, char *ret)
{
	_cleanup_free_ uint8_t *copy = malloc(size ? size : 1);
	struct payload payload;
	bool found;

	memcpy(copy, bytes, size);
	found = payload_find(sample->link_type, copy, (uint32_t)size, &payload);
	assert_int_equal(found, payload.size > 0);
	return gather(&payload, copy, size, ret);
}

static void whole(void **state)
{
	char got[512];
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		const char *want = samples[i].payload ? samples[i].payload : "";

		size = find(&samples[i], samples[i].bytes, samples[i].size, got);
		if (size != strlen(want) || memcmp(got, want, size) != 0)
			fail_msg("%u, %s: '%.*s' instead of '%s'", samples[i].link_type,
				 samples[i].name, (int)size, got, want);
	}
}

static void cut_at_every_length(void **state)
{
	char got[512];
	size_t i, size, length, nothing = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		const char *want = samples[i].payload ? samples[i].payload : "";

		for (length = 0; length < samples[i].size; length++) {
			size = find(&samples[i], samples[i].bytes, length, got);
			nothing += !size;
			if (size > strlen(want) || memcmp(got, want, size) != 0)
				fail_msg("%s, cut at %zu: '%.*s'", samples[i].name, length,
					 (int)size, got);
		}
	}
	assert_true(nothing > 1000);
}

static void padded(void **state)
{
	char bytes[512], got[512];
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];

		/* a length that says more than there was takes it */
		if (!s->payload || strstr(s->name, "beyond") || strstr(s->name, "longer"))
			continue;
		memcpy(bytes, s->bytes, s->size);
		memset(bytes + s->size, '!', 20);
		size = find(s, bytes, s->size + 20, got);
		if (size != strlen(s->payload) + (s->endless ? 20 : 0))
			fail_msg("%s, padded: '%.*s'", s->name, (int)size, got);
	}
}

static void flipped(void **state)
{
	char bytes[512], got[512];
	size_t i, at, nothing = 0;
	unsigned bit;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		memcpy(bytes, samples[i].bytes, samples[i].size);
		for (at = 0; at < samples[i].size; at++)
			for (bit = 1; bit < 0x200; bit <<= 1) {
				uint8_t mask = (uint8_t)(bit == 0x100 ? 0xff : bit);

				bytes[at] = (char)(bytes[at] ^ mask);
				nothing += !find(&samples[i], bytes, samples[i].size, got);
				bytes[at] = (char)(bytes[at] ^ mask);
			}
	}
	assert_true(nothing > 1000);
}

/* Headers that repeat until the end of a large packet: as deep as it may get,
 * and no deeper. */
static void nested(void **state)
{
	static const struct {
		uint16_t link_type;
		const char *bytes;
		size_t size, repeated; /* the last `repeated` bytes, again and again */
	} headers[] = {
#define NEST(link, first, again) {link, first again, sizeof(first again) - 1, sizeof(again) - 1}
		NEST(1, ETH("\x81\0"), "\0\1\x81\0"),
		NEST(1, ETH("\x88\x47"), LABEL),
		NEST(1, ETH("\x88\x47"), BOTTOM ZERO4 ETH("\x88\x47")),
		NEST(1, "", ETH("\x65\x58")),
		NEST(192, "", "\0\0\x08\0\xc0\0\0\0"),
		NEST(192, "", "\0\0\0\0\2\1\0\0\1\0\0\0"),
		NEST(101, "", "\x45\0\0\0\0\0\0\0\0\4\0\0" ZERO8),
		NEST(101, "", "\x45\0\0\0\0\0\0\0\0\x2f\0\0" ZERO8 "\0\0\x08\0"),
		NEST(101, IPV6("\0\0", "\0"), "\0\0" ZERO4 "\0\0"),
		NEST(101, IPV4("\0\0", "\0\0", "\x84") ZERO8 ZERO4, "\3\0\0\4"),
	};
	enum { SIZE = 1 << 20 };
	_cleanup_free_ uint8_t *bytes = malloc(SIZE);
	struct payload payload;
	size_t i, at;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(headers); i++) {
		memcpy(bytes, headers[i].bytes, headers[i].size);
		for (at = headers[i].size; at < SIZE; at++)
			bytes[at] = bytes[at - headers[i].repeated];
		assert_false(payload_find(headers[i].link_type, bytes, SIZE, &payload));
	}
}

/* More chunks than there are pieces: those that are told are right. */
static void many_chunks(void **state)
{
	static const char start[] = IPV4("\0\0", "\0\0", "\x84") "\0\1\0\2" ZERO8;
	static const char chunk[] = "\0\3\0\x11" ZERO8 ZERO4 "x\0\0\0";
	uint8_t bytes[sizeof(start) + 100 * sizeof(chunk)];
	size_t i, size = sizeof(start) - 1;
	struct payload payload;
	char got[512];

	(void)state;
	memcpy(bytes, start, size);
	for (i = 0; i < 100; i++, size += sizeof(chunk) - 1)
		memcpy(bytes + size, chunk, sizeof(chunk) - 1);
	assert_true(payload_find(101, bytes, (uint32_t)size, &payload));
	assert_int_equal(gather(&payload, bytes, size, got), PAYLOAD_PIECES);
	assert_int_equal(got[0], 'x');
	assert_int_equal(got[PAYLOAD_PIECES - 1], 'x');
}

static void known(void **state)
{
	uint32_t link;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(samples); i++)
		if (samples[i].payload)
			assert_true(payload_knows(samples[i].link_type));
	for (link = 0; link <= UINT16_MAX; link++) {
		bool sampled = false;

		if (!payload_knows((uint16_t)link))
			continue;
		assert_true(link < PAYLOAD_LINK_TYPES);
		assert_non_null(
			pktfs_linktype_name(link == 12 || link == 14 ? 101 : (uint16_t)link));
		for (i = 0; i < ARRAY_SIZE(samples); i++)
			sampled |= samples[i].payload && samples[i].link_type == link;
		if (!sampled)
			fail_msg("link type %u is known, and not tested", link);
	}
	assert_false(payload_knows(2));
	assert_false(payload_knows(UINT16_MAX));
}

static void predicate(void **state)
{
	const struct set_predicate *p = &set_payload_predicate;
	struct pktfs_packet packet = {0};
	struct pktfs_error error;
	void *opened;
	size_t i;

	(void)state;
	assert_int_equal(p->open(NULL, "tcp", &opened, &error), -EINVAL);
	assert_int_equal(p->open(NULL, "", &opened, &error), 0);
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		packet.link_type = samples[i].link_type;
		packet.data = (const uint8_t *)samples[i].bytes;
		packet.captured_length = (uint32_t)samples[i].size;
		assert_int_equal(p->matches(opened, NULL, &packet), samples[i].payload ? 1 : 0);
	}
	p->close(opened);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),  cmocka_unit_test(cut_at_every_length),
		cmocka_unit_test(padded), cmocka_unit_test(flipped),
		cmocka_unit_test(nested), cmocka_unit_test(many_chunks),
		cmocka_unit_test(known),  cmocka_unit_test(predicate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
