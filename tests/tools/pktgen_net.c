/* SPDX-License-Identifier: BSD-2-Clause */
#include "pktgen_net.h"

#include <string.h>

#define NET_ECHO_SIZE 8

/* The sum of RFC 1071 over big-endian 16-bit words, unfolded, in the machine's
 * own byte order: folding and one swap at the end make it right. */
static uint64_t sum(const uint8_t *bytes, size_t size)
{
	uint64_t total = 0;
	uint32_t word;
	uint16_t half;
	size_t i;

	for (i = 0; i + 4 <= size; i += 4) {
		memcpy(&word, bytes + i, sizeof(word));
		total += word;
	}
	if (i + 2 <= size) {
		memcpy(&half, bytes + i, sizeof(half));
		total += half;
		i += 2;
	}
	if (i < size) {
		half = 0;
		memcpy(&half, bytes + i, 1);
		total += half;
	}
	return total;
}

/* Stores the folded sum as it is in memory order: no swap needed. */
static void store_sum(uint8_t *at, uint64_t total, bool udp)
{
	uint16_t folded;

	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	folded = (uint16_t)~total;
	if (udp && !folded)
		folded = 0xffff;
	memcpy(at, &folded, sizeof(folded));
}

static uint64_t pseudo_header(const struct net_hosts *hosts, uint8_t protocol, size_t size)
{
	size_t length = hosts->ipv6 ? 16 : 4;
	uint8_t rest[8] = {0};

	net_put32(rest, (uint32_t)size);
	rest[7] = protocol;
	return sum(hosts->source, length) + sum(hosts->target, length) + sum(rest, sizeof(rest));
}

size_t net_ethernet(uint8_t *at, const uint8_t target[6], const uint8_t source[6], uint16_t type)
{
	memcpy(at, target, 6);
	memcpy(at + 6, source, 6);
	net_put16(at + 12, type);
	return NET_ETHERNET_SIZE;
}

static size_t ipv4(uint8_t *at, const struct net_hosts *hosts, uint8_t protocol, size_t size)
{
	memset(at, 0, NET_IPV4_SIZE);
	at[0] = 0x45;
	net_put16(at + 2, (uint16_t)(NET_IPV4_SIZE + size));
	net_put16(at + 4, hosts->id);
	at[6] = 0x40; /* don't fragment */
	at[8] = 64;
	at[9] = protocol;
	memcpy(at + 12, hosts->source, 4);
	memcpy(at + 16, hosts->target, 4);
	store_sum(at + 10, sum(at, NET_IPV4_SIZE), false);
	return NET_IPV4_SIZE;
}

static size_t ipv6(uint8_t *at, const struct net_hosts *hosts, uint8_t protocol, size_t size)
{
	net_put32(at, 0x60000000);
	net_put16(at + 4, (uint16_t)size);
	at[6] = protocol;
	at[7] = 64;
	memcpy(at + 8, hosts->source, 16);
	memcpy(at + 24, hosts->target, 16);
	return NET_IPV6_SIZE;
}

size_t net_ip(uint8_t *at, const struct net_hosts *hosts, uint8_t protocol, size_t size)
{
	return (hosts->ipv6 ? ipv6 : ipv4)(at, hosts, protocol, size);
}

size_t net_tcp(uint8_t *at, const struct net_hosts *hosts, const struct net_tcp *tcp, size_t size)
{
	net_put16(at, tcp->source);
	net_put16(at + 2, tcp->target);
	net_put32(at + 4, tcp->sequence);
	net_put32(at + 8, tcp->acknowledged);
	at[12] = NET_TCP_SIZE / 4 << 4;
	at[13] = tcp->flags;
	net_put16(at + 14, 64240);
	net_put32(at + 16, 0);
	store_sum(at + 16, pseudo_header(hosts, NET_TCP, size) + sum(at, size), false);
	return NET_TCP_SIZE;
}

size_t net_udp(uint8_t *at, const struct net_hosts *hosts, uint16_t source, uint16_t target,
	       size_t size)
{
	net_put16(at, source);
	net_put16(at + 2, target);
	net_put16(at + 4, (uint16_t)size);
	net_put16(at + 6, 0);
	store_sum(at + 6, pseudo_header(hosts, NET_UDP, size) + sum(at, size), true);
	return NET_UDP_SIZE;
}

size_t net_echo(uint8_t *at, const struct net_hosts *hosts, bool reply, uint16_t id,
		uint16_t sequence, size_t size)
{
	at[0] = hosts->ipv6 ? (reply ? 129 : 128) : (reply ? 0 : 8);
	at[1] = 0;
	net_put16(at + 2, 0);
	net_put16(at + 4, id);
	net_put16(at + 6, sequence);
	store_sum(at + 2, (hosts->ipv6 ? pseudo_header(hosts, NET_ICMP6, size) : 0) + sum(at, size),
		  false);
	return NET_ECHO_SIZE;
}
