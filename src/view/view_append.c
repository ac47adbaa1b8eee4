/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directories of append/, and what is in them.
 *
 * Positions of append/ itself, far enough apart that none ever becomes another:
 *
 *	0 ..          interfaces, by number
 *	BLOCKS_AT     blocks/
 *	NAMED_AT ..   interfaces that were made, by their order
 *	FILES_AT ..   files, by their number less one
 *
 * The other directories have files alone. Names come and go, numbers of files
 * do not come again: so a listing goes on where it was, whatever was removed.
 */
#include "view_append.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BLOCKS_AT (UINT64_C(1) << 41)
#define NAMED_AT  (BLOCKS_AT + 1)
#define FILES_AT  (UINT64_C(1) << 42)

bool view_append_is(uint64_t node)
{
	unsigned kind = view_node_kind(node);

	return kind >= NODE_APPEND_DIR && kind <= NODE_APPEND_COMMITTED;
}

bool view_append_place(uint64_t node, struct append_place *ret)
{
	switch (view_node_kind(node)) {
	case NODE_APPEND_DIR:
		*ret = (struct append_place){.kind = APPEND_ONLY};
		return true;
	case NODE_APPEND_INTERFACE:
	case NODE_APPEND_NAMED:
		*ret = (struct append_place){APPEND_INTERFACE, view_node_ordinal(node)};
		return true;
	case NODE_APPEND_BLOCKS:
		*ret = (struct append_place){.kind = APPEND_BLOCKS};
		return true;
	default:
		return false;
	}
}

/* An interface that was made just now may not be indexed yet. */
static bool was_made(struct view *view, uint64_t interface)
{
	char name[VIEW_NAME_ROOM];
	uint64_t i, number;

	for (i = 0; append_named_at(view->append, i, &number, name) == 0; i++)
		if (number == interface)
			return true;
	return false;
}

int view_append_check(struct view *view, uint64_t directory)
{
	uint64_t number = view_node_ordinal(directory);
	struct pktfs_status status;

	if (!view->append)
		return -ENOENT;
	switch (view_node_kind(directory)) {
	case NODE_APPEND_DIR:
		return number ? -ENOENT : 0;
	case NODE_APPEND_BLOCKS:
		return number || !append_has_blocks(view->append) ? -ENOENT : 0;
	default:
		pktfs_status_get(view->capture, &status);
		if (number >= status.interfaces && was_made(view, number))
			return 0;
		return view_number_check(view, &status, number, status.interfaces);
	}
}

int view_append_directory(struct view *view, uint64_t parent, const char *name,
			  uint64_t *ret_child)
{
	struct pktfs_status status;
	uint64_t number;
	int r;

	if (view_node_kind(parent) != NODE_APPEND_DIR)
		return -ENOENT;
	if (!strcmp(name, "blocks") && append_has_blocks(view->append)) {
		*ret_child = view_node(NODE_APPEND_BLOCKS, 0);
		return 0;
	}
	if (append_named_interface(view->append, name, &number) == 0) {
		*ret_child = view_node(NODE_APPEND_NAMED, number);
		return 0;
	}
	if (!view_name_plain(name, &number))
		return -ENOENT;
	pktfs_status_get(view->capture, &status);
	r = view_number_check(view, &status, number, status.interfaces);
	if (r == 0)
		*ret_child = view_node(NODE_APPEND_INTERFACE, number);
	return r;
}

int view_append_node(struct view *view, uint64_t id, uint64_t *ret_node)
{
	struct append_status status;
	int r = append_status_get(view->append, id, &status);

	if (r == 0)
		*ret_node = view_node(
			status.committed ? NODE_APPEND_COMMITTED : NODE_APPEND_PENDING, id);
	return r;
}

