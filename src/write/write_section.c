/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections and interfaces. */
#include "write_private.h"

#include <inttypes.h>
#include <string.h>

#include "write_encode.h"

#define RESOLUTION_NANO  9
#define PCAP_SNAPLEN     262144u /* what libpcap calls unlimited */
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

enum {
	OPT_SHB_HARDWARE = 2,
	OPT_SHB_OS = 3,
	OPT_SHB_APPLICATION = 4,
	OPT_IF_NAME = 2,
	OPT_IF_DESCRIPTION = 3,
	OPT_IF_SPEED = 8,
	OPT_IF_RESOLUTION = 9,
	OPT_IF_FILTER = 11,
	OPT_IF_OS = 12,
	OPT_IF_FCS_LENGTH = 13,
	OPT_IF_OFFSET = 14,
	OPT_IF_HARDWARE = 15,
	OPT_IF_TX_SPEED = 16,
	OPT_IF_RX_SPEED = 17,
	OPT_IF_TIME_ZONE = 18,
};

#define FILTER_LIBPCAP 0 /* the first octet of if_filter */

/* ---- sections */

static int put_section(struct pktfs_writer *writer, const struct pktfs_new_section *section,
		       struct pktfs_error *ret_error)
{
	struct text *text = &writer->pending;
	const bool be = writer->big_endian;
	size_t start = write_block_begin(text, BLOCK_SHB, be);
	struct write_list list = write_list_over(text, BLOCK_SHB, be, ret_error);
	int r = 0;

	text_u32(text, BYTE_ORDER_MAGIC, be);
	text_u16(text, 1, be);
	text_u16(text, 0, be);
	text_u64(text, UINT64_MAX, be);
	if (section) {
		write_list_string(&list, OPT_SHB_HARDWARE, -1, section->hardware);
		write_list_string(&list, OPT_SHB_OS, -1, section->os);
		write_list_string(&list, OPT_SHB_APPLICATION, -1, section->application);
		write_list_new(&list, &section->options);
		r = write_list_end(&list);
	}
	write_block_end(text, start, be);
	return r;
}

int writer_section(struct pktfs_writer *writer, const struct pktfs_new_section *section,
		   struct pktfs_written *ret_written, struct pktfs_error *ret_error)
{
	bool follows = writer->section_follows;
	struct write_mark mark;
	int r = writer_wants_pcapng(writer, "sections", ret_error);

	if (r < 0)
		return r;
	/* it takes the place of the one that was to follow */
	writer->section_follows = false;
	r = writer_begin(writer, &mark, ret_error);
	if (r == 0) {
		r = put_section(writer, section, ret_error);
		if (r < 0)
			writer_abandon(writer, &mark, r);
		else
			r = writer_end(writer, &mark, 0, ret_written, ret_error);
	}
	if (r < 0) {
		writer->section_follows = follows;
		return r;
	}
	writer->sections++;
	writer->interfaces_before += writer->interfaces.count;
	write_interfaces_clear(&writer->interfaces, writer->big_endian);
	return 0;
}

int pktfs_writer_section(pktfs_writer *writer, const struct pktfs_new_section *section,
			 struct pktfs_written *ret_written, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);

	return writer_section(writer, section, ret_written, ret_error);
}

/* ---- interfaces of a pcap file */

static bool is_bare(const struct pktfs_writer *writer, const struct pktfs_new_interface *new)
{
	uint8_t resolution = writer->format.nanosecond ? RESOLUTION_NANO : 6;

	return !new->name && !new->description && !new->filter && !new->os && !new->hardware &&
	       !new->time_zone &&write_options_empty(&new->options) &&
	       !(new->has & ~(PKTFS_IF_RESOLUTION | PKTFS_IF_OFFSET | PKTFS_IF_FCS_LENGTH |
			      WRITE_IF_AS_IT_IS)) &&
	       (!(new->has &PKTFS_IF_RESOLUTION) || new->resolution == resolution) &&
	       (!(new->has &PKTFS_IF_OFFSET) || new->offset_seconds == 0);
}

static int write_header(struct pktfs_writer *writer, const struct pktfs_new_interface *new,
			struct pktfs_error *ret_error)
{
	struct write_pcap_header header = {
		.big_endian = writer->big_endian,
		.nanosecond = writer->format.nanosecond,
		.snaplen = new->snaplen ? new->snaplen : PCAP_SNAPLEN,
		.link_type = new->link_type,
		.fcs_length = new->has &PKTFS_IF_FCS_LENGTH ? new->fcs_length : -1,
	};
	struct write_mark mark = {0};
	int r;

	write_pcap_header(&writer->pending, &header);
	r = writer_end(writer, &mark, 0, NULL, ret_error);
	if (r < 0)
		return r;
	writer->header_missing = false;
	writer->format.snaplen = header.snaplen;
	writer->format.link_type = header.link_type;
	writer->format.fcs_length = header.fcs_length;
	r = write_interfaces_pcap(&writer->interfaces, &writer->format);
	return r < 0 ? error_set(ret_error, r, "out of memory") : 0;
}

