/* SPDX-License-Identifier: BSD-2-Clause */
#include "index.h"

#include <stdlib.h>
#include <string.h>

#include "index_saved.h"

static int init(struct index *index, struct source *source)
{
	pthread_condattr_t attributes;

	index->source = source;
	index->memory = INDEX_MEMORY;
	index->plan = index_scout_plan;
	index->part_end = UINT64_MAX;
	index->saved.fd = -1;
	index->saved.unknown = index_key_read(index, &index->saved.opened);
	table_init(&index->parts, sizeof(struct index_part));
	table_init(&index->files, sizeof(struct index_file));
	table_init(&index->checkpoints, sizeof(struct index_checkpoint));
	table_init(&index->sections, sizeof(struct index_section));
	table_init(&index->interfaces, sizeof(struct index_interface));
	pthread_mutex_init(&index->walking, NULL);
	pthread_mutex_init(&index->lock, NULL);
	pthread_mutex_init(&index->look.lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&index->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	index->pending_types = calloc(INDEX_MAX_LINK_TYPES, sizeof(*index->pending_types));
	return index->pending_types ? 0 : -ENOMEM;
}

int index_open(struct source *source, struct index **ret, struct pktfs_error *ret_error)
{
	struct index *index = calloc(1, sizeof(*index));
	struct format format;
	int r;

	if (!index)
		return error_set(ret_error, -ENOMEM, "no memory for the index");
	r = init(index, source);
	if (r < 0) {
		error_set(ret_error, r, "no memory for the index");
	} else {
		r = index_part_head(index, &format, ret_error);
		if (r == 0 && (r = index_part_begin(index, &format)) < 0)
			error_set(ret_error, r, "no memory for the index");
	}
	if (r < 0) {
		index_free(index);
		return r;
	}
	*ret = index;
	return 0;
}

void index_set_memory(struct index *index, uint64_t bytes)
{
	index->memory = bytes ? bytes : INDEX_MEMORY;
}

void index_set_scouts(struct index *index, bool scouts)
{
	index->plan.off = !scouts;
}

void index_set_saved(struct index *index, int fd)
{
	UTIL_LOCK_SCOPE(&index->lock);
	util_close(index->saved.fd);
	index->saved.fd = fd;
	index->saved.use = INDEX_USE_PENDING;
}

enum index_use index_saved_use(struct index *index, uint64_t *ret_end,
			       struct pktfs_error *ret_reason)
{
	UTIL_LOCK_SCOPE(&index->lock);
	if (ret_end)
		*ret_end = index->saved.end;
	if (ret_reason)
		*ret_reason = index->saved.reason;
	return index->saved.use;
}

void index_set_followed(struct index *index, bool active)
{
	index->followed = true;
	index_set_active(index, active);
}

void index_set_active(struct index *index, bool active)
{
	atomic_store(&index->active, active);
}

bool index_in_doubt(struct index *index)
{
	UTIL_LOCK_SCOPE(&index->lock);
	return atomic_load(&index->in_doubt) ||
	       index->end_seen.reached != source_available(index->source, NULL);
}

int index_start(struct index *index)
{
	const struct source_looker looker = {.look = index_look, .context = &index->look};
	int r;

	if (!index->plan.off)
		source_set_looker(index->source, &looker);
	r = pthread_create(&index->thread, NULL, index_thread_main, index);
	index->started = r == 0;
	return -r;
}

void index_cancel(struct index *index)
{
	pthread_mutex_lock(&index->lock);
	index->cancelled = true;
	pthread_cond_broadcast(&index->changed);
	pthread_mutex_unlock(&index->lock);
	source_cancel(index->source);
}

void index_close(struct index *index)
{
	if (!index)
		return;
	index_cancel(index);
	if (index->started)
		pthread_join(index->thread, NULL);
	source_set_looker(index->source, NULL);
	index_free(index);
}

void index_free(struct index *index)
{
	util_close(index->saved.fd);
	free(index->saved.walked);
	pthread_cond_destroy(&index->changed);
	pthread_mutex_destroy(&index->lock);
	pthread_mutex_destroy(&index->look.lock);
	pthread_mutex_destroy(&index->walking);
	table_free(&index->parts);
	table_free(&index->files);
	table_free(&index->checkpoints);
	table_free(&index->sections);
	table_free(&index->interfaces);
	free(index->pending_types);
	free(index);
}

const struct format *index_format(const struct index *index)
{
	return &index_part(index, 0)->format;
}

uint64_t index_parts(const struct index *index)
{
	return table_count(&index->parts);
}

const struct index_part *index_part(const struct index *index, uint64_t number)
{
	return table_at(&index->parts, number);
}

const struct index_part *index_part_of(const struct index *index, uint64_t packet)
{
	uint64_t low = 0, high = index_parts(index), middle;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (index_part(index, middle)->first_packet <= packet)
			low = middle;
		else
			high = middle;
	}
	return index_part(index, low);
}

bool index_is_calm(struct index *index)
{
	return index->end_seen.open && atomic_load(&index->active);
}

