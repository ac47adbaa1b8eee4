/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From record to record through a window of bytes: what each of them adds to
 * the counts and tables of a batch.
 */
#include "index_count.h"

static uint64_t table_bytes(const struct table *table)
{
	return table->appended * table->entry_size;
}

/* A new entry of one of the tables. */
static void *append(struct index *index, struct table *table)
{
	uint64_t taken = table_bytes(&index->parts) + table_bytes(&index->checkpoints) +
			 table_bytes(&index->sections) + table_bytes(&index->interfaces);

	index->full = taken + table->entry_size > index->memory;
	return index->full ? NULL : table_append(table);
}

/* Why there was none. */
static int no_room(const struct index *index)
{
	return index->full ? -EFBIG : -ENOMEM;
}

int index_no_memory(const struct index *index, int code, struct pktfs_error *ret_error)
{
	if (code == -EFBIG)
		return error_at(ret_error, code, index->next.end - index->part_start,
				"the index would take more than %llu KiB of memory; see -o memory",
				(unsigned long long)index->memory >> 10);
	return error_at(ret_error, code, index->next.end - index->part_start,
			"no memory for the index");
}

int index_add_section(struct index *index, const struct format_section *section, uint64_t offset)
{
	struct index_section *entry = append(index, &index->sections);

	if (!entry)
		return no_room(index);
	*entry = (struct index_section){
		.offset = offset,
		.part = index->parts.appended - 1,
		.first_interface = index->interfaces.appended,
		.length = section->length,
		.big_endian = section->big_endian,
		.skipped = !section->supported,
		.major = section->major,
		.minor = section->minor,
	};
	return 0;
}

void index_clear_pending(struct index_pending_type *type)
{
	*type = (struct index_pending_type){.min_ns = INT64_MAX, .max_ns = INT64_MIN};
}

/* The slot of a link type, made if it is new; INDEX_MAX_LINK_TYPES when there
 * are too many: its packets are then counted by interface only. */
static unsigned link_slot(struct index *index, uint16_t link_type)
{
	unsigned i, count = atomic_load(&index->link_type_count);

	for (i = 0; i < count; i++)
		if (index->link_types[i].link_type == link_type)
			return i;
	if (count < INDEX_MAX_LINK_TYPES) {
		index->link_types[i].link_type = link_type;
		atomic_store(&index->link_types[i].min_ns, INT64_MAX);
		atomic_store(&index->link_types[i].max_ns, INT64_MIN);
		index_clear_pending(&index->pending_types[i]);
		atomic_store_explicit(&index->link_type_count, count + 1, memory_order_release);
	}
	return i;
}

int index_add_interface(struct index *index, const struct format_interface *interface,
			uint64_t offset, uint64_t length)
{
	struct index_interface *entry = append(index, &index->interfaces);
	uint64_t section = index->sections.appended - 1;
	const struct index_section *in = table_at(&index->sections, section);
	bool fine = (interface->resolution & 0x80) || interface->resolution > 6;

	if (!entry || section > UINT32_MAX)
		return no_room(index);
	entry->offset = offset;
	entry->length = (uint32_t)length;
	entry->section = (uint32_t)section;
	entry->number_in_section =
		(uint32_t)(index->interfaces.appended - 1 - in->first_interface);
	entry->snaplen = interface->snaplen;
	entry->link_type = interface->link_type;
	entry->link_slot = (uint16_t)link_slot(index, interface->link_type);
	entry->resolution = interface->resolution;
	entry->fcs_length = interface->fcs_length;
	entry->offset_seconds = interface->offset_seconds;
	if (fine && entry->link_slot < INDEX_MAX_LINK_TYPES)
		atomic_store(&index->link_types[entry->link_slot].fine, true);
	return 0;
}

struct pktfs_time index_record_time(const struct index_interface *interface,
				    const struct format_record *record)
{
	return pktfs_time_from_ticks(record->ticks, interface->resolution,
				     interface->offset_seconds);
}

/* Counts one packet into the batch. */
static void count_packet(struct index *index, const struct format_record *record)
{
	struct index_interface *interface = count_interface(index, record->interface);
	const struct count_sums sums = {
		.packets = 1,
		.captured = record->captured,
		.original = record->original,
		.padded = util_pad4(record->captured),
		.untimed = !record->has_time,
	};
	struct index_pending_type *type = count_sums(index, interface, &sums);
	struct count_times times;

	if (!record->has_time)
		return;
	times.first = index_record_time(interface, record);
	times.last = times.min = times.max = times.first;
	count_times(index, type, &times);
}

/* The last Interface Statistics Block of an interface is the one that counts:
 * a capture that is still running writes one now and then. */
static void count_statistics(struct index *index, struct cursor block)
{
	const struct index_section *section =
		table_at(&index->sections, index->sections.appended - 1);
	uint64_t interfaces = index->interfaces.appended - section->first_interface;
	struct format_statistics statistics;
	struct index_interface *interface;

	if (format_statistics(block, &statistics) < 0 || statistics.interface >= interfaces)
		return;
	interface = table_at(&index->interfaces, section->first_interface + statistics.interface);
	count_pending(index, interface)->statistics = index->next.metadata + 1;
}

