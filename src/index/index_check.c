/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether checkpoints that came from a file lead to each other; see index_saved.h. */
#include "index_saved.h"

#include "util/util_time.h"

/* The time of a packet must be in the span of the checkpoint before it. */
static int check_time(const struct index *index, const struct index_checkpoint *checkpoint,
		      const struct index_place *place, const struct format_record *record)
{
	const struct index_interface *interface;
	int64_t ns;

	if (record->class != RECORD_PACKET || !record->has_time)
		return 0;
	interface = index_interface(index, index_record_interface(index, place->section, record));
	ns = time_to_ns(index_record_time(interface, record));
	return ns < checkpoint->min_ns || ns > checkpoint->max_ns ? -ESTALE : 0;
}

/* A section or an interface must be the one that the tables have. `place` is behind
 * it. */
static int check_block(const struct index *index, const struct index_place *place,
		       const struct format_record *record)
{
	uint64_t number;

	if (record->class != RECORD_METADATA)
		return 0;
	if (record->type == BLOCK_SHB)
		return index_section(index, place->section)->offset == record->offset ? 0 : -ESTALE;
	if (record->type != BLOCK_IDB || place->walk.skipped)
		return 0;
	number = index_section(index, place->section)->first_interface + place->walk.interfaces - 1;
	return number < index_interfaces(index) &&
			       index_interface(index, number)->offset == record->offset
		       ? 0
		       : -ESTALE;
}

static bool is_same(const struct index_place *a, const struct index_place *b)
{
	return a->record == b->record && a->offset == b->offset && a->packet == b->packet &&
	       a->metadata == b->metadata && a->frame == b->frame && a->section == b->section &&
	       a->walk.big_endian == b->walk.big_endian && a->walk.skipped == b->walk.skipped &&
	       a->walk.interfaces == b->walk.interfaces;
}

/* Where the records behind a checkpoint must lead. */
static void place_behind(const struct index *index, uint64_t number, struct index_place *ret)
{
	const struct index_saved *saved = &index->saved;

	if (number + 1 < saved->checkpoints) {
		index_place_at(index, number + 1, 0, ret);
		return;
	}
	*ret = (struct index_place){.record = saved->records,
				    .packet = saved->packets,
				    .metadata = saved->metadata,
				    .frame = saved->frames,
				    .offset = saved->end};
	index_place_before(index, ret);
}

/* Steps were not saved: there are some up to the first record that is no packet. */
static void note_step(uint64_t number, const struct index_place *from,
		      const struct index_place *place, uint32_t steps[INDEX_STEPS])
{
	uint64_t done = place->record - from->record, bytes = place->offset - from->offset;
	uint64_t step = done >> index_step_shift(number);

	if (step << index_step_shift(number) == done && step > 0 && step <= INDEX_STEPS &&
	    place->metadata == from->metadata && bytes <= UINT32_MAX)
		steps[step - 1] = (uint32_t)bytes;
}

/* Now that they are known to be right. Those behind what was saved are the index
 * thread's. */
static void keep_steps(struct index *index, uint64_t number, const uint32_t steps[INDEX_STEPS])
{
	struct index_checkpoint *checkpoint = table_at(&index->checkpoints, number);

	for (unsigned i = 0; i < INDEX_STEPS; i++)
		if (steps[i])
			atomic_store_explicit(&checkpoint->steps[i], steps[i],
					      memory_order_relaxed);
}

/* 0; -ESTALE: they do not lead to `end`; or what failed. */
static int walk_to(struct index *index, uint64_t number, const struct index_place *end)
{
	const struct index_checkpoint *from = table_at(&index->checkpoints, number);
	struct pktfs_loan loan = {0};
	struct format_record record;
	uint32_t steps[INDEX_STEPS] = {0};
	struct index_place start, place;
	int r = 0;

	index_place_at(index, number, 0, &start);
	place = start;
	while (r == 0 && place.record < end->record) {
		r = index_step_on(index, &place, &loan, &record);
		if (r == 0)
			r = check_block(index, &place, &record);
		if (r == 0)
			r = check_time(index, from, &place, &record);
		if (r == 0)
			note_step(number, &start, &place, steps);
	}
	if (source_return(&loan) < 0) /* then it may not have been these bytes */
		return -EIO;
	if (r == 0 && !is_same(&place, end))
		r = -ESTALE;
	if (r == 0)
		keep_steps(index, number, steps);
	return r;
}

static int say_wrong(struct index *index, const struct index_place *end)
{
	UTIL_LOCK_SCOPE(&index->lock);
	index->saved.use = INDEX_USE_WRONG;
	error_at(&index->saved.reason, -EIO, end->offset,
		 "the index that was kept does not fit the capture; mount it again for a new one");
	atomic_store(&index->saved.wrong, true);
	return -EIO;
}

int index_check_from(struct index *index, uint64_t number)
{
	_Atomic uint64_t *walked = &index->saved.walked[number / 64];
	uint64_t bit = UINT64_C(1) << number % 64;
	struct index_place end;
	int r;

	if (atomic_load(&index->saved.wrong))
		return -EIO;
	if (atomic_load_explicit(walked, memory_order_relaxed) & bit)
		return 0;
	place_behind(index, number, &end);
	r = walk_to(index, number, &end);
	if (r == -EIO) /* a fault elsewhere in the file may have spoilt the walk: */
		r = walk_to(index, number, &end);
	if (r == 0)
		atomic_fetch_or_explicit(walked, bit, memory_order_relaxed);
	return r == -ESTALE ? say_wrong(index, &end) : r;
}

int index_check(struct index *index, struct index_place *place)
{
	uint64_t number;
	int r;

	if (place->record >= index->saved.records) {
		place->checked = UINT64_MAX;
		return 0;
	}
	number = index_checkpoint_of(place->record);
	r = index_check_from(index, number);
	if (r == 0)
		place->checked = index_checkpoint_record(number + 1);
	return r;
}
