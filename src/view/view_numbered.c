/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sections/ and interfaces/: directories of things that are numbered from 0.
 */
#include <inttypes.h>
#include <stdio.h>

#include "view_private.h"

static bool of_sections(uint64_t node)
{
	unsigned kind = view_node_kind(node);

	return kind == NODE_SECTIONS_DIR || kind == NODE_SECTION_DIR;
}

static enum view_node_kind entry_kind(uint64_t node)
{
	return of_sections(node) ? NODE_SECTION_DIR : NODE_INTERFACE_DIR;
}

static uint64_t count_of(const struct pktfs_status *status, uint64_t node)
{
	return of_sections(node) ? status->sections : status->interfaces;
}

int view_numbered_check(struct view *view, uint64_t node)
{
	struct pktfs_status status;

	pktfs_status_get(view->capture, &status);
	return view_number_check(view, &status, view_node_ordinal(node), count_of(&status, node));
}

uint64_t view_numbered_parent(struct view *view, uint64_t node)
{
	(void)view;
	return view_node(of_sections(node) ? NODE_SECTIONS_DIR : NODE_INTERFACES_DIR, 0);
}

static int numbered_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	uint64_t number;

	(void)view;
	if (!view_name_plain(name, &number))
		return -ENOENT;
	*ret_child = view_node(entry_kind(node), number);
	return 0;
}

static uint64_t numbered_count(struct view *view, uint64_t node)
{
	struct pktfs_status status;

	pktfs_status_get(view->capture, &status);
	return count_of(&status, node);
}

static int numbered_child(struct view *view, uint64_t node, uint64_t position,
			  struct view_child *ret)
{
	(void)view;
	snprintf(ret->name, sizeof(ret->name), "%" PRIu64, position);
	ret->node = view_node(entry_kind(node), position);
	return 0;
}

#define NUMBERED                                                                                   \
	{                                                                                          \
		.directory = true,                                                                 \
		.find = numbered_find,                                                             \
		.never = view_unknown,                                                             \
		.count = numbered_count,                                                           \
		.child = numbered_child,                                                           \
		.changing = view_changing,                                                         \
		.parent = view_parent_root,                                                        \
	}

const struct view_kind view_kind_sections_dir = NUMBERED;
const struct view_kind view_kind_interfaces_dir = NUMBERED;
