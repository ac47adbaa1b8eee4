/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * user.pktfs.*: what a packet's bytes and stat do not say, as extended
 * attributes. Everything outside "user." is -EOPNOTSUPP, after which ls no
 * longer asks for it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view_append.h"

#define PREFIX      "user.pktfs."
#define VALUE_LIMIT 4000u

static int get_number(const struct pktfs_packet *packet, struct text *text)
{
	text_printf(text, "%" PRIu64, packet->number);
	return 0;
}

static int get_frame(const struct pktfs_packet *packet, struct text *text)
{
	text_printf(text, "%" PRIu64, packet->frame);
	return 0;
}

static int get_interface(const struct pktfs_packet *packet, struct text *text)
{
	text_printf(text, "%" PRIu64, packet->interface);
	return 0;
}

static int get_link_type(const struct pktfs_packet *packet, struct text *text)
{
	char room[VIEW_LINK_TYPE_ROOM];

	text_string(text, view_link_type(packet->link_type, room));
	return 0;
}

static int get_original_length(const struct pktfs_packet *packet, struct text *text)
{
	text_printf(text, "%" PRIu32, packet->original_length);
	return 0;
}

static int get_time(const struct pktfs_packet *packet, struct text *text)
{
	char form[VIEW_TIME_WIDTH + 1];

	if (!packet->has_time)
		return -ENODATA;
	view_time_column(packet, form);
	text_append(text, form, strcspn(form, " "));
	return 0;
}

/* Cuts to what an attribute may hold, not inside a character. */
static void cut(struct text *text)
{
	size_t size = VALUE_LIMIT;

	if (text->size <= size)
		return;
	while (size && ((uint8_t)text->bytes[size] & 0xc0) == 0x80)
		size--;
	text->size = size;
	text->bytes[size] = '\0';
}

static int get_comment(const struct pktfs_packet *packet, struct text *text)
{
	_cleanup_(text_free) struct text all = {0};
	struct pktfs_options options = packet->options;
	struct pktfs_option option;
	bool any = false;

	while (all.size <= VALUE_LIMIT && pktfs_option_next(&options, &option) == 1) {
		if (option.code != 1)
			continue;
		if (any)
			text_string(&all, "\n");
		text_utf8(&all, option.value, option.length);
		any = true;
	}
	if (!any || all.failed)
		return any ? all.failed : -ENODATA;
	cut(&all);
	text_append(text, all.bytes, all.size);
	return 0;
}

/* As the option is in the file; in pcapng alone. */
static int get_flags(const struct pktfs_packet *packet, struct text *text)
{
	struct pktfs_option flags;

	if (pktfs_option_find(packet->options, 2, 0, &flags) != 1 || flags.length != 4)
		return -ENODATA;
	text_printf(text, "0x%08" PRIx32, pktfs_option_u32(&packet->options, &flags));
	return 0;
}

static const struct attribute {
	const char *name;
	int (*get)(const struct pktfs_packet *packet, struct text *text);
} attributes[] = {
	{"number", get_number},
	{"frame", get_frame},
	{"interface", get_interface},
	{"link_type", get_link_type},
	{"original_length", get_original_length},
	{"time", get_time},
	{"comment", get_comment},
	{"flags", get_flags},
};

struct request {
	int (*get)(const struct pktfs_packet *packet, struct text *text);
	struct text *text;
	size_t start; /* of the value in `text` */
};

/* It may be called a second time: what the first made goes. */
static int take_value(struct view *view, const struct pktfs_packet *packet, void *context)
{
	struct request *request = context;

	(void)view;
	request->text->size = request->start;
	return request->get(packet, request->text);
}

static int outside(int r, const struct text *text)
{
	if (!r)
		r = text->failed;
	switch (r) {
	case 0:
	case -ENOENT:
	case -ENODATA:
	case -EAGAIN:
	case -ENOMEM:
		return r;
	default:
		return -EIO;
	}
}

int view_getxattr(struct view *view, uint64_t node, const char *name, struct text *ret)
{
	struct request request = {.text = ret, .start = ret->size};
	unsigned i;

	if (strncmp(name, "user.", 5))
		return -EOPNOTSUPP;
	if (strncmp(name, PREFIX, strlen(PREFIX)))
		return -ENODATA;
	if (view_node_kind(node) == NODE_APPEND_PENDING)
		return outside(view_append_getxattr(view, node, name + strlen(PREFIX), ret), ret);
	if (view_node_kind(node) != NODE_PACKET)
		return -ENODATA;
	for (i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (strcmp(attributes[i].name, name + strlen(PREFIX)))
			continue;
		request.get = attributes[i].get;
		return outside(
			view_packet_with(view, view_node_ordinal(node), take_value, &request), ret);
	}
	return -ENODATA;
}

/* Whether the packet has it, without making it. */
static bool has(const struct pktfs_packet *packet, const struct attribute *attribute)
{
	struct pktfs_option option;

	if (attribute->get == get_time)
		return packet->has_time;
	if (attribute->get == get_comment)
		return pktfs_option_find(packet->options, 1, 0, &option) == 1;
	if (attribute->get == get_flags)
		return pktfs_option_find(packet->options, 2, 0, &option) == 1 && option.length == 4;
	return true;
}

static int get_names(const struct pktfs_packet *packet, struct text *text)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (!has(packet, &attributes[i]))
			continue;
		text_string(text, PREFIX);
		text_append(text, attributes[i].name, strlen(attributes[i].name) + 1);
	}
	return 0;
}

int view_listxattr(struct view *view, uint64_t node, struct text *ret)
{
	struct request request = {.get = get_names, .text = ret, .start = ret->size};

	if (view_node_kind(node) == NODE_APPEND_PENDING)
		return outside(view_append_listxattr(view, node, PREFIX, ret), ret);
	if (view_node_kind(node) != NODE_PACKET)
		return 0;
	return outside(view_packet_with(view, view_node_ordinal(node), take_value, &request), ret);
}

int view_setxattr(struct view *view, uint64_t node, const char *name, const void *value,
		  size_t size)
{
	bool pending = view_node_kind(node) == NODE_APPEND_PENDING;

	if (strncmp(name, "user.", 5) && (pending || view_append_has_packet(view, node)))
		return -EOPNOTSUPP;
	if (!pending)
		return -EROFS;
	if (strncmp(name, PREFIX, strlen(PREFIX)))
		return value ? -EOPNOTSUPP : -ENODATA;
	return view_append_setxattr(view, node, name + strlen(PREFIX), value, size);
}