void index_totals(struct index *index, struct index_totals *ret)
{
	UTIL_LOCK_SCOPE(&index->lock);
	*ret = index->totals;
	if (index_is_calm(index))
		ret->state = index->end_seen.calm;
	if (index->saved.use == INDEX_USE_WRONG)
		ret->state = INDEX_DAMAGED;
}

/* Waits until more than `packets` are published, or up to `end`, or something else has
 * happened; the lock is held. 0, -ETIMEDOUT, -ECANCELED. */
static int wait_changed(struct index *index, uint64_t packets, uint64_t end,
			const struct timespec *deadline)
{
	int r;

	if (index->cancelled)
		return -ECANCELED;
	index->wanted_packets = MIN(index->wanted_packets, packets);
	index->wanted_end = MIN(index->wanted_end, end);
	r = deadline ? pthread_cond_timedwait(&index->changed, &index->lock, deadline)
		     : pthread_cond_wait(&index->changed, &index->lock);
	return r == ETIMEDOUT ? -ETIMEDOUT : 0;
}

static bool has_packets(const struct index *index, uint64_t packets)
{
	return index->totals.state != INDEX_RUNNING || index->totals.packets > packets;
}

int index_wait(struct index *index, uint64_t packets, const struct timespec *deadline)
{
	int r = 0;

	UTIL_LOCK_SCOPE(&index->lock);
	while (r == 0 && !has_packets(index, packets))
		r = wait_changed(index, packets, UINT64_MAX, deadline);
	return has_packets(index, packets) ? 0 : r;
}

/* 1: it has come to `end`; 0: it may yet; -EIO. */
static int has_end(const struct index *index, uint64_t end)
{
	if (MAX(index->totals.end, index->end_seen.reached) >= end)
		return 1;
	if (index->totals.state == INDEX_RUNNING)
		return 0;
	return index->end_seen.final || index->cut ? -EIO : 0;
}

int index_wait_end(struct index *index, uint64_t end, const struct timespec *deadline)
{
	int r = 0, has;

	UTIL_LOCK_SCOPE(&index->lock);
	while (r == 0 && (has = has_end(index, end)) == 0)
		r = wait_changed(index, UINT64_MAX, end, deadline);
	has = has_end(index, end);
	return has ? MIN(has, 0) : r;
}

static int grown(struct index *index, int r)
{
	UTIL_LOCK_SCOPE(&index->lock);
	index->cut = r < 0; /* whoever waits for more waits in vain */
	if (r < 0)
		pthread_cond_broadcast(&index->changed);
	return r;
}

int index_grow(struct index *index, uint64_t limit)
{
	return grown(index, source_grow(index->source, limit));
}

int index_follow(struct index *index)
{
	struct index_totals totals;
	int r;

	index_totals(index, &totals);
	r = grown(index, source_follow(index->source, totals.end));
	if (r == 0 && atomic_load(&index->in_doubt))
		source_stir(index->source);
	return r;
}

bool index_growing(struct index *index)
{
	UTIL_LOCK_SCOPE(&index->lock);
	return source_growing(index->source) && !index->end_seen.final;
}

void index_listen(struct index *index, void (*notify)(void *context), void *context)
{
	index->notify_context = context;
	atomic_store_explicit(&index->notify, notify, memory_order_release);
}

uint64_t index_packets(const struct index *index)
{
	return atomic_load_explicit(&index->packets, memory_order_acquire);
}

uint64_t index_metadata(const struct index *index)
{
	return atomic_load_explicit(&index->metadata, memory_order_acquire);
}

uint64_t index_sections(const struct index *index)
{
	return table_count(&index->sections);
}

const struct index_section *index_section(const struct index *index, uint64_t number)
{
	return table_at(&index->sections, number);
}

uint64_t index_interfaces(const struct index *index)
{
	return table_count(&index->interfaces);
}

struct index_interface *index_interface(const struct index *index, uint64_t number)
{
	return table_at(&index->interfaces, number);
}

/* Under the lock. */
static bool has_end_problem(struct index *index)
{
	return index->end_seen.problem.code && !index_is_calm(index);
}

/* Under the lock. */
static bool has_wrong_problem(const struct index *index)
{
	return index->saved.use == INDEX_USE_WRONG;
}

uint64_t index_problems(struct index *index)
{
	UTIL_LOCK_SCOPE(&index->lock);
	return index->problem_count + has_end_problem(index) + has_wrong_problem(index);
}

int index_problem(struct index *index, uint64_t number, struct pktfs_error *ret)
{
	uint64_t kept;

	UTIL_LOCK_SCOPE(&index->lock);
	if (has_wrong_problem(index) && number-- == 0) { /* the first of all */
		*ret = index->saved.reason;
		return 0;
	}
	kept = MIN(index->problem_count, (uint64_t)INDEX_MAX_PROBLEMS);
	if (number > kept || (number == kept && !has_end_problem(index)))
		return -ENOENT;
	*ret = number < kept ? index->problems[number] : index->end_seen.problem;
	return 0;
}

unsigned index_link_types(const struct index *index)
{
	return atomic_load_explicit(&index->link_type_count, memory_order_acquire);
}

const struct index_link_type *index_link_type(const struct index *index, unsigned slot)
{
	return &index->link_types[slot];
}
