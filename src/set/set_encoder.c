/* SPDX-License-Identifier: BSD-2-Clause */
#include "set_encoder.h"

#include "format/format.h"
#include "pktfs/version.h"
#include "util/util_cursor.h"

#define DROPS_UNKNOWN 0xffffu

/* drops_count of a Packet Block: behind type, length and interface (draft
 * appendix A). */
#define PB_DROPS_OFFSET 10

/* The options of an Interface Statistics Block follow its time (section 4.6). */
#define ISB_TIME_SIZE 8

/* What libpcap and Wireshark read of a packet of most link types, and of
 * those that have larger ones (libpcap: max_snaplen_for_dlt). */
#define SNAPLEN_COMMON 262144u
#define SNAPLEN_DBUS   (128u << 20)
#define SNAPLEN_EBHSCR (8u << 20)
#define SNAPLEN_USB    (128u << 20)
/* Above it, libpcap takes a snaplen for a mistake. */
#define SNAPLEN_MOST ((uint32_t)INT32_MAX)

const char set_application[] = "pktfs " PKTFS_VERSION;

void set_encoder_free(struct set_encoder *encoder)
{
	text_free(&encoder->header);
	free(encoder->used.words);
	free(encoder->before);
	text_free(&encoder->statistics.blocks);
	free(encoder->statistics.ends);
	*encoder = (struct set_encoder){0};
}

struct write_packet set_encoder_block(const struct pktfs_packet *packet)
{
	struct write_packet block = {
		.ticks = packet->ticks,
		.captured = packet->captured_length,
		.original = packet->original_length,
		.data = packet->data,
		.options = packet->options,
		.drops = DROPS_UNKNOWN,
	};

	if (packet->block_type == BLOCK_PB)
		block.drops = bytes_u16(packet->block + PB_DROPS_OFFSET,
					packet->options.big_endian);
	return block;
}

uint64_t set_encoder_record_size(const struct set_encoder *encoder,
				 const struct pktfs_packet *packet)
{
	if (encoder->mode != MODE_PCAP)
		return tally_block_size(packet);
	if (packet->link_type != encoder->link_type)
		return 0;
	return (uint64_t)WRITE_PCAP_RECORD_SIZE + packet->captured_length;
}

static uint64_t used_before(const struct set_encoder *encoder, uint64_t interface)
{
	uint64_t word = interface / 64, mask = (UINT64_C(1) << interface % 64) - 1;

	return encoder->before[word] +
	       (unsigned)__builtin_popcountll(encoder->used.words[word] & mask);
}

uint32_t set_encoder_number(const struct set_encoder *encoder, uint64_t first, uint64_t interface)
{
	return (uint32_t)(used_before(encoder, interface) - used_before(encoder, first));
}

/* The block of a packet, and the byte order that it is written in. */
static struct write_packet block_of(const struct set_encoder *encoder,
				    const struct pktfs_packet *packet, bool *ret_big_endian)
{
	struct write_packet block = set_encoder_block(packet);

	*ret_big_endian = encoder->mode == MODE_PCAPNG && packet->options.big_endian;
	if (encoder->mode == MODE_PCAPNG)
		block.interface = set_encoder_number(
			encoder, packet->interface - packet->interface_in_section,
			packet->interface);
	return block;
}

void set_encoder_head(const struct set_encoder *encoder, const struct pktfs_packet *packet,
		      struct text *text)
{
	struct write_packet block;
	bool big_endian;

	if (encoder->mode == MODE_PCAP) {
		write_pcap_record(text, &encoder->pcap,
				  packet->has_time ? packet->time : (struct pktfs_time){0},
				  packet->captured_length, packet->original_length);
		return;
	}
	block = block_of(encoder, packet, &big_endian);
	if (packet->block_type == BLOCK_SPB)
		write_spb_head(text, big_endian, &block);
	else
		write_epb_head(text, big_endian, &block);
}

void set_encoder_tail(const struct set_encoder *encoder, const struct pktfs_packet *packet,
		      struct text *text)
{
	struct write_packet block;
	bool big_endian;

