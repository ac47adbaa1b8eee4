/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * info/: the facts of the capture, one a file.
 */
#include <inttypes.h>

#include "pktfs/version.h"
#include "util/util_time.h"
#include "append/append.h"
#include "view_field.h"
#include "view_file.h"
#include "view_set.h"

static int show_path(const struct view_subject *s, struct text *text)
{
	text_string(text, s->view->path);
	return 0;
}

void view_format_text(enum pktfs_format format, bool nanosecond, struct text *text)
{
	switch (format) {
	case PKTFS_FORMAT_PCAP:
		text_string(text, nanosecond ? "pcap (nanosecond)" : "pcap");
		break;
	case PKTFS_FORMAT_PCAP_MODIFIED:
		text_string(text, "modified pcap");
		break;
	case PKTFS_FORMAT_PCAPNG:
		text_string(text, "pcapng");
		break;
	}
}

/* Of several files, as far as they are known. */
static bool is_mixed(const struct view_subject *s, bool compression)
{
	struct pktfs_file_status file, first = {0};
	uint64_t i;

	for (i = 0; !pktfs_file_status_get(s->view->capture, i, &file); i++) {
		if (!file.is_capture)
			continue;
		if (!first.is_capture)
			first = file;
		if (compression ? file.compression != first.compression
				: file.file.format != first.file.format ||
					  file.file.nanosecond != first.file.nanosecond)
			return true;
	}
	return false;
}

static int show_format(const struct view_subject *s, struct text *text)
{
	if (is_mixed(s, false))
		text_string(text, "mixed");
	else
		view_format_text(s->status->format, s->status->nanosecond, text);
	return 0;
}

void view_compression_text(enum pktfs_compression compression, struct text *text)
{
	static const char *const names[] = {
		[PKTFS_COMPRESSION_NONE] = "none",
		[PKTFS_COMPRESSION_ZSTD] = "zstd",
		[PKTFS_COMPRESSION_GZIP] = "gzip",
	};

	text_string(text, names[compression]);
}

static int show_compression(const struct view_subject *s, struct text *text)
{
	if (is_mixed(s, true))
		text_string(text, "mixed");
	else
		view_compression_text(s->status->compression, text);
	return 0;
}

static int show_size(const struct view_subject *s, struct text *text)
{
	if (!s->status->file_size)
		return -ENOENT;
	text_printf(text, "%" PRIu64, s->status->file_size);
	return 0;
}

static int show_packets(const struct view_subject *s, struct text *text)
{
	text_printf(text, "%" PRIu64, s->status->packets);
	return 0;
}

static int show_bytes(const struct view_subject *s, struct text *text)
{
	text_printf(text, "%" PRIu64, s->status->captured_bytes);
	return 0;
}

static int show_time(const struct view_subject *s, struct pktfs_time time, struct text *text)
{
	char form[TIME_TEXT_ROOM];

	if (!s->status->has_time)
		return -ENOENT;
	time_format(time, form);
	text_string(text, form);
	return 0;
}

static int show_first_time(const struct view_subject *s, struct text *text)
{
	return show_time(s, s->status->first_time, text);
}

static int show_last_time(const struct view_subject *s, struct text *text)
{
	return show_time(s, s->status->last_time, text);
}

/* From the earliest to the latest, as capinfos counts. */
static int show_duration(const struct view_subject *s, struct text *text)
{
	char form[TIME_TEXT_ROOM];

	if (!s->status->has_time)
		return -ENOENT;
	time_format_seconds(time_difference(s->status->max_time, s->status->min_time), form);
	text_string(text, form);
	return 0;
}

static int show_link_types(const struct view_subject *s, struct text *text)
{
	char room[VIEW_LINK_TYPE_ROOM];
	struct pktfs_link_type link;
	unsigned i;

	for (i = 0; !pktfs_link_type_get(s->view->capture, i, &link); i++)
		text_printf(text, "%s%s", i ? " " : "", view_link_type(link.link_type, room));
	return i ? 0 : -ENOENT;
}

