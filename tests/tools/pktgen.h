/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pktgen: makes captures whose every packet is a function of (seed, number)
 * alone, so that a test can know packet 5,000,000 without the file.
 *
 *	pktgen.c         options, --show, --describe
 *	pktgen_packet.c  what packet N is
 *	pktgen_net.c     Ethernet, IPv4, IPv6, TCP, UDP, ICMP headers, checksums
 *	pktgen_file.c    pcap and pcapng around the packets
 *	pktgen_sink.c    output: plain, zstd, gzip
 *	pktgen_sample.c  the small capture of --sample
 */
#ifndef PKTGEN_H
#define PKTGEN_H

#include "util/util_base.h"

enum gen_sizes {
	GEN_SIZE_IMIX,
	GEN_SIZE_TINY,
	GEN_SIZE_FIXED,
};

enum gen_compression {
	GEN_PLAIN,
	GEN_ZSTD_SINGLE,
	GEN_ZSTD_FRAMES,
	GEN_GZIP,
};

/* The largest packet: what Wireshark reads of most link types. */
#define GEN_MAX_PACKET 262144u

struct gen {
	bool pcapng;
	bool nanosecond;
	bool big_endian;
	bool mixed_endian; /* pcapng: odd sections have the other byte order */
	bool modified;     /* pcap: Kuznetzov's record headers */
	bool disorder;
	uint16_t link_type;
	uint32_t snaplen;  /* 0: no limit */
	uint64_t packets;
	uint64_t seed;
	uint32_t interfaces;
	uint64_t sections;
	enum gen_sizes sizes;
	uint32_t fixed_size;
	int64_t start_ns;  /* since the epoch */
	uint64_t gap_ns;
	enum gen_compression compression;
	size_t frame_size;
	bool undeclared;   /* zstd frames do not say their size */
	int level;         /* of the compression; 0: its default */
};

/* Everything of packet `number` (from 1) but its bytes. */
struct gen_packet {
	uint64_t number;
	uint64_t random;    /* what the rest is made from */
	int64_t time_ns;    /* as the file holds it: cut to its resolution */
	uint32_t interface; /* in its section */
	uint32_t captured, original;
};

void gen_packet(const struct gen *gen, uint64_t number, struct gen_packet *ret);

/* Its bytes: `original` of them are written, `captured` are its content. */
void gen_packet_fill(const struct gen *gen, const struct gen_packet *packet, uint8_t *bytes);

static inline uint64_t gen_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Where the file goes. Failures end the program. */
struct gen_sink;
struct gen_sink *gen_sink_open(const struct gen *gen, const char *path, uint64_t size);
/* Room for `size` bytes, and that they are filled in. */
uint8_t *gen_sink_room(struct gen_sink *sink, size_t size);
void gen_sink_commit(struct gen_sink *sink, size_t size);
void gen_sink_close(struct gen_sink *sink);

void gen_file_write(const struct gen *gen, const char *path);
void gen_sample_write(const struct gen *gen, const char *path);

#endif
