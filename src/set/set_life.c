/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long sets and what they evaluated are kept.
 *
 * A set that is given up is taken out of the tables, so that nobody finds it
 * any more, and buried. Readers that met it before may still look at it, until
 * the last of them leaves. With many threads there are always readers, so that
 * nobody waits for a moment without any, but they take turns:
 *
 *	turn            |    0    |    1    |    0    |
 *	readers of 0    =============|
 *	readers of 1               =============|
 *	buried here         x
 *	not met any more                        ^ freed
 *
 * A turn ends when the readers of the one before have left. What was buried up to
 * then is met by no later reader, and freed when those of that turn have left as
 * well, but for what somebody keeps. All of it is under the pool's lock.
 */
#include <string.h>

#include "set_internal.h"

/* One in so many is given up, or dropped, at once. */
#define LIFE_PART 4u

void set_drop(struct set *set)
{
	uint32_t i;

	for (i = 0; i < set->slot_count; i++)
		chunk_free(&set->slots[i].chunk);
	free(set->slots);
	if (set->predicate)
		set->predicate->close(set->state);
	set->state = NULL;
	set->slots = NULL;
	set->slot_count = set->slot_room = 0;
	set->passed = 0;
	set->failed = 0;
	set->counts = (struct chunk_counts){0};
	set_tally_free(&set->tally);
	free(set->frame);
	set->frame = NULL;
	set->pool->memory -= set->memory;
	set->memory = 0;
}

void set_destroy(struct set *set)
{
	set_drop(set);
	free(set);
}

static void unlink_from(struct set **at, struct set *set, size_t link)
{
	while (*at != set)
		at = (struct set **)(void *)((char *)*at + link);
	*at = *(struct set **)(void *)((char *)set + link);
}

/* With the lock held. Who has met a set that was given up by way of the one that kept
 * it may still look at it, as at one that is buried just now. */
static void unref(struct set *set)
{
	struct set_pool *pool = set->pool;
	struct set **at = &pool->old_graves;

	if (--set->refs || !set->gone)
		return;
	while (*at && *at != set)
		at = &(*at)->next;
	if (!*at) /* it is among the others */
		return;
	*at = set->next;
	set->next = pool->graves;
	pool->graves = set;
}

static void bury(struct set_pool *pool, struct set *set)
{
	unlink_from(&pool->by_hash[set->hash % SET_BUCKETS], set, offsetof(struct set, same_hash));
	unlink_from(&pool->by_id[set->id % SET_BUCKETS], set, offsetof(struct set, same_id));
	if (set->next)
		set->next->previous = set->previous;
	if (set->previous)
		set->previous->next = set->next;
	else
		pool->first = set->next;
	pool->count--;
	pool->bytes -= set_bytes(set->expression);
	unref(set->parent);
	set->gone = true;
	set_drop(set);
	set->next = pool->graves;
	pool->graves = set;
}

static int by_use(const void *a, const void *b)
{
	const struct set *first = *(struct set *const *)a, *second = *(struct set *const *)b;

	return (first->used_ms > second->used_ms) - (first->used_ms < second->used_ms);
}

/* The sets that nobody waits for or works on, those first that were not used
 * for longest. NULL: no memory. */
static struct set **idle_sets(struct set_pool *pool, unsigned *ret_count)
{
	struct set **sets = malloc((pool->count + 1) * sizeof(struct set *));
	int64_t now = set_now_ms();
	struct set *set;

	*ret_count = 0;
	if (!sets)
		return NULL;
	for (set = pool->first; set; set = set->next)
		if (set->parent && !set->busy && set->lease_ms < now)
			sets[(*ret_count)++] = set;
	qsort(sets, *ret_count, sizeof(struct set *), by_use);
	return sets;
}

/* A part is dropped at once, as finding the oldest takes a look at all. */
void set_trim(struct set_pool *pool)
{
	_cleanup_free_ struct set **sets = NULL;
	unsigned i, count;

	if (pool->memory <= pool->memory_bound)
		return;
	sets = idle_sets(pool, &count);
	for (i = 0; sets && i < count; i++) {
		if (pool->memory <= pool->memory_bound - pool->memory_bound / LIFE_PART)
			break;
		set_drop(sets[i]);
	}
}

static bool has_room(const struct set_pool *pool, size_t bytes, unsigned part)
{
	return pool->count < SET_MAX_SETS - SET_MAX_SETS / LIFE_PART * part &&
	       pool->bytes + bytes <= SET_MAX_BYTES - SET_MAX_BYTES / LIFE_PART * part;
}

bool set_make_room(struct set_pool *pool, size_t bytes)
{
	_cleanup_free_ struct set **sets = NULL;
	unsigned i, count;

	if (has_room(pool, bytes, 0))
		return true;
	sets = idle_sets(pool, &count);
	for (i = 0; sets && i < count && !has_room(pool, bytes, 1); i++)
		if (!sets[i]->refs && !sets[i]->wanted)
			bury(pool, sets[i]);
	return pool->count < SET_MAX_SETS; /* those that are kept may take more */
}

static void empty_graves(struct set **graves)
{
	struct set **at, *set;

	for (at = graves; (set = *at);) {
		if (set->refs || set->busy || set->wanted) {
			at = &set->next;
			continue;
		}
		*at = set->next;
		set_destroy(set);
	}
}

/* With the lock held, and no readers of the turn before left. */
static void end_turn(struct set_pool *pool)
{
	struct set **end;

	empty_graves(&pool->old_graves);
	for (end = &pool->old_graves; *end; end = &(*end)->next)
		;
	*end = pool->graves;
	pool->graves = NULL;
	pool->turn = !pool->turn;
}

struct set_reader set_pool_enter(struct set_pool *pool)
{
	UTIL_LOCK_SCOPE(&pool->lock);
	pool->readers[pool->turn]++;
	return (struct set_reader){.pool = pool, .turn = pool->turn};
}

/* Without any readers left, two turns end at once. */
void set_pool_leave(struct set_reader *reader)
{
	struct set_pool *pool = reader->pool;
	unsigned turns;

	UTIL_LOCK_SCOPE(&pool->lock);
	pool->readers[reader->turn]--;
	if (!pool->graves && !pool->old_graves)
		return;
	for (turns = 0; turns < 2 && !pool->readers[!pool->turn]; turns++)
		end_turn(pool);
}

void set_ref(struct set *set)
{
	if (!set)
		return;
	UTIL_LOCK_SCOPE(&set->pool->lock);
	set->refs++;
}

void set_unref(struct set *set)
{
	if (!set)
		return;
	UTIL_LOCK_SCOPE(&set->pool->lock);
	unref(set);
}
