/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool of sets: making and finding them, questions to what has been
 * evaluated. The evaluation itself is in set_work.c and set_eval.c.
 */
#include "set.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "set_internal.h"

static const struct set_predicate *predicate_of(enum set_kind kind)
{
	static const struct set_predicate *const predicates[] = {
		[SET_ALL] = NULL,
		[SET_FILTER] = &set_filter_predicate,
		[SET_MATCH] = &set_match_predicate,
		[SET_INTERFACE] = &set_interface_predicate,
		[SET_TIME] = &set_time_predicate,
		[SET_RANGE] = &set_range_predicate,
		[SET_PAYLOAD] = &set_payload_predicate,
		[SET_FILE] = &set_file_predicate,
	};

	return predicates[kind];
}

int64_t set_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* FNV-1a over what a set is, from its parent's hash on. */
static uint64_t hash_of(const struct set *parent, enum set_kind kind, const char *expression)
{
	const uint64_t prime = UINT64_C(0x100000001b3);
	uint64_t hash = parent ? parent->hash : UINT64_C(0xcbf29ce484222325);

	hash = (hash ^ ((unsigned)kind + 1)) * prime;
	for (; *expression; expression++)
		hash = (hash ^ (uint8_t)*expression) * prime;
	return hash;
}

static struct set *find(struct set_pool *pool, uint64_t hash, const struct set *parent,
			enum set_kind kind, const char *expression)
{
	struct set *set;

	for (set = pool->by_hash[hash % SET_BUCKETS]; set; set = set->same_hash)
		if (set->hash == hash && set->parent == parent && set->kind == kind &&
		    strcmp(set->expression, expression) == 0)
			return set;
	return NULL;
}

static struct set *find_id(struct set_pool *pool, uint32_t id)
{
	struct set *set = pool->by_id[id % SET_BUCKETS];

	while (set && set->id != id)
		set = set->same_id;
	return set;
}

/* The number of a new set: its hash folded, or the next that is free. */
static uint32_t choose_id(struct set_pool *pool, uint64_t hash)
{
	uint32_t id = (uint32_t)((hash ^ hash >> 31) % SET_MAX_ID) + 1;

	while (find_id(pool, id))
		id = id % SET_MAX_ID + 1;
	return id;
}

/* Makes a set findable; with the lock held. */
static void enter(struct set_pool *pool, struct set *set)
{
	struct set **by_hash = &pool->by_hash[set->hash % SET_BUCKETS], **by_id;

	set->id = set->parent ? choose_id(pool, set->hash) : 0;
	by_id = &pool->by_id[set->id % SET_BUCKETS];
	set->same_hash = *by_hash;
	*by_hash = set;
	set->same_id = *by_id;
	*by_id = set;
	set->next = pool->first;
	if (pool->first)
		pool->first->previous = set;
	pool->first = set;
	pool->count++;
	pool->bytes += set_bytes(set->expression);
	if (set->parent)
		set->parent->refs++;
}

/* With the lock held. Takes `state` over on success. */
static int add(struct set_pool *pool, struct set *parent, enum set_kind kind,
	       const char *expression, void *state, struct set **ret)
{
	size_t size = strlen(expression) + 1;
	struct set *set = calloc(1, sizeof(*set) + size);

	if (!set)
		return -ENOMEM;
	if (!set_make_room(pool, set_bytes(expression))) {
		free(set);
		return -EMFILE;
	}
	memcpy(set->expression, expression, size);
	set->pool = pool;
	set->parent = parent;
	set->depth = parent ? parent->depth + 1 : 0;
	set->kind = kind;
	set->predicate = predicate_of(kind);
	set->hash = hash_of(parent, kind, expression);
	set->state = state;
	set->used_ms = set_now_ms();
	if (state) {
		set->memory = SET_STATE_MEMORY;
		pool->memory += SET_STATE_MEMORY;
	}
	enter(pool, set);
	*ret = set;
	return 0;
}