	if (encoder->mode == MODE_PCAP)
		return;
	block = block_of(encoder, packet, &big_endian);
	if (packet->block_type == BLOCK_SPB)
		write_spb_tail(text, big_endian, &block);
	else
		write_epb_tail(text, big_endian, &block);
}

void set_encoder_shb(const struct pktfs_section *section, struct text *text)
{
	write_shb(text, section->big_endian, section->options, NULL);
}

/* The snaplen of a pcap file, which has no block with options, may be wrong, and
 * in a pcapng file libpcap believes it: see honest_snaplen. */
void set_encoder_idb(const struct pktfs_interface *interface, bool big_endian, struct text *text)
{
	struct write_interface idb = {
		.link_type = interface->link_type,
		.snaplen = interface->options.bytes ? interface->snaplen : 0,
		.resolution = interface->resolution,
		.fcs_length = interface->fcs_length,
		.options = interface->options,
	};

	write_idb(text, big_endian, &idb);
}

void set_encoder_isb(const struct pktfs_interface *interface, uint32_t number, struct text *text)
{
	const struct pktfs_options *options = &interface->statistics;
	struct cursor time;
	uint32_t high = 0, low = 0;

	if (!interface->has_statistics)
		return;
	time = cursor_over(options->bytes - ISB_TIME_SIZE, ISB_TIME_SIZE, options->big_endian);
	cursor_u32(&time, &high);
	cursor_u32(&time, &low);
	write_isb(text, options->big_endian, number, (uint64_t)high << 32 | low, *options);
}

/* Appends the statistics of one interface, and notes where they end. */
static int keep_one(struct set_encoder *encoder, const struct pktfs_interface *interface)
{
	struct set_statistics *statistics = &encoder->statistics;
	uint64_t first = interface->number - interface->number_in_section;
	uint32_t number = set_encoder_number(encoder, first, interface->number);

	set_encoder_isb(interface, number, &statistics->blocks);
	statistics->ends[number] = statistics->blocks.size;
	return statistics->blocks.failed;
}

static int keep_interface(struct set_encoder *encoder, pktfs_capture *capture, uint64_t number)
{
	struct pktfs_interface interface;
	int r = pktfs_interface_get(capture, number, &interface, NULL), released;

	if (r < 0)
		return r;
	r = keep_one(encoder, &interface);
	released = pktfs_interface_release(&interface);
	return r < 0 ? r : released;
}

/* The interfaces of the section of interface `last` begin with *ret_first. */
static int last_section(pktfs_capture *capture, uint64_t last, uint32_t *ret_section,
			uint64_t *ret_first)
{
	struct pktfs_interface interface;
	int r = pktfs_interface_get(capture, last, &interface, NULL);

	if (r < 0)
		return r;
	*ret_section = (uint32_t)interface.section;
	*ret_first = last - interface.number_in_section;
	return pktfs_interface_release(&interface);
}

int set_encoder_keep_statistics(struct set_encoder *encoder, pktfs_capture *capture)
{
	struct set_statistics *statistics = &encoder->statistics;
	uint64_t last = interface_set_last(&encoder->used), first = 0, number;
	int r;

	if (last == UINT64_MAX)
		return 0;
	r = last_section(capture, last, &statistics->section, &first);
	if (r < 0)
		return r;
	statistics->ends = calloc(set_encoder_number(encoder, first, last) + 1,
				  sizeof(*statistics->ends));
	if (!statistics->ends)
		return -ENOMEM;
	statistics->kept = true;
	number = interface_set_next(&encoder->used, first);
	for (; r == 0 && number <= last; number = interface_set_next(&encoder->used, number + 1))
		r = keep_interface(encoder, capture, number);
	return r;
}

bool set_encoder_is_extra(const struct pktfs_block *block)
{
	return block->usable && (block->type == BLOCK_NRB || block->type == BLOCK_DSB ||
				 block->type == BLOCK_CB);
}

