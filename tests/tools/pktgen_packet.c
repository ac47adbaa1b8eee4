/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "pktgen.h"
#include "pktgen_net.h"

/* Conversations among which the packets are dealt out. */
#define FLOWS 1024u

#define LINK_NULL     0
#define LINK_ETHERNET 1
#define LINK_RAW      101

enum payload {
	PAYLOAD_TEXT,   /* a quarter of the packets */
	PAYLOAD_SPARSE, /* a quarter: compresses well */
	PAYLOAD_RANDOM,
};

static uint32_t size_of(const struct gen *gen, uint64_t random)
{
	uint32_t r = (uint32_t)(random >> 8 & 0xffff);
	uint32_t kind = r % 12;

	switch (gen->sizes) {
	case GEN_SIZE_FIXED:
		return gen->fixed_size;
	case GEN_SIZE_TINY:
		return 42 + r % 19;
	case GEN_SIZE_IMIX:
		break;
	}
	/* the classic mixture: 7 small, 4 middle, 1 full */
	if (kind < 7)
		return 60 + r / 12 % 20;
	return kind < 11 ? 560 + r / 12 % 72 : 1514;
}

void gen_packet(const struct gen *gen, uint64_t number, struct gen_packet *ret)
{
	uint64_t random = gen_mix(gen->seed * UINT64_C(0xd1342543de82ef95) ^ number);
	uint64_t later = (number - 1) * gen->gap_ns;
	int64_t time;

	if (gen->gap_ns)
		later += gen_mix(random) % gen->gap_ns;
	time = gen->start_ns + (int64_t)later;
	if (gen->disorder && random >> 58 == 0)
		time -= (int64_t)(100 * gen->gap_ns + 1000);
	if (!gen->nanosecond)
		time -= (time % 1000 + 1000) % 1000;
	*ret = (struct gen_packet){
		.number = number,
		.random = random,
		.time_ns = time,
		.interface = (uint32_t)((random >> 40) % gen->interfaces),
		.original = size_of(gen, random),
	};
	ret->captured = ret->original;
	if (gen->snaplen && ret->captured > gen->snaplen)
		ret->captured = gen->snaplen;
}

static uint8_t *put_text(uint8_t *at, uint8_t *end, const char *text)
{
	size_t size = MIN(strlen(text), (size_t)(end - at));

	memcpy(at, text, size);
	return at + size;
}

