/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which metadata blocks hold names and secrets: one pass over all of them, in
 * steps, made when names/ or secrets/ are first asked for. Nobody waits for
 * it: those directories fill once it is done. Where the capture grows it goes on
 * with what has come whenever they are asked for again.
 */
#include <inttypes.h>

#include "view_private.h"

/* Blocks looked at in one call: some milliseconds. */
#define CATALOG_STEP 16384u

enum {
	TYPE_NRB = 4,
	TYPE_DSB = 10,
};

void view_catalog_free(struct view_catalog *catalog)
{
	free(catalog->entries);
	catalog->entries = NULL;
}

static void add_type(struct view *view, uint32_t type)
{
	struct view_catalog *catalog = &view->catalog;
	unsigned i, count = atomic_load(&catalog->type_count);

	for (i = 0; i < count; i++)
		if (catalog->types[i] == type)
			return;
	if (count == VIEW_SECRET_TYPES_MAX) {
		view_log_once(view, SAID_CATALOG,
			      "secrets/: more than %u types: the others are only in blocks/",
			      VIEW_SECRET_TYPES_MAX);
		return;
	}
	catalog->types[count] = type;
	atomic_store(&catalog->type_count, count + 1);
}

static int add_entry(struct view *view, const struct view_catalog_entry *entry)
{
	struct view_catalog *catalog = &view->catalog;

	if (catalog->count == VIEW_CATALOG_MAX) {
		view_log_once(view, SAID_CATALOG,
			      "names/, secrets/: more than %u blocks: the others are only in "
			      "blocks/",
			      VIEW_CATALOG_MAX);
		return 0;
	}
	if (catalog->count == catalog->room) {
		unsigned room = catalog->room ? catalog->room * 2 : 16;
		void *entries = realloc(catalog->entries, room * sizeof(*entry));

		if (!entries)
			return -ENOMEM;
		catalog->entries = entries;
		catalog->room = room;
	}
	catalog->entries[catalog->count++] = *entry;
	if (entry->kind == CATALOG_SECRET)
		add_type(view, entry->type);
	return 0;
}

/* 1 and the entry, 0 when the block is of no interest. */
static int examine(const struct pktfs_block *block, struct view_catalog_entry *ret)
{
	struct pktfs_secret secret;

	if (!block->usable || (block->type != TYPE_NRB && block->type != TYPE_DSB))
		return 0;
	ret->kind = CATALOG_NAMES;
	ret->type = 0;
	if (block->type == TYPE_NRB)
		return 1;
	if (pktfs_block_secret(block, &secret) != 1)
		return 0;
	ret->kind = CATALOG_SECRET;
	ret->type = secret.type;
	return 1;
}

/* What cannot be read (a file that was cut) is left out. */
static int look_at(struct view *view, uint64_t index)
{
	struct view_catalog_entry entry = {.index = index};
	struct pktfs_block block;
	int r = pktfs_block_get(view->capture, index, &block, NULL);
	int wanted;

	if (r == -EAGAIN || r == -ENOMEM)
		return r;
	if (r < 0)
		return 0;
	wanted = examine(&block, &entry);
	r = pktfs_block_release(&block);
	return r < 0 || !wanted ? 0 : add_entry(view, &entry);
}

bool view_catalog_done(struct view *view)
{
	struct view_catalog *catalog = &view->catalog;
	struct pktfs_status status;
	unsigned steps;

	if (atomic_load(&catalog->done))
		return true;
	pktfs_status_get(view->capture, &status);
	UTIL_LOCK_SCOPE(&catalog->lock);
	for (steps = 0; steps < CATALOG_STEP && catalog->next < status.metadata; steps++) {
		if (look_at(view, catalog->next) < 0)
			return false;
		catalog->next++;
	}
	if (view_status_pending(&status) || catalog->next < status.metadata)
		return false;
	atomic_store(&catalog->done, !status.growing);
	return true;
}

bool view_catalog_get(struct view *view, unsigned number, struct view_catalog_entry *ret)
{
	struct view_catalog *catalog = &view->catalog;

	UTIL_LOCK_SCOPE(&catalog->lock);
	if (number >= catalog->count)
		return false;
	*ret = catalog->entries[number];
	return true;
}
