/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * corpus_copy copy FROM TO: iterates over a capture and writes each record that
 * it gives, in file order.
 * corpus_copy show FILE: a line a record, in file order, with all that a copy
 * must keep; numbers in options as the file has them.
 *
 * Ends with 3 and one line on standard error when FROM is refused.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pktfs/writer.h"

#define SHB 0x0a0d0d0au
#define IDB 1u
#define PB 2u
#define NRB 4u
#define ISB 5u
#define DSB 10u
/* Custom options that must not be copied. */
#define DO_NOT_COPY(code) ((code) == 19372 || (code) == 19373)

struct walk {
	pktfs_capture *capture;
	pktfs_writer *writer; /* copy */
	uint64_t sections, interfaces; /* that have been met */
};

static void must(int r, const char *what, const struct pktfs_error *error)
{
	if (r < 0)
		errx(1, "%s: %s: %s", what, strerror(-r), error->text);
}

/* ---- show */

static void hex(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
}

static void show_options(struct pktfs_options options)
{
	struct pktfs_option option;

	while (pktfs_option_next(&options, &option) == 1) {
		if (DO_NOT_COPY(option.code))
			continue;
		printf(" %u=", option.code);
		hex(option.value, option.length);
	}
	putchar('\n');
}

static void show_section(const struct pktfs_section *section)
{
	printf("section %d:", section->big_endian);
	show_options(section->options);
}

static void show_interface(const struct pktfs_interface *interface)
{
	printf("interface %u %u %u %" PRId64 ":", interface->link_type, interface->snaplen,
	       interface->resolution, interface->offset_seconds);
	show_options(interface->options);
}

/* Of an obsolete Packet Block, which becomes an Enhanced one: its u16 of dropped
 * packets is an epb_dropcount there. */
static void show_drops(const uint8_t *at, int big_endian)
{
	uint8_t drops[8] = {0};

	if (at[0] == 0xff && at[1] == 0xff)
		return;
	memcpy(big_endian ? drops + 6 : drops, at, 2);
	printf(" 4=");
	hex(drops, sizeof(drops));
}

static void show_packet(const struct pktfs_packet *packet)
{
	printf("packet %u %u %" PRId64 " %u %" PRIu64 " %u %u ", packet->interface_in_section,
	       packet->link_type, packet->has_time ? packet->time.sec : -1,
	       packet->has_time ? packet->time.nsec : 0, packet->has_time ? packet->ticks : 0,
	       packet->captured_length, packet->original_length);
	hex(packet->data, packet->captured_length);
	putchar(':');
	if (packet->block_type == PB)
		show_drops(packet->block + 10, packet->options.big_endian);
	show_options(packet->options);
}

static void show_block(const struct pktfs_block *block)
{
	struct pktfs_secret secret;
	struct pktfs_name name;
	uint64_t position = 0;

	printf("block 0x%08x ", block->type);
	if (block->type == NRB) {
		while (pktfs_block_next_name(block, &position, &name) == 1)
			printf("%u %.*s ", name.type, (int)name.length, name.name);
	} else if (block->type == DSB && pktfs_block_secret(block, &secret) == 1) {
		printf("0x%08x ", secret.type);
		hex(secret.bytes, secret.length);
	} else if (block->type == ISB) {
		hex(block->bytes + 8, 12);
	} else {
		hex(block->bytes, block->length);
	}
	putchar(':');
	show_options(block->options);
}

/* ---- copy */

static void copy_section(struct walk *walk, const struct pktfs_section *section)
{
	struct pktfs_error error;

	must(pktfs_writer_copy_section(walk->writer, section, NULL, &error), "section", &error);
}

static void copy_interface(struct walk *walk, const struct pktfs_interface *interface)
{
	struct pktfs_error error;

	must(pktfs_writer_copy_interface(walk->writer, interface, NULL, &error), "interface",
	     &error);
}

static void copy_packet(struct walk *walk, const struct pktfs_packet *packet)
{
	struct pktfs_error error;

	must(pktfs_writer_copy_packet(walk->writer, packet, packet->interface_in_section, NULL,
				      &error),
	     "packet", &error);
}

static void copy_block(struct walk *walk, const struct pktfs_block *block)
{
	struct pktfs_error error;
	uint32_t interface = 0;

	if (block->type == ISB && block->usable) {
		memcpy(&interface, block->bytes + 8, 4);
		if (block->big_endian)
			interface = __builtin_bswap32(interface);
	}
	must(pktfs_writer_copy_block(walk->writer, block, interface, NULL, &error), "block",
	     &error);
}

