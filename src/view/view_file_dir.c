/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files/: where a capture is several files, each with its info/.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/util_time.h"
#include "view_field.h"
#include "view_file.h"

static int show_path(const struct view_subject *s, struct text *text)
{
	text_string(text, s->file->path);
	return 0;
}

/* What is not there, while it may come. */
static int missing(const struct view_subject *s)
{
	return s->file->state == PKTFS_STATE_INDEXING ? -EAGAIN : -ENOENT;
}

static int show_format(const struct view_subject *s, struct text *text)
{
	if (!s->file->is_capture)
		return missing(s);
	view_format_text(s->file->file.format, s->file->file.nanosecond, text);
	return 0;
}

static int show_compression(const struct view_subject *s, struct text *text)
{
	if (!s->file->opened)
		return missing(s);
	view_compression_text(s->file->compression, text);
	return 0;
}

static int show_size(const struct view_subject *s, struct text *text)
{
	text_printf(text, "%" PRIu64, s->file->file_size);
	return 0;
}

static int show_packets(const struct view_subject *s, struct text *text)
{
	text_printf(text, "%" PRIu64, s->file->packets);
	return 0;
}

static int show_number(const struct view_subject *s, uint64_t number, struct text *text)
{
	if (!s->file->packets)
		return missing(s);
	text_printf(text, "%" PRIu64, number);
	return 0;
}

static int show_first_packet(const struct view_subject *s, struct text *text)
{
	return show_number(s, s->file->file.packets_before + 1, text);
}

static int show_last_packet(const struct view_subject *s, struct text *text)
{
	return show_number(s, s->file->file.packets_before + s->file->packets, text);
}

/* Packets without a time that are passed over. */
#define UNTIMED_MAX 1000u

/* The time of the first packet that has one, from `number` on by `step`. */
static int show_time(const struct view_subject *s, uint64_t number, int step, struct text *text)
{
	uint64_t left = MIN(s->file->packets, (uint64_t)UNTIMED_MAX);
	char form[TIME_TEXT_ROOM] = "";
	struct pktfs_packet packet;
	int r;

	if (!left)
		return missing(s);
	for (; left && !form[0]; left--, number += (uint64_t)(int64_t)step) {
		r = pktfs_packet_try(s->view->capture, number, &packet, NULL);
		if (r < 0) /* of a file that is gone it cannot be known any more */
			return r == -EIO && s->file->lost ? -ENOENT : r;
		if (packet.has_time)
			time_format(packet.time, form);
		r = pktfs_packet_release(&packet);
		if (r < 0)
			return r;
	}
	text_string(text, form);
	return form[0] ? 0 : -ENOENT;
}

static int show_first_time(const struct view_subject *s, struct text *text)
{
	return show_time(s, s->file->file.packets_before + 1, 1, text);
}

static int show_last_time(const struct view_subject *s, struct text *text)
{
	return show_time(s, s->file->file.packets_before + s->file->packets, -1, text);
}

static int show_state(const struct view_subject *s, struct text *text)
{
	text_string(text, view_state_name(s->file->state));
	return 0;
}

/* Whether nothing that is added to it will be shown. */
static bool is_finished(const struct view_subject *s)
{
	if (s->number + 1 == pktfs_files(s->view->capture) && view_growing(s->view, 0))
		return false;
	return s->file->state != PKTFS_STATE_INDEXING;
}

/* What is wrong with its bytes, and what has happened to the file since. */
static int show_problem(const struct view_subject *s, struct text *text)
{
	const struct pktfs_file_status *file = s->file;
	uint64_t unseen = 0;
	int removed = 0;

	pktfs_file_look(s->view->capture, s->number, &removed, &unseen);
	if (file->problem.code && file->problem.has_offset)
		text_printf(text, "offset %" PRIu64 ": ", file->problem.offset);
	if (file->problem.code)
		text_printf(text, "%s\n", file->problem.text);
	if (file->lost)
		text_printf(text, "was %s: its packets cannot be read any more\n",
			    removed ? "removed" : "overwritten or cut");
	else if (removed)
		text_string(text, "was removed; what it holds can be read until the mount ends\n");
	if (unseen && !file->lost && is_finished(s))
		text_printf(text, "%" PRIu64 " bytes have been added to it, which are not shown\n",
			    unseen);
	return text->size ? 0 : -ENOENT;
}

