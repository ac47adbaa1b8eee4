/* SPDX-License-Identifier: BSD-2-Clause */
#include "write_encode.h"

#include <string.h>

#include "format/format.h"
#include "util/util_cursor.h"

/* Magic numbers of pcap (draft-ietf-opsawg-pcap, section 4) and pcapng. */
#define PCAP_MAGIC_MICROSECONDS 0xa1b2c3d4u
#define PCAP_MAGIC_NANOSECONDS  0xa1b23c4du
#define PCAPNG_BYTE_ORDER_MAGIC 0x1a2b3c4du

/* The "P" bit of the LinkType word, and where its FCS length starts: in units
 * of 16 bits. */
#define PCAP_FCS_PRESENT 0x04000000u
#define PCAP_FCS_SHIFT   28
#define PCAP_FCS_MAX     30

/* Option codes that the encoder itself cares about. */
enum {
	OPT_END = 0,
	OPT_SHB_USERAPPL = 4,
	OPT_IF_TSRESOL = 9,
	OPT_IF_FCSLEN = 13,
	OPT_EPB_DROPCOUNT = 4,
	OPT_CUSTOM_STRING_NO_COPY = 19372,
	OPT_CUSTOM_BINARY_NO_COPY = 19373,
};

#define OPTION_HEADER_SIZE 4u
#define RESOLUTION_DEFAULT 6
#define DROPS_UNKNOWN      0xffffu

static void fail(struct text *text, int code)
{
	if (!text->failed)
		text->failed = code;
}

void write_pcap_header(struct text *text, const struct write_pcap_header *header)
{
	bool be = header->big_endian;
	int fcs = header->fcs_length;
	uint32_t link = header->link_type;

	if (fcs >= 0 && fcs <= PCAP_FCS_MAX && fcs % 2 == 0)
		link |= PCAP_FCS_PRESENT | ((uint32_t)fcs / 2) << PCAP_FCS_SHIFT;
	text_u32(text, header->nanosecond ? PCAP_MAGIC_NANOSECONDS : PCAP_MAGIC_MICROSECONDS, be);
	text_u16(text, 2, be);
	text_u16(text, 4, be);
	text_zeros(text, 8);
	text_u32(text, header->snaplen, be);
	text_u32(text, link, be);
}

void write_pcap_record(struct text *text, const struct write_pcap_header *header,
		       struct pktfs_time time, uint32_t captured, uint32_t original)
{
	bool be = header->big_endian;

	if (time.sec < 0 || time.sec > (int64_t)UINT32_MAX) {
		fail(text, -ERANGE);
		return;
	}
	text_u32(text, (uint32_t)time.sec, be);
	text_u32(text, header->nanosecond ? time.nsec : time.nsec / 1000, be);
	text_u32(text, captured, be);
	text_u32(text, original, be);
}

static void pad(struct text *text, uint64_t size)
{
	text_zeros(text, (size_t)(util_pad4(size) - size));
}

size_t write_block_begin(struct text *text, uint32_t type, bool big_endian)
{
	size_t start = text->size;

	text_u32(text, type, big_endian);
	text_u32(text, 0, big_endian);
	return start;
}

void write_block_end(struct text *text, size_t start, bool big_endian)
{
	uint32_t length, stored;

	if (text->failed)
		return;
	pad(text, text->size - start);
	if (text->failed)
		return;
	if (text->size - start > UINT32_MAX - sizeof(length)) {
		fail(text, -EOVERFLOW);
		return;
	}
	length = (uint32_t)(text->size - start + sizeof(length));
	stored = big_endian ? htobe32(length) : htole32(length);
	memcpy(text->bytes + start + 4, &stored, sizeof(stored));
	text_u32(text, length, big_endian);
}

void write_option(struct text *text, uint16_t code, const void *value, size_t size, bool big_endian)
{
	if (size > UINT16_MAX) {
		fail(text, -EOVERFLOW);
		return;
	}
	text_u16(text, code, big_endian);
	text_u16(text, (uint16_t)size, big_endian);
	text_append(text, value, size);
	pad(text, size);
}

void write_options_end(struct text *text, bool big_endian)
{
	write_option(text, OPT_END, NULL, 0, big_endian);
}

static bool may_be_copied(const struct pktfs_option *option)
{
	return option->code != OPT_CUSTOM_STRING_NO_COPY &&
	       option->code != OPT_CUSTOM_BINARY_NO_COPY;
}

/* The next option that may be copied. A list that is damaged ends where the
 * damage is. */
static bool option_next(struct pktfs_options *options, struct pktfs_option *ret)
{
	while (pktfs_option_next(options, ret) == 1)
		if (may_be_copied(ret))
			return true;
	return false;
}

static bool options_have(struct pktfs_options options, uint16_t code)
{
	struct pktfs_option option;

	return pktfs_option_find(options, code, 0, &option) == 1;
}

/* Copies without the end. Returns whether there were any. */
static bool copy_options(struct text *text, struct pktfs_options options)
{
	struct pktfs_option option;
	bool any = false;

	while (option_next(&options, &option)) {
		write_option(text, option.code, option.value, option.length, options.big_endian);
		any = true;
	}
	return any;
}

void write_options_copy(struct text *text, struct pktfs_options options)
{
	if (copy_options(text, options))
		write_options_end(text, options.big_endian);
}

bool write_options_differ(struct pktfs_options options)
{
	struct pktfs_option option;
	int r;

	while ((r = pktfs_option_next(&options, &option)) == 1)
		if (!may_be_copied(&option))
			return true;
	return r < 0;
}

