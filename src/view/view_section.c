/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sections/S/: what the Section Header Block says. A pcap file has section 0,
 * with the byte order and version of its file header.
 */
#include <inttypes.h>
#include <stdio.h>

#include "view_field.h"

static int show_byte_order(const struct view_subject *s, struct text *text)
{
	text_string(text, s->section->big_endian ? "big-endian" : "little-endian");
	return 0;
}

static int show_version(const struct view_subject *s, struct text *text)
{
	text_printf(text, "%u.%u", s->section->version_major, s->section->version_minor);
	return 0;
}

static int show_length(const struct view_subject *s, struct text *text)
{
	if (s->section->section_length == -1)
		return -ENOENT;
	text_printf(text, "%" PRId64, s->section->section_length);
	return 0;
}

#define OPTIONS_LIMIT ((size_t)1 << 20)

static void show_one(struct text *text, const struct pktfs_options *options,
		     const struct pktfs_option *option)
{
	const struct view_option *known = view_option_find(&view_options_section, option->code);

	text_printf(text, "%u %s ", option->code, known ? known->name : "unknown");
	if (!view_option_fits(known, option))
		text_hex(text, option->value, option->length);
	else if (known->form == OPTION_STRING) /* quoted: it may hold newlines */
		text_json(text, option->value, option->length);
	else
		view_option_text(text, known, options, option);
	text_string(text, "\n");
}

static int show_options(const struct view_subject *s, struct text *text)
{
	struct pktfs_options options = s->options;
	struct pktfs_option option;

	while (pktfs_option_next(&options, &option) == 1) {
		if (text->size > OPTIONS_LIMIT) {
			view_log_once(s->view, SAID_COMMENTS,
				      "section %" PRIu64 ": more than 1 MiB of options: the rest "
				      "is only in blocks/",
				      s->section->number);
			break;
		}
		show_one(text, &options, &option);
	}
	return text->size ? 0 : -ENOENT;
}

static const struct view_field section[] = {
	{"byte_order", .show = show_byte_order},
	{"version", .show = show_version},
	{"hardware", .code = 2},
	{"os", .code = 3},
	{"application", .code = 4},
	{"comment", .code = 1},
	{"section_length", .show = show_length},
	{"options", .show = show_options, .raw = true},
};

static uint64_t field_node(uint64_t node, uint64_t field)
{
	return view_node(NODE_SECTION, view_node_ordinal(node) << VIEW_FIELD_BITS | field);
}

static const struct view_fields fields = {section, ARRAY_SIZE(section), field_node};

const struct view_kind view_kind_section_dir = {
	.directory = true,
	.check = view_numbered_check,
	.fields = &fields,
	.find = view_fields_find,
	.count = view_fields_count,
	.child = view_fields_child,
	.parent = view_numbered_parent,
};

static int section_render(struct view *view, uint64_t node, struct text *text)
{
	struct pktfs_section this;
	struct view_subject subject = {
		.view = view, .section = &this, .list = &view_options_section};
	uint64_t ordinal = view_node_ordinal(node);
	int r = pktfs_section_get(view->capture, ordinal >> VIEW_FIELD_BITS, &this, NULL);
	int released;

	if (r < 0)
		return r;
	subject.options = this.options;
	r = view_field_show(&fields, (unsigned)(ordinal & VIEW_FIELD_MASK), &subject, text);
	released = pktfs_section_release(&this);
	return released < 0 ? released : r;
}

const struct view_kind view_kind_section = {
	.render = section_render,
};