static const struct view_field info[] = {
	{"path", .show = show_path},
	{"format", .show = show_format},
	{"compression", .show = show_compression},
	{"size", .show = show_size, .live = true},
	{"packets", .show = show_packets, .live = true},
	{"first_packet", .show = show_first_packet},
	{"last_packet", .show = show_last_packet, .live = true},
	{"first_time", .show = show_first_time},
	{"last_time", .show = show_last_time, .live = true},
	{"state", .show = show_state, .live = true},
	{"problem", .show = show_problem, .live = true, .raw = true},
};

static uint64_t field_node(uint64_t node, uint64_t field)
{
	return view_node(NODE_FILE, view_node_ordinal(node) << VIEW_FIELD_BITS | field);
}

static const struct view_fields fields = {info, ARRAY_SIZE(info), field_node};

enum { FIELD_PROBLEM = 10 };

/* ---- files/ */

static int files_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	uint64_t number;
	int r = view_file_number(view, name, &number);

	(void)node;
	if (r == 0)
		*ret_child = view_node(NODE_FILE_DIR, number);
	return r;
}

static uint64_t files_count(struct view *view, uint64_t node)
{
	(void)node;
	return pktfs_files(view->capture);
}

static int files_child(struct view *view, uint64_t node, uint64_t position, struct view_child *ret)
{
	(void)node;
	ret->node = view_node(NODE_FILE_DIR, position);
	return view_file_name(view, position, ret->name);
}

static int files_check(struct view *view, uint64_t node)
{
	(void)node;
	return view_files_shown(view) ? 0 : -ENOENT;
}

const struct view_kind view_kind_files_dir = {
	.directory = true,
	.check = files_check,
	.find = files_find,
	.count = files_count,
	.child = files_child,
	.changing = view_changing,
	.parent = view_parent_root,
};

/* ---- files/NAME/ */

static int file_check(struct view *view, uint64_t node)
{
	return view_node_ordinal(node) < pktfs_files(view->capture) ? 0 : -ENOENT;
}

static int file_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	(void)view;
	if (strcmp(name, "info"))
		return -ENOENT;
	*ret_child = view_node(NODE_FILE_INFO_DIR, view_node_ordinal(node));
	return 0;
}

static uint64_t file_count(struct view *view, uint64_t node)
{
	(void)view;
	(void)node;
	return 1;
}

static int file_child(struct view *view, uint64_t node, uint64_t position, struct view_child *ret)
{
	(void)position;
	snprintf(ret->name, sizeof(ret->name), "info");
	return file_find(view, node, ret->name, &ret->node);
}

static uint64_t file_parent(struct view *view, uint64_t node)
{
	(void)view;
	(void)node;
	return view_node(NODE_FILES_DIR, 0);
}

const struct view_kind view_kind_file_dir = {
	.directory = true,
	.check = file_check,
	.find = file_find,
	.count = file_count,
	.child = file_child,
	.parent = file_parent,
};

/* ---- files/NAME/info/ */

static uint64_t info_parent(struct view *view, uint64_t node)
{
	(void)view;
	return view_node(NODE_FILE_DIR, view_node_ordinal(node));
}

/* A file may be removed at any time, and has a problem then. */
static bool always(struct view *view, uint64_t node)
{
	(void)view;
	(void)node;
	return true;
}

const struct view_kind view_kind_file_info_dir = {
	.directory = true,
	.check = file_check,
	.fields = &fields,
	.find = view_fields_find,
	.never = view_unknown,
	.count = view_fields_count,
	.child = view_fields_child,
	.changing = always,
	.parent = info_parent,
};

static int file_render(struct view *view, uint64_t node, struct text *text)
{
	struct pktfs_file_status file;
	uint64_t ordinal = view_node_ordinal(node), number = ordinal >> VIEW_FIELD_BITS;
	struct view_subject subject = {.view = view, .file = &file, .number = number};
	int r = pktfs_file_status_get(view->capture, number, &file);

	if (r < 0)
		return r;
	return view_field_show(&fields, (unsigned)(ordinal & VIEW_FIELD_MASK), &subject, text);
}

static bool file_live(struct view *view, uint64_t node)
{
	uint64_t field = view_node_ordinal(node) & VIEW_FIELD_MASK;

	if (field == FIELD_PROBLEM)
		return true;
	return field < fields.count && info[field].live && view_changing(view, node);
}

const struct view_kind view_kind_file = {
	.render = file_render,
	.live = file_live,
};
