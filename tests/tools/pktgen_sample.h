/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small capture of --sample: a script of packets (pktgen_sample.c), the
 * packets themselves (pktgen_sample_packet.c), and the blocks around them
 * (pktgen_sample_block.c).
 */
#ifndef PKTGEN_SAMPLE_H
#define PKTGEN_SAMPLE_H

#include "pktgen_net.h"
#include "util/util_text.h"

/* The two interfaces: a wired one, and a trunk whose frames carry VLAN tags. */
enum {
	SAMPLE_WIRED,
	SAMPLE_TRUNK,
	SAMPLE_INTERFACES,
};

/* epb_flags, bits 0 to 1 and 2 to 4 */
enum {
	SAMPLE_INBOUND = 1,
	SAMPLE_OUTBOUND = 2,
	SAMPLE_UNICAST = 1 << 2,
	SAMPLE_BROADCAST = 3 << 2,
};

#define SAMPLE_VLAN 42

struct sample_host {
	uint8_t mac[6];
	uint8_t ipv4[4];
	uint8_t ipv6[16];
};

extern const struct sample_host sample_client, sample_router, sample_server;

struct sample {
	struct text text;
	bool big_endian;
	int64_t start_ns, now_ns;
	uint64_t received[SAMPLE_INTERFACES];
	uint16_t ip_id;
	/* of the next packet */
	unsigned interface;
	const char *comment;
	const struct sample_host *peer; /* of the client, but for ARP */
};

/* One TCP connection, with the numbers of both sides. */
struct sample_talk {
	bool ipv6;
	uint16_t client_port, server_port;
	uint32_t client_next, server_next;
};

/* Every packet is `later_ns` after the one before. */
void sample_arp(struct sample *sample, int64_t later_ns, bool reply);
void sample_udp(struct sample *sample, int64_t later_ns, bool ipv6, bool from_client,
		uint16_t client_port, uint16_t server_port, const void *payload, size_t size);
void sample_tcp(struct sample *sample, int64_t later_ns, struct sample_talk *talk,
		bool from_client, uint8_t flags, const char *payload);
void sample_ping(struct sample *sample, int64_t later_ns, bool ipv6, bool reply,
		 uint16_t sequence);
/* A question for a name, and its answer with an address (IPv6 if it is 16
 * bytes long; none: no such name). */
void sample_dns(struct sample *sample, int64_t later_ns, uint16_t id, const char *name, bool ipv6,
		const uint8_t *answer);

void sample_header(struct sample *sample);
void sample_trailer(struct sample *sample);

#endif
