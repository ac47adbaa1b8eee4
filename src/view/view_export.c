/* SPDX-License-Identifier: BSD-2-Clause */
#include "view_export.h"

/* Each holds at most some MiB of sums: see set_sums.h. */
#define EXPORTS_OPEN 16u

struct slot {
	uint64_t node; /* 0: free */
	struct export *export;
	bool outgrown; /* no longer what the file is; what follows goes on from it */
	unsigned readers;
	uint64_t used;
};

struct view_export_cache {
	pthread_mutex_t lock; /* of everything */
	struct slot slots[EXPORTS_OPEN];
	uint64_t clock;
};

struct view_export_cache *view_export_cache_new(void)
{
	struct view_export_cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void view_export_cache_free(struct view_export_cache *cache)
{
	unsigned i;

	if (!cache)
		return;
	for (i = 0; i < EXPORTS_OPEN; i++)
		export_close(cache->slots[i].export);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* Under the lock: the slot of `node`, now with one reader more; NULL. */
static struct slot *hold(struct view_export_cache *cache, uint64_t node, bool outgrown)
{
	unsigned i;

	for (i = 0; i < EXPORTS_OPEN; i++) {
		struct slot *slot = &cache->slots[i];

		if (slot->node != node || slot->outgrown != outgrown)
			continue;
		slot->readers++;
		slot->used = ++cache->clock;
		return slot;
	}
	return NULL;
}

/* Under the lock: the slot that nobody reads and that was used longest ago. */
static struct slot *oldest(struct view_export_cache *cache)
{
	struct slot *oldest = NULL;
	unsigned i;

	for (i = 0; i < EXPORTS_OPEN; i++)
		if (!cache->slots[i].readers &&
		    (!oldest || cache->slots[i].used < oldest->used))
			oldest = &cache->slots[i];
	return oldest;
}

/* Puts an export into the cache; with all slots being read, -EAGAIN. */
static int keep(struct view_export_cache *cache, uint64_t node, struct export *export,
		struct slot **ret)
{
	struct export *old = export;

	pthread_mutex_lock(&cache->lock);
	*ret = hold(cache, node, false);
	if (!*ret && (*ret = oldest(cache))) {
		old = (*ret)->export;
		**ret = (struct slot){node, export, false, 1, ++cache->clock};
	}
	pthread_mutex_unlock(&cache->lock);
	export_close(old); /* ends a thread: not under the lock */
	return *ret ? 0 : -EAGAIN;
}

void view_export_refresh(struct view *view, uint64_t node)
{
	struct view_export_cache *cache = view->exports;
	struct slot *slot;

	UTIL_LOCK_SCOPE(&cache->lock);
	slot = hold(cache, node, false);
	if (!slot)
		return;
	slot->readers--;
	slot->outgrown = export_outgrown(slot->export);
}

/* Gives an outgrown export up once another has gone on from it: it is closed
 * when its slot serves again, which is soon. */
static void unhold(struct view_export_cache *cache, struct slot *slot)
{
	UTIL_LOCK_SCOPE(&cache->lock);
	slot->readers--;
	if (!slot->outgrown)
		return;
	slot->node = 0;
	slot->used = 0;
}

static int open_slot(struct view_export_cache *cache, uint64_t node, struct set *set,
		     enum export_format format, unsigned link, struct slot **ret)
{
	struct export *export;
	struct slot *before;
	int r = set_export_open(set, format, link, &export, NULL);

	if (r < 0)
		return r;
	pthread_mutex_lock(&cache->lock);
	before = hold(cache, node, true);
	pthread_mutex_unlock(&cache->lock);
	if (before) {
		export_follow(export, before->export);
		unhold(cache, before);
	}
	return keep(cache, node, export, ret);
}

int64_t view_export_read(struct view *view, uint64_t node, struct set *set,
			 enum export_format format, unsigned link, uint64_t offset, void *bytes,
			 size_t size)
{
	struct view_export_cache *cache = view->exports;
	struct slot *slot;
	int64_t n;
	int r;

	pthread_mutex_lock(&cache->lock);
	slot = hold(cache, node, false);
	pthread_mutex_unlock(&cache->lock);
	if (!slot) {
		r = open_slot(cache, node, set, format, link, &slot);
		if (r < 0)
			return r;
	}
	n = export_read(slot->export, offset, bytes, size);
	pthread_mutex_lock(&cache->lock);
	slot->readers--;
	pthread_mutex_unlock(&cache->lock);
	return n;
}
