/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "pktgen_sample.h"
#include "write/write_encode.h"

#define FRAME_ROOM     2048
#define ETHERNET_LEAST 60
#define OPT_COMMENT    1
#define OPT_EPB_FLAGS  2
#define DNS_PORT       53
#define DNS_CLIENT     51334

const struct sample_host sample_client = {
	{0x02, 0x00, 0x5e, 0x00, 0x53, 0x0a},
	{192, 0, 2, 10},
	{0x20, 0x01, 0x0d, 0xb8, [15] = 0x10},
};

const struct sample_host sample_router = {
	{0x02, 0x00, 0x5e, 0x00, 0x53, 0x01},
	{192, 0, 2, 1},
	{0x20, 0x01, 0x0d, 0xb8, [15] = 0x01},
};

/* Behind the router: its frames have the router's MAC. */
const struct sample_host sample_server = {
	{0x02, 0x00, 0x5e, 0x00, 0x53, 0x01},
	{198, 51, 100, 80},
	{0x20, 0x01, 0x0d, 0xb8, 0x00, 0x01, [15] = 0x80},
};

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* A packet block around `size` bytes of `frame`. */
static void emit(struct sample *sample, int64_t later_ns, uint8_t *frame, size_t size)
{
	_cleanup_(text_free) struct text options = {0};
	bool be = sample->big_endian;
	bool out = !memcmp(frame + 6, sample_client.mac, 6);
	uint32_t flags = out ? SAMPLE_OUTBOUND : SAMPLE_INBOUND;
	struct write_packet packet = {.interface = sample->interface, .drops = UINT32_MAX};

	flags |= memcmp(frame, broadcast, 6) ? SAMPLE_UNICAST : SAMPLE_BROADCAST;
	flags = be ? htobe32(flags) : htole32(flags);
	if (size < ETHERNET_LEAST) {
		memset(frame + size, 0, ETHERNET_LEAST - size);
		size = ETHERNET_LEAST;
	}
	if (sample->comment)
		write_option(&options, OPT_COMMENT, sample->comment, strlen(sample->comment), be);
	write_option(&options, OPT_EPB_FLAGS, &flags, sizeof(flags), be);
	sample->now_ns += later_ns;
	packet.ticks = (uint64_t)sample->now_ns;
	packet.captured = packet.original = (uint32_t)size;
	packet.data = frame;
	packet.options = (struct pktfs_options){(uint8_t *)options.bytes, options.size, be};
	write_epb(&sample->text, be, &packet);
	sample->received[sample->interface]++;
	sample->comment = NULL;
}

/* The Ethernet header, with a VLAN tag on the trunk. */
static size_t ethernet(const struct sample *sample, uint8_t *at, const uint8_t *target,
		       const uint8_t *source, uint16_t type)
{
	if (sample->interface != SAMPLE_TRUNK)
		return net_ethernet(at, target, source, type);
	net_ethernet(at, target, source, NET_ETHERTYPE_VLAN);
	net_put16(at + 14, SAMPLE_VLAN);
	net_put16(at + 16, type);
	return 18;
}

void sample_arp(struct sample *sample, int64_t later_ns, bool reply)
{
	static const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, 1};
	const struct sample_host *from = reply ? &sample_router : &sample_client;
	const struct sample_host *to = reply ? &sample_client : &sample_router;
	uint8_t frame[FRAME_ROOM];
	uint8_t *at = frame + ethernet(sample, frame, reply ? to->mac : broadcast, from->mac,
				       NET_ETHERTYPE_ARP);

	memcpy(at, head, sizeof(head));
	at[7] = reply ? 2 : 1;
	memcpy(at + 8, from->mac, 6);
	memcpy(at + 14, from->ipv4, 4);
	memset(at + 18, 0, 6);
	if (reply)
		memcpy(at + 18, to->mac, 6);
	memcpy(at + 24, to->ipv4, 4);
	emit(sample, later_ns, frame, (size_t)(at + 28 - frame));
}

/* Ethernet and IP headers between the client and its peer. */
static size_t headers(struct sample *sample, uint8_t *frame, struct net_hosts *hosts, bool ipv6,
		      bool from_client, uint8_t protocol, size_t size)
{
	const struct sample_host *from = from_client ? &sample_client : sample->peer;
	const struct sample_host *to = from_client ? sample->peer : &sample_client;
	size_t at = ethernet(sample, frame, to->mac, from->mac,
			     ipv6 ? NET_ETHERTYPE_IPV6 : NET_ETHERTYPE_IPV4);

	*hosts = (struct net_hosts){.ipv6 = ipv6, .id = ++sample->ip_id};
	memcpy(hosts->source, ipv6 ? from->ipv6 : from->ipv4, ipv6 ? 16 : 4);
	memcpy(hosts->target, ipv6 ? to->ipv6 : to->ipv4, ipv6 ? 16 : 4);
	return at + net_ip(frame + at, hosts, protocol, size);
}

