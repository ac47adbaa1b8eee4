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

static bool find(const struct pktfs_packet *packet, struct payload *ret)
{
	return payload_find(packet->link_type, packet->data, packet->captured_length, ret);
}

static int payload_size(const struct pktfs_packet *packet, uint64_t *ret)
{
	struct payload payload;

	if (!find(packet, &payload))
		return -ENOENT;
	*ret = payload.size;
	return 0;
}

static size_t payload_copy(const struct pktfs_packet *packet, uint64_t offset, uint8_t *bytes,
			   size_t room)
{
	struct payload payload;
	size_t copied = 0, count;
	unsigned i;

	if (!find(packet, &payload))
		return 0;
	for (i = 0; i < payload.count && copied < room; i++) {
		const struct payload_piece *piece = &payload.pieces[i];

		if (offset >= piece->size) {
			offset -= piece->size;
			continue;
		}
		count = MIN(room - copied, piece->size - (size_t)offset);
		memcpy(bytes + copied, packet->data + piece->offset + offset, count);
		copied += count;
		offset = 0;
	}
	return copied;
}

static const struct view_form form = {payload_size, payload_copy};

static int payload_attributes(struct view *view, uint64_t node, struct view_attributes *ret)
{
	return view_form_attributes(view, node, &form, ret);
}

static int64_t payload_read(struct view *view, uint64_t node, uint64_t offset, void *bytes,
			    size_t size)
{
	return view_form_read(view, node, &form, offset, bytes, size);
}

const struct view_kind view_kind_payload = {
	.lasting = true,
	.attributes = payload_attributes,
	.read = payload_read,
	.form = &form,
};

static bool parse(const char *name, uint64_t *ret_number)
{
	const char *rest;

	return view_name_number(name, ret_number, &rest) && !*rest && *ret_number;
}

static bool payload_dir_never(struct view *view, uint64_t node, const char *name)
{
	uint64_t number;

	(void)view;
	(void)node;
	return !parse(name, &number);
}

static int payload_dir_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	struct set *set = view_set_of(view, node);
	uint64_t number;
	int r;

	if (!set || !parse(name, &number))
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
	.lasting = true,
	.find = payload_dir_find,
	.never = payload_dir_never,
	.count = view_endless,
	.next = payload_dir_next,
	.child = payload_dir_child,
	.changing = view_set_changing,
	.parent = view_parent_root,
};
