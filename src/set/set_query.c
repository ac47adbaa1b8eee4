/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to a set: what has been evaluated answers, the rest is wanted.
 */
#include <string.h>
#include <time.h>

#include "set_internal.h"
#include "util/util_time.h"

/* A file of a ring that was cut or overwritten fails to be read before it is known to
 * be lost, and then is passed over. */
#define FAILED_MS 1000

/* Forgets a failure that may be over by now; with the lock held. */
static void forgive(struct set *set)
{
	if (set->failed == -EIO && pktfs_files(set->pool->capture) &&
	    set_now_ms() - set->failed_ms >= FAILED_MS)
		set->failed = 0;
}

/* With the lock held. */
static void want(struct set *set)
{
	forgive(set);
	if (!set->predicate || set->failed || set->gone || set_is_complete(set))
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
	forgive(set);
	if (set->failed == -ENOMEM) { /* a shortage may be over */
		set->failed = 0;
		return -ENOMEM;
	}
	if (set->failed)
		return set->failed;
	if (set_is_complete(set))
		return -ENOENT;
	want(set);
	return -EAGAIN;
}

int set_require(struct set *set)
{
	set->used_ms = set_now_ms();
	return set_is_complete(set) ? 0 : not_yet(set);
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

static void status_of_counts(const struct chunk_counts *counts, struct set_status *ret)
{
	*ret = (struct set_status){
		.packets = counts->packets,
		.captured_bytes = counts->captured_bytes,
		.original_bytes = counts->original_bytes,
		.limited = counts->limited,
		.has_time = counts->has_time,
		.first_time = counts->first_time,
		.last_time = counts->last_time,
		.min_time = counts->min_time,
		.max_time = counts->max_time,
	};
}

void set_status(struct set *set, struct set_status *ret)
{
	if (!set->predicate) {
		status_of_all(set, ret);
		return;
	}
	UTIL_LOCK_SCOPE(&set->pool->lock);
	forgive(set);
	status_of_counts(&set->counts, ret);
	ret->passed = set->passed;
	ret->complete = set_is_complete(set);
	ret->failed = set->failed;
}

/* How far a set must be evaluated to be what was waited for; UINT64_MAX: that is
 * not known before the index is built. */
static uint64_t wait_target(pktfs_capture *capture)
{
	struct pktfs_status status;

	pktfs_status_get(capture, &status);
	return status.state == PKTFS_STATE_INDEXING ? UINT64_MAX : status.packets;
}

int set_wait(struct set *set)
{
	struct set_pool *pool = set->pool;
	uint64_t target = UINT64_MAX;
	struct timespec deadline;

	if (!set->predicate)
		return pktfs_wait(pool->capture, UINT64_MAX, -1);
	UTIL_LOCK_SCOPE(&pool->lock);
	while (!set->failed) {
		if (target == UINT64_MAX)
			target = wait_target(pool->capture);
		if (set->passed >= target)
			return 0;
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
	for (; chunk < set_published(set); chunk++, member = 0) {
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

/* With the lock held: those that are evaluated. */
static int64_t found_members(struct set *set, uint64_t number, uint64_t *ret, size_t room)
{
	uint64_t chunk = (number - 1) >> SET_CHUNK_SHIFT;
	uint32_t member = (uint32_t)((number - 1) & (SET_CHUNK - 1));
	size_t count = 0;

	set->used_ms = set_now_ms();
	for (; chunk < set_published(set) && count < room; chunk++, member = 0)
		count += chunk_members(&set->slots[chunk].chunk, member,
				       (chunk << SET_CHUNK_SHIFT) + 1, ret + count, room - count);
	return (int64_t)count;
}

int64_t set_members(struct set *set, uint64_t number, uint64_t *ret, size_t room)
{
	int64_t count;

	if (!set->predicate)
		return all_members(set, number, ret, room);
	UTIL_LOCK_SCOPE(&set->pool->lock);
	count = found_members(set, number, ret, room);
	return count ? count : not_yet(set);
}

int64_t set_members_until(struct set *set, uint64_t number, uint64_t last, uint64_t *ret,
			  size_t room)
{
	int64_t count;

	UTIL_LOCK_SCOPE(&set->pool->lock);
	count = found_members(set, number, ret, room);
	if (count == 0 && set->passed < last)
		return not_yet(set);
	while (count > 0 && ret[count - 1] > last)
		count--;
	return count ? count : -ENOENT;
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
	if (rank >= set->counts.packets)
		return not_yet(set);
	high = set_published(set) - 1;
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
	if (number - 1 < set->passed) {
		const struct set_slot *slot = &set->slots[chunk];

		*ret = slot->before +
		       chunk_rank(&slot->chunk, (uint32_t)((number - 1) & (SET_CHUNK - 1)));
		return 0;
	}
	if (number - 1 == set->passed || set_is_complete(set)) {
		*ret = set->counts.packets;
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
	if (!set_is_complete(set))
		return not_yet(set);
	for (i = 0; i < set_published(set); i++)
		earlier_minute(&set->slots[i].chunk, minute, &best);
	if (best == INT64_MAX)
		return -ENOENT;
	*ret = best;
	return 0;
}

/* 1 or 0 where packet `number` has been evaluated, else -EAGAIN. */
static int evaluated(struct set *set, uint64_t number)
{
	uint64_t chunk = (number - 1) >> SET_CHUNK_SHIFT;
	uint32_t member = (uint32_t)((number - 1) & (SET_CHUNK - 1));

	UTIL_LOCK_SCOPE(&set->pool->lock);
	if (number > set->passed)
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