static int pcap_interface(struct pktfs_writer *writer, const struct pktfs_new_interface *new,
			  uint32_t *ret_number, struct pktfs_error *ret_error)
{
	int r = 0;

	if (!is_bare(writer, new))
		return error_set(ret_error, -ENOTSUP,
				 "interface: found more than a pcap file can hold; accepted link "
				 "type, snaplen and FCS length, in its own resolution");
	if (writer->header_missing)
		r = write_header(writer, new, ret_error);
	else if (new->link_type != writer->format.link_type)
		r = error_set(ret_error, -ENOTSUP,
			      "link type: found %u; accepted %u: a pcap file has only one",
			      new->link_type, writer->format.link_type);
	if (r == 0 && ret_number)
		*ret_number = 0;
	return r;
}

/* ---- interfaces of a pcapng file */

/* The default is nanoseconds: so a `struct pktfs_time` is kept as it is. */
static void put_resolution(struct write_list *list, const struct pktfs_new_interface *new)
{
	uint8_t resolution = RESOLUTION_NANO;
	struct pktfs_option option;

	if (new->has & PKTFS_IF_RESOLUTION)
		resolution = new->resolution;
	else if ((new->has &WRITE_IF_AS_IT_IS) ||
		 pktfs_option_find(new->options.copy, OPT_IF_RESOLUTION, 0, &option) == 1)
		return;
	write_list_octets(list, OPT_IF_RESOLUTION, &resolution, 1);
}

static void put_numbers(struct write_list *list, const struct pktfs_new_interface *new)
{
	put_resolution(list, new);
	if (new->has & PKTFS_IF_OFFSET)
		write_list_u64(list, OPT_IF_OFFSET, (uint64_t) new->offset_seconds);
	if (new->has & PKTFS_IF_FCS_LENGTH)
		write_list_octets(list, OPT_IF_FCS_LENGTH, &new->fcs_length, 1);
	if (new->has & PKTFS_IF_SPEED)
		write_list_u64(list, OPT_IF_SPEED, new->speed);
	if (new->has & PKTFS_IF_TX_SPEED)
		write_list_u64(list, OPT_IF_TX_SPEED, new->tx_speed);
	if (new->has & PKTFS_IF_RX_SPEED)
		write_list_u64(list, OPT_IF_RX_SPEED, new->rx_speed);
}

static int put_interface(struct pktfs_writer *writer, const struct pktfs_new_interface *new,
			 struct pktfs_error *ret_error)
{
	struct text *text = &writer->pending;
	const bool be = writer->big_endian;
	size_t start = write_block_begin(text, BLOCK_IDB, be);
	struct write_list list = write_list_over(text, BLOCK_IDB, be, ret_error);
	int r;

	text_u16(text, new->link_type, be);
	text_u16(text, 0, be);
	text_u32(text, new->snaplen, be);
	write_list_string(&list, OPT_IF_NAME, -1, new->name);
	write_list_string(&list, OPT_IF_DESCRIPTION, -1, new->description);
	write_list_string(&list, OPT_IF_FILTER, FILTER_LIBPCAP, new->filter);
	write_list_string(&list, OPT_IF_OS, -1, new->os);
	write_list_string(&list, OPT_IF_HARDWARE, -1, new->hardware);
	write_list_string(&list, OPT_IF_TIME_ZONE, -1, new->time_zone);
	put_numbers(&list, new);
	write_list_new(&list, &new->options);
	r = write_list_end(&list);
	write_block_end(text, start, be);
	return r;
}

static void forget_last(struct write_interfaces *interfaces)
{
	interfaces->count--;
	interfaces->blocks.size = interfaces->entries[interfaces->count].block_at;
}

/* The table first: that may fail, and can be undone. */
static int end_interface(struct pktfs_writer *writer, const struct write_mark *mark,
			 struct pktfs_error *ret_error)
{
	struct text *text = &writer->pending;
	int r = text->failed;

	if (r == 0)
		r = write_interfaces_add(&writer->interfaces,
					 cursor_over(text->bytes + mark->record,
						     text->size - mark->record,
						     writer->big_endian));
	if (r < 0)
		return writer_abandon(writer, mark,
				      error_set(ret_error, r, "interface: %s", strerror(-r)));
	r = writer_end(writer, mark, 0, NULL, ret_error);
	if (r < 0)
		forget_last(&writer->interfaces);
	return r;
}

int writer_interface(struct pktfs_writer *writer, const struct pktfs_new_interface *new,
		     uint32_t *ret_number, struct pktfs_error *ret_error)
{
	struct write_mark mark;
	int r;

	if (!writer->pcapng)
		return pcap_interface(writer, new, ret_number, ret_error);
	if ((new->has &PKTFS_IF_SPEED) && (new->has &(PKTFS_IF_TX_SPEED | PKTFS_IF_RX_SPEED)))
		return error_set(ret_error, -EINVAL,
				 "interface: found a speed and one for a direction; accepted one "
				 "or the other");
	r = writer_begin(writer, &mark, ret_error);
	if (r < 0)
		return r;
	r = put_interface(writer, new, ret_error);
	if (r < 0)
		return writer_abandon(writer, &mark, r);
	r = end_interface(writer, &mark, ret_error);
	if (r == 0 && ret_number)
		*ret_number = writer->interfaces.count - 1;
	return r;
}

int pktfs_writer_interface(pktfs_writer *writer, const struct pktfs_new_interface *interface,
			   uint32_t *ret_number, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);

	return writer_interface(writer, interface, ret_number, ret_error);
}
