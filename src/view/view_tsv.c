/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packets.tsv: a header line, then a line for each packet, columns of fixed
 * width separated by tabs. So its size is known without reading the packets,
 * line N starts at N times the length of a line, and a read makes only the
 * lines that it is about.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/util_time.h"
#include "view_set.h"

/* The widths, at least those of the header. The first two grow in captures of
 * 10^10 packets or 10^9 interfaces. */
#define NUMBER_WIDTH    10
#define INTERFACE_WIDTH 9
#define LENGTH_WIDTH    15
#define LINE_ROOM       (20 + VIEW_TIME_WIDTH + 20 + VIEW_LINK_TYPE_ROOM + 2 * LENGTH_WIDTH + 8)

struct layout {
	struct set *set;
	uint64_t packets;
	struct pktfs_time time;
	bool live;
	int number, interface, link_type;
	size_t line;
};

static pthread_once_t link_type_once = PTHREAD_ONCE_INIT;
static int link_type_width;

static void measure_link_types(void)
{
	size_t longest = strlen("link_type");
	unsigned i;

	for (i = 0; i <= UINT16_MAX; i++) {
		const char *name = pktfs_linktype_name((uint16_t)i);

		if (name && strlen(name) < VIEW_LINK_TYPE_ROOM)
			longest = MAX(longest, strlen(name));
	}
	link_type_width = (int)longest;
}

static int digits(uint64_t number)
{
	int count = 1;

	while (number /= 10)
		count++;
	return count;
}

/* -EAGAIN until the index is complete, and the set evaluated for what is there. */
static int lay_out(struct view *view, uint64_t node, struct layout *ret)
{
	struct pktfs_status status, capture;
	int r;

	ret->set = view_set_of(view, node);
	r = ret->set ? view_set_status(view, ret->set, &status) : -ENOENT;
	if (r < 0)
		return r;
	if (view_status_pending(&status)) {
		set_want(ret->set);
		return -EAGAIN;
	}
	pktfs_status_get(view->capture, &capture);
	pthread_once(&link_type_once, measure_link_types);
	ret->packets = status.packets;
	ret->time = view_time_of(view, &status);
	ret->live = view_status_changing(&status);
	ret->number = MAX(NUMBER_WIDTH, digits(capture.packets));
	ret->interface = MAX(INTERFACE_WIDTH, digits(status.interfaces));
	ret->link_type = link_type_width;
	ret->line = (size_t)(ret->number + ret->interface + ret->link_type + VIEW_TIME_WIDTH +
			     2 * LENGTH_WIDTH + 6);
	return 0;
}

void view_time_column(const struct pktfs_packet *packet, char text[VIEW_TIME_WIDTH + 1])
{
	char form[TIME_TEXT_ROOM] = "-";

	if (packet->has_time)
		time_format(packet->time, form);
	snprintf(text, VIEW_TIME_WIDTH + 1, "%-*s", VIEW_TIME_WIDTH, form);
}

struct line {
	const struct layout *layout;
	char bytes[LINE_ROOM];
};

static void put_header(struct line *line)
{
	const struct layout *l = line->layout;

	snprintf(line->bytes, sizeof(line->bytes), "%*s\t%-*s\t%*s\t%-*s\t%*s\t%*s\n", l->number,
		 "number", VIEW_TIME_WIDTH, "time", l->interface, "interface", l->link_type,
		 "link_type", LENGTH_WIDTH, "captured_length", LENGTH_WIDTH, "original_length");
}

static int put_packet(struct view *view, const struct pktfs_packet *packet, void *context)
{
	struct line *line = context;
	const struct layout *l = line->layout;
	char room[VIEW_LINK_TYPE_ROOM], time[VIEW_TIME_WIDTH + 1];

	(void)view;
	view_time_column(packet, time);
	snprintf(line->bytes, sizeof(line->bytes),
		 "%*" PRIu64 "\t%s\t%*" PRIu64 "\t%-*s\t%*" PRIu32 "\t%*" PRIu32 "\n", l->number,
		 packet->number, time, l->interface, packet->interface, l->link_type,
		 view_link_type(packet->link_type, room), LENGTH_WIDTH, packet->captured_length,
		 LENGTH_WIDTH, packet->original_length);
	return 0;
}

static int tsv_attributes(struct view *view, uint64_t node, struct view_attributes *ret)
{
	struct layout layout;
	int r = lay_out(view, node, &layout);

	if (r < 0)
		return r;
	ret->size = (layout.packets + 1) * layout.line;
	ret->time = layout.time;
	ret->live = layout.live;
	return 0;
}

static int64_t tsv_read(struct view *view, uint64_t node, uint64_t offset, void *bytes, size_t size)
{
	struct layout layout;
	struct line line = {.layout = &layout};
	size_t copied = 0, skip, count;
	uint64_t at, number;
	int r = lay_out(view, node, &layout);

	if (r < 0)
		return r;
	at = offset / layout.line;
	skip = offset % layout.line;
	for (; copied < size && at <= layout.packets; at++, skip = 0) {
		if (at) {
			r = set_select(layout.set, at - 1, &number);
			if (r == 0)
				r = view_packet_with(view, number, put_packet, &line);
		} else {
			put_header(&line);
		}
		if (r < 0)
			return r;
		count = MIN(layout.line - skip, size - copied);
		memcpy((uint8_t *)bytes + copied, line.bytes + skip, count);
		copied += count;
	}
	return (int64_t)copied;
}

const struct view_kind view_kind_tsv = {
	.attributes = tsv_attributes,
	.read = tsv_read,
};