/* ---- both */

static void at_section(struct walk *walk)
{
	struct pktfs_section section;
	struct pktfs_error error;

	must(pktfs_section_get(walk->capture, walk->sections++, &section, &error), "section",
	     &error);
	if (walk->writer)
		copy_section(walk, &section);
	else
		show_section(&section);
	pktfs_section_release(&section);
}

static void at_interface(struct walk *walk)
{
	struct pktfs_interface interface;
	struct pktfs_error error;

	must(pktfs_interface_get(walk->capture, walk->interfaces++, &interface, &error),
	     "interface", &error);
	if (walk->writer)
		copy_interface(walk, &interface);
	else
		show_interface(&interface);
	pktfs_interface_release(&interface);
}

static void at_block(struct walk *walk, uint64_t index)
{
	struct pktfs_block block;
	struct pktfs_error error;

	must(pktfs_block_get(walk->capture, index, &block, &error), "block", &error);
	if (block.type == SHB)
		at_section(walk);
	else if (!block.usable)
		; /* malformed, or of a section that is skipped */
	else if (block.type == IDB)
		at_interface(walk);
	else if (walk->writer)
		copy_block(walk, &block);
	else
		show_block(&block);
	pktfs_block_release(&block);
}

/* The metadata blocks that lie before `offset`. */
static void blocks_before(struct walk *walk, uint64_t *index, uint64_t offset)
{
	struct pktfs_block block;

	while (pktfs_block_get(walk->capture, *index, &block, NULL) == 0) {
		uint64_t at = block.offset;

		pktfs_block_release(&block);
		if (at >= offset)
			return;
		at_block(walk, (*index)++);
	}
}

static void walk_all(struct walk *walk)
{
	const struct pktfs_packet *packet;
	struct pktfs_status status;
	struct pktfs_error error;
	pktfs_iterator *iterator;
	uint64_t index = 0;
	int r;

	pktfs_wait(walk->capture, UINT64_MAX, -1);
	pktfs_status_get(walk->capture, &status);
	if (status.format != PKTFS_FORMAT_PCAPNG)
		at_interface(walk);
	if (pktfs_iterator_open(walk->capture, 1, &iterator) < 0)
		errx(1, "pktfs_iterator_open");
	while ((r = pktfs_iterator_next(iterator, &packet, &error)) == 1) {
		blocks_before(walk, &index, packet->offset);
		if (walk->writer)
			copy_packet(walk, packet);
		else
			show_packet(packet);
	}
	must(r, "iterator", &error);
	pktfs_iterator_close(iterator);
	blocks_before(walk, &index, UINT64_MAX);
}

static pktfs_writer *create(const char *path, const struct pktfs_status *status)
{
	struct pktfs_writer_options options = {
		.flags = status->big_endian ? PKTFS_WRITER_BIG_ENDIAN : 0,
		.format = status->format == PKTFS_FORMAT_PCAPNG ? PKTFS_WRITER_PCAPNG
			  : status->nanosecond                  ? PKTFS_WRITER_PCAP_NANO
								: PKTFS_WRITER_PCAP,
		.compression = PKTFS_WRITER_PLAIN,
	};
	struct pktfs_error error;
	pktfs_writer *writer;

	must(pktfs_writer_create(path, &options, &writer, &error), "create", &error);
	return writer;
}

int main(int argc, char **argv)
{
	struct pktfs_status status;
	struct pktfs_error error;
	struct walk walk = {0};
	int copy = argc == 4 && !strcmp(argv[1], "copy");

	if (!copy && (argc != 3 || strcmp(argv[1], "show") != 0))
		errx(2, "usage: corpus_copy copy FROM TO | show FILE");
	if (pktfs_open(argv[2], NULL, &walk.capture, &error) < 0)
		errx(3, "%s", error.text);
	pktfs_wait(walk.capture, UINT64_MAX, -1);
	pktfs_status_get(walk.capture, &status);
	if (copy)
		walk.writer = create(argv[3], &status);
	walk_all(&walk);
	if (copy)
		must(pktfs_writer_close(walk.writer, &error), "close", &error);
	pktfs_close(walk.capture);
	return 0;
}