void sample_udp(struct sample *sample, int64_t later_ns, bool ipv6, bool from_client,
		uint16_t client_port, uint16_t server_port, const void *payload, size_t size)
{
	uint16_t source = from_client ? client_port : server_port;
	uint16_t target = from_client ? server_port : client_port;
	size_t length = NET_UDP_SIZE + size;
	uint8_t frame[FRAME_ROOM];
	struct net_hosts hosts;
	size_t at = headers(sample, frame, &hosts, ipv6, from_client, NET_UDP, length);

	memcpy(frame + at + NET_UDP_SIZE, payload, size);
	net_udp(frame + at, &hosts, source, target, length);
	emit(sample, later_ns, frame, at + length);
}

void sample_tcp(struct sample *sample, int64_t later_ns, struct sample_talk *talk, bool from_client,
		uint8_t flags, const char *payload)
{
	uint32_t *next = from_client ? &talk->client_next : &talk->server_next;
	size_t size = strlen(payload), length = NET_TCP_SIZE + size;
	uint8_t frame[FRAME_ROOM];
	struct net_hosts hosts;
	size_t at = headers(sample, frame, &hosts, talk->ipv6, from_client, NET_TCP, length);
	struct net_tcp tcp = {
		.source = from_client ? talk->client_port : talk->server_port,
		.target = from_client ? talk->server_port : talk->client_port,
		.sequence = *next,
		.acknowledged = from_client ? talk->server_next : talk->client_next,
		.flags = flags,
	};

	if (!(flags & NET_ACK))
		tcp.acknowledged = 0;
	memcpy(frame + at + NET_TCP_SIZE, payload, size);
	net_tcp(frame + at, &hosts, &tcp, length);
	*next += (uint32_t)size + (flags & (NET_SYN | NET_FIN) ? 1 : 0);
	emit(sample, later_ns, frame, at + length);
}

void sample_ping(struct sample *sample, int64_t later_ns, bool ipv6, bool reply, uint16_t sequence)
{
	static const char payload[] = "pktfs says hello, and hello again, and once more hello.";
	size_t length = 8 + sizeof(payload) - 1;
	uint8_t frame[FRAME_ROOM];
	struct net_hosts hosts;
	size_t at =
		headers(sample, frame, &hosts, ipv6, !reply, ipv6 ? NET_ICMP6 : NET_ICMP, length);

	memcpy(frame + at + 8, payload, sizeof(payload) - 1);
	net_echo(frame + at, &hosts, reply, 0x2a2a, sequence, length);
	emit(sample, later_ns, frame, at + length);
}

/* The header and the question: what both messages begin with. */
static size_t dns_question(uint8_t *at, uint16_t id, const char *name, uint16_t type)
{
	uint8_t *start = at;
	const char *dot;
	size_t length;

	memset(at, 0, 12);
	net_put16(at, id);
	net_put16(at + 2, 0x0100); /* recursion desired */
	net_put16(at + 4, 1);
	for (at += 12; *name; name += length + (name[length] == '.')) {
		dot = strchr(name, '.');
		length = dot ? (size_t)(dot - name) : strlen(name);
		*at++ = (uint8_t)length;
		memcpy(at, name, length);
		at += length;
	}
	*at++ = 0;
	net_put16(at, type);
	net_put16(at + 2, 1);
	return (size_t)(at + 4 - start);
}

void sample_dns(struct sample *sample, int64_t later_ns, uint16_t id, const char *name, bool ipv6,
		const uint8_t *answer)
{
	uint16_t type = ipv6 ? 28 : 1, length = ipv6 ? 16 : 4;
	uint8_t message[512];
	size_t size = dns_question(message, id, name, type);
	uint8_t *at = message + size;

	sample_udp(sample, later_ns, false, true, DNS_CLIENT, DNS_PORT, message, size);
	net_put16(message + 2, answer ? 0x8180 : 0x8183); /* 3: no such name */
	if (answer) {
		net_put16(message + 6, 1);
		net_put16(at, 0xc00c); /* the name of the question */
		net_put16(at + 2, type);
		net_put16(at + 4, 1);
		net_put32(at + 6, 3600);
		net_put16(at + 10, length);
		memcpy(at + 12, answer, length);
		size += 12u + length;
	}
	sample_udp(sample, 8412337, false, false, DNS_CLIENT, DNS_PORT, message, size);
}
