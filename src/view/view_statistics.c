/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interfaces/I/statistics/: the last Interface Statistics Block of an
 * interface. Absent where there is none.
 */
#include <stdio.h>

#include "util/util_cursor.h"
#include "util/util_time.h"
#include "view_field.h"

/* Two halves, the high one first, in units of the interface (draft section
 * 4.6): not a 64-bit number of the section's byte order. */
static int show_ticks(const struct view_subject *s, uint16_t code, struct text *text)
{
	char form[TIME_TEXT_ROOM];
	struct pktfs_option option;
	unsigned i;
	uint64_t ticks;

	for (i = 0; pktfs_option_find(s->options, code, i, &option) == 1; i++) {
		if (option.length != 8)
			continue;
		ticks = (uint64_t)bytes_u32(option.value, s->options.big_endian) << 32 |
			bytes_u32(option.value + 4, s->options.big_endian);
		time_format(pktfs_time_from_ticks(ticks, s->interface->resolution,
						  s->interface->offset_seconds),
			    form);
		text_string(text, form);
		return 0;
	}
	return -ENOENT;
}

static int show_start(const struct view_subject *s, struct text *text)
{
	return show_ticks(s, 2, text);
}

static int show_end(const struct view_subject *s, struct text *text)
{
	return show_ticks(s, 3, text);
}

static int show_time(const struct view_subject *s, struct text *text)
{
	char form[TIME_TEXT_ROOM];

	time_format(s->interface->statistics_time, form);
	text_string(text, form);
	return 0;
}

/* A later ISB replaces an earlier one: all of it is live. */
static const struct view_field statistics[] = {
	{"received", .code = 4},        {"dropped", .code = 5},
	{"filter_accepted", .code = 6}, {"os_dropped", .code = 7},
	{"delivered", .code = 8},       {"start_time", .show = show_start},
	{"end_time", .show = show_end}, {"time", .show = show_time},
	{"comment", .code = 1},
};

static uint64_t field_node(uint64_t node, uint64_t field)
{
	return view_node(NODE_STATISTICS, view_node_ordinal(node) << VIEW_FIELD_BITS | field);
}

static const struct view_fields fields = {statistics, ARRAY_SIZE(statistics), field_node};

static int statistics_check(struct view *view, uint64_t node)
{
	struct pktfs_interface this;
	int r = pktfs_interface_get(view->capture, view_node_ordinal(node), &this, NULL);
	bool has;

	if (r < 0)
		return r;
	has = this.has_statistics;
	r = pktfs_interface_release(&this);
	if (r < 0)
		return r;
	return has ? 0 : -ENOENT;
}

static uint64_t statistics_parent(struct view *view, uint64_t node)
{
	(void)view;
	return view_node(NODE_INTERFACE_DIR, view_node_ordinal(node));
}

const struct view_kind view_kind_statistics_dir = {
	.directory = true,
	.check = statistics_check,
	.fields = &fields,
	.find = view_fields_find,
	.never = view_unknown,
	.count = view_fields_count,
	.child = view_fields_child,
	.changing = view_changing,
	.parent = statistics_parent,
};

static int statistics_render(struct view *view, uint64_t node, struct text *text)
{
	struct pktfs_interface this;
	struct view_subject subject = {
		.view = view, .interface = &this, .list = &view_options_statistics};
	uint64_t ordinal = view_node_ordinal(node);
	int r = pktfs_interface_get(view->capture, ordinal >> VIEW_FIELD_BITS, &this, NULL);
	int released;

	if (r < 0)
		return r;
	subject.options = this.statistics;
	r = -ENOENT;
	if (this.has_statistics)
		r = view_field_show(&fields, (unsigned)(ordinal & VIEW_FIELD_MASK), &subject, text);
	released = pktfs_interface_release(&this);
	return released < 0 ? released : r;
}

const struct view_kind view_kind_statistics = {
	.render = statistics_render,
	.live = view_changing,
};
