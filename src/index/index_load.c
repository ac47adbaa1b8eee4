/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes an index of what was saved; see index_saved.h. It is decoded into a draft,
 * an index of its own, and only what has proved sound there is taken over.
 */
#include "index_saved.h"

#include <string.h>

#include "index_loading.h"

/* What of the capture is still as it was. */
static int check_key(struct loading *loading, const struct index *index, uint64_t end)
{
	const struct index_key *now = &loading->draft->saved.opened, *then = &loading->key;
	struct index_key hashed = *now;
	int r;

	if (then->device != now->device || then->inode != now->inode)
		return loading_fail(loading, -ESTALE, "it is of another file");
	if (index->followed && !loading->followed)
		return loading_fail(loading, -ESTALE, "it takes the capture for finished");
	if (then->size > now->size || then->size < end)
		return loading_fail(loading, -ESTALE, "the capture is shorter than it was");
	if (then->size == now->size && !index_key_same_time(then, now))
		return loading_fail(loading, -ESTALE, "the capture was changed since");
	r = index_key_hash(loading->draft, end, &hashed);
	if (r < 0)
		return loading_fail(loading, r, "the capture cannot be read: %s", strerror(-r));
	if (hashed.head != then->head || hashed.tail != then->tail)
		return loading_fail(loading, -ESTALE, "the capture has other bytes than it had");
	return 0;
}

/* Some of the walks that lead from checkpoint to checkpoint, the first and the last
 * among them. */
static int check_samples(struct loading *loading)
{
	struct index *draft = loading->draft;
	uint64_t last = draft->saved.checkpoints - 1, i, number;
	int r = 0;

	for (i = 0; i < SAVED_SAMPLES && r == 0; i++) {
		number = last < SAVED_SAMPLES ? MIN(i, last) : last / (SAVED_SAMPLES - 1) * i;
		if (i == SAVED_SAMPLES - 1)
			number = last;
		r = index_check_from(draft, number);
	}
	if (r == 0)
		return 0;
	return loading_fail(loading, r, "its checkpoints do not fit the capture");
}

/* As far as the walk that was saved had come. */
static int note_ends(struct loading *loading)
{
	struct index *draft = loading->draft;
	struct index_saved *saved = &draft->saved;

	saved->checkpoints = draft->checkpoints.appended;
	saved->records = draft->next.records;
	saved->packets = draft->next.packets;
	saved->metadata = draft->next.metadata;
	saved->frames = draft->next.frames;
	saved->end = draft->next.end;
	saved->walked = calloc((size_t)(saved->checkpoints / 64 + 1), sizeof(*saved->walked));
	if (!saved->walked)
		return loading_fail(loading, -ENOMEM, "no memory for it");
	index_publish(draft, false);
	return 0;
}

static int open_draft(struct index *index, struct loading *loading)
{
	int r = index_open(index->source, &loading->draft, &loading->error);

	if (r < 0)
		return r;
	loading->draft->memory = index->memory;
	r = loading->draft->saved.unknown;
	if (r == 0) /* the capture as it was before others were told of it */
		loading->draft->saved.opened = index->saved.opened;
	return r < 0 ? loading_fail(loading, r, "indexes are kept of one plain file only") : 0;
}

static int load(struct index *index, struct loading *loading)
{
	uint64_t end;
	int r = open_draft(index, loading);

	if (r == 0)
		r = loading_head(loading, &end);
	if (r == 0)
		r = check_key(loading, index, end);
	if (r == 0)
		r = loading_body(loading);
	if (r == 0)
		r = note_ends(loading);
	return r == 0 ? check_samples(loading) : r;
}

/* ---- what has proved sound */

static void take_sums(struct index_interface *to, const struct index_interface *from)
{
	atomic_store(&to->packets, atomic_load(&from->packets));
	atomic_store(&to->captured_bytes, atomic_load(&from->captured_bytes));
	atomic_store(&to->original_bytes, atomic_load(&from->original_bytes));
	atomic_store(&to->statistics, atomic_load(&from->statistics));
}

