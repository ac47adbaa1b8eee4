/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_cache.h"

#include <time.h>

struct source_cache_item {
	TAILQ_ENTRY(source_cache_item) entry; /* when loaded */
	struct source_frame *frame;
	struct source_piece *piece; /* NULL: being loaded */
	bool used;                  /* somebody wants it, or did */
	bool fresh;                 /* counts in cache.fresh */
};

void source_cache_init(struct source_cache *cache, uint64_t limit)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&cache->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&cache->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	TAILQ_INIT(&cache->list);
	cache->limit = limit;
}

static void set_stale(struct source_cache *cache, struct source_cache_item *item)
{
	if (!item->fresh)
		return;
	item->fresh = false;
	cache->fresh -= item->frame->length;
	pthread_cond_broadcast(&cache->changed);
}

/* Takes a loaded item out; its piece is the caller's. */
static struct source_piece *take_out(struct source_cache *cache, struct source_cache_item *item)
{
	struct source_piece *piece = item->piece;

	set_stale(cache, item);
	TAILQ_REMOVE(&cache->list, item, entry);
	cache->bytes -= item->frame->length;
	item->frame->item = NULL;
	free(item);
	return piece;
}

void source_cache_fini(struct source_cache *cache)
{
	struct source_cache_item *item;

	while ((item = TAILQ_FIRST(&cache->list)))
		source_piece_unref(take_out(cache, item));
	pthread_cond_destroy(&cache->changed);
	pthread_mutex_destroy(&cache->lock);
}

void source_cache_cancel(struct source_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	cache->cancelled = true;
	pthread_cond_broadcast(&cache->changed);
	pthread_mutex_unlock(&cache->lock);
}

static uint64_t load_cost(const struct source_frame *frame)
{
	return (uint64_t)frame->length + frame->packed;
}

static bool may_load(const struct source_cache *cache, const struct source_frame *frame)
{
	return cache->loading == 0 ||
	       cache->loading + load_cost(frame) <= cache->limit - cache->limit / 8;
}

/* Memory of a frame that goes is as good as new for one of about its size:
 * nothing needs to be mapped, zeroed and unmapped. */
static bool fits(struct source_piece *piece, size_t size)
{
	return piece->room >= size && piece->room / 2 <= size &&
	       atomic_load_explicit(&piece->refs, memory_order_acquire) == 1;
}

/* Makes room for `size` bytes; perhaps with a piece to be used again. */
static struct source_piece *evict(struct source_cache *cache, size_t size)
{
	struct source_piece *piece, *again = NULL;
	struct source_cache_item *item;

	while (cache->bytes + size > cache->limit) {
		item = TAILQ_FIRST(&cache->list);
		if (!item)
			break;
		piece = take_out(cache, item);
		if (!again && fits(piece, size))
			source_piece_clear(again = piece);
		else
			source_piece_unref(piece);
	}
	return again;
}

/* The frame's place is ours. Loads it, without the lock, and opens it to the
 * others. `ahead`: nobody waits for it. */
static int load(struct source_cache *cache, struct source_cache_item *item,
		struct source_piece *piece, bool ahead)
{
	struct source_frame *frame = item->frame;
	int r = -ENOMEM;

	pthread_mutex_unlock(&cache->lock);
	if (!piece)
		piece = source_piece_new(frame->length);
	if (piece)
		r = cache->load(cache->context, frame, piece);
	if (r == 0 && ahead && cache->loaded)
		cache->loaded(cache->context, frame, piece);
	pthread_mutex_lock(&cache->lock);
	cache->loading -= load_cost(frame);
	if (r < 0) {
		cache->bytes -= frame->length;
		frame->item = NULL;
		source_piece_unref(piece);
		free(item);
	} else {
		item->piece = piece;
		TAILQ_INSERT_TAIL(&cache->list, item, entry);
	}
	pthread_cond_broadcast(&cache->changed);
	return r;
}

static int load_new(struct source_cache *cache, struct source_frame *frame, bool ahead)
{
	struct source_cache_item *item = calloc(1, sizeof(*item));
	struct source_piece *again;

	if (!item)
		return -ENOMEM;
	again = evict(cache, frame->length);
	item->frame = frame;
	frame->item = item;
	cache->bytes += frame->length;
	cache->loading += load_cost(frame);
	return load(cache, item, again, ahead);
}

