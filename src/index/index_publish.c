/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A batch becomes visible at once, or not at all.
 */
#include "index_internal.h"

void index_add_problem(struct index *index, const struct pktfs_error *error)
{
	UTIL_LOCK_SCOPE(&index->lock);
	if (index->problem_count < INDEX_MAX_PROBLEMS)
		index->problems[index->problem_count] = *error;
	if (!index->part_problem.code) {
		index->part_problem = *error;
		index->part_problem_number = index->problem_count;
	}
	index->problem_count++;
}

/* Adds what the batch counted to what readers see. */
static void publish_counters(struct index *index)
{
	unsigned i, count = atomic_load(&index->link_type_count);
	struct index_interface *interface;

	for (interface = index->pending; interface; interface = interface->pending.next) {
		interface->packets += interface->pending.packets;
		interface->captured_bytes += interface->pending.captured_bytes;
		interface->original_bytes += interface->pending.original_bytes;
	}
	for (i = 0; i < count; i++) {
		struct index_pending_type *from = &index->pending_types[i];
		struct index_link_type *to = &index->link_types[i];

		to->packets += from->packets;
		to->captured_bytes += from->captured_bytes;
		to->padded_bytes += from->padded_bytes;
		to->untimed |= from->untimed;
		to->min_ns = MIN(to->min_ns, from->min_ns);
		to->max_ns = MAX(to->max_ns, from->max_ns);
		index_clear_pending(from);
	}
}

/* Readers look for the statistics block at once: it must be published before. */
static void publish_statistics(struct index *index)
{
	struct index_interface *interface;

	while ((interface = index->pending)) {
		index->pending = interface->pending.next;
		if (interface->pending.statistics)
			atomic_store(&interface->statistics, interface->pending.statistics);
		interface->pending = (struct index_pending){0};
	}
}

static void notify(struct index *index, bool now_at_once)
{
	void (*listener)(void *) = atomic_load_explicit(&index->notify, memory_order_acquire);
	struct timespec now;
	int64_t ms;

	if (!listener)
		return;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	ms = (now.tv_sec - index->notified.tv_sec) * 1000 +
	     (now.tv_nsec - index->notified.tv_nsec) / 1000000;
	if (!now_at_once && ms < INDEX_NOTIFY_MS)
		return;
	index->notified = now;
	listener(index->notify_context);
}

/* Is there somebody who waits for no more than this? The lock is held. Who waits for the
 * last packet is not woken at each batch: there are thousands. */
static bool take_wanted(struct index *index)
{
	const struct index_totals *totals = &index->totals;

	if (totals->state == INDEX_RUNNING && totals->packets <= index->wanted_packets &&
	    MAX(totals->end, index->end_seen.reached) < index->wanted_end)
		return false;
	index->wanted_packets = index->wanted_end = UINT64_MAX;
	return true;
}

void index_publish(struct index *index, bool now)
{
	bool wanted;

	publish_counters(index);
	table_publish(&index->parts);
	table_publish(&index->sections);
	table_publish(&index->interfaces);
	table_publish(&index->checkpoints);
	index->next.state = index->end_next.state;
	pthread_mutex_lock(&index->lock);
	index->totals = index->next;
	index->end_seen = index->end_next;
	index->published_problems = index->problem_count;
	atomic_store_explicit(&index->records, index->next.records, memory_order_release);
	atomic_store_explicit(&index->metadata, index->next.metadata, memory_order_release);
	atomic_store_explicit(&index->packets, index->next.packets, memory_order_release);
	publish_statistics(index);
	wanted = take_wanted(index);
	pthread_mutex_unlock(&index->lock);
	if (wanted)
		pthread_cond_broadcast(&index->changed);
	notify(index, now);
}

void index_discard(struct index *index, const struct format_walk *walk)
{
	struct index_interface *interface;
	unsigned i;

	while ((interface = index->pending)) {
		index->pending = interface->pending.next;
		interface->pending = (struct index_pending){0};
	}
	for (i = 0; i < INDEX_MAX_LINK_TYPES; i++)
		index_clear_pending(&index->pending_types[i]);
	index->sections.appended = table_count(&index->sections);
	index->interfaces.appended = table_count(&index->interfaces);
	index->checkpoints.appended = table_count(&index->checkpoints);
	if (index->checkpoints.appended)
		index->checkpoint = table_at(&index->checkpoints, index->checkpoints.appended - 1);
	index->mark = 0;
	index->walk = *walk;
	pthread_mutex_lock(&index->lock);
	index->next = index->totals;
	index->problem_count = index->published_problems;
	if (index->part_problem_number >= index->problem_count)
		index->part_problem.code = 0;
	pthread_mutex_unlock(&index->lock);
}