/*
 * Between an append to a compressed file and the end of its frame the capture is
 * truncated, as another program would see it, though all is well.
 */
static bool is_unfinished(const struct view_subject *s, const struct pktfs_error *problem)
{
	return s->view->append && s->status->growing &&
	       append_is_unfinished(s->view->append, problem);
}

/* The capture's, but for that: how many, and lines for those that are kept. */
static uint64_t put_problems(const struct view_subject *s, struct text *text, uint64_t *ret_lines)
{
	uint64_t count = s->status->problems, i;
	struct pktfs_error error;

	*ret_lines = 0;
	for (i = 0; i < s->status->problems && !pktfs_problem_get(s->view->capture, i, &error);
	     i++) {
		if (is_unfinished(s, &error)) {
			count--;
			continue;
		}
		if (error.has_offset)
			text_printf(text, "offset %" PRIu64 ": ", error.offset);
		text_printf(text, "%s\n", error.text);
		++*ret_lines;
	}
	return count;
}

static bool is_growing(const struct view_subject *s)
{
	_cleanup_(text_free) struct text text = {0};
	uint64_t lines;

	if (!s->view->append || !s->status->growing || s->status->state != PKTFS_STATE_TRUNCATED)
		return false;
	put_problems(s, &text, &lines);
	return !lines;
}

const char *view_state_name(enum pktfs_state state)
{
	static const char *const names[] = {
		[PKTFS_STATE_INDEXING] = "indexing",
		[PKTFS_STATE_COMPLETE] = "complete",
		[PKTFS_STATE_TRUNCATED] = "truncated",
		[PKTFS_STATE_DAMAGED] = "damaged",
	};

	return names[state];
}

static int show_state(const struct view_subject *s, struct text *text)
{
	/* a set is evaluated, the capture is indexed */
	if (view_status_pending(s->status) && set_kind(s->set) != SET_ALL)
		text_string(text, "evaluating");
	else if (is_growing(s) ||
		 (s->status->active && s->status->state == PKTFS_STATE_COMPLETE))
		text_string(text, "growing");
	else
		text_string(text, view_state_name(s->status->state));
	return 0;
}

/* Of a set: what its answer leaves open. */
static int show_set_problem(const struct view_subject *s, struct text *text)
{
	struct set_status status;

	set_status(s->set, &status);
	if (!status.limited)
		return -ENOENT;
	text_printf(text, "%" PRIu64 " packets were given up at the match limit, and left out\n",
		    status.limited);
	return 0;
}

static int show_problem(const struct view_subject *s, struct text *text)
{
	uint64_t count, lines;

	if (set_kind(s->set) != SET_ALL)
		return show_set_problem(s, text);
	count = put_problems(s, text, &lines);
	if (!lines)
		return -ENOENT;
	if (lines < count)
		text_printf(text, "and %" PRIu64 " more\n", count - lines);
	return 0;
}

/* Rounded down, so that 100.0 is the end. While it is not known how much there
 * will be (a pipe, a stream of zstd), of what has come so far. */
static int show_progress(const struct view_subject *s, struct text *text)
{
	uint64_t done = s->status->indexed_bytes, whole = s->status->decoded_bytes, permille;
	struct pktfs_status capture;

	if (set_kind(s->set) != SET_ALL) {
		struct set_status set;

		set_status(s->set, &set);
		pktfs_status_get(s->view->capture, &capture);
		done = set.passed;
		whole = capture.packets;
	}
	if (s->status->state == PKTFS_STATE_COMPLETE)
		done = whole = 1;
	permille = whole ? (uint64_t)((unsigned __int128)MIN(done, whole) * 1000 / whole) : 0;
	if (view_status_pending(s->status))
		permille = MIN(permille, 999);
	text_printf(text, "%" PRIu64 ".%" PRIu64, permille / 10, permille % 10);
	return 0;
}