void write_shb(struct text *text, bool big_endian, struct pktfs_options options,
	       const char *application)
{
	size_t start = write_block_begin(text, BLOCK_SHB, big_endian);
	bool any;

	text_u32(text, PCAPNG_BYTE_ORDER_MAGIC, big_endian);
	text_u16(text, 1, big_endian);
	text_u16(text, 0, big_endian);
	text_u64(text, UINT64_MAX, big_endian); /* section length: not given */
	any = copy_options(text, options);
	if (application && !options_have(options, OPT_SHB_USERAPPL)) {
		write_option(text, OPT_SHB_USERAPPL, application, strlen(application), big_endian);
		any = true;
	}
	if (any)
		write_options_end(text, big_endian);
	write_block_end(text, start, big_endian);
}

void write_idb(struct text *text, bool big_endian, const struct write_interface *interface)
{
	size_t start = write_block_begin(text, BLOCK_IDB, big_endian);
	uint8_t fcs = (uint8_t)interface->fcs_length;
	bool any;

	text_u16(text, interface->link_type, big_endian);
	text_u16(text, 0, big_endian);
	text_u32(text, interface->snaplen, big_endian);
	any = copy_options(text, interface->options);
	if (interface->resolution != RESOLUTION_DEFAULT &&
	    !options_have(interface->options, OPT_IF_TSRESOL)) {
		write_option(text, OPT_IF_TSRESOL, &interface->resolution, 1, big_endian);
		any = true;
	}
	if (interface->fcs_length >= 0 && interface->fcs_length <= UINT8_MAX &&
	    !options_have(interface->options, OPT_IF_FCSLEN)) {
		write_option(text, OPT_IF_FCSLEN, &fcs, 1, big_endian);
		any = true;
	}
	if (any)
		write_options_end(text, big_endian);
	write_block_end(text, start, big_endian);
}

static bool drops_known(const struct write_packet *packet)
{
	return packet->drops < DROPS_UNKNOWN && !options_have(packet->options, OPT_EPB_DROPCOUNT);
}

uint64_t write_epb_size(const struct write_packet *packet)
{
	uint64_t size = WRITE_EPB_SIZE + util_pad4(packet->captured);
	struct pktfs_options options = packet->options;
	struct pktfs_option option;
	uint64_t list = 0;

	while (option_next(&options, &option))
		list += OPTION_HEADER_SIZE + util_pad4(option.length);
	if (drops_known(packet))
		list += OPTION_HEADER_SIZE + sizeof(uint64_t);
	return size + list + (list ? OPTION_HEADER_SIZE : 0);
}

void write_epb_head(struct text *text, bool big_endian, const struct write_packet *packet)
{
	uint64_t size = write_epb_size(packet);

	if (size > UINT32_MAX) {
		fail(text, -EOVERFLOW);
		return;
	}
	text_u32(text, BLOCK_EPB, big_endian);
	text_u32(text, (uint32_t)size, big_endian);
	text_u32(text, packet->interface, big_endian);
	text_u32(text, (uint32_t)(packet->ticks >> 32), big_endian);
	text_u32(text, (uint32_t)packet->ticks, big_endian);
	text_u32(text, packet->captured, big_endian);
	text_u32(text, packet->original, big_endian);
}

void write_epb_tail(struct text *text, bool big_endian, const struct write_packet *packet)
{
	bool any;
	uint64_t drops;

	pad(text, packet->captured);
	any = copy_options(text, packet->options);
	if (drops_known(packet)) {
		drops = big_endian ? htobe64(packet->drops) : htole64(packet->drops);
		write_option(text, OPT_EPB_DROPCOUNT, &drops, sizeof(drops), big_endian);
		any = true;
	}
	if (any)
		write_options_end(text, big_endian);
	text_u32(text, (uint32_t)write_epb_size(packet), big_endian);
}

static void write_data(struct text *text, const struct write_packet *packet)
{
	if (packet->data)
		text_append(text, packet->data, packet->captured);
	else
		text_zeros(text, packet->captured);
}

void write_epb(struct text *text, bool big_endian, const struct write_packet *packet)
{
	write_epb_head(text, big_endian, packet);
	write_data(text, packet);
	write_epb_tail(text, big_endian, packet);
}

uint64_t write_spb_size(const struct write_packet *packet)
{
	return WRITE_SPB_SIZE + util_pad4(packet->captured);
}

void write_spb_head(struct text *text, bool big_endian, const struct write_packet *packet)
{
	uint64_t size = write_spb_size(packet);

	if (size > UINT32_MAX) {
		fail(text, -EOVERFLOW);
		return;
	}
	text_u32(text, BLOCK_SPB, big_endian);
	text_u32(text, (uint32_t)size, big_endian);
	text_u32(text, packet->original, big_endian);
}

void write_spb_tail(struct text *text, bool big_endian, const struct write_packet *packet)
{
	pad(text, packet->captured);
	text_u32(text, (uint32_t)write_spb_size(packet), big_endian);
}

void write_spb(struct text *text, bool big_endian, const struct write_packet *packet)
{
	write_spb_head(text, big_endian, packet);
	write_data(text, packet);
	write_spb_tail(text, big_endian, packet);
}

void write_isb(struct text *text, bool big_endian, uint32_t interface, uint64_t ticks,
	       struct pktfs_options options)
{
	size_t start = write_block_begin(text, BLOCK_ISB, big_endian);

	text_u32(text, interface, big_endian);
	text_u32(text, (uint32_t)(ticks >> 32), big_endian);
	text_u32(text, (uint32_t)ticks, big_endian);
	write_options_copy(text, options);
	write_block_end(text, start, big_endian);
}
