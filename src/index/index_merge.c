/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk over what scouts have noted (index_scout.h). Where it arrives at a
 * record that was noted, all packets noted behind it are counted as they are; the
 * rest is walked record by record.
 */
#include "index_count.h"
#include "index_scout.h"

struct merge {
	struct index *index;
	const struct pktfs_loan *loan;
	bool big_endian; /* what the scouts took the bytes for */
	unsigned astray; /* records where scouts were to be, and were not */
	uint64_t *ret_need;
	struct pktfs_error *ret_error;
};

/* So many are not looked for: the scouts are lost. */
#define ASTRAY_MAX INDEX_BATCH_LAST

/* One record, as ever. 1: it has begun a section of which the scouts know nothing. */
static int step(struct merge *m)
{
	const struct format_walk *walk = &m->index->walk;
	size_t at = (size_t)(m->index->next.end - m->loan->offset);
	struct pktfs_loan rest = {.bytes = m->loan->bytes + at, .size = m->loan->size - at};
	int r = index_walk_window(m->index, &rest, 1, m->ret_need, m->ret_error);

	return r < 0 ? r : walk->big_endian != m->big_endian || walk->skipped;
}

static struct pktfs_time ticks_time(const struct index_interface *interface, uint64_t ticks)
{
	return pktfs_time_from_ticks(ticks, interface->resolution, interface->offset_seconds);
}

/* Counts packets of one interface, from the first one on and up to `end`; their
 * order by ticks is that by time. Returns how many. */
static uint64_t count_run(struct index *index, const struct format_note *first,
			  const struct format_note *end)
{
	struct index_interface *interface = count_interface(index, first->interface);
	uint64_t min = UINT64_MAX, max = 0, length = 0;
	const struct format_note *note;
	struct count_sums sums = {0};
	struct count_times times;

	for (note = first; note < end && note->interface == first->interface; note++) {
		length += note->length;
		sums.captured += note->captured;
		sums.original += note->original;
		sums.padded += util_pad4(note->captured);
		min = MIN(min, note->ticks);
		max = MAX(max, note->ticks);
	}
	sums.packets = (uint64_t)(note - first);
	times.first = ticks_time(interface, first->ticks);
	times.last = ticks_time(interface, note[-1].ticks);
	times.min = min == first->ticks ? times.first : ticks_time(interface, min);
	times.max = max == note[-1].ticks ? times.last : ticks_time(interface, max);
	count_times(index, count_sums(index, interface, &sums), &times);
	index->next.records += sums.packets;
	index->next.end += length;
	return sums.packets;
}

/* Counts some of the packets from `*note` on, and moves it behind them; the walk
 * is there. Nothing that is counted at once lies on both sides of a checkpoint. */
static int take_notes(struct merge *m, const struct format_note **note,
		      const struct format_note *end)
{
	struct index *index = m->index;
	uint64_t room;
	int r = index_is_checkpoint(index) ? index_add_checkpoint(index) : 0;

	if (r < 0)
		return index_no_memory(index, r, m->ret_error);
	room = index_checkpoint_record(index->checkpoints.appended) - index->next.records;
	room = count_run(index, *note, *note + MIN((uint64_t)(end - *note), room));
	index->noted += room;
	*note += room;
	return 0;
}

static int merge_scout(struct merge *m, const struct scout *scout)
{
	const struct format_note *note = scout->notes, *end = note + scout->count;
	const uint32_t *interfaces = &m->index->walk.interfaces;
	const bool pcapng = m->index->walk.format->kind == FORMAT_PCAPNG;
	const uint64_t *reached = &m->index->next.end;
	uint64_t at = scout->start;
	int r = 0;

	while (note < end && r == 0) {
		if (at < *reached) { /* not met, or walked */
			at += note++->length;
		} else if (at > *reached) {
			r = m->astray++ == ASTRAY_MAX ? 1 : step(m);
		} else if (pcapng && note->interface >= *interfaces) {
			/* no plain packet, or one of an interface that is not there */
			r = step(m);
		} else {
			r = take_notes(m, &note, end);
			at = *reached;
		}
	}
	return r;
}

int index_merge_window(struct index *index, const struct pktfs_loan *loan,
		       const struct scout_window *window, uint64_t *ret_need,
		       struct pktfs_error *ret_error)
{
	struct merge merge = {
		.index = index,
		.loan = loan,
		.big_endian = index->walk.big_endian,
		.ret_need = ret_need,
		.ret_error = ret_error,
	};
	uint64_t records = index->next.records;
	unsigned i;
	int r = 0;

	for (i = 0; i < window->count && r == 0; i++)
		r = merge_scout(&merge, &window->scouts[i]);
	if (r == 0 && merge.astray > (index->next.records - records) / 2)
		r = 1;
	return r;
}
