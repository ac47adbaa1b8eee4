/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "pktgen.h"
#include "format/format.h"
#include "write/write_encode.h"

#define NSEC_PER_SEC 1000000000

#define PCAP_MAGIC_MODIFIED  0xa1b2cd34u
#define MODIFIED_RECORD_SIZE 24u
#define PCAP_SNAPLEN_WITHOUT 262144u
#define OPT_IF_NAME          2

static void put32(uint8_t *at, uint32_t number, bool big_endian)
{
	number = big_endian ? htobe32(number) : htole32(number);
	memcpy(at, &number, sizeof(number));
}

static void pcap_header(const struct gen *gen, struct text *text)
{
	struct write_pcap_header header = {
		.big_endian = gen->big_endian,
		.nanosecond = gen->nanosecond,
		.snaplen = gen->snaplen ? gen->snaplen : PCAP_SNAPLEN_WITHOUT,
		.link_type = gen->link_type,
		.fcs_length = -1,
	};

	write_pcap_header(text, &header);
	if (gen->modified && !text->failed)
		put32((uint8_t *)text->bytes, PCAP_MAGIC_MODIFIED, gen->big_endian);
}

static bool section_order(const struct gen *gen, uint64_t section)
{
	return gen->big_endian ^ (gen->mixed_endian && section % 2 == 1);
}

/* The head of a section: SHB, IDBs. */
static void section_header(const struct gen *gen, uint64_t section, struct text *text)
{
	bool be = section_order(gen, section);
	_cleanup_(text_free) struct text options = {0};
	struct write_interface interface = {
		.link_type = gen->link_type,
		.snaplen = gen->snaplen,
		.resolution = gen->nanosecond ? 9 : 6,
		.fcs_length = -1,
	};
	char name[16];
	uint32_t i;

	write_shb(text, be, (struct pktfs_options){0}, "pktgen");
	for (i = 0; i < gen->interfaces; i++) {
		options.size = 0;
		snprintf(name, sizeof(name), "gen%u", i);
		write_option(&options, OPT_IF_NAME, name, strlen(name), be);
		interface.options = (struct pktfs_options){
			.bytes = (const uint8_t *)options.bytes,
			.size = options.size,
			.big_endian = be,
		};
		write_idb(text, be, &interface);
	}
}

static size_t pcap_record(const struct gen *gen, const struct gen_packet *packet, uint8_t *at)
{
	bool be = gen->big_endian;
	int64_t sec = packet->time_ns / NSEC_PER_SEC;
	uint32_t nsec = (uint32_t)(packet->time_ns - sec * NSEC_PER_SEC);
	size_t head = gen->modified ? MODIFIED_RECORD_SIZE : WRITE_PCAP_RECORD_SIZE;

	put32(at, (uint32_t)sec, be);
	put32(at + 4, gen->nanosecond ? nsec : nsec / 1000, be);
	put32(at + 8, packet->captured, be);
	put32(at + 12, packet->original, be);
	if (gen->modified) {
		put32(at + 16, packet->interface + 1, be); /* ifindex */
		memset(at + 20, 0, 4);                     /* protocol, pkt_type, pad */
	}
	gen_packet_fill(gen, packet, at + head);
	return head + packet->captured;
}

static size_t epb(const struct gen *gen, const struct gen_packet *packet, bool be, uint8_t *at)
{
	uint64_t ticks = (uint64_t)(gen->nanosecond ? packet->time_ns : packet->time_ns / 1000);
	size_t padded = util_pad4(packet->captured);
	uint32_t length = (uint32_t)(WRITE_EPB_SIZE + padded);

	put32(at, BLOCK_EPB, be);
	put32(at + 4, length, be);
	put32(at + 8, packet->interface, be);
	put32(at + 12, (uint32_t)(ticks >> 32), be);
	put32(at + 16, (uint32_t)ticks, be);
	put32(at + 20, packet->captured, be);
	put32(at + 24, packet->original, be);
	gen_packet_fill(gen, packet, at + 28);
	memset(at + 28 + packet->captured, 0, padded - packet->captured);
	put32(at + length - 4, length, be);
	return length;
}

static uint64_t record_size(const struct gen *gen, const struct gen_packet *packet)
{
	if (gen->pcapng)
		return WRITE_EPB_SIZE + util_pad4(packet->captured);
	return packet->captured + (gen->modified ? MODIFIED_RECORD_SIZE : WRITE_PCAP_RECORD_SIZE);
}

static void put_text(struct gen_sink *sink, struct text *text)
{
	if (text->failed)
		errx(1, "header: %s", strerror(-text->failed));
	memcpy(gen_sink_room(sink, text->size), text->bytes, text->size);
	gen_sink_commit(sink, text->size);
	text->size = 0;
}

/* Packets of section `section`: those behind `first`, up to `last`. */
static void put_packets(const struct gen *gen, struct gen_sink *sink, uint64_t section,
			uint64_t first, uint64_t last)
{
	bool be = section_order(gen, section);
	struct gen_packet packet;
	uint64_t number;
	uint8_t *at;

	for (number = first + 1; number <= last; number++) {
		gen_packet(gen, number, &packet);
		/* what is cut off by the snaplen is made, too */
		at = gen_sink_room(sink, WRITE_EPB_SIZE + util_pad4(packet.original));
		if (gen->pcapng)
			gen_sink_commit(sink, epb(gen, &packet, be, at));
		else
			gen_sink_commit(sink, pcap_record(gen, &packet, at));
	}
}

static uint64_t section_end(const struct gen *gen, uint64_t section)
{
	return (uint64_t)((unsigned __int128)gen->packets * (section + 1) / gen->sections);
}

/* The size of the whole, for a zstd frame that declares it. */
static uint64_t file_size(const struct gen *gen)
{
	_cleanup_(text_free) struct text text = {0};
	struct gen_packet packet;
	uint64_t size, number, s;

	if (!gen->pcapng)
		pcap_header(gen, &text);
	size = text.size;
	for (s = 0; gen->pcapng && s < gen->sections; s++) {
		text.size = 0;
		section_header(gen, s, &text);
		size += text.size;
	}
	for (number = 1; number <= gen->packets; number++) {
		gen_packet(gen, number, &packet);
		size += record_size(gen, &packet);
	}
	return size;
}

void gen_file_write(const struct gen *gen, const char *path)
{
	bool declared = gen->compression == GEN_ZSTD_SINGLE && !gen->undeclared;
	struct gen_sink *sink = gen_sink_open(gen, path, declared ? file_size(gen) : 0);
	_cleanup_(text_free) struct text text = {0};
	uint64_t s, last, first = 0;

	for (s = 0; s < gen->sections; s++, first = last) {
		if (gen->pcapng)
			section_header(gen, s, &text);
		else
			pcap_header(gen, &text);
		put_text(sink, &text);
		last = section_end(gen, s);
		put_packets(gen, sink, s, first, last);
	}
	gen_sink_close(sink);
}