static int append_find_name(struct view *view, uint64_t node, const char *name,
			    uint64_t *ret_child)
{
	struct append_place place;
	uint64_t id;
	int r = view_append_check(view, node);

	if (r < 0 || !view_append_place(node, &place))
		return r;
	r = view_append_directory(view, node, name, ret_child);
	if (r != -ENOENT)
		return r;
	r = append_find(view->append, &place, name, &id);
	return r < 0 ? r : view_append_node(view, id, ret_child);
}

/* Where the numbers of files begin. */
static uint64_t files_at(uint64_t node)
{
	return view_node_kind(node) == NODE_APPEND_DIR ? FILES_AT : 0;
}

/* The directories of append/: moves *position to the next, or to the files. */
static void next_directory(struct view *view, uint64_t *position)
{
	char name[VIEW_NAME_ROOM];
	struct pktfs_status status;
	uint64_t interface;

	pktfs_status_get(view->capture, &status);
	if (*position < BLOCKS_AT && *position >= status.interfaces)
		*position = BLOCKS_AT;
	if (*position == BLOCKS_AT && !append_has_blocks(view->append))
		*position = NAMED_AT;
	if (*position >= NAMED_AT && append_named_at(view->append, *position - NAMED_AT, &interface,
						     name) < 0)
		*position = FILES_AT;
}

static int append_next_position(struct view *view, uint64_t node, uint64_t *position)
{
	uint64_t start = files_at(node), id;
	struct append_place place;
	char name[VIEW_NAME_ROOM];
	int r;

	if (*position < start)
		next_directory(view, position);
	if (*position < start)
		return 0;
	if (!view_append_place(node, &place))
		return -ENOENT;
	r = append_next(view->append, &place, *position - start, &id, name);
	if (r == 0)
		*position = start + id - 1;
	return r;
}

static int directory_child(struct view *view, uint64_t position, struct view_child *ret)
{
	uint64_t interface;
	int r = 0;

	if (position < BLOCKS_AT) {
		snprintf(ret->name, sizeof(ret->name), "%" PRIu64, position);
		ret->node = view_node(NODE_APPEND_INTERFACE, position);
	} else if (position == BLOCKS_AT) {
		snprintf(ret->name, sizeof(ret->name), "blocks");
		ret->node = view_node(NODE_APPEND_BLOCKS, 0);
	} else {
		r = append_named_at(view->append, position - NAMED_AT, &interface, ret->name);
		ret->node = view_node(NODE_APPEND_NAMED, interface);
	}
	return r;
}

static int append_child(struct view *view, uint64_t node, uint64_t position,
			struct view_child *ret)
{
	uint64_t start = files_at(node), id;
	struct append_place place;
	int r;

	if (position < start)
		return directory_child(view, position, ret);
	if (!view_append_place(node, &place))
		return -ENOENT;
	r = append_next(view->append, &place, position - start, &id, ret->name);
	if (r < 0 || id != position - start + 1)
		return -ENOENT; /* removed meanwhile */
	return view_append_node(view, id, &ret->node);
}

static bool append_changing(struct view *view, uint64_t node)
{
	(void)view;
	(void)node;
	return true;
}

static uint64_t append_parent(struct view *view, uint64_t node)
{
	(void)view;
	return view_node_kind(node) == NODE_APPEND_DIR ? VIEW_ROOT : view_node(NODE_APPEND_DIR, 0);
}

#define APPEND_DIRECTORY                                                                           \
	{                                                                                          \
		.directory = true,                                                                 \
		.check = view_append_check,                                                        \
		.find = append_find_name,                                                          \
		.count = view_endless,                                                             \
		.next = append_next_position,                                                      \
		.child = append_child,                                                             \
		.changing = append_changing,                                                       \
		.parent = append_parent,                                                           \
	}

const struct view_kind view_kind_append_dir = APPEND_DIRECTORY;
const struct view_kind view_kind_append_interface = APPEND_DIRECTORY;
const struct view_kind view_kind_append_named = APPEND_DIRECTORY;
const struct view_kind view_kind_append_blocks = APPEND_DIRECTORY;
