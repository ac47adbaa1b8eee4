/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures of many kinds of records, of which it is known where each ends, and
 * files that grow by them, for tests of sets.
 */
#ifndef TEST_SET_GROW_H
#define TEST_SET_GROW_H

#include <fcntl.h>
#include <stdio.h>

#include "test_export.h"
#include "util/util_time.h"

struct world {
	struct text text;
	size_t *ends; /* of the header (pcap) or first block, and of each record */
	size_t count;
};

static void world_free(struct world *world)
{
	text_free(&world->text);
	free(world->ends);
	*world = (struct world){0};
}

static void world_end(struct world *world)
{
	assert_int_equal(world->text.failed, 0);
	if ((world->count & (world->count - 1)) == 0)
		world->ends = realloc(world->ends,
				      MAX(world->count * 2, (size_t)4) * sizeof(*world->ends));
	world->ends[world->count++] = world->text.size;
}

/* Packet n: an Ethernet frame of ARP (odd) or UDP with "packet N" in it. */
static size_t world_packet(uint64_t n, uint64_t *random, uint8_t data[200])
{
	static const uint8_t ip[28] = {0x45, 0, 0, 90, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1,
				       10, 0, 0, 2, 0, 53, 0, 99, 0, 0};
	size_t size;

	memset(data, 0, 200);
	data[12] = 8;
	data[13] = n % 2 ? 6 : 0;
	memcpy(data + 14, ip, sizeof(ip));
	size = 42 + (size_t)sprintf((char *)data + 42, "packet %u", (unsigned)n);
	return n % 5 ? size : size + random_next(random) % 60;
}

__attribute__((unused)) static void world_pcap(struct world *world, unsigned packets, uint64_t seed)
{
	const struct write_pcap_header header = {.big_endian = seed & 2, .snaplen = 65535,
						 .link_type = 1, .fcs_length = -1};
	uint8_t data[200];
	uint64_t random = seed;
	unsigned n;

	world->text.limit = (size_t)1 << 28;
	write_pcap_header(&world->text, &header);
	world_end(world);
	for (n = 1; n <= packets; n++) {
		uint32_t size = (uint32_t)world_packet(n, &random, data);

		write_pcap_record(&world->text, &header, (struct pktfs_time){1000000 + n, n * 1000},
				  size, size + n % 3);
		text_append(&world->text, data, size);
		world_end(world);
	}
}

/* What the section at the end of a world has. */
struct world_section {
	bool be;
	unsigned interfaces;
	uint16_t first_link;
};

static void world_metadata(struct world *world, struct world_section *section, uint64_t n,
			   uint64_t *random)
{
	static const uint16_t link_types[] = {1, 101, 113, 1};
	static const char names[] = "\0\1\0\6\12\0\0\1a\0\0\0\0\0\0";
	static const char secrets[] = "KSLT\3\0\0\0abc";
	struct text *text = &world->text;
	uint16_t link_type = link_types[random_next(random) % 4];
	char name[32];

	sprintf(name, "i%u", (unsigned)n);
	switch (section->interfaces ? random_next(random) % 8 : 0) {
	case 0:
		build_idb(text, section->be, link_type, 6, 0, n % 2 ? name : NULL);
		section->interfaces++;
		break;
	case 1:
		section->be = random_next(random) % 2;
		section->interfaces = 0;
		build_shb(text, section->be);
		break;
	case 2:
		build_block(text, section->be, BLOCK_NRB, names, sizeof(names) + 1 - 4);
		break;
	case 3:
		build_block(text, section->be, BLOCK_DSB, secrets, 11);
		break;
	case 4:
		build_block(text, section->be, BLOCK_CB, "PENxdata", 8);
		break;
	default:
		build_isb(text, section->be,
			  (uint32_t)(random_next(random) % section->interfaces), n);
	}
	world_end(world);
}

