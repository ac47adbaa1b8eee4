/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long sets and what they evaluated are kept.
 *
 * A set that is given up is taken out of the tables, so that nobody finds it
 * any more, and buried. Readers that met it before may still look at it; at the
 * first moment at which there are no readers, nobody can, and the graves whose
 * sets nobody keeps are emptied. Both is under the pool's lock.
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
	set->parent->refs--;
	set->gone = true;
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

void set_pool_enter(struct set_pool *pool)
{
	UTIL_LOCK_SCOPE(&pool->lock);
	pool->readers++;
}

void set_pool_leave(struct set_pool *pool)
{
	struct set **at, *set;

	UTIL_LOCK_SCOPE(&pool->lock);
	if (--pool->readers)
		return;
	for (at = &pool->graves; (set = *at);) {
		if (set->refs || set->busy || set->wanted) {
			at = &set->next;
			continue;
		}
		*at = set->next;
		set_destroy(set);
	}
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
	set->refs--;
}
