/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packets/: one file a packet, listed in capture order; and beside each, by
 * name only, N.json, N.hex and N.pcapng.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "set/set_export.h"
#include "view_set.h"

int view_packet_with(struct view *view, uint64_t number, view_packet_use use, void *context)
{
	struct pktfs_packet packet;
	int tries, r = 0, released;

	for (tries = 0; tries < 2; tries++) {
		r = pktfs_packet_try(view->capture, number, &packet, NULL);
		if (r < 0)
			return r;
		r = use(view, &packet, context);
		released = pktfs_packet_release(&packet);
		if (!released)
			return r;
		r = released;
	}
	return r;
}

struct measuring {
	const struct view_form *form;
	struct view_attributes *attributes;
};

static int take_attributes(struct view *view, const struct pktfs_packet *packet, void *context)
{
	const struct measuring *measuring = context;

	(void)view;
	measuring->attributes->time = packet->time;
	measuring->attributes->live = false;
	return measuring->form->size(packet, &measuring->attributes->size);
}

int view_form_attributes(struct view *view, uint64_t node, const struct view_form *form,
			 struct view_attributes *ret)
{
	struct measuring measuring = {form, ret};

	return view_packet_with(view, view_node_ordinal(node), take_attributes, &measuring);
}

struct copying {
	const struct view_form *form;
	uint64_t offset;
	uint8_t *bytes;
	size_t room, copied;
};

static int take_bytes(struct view *view, const struct pktfs_packet *packet, void *context)
{
	struct copying *copying = context;
	uint64_t size;
	int r = copying->form->size(packet, &size);

	(void)view;
	copying->copied = 0;
	if (r == 0 && copying->offset < size)
		copying->copied = copying->form->copy(packet, copying->offset, copying->bytes,
						      copying->room);
	return r;
}

int64_t view_form_read(struct view *view, uint64_t node, const struct view_form *form,
		       uint64_t offset, void *bytes, size_t size)
{
	struct copying copying = {form, offset, bytes, size, 0};
	int r = view_packet_with(view, view_node_ordinal(node), take_bytes, &copying);

	return r < 0 ? r : (int64_t)copying.copied;
}

static int raw_size(const struct pktfs_packet *packet, uint64_t *ret)
{
	*ret = packet->captured_length;
	return 0;
}

static size_t raw_copy(const struct pktfs_packet *packet, uint64_t offset, uint8_t *bytes,
		       size_t room)
{
	size_t count = MIN(room, packet->captured_length - (size_t)offset);

	memcpy(bytes, packet->data + offset, count);
	return count;
}

static const struct view_form raw = {raw_size, raw_copy};

static int packet_attributes(struct view *view, uint64_t node, struct view_attributes *ret)
{
	return view_form_attributes(view, node, &raw, ret);
}

int view_packet_time(struct view *view, uint64_t node, struct pktfs_time *ret)
{
	struct view_attributes attributes;
	int r = packet_attributes(view, node, &attributes);

	if (!r)
		*ret = attributes.time;
	return r;
}

static int64_t packet_read(struct view *view, uint64_t node, uint64_t offset, void *bytes,
			   size_t size)
{
	return view_form_read(view, node, &raw, offset, bytes, size);
}

const struct view_kind view_kind_packet = {
	.lasting = true,
	.attributes = packet_attributes,
	.read = packet_read,
	.form = &raw,
};

static int take_json(struct view *view, const struct pktfs_packet *packet, void *context)
{
	struct text *text = context;

	text_free(text); /* of the first try */
	return view_json_packet(view, packet, text);
}

static int json_render(struct view *view, uint64_t node, struct text *text)
{
	return view_packet_with(view, view_node_ordinal(node), take_json, text);
}

const struct view_kind view_kind_packet_json = {
	.render = json_render,
	.time = view_packet_time,
};

/* More than the block of the packet: headers of the file and their options. */
#define PCAPNG_SLACK ((size_t)1 << 20)

static int take_limit(struct view *view, const struct pktfs_packet *packet, void *context)
{
	struct text *text = context;

	(void)view;
	text->limit = MAX(TEXT_LIMIT, (size_t)packet->block_length + PCAPNG_SLACK);
	return 0;
}

static int pcapng_render(struct view *view, uint64_t node, struct text *text)
{
	uint64_t number = view_node_ordinal(node);
	int r = view_packet_with(view, number, take_limit, text);

	return r < 0 ? r : export_single(view->capture, number, text, NULL);
}

const struct view_kind view_kind_packet_pcapng = {
	.render = pcapng_render,
	.time = view_packet_time,
};

/* 42, 000000042, 42.json: a name that a packet may have. */
static bool parse(const char *name, uint64_t *ret_number, enum view_node_kind *ret_kind)
{
	static const struct {
		const char *suffix;
		enum view_node_kind kind;
	} forms[] = {
		{"", NODE_PACKET},
		{".json", NODE_PACKET_JSON},
		{".hex", NODE_PACKET_HEX},
		{".pcapng", NODE_PACKET_PCAPNG},
	};
	const char *suffix;
	unsigned i;

	if (!view_name_number(name, ret_number, &suffix) || !*ret_number)
		return false;
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		if (strcmp(forms[i].suffix, suffix))
			continue;
		*ret_kind = forms[i].kind;
		return true;
	}
	return false;
}

static int packets_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	struct set *set = view_set_of(view, node);
	enum view_node_kind kind;
	uint64_t number;
	int r;

	if (!set || !parse(name, &number, &kind))
		return -ENOENT;
	r = set_contains(set, number);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret_child = view_node(kind, number);
	return 0;
}

static bool packets_never(struct view *view, uint64_t node, const char *name)
{
	enum view_node_kind kind;
	uint64_t number;

	(void)view;
	(void)node;
	return !parse(name, &number, &kind);
}

static int packets_next(struct view *view, uint64_t node, uint64_t *position)
{
	struct set *set = view_set_of(view, node);
	int r = set ? view_set_next(set, position) : -ENOENT;

	/* The listing of all packets ends where the index is: ls never waits
	 * for it. That of a question waits for its answer, unless that may
	 * never be complete. */
	if (r == -EAGAIN && (set_kind(set) == SET_ALL || view_still_fed(view)))
		return -ENOENT;
	return r;
}

static int packets_child(struct view *view, uint64_t node, uint64_t position,
			 struct view_child *ret)
{
	(void)view;
	(void)node;
	snprintf(ret->name, sizeof(ret->name), "%09" PRIu64, position + 1);
	ret->node = view_node(NODE_PACKET, position + 1);
	return 0;
}

const struct view_kind view_kind_packets_dir = {
	.directory = true,
	.lasting = true,
	.find = packets_find,
	.never = packets_never,
	.count = view_endless,
	.next = packets_next,
	.child = packets_child,
	.changing = view_set_changing,
	.parent = view_parent_root,
};
