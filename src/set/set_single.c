/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One packet alone, as a pcapng file.
 */
#include "format/format.h"
#include "set_encoder.h"

/* What section header and interface may add to a block; options are at most
 * the size of their own blocks, which are below FORMAT_MAX_BLOCK. */
#define SINGLE_LIMIT ((size_t)3 * FORMAT_MAX_BLOCK)

/* Everything that is lent while one packet is encoded. */
struct single {
	struct pktfs_packet packet;
	struct pktfs_section section;
	struct pktfs_interface interface;
	bool big_endian;
};

static int single_release(struct single *single)
{
	int r = pktfs_packet_release(&single->packet);
	int s = pktfs_section_release(&single->section);
	int i = pktfs_interface_release(&single->interface);

	return r < 0 ? r : s < 0 ? s : i;
}

static int single_get(struct single *single, pktfs_capture *capture, uint64_t number,
		      struct pktfs_error *ret_error)
{
	int r = pktfs_packet_try(capture, number, &single->packet, ret_error);

	if (r == 0)
		r = pktfs_section_get(capture, single->packet.section, &single->section, ret_error);
	if (r == 0)
		r = pktfs_interface_get(capture, single->packet.interface, &single->interface,
					ret_error);
	if (r < 0)
		return r;
	single->big_endian = single->section.big_endian;
	return 0;
}

static void put_block(const struct single *single, struct text *text)
{
	struct write_packet block = set_encoder_block(&single->packet);

	if (single->packet.block_type == BLOCK_SPB)
		write_spb(text, single->big_endian, &block);
	else
		write_epb(text, single->big_endian, &block);
}

static int encode(struct single *single, pktfs_capture *capture, struct text *text,
		  struct pktfs_error *ret_error)
{
	struct write_packet block;
	int r;

	text->limit = MAX(text->limit, text->size + SINGLE_LIMIT);
	if (single->packet.block_type != 0) {
		set_encoder_shb(&single->section, text);
		set_encoder_idb(&single->interface, single->big_endian, text);
		put_block(single, text);
		return 0;
	}
	r = set_encoder_section(capture, single->packet.interface, single->packet.captured_length,
				text, ret_error);
	if (r < 0)
		return r;
	block = set_encoder_block(&single->packet);
	write_epb(text, false, &block);
	return 0;
}

int export_single(pktfs_capture *capture, uint64_t number, struct text *text,
		  struct pktfs_error *ret_error)
{
	size_t limit = text->limit, size = text->size;
	struct single single = {0};
	int r = single_get(&single, capture, number, ret_error), released;

	if (r == 0)
		r = encode(&single, capture, text, ret_error);
	released = single_release(&single);
	text->limit = limit;
	if (r == 0 && released < 0)
		r = error_set(ret_error, released, "the file was changed");
	if (r == 0 && text->failed)
		r = error_set(ret_error, text->failed, "no memory");
	if (r < 0 && !text->failed)
		text->size = size; /* nothing that is not sure */
	return r;
}
