/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protocol headers, written in front of a payload that is there already. Each
 * function returns the length of what it wrote at `at`; checksums are right.
 *
 *	size_t at = net_ethernet(frame, dst, src, 0x0800);
 *	at += net_ip(frame + at, &hosts, NET_TCP, 20 + size);
 *	net_tcp(frame + at, &hosts, &tcp, 20 + size);     (over the payload)
 */
#ifndef PKTGEN_NET_H
#define PKTGEN_NET_H

#include <endian.h>

#include "util/util_base.h"

enum {
	NET_ICMP = 1,
	NET_TCP = 6,
	NET_UDP = 17,
	NET_ICMP6 = 58,

	NET_ETHERTYPE_IPV4 = 0x0800,
	NET_ETHERTYPE_ARP = 0x0806,
	NET_ETHERTYPE_VLAN = 0x8100,
	NET_ETHERTYPE_IPV6 = 0x86dd,
	NET_ETHERTYPE_EXPERIMENTAL = 0x88b5,

	NET_ETHERNET_SIZE = 14,
	NET_IPV4_SIZE = 20,
	NET_IPV6_SIZE = 40,
	NET_TCP_SIZE = 20,
	NET_UDP_SIZE = 8,

	NET_FIN = 1,
	NET_SYN = 2,
	NET_PSH = 8,
	NET_ACK = 16,
};

struct net_hosts {
	bool ipv6;
	uint16_t id; /* of the IPv4 header */
	uint8_t source[16], target[16];
};

struct net_tcp {
	uint16_t source, target;
	uint32_t sequence, acknowledged;
	uint8_t flags;
};

static inline void net_put16(uint8_t *at, uint16_t number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

static inline void net_put32(uint8_t *at, uint32_t number)
{
	net_put16(at, (uint16_t)(number >> 16));
	net_put16(at + 2, (uint16_t)number);
}

size_t net_ethernet(uint8_t *at, const uint8_t target[6], const uint8_t source[6], uint16_t type);

/* `size`: of what follows the IP header. */
size_t net_ip(uint8_t *at, const struct net_hosts *hosts, uint8_t protocol, size_t size);

/* `size`: with the header; the payload is behind it. */
size_t net_tcp(uint8_t *at, const struct net_hosts *hosts, const struct net_tcp *tcp, size_t size);
size_t net_udp(uint8_t *at, const struct net_hosts *hosts, uint16_t source, uint16_t target,
	       size_t size);
/* Echo request or reply, of ICMP or ICMPv6 as the hosts are. */
size_t net_echo(uint8_t *at, const struct net_hosts *hosts, bool reply, uint16_t id,
		uint16_t sequence, size_t size);

#endif
