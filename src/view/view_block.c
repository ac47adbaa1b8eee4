/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocks/: each block that is not a packet, raw, in file order. Its name is
 * its block number and its type: 000000001.shb, 000000007.80000001.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view_private.h"

static void type_name(uint32_t type, char suffix[16])
{
	const char *name = pktfs_block_type_name(type);

	if (name)
		snprintf(suffix, 16, "%s", name);
	else
		snprintf(suffix, 16, "%08" PRIx32, type);
}

/* What is wanted of a block outlives its loan. Tried twice, as packets are. */
static int block_facts(struct view *view, uint64_t index, struct pktfs_block *ret)
{
	int tries, r = 0;

	for (tries = 0; tries < 2; tries++) {
		r = pktfs_block_get(view->capture, index, ret, NULL);
		if (r < 0)
			return r;
		r = pktfs_block_release(ret);
		if (!r)
			break;
	}
	return r;
}

/* 0, or -ENOENT and -EAGAIN as view_number_check. */
static int find_number(struct view *view, uint64_t number, uint64_t *ret_index)
{
	struct pktfs_status status;
	int r;

	if (!number)
		return -ENOENT;
	pktfs_status_get(view->capture, &status); /* before: it only grows */
	r = pktfs_block_find(view->capture, number, ret_index);
	if (r != -ENOENT)
		return r;
	r = view_number_check(view, &status, number, status.blocks + 1);
	return r ? r : -ENOENT; /* a packet */
}

static int blocks_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	struct pktfs_block block;
	uint64_t number, index;
	const char *suffix;
	char type[16];
	int r;

	(void)node;
	if (!view_name_number(name, &number, &suffix))
		return -ENOENT;
	r = find_number(view, number, &index);
	if (r < 0)
		return r;
	*ret_child = view_node(NODE_BLOCK, index);
	if (!*suffix)
		return 0;
	r = block_facts(view, index, &block);
	if (r < 0)
		return r;
	type_name(block.type, type);
	return strcmp(suffix + 1, type) ? -ENOENT : 0;
}

static bool blocks_never(struct view *view, uint64_t node, const char *name)
{
	const char *suffix;
	uint64_t number;

	(void)view;
	(void)node;
	return !view_name_number(name, &number, &suffix);
}

static uint64_t blocks_count(struct view *view, uint64_t node)
{
	struct pktfs_status status;

	(void)node;
	pktfs_status_get(view->capture, &status);
	return status.metadata;
}

int view_block_name(struct view *view, uint64_t index, char name[VIEW_NAME_ROOM])
{
	struct pktfs_block block;
	char type[16];
	int r = block_facts(view, index, &block);

	if (r < 0)
		return r;
	type_name(block.type, type);
	snprintf(name, VIEW_NAME_ROOM, "%09" PRIu64 ".%s", block.number, type);
	return 0;
}

static int blocks_child(struct view *view, uint64_t node, uint64_t position, struct view_child *ret)
{
	int r = view_block_name(view, position, ret->name);

	(void)node;
	if (r < 0 && r != -ENOENT)
		view_log_once(view, SAID_BLOCK,
			      "blocks/: some are not listed: the file no longer holds them");
	ret->node = view_node(NODE_BLOCK, position);
	return r;
}

const struct view_kind view_kind_blocks_dir = {
	.directory = true,
	.find = blocks_find,
	.never = blocks_never,
	.count = blocks_count,
	.child = blocks_child,
	.changing = view_changing,
	.parent = view_parent_root,
};

static int block_attributes(struct view *view, uint64_t node, struct view_attributes *ret)
{
	struct pktfs_block block;
	int r = block_facts(view, view_node_ordinal(node), &block);

	if (r < 0)
		return r;
	ret->size = block.length;
	ret->time = view->file_time;
	ret->live = false;
	return 0;
}

static int64_t block_read(struct view *view, uint64_t node, uint64_t offset, void *bytes,
			  size_t size)
{
	struct pktfs_block block;
	int64_t count;
	int r = block_facts(view, view_node_ordinal(node), &block);

	if (r < 0)
		return r;
	if (offset >= block.length)
		return 0;
	size = MIN(size, block.length - offset);
	count = pktfs_read(view->capture, block.offset + offset, bytes, size);
	return count >= 0 && (size_t)count < size ? -EIO : count;
}

const struct view_kind view_kind_block = {
	.attributes = block_attributes,
	.read = block_read,
};