static int show_log(const struct view_subject *s, struct text *text)
{
	view_ring_text(s->view->ring, text);
	return 0;
}

static int show_version(const struct view_subject *s, struct text *text)
{
	(void)s;
	text_string(text, PKTFS_VERSION);
	return 0;
}

static int show_appended(const struct view_subject *s, struct text *text)
{
	if (!s->view->append)
		return -ENOENT;
	append_list_text(s->view->append, text);
	return 0;
}

enum { FIELD_STATE = 10, FIELD_PROGRESS = 12, FIELD_LOG = 14, FIELD_APPENDED = 15 };

static const struct view_field info[] = {
	{"path", .show = show_path},
	{"format", .show = show_format, .of_files = true},
	{"compression", .show = show_compression, .of_files = true},
	{"size", .show = show_size, .grows = true},
	{"packets", .show = show_packets, .live = true, .in_sets = true},
	{"bytes", .show = show_bytes, .live = true, .in_sets = true},
	{"first_time", .show = show_first_time, .live = true, .in_sets = true},
	{"last_time", .show = show_last_time, .live = true, .in_sets = true},
	{"duration", .show = show_duration, .live = true, .in_sets = true},
	{"link_types", .show = show_link_types, .live = true},
	[FIELD_STATE] = {"state", .show = show_state, .live = true, .in_sets = true},
	{"problem", .show = show_problem, .live = true, .raw = true, .in_sets = true},
	[FIELD_PROGRESS] = {"progress", .show = show_progress, .live = true, .in_sets = true},
	{"version", .show = show_version},
	[FIELD_LOG] = {"log", .show = show_log, .live = true, .raw = true},
	[FIELD_APPENDED] = {"appended", .show = show_appended, .live = true, .raw = true},
};

static uint64_t field_node(uint64_t node, uint64_t field)
{
	return view_node_in_set(NODE_INFO, node, field);
}

static const struct view_fields fields = {info, ARRAY_SIZE(info), field_node};

const struct view_kind view_kind_info_dir = {
	.directory = true,
	.fields = &fields,
	.find = view_fields_find,
	.never = view_unknown,
	.count = view_fields_count,
	.child = view_fields_child,
	.changing = view_set_changing,
	.parent = view_parent_root,
};

/*
 * Of a set: the values that its packets have, which are hidden until they are
 * known, and a lookup by name waits; how far it is, which is told at once.
 */
static int of_set(struct view *view, struct set *set, unsigned field, struct pktfs_status *ret)
{
	int r = view_set_status(view, set, ret);

	if (set_kind(set) == SET_ALL)
		return r;
	if (field >= fields.count || !info[field].in_sets)
		return -ENOENT;
	set_want(set);
	if (r == 0 && view_status_pending(ret) && field != FIELD_STATE &&
	    field != FIELD_PROGRESS)
		return -EAGAIN;
	return r;
}

static int info_render(struct view *view, uint64_t node, struct text *text)
{
	struct set *set = view_set_of(view, node);
	struct pktfs_status status;
	struct view_subject subject = {.view = view, .status = &status, .set = set};
	unsigned field = (unsigned)view_node_set_ordinal(node);
	int r = set ? of_set(view, set, field, &status) : -ENOENT;

	if (r < 0)
		return r;
	return view_field_show(&fields, field, &subject, text);
}

bool view_info_unsteady(uint64_t node)
{
	uint64_t field = view_node_set_ordinal(node);

	return field == FIELD_LOG || field == FIELD_APPENDED;
}

static bool info_live(struct view *view, uint64_t node)
{
	uint64_t field = view_node_set_ordinal(node);

	if (view_info_unsteady(node))
		return true;
	if (field >= fields.count)
		return false;
	if (info[field].of_files)
		return view_files_shown(view) && view_changing(view, node);
	if (info[field].grows)
		return view_growing(view, node);
	return info[field].live && view_set_changing(view, node);
}

const struct view_kind view_kind_info = {
	.render = info_render,
	.live = info_live,
};
