/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index thread: walks the records in batches. A batch is walked over lent
 * bytes, then the bytes are verified, then the batch is published; one whose
 * bytes were changed or cut meanwhile is thrown away and walked again record
 * by record, so that what was sound is kept and nothing is invented.
 */
#include "index_internal.h"

#include <assert.h>
#include <string.h>

#include "util/util_time.h"

void index_add_problem(struct index *index, const struct pktfs_error *error)
{
	UTIL_LOCK_SCOPE(&index->lock);
	if (index->problem_count < INDEX_MAX_PROBLEMS)
		index->problems[index->problem_count] = *error;
	index->problem_count++;
}

int index_add_section(struct index *index, const struct format_section *section, uint64_t offset)
{
	struct index_section *entry = table_append(&index->sections);

	if (!entry)
		return -ENOMEM;
	*entry = (struct index_section){
		.offset = offset,
		.first_interface = index->interfaces.appended,
		.length = section->length,
		.big_endian = section->big_endian,
		.skipped = !section->supported,
		.major = section->major,
		.minor = section->minor,
	};
	return 0;
}

static void clear_pending(struct index_link_type *type)
{
	type->packets = type->captured_bytes = type->padded_bytes = 0;
	type->min_ns = INT64_MAX;
	type->max_ns = INT64_MIN;
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
		clear_pending(&index->pending_types[i]);
		atomic_store_explicit(&index->link_type_count, count + 1, memory_order_release);
	}
	return i;
}

int index_add_interface(struct index *index, const struct format_interface *interface,
			uint64_t offset, uint64_t length)
{
	struct index_interface *entry = table_append(&index->interfaces);
	uint64_t section = index->sections.appended - 1;
	const struct index_section *in = table_at(&index->sections, section);
	bool fine = (interface->resolution & 0x80) || interface->resolution > 6;

	if (!entry || section > UINT32_MAX)
		return -ENOMEM;
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

static void count_time(struct index *index, struct index_checkpoint *checkpoint,
		       struct index_link_type *type, struct pktfs_time time)
{
	struct index_totals *next = &index->next;
	int64_t ns = time_to_ns(time);

	if (ns < atomic_load_explicit(&checkpoint->min_ns, memory_order_relaxed))
		atomic_store_explicit(&checkpoint->min_ns, ns, memory_order_relaxed);
	if (ns > atomic_load_explicit(&checkpoint->max_ns, memory_order_relaxed))
		atomic_store_explicit(&checkpoint->max_ns, ns, memory_order_relaxed);
	if (type) {
		type->min_ns = MIN(type->min_ns, ns);
		type->max_ns = MAX(type->max_ns, ns);
	}
	if (!next->has_time) {
		next->has_time = true;
		next->first_time = next->min_time = next->max_time = time;
	}
	next->last_time = time;
	if (time_compare(time, next->min_time) < 0)
		next->min_time = time;
	if (time_compare(time, next->max_time) > 0)
		next->max_time = time;
}

/* Counts one packet into the batch. */
static void count_packet(struct index *index, const struct format_record *record)
{
	const struct index_section *section =
		table_at(&index->sections, index->sections.appended - 1);
	struct index_interface *interface =
		table_at(&index->interfaces, section->first_interface + record->interface);
	struct index_pending *pending = &interface->pending;
	struct index_link_type *type = NULL;

	if (!pending->listed) {
		pending->listed = true;
		pending->next = index->pending;
		index->pending = interface;
	}
	pending->packets++;
	pending->captured_bytes += record->captured;
	pending->original_bytes += record->original;
	if (interface->link_slot < INDEX_MAX_LINK_TYPES) {
		type = &index->pending_types[interface->link_slot];
		type->packets++;
		type->captured_bytes += record->captured;
		type->padded_bytes += util_pad4(record->captured);
		type->untimed |= !record->has_time;
	}
	index->next.packets++;
	index->next.frames++;
	index->next.captured_bytes += record->captured;
	index->next.original_bytes += record->original;
	if (record->has_time)
		count_time(index, index->checkpoint, type, index_record_time(interface, record));
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
	atomic_store(&interface->statistics, index->next.metadata + 1);
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
			error_at(&error, -ENOTSUP, record->offset,
				 "section version: found %u.%u; accepted 1.0 and 1.2; "
				 "the section is skipped", section.major, section.minor);
			index_add_problem(index, &error);
		}
	} else if (record->class == RECORD_METADATA && !index->walk.skipped) {
		if (record->type == BLOCK_IDB && format_interface(block, &interface) == 0)
			r = index_add_interface(index, &interface, record->offset, record->length);
		else if (record->type == BLOCK_ISB)
			count_statistics(index, block);
	}
	index->next.metadata++;
	index->next.frames += record->frame;
	return r;
}

