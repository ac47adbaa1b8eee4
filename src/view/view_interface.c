/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interfaces/I/: what the Interface Description Block says. A pcap file has
 * interface 0. For statistics/ see view_statistics.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view_field.h"

static int show_link_type(const struct view_subject *s, struct text *text)
{
	char room[VIEW_LINK_TYPE_ROOM];

	text_string(text, view_link_type(s->interface->link_type, room));
	return 0;
}

static int show_link_type_number(const struct view_subject *s, struct text *text)
{
	text_printf(text, "%u", s->interface->link_type);
	return 0;
}

static int show_snaplen(const struct view_subject *s, struct text *text)
{
	text_printf(text, "%" PRIu32, s->interface->snaplen);
	return 0;
}

static int show_resolution(const struct view_subject *s, struct text *text)
{
	view_option_resolution(text, s->interface->resolution);
	return 0;
}

static int show_fcs_length(const struct view_subject *s, struct text *text)
{
	if (s->interface->fcs_length < 0)
		return -ENOENT;
	text_printf(text, "%d", s->interface->fcs_length);
	return 0;
}

static int show_section(const struct view_subject *s, struct text *text)
{
	text_printf(text, "%" PRIu64, s->interface->section);
	return 0;
}

static int show_number_in_section(const struct view_subject *s, struct text *text)
{
	text_printf(text, "%" PRIu32, s->interface->number_in_section);
	return 0;
}

static int show_packets(const struct view_subject *s, struct text *text)
{
	text_printf(text, "%" PRIu64, s->interface->packets);
	return 0;
}

static const struct view_field interface[] = {
	{"name", .code = 2},
	{"description", .code = 3},
	{"ipv4", .code = 4},
	{"ipv6", .code = 5},
	{"mac", .code = 6},
	{"eui", .code = 7},
	{"speed", .code = 8},
	{"transmit_speed", .code = 16},
	{"receive_speed", .code = 17},
	{"link_type", .show = show_link_type},
	{"link_type_number", .show = show_link_type_number},
	{"snaplen", .show = show_snaplen},
	{"timestamp_resolution", .show = show_resolution},
	{"timestamp_offset", .code = 14},
	{"timezone", .code = 10},
	{"timezone_name", .code = 18},
	{"filter", .code = 11},
	{"os", .code = 12},
	{"hardware", .code = 15},
	{"fcs_length", .show = show_fcs_length},
	{"comment", .code = 1},
	{"section", .show = show_section},
	{"number_in_section", .show = show_number_in_section},
	{"packets", .show = show_packets, .live = true},
};

static uint64_t field_node(uint64_t node, uint64_t field)
{
	return view_node(NODE_INTERFACE, view_node_ordinal(node) << VIEW_FIELD_BITS | field);
}

static const struct view_fields fields = {interface, ARRAY_SIZE(interface), field_node};

static int interface_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	if (strcmp(name, "statistics") != 0)
		return view_fields_find(view, node, name, ret_child);
	*ret_child = view_node(NODE_STATISTICS_DIR, view_node_ordinal(node));
	return 0;
}

static uint64_t interface_count(struct view *view, uint64_t node)
{
	(void)view;
	(void)node;
	return fields.count + 1;
}

static int interface_child(struct view *view, uint64_t node, uint64_t position,
			   struct view_child *ret)
{
	if (position < fields.count)
		return view_fields_child(view, node, position, ret);
	snprintf(ret->name, sizeof(ret->name), "statistics");
	ret->node = view_node(NODE_STATISTICS_DIR, view_node_ordinal(node));
	return view_kind_statistics_dir.check(view, ret->node);
}

const struct view_kind view_kind_interface_dir = {
	.directory = true,
	.check = view_numbered_check,
	.fields = &fields,
	.find = interface_find,
	.never = view_unknown,
	.count = interface_count,
	.child = interface_child,
	.changing = view_changing, /* statistics/ may come */
	.parent = view_numbered_parent,
};

static int interface_render(struct view *view, uint64_t node, struct text *text)
{
	struct pktfs_interface this;
	struct view_subject subject = {
		.view = view, .interface = &this, .list = &view_options_interface};
	uint64_t ordinal = view_node_ordinal(node);
	int r = pktfs_interface_get(view->capture, ordinal >> VIEW_FIELD_BITS, &this, NULL);
	int released;

	if (r < 0)
		return r;
	subject.options = this.options;
	r = view_field_show(&fields, (unsigned)(ordinal & VIEW_FIELD_MASK), &subject, text);
	released = pktfs_interface_release(&this);
	return released < 0 ? released : r;
}

static bool interface_live(struct view *view, uint64_t node)
{
	uint64_t field = view_node_ordinal(node) & VIEW_FIELD_MASK;

	return field < fields.count && interface[field].live && view_changing(view, node);
}

const struct view_kind view_kind_interface = {
	.render = interface_render,
	.live = interface_live,
};