static void world_epb(struct world *world, const struct world_section *section, uint64_t n,
		      uint64_t *random)
{
	struct write_packet packet = {.drops = UINT32_MAX};
	_cleanup_(text_free) struct text options = {0};
	uint64_t sec = 1000000 + n - (n % 97 == 0 ? 5000 : 0);
	uint8_t data[200];
	uint32_t size = (uint32_t)world_packet(n, random, data);

	if (random_next(random) % 4 == 0) {
		write_option(&options, 1, "comment", 7, section->be);
		write_options_end(&options, section->be);
	}
	packet.interface = (uint32_t)(random_next(random) % section->interfaces);
	packet.ticks = sec * 1000000 + n;
	packet.captured = packet.original = size;
	packet.data = data;
	packet.options = (struct pktfs_options){(uint8_t *)options.bytes, options.size,
						section->be};
	if (random_next(random) % 20 == 0)
		write_spb(&world->text, section->be, &packet);
	else
		write_epb(&world->text, section->be, &packet);
	world_end(world);
}

/* Large ones have little metadata. */
__attribute__((unused)) static void world_pcapng(struct world *world, unsigned packets,
						 uint64_t seed)
{
	struct world_section section = {.be = seed % 2};
	uint64_t random = seed, often = packets > 1000 ? packets / 50 : 4;
	unsigned n = 1;

	world->text.limit = (size_t)1 << 28;
	build_shb(&world->text, section.be);
	world_end(world);
	while (n <= packets) {
		if (!section.interfaces || random_next(&random) % often == 0)
			world_metadata(world, &section, n, &random);
		else
			world_epb(world, &section, n++, &random);
	}
}

/* ---- a file that grows */

struct growing {
	const struct world *world;
	size_t records; /* written as a whole */
	size_t size;    /* bytes written */
	int fd;
	char path[64];
	struct sets sets;
};

__attribute__((unused)) static void growing_write(struct growing *growing, size_t size)
{
	const char *bytes = growing->world->text.bytes;

	while (growing->size < size) {
		ssize_t r = write(growing->fd, bytes + growing->size, size - growing->size);

		assert_true(r > 0);
		growing->size += (size_t)r;
	}
}

/* With the header and `records` records more. */
__attribute__((unused)) static void growing_open(struct growing *growing, const struct world *world,
						 size_t records, uint64_t memory)
{
	const struct pktfs_open_options options = {.flags = PKTFS_OPEN_GROWING};
	struct pktfs_error error;

	*growing = (struct growing){.world = world, .records = records + 1};
	sprintf(growing->path, "/tmp/test_set_grow.XXXXXX");
	growing->fd = mkstemp(growing->path);
	assert_true(growing->fd >= 0);
	growing_write(growing, world->ends[records]);
	if (pktfs_open(growing->path, &options, &growing->sets.capture, &error) < 0)
		fail_msg("open: %s", error.text);
	assert_int_equal(pktfs_wait(growing->sets.capture, UINT64_MAX, -1), 0);
	assert_int_equal(set_pool_open(growing->sets.capture, 2, memory, &growing->sets.pool), 0);
}

/* Some records more, and with `torn` a part of the next one. */
__attribute__((unused)) static void growing_more(struct growing *growing, uint64_t records,
						 uint64_t *torn)
{
	const struct world *world = growing->world;
	size_t end, left;
	int r;

	growing->records = MIN(growing->records + records, world->count);
	end = world->ends[growing->records - 1];
	left = growing->records < world->count ? world->ends[growing->records] - end : 0;
	growing_write(growing, torn && left ? end + random_next(torn) % left : end);
	r = pktfs_grow(growing->sets.capture);
	assert_true(r >= 0);
	assert_int_equal(pktfs_wait_offset(growing->sets.capture, end, -1), 0);
}

__attribute__((unused)) static void growing_close(struct growing *growing)
{
	pktfs_cancel(growing->sets.capture);
	sets_close(&growing->sets);
	close(growing->fd);
	unlink(growing->path);
}

#endif