/* A checkpoint before the next record, where one is due. */
static int add_checkpoint(struct index *index)
{
	const struct index_totals *next = &index->next;
	uint64_t number = index->checkpoints.appended;
	uint64_t epoch = number >> INDEX_EPOCH_SHIFT;
	struct index_checkpoint *checkpoint;
	uint64_t extra = next->frames - next->packets;

	if (likely(next->records != index_checkpoint_record(number)))
		return 0;
	if (epoch >= INDEX_MAX_EPOCHS)
		return -EFBIG;
	checkpoint = table_append(&index->checkpoints);
	if (!checkpoint)
		return -ENOMEM;
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

/*
 * Walks up to `limit` records in `loan`, whose first byte is at next.end.
 * Returns 0 after `limit` records, -EAGAIN where the window ends inside a
 * record (*ret_need: the bytes that it takes), or what stops the walk.
 */
static int walk_window(struct index *index, const struct pktfs_loan *loan, unsigned limit,
		       uint64_t *ret_need, struct pktfs_error *ret_error)
{
	const uint8_t *at = loan->bytes;
	size_t left = loan->size;
	struct format_record record;
	struct cursor window;
	int r = 0;

	while (limit-- && r == 0) {
		r = add_checkpoint(index);
		if (r < 0)
			return error_at(ret_error, r, index->next.end, "no memory for the index");
		window = cursor_over(at, left, index->walk.big_endian);
		record.class = RECORD_PACKET;
		r = format_step(&index->walk, window, index->next.end, &record, ret_need,
				ret_error);
		if (r < 0)
			return r;
		if (likely(record.class == RECORD_PACKET)) {
			count_packet(index, &record);
		} else {
			if (record.class == RECORD_MALFORMED) {
				index_add_problem(index, ret_error);
				index->malformed = true;
			}
			r = count_metadata(index, &record,
					   cursor_over(at, (size_t)record.length,
						       record.big_endian));
		}
		index->next.records++;
		index->next.end += record.length;
		at += record.length;
		left -= (size_t)record.length;
		index_fetch_ahead(at, record.length);
	}
	return r;
}

/* Adds what the batch counted to what readers see. */
static void publish_counters(struct index *index)
{
	unsigned i, count = atomic_load(&index->link_type_count);
	struct index_interface *interface;

	while ((interface = index->pending)) {
		index->pending = interface->pending.next;
		interface->packets += interface->pending.packets;
		interface->captured_bytes += interface->pending.captured_bytes;
		interface->original_bytes += interface->pending.original_bytes;
		interface->pending = (struct index_pending){0};
	}
	for (i = 0; i < count; i++) {
		struct index_link_type *from = &index->pending_types[i];
		struct index_link_type *to = &index->link_types[i];

		to->packets += from->packets;
		to->captured_bytes += from->captured_bytes;
		to->padded_bytes += from->padded_bytes;
		to->untimed |= from->untimed;
		to->min_ns = MIN(to->min_ns, from->min_ns);
		to->max_ns = MAX(to->max_ns, from->max_ns);
		clear_pending(from);
	}
}

static void notify(struct index *index, bool final)
{
	void (*listener)(void *) = atomic_load_explicit(&index->notify, memory_order_acquire);
	struct timespec now;
	int64_t ms;

	if (!listener)
		return;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	ms = (now.tv_sec - index->notified.tv_sec) * 1000 +
	     (now.tv_nsec - index->notified.tv_nsec) / 1000000;
	if (!final && ms < INDEX_NOTIFY_MS)
		return;
	index->notified = now;
	listener(index->notify_context);
}

static void publish(struct index *index)
{
	publish_counters(index);
	table_publish(&index->sections);
	table_publish(&index->interfaces);
	table_publish(&index->checkpoints);
	pthread_mutex_lock(&index->lock);
	index->totals = index->next;
	atomic_store_explicit(&index->end, index->next.end, memory_order_release);
	atomic_store_explicit(&index->records, index->next.records, memory_order_release);
	atomic_store_explicit(&index->metadata, index->next.metadata, memory_order_release);
	atomic_store_explicit(&index->packets, index->next.packets, memory_order_release);
	pthread_cond_broadcast(&index->changed);
	pthread_mutex_unlock(&index->lock);
	notify(index, index->next.state != INDEX_RUNNING);
}

/* Forgets the batch: back to what is published. */
static void discard(struct index *index, const struct format_walk *walk)
{
	struct index_interface *interface;
	unsigned i;

	while ((interface = index->pending)) {
		index->pending = interface->pending.next;
		interface->pending = (struct index_pending){0};
	}
	for (i = 0; i < INDEX_MAX_LINK_TYPES; i++)
		clear_pending(&index->pending_types[i]);
	index->sections.appended = table_count(&index->sections);
	index->interfaces.appended = table_count(&index->interfaces);
	index->checkpoints.appended = table_count(&index->checkpoints);
	if (index->checkpoints.appended)
		index->checkpoint = table_at(&index->checkpoints, index->checkpoints.appended - 1);
	index->walk = *walk;
	pthread_mutex_lock(&index->lock);
	index->next = index->totals;
	index->problem_count = index->batch_problems;
	pthread_mutex_unlock(&index->lock);
}

/*
 * Walks and publishes one batch of at most `limit` records. Returns 0, or
 * -EAGAIN (*ret_need bytes at next.end are wanted), or what stops the walk;
 * what was walked before that is published. -ESTALE: the bytes changed under
 * the walk, and the batch was thrown away.
 */
static int walk_batch(struct index *index, struct pktfs_loan *loan, unsigned limit,
		      uint64_t *ret_need, struct pktfs_error *ret_error)
{
	struct format_walk walk = index->walk;
	uint64_t start = index->next.end;
	int r;

	index->batch_problems = index_problems(index);
	r = walk_window(index, loan, limit, ret_need, ret_error);
	if (source_verify_to(loan, (size_t)(index->next.end - start)) < 0) {
		discard(index, &walk);
		return -ESTALE;
	}
	publish(index);
	return r;
}

/* The file ended. Between two records that is its proper end. */
static enum index_state at_end(struct index *index, uint64_t need)
{
	struct pktfs_error error;
	uint64_t there, missing_from = index->next.end;
	bool final;
	int r = source_problem(index->source, &error);

	there = source_available(index->source, &final);
	if (r < 0) {
		index_add_problem(index, &error);
		return r == -ENODATA ? INDEX_TRUNCATED : INDEX_DAMAGED;
	}
	if (there <= missing_from)
		return INDEX_COMPLETE;
	error_at(&error, -ENODATA, missing_from,
		 "record cut at the end of the file: found %llu bytes of it; it needs %llu",
		 (unsigned long long)(there - missing_from), (unsigned long long)need);
	index_add_problem(index, &error);
	return INDEX_TRUNCATED;
}

/* What a failed borrow or step means for the index; INDEX_RUNNING: go on. */
static enum index_state stopped(struct index *index, int r, uint64_t need,
				struct pktfs_error *error)
{
	if (r == -EAGAIN) /* not there yet */
		return source_wait(index->source, index->next.end + need) < 0 ? INDEX_DAMAGED
									       : INDEX_RUNNING;
	if (r == -ENODATA)
		return at_end(index, need);
	if (r == -EBADMSG && !error->code && source_problem(index->source, error) == 0)
		error_at(error, r, index->next.end, "compressed data is damaged");
	if (!error->code)
		error_at(error, r, index->next.end, "cannot be read: %s", strerror(-r));
	index_add_problem(index, error);
	return INDEX_DAMAGED;
}

static bool cancelled(struct index *index)
{
	UTIL_LOCK_SCOPE(&index->lock);
	return index->cancelled;
}

/* Walks until the capture ends or is left; returns how it ended. */
static enum index_state walk(struct index *index)
{
	unsigned limit = INDEX_BATCH_FIRST, stale = 0;
	enum index_state state = INDEX_RUNNING;
	struct pktfs_error error;
	struct pktfs_loan loan;
	uint64_t need = 1;
	int r;

	while (state == INDEX_RUNNING && !cancelled(index)) {
		error.code = 0;
		r = source_borrow(index->source, index->next.end, (size_t)need, &loan);
		if (r == 0) {
			need = 1;
			r = walk_batch(index, &loan, limit, &need, &error);
			source_return(&loan);
			if (r == -EAGAIN) {
				assert(index->next.end + need > loan.offset + loan.size);
				continue; /* borrow the whole record */
			}
			if (r == -ESTALE && limit > 1) {
				limit = 1;
				continue;
			}
			if (r == -ESTALE && ++stale < 3)
				continue;
			if (r == -ESTALE)
				r = -EIO;
			if (r != -EIO)
				stale = 0;
			limit = MIN(limit * 2, INDEX_BATCH_LAST);
		}
		if (r < 0)
			state = stopped(index, r, need, &error);
	}
	return state;
}

void *index_walk_main(void *arg)
{
	struct index *index = arg;
	enum index_state state = walk(index);

	if (state == INDEX_RUNNING) /* cancelled */
		return NULL;
	if (state == INDEX_COMPLETE && index->malformed)
		state = INDEX_DAMAGED;
	index->next.state = state;
	publish(index);
	return NULL;
}
