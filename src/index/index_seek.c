/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the index: from a number to its checkpoint, and from there on record
 * by record. Only what is published is looked at, so there is no lock.
 */
#include "index_internal.h"

#include <string.h>

uint64_t index_checkpoint_of(uint64_t record)
{
	uint64_t epoch = 0;

	while (index_epoch_record(epoch + 1) <= record)
		epoch++;
	return (epoch << INDEX_EPOCH_SHIFT) +
	       ((record - index_epoch_record(epoch)) >> index_epoch_shift(epoch));
}

static uint64_t metadata_before(const struct index *index, uint64_t checkpoint)
{
	const struct index_checkpoint *c = table_at(&index->checkpoints, checkpoint);

	return index->epochs[checkpoint >> INDEX_EPOCH_SHIFT].metadata + c->metadata;
}

static uint64_t section_offset(const struct index *index, uint64_t number)
{
	return index_section(index, number)->offset;
}

static uint64_t interface_offset(const struct index *index, uint64_t number)
{
	return index_interface(index, number)->offset;
}

/* How many of `count` sections or interfaces begin before `offset`. */
static uint64_t count_before(const struct index *index, uint64_t count, uint64_t offset,
			     uint64_t (*offset_of)(const struct index *index, uint64_t number))
{
	uint64_t low = 0, high = count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (offset_of(index, middle) < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The part of record `record`: the last that begins at or before it. */
static uint64_t part_of(const struct index *index, uint64_t record)
{
	uint64_t low = 0, high = index_parts(index) - 1;

	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;

		if (index_part(index, middle)->first_record <= record)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* To the first record of a part, with the format of that. */
static void enter_part(const struct index *index, struct index_place *place, uint64_t number)
{
	const struct index_part *part = index_part(index, number);

	place->part = number;
	place->offset = part->start + part->format.first_record;
	place->section = part->first_section;
	if (part->format.kind == FORMAT_PCAPNG && place->section > 0)
		place->section--; /* its SHB is yet to come */
	format_walk_start(&place->walk, &part->format);
}

/* Where the records of one part end, those of the next begin. */
static __attribute__((noinline)) void change_part(const struct index *index,
						  struct index_place *place)
{
	uint64_t number = place->part, count = index_parts(index);

	while (number + 1 < count &&
	       index_part(index, number + 1)->first_record <= place->record)
		number++;
	if (number != place->part)
		enter_part(index, place, number);
}

/* What a walk knows when it reaches place->offset, behind the first record of a
 * part. */
static void resume_walk(const struct index *index, struct index_place *place)
{
	const struct index_part *part = index_part(index, place->part);
	const struct index_section *section;
	struct format_walk *walk = &place->walk;
	uint64_t sections, interfaces;

	format_walk_start(walk, &part->format);
	place->section = part->first_section;
	if (part->format.kind != FORMAT_PCAPNG)
		return;
	sections = count_before(index, index_sections(index), place->offset, section_offset);
	if (sections <= part->first_section)
		return;
	place->section = sections - 1;
	section = index_section(index, place->section);
	interfaces = count_before(index, index_interfaces(index), place->offset, interface_offset);
	walk->big_endian = section->big_endian;
	walk->skipped = section->skipped;
	walk->in_section = true;
	if (interfaces <= section->first_interface)
		return;
	walk->interfaces = (uint32_t)(interfaces - section->first_interface);
	walk->snaplen = index_interface(index, section->first_interface)->snaplen;
}

void index_place_before(const struct index *index, struct index_place *place)
{
	place->checked = 0;
	place->part = part_of(index, place->record);
	if (place->record == index_part(index, place->part)->first_record)
		enter_part(index, place, place->part);
	else
		resume_walk(index, place);
}

/* From a checkpoint to a step behind it: to the last one that is not behind `record`
 * and has nothing but packets before it. */
static void take_step(const struct index *index, uint64_t checkpoint, uint64_t record,
		      struct index_place *place)
{
	const struct index_checkpoint *c = table_at(&index->checkpoints, checkpoint);
	uint64_t number, records = atomic_load_explicit(&index->records, memory_order_acquire);
	const unsigned shift = index_step_shift(checkpoint);
	uint32_t bytes = 0;

	record = MIN(record, records);
	if (record <= place->record)
		return;
	number = MIN((record - place->record) >> shift, (uint64_t)INDEX_STEPS);
	for (; number > 0 && bytes == 0; number--)
		bytes = atomic_load_explicit(&c->steps[number - 1], memory_order_relaxed);
	if (bytes == 0)
		return;
	number++;
	place->record += number << shift;
	place->packet += number << shift;
	place->frame += number << shift;
	place->offset += bytes;
}

/* At a checkpoint, or at a step behind it that is not behind `record`. */
void index_place_at(const struct index *index, uint64_t checkpoint, uint64_t record,
		    struct index_place *ret)
{
	const struct index_checkpoint *c = table_at(&index->checkpoints, checkpoint);
	const struct index_epoch *epoch = &index->epochs[checkpoint >> INDEX_EPOCH_SHIFT];

	ret->record = index_checkpoint_record(checkpoint);
	ret->metadata = epoch->metadata + c->metadata;
	ret->packet = ret->record - ret->metadata;
	ret->frame = ret->packet + epoch->extra_frames + c->extra_frames;
	ret->offset = c->offset;
	take_step(index, checkpoint, record, ret);
	index_place_before(index, ret);
}

/* Where the walk starts when nothing is indexed. */
static void place_at_start(const struct index *index, struct index_place *ret)
{
	*ret = (struct index_place){0};
	enter_part(index, ret, 0);
}

/*
 * The last of the `count` published checkpoints for which a count that never
 * falls (packets or metadata before it) is not above `number`. Record `number`
 * is a good first guess; there are at most `others` records more before it.
 */
static uint64_t find(const struct index *index, uint64_t count, uint64_t number, uint64_t others,
		     bool packets)
{
	uint64_t low = MIN(index_checkpoint_of(number), count - 1);
	uint64_t high = MIN(index_checkpoint_of(number + others), count - 1);
	uint64_t middle, before;

	while (low < high) {
		middle = low + (high - low + 1) / 2;
		before = metadata_before(index, middle);
		if (packets)
			before = index_checkpoint_record(middle) - before;
		if (before <= number)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/*
 * To the first record of the last part for which what comes before it is not above
 * `number`: whoever walks to something in a part does not need the part before, which
 * may be gone.
 */
static void skip_parts(const struct index *index, uint64_t number, bool packets,
		       struct index_place *place)
{
	uint64_t count = index_parts(index), at = place->part;
	const struct index_part *next = NULL, *part;

	for (; at + 1 < count; at++) {
		part = index_part(index, at + 1);
		if ((packets ? part->first_packet : part->first_metadata) > number)
			break;
		next = part;
	}
	if (!next)
		return;
	place->record = next->first_record;
	place->packet = next->first_packet;
	place->metadata = next->first_metadata;
	place->frame = next->first_frame;
	enter_part(index, place, at);
}

void index_seek_packet(struct index *index, uint64_t packet, struct index_place *ret)
{
	uint64_t count = table_count(&index->checkpoints), at;

	if (count == 0) {
		place_at_start(index, ret);
	} else {
		at = find(index, count, packet, index_metadata(index), true);
		index_place_at(index, at, packet + metadata_before(index, at), ret);
	}
	skip_parts(index, packet, true, ret);
}

void index_seek_metadata(struct index *index, uint64_t metadata, struct index_place *ret)
{
	uint64_t count = table_count(&index->checkpoints), at;

	if (count == 0) {
		place_at_start(index, ret);
	} else {
		at = find(index, count, metadata, index_packets(index), false);
		index_place_at(index, at, 0, ret);
	}
	skip_parts(index, metadata, false, ret);
}

void index_seek_record(struct index *index, uint64_t record, struct index_place *ret)
{
	uint64_t count = table_count(&index->checkpoints);

	if (count == 0)
		place_at_start(index, ret);
	else
		index_place_at(index, MIN(index_checkpoint_of(record), count - 1), record, ret);
}

void index_seek_offset(struct index *index, uint64_t offset, struct index_place *ret)
{
	uint64_t low = 0, count = table_count(&index->checkpoints), high = count ? count - 1 : 0;

	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;
		const struct index_checkpoint *c = table_at(&index->checkpoints, middle);

		if (c->offset <= offset)
			low = middle;
		else
			high = middle - 1;
	}
	if (count == 0)
		place_at_start(index, ret);
	else
		index_place_at(index, low, 0, ret);
}

void index_span(struct index *index, uint64_t packet, uint64_t *ret_first, uint64_t *ret_last,
		int64_t *ret_min_ns, int64_t *ret_max_ns)
{
	uint64_t packets = index_packets(index), count = table_count(&index->checkpoints);
	uint64_t at = find(index, count, packet, index_metadata(index), true);
	const struct index_checkpoint *checkpoint = table_at(&index->checkpoints, at);

	*ret_first = index_checkpoint_record(at) - metadata_before(index, at) + 1;
	*ret_last = packets;
	if (at + 1 < count)
		*ret_last = index_checkpoint_record(at + 1) - metadata_before(index, at + 1);
	*ret_min_ns = checkpoint->min_ns;
	*ret_max_ns = checkpoint->max_ns;
}

/* Lends at least `size` bytes at `offset` instead of what is lent now. */
static int lend(struct index *index, uint64_t offset, size_t size, struct pktfs_loan *loan)
{
	int r = source_return(loan);

	*loan = (struct pktfs_loan){0};
	return r < 0 ? r : source_borrow(index->source, offset, size, loan);
}

/* A file that was written to may hold sections and interfaces that the tables
 * do not have. */
static bool is_known(const struct index *index, const struct index_place *place,
		     const struct format_record *record)
{
	if (record->class == RECORD_PACKET)
		return index_record_interface(index, place->section, record) <
		       index_interfaces(index);
	return record->class != RECORD_METADATA || record->type != BLOCK_SHB ||
	       record->offset == index_section(index, 0)->offset ||
	       place->section + 1 < index_sections(index);
}

int index_step_on(struct index *index, struct index_place *place, struct pktfs_loan *loan,
		  struct format_record *ret)
{
	uint64_t need = 1, at;
	int r = -EAGAIN;

	if (unlikely(place->part + 1 < index_parts(index)))
		change_part(index, place);
	while (r == -EAGAIN) {
		at = place->offset - loan->offset;
		if (place->offset < loan->offset || at >= loan->size || need > loan->size - at) {
			r = lend(index, place->offset, (size_t)need, loan);
			if (r < 0)
				return r;
			at = 0;
			index_fetch_first(loan->bytes);
		}
		r = format_step(&place->walk,
				cursor_over(loan->bytes + at, loan->size - (size_t)at,
					    place->walk.big_endian),
				place->offset, ret, &need, NULL);
	}
	if (r < 0) /* it was sound when it was indexed: the file was changed */
		return -ESTALE;
	if (unlikely(!is_known(index, place, ret)))
		return -ESTALE;
	index_fetch_ahead(loan->bytes + at + ret->length, ret->length);
	loan->requested = MAX(loan->requested, (size_t)(at + ret->length));
	if (ret->class == RECORD_PACKET) {
		place->packet++;
	} else {
		place->metadata++;
		if (ret->class == RECORD_METADATA && ret->type == BLOCK_SHB &&
		    ret->offset != index_section(index, 0)->offset)
			place->section++;
	}
	place->frame += ret->frame;
	place->record++;
	place->offset += ret->length;
	return 0;
}

int index_step(struct index *index, struct index_place *place, struct pktfs_loan *loan,
	       struct format_record *ret)
{
	int r = 0;

	if (place->record >= atomic_load_explicit(&index->records, memory_order_acquire))
		return -ENOENT;
	if (unlikely(place->record >= place->checked))
		r = index_check(index, place);
	if (likely(r == 0))
		r = index_step_on(index, place, loan, ret);
	return unlikely(r == -ESTALE) ? -EIO : r;
}

uint64_t index_record_interface(const struct index *index, uint64_t section,
				const struct format_record *record)
{
	return index_section(index, section)->first_interface + record->interface;
}
