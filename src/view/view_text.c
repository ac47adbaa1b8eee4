/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 256 slots, searched one after the other (2 KiB of node numbers), the least
 * recently used given up first, also above 8 MiB. The newest text is kept
 * however large it is, so that a reader of a large one does not render it for
 * each of its reads. Nothing is rendered under the lock.
 */
#include "view_text.h"

#include <string.h>
#include <time.h>

struct view_cache {
	pthread_mutex_t lock;
	/* under lock */
	uint64_t nodes[VIEW_TEXT_ENTRIES]; /* 0: free */
	struct view_text *texts[VIEW_TEXT_ENTRIES];
	size_t bytes;
	uint64_t clock;
};

struct view_cache *view_cache_new(void)
{
	struct view_cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

static void destroy(struct view_text *text)
{
	text_free(&text->text);
	free(text);
}

void view_cache_free(struct view_cache *cache)
{
	unsigned i;

	if (!cache)
		return;
	for (i = 0; i < VIEW_TEXT_ENTRIES; i++)
		if (cache->texts[i])
			destroy(cache->texts[i]);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static unsigned find_slot(const struct view_cache *cache, uint64_t node)
{
	unsigned i;

	for (i = 0; i < VIEW_TEXT_ENTRIES; i++)
		if (cache->nodes[i] == node)
			break;
	return i;
}

static void drop_slot(struct view_cache *cache, unsigned slot)
{
	struct view_text *text = cache->texts[slot];

	cache->nodes[slot] = 0;
	cache->texts[slot] = NULL;
	cache->bytes -= text->text.room;
	text->cached = false;
	if (!text->references)
		destroy(text);
}

/* The slot that was used longest ago, VIEW_TEXT_ENTRIES when all are free. */
static unsigned oldest_slot(const struct view_cache *cache)
{
	unsigned i, oldest = VIEW_TEXT_ENTRIES;

	for (i = 0; i < VIEW_TEXT_ENTRIES; i++)
		if (cache->texts[i] && (oldest == VIEW_TEXT_ENTRIES ||
					cache->texts[i]->used < cache->texts[oldest]->used))
			oldest = i;
	return oldest;
}

static void insert(struct view_cache *cache, struct view_text *text)
{
	unsigned slot;

	while (cache->bytes + text->text.room > VIEW_TEXT_BYTES) {
		slot = oldest_slot(cache);
		if (slot == VIEW_TEXT_ENTRIES)
			break;
		drop_slot(cache, slot);
	}
	slot = find_slot(cache, 0);
	if (slot == VIEW_TEXT_ENTRIES) {
		slot = oldest_slot(cache);
		drop_slot(cache, slot);
	}
	cache->nodes[slot] = text->node;
	cache->texts[slot] = text;
	cache->bytes += text->text.room;
	text->cached = true;
}

static struct view_text *hold(struct view_cache *cache, struct view_text *text)
{
	text->references++;
	text->used = ++cache->clock;
	return text;
}

static struct view_text_version version_of(struct view *view)
{
	struct pktfs_status status;

	pktfs_status_get(view->capture, &status);
	if (!status.growing)
		return (struct view_text_version){0};
	return (struct view_text_version){status.packets, status.metadata,
					  view_ring_count(view->ring), status.active};
}

static bool same_version(const struct view_text_version *a, const struct view_text_version *b)
{
	return a->packets == b->packets && a->metadata == b->metadata &&
	       a->log_lines == b->log_lines && a->active == b->active;
}

/* What is asked for: `live`, `version`, `now` are as they are now. */
struct question {
	uint64_t node;
	enum view_text_use use;
	bool live;
	struct view_text_version version;
	uint64_t now;
};

/* One that may no longer change is made once more. */
static bool is_stale(const struct view_text *text, const struct question *q)
{
	if (q->use == VIEW_TEXT_READ || !text->live)
		return false;
	if (!q->live || q->now - text->read_ms >= VIEW_TEXT_HOLD_MS)
		return true;
	return q->use == VIEW_TEXT_LOOKUP && !same_version(&text->version, &q->version);
}

static struct view_text *look(struct view_cache *cache, const struct question *q)
{
	unsigned slot;
	struct view_text *text;

	UTIL_LOCK_SCOPE(&cache->lock);
	slot = find_slot(cache, q->node);
	if (slot == VIEW_TEXT_ENTRIES)
		return NULL;
	text = cache->texts[slot];
	if (is_stale(text, q))
		return NULL;
	if (q->use == VIEW_TEXT_READ)
		text->read_ms = q->now;
	return hold(cache, text);
}

/* A file that is written to meanwhile may hold still the second time. */
static int render(struct view *view, const struct view_kind *kind, uint64_t node, struct text *text)
{
	int r = kind->render(view, node, text);

	if (r == -EIO) {
		text_free(text);
		r = kind->render(view, node, text);
	}
	return r ? r : text->failed;
}

static bool equal(const struct view_text *a, const struct view_text *b)
{
	return a->live == b->live && a->text.size == b->text.size &&
	       (!a->text.size || !memcmp(a->text.bytes, b->text.bytes, a->text.size));
}

/* The text in the cache from now on: `text`, or what is there, if that says
 * the same (its time then stays, and pages that a kernel keeps stay good). */
static struct view_text *keep(struct view_cache *cache, struct view_text *text)
{
	unsigned slot;

	UTIL_LOCK_SCOPE(&cache->lock);
	slot = find_slot(cache, text->node);
	if (slot != VIEW_TEXT_ENTRIES) {
		struct view_text *old = cache->texts[slot];

		if (equal(old, text)) {
			old->version = text->version;
			destroy(text);
			return hold(cache, old);
		}
		drop_slot(cache, slot);
	}
	insert(cache, text);
	return hold(cache, text);
}

/* As that of one that cannot change, if it does not just now. */
static struct pktfs_time time_of(struct view *view, uint64_t node, bool live)
{
	struct pktfs_status status;
	struct timespec now;

	if (live && view_still(view, node)) {
		pktfs_status_get(view->capture, &status);
		return view_time_of(view, &status);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	return (struct pktfs_time){.sec = now.tv_sec, .nsec = (uint32_t)now.tv_nsec};
}

int view_text_get(struct view *view, uint64_t node, enum view_text_use use,
		  struct view_text **ret)
{
	const struct view_kind *kind = view_kind_of(node);
	/* first: what is rendered after the index is complete is the last */
	bool live = kind->live && kind->live(view, node);
	struct question question = {.node = node, .use = use, .live = live, .now = now_ms()};
	struct view_text *text;
	int r;

	if (live)
		question.version = version_of(view);
	text = look(view->cache, &question);
	if (text) {
		*ret = text;
		return 0;
	}
	text = calloc(1, sizeof(*text));
	if (!text)
		return -ENOMEM;
	text->node = node;
	text->version = question.version;
	text->read_ms = use == VIEW_TEXT_READ ? question.now : 0;
	text->rendered = time_of(view, node, live);
	text->live = live;
	r = render(view, kind, node, &text->text);
	if (r < 0) {
		destroy(text);
		return r;
	}
	*ret = keep(view->cache, text);
	return 0;
}

void view_text_forget(struct view *view, uint64_t node)
{
	struct view_cache *cache = view->cache;
	unsigned slot;

	UTIL_LOCK_SCOPE(&cache->lock);
	slot = find_slot(cache, node);
	if (slot != VIEW_TEXT_ENTRIES)
		drop_slot(cache, slot);
}

void view_text_put(struct view *view, struct view_text *text)
{
	UTIL_LOCK_SCOPE(&view->cache->lock);
	if (!--text->references && !text->cached)
		destroy(text);
}