int set_open(struct set_pool *pool, struct set *parent, enum set_kind kind,
	     const char *expression, struct set **ret, struct pktfs_error *ret_error)
{
	const struct set_predicate *predicate = predicate_of(kind);
	uint64_t hash;
	void *state;
	struct set *set;
	int r = 0;

	if (kind == SET_ALL)
		return error_set(ret_error, -EINVAL, "the set of all packets is not opened");
	if (strlen(expression) > SET_MAX_EXPRESSION)
		return error_set(ret_error, -E2BIG, "expression: found %zu bytes; at most %u",
				 strlen(expression), SET_MAX_EXPRESSION);
	if (parent->depth >= SET_MAX_DEPTH)
		return error_set(ret_error, -E2BIG, "sets in sets: at most %u deep",
				 SET_MAX_DEPTH);
	hash = hash_of(parent, kind, expression);
	pthread_mutex_lock(&pool->lock);
	set = find(pool, hash, parent, kind, expression);
	if (set)
		set->used_ms = set_now_ms();
	pthread_mutex_unlock(&pool->lock);
	if (set) {
		*ret = set;
		return 0;
	}
	r = predicate->open(pool->capture, expression, &state, ret_error);
	if (r < 0)
		return r;
	pthread_mutex_lock(&pool->lock);
	set = find(pool, hash, parent, kind, expression);
	if (!set) {
		r = parent->gone ? -ESTALE
				 : add(pool, parent, kind, expression, state, &set);
		if (r == 0)
			state = NULL;
		set_trim(pool);
	}
	pthread_mutex_unlock(&pool->lock);
	predicate->close(state);
	if (r == -ESTALE)
		return error_set(ret_error, r, "the set that it is of was given up");
	if (r < 0)
		return error_set(ret_error, r, "too many sets are in use: at most %u",
				 SET_MAX_SETS);
	*ret = set;
	return 0;
}

static int start_threads(struct set_pool *pool)
{
	int r = 0;

	pool->threads = calloc(pool->thread_count, sizeof(*pool->threads));
	if (!pool->threads)
		return -ENOMEM;
	while (pool->started < pool->thread_count && r == 0) {
		r = pthread_create(&pool->threads[pool->started], NULL, set_work_main, pool);
		pool->started += r == 0;
	}
	return pool->started ? 0 : -r;
}

int set_pool_open(pktfs_capture *capture, unsigned threads, uint64_t memory,
		  struct set_pool **ret)
{
	struct set_pool *pool = calloc(1, sizeof(*pool));
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_condattr_t attributes;
	int r;

	if (!pool)
		return -ENOMEM;
	pool->capture = capture;
	pool->thread_count = threads ? threads : (unsigned)MAX(cores, 1L);
	pool->memory_bound = memory ? memory : SET_MEMORY;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->work, &attributes);
	pthread_cond_init(&pool->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	r = add(pool, NULL, SET_ALL, "", NULL, &pool->all);
	if (r == 0)
		r = start_threads(pool);
	if (r < 0) {
		set_pool_close(pool);
		return r;
	}
	*ret = pool;
	return 0;
}

static void destroy_all(struct set *set)
{
	struct set *next;

	for (; set; set = next) {
		next = set->next;
		set_destroy(set);
	}
}

void set_pool_close(struct set_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->work);
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	while (pool->started)
		pthread_join(pool->threads[--pool->started], NULL);
	destroy_all(pool->first);
	destroy_all(pool->graves);
	destroy_all(pool->old_graves);
	pthread_cond_destroy(&pool->work);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool->threads);
	free(pool);
}

pktfs_capture *set_pool_capture(struct set_pool *pool)
{
	return pool->capture;
}

struct set *set_all(struct set_pool *pool)
{
	return pool->all;
}

uint32_t set_id(const struct set *set)
{
	return set->id;
}

struct set *set_by_id(struct set_pool *pool, uint32_t id)
{
	struct set *set;

	UTIL_LOCK_SCOPE(&pool->lock);
	set = find_id(pool, id);
	if (set)
		set->used_ms = set_now_ms();
	return set;
}

enum set_kind set_kind(const struct set *set)
{
	return set->kind;
}

const char *set_expression(const struct set *set)
{
	return set->expression;
}

struct set *set_parent(const struct set *set)
{
	return set->parent;
}

struct set_pool *set_pool_of(const struct set *set)
{
	return set->pool;
}

int set_state_hold(struct set *set)
{
	struct set_pool *pool = set->pool;
	void *state = NULL;
	int r;

	pthread_mutex_lock(&pool->lock);
	set->busy++;
	state = set->state;
	pthread_mutex_unlock(&pool->lock);
	if (state)
		return 0;
	r = set->predicate->open(pool->capture, set->expression, &state, NULL);
	pthread_mutex_lock(&pool->lock);
	if (r < 0) {
		set->busy--;
	} else if (!set->state) {
		set->state = state;
		state = NULL;
		set->memory += SET_STATE_MEMORY;
		pool->memory += SET_STATE_MEMORY;
	}
	pthread_mutex_unlock(&pool->lock);
	if (r == 0)
		set->predicate->close(state);
	return r;
}

void set_state_release(struct set *set)
{
	UTIL_LOCK_SCOPE(&set->pool->lock);
	set->busy--;
}