bool set_encoder_is_plain(const struct pktfs_block *block)
{
	return !write_options_differ(block->options);
}

void set_encoder_extra(const struct pktfs_block *block, struct text *text)
{
	size_t start = write_block_begin(text, block->type, block->big_endian);
	const uint8_t *body = block->bytes + 2 * sizeof(uint32_t);

	text_append(text, body, (size_t)(block->options.bytes - body));
	write_options_copy(text, block->options);
	write_block_end(text, start, block->big_endian);
}

/*
 * The snaplen of a pcap file, for an IDB. libpcap cuts the packets of a pcap
 * file that are longer, but refuses those of a pcapng file: so one that the
 * packets prove wrong becomes "no limit". Where the longest is not known, their
 * average has to do.
 */
static uint32_t honest_snaplen(const struct pktfs_interface *interface, uint32_t longest)
{
	uint64_t most;

	if (longest)
		return longest > interface->snaplen ? 0 : interface->snaplen;
	if (!mul_ok(interface->packets, interface->snaplen, &most))
		return interface->snaplen;
	return interface->captured_bytes > most ? 0 : interface->snaplen;
}

int set_encoder_section(pktfs_capture *capture, uint64_t number, uint32_t most, struct text *text,
			struct pktfs_error *ret_error)
{
	struct pktfs_interface interface;
	struct write_interface idb;
	int r = pktfs_interface_get(capture, number, &interface, ret_error);

	if (r < 0)
		return r;
	idb = (struct write_interface){
		.link_type = interface.link_type,
		.snaplen = honest_snaplen(&interface, most),
		.resolution = interface.resolution,
		.fcs_length = interface.fcs_length,
	};
	r = pktfs_interface_release(&interface);
	if (r < 0)
		return error_set(ret_error, r, "the file was changed");
	write_shb(text, false, (struct pktfs_options){0}, set_application);
	write_idb(text, false, &idb);
	return text->failed ? error_set(ret_error, text->failed, "no memory") : 0;
}

static uint32_t snaplen_without_limit(uint16_t link_type)
{
	switch (link_type) {
	case 231: /* DBUS */
		return SNAPLEN_DBUS;
	case 279: /* EBHSCR */
		return SNAPLEN_EBHSCR;
	case 189: /* USB_LINUX */
	case 220: /* USB_LINUX_MMAPPED */
	case 249: /* USBPCAP */
		return SNAPLEN_USB;
	default:
		return SNAPLEN_COMMON;
	}
}

/* The largest of the interfaces of a link type. */
static int find_snaplen(pktfs_capture *capture, uint16_t link_type, uint32_t *ret,
			struct pktfs_error *ret_error)
{
	uint32_t without = snaplen_without_limit(link_type), snaplen = SNAPLEN_COMMON;
	struct pktfs_interface interface;
	struct pktfs_status status;
	uint64_t i;
	int r;

	pktfs_status_get(capture, &status);
	for (i = 0; i < status.interfaces; i++) {
		r = pktfs_interface_get(capture, i, &interface, ret_error);
		if (r < 0)
			return r;
		if (interface.link_type == link_type)
			snaplen = MAX(snaplen, interface.snaplen ? interface.snaplen : without);
		r = pktfs_interface_release(&interface);
		if (r < 0)
			return error_set(ret_error, r, "the file was changed");
	}
	*ret = MIN(snaplen, SNAPLEN_MOST);
	return 0;
}

/* libpcap cuts packets that are longer than the snaplen of a pcap file. Of a
 * set the longest packet is known; of the whole capture, what its interfaces
 * say. */
int set_encoder_pcap(struct set_encoder *encoder, pktfs_capture *capture, bool whole,
		     struct pktfs_error *ret_error)
{
	int r = 0;

	encoder->pcap.snaplen = MAX(SNAPLEN_COMMON, encoder->most);
	if (whole)
		r = find_snaplen(capture, encoder->link_type, &encoder->pcap.snaplen, ret_error);
	if (r == 0)
		write_pcap_header(&encoder->header, &encoder->pcap);
	return r;
}
