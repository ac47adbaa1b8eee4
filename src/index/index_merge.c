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

/* Sums up packets of one interface, from the first one on and up to `end`; their
 * order by ticks is that by time. */
static void count_run(struct index *index, const struct format_note *first,
		      const struct format_note *end)
{
	struct index_interface *interface = count_interface(index, first->interface);
	struct count_sums sums = {.packets = (uint64_t)(end - first)};
	uint64_t min = UINT64_MAX, max = 0;
	const struct format_note *note;
	struct count_times times;

	for (note = first; note < end; note++) {
		sums.captured += note->captured;
		sums.original += note->original;
		sums.padded += util_pad4(note->captured);
		min = MIN(min, note->ticks);
		max = MAX(max, note->ticks);
	}
	times.first = ticks_time(interface, first->ticks);
	times.last = ticks_time(interface, end[-1].ticks);
	times.min = min == first->ticks ? times.first : ticks_time(interface, min);
	times.max = max == end[-1].ticks ? times.last : ticks_time(interface, max);
	count_times(index, count_sums(index, interface, &sums), &times);
}

/* Goes over packets up to the next mark, or of another interface. */
static const struct format_note *pass(struct index *index, const struct format_note *note,
				      const struct format_note *end, uint32_t interface)
{
	const struct format_note *first = note;
	uint64_t length = 0;

	end = note + MIN((uint64_t)(end - note), index->mark - index->next.records);
	for (; note < end && note->interface == interface; note++)
		length += note->length;
	index->next.records += (uint64_t)(note - first);
	index->next.end += length;
	return note;
}

/* Counts some of the packets from `*note` on, and moves it behind them; the walk
 * is there. Nothing that is counted at once lies on both sides of a checkpoint. */
static int take_notes(struct merge *m, const struct format_note **note,
		      const struct format_note *end)
{
	const struct format_note *first = *note, *at = first;
	const uint32_t interface = first->interface;
	struct index *index = m->index;
	uint64_t checkpoint, room;
	int r = index_mark(index);

	if (r < 0)
		return index_no_memory(index, r, m->ret_error);
	checkpoint = index_checkpoint_record(index->checkpoints.appended);
	room = checkpoint - index->next.records;
	end = first + MIN((uint64_t)(end - first), room);
	for (;;) {
		at = pass(index, at, end, interface);
		if (at == end || at->interface != interface)
			break;
		index_mark(index); /* a step, which is always there */
	}
	count_run(index, first, at);
	index->noted += (uint64_t)(at - first);
	*note = at;
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