/* The section and the interface of a pcap file are there already. */
static int take_tables(struct index *index, struct index *draft)
{
	struct index_interface *interface;
	struct index_section *section;
	uint64_t i;

	for (i = index->sections.appended; i < draft->sections.appended; i++) {
		section = table_append(&index->sections);
		if (!section)
			return -ENOMEM;
		*section = *(struct index_section *)table_at(&draft->sections, i);
	}
	for (i = index->interfaces.appended; i < draft->interfaces.appended; i++) {
		interface = table_append(&index->interfaces);
		if (!interface)
			return -ENOMEM;
		memcpy(interface, table_at(&draft->interfaces, i), sizeof(*interface));
	}
	return 0;
}

static void forget_tables(struct index *index)
{
	index->sections.appended = table_count(&index->sections);
	index->interfaces.appended = table_count(&index->interfaces);
}

static void take_link_types(struct index *index, const struct index *draft)
{
	unsigned i, known = index_link_types(index), count = index_link_types(draft);

	for (i = 0; i < count; i++) {
		const struct index_link_type *from = index_link_type(draft, i);
		struct index_link_type *to = &index->link_types[i];

		if (i >= known) {
			to->link_type = from->link_type;
			index_clear_pending(&index->pending_types[i]);
		}
		atomic_store(&to->fine, atomic_load(&from->fine));
		atomic_store(&to->untimed, atomic_load(&from->untimed));
		atomic_store(&to->packets, atomic_load(&from->packets));
		atomic_store(&to->captured_bytes, atomic_load(&from->captured_bytes));
		atomic_store(&to->padded_bytes, atomic_load(&from->padded_bytes));
		atomic_store(&to->min_ns, atomic_load(&from->min_ns));
		atomic_store(&to->max_ns, atomic_load(&from->max_ns));
	}
	atomic_store_explicit(&index->link_type_count, count, memory_order_release);
}

static void take_saved(struct index *index, struct index *draft)
{
	struct index_saved *to = &index->saved, *from = &draft->saved;

	to->checkpoints = from->checkpoints;
	to->records = from->records;
	to->packets = from->packets;
	to->metadata = from->metadata;
	to->frames = from->frames;
	to->walked = from->walked;
	from->walked = NULL;
	UTIL_LOCK_SCOPE(&index->lock);
	to->end = from->end;
	to->use = INDEX_USE_TAKEN;
	index->problem_count = draft->problem_count;
	memcpy(index->problems, draft->problems, sizeof(index->problems));
	if (index->problem_count)
		index->part_problem = index->problems[0];
}

static int take(struct index *index, struct index *draft)
{
	uint64_t i;
	int r = take_tables(index, draft);

	if (r < 0) {
		forget_tables(index);
		return r;
	}
	for (i = 0; i < MIN(index->interfaces.appended, (uint64_t)1); i++)
		take_sums(table_at(&index->interfaces, i), table_at(&draft->interfaces, i));
	table_take(&index->checkpoints, &draft->checkpoints);
	memcpy(index->epochs, draft->epochs, sizeof(index->epochs));
	index->checkpoint = table_at(&index->checkpoints, index->checkpoints.appended - 1);
	take_link_types(index, draft);
	index->next = draft->next;
	index->walk = draft->walk;
	index->walk.format = &index_part(index, 0)->format;
	index->malformed = draft->malformed;
	take_saved(index, draft);
	index_publish(index, false);
	return 0;
}

static void ignore(struct index *index, const struct pktfs_error *why)
{
	UTIL_LOCK_SCOPE(&index->lock);
	index->saved.use = INDEX_USE_IGNORED;
	index->saved.reason = *why;
}

void index_load(struct index *index)
{
	struct loading *loading;
	int r;

	if (index->saved.fd < 0)
		return;
	loading = calloc(1, sizeof(*loading));
	if (!loading) {
		ignore(index, &(struct pktfs_error){.code = -ENOMEM, .text = "no memory for it"});
		return;
	}
	loading->fd = index->saved.fd;
	r = load(index, loading);
	if (r == 0)
		r = take(index, loading->draft);
	if (r < 0 && !loading->error.code)
		loading_fail(loading, r, "%s", strerror(-r));
	if (r < 0)
		ignore(index, &loading->error);
	if (loading->draft)
		index_free(loading->draft);
	free(loading);
	util_close(index->saved.fd);
	index->saved.fd = -1;
}
