/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to a set: what has been evaluated answers, the rest is wanted.
 */
#include <string.h>
#include <time.h>

#include "set_internal.h"
#include "util/util_time.h"

/* With the lock held. */
static void want(struct set *set)
{
	if (!set->predicate || set->complete || set->failed || set->gone)
		return; /* the index comes to the set of all packets by itself */
	set->lease_ms = set_now_ms() + SET_LEASE_MS;
	if (!set->wanted) {
		set->wanted = true;
		set->next_wanted = set->pool->wanted;
		set->pool->wanted = set;
	}
	pthread_cond_broadcast(&set->pool->work);
}

void set_want(struct set *set)
{
	UTIL_LOCK_SCOPE(&set->pool->lock);
	set->used_ms = set_now_ms();
	want(set);
}

/* What to say about something behind the evaluated part; lock held. */
static int not_yet(struct set *set)
{
	if (set->gone)
		return -ESTALE;
	if (set->failed == -ENOMEM) { /* a shortage may be over */
		set->failed = 0;
		return -ENOMEM;
	}
	if (set->failed)
		return set->failed;
	if (set->complete)
		return -ENOENT;
	want(set);
	return -EAGAIN;
}

int set_require(struct set *set)
{
	set->used_ms = set_now_ms();
	return set->complete ? 0 : not_yet(set);
}

static void status_of_all(struct set *set, struct set_status *ret)
{
	struct pktfs_status status;

	pktfs_status_get(set->pool->capture, &status);
	*ret = (struct set_status){
		.complete = status.state != PKTFS_STATE_INDEXING,
		.passed = status.packets,
		.packets = status.packets,
		.captured_bytes = status.captured_bytes,
		.original_bytes = status.original_bytes,
		.has_time = status.has_time,
		.first_time = status.first_time,
		.last_time = status.last_time,
		.min_time = status.min_time,
		.max_time = status.max_time,
	};
}

void set_status(struct set *set, struct set_status *ret)
{
	if (!set->predicate) {
		status_of_all(set, ret);
		return;
	}
	UTIL_LOCK_SCOPE(&set->pool->lock);
	*ret = set->totals;
	ret->complete = set->complete;
	ret->failed = set->failed;
}

int set_wait(struct set *set)
{
	struct set_pool *pool = set->pool;
	struct timespec deadline;

	if (!set->predicate)
		return pktfs_wait(pool->capture, UINT64_MAX, -1);
	UTIL_LOCK_SCOPE(&pool->lock);
	while (!set->complete && !set->failed) {
		if (pool->closing)
			return -ECANCELED;
		want(set);
		deadline = time_deadline(CLOCK_MONOTONIC, TIME_NSEC_PER_SEC);
		pthread_cond_timedwait(&pool->changed, &pool->lock, &deadline);
	}
	return set->failed;
}

/* The set of all packets: 0 when `number` is there, else -EAGAIN, -ENOENT. */
static int all_has(struct set *set, uint64_t number)
{
	struct pktfs_span span;

	return pktfs_span_get(set->pool->capture, number, &span);
}

int set_next(struct set *set, uint64_t number, uint64_t *ret)
{
	uint64_t chunk = (number - 1) >> SET_CHUNK_SHIFT;
	uint32_t member = (uint32_t)((number - 1) & (SET_CHUNK - 1));
	int r;

	if (!set->predicate) {
		r = all_has(set, number);
		if (r == 0)
			*ret = number;
		return r;
	}
	UTIL_LOCK_SCOPE(&set->pool->lock);
	set->used_ms = set_now_ms();
	for (; chunk < set->published; chunk++, member = 0) {
		member = chunk_next(&set->slots[chunk].chunk, member);
		if (member < SET_CHUNK) {
			*ret = (chunk << SET_CHUNK_SHIFT) + member + 1;
			return 0;
		}
	}
	return not_yet(set);
}

/* The set of all packets: the numbers themselves. */
static int64_t all_members(struct set *set, uint64_t number, uint64_t *ret, size_t room)
{
	struct pktfs_status status;
	int64_t count = 0;
	int r = all_has(set, number);

	if (r < 0)
		return r;
	pktfs_status_get(set->pool->capture, &status);
	do {
		ret[count++] = number++;
	} while ((size_t)count < room && number <= status.packets);
	return count;
}

