/* SPDX-License-Identifier: BSD-2-Clause */
#include "index.h"

#include <stdlib.h>
#include <string.h>

#include "index_internal.h"

/* A pcap file has one section and one interface, which its header describes. */
static int add_pcap_model(struct index *index)
{
	const struct format *format = &index->format;
	struct format_section section = {
		.big_endian = format->big_endian,
		.supported = true,
		.major = format->version_major,
		.minor = format->version_minor,
		.length = -1,
	};
	struct format_interface interface = {
		.link_type = format->link_type,
		.snaplen = format->snaplen,
		.resolution = format->nanosecond ? 9 : 6,
		.fcs_length = format->fcs_length,
	};
	int r;

	r = index_add_section(index, &section, 0);
	if (r == 0)
		r = index_add_interface(index, &interface, 0, 0);
	table_publish(&index->sections);
	table_publish(&index->interfaces);
	return r;
}

/* Waits for the head of the file (a pipe may bring it byte by byte). */
static int read_head(struct index *index, struct pktfs_error *ret_error)
{
	uint8_t head[FORMAT_HEAD_SIZE];
	struct pktfs_error problem;
	int64_t size;

	if (source_wait(index->source, sizeof(head)) < 0)
		return error_set(ret_error, -ECANCELED, "closed while it was opened");
	size = source_read(index->source, 0, head, sizeof(head));
	if (size <= 0 && source_problem(index->source, &problem) < 0) {
		if (ret_error)
			*ret_error = problem;
		return problem.code;
	}
	if (size < 0)
		return error_at(ret_error, (int)size, 0, "cannot be read: %s", strerror((int)-size));
	if (size == 0)
		return error_at(ret_error, -ENODATA, 0,
				"empty when decompressed; accepted pcap, pcapng");
	return format_open(&index->format, cursor_over(head, (size_t)size, false), ret_error);
}

static int init(struct index *index, struct source *source, struct pktfs_error *ret_error)
{
	pthread_condattr_t attributes;
	int r;

	index->source = source;
	table_init(&index->checkpoints, sizeof(struct index_checkpoint));
	table_init(&index->sections, sizeof(struct index_section));
	table_init(&index->interfaces, sizeof(struct index_interface));
	pthread_mutex_init(&index->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&index->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	index->pending_types = calloc(INDEX_MAX_LINK_TYPES, sizeof(*index->pending_types));
	if (!index->pending_types)
		return error_set(ret_error, -ENOMEM, "no memory for the index");
	r = read_head(index, ret_error);
	if (r < 0)
		return r;
	format_walk_start(&index->walk, &index->format);
	index->next.end = index->format.first_record;
	index->totals = index->next;
	atomic_store(&index->end, index->next.end);
	if (index->format.kind != FORMAT_PCAPNG)
		r = add_pcap_model(index);
	return r < 0 ? error_set(ret_error, r, "no memory for the index") : 0;
}

int index_open(struct source *source, struct index **ret, struct pktfs_error *ret_error)
{
	struct index *index = calloc(1, sizeof(*index));
	int r;

	if (!index)
		return error_set(ret_error, -ENOMEM, "no memory for the index");
	r = init(index, source, ret_error);
	if (r < 0) {
		index_close(index);
		return r;
	}
	*ret = index;
	return 0;
}

int index_start(struct index *index)
{
	int r = pthread_create(&index->thread, NULL, index_walk_main, index);

	index->started = r == 0;
	return -r;
}

void index_cancel(struct index *index)
{
	source_cancel(index->source);
	pthread_mutex_lock(&index->lock);
	index->cancelled = true;
	pthread_cond_broadcast(&index->changed);
	pthread_mutex_unlock(&index->lock);
}

void index_close(struct index *index)
{
	if (!index)
		return;
	index_cancel(index);
	if (index->started)
		pthread_join(index->thread, NULL);
	pthread_cond_destroy(&index->changed);
	pthread_mutex_destroy(&index->lock);
	table_free(&index->checkpoints);
	table_free(&index->sections);
	table_free(&index->interfaces);
	free(index->pending_types);
	free(index);
}

const struct format *index_format(const struct index *index)
{
	return &index->format;
}

void index_totals(struct index *index, struct index_totals *ret)
{
	UTIL_LOCK_SCOPE(&index->lock);
	*ret = index->totals;
}

int index_wait(struct index *index, uint64_t packets, const struct timespec *deadline)
{
	int r = 0;

	UTIL_LOCK_SCOPE(&index->lock);
	while (index->totals.state == INDEX_RUNNING && index->totals.packets <= packets) {
		if (index->cancelled)
			return -ECANCELED;
		if (r == ETIMEDOUT)
			return -ETIMEDOUT;
		r = deadline ? pthread_cond_timedwait(&index->changed, &index->lock, deadline)
			     : pthread_cond_wait(&index->changed, &index->lock);
	}
	return 0;
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

uint64_t index_problems(struct index *index)
{
	UTIL_LOCK_SCOPE(&index->lock);
	return index->problem_count;
}

int index_problem(struct index *index, uint64_t number, struct pktfs_error *ret)
{
	UTIL_LOCK_SCOPE(&index->lock);
	if (number >= MIN(index->problem_count, (uint64_t)INDEX_MAX_PROBLEMS))
		return -ENOENT;
	*ret = index->problems[number];
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
