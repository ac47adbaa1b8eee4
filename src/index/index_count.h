/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What packets add to the counts of a batch: one at a time (index_walk.c), or many
 * of one interface at once (index_merge.c). The index thread's own.
 */
#ifndef INDEX_COUNT_H
#define INDEX_COUNT_H

#include "index_internal.h"
#include "util/util_time.h"

/* Of packets of one interface. */
struct count_sums {
	uint64_t packets, captured, original, padded;
	bool untimed;
};

/* The times of some packets in a row: of the first and the last, and the extremes. */
struct count_times {
	struct pktfs_time first, last, min, max;
};

/* By its number in the section at hand. */
static inline struct index_interface *count_interface(const struct index *index, uint32_t number)
{
	const struct index_section *section =
		table_at(&index->sections, index->sections.appended - 1);

	return table_at(&index->interfaces, section->first_interface + number);
}

/* What the batch counts of an interface. */
static inline struct index_pending *count_pending(struct index *index,
						  struct index_interface *interface)
{
	struct index_pending *pending = &interface->pending;

	if (!pending->listed) {
		pending->listed = true;
		pending->next = index->pending;
		index->pending = interface;
	}
	return pending;
}

/* Returns what is counted of the link type; NULL: it is not. */
static inline struct index_pending_type *count_sums(struct index *index,
						    struct index_interface *interface,
						    const struct count_sums *sums)
{
	struct index_pending *pending = count_pending(index, interface);
	struct index_pending_type *type = NULL;

	pending->packets += sums->packets;
	pending->captured_bytes += sums->captured;
	pending->original_bytes += sums->original;
	if (interface->link_slot < INDEX_MAX_LINK_TYPES) {
		type = &index->pending_types[interface->link_slot];
		type->packets += sums->packets;
		type->captured_bytes += sums->captured;
		type->padded_bytes += sums->padded;
		type->untimed |= sums->untimed;
	}
	index->next.packets += sums->packets;
	index->next.frames += sums->packets;
	index->next.captured_bytes += sums->captured;
	index->next.original_bytes += sums->original;
	return type;
}

/* The checkpoint at hand and a link type (NULL: none) span these times, too. */
static inline void count_span(struct index_checkpoint *checkpoint, struct index_pending_type *type,
			      int64_t min_ns, int64_t max_ns)
{
	if (min_ns < atomic_load_explicit(&checkpoint->min_ns, memory_order_relaxed))
		atomic_store_explicit(&checkpoint->min_ns, min_ns, memory_order_relaxed);
	if (max_ns > atomic_load_explicit(&checkpoint->max_ns, memory_order_relaxed))
		atomic_store_explicit(&checkpoint->max_ns, max_ns, memory_order_relaxed);
	if (type) {
		type->min_ns = MIN(type->min_ns, min_ns);
		type->max_ns = MAX(type->max_ns, max_ns);
	}
}

static inline void count_times(struct index *index, struct index_pending_type *type,
			       const struct count_times *times)
{
	struct index_totals *next = &index->next;

	count_span(index->checkpoint, type, time_to_ns(times->min), time_to_ns(times->max));
	if (!next->has_time) {
		next->has_time = true;
		next->first_time = times->first;
		next->min_time = times->min;
		next->max_time = times->max;
	}
	next->last_time = times->last;
	if (time_compare(times->min, next->min_time) < 0)
		next->min_time = times->min;
	if (time_compare(times->max, next->max_time) > 0)
		next->max_time = times->max;
}

#endif
