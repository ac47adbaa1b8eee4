/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root directory, and that of every set, which has those of its entries
 * that make sense for a set. The set of a day or an hour has its hours or
 * minutes, too.
 */
#include <stdio.h>
#include <string.h>

#include "util/util_number.h"
#include "view_file.h"
#include "view_set.h"

static const struct root_entry {
	const char *name;
	enum view_node_kind kind;
	bool in_sets;
	bool appends; /* only where there is append/ */
	bool several; /* only where there are several files */
} entries[] = {
	{"README.txt", NODE_README, .in_sets = false},
	{"info", NODE_INFO_DIR, .in_sets = true},
	{"packets", NODE_PACKETS_DIR, .in_sets = true},
	{"sections", NODE_SECTIONS_DIR, .in_sets = false},
	{"interfaces", NODE_INTERFACES_DIR, .in_sets = false},
	{"blocks", NODE_BLOCKS_DIR, .in_sets = false},
	{"names", NODE_NAMES_DIR, .in_sets = false},
	{"secrets", NODE_SECRETS_DIR, .in_sets = false},
	{"packets.tsv", NODE_TSV, .in_sets = true},
	{"payload", NODE_PAYLOAD_DIR, .in_sets = true},
	{"by", NODE_BY, .in_sets = true},
	{"append", NODE_APPEND_DIR, .appends = true},
	{"files", NODE_FILES_DIR, .several = true},
};

/* Positions of a listing: entries, capture files, hours or minutes. */
#define CAPTURES ARRAY_SIZE(entries)
#define PARTS	 (CAPTURES + VIEW_CAPTURE_POSITIONS)

static uint64_t entry_node(uint64_t root, const struct root_entry *entry)
{
	return view_node_in_set(entry->kind, root, 0);
}

static bool shown(struct view *view, uint64_t root, const struct root_entry *entry)
{
	if ((entry->appends && !view->append) || (entry->several && !view_files_shown(view)))
		return false;
	return entry->in_sets || !view_node_set(root);
}

static int root_check(struct view *view, uint64_t node)
{
	return view_node_set_ordinal(node) == VIEW_ROOT && view_set_of(view, node) ? 0 : -ENOENT;
}

static int root_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	struct set *set = view_set_of(view, node);
	unsigned i;
	int r;

	if (!set)
		return -ENOENT;
	r = view_time_find(view, set, name, ret_child);
	if (r != -ENOENT)
		return r;
	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		if (strcmp(entries[i].name, name) || !shown(view, node, &entries[i]))
			continue;
		*ret_child = entry_node(node, &entries[i]);
		return 0;
	}
	return view_capture_find(view, node, name, ret_child);
}

/* Programs ask for .git, .hidden, autorun.inf, ... in each directory. */
static bool root_never(struct view *view, uint64_t node, const char *name)
{
	uint64_t number;
	unsigned i;

	(void)view;
	(void)node;
	for (i = 0; i < ARRAY_SIZE(entries); i++)
		if (!strcmp(entries[i].name, name))
			return false;
	return strncmp(name, "capture.", 8) != 0 && !number_parse(name, &number);
}

static uint64_t root_count(struct view *view, uint64_t node)
{
	struct set *set = view_set_of(view, node);

	return set ? PARTS + view_time_parts(set) : 0;
}

static int root_next(struct view *view, uint64_t node, uint64_t *position)
{
	struct set *set = view_set_of(view, node);
	uint64_t part;
	int r;

	if (*position < PARTS || !set)
		return 0;
	part = *position - PARTS;
	r = view_time_next(set, &part);
	*position = part + PARTS;
	return r;
}

static int root_child(struct view *view, uint64_t node, uint64_t position, struct view_child *ret)
{
	struct view_attributes attributes;
	const struct root_entry *entry;

	if (position >= PARTS) {
		snprintf(ret->name, sizeof(ret->name), "%02u", (unsigned)(position - PARTS));
		return root_find(view, node, ret->name, &ret->node);
	}
	if (position >= CAPTURES)
		return view_capture_child(view, node, position - CAPTURES, ret);
	entry = &entries[position];
	/* by/ can be entered in every set, but a listing that had it had no end */
	if (!shown(view, node, entry) || (entry->kind == NODE_BY && view_node_set(node)))
		return -ENOENT;
	ret->node = entry_node(node, entry);
	snprintf(ret->name, sizeof(ret->name), "%s", entry->name);
	/* hidden while its size is not known */
	return entry->kind == NODE_TSV ? view_kind_tsv.attributes(view, ret->node, &attributes) : 0;
}

/* capture.* appear when their size is known. */
static bool root_changing(struct view *view, uint64_t node)
{
	struct pktfs_status status;

	pktfs_status_get(view->capture, &status);
	return view_status_changing(&status) || !status.decoded_final ||
	       view_set_changing(view, node);
}

static uint64_t root_parent(struct view *view, uint64_t node)
{
	struct set *set = view_set_of(view, node);

	return set && set_parent(set) ? view_set_directory(view, set) : VIEW_ROOT;
}

const struct view_kind view_kind_root = {
	.directory = true,
	.check = root_check,
	.find = root_find,
	.never = root_never,
	.count = root_count,
	.next = root_next,
	.child = root_child,
	.changing = root_changing,
	.parent = root_parent,
};