static uint8_t *put_decimal(uint8_t *at, uint8_t *end, uint64_t number)
{
	char digits[24];
	char *digit = digits + sizeof(digits) - 1;

	*digit = '\0';
	do {
		*--digit = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return put_text(at, end, digit);
}

static void fill_text(uint8_t *at, uint8_t *end, uint64_t number, uint64_t random)
{
	static const char *const words[] = {
		"alpha ", "bravo ", "capture ",  "delta ",    "echo ",   "frame ",
		"golf ",  "hotel ", "index ",    "juliett\n", "kernel ", "lima ",
		"mike ",  "node ",  "octet\r\n", "packet ",
	};

	at = put_text(at, end, "GET /item/");
	at = put_decimal(at, end, number);
	at = put_text(at, end, " HTTP/1.1\r\nHost: www.example.com\r\n\r\n");
	while (at < end) {
		at = put_text(at, end, words[random & 15]);
		random = random >> 4 | random << 60;
		if ((random & 0xf) == 3)
			random = gen_mix(random);
	}
}

static void fill_random(uint8_t *at, uint8_t *end, uint64_t random, uint64_t mask)
{
	uint64_t word;

	for (; end - at >= 8; at += 8) {
		word = gen_mix(random++) & mask;
		memcpy(at, &word, 8);
	}
	word = gen_mix(random) & mask;
	memcpy(at, &word, (size_t)(end - at));
}

static void fill_payload(const struct gen_packet *packet, uint8_t *at, uint8_t *end)
{
	uint64_t random = gen_mix(packet->random ^ 1);
	enum payload kind = (enum payload)(random >> 62);

	if (kind == PAYLOAD_TEXT)
		fill_text(at, end, packet->number, random);
	else
		fill_random(at, end, random,
			    kind == PAYLOAD_SPARSE ? UINT64_C(0x0700001f00000003) : UINT64_MAX);
}

/* Host `number` of the client side, or of the server side. */
static void host(const struct net_hosts *hosts, uint8_t *address, bool server, uint32_t number)
{
	static const uint8_t prefix[16] = {0x20, 0x01, 0x0d, 0xb8};

	if (hosts->ipv6) {
		memcpy(address, prefix, sizeof(prefix));
		address[7] = server;
		net_put16(address + 14, (uint16_t)(number + 1));
		return;
	}
	net_put32(address, server ? 0xc6336400 | (number % 254 + 1) : 0x0a000001 + number);
}

struct flow {
	struct net_hosts hosts;
	struct net_tcp tcp; /* UDP uses the ports alone */
	bool udp;
	bool reply;
};

static void flow_of(const struct gen_packet *packet, struct flow *ret)
{
	static const uint16_t services[] = {80, 443, 53, 22, 25, 8080, 5060, 123};
	uint32_t number = (uint32_t)(packet->random >> 20) % FLOWS;
	uint64_t random = gen_mix(number);
	uint16_t client = (uint16_t)(32768 + number), service = services[random & 7];
	bool reply = packet->random & 1;

	*ret = (struct flow){.reply = reply};
	ret->udp = (random >> 3) % 10 < 3;
	ret->hosts.ipv6 = (random >> 16) % 5 == 0;
	ret->hosts.id = (uint16_t)packet->number;
	host(&ret->hosts, reply ? ret->hosts.target : ret->hosts.source, false, number / 4);
	host(&ret->hosts, reply ? ret->hosts.source : ret->hosts.target, true, number % 37);
	ret->tcp = (struct net_tcp){
		.source = reply ? service : client,
		.target = reply ? client : service,
		.sequence = (uint32_t)(packet->number * 1460 + random),
		.acknowledged = (uint32_t)(packet->number * 1448),
		.flags = NET_ACK | NET_PSH,
	};
}

/* The link layer's header. IPv6 is 30 for the BSD families of LINKTYPE_NULL:
 * one of the values that readers know. */
static size_t put_link(const struct gen *gen, uint8_t *at, const struct flow *flow, uint16_t type)
{
	static const uint8_t macs[2][6] = {
		{0x02, 0x00, 0x5e, 0x10, 0x00, 0x01},
		{0x02, 0x00, 0x5e, 0x10, 0x00, 0x02},
	};
	uint32_t family = flow->hosts.ipv6 ? 30 : 2;

	switch (gen->link_type) {
	case LINK_RAW:
		return 0;
	case LINK_NULL:
		family = gen->big_endian ? htobe32(family) : htole32(family);
		memcpy(at, &family, sizeof(family));
		return sizeof(family);
	default:
		return net_ethernet(at, macs[!flow->reply], macs[flow->reply], type);
	}
}

/* Chooses what fits: IPv6 gives way to IPv4, TCP to UDP, IP to a bare frame. */
void gen_packet_fill(const struct gen *gen, const struct gen_packet *packet, uint8_t *bytes)
{
	uint8_t *end = bytes + packet->original, *at = bytes;
	size_t link, ip, left;
	struct flow flow;

	flow_of(packet, &flow);
	link = gen->link_type == LINK_RAW ? 0 : gen->link_type == LINK_NULL ? 4 : NET_ETHERNET_SIZE;
	ip = flow.hosts.ipv6 ? NET_IPV6_SIZE : NET_IPV4_SIZE;
	if (packet->original < link + ip + NET_TCP_SIZE) {
		flow.hosts.ipv6 = false;
		host(&flow.hosts, flow.hosts.source, flow.reply, 0);
		host(&flow.hosts, flow.hosts.target, !flow.reply, 0);
		ip = NET_IPV4_SIZE;
		flow.udp = true;
	}
	left = packet->original - link - ip;
	if (packet->original < link + ip + NET_UDP_SIZE || left > UINT16_MAX - NET_IPV4_SIZE) {
		if (link == NET_ETHERNET_SIZE && packet->original >= link)
			at += put_link(gen, at, &flow, NET_ETHERTYPE_EXPERIMENTAL);
		fill_payload(packet, at, end);
		return;
	}
	at += put_link(gen, at, &flow, flow.hosts.ipv6 ? NET_ETHERTYPE_IPV6 : NET_ETHERTYPE_IPV4);
	at += net_ip(at, &flow.hosts, flow.udp ? NET_UDP : NET_TCP, left);
	fill_payload(packet, at + (flow.udp ? NET_UDP_SIZE : NET_TCP_SIZE), end);
	if (flow.udp)
		net_udp(at, &flow.hosts, flow.tcp.source, flow.tcp.target, left);
	else
		net_tcp(at, &flow.hosts, &flow.tcp, left);
}
