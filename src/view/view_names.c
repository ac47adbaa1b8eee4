/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names/hosts and names/ethers: all name resolution records of the capture, in
 * the forms of hosts(5) and ethers(5). Bytes that would break a line are
 * written %XX.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "view_option.h"
#include "view_private.h"

enum {
	NAMES_HOSTS,
	NAMES_ETHERS,
	NAMES_COUNT,
};

static const char *const files[NAMES_COUNT] = {"hosts", "ethers"};

/* NRB records, draft section 4.5. */
enum {
	RECORD_IPV4 = 1,
	RECORD_IPV6 = 2,
	RECORD_EUI48 = 3,
	RECORD_EUI64 = 4,
};

static bool belongs(const struct pktfs_name *name, uint64_t file)
{
	bool host = name->type == RECORD_IPV4 || name->type == RECORD_IPV6;

	return host == (file == NAMES_HOSTS);
}

static size_t address_size(uint16_t type)
{
	static const uint8_t sizes[] = {
		[RECORD_IPV4] = 4, [RECORD_IPV6] = 16, [RECORD_EUI48] = 6, [RECORD_EUI64] = 8};

	return type < ARRAY_SIZE(sizes) ? sizes[type] : 0;
}

static void add_address(struct text *text, const struct pktfs_name *name)
{
	char address[INET6_ADDRSTRLEN];

	if (name->type == RECORD_IPV4 || name->type == RECORD_IPV6) {
		inet_ntop(name->type == RECORD_IPV4 ? AF_INET : AF_INET6, name->address, address,
			  sizeof(address));
		text_string(text, address);
	} else {
		view_option_octets(text, name->address, address_size(name->type));
	}
	text_string(text, "\t");
}

/* A name as a word: all printable ASCII but the comment sign and '%' itself;
 * UTF-8 as it is. */
static void add_name(struct text *text, const struct pktfs_name *name)
{
	size_t i;

	for (i = 0; i < name->length; i++) {
		uint8_t c = (uint8_t)name->name[i];

		if (c <= ' ' || c == '#' || c == '%' || c == 0x7f)
			text_printf(text, "%%%02X", c);
		else
			text_append(text, &c, 1);
	}
}

/* A record may hold several names: they come one after the other and share
 * the address's place in the block. */
static bool same_record(const struct pktfs_name *name, const uint8_t *address)
{
	return name->address == address;
}

/* 0, or -EFBIG when no more fits. */
static int add_block(struct text *text, const struct pktfs_block *block, uint64_t file)
{
	const uint8_t *address = NULL;
	struct pktfs_name name;
	uint64_t position = 0;

	while (pktfs_block_next_name(block, &position, &name) == 1) {
		if (!belongs(&name, file) || !address_size(name.type) || !name.length)
			continue;
		if (text->size + name.length * 3 + 128 > TEXT_LIMIT) {
			if (address)
				text_string(text, "\n");
			return -EFBIG;
		}
		if (same_record(&name, address)) {
			text_string(text, " ");
		} else {
			if (address)
				text_string(text, "\n");
			add_address(text, &name);
		}
		add_name(text, &name);
		address = name.address;
	}
	if (address)
		text_string(text, "\n");
	return 0;
}

static int add_entry(struct view *view, struct text *text, uint64_t index, uint64_t file)
{
	struct pktfs_block block;
	int r = pktfs_block_get(view->capture, index, &block, NULL), released;

	if (r < 0)
		return r;
	r = add_block(text, &block, file);
	released = pktfs_block_release(&block);
	return released < 0 ? released : r;
}

static int names_render(struct view *view, uint64_t node, struct text *text)
{
	struct view_catalog_entry entry;
	uint64_t file = view_node_ordinal(node);
	unsigned i;
	int r = 0;

	if (file >= NAMES_COUNT)
		return -ENOENT;
	if (!view_catalog_done(view))
		return -EAGAIN;
	for (i = 0; !r && view_catalog_get(view, i, &entry); i++)
		if (entry.kind == CATALOG_NAMES)
			r = add_entry(view, text, entry.index, file);
	if (r == -EFBIG) {
		view_log_once(view, SAID_NAMES, "names/%s: cut at %zu bytes", files[file],
			      text->size);
		r = 0;
	}
	return !r && !text->size ? -ENOENT : r;
}

const struct view_kind view_kind_names = {
	.render = names_render,
	.live = view_growing,
};

static int names_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	unsigned i;

	(void)view;
	(void)node;
	for (i = 0; i < NAMES_COUNT; i++) {
		if (strcmp(files[i], name))
			continue;
		*ret_child = view_node(NODE_NAMES, i);
		return 0;
	}
	return -ENOENT;
}

static uint64_t names_count(struct view *view, uint64_t node)
{
	(void)node;
	return view_catalog_done(view) ? NAMES_COUNT : 0;
}

static int names_child(struct view *view, uint64_t node, uint64_t position, struct view_child *ret)
{
	struct view_entry entry;

	(void)node;
	snprintf(ret->name, sizeof(ret->name), "%s", files[position]);
	ret->node = view_node(NODE_NAMES, position);
	return view_getattr(view, ret->node, &entry) == -ENOENT ? -ENOENT : 0;
}

static bool names_changing(struct view *view, uint64_t node)
{
	return !view_catalog_done(view) || view_growing(view, node);
}

const struct view_kind view_kind_names_dir = {
	.directory = true,
	.find = names_find,
	.never = view_unknown,
	.count = names_count,
	.child = names_child,
	.changing = names_changing,
	.parent = view_parent_root,
};