int source_cache_get(struct source_cache *cache, struct source_frame *frame,
		     struct source_piece **ret)
{
	struct source_cache_item *item;
	int r;

	UTIL_LOCK_SCOPE(&cache->lock);
	for (;;) {
		item = frame->item;
		if (item && item->piece) {
			TAILQ_REMOVE(&cache->list, item, entry);
			TAILQ_INSERT_TAIL(&cache->list, item, entry);
			item->used = true;
			set_stale(cache, item);
			*ret = source_piece_ref(item->piece);
			return 0;
		}
		if (!item && may_load(cache, frame)) {
			r = load_new(cache, frame, false); /* nobody was at the lock since */
			if (r < 0)
				return r;
			continue;
		}
		if (cache->cancelled)
			return -ECANCELED;
		pthread_cond_wait(&cache->changed, &cache->lock);
	}
}

int source_cache_load(struct source_cache *cache, struct source_frame *frame)
{
	UTIL_LOCK_SCOPE(&cache->lock);
	while (!frame->item && !may_load(cache, frame)) {
		if (cache->cancelled)
			return -ECANCELED;
		pthread_cond_wait(&cache->changed, &cache->lock);
	}
	return frame->item || cache->cancelled ? 0 : load_new(cache, frame, true);
}

void source_cache_pass(struct source_cache *cache, const struct source_frame *frame)
{
	UTIL_LOCK_SCOPE(&cache->lock);
	if (!frame->item || !frame->item->piece)
		return;
	TAILQ_REMOVE(&cache->list, frame->item, entry);
	TAILQ_INSERT_HEAD(&cache->list, frame->item, entry);
}

bool source_cache_has(struct source_cache *cache, const struct source_frame *frame)
{
	UTIL_LOCK_SCOPE(&cache->lock);
	return frame->item;
}

bool source_cache_is_new(struct source_cache *cache, const struct source_frame *frame)
{
	UTIL_LOCK_SCOPE(&cache->lock);
	return !frame->item || !frame->item->used;
}

/* ---- what is loaded by others */

struct source_piece *source_cache_reserve(struct source_cache *cache, size_t size)
{
	struct source_piece *piece;

	pthread_mutex_lock(&cache->lock);
	piece = evict(cache, size);
	cache->bytes += size;
	pthread_mutex_unlock(&cache->lock);
	if (!piece)
		piece = source_piece_new(size);
	if (!piece)
		source_cache_unreserve(cache, size, NULL);
	return piece;
}

void source_cache_unreserve(struct source_cache *cache, size_t size, struct source_piece *piece)
{
	pthread_mutex_lock(&cache->lock);
	cache->bytes -= size;
	pthread_mutex_unlock(&cache->lock);
	source_piece_unref(piece);
}

void source_cache_put(struct source_cache *cache, struct source_frame *frame,
		      struct source_piece *piece, size_t reserved)
{
	struct source_cache_item *item = calloc(1, sizeof(*item));

	if (!item) {
		source_cache_unreserve(cache, reserved, piece);
		return;
	}
	UTIL_LOCK_SCOPE(&cache->lock);
	cache->bytes -= reserved;
	source_piece_unref(evict(cache, frame->length));
	*item = (struct source_cache_item){.frame = frame, .piece = piece, .fresh = true};
	frame->item = item;
	cache->bytes += frame->length;
	cache->fresh += frame->length;
	TAILQ_INSERT_TAIL(&cache->list, item, entry);
}

void source_cache_wait_used(struct source_cache *cache, uint64_t most)
{
	struct source_cache_item *item;
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += SOURCE_CACHE_WAIT_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	UTIL_LOCK_SCOPE(&cache->lock);
	while (r == 0 && cache->fresh > most && !cache->cancelled)
		r = pthread_cond_timedwait(&cache->changed, &cache->lock, &until);
	if (r == 0)
		return;
	TAILQ_FOREACH(item, &cache->list, entry)
		set_stale(cache, item);
}
