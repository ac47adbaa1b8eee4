/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * secrets/: the bodies of all Decryption Secrets Blocks of one type (draft
 * section 4.7), one after the other.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view_private.h"

static const struct secret_type {
	uint32_t type;
	const char *name;
	bool text; /* lines: each block ends with a newline */
} types[] = {
	{0x544c534b, "tls.keylog", true},       {0x5353484b, "ssh.keylog", true},
	{0x57474b4c, "wireguard.keylog", true}, {0x5a4e574b, "zigbee_nwk.key", false},
	{0x5a415053, "zigbee_aps.key", false},  {0x55414b4c, "opcua.keylog", true},
	{0x45535053, "esp_sa.keys", true},
};

#define SECRET_NAME_ROOM 24

static const struct secret_type *find_type(uint32_t type)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

static void type_name(uint32_t type, char name[SECRET_NAME_ROOM])
{
	const struct secret_type *known = find_type(type);

	if (known)
		snprintf(name, SECRET_NAME_ROOM, "%s", known->name);
	else
		snprintf(name, SECRET_NAME_ROOM, "type_%08" PRIx32 ".bin", type);
}

/* 0, or -EFBIG: cut, at a whole line where there are lines, or before the
 * secret. */
static int add_secret(struct text *text, const struct pktfs_secret *secret, bool lines)
{
	size_t length = secret->length, room;
	int r = 0;

	if (text->size >= TEXT_LIMIT - 1)
		return -EFBIG;
	room = TEXT_LIMIT - 1 - text->size;
	if (length > room) {
		const uint8_t *end = lines ? memrchr(secret->bytes, '\n', room) : NULL;

		length = end ? (size_t)(end - secret->bytes) + 1 : 0;
		r = -EFBIG;
	}
	text_append(text, secret->bytes, length);
	if (lines && length && text->size && text->bytes[text->size - 1] != '\n')
		text_string(text, "\n");
	return r;
}

static int add_entry(struct view *view, struct text *text, uint64_t index, bool lines)
{
	struct pktfs_secret secret;
	struct pktfs_block block;
	int r = pktfs_block_get(view->capture, index, &block, NULL), released;

	if (r < 0)
		return r;
	if (pktfs_block_secret(&block, &secret) == 1)
		r = add_secret(text, &secret, lines);
	released = pktfs_block_release(&block);
	return released < 0 ? released : r;
}

static int secret_render(struct view *view, uint64_t node, struct text *text)
{
	struct view_catalog_entry entry;
	uint32_t type = (uint32_t)view_node_ordinal(node);
	const struct secret_type *known = find_type(type);
	char name[SECRET_NAME_ROOM];
	unsigned i;
	bool any = false;
	int r = 0;

	if (!view_catalog_done(view))
		return -EAGAIN;
	for (i = 0; !r && view_catalog_get(view, i, &entry); i++) {
		if (entry.kind != CATALOG_SECRET || entry.type != type)
			continue;
		any = true;
		r = add_entry(view, text, entry.index, known && known->text);
	}
	if (r == -EFBIG) {
		type_name(type, name);
		view_log_once(view, SAID_SECRETS, "secrets/%s: cut at %zu bytes", name, text->size);
		r = 0;
	}
	return any ? r : -ENOENT;
}

const struct view_kind view_kind_secret = {
	.render = secret_render,
	.live = view_growing,
};

static int secrets_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	char known[SECRET_NAME_ROOM];
	unsigned i, type, count;

	(void)node;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].name, name))
			continue;
		*ret_child = view_node(NODE_SECRET, types[i].type);
		return 0;
	}
	if (sscanf(name, "type_%8x.bin", &type) != 1)
		return -ENOENT;
	type_name(type, known);
	if (strcmp(known, name))
		return -ENOENT;
	if (!view_catalog_done(view))
		return -EAGAIN;
	count = atomic_load(&view->catalog.type_count);
	for (i = 0; i < count; i++) {
		if (view->catalog.types[i] != type)
			continue;
		*ret_child = view_node(NODE_SECRET, type);
		return 0;
	}
	return -ENOENT;
}

static uint64_t secrets_count(struct view *view, uint64_t node)
{
	(void)node;
	return view_catalog_done(view) ? atomic_load(&view->catalog.type_count) : 0;
}

static int secrets_child(struct view *view, uint64_t node, uint64_t position,
			 struct view_child *ret)
{
	uint32_t type = view->catalog.types[position];

	(void)node;
	type_name(type, ret->name);
	ret->node = view_node(NODE_SECRET, type);
	return 0;
}

static bool secrets_changing(struct view *view, uint64_t node)
{
	return !view_catalog_done(view) || view_growing(view, node);
}

const struct view_kind view_kind_secrets_dir = {
	.directory = true,
	.find = secrets_find,
	.count = secrets_count,
	.child = secrets_child,
	.changing = secrets_changing,
	.parent = view_parent_root,
};