/* Counts a block that is not a packet into the batch, with what it tells. */
static int count_metadata(struct index *index, const struct format_record *record,
			  struct cursor block)
{
	struct format_section section;
	struct format_interface interface;
	struct pktfs_error error;
	int r = 0;

	if (record->class == RECORD_METADATA && record->type == BLOCK_SHB) {
		r = format_section(block, &section, &error);
		/* the step's view: the file may have changed between the two */
		section.supported = !index->walk.skipped;
		section.big_endian = index->walk.big_endian;
		if (r == 0)
			r = index_add_section(index, &section, record->offset);
		if (r == 0 && !section.supported) {
			error_at(&error, -ENOTSUP, record->offset - index->part_start,
				 "section version: found %u.%u; accepted 1.0 and 1.2; "
				 "the section is skipped", section.major, section.minor);
			index_part_error(index, &error);
			index_add_problem(index, &error);
		}
	} else if (record->class == RECORD_METADATA && !index->walk.skipped) {
		if (record->type == BLOCK_IDB && format_interface(block, &interface) == 0)
			r = index_add_interface(index, &interface, record->offset, record->length);
		else if (record->type == BLOCK_ISB)
			count_statistics(index, block);
	}
	if (r < 0)
		return r;
	index->next.metadata++;
	index->next.frames += record->frame;
	return 0;
}

static int add_checkpoint(struct index *index)
{
	const struct index_totals *next = &index->next;
	uint64_t number = index->checkpoints.appended;
	uint64_t epoch = number >> INDEX_EPOCH_SHIFT;
	struct index_checkpoint *checkpoint;
	uint64_t extra = next->frames - next->packets;

	if (epoch >= INDEX_MAX_EPOCHS)
		return -EFBIG;
	checkpoint = append(index, &index->checkpoints);
	if (!checkpoint)
		return no_room(index);
	if ((number & (INDEX_EPOCH - 1)) == 0)
		index->epochs[epoch] = (struct index_epoch){next->metadata, extra};
	checkpoint->offset = next->end;
	atomic_store_explicit(&checkpoint->min_ns, INT64_MAX, memory_order_relaxed);
	atomic_store_explicit(&checkpoint->max_ns, INT64_MIN, memory_order_relaxed);
	checkpoint->metadata = (uint32_t)(next->metadata - index->epochs[epoch].metadata);
	checkpoint->extra_frames = (uint32_t)(extra - index->epochs[epoch].extra_frames);
	index->checkpoint = checkpoint;
	return 0;
}

int index_add_mark(struct index *index)
{
	uint64_t records = index->next.records, number = index->checkpoints.appended;
	uint64_t bytes, done, mask, metadata;
	unsigned shift;
	int r;

	if (records == index_checkpoint_record(number)) {
		r = add_checkpoint(index);
		if (r < 0)
			return r;
		number++;
	}
	shift = index_step_shift(--number);
	mask = (UINT64_C(1) << shift) - 1;
	done = records - index_checkpoint_record(number);
	bytes = index->next.end - index->checkpoint->offset;
	metadata = index->next.metadata - index->epochs[number >> INDEX_EPOCH_SHIFT].metadata;
	if (bytes > UINT32_MAX || metadata != index->checkpoint->metadata)
		bytes = 0;
	if (done && !(done & mask))
		atomic_store_explicit(&index->checkpoint->steps[(done >> shift) - 1],
				      (uint32_t)bytes, memory_order_relaxed);
	index->mark = records + mask + 1 - (done & mask);
	return 0;
}

/* A block that is not a packet, at `at`; `error` says why if it is malformed. */
static int take_metadata(struct index *index, struct format_record *record, const uint8_t *at,
			 struct pktfs_error *error)
{
	record->offset += index->part_start;
	if (record->class == RECORD_MALFORMED) {
		index_part_error(index, error);
		index_add_problem(index, error);
		index->malformed = true;
	}
	return count_metadata(index, record,
			      cursor_over(at, (size_t)record->length, record->big_endian));
}

int index_walk_window(struct index *index, const struct pktfs_loan *loan, unsigned limit,
		      uint64_t *ret_need, struct pktfs_error *ret_error)
{
	const uint64_t start = index->part_start;
	const uint8_t *at = loan->bytes;
	size_t left = loan->size;
	struct format_record record;
	struct cursor window;
	int r;

	while (limit--) {
		r = index_mark(index);
		if (r < 0)
			return index_no_memory(index, r, ret_error);
		window = cursor_over(at, left, index->walk.big_endian);
		record.class = RECORD_PACKET;
		r = format_step(&index->walk, window, index->next.end - start, &record, ret_need,
				ret_error);
		if (unlikely(index->followed && index_doubts(index, r, &record)))
			return -ENOMSG;
		if (r < 0)
			return r;
		if (likely(record.class == RECORD_PACKET))
			count_packet(index, &record);
		else
			r = take_metadata(index, &record, at, ret_error);
		if (unlikely(r < 0))
			return index_no_memory(index, r, ret_error);
		index->next.records++;
		index->next.end += record.length;
		at += record.length;
		left -= (size_t)record.length;
		index_fetch_ahead(at, record.length);
	}
	return 0;
}