int64_t set_members(struct set *set, uint64_t number, uint64_t *ret, size_t room)
{
	uint64_t chunk = (number - 1) >> SET_CHUNK_SHIFT;
	uint32_t member = (uint32_t)((number - 1) & (SET_CHUNK - 1));
	size_t count = 0;

	if (!set->predicate)
		return all_members(set, number, ret, room);
	UTIL_LOCK_SCOPE(&set->pool->lock);
	set->used_ms = set_now_ms();
	for (; chunk < set->published && count < room; chunk++, member = 0)
		count += chunk_members(&set->slots[chunk].chunk, member,
				       (chunk << SET_CHUNK_SHIFT) + 1, ret + count, room - count);
	return count ? (int64_t)count : not_yet(set);
}

int set_select(struct set *set, uint64_t rank, uint64_t *ret)
{
	uint32_t low = 0, high;
	int r;

	if (!set->predicate) {
		r = all_has(set, rank + 1);
		if (r == 0)
			*ret = rank + 1;
		return r;
	}
	UTIL_LOCK_SCOPE(&set->pool->lock);
	set->used_ms = set_now_ms();
	if (rank >= set->totals.packets)
		return not_yet(set);
	high = set->published - 1;
	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;

		if (set->slots[middle].before <= rank)
			low = middle;
		else
			high = middle - 1;
	}
	rank -= set->slots[low].before;
	*ret = ((uint64_t)low << SET_CHUNK_SHIFT) +
	       chunk_select(&set->slots[low].chunk, (uint32_t)rank) + 1;
	return 0;
}

int set_rank(struct set *set, uint64_t number, uint64_t *ret)
{
	uint64_t chunk = (number - 1) >> SET_CHUNK_SHIFT;

	if (!set->predicate) {
		*ret = number - 1;
		return 0;
	}
	UTIL_LOCK_SCOPE(&set->pool->lock);
	set->used_ms = set_now_ms();
	if (chunk < set->published) {
		const struct set_slot *slot = &set->slots[chunk];

		*ret = slot->before +
		       chunk_rank(&slot->chunk, (uint32_t)((number - 1) & (SET_CHUNK - 1)));
		return 0;
	}
	if (set->complete) {
		*ret = set->totals.packets;
		return 0;
	}
	return not_yet(set);
}

/* The first of a chunk's minutes that is `minute` or later, if it is earlier
 * than *best. */
static void earlier_minute(const struct set_chunk *chunk, int64_t minute, int64_t *best)
{
	uint32_t low = 0, high = chunk->minute_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (chunk->minutes[middle] < minute)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < chunk->minute_count && chunk->minutes[low] < *best)
		*best = chunk->minutes[low];
}

int set_next_minute(struct set *set, int64_t minute, int64_t *ret)
{
	int64_t best = INT64_MAX;
	uint32_t i;

	if (!set->predicate)
		return -EINVAL;
	UTIL_LOCK_SCOPE(&set->pool->lock);
	set->used_ms = set_now_ms();
	if (!set->complete)
		return not_yet(set);
	for (i = 0; i < set->published; i++)
		earlier_minute(&set->slots[i].chunk, minute, &best);
	*ret = best;
	return best == INT64_MAX ? -ENOENT : 0;
}

/* 1 or 0 where packet `number` has been evaluated, else -EAGAIN. */
static int evaluated(struct set *set, uint64_t number)
{
	uint64_t chunk = (number - 1) >> SET_CHUNK_SHIFT;
	uint32_t member = (uint32_t)((number - 1) & (SET_CHUNK - 1));

	UTIL_LOCK_SCOPE(&set->pool->lock);
	if (chunk >= set->published)
		return -EAGAIN;
	return chunk_next(&set->slots[chunk].chunk, member) == member;
}

int set_contains(struct set *set, uint64_t number)
{
	struct pktfs_packet packet;
	int r, s;

	if (number == 0)
		return -ENOENT;
	r = all_has(set, number);
	if (r < 0 || !set->predicate)
		return r < 0 ? r : 1;
	r = evaluated(set, number);
	if (r >= 0)
		return r;
	r = pktfs_packet_try(set->pool->capture, number, &packet, NULL);
	if (r < 0)
		return r;
	for (r = 1; set->predicate && r == 1; set = set->parent)
		r = set_eval_packet(set, &packet);
	s = pktfs_packet_release(&packet);
	return s < 0 ? s : r;
}
