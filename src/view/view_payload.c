/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * payload/: the packets that have some, without their headers: the bytes that
 * the application sent, named and timed as the packet. One file a packet,
 * whatever the set: N here is the same inode in each.
 */
#include "set/set_payload.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view_set.h"

static int payload_of(const struct pktfs_packet *packet, struct payload *ret)
{
	return payload_find(packet->link_type, packet->data, packet->captured_length, ret)
		       ? 0
		       : -ENOENT;
}

static int take_attributes(struct view *view, const struct pktfs_packet *packet, void *context)
{
	struct view_attributes *attributes = context;
	struct payload payload;
	int r = payload_of(packet, &payload);

	(void)view;
	if (r < 0)
		return r;
	attributes->size = payload.size;
	attributes->time = packet->time;
	attributes->live = false;
	return 0;
}

static int payload_attributes(struct view *view, uint64_t node, struct view_attributes *ret)
{
	return view_packet_with(view, view_node_ordinal(node), take_attributes, ret);
}

struct copy {
	uint64_t offset;
	uint8_t *bytes;
	size_t size, copied;
};

static int take_bytes(struct view *view, const struct pktfs_packet *packet, void *context)
{
	struct copy *copy = context;
	uint64_t skip = copy->offset;
	struct payload payload;
	unsigned i;
	int r = payload_of(packet, &payload);

	(void)view;
	copy->copied = 0;
	for (i = 0; r == 0 && i < payload.count && copy->copied < copy->size; i++) {
		const struct payload_piece *piece = &payload.pieces[i];
		size_t size;

		if (skip >= piece->size) {
			skip -= piece->size;
			continue;
		}
		size = MIN(copy->size - copy->copied, piece->size - (size_t)skip);
		memcpy(copy->bytes + copy->copied, packet->data + piece->offset + skip, size);
		copy->copied += size;
		skip = 0;
	}
	return r;
}

static int64_t payload_read(struct view *view, uint64_t node, uint64_t offset, void *bytes,
			    size_t size)
{
	struct copy copy = {.offset = offset, .bytes = bytes, .size = size};
	int r = view_packet_with(view, view_node_ordinal(node), take_bytes, &copy);

	return r < 0 ? r : (int64_t)copy.copied;
}

const struct view_kind view_kind_payload = {
	.attributes = payload_attributes,
	.read = payload_read,
};

static int payload_dir_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	struct set *set = view_set_of(view, node);
	const char *rest;
	uint64_t number;
	int r;

	if (!set || !view_name_number(name, &number, &rest) || *rest || !number)
		return -ENOENT;
	r = set_contains(set, number);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret_child = view_node(NODE_PAYLOAD, number);
	return 0;
}

static int payload_dir_next(struct view *view, uint64_t node, uint64_t *position)
{
	struct set *set = view_set_of(view, node), *payload;
	int r = set ? view_set_payload(view, set, &payload) : -ENOENT;

	if (r == 0)
		r = view_set_next(payload, position);
	if (r == -EAGAIN && view_still_fed(view))
		return -ENOENT;
	return r;
}

static int payload_dir_child(struct view *view, uint64_t node, uint64_t position,
			     struct view_child *ret)
{
	(void)view;
	(void)node;
	snprintf(ret->name, sizeof(ret->name), "%09" PRIu64, position + 1);
	ret->node = view_node(NODE_PAYLOAD, position + 1);
	return 0;
}

const struct view_kind view_kind_payload_dir = {
	.directory = true,
	.find = payload_dir_find,
	.count = view_endless,
	.next = payload_dir_next,
	.child = payload_dir_child,
	.changing = view_set_changing,
	.parent = view_parent_root,
};
