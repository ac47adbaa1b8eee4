/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of the capture as a whole, and waiting for it to be known. */
#include "capture_internal.h"

#include "capture_pin.h"
#include "util/util_time.h"

enum pktfs_state capture_state(enum index_state state)
{
	static const enum pktfs_state states[] = {
		[INDEX_RUNNING] = PKTFS_STATE_INDEXING,
		[INDEX_COMPLETE] = PKTFS_STATE_COMPLETE,
		[INDEX_TRUNCATED] = PKTFS_STATE_TRUNCATED,
		[INDEX_DAMAGED] = PKTFS_STATE_DAMAGED,
	};

	return states[state];
}

enum pktfs_format capture_format(enum format_kind kind)
{
	static const enum pktfs_format formats[] = {
		[FORMAT_PCAP] = PKTFS_FORMAT_PCAP,
		[FORMAT_PCAP_MODIFIED] = PKTFS_FORMAT_PCAP_MODIFIED,
		[FORMAT_PCAPNG] = PKTFS_FORMAT_PCAPNG,
	};

	return formats[kind];
}

enum pktfs_compression capture_compression(enum source_compression compression)
{
	static const enum pktfs_compression compressions[] = {
		[SOURCE_PLAIN] = PKTFS_COMPRESSION_NONE,
		[SOURCE_ZSTD] = PKTFS_COMPRESSION_ZSTD,
		[SOURCE_GZIP] = PKTFS_COMPRESSION_GZIP,
	};

	return compressions[compression];
}

static void status_of_format(const pktfs_capture *capture, struct pktfs_status *ret)
{
	const struct format *format = index_format(capture->index);
	const struct index_section *first;

	ret->format = capture_format(format->kind);
	ret->nanosecond = format->nanosecond;
	ret->big_endian = format->big_endian;
	if (ret->sections) {
		first = index_section(capture->index, 0);
		ret->version_major = first->major;
		ret->version_minor = first->minor;
	}
}

static void status_of_totals(const struct index_totals *totals, struct pktfs_status *ret)
{
	ret->state = capture_state(totals->state);
	ret->packets = totals->packets;
	ret->blocks = totals->metadata ? totals->records : 0; /* each pcapng file has an SHB */
	ret->metadata = totals->metadata;
	ret->captured_bytes = totals->captured_bytes;
	ret->original_bytes = totals->original_bytes;
	ret->indexed_bytes = totals->end;
	ret->has_time = totals->has_time;
	ret->first_time = totals->first_time;
	ret->last_time = totals->last_time;
	ret->min_time = totals->min_time;
	ret->max_time = totals->max_time;
}

void pktfs_status_get(pktfs_capture *capture, struct pktfs_status *ret)
{
	struct index_totals totals;
	bool final;

	*ret = (struct pktfs_status){0};
	index_totals(capture->index, &totals);
	ret->sections = index_sections(capture->index);
	ret->interfaces = index_interfaces(capture->index);
	ret->problems = index_problems(capture->index) + capture_follow_problems(capture->follow);
	status_of_format(capture, ret);
	status_of_totals(&totals, ret);
	ret->compression = capture_compression(source_compression(capture->source));
	ret->file_size = source_stored_size(capture->source);
	ret->file_time = source_stored_time(capture->source);
	ret->decoded_bytes = source_available(capture->source, &final);
	ret->decoded_final = final && !source_more(capture->source);
	ret->growing = index_growing(capture->index);
	ret->followed = ret->growing && capture->follow;
	ret->active = ret->followed && capture_follow_active(capture->follow);
	if (capture_follow_cut(capture->follow) && ret->state == PKTFS_STATE_COMPLETE)
		ret->state = PKTFS_STATE_TRUNCATED;
}

/* The point in time `timeout_ms` from now; NULL: never. */
static const struct timespec *deadline_in(int timeout_ms, struct timespec *room)
{
	if (timeout_ms < 0)
		return NULL;
	*room = time_deadline(CLOCK_MONOTONIC, (int64_t)timeout_ms * 1000000);
	return room;
}

int pktfs_wait(pktfs_capture *capture, uint64_t number, int timeout_ms)
{
	struct timespec room;
	int r = index_wait(capture->index, number == UINT64_MAX ? number : number - 1,
			   deadline_in(timeout_ms, &room));

	return r == -ETIMEDOUT ? -EAGAIN : r;
}

int pktfs_wait_offset(pktfs_capture *capture, uint64_t offset, int timeout_ms)
{
	struct timespec room;
	int r = index_wait_end(capture->index, offset, deadline_in(timeout_ms, &room));

	return r == -ETIMEDOUT ? -EAGAIN : r;
}

int pktfs_problem_get(pktfs_capture *capture, uint64_t index, struct pktfs_error *ret)
{
	unsigned first = capture_follow_problems(capture->follow);

	if (index < first)
		return capture_follow_problem(capture->follow, index, ret);
	return index_problem(capture->index, index - first, ret);
}

int64_t pktfs_read(pktfs_capture *capture, uint64_t offset, void *bytes, size_t size)
{
	return source_read(capture->source, offset, bytes, size);
}

int capture_pin(pktfs_capture *capture, uint64_t offset, size_t size, const void **ret)
{
	return source_pin(capture->source, offset, size, ret);
}

void capture_unpin(pktfs_capture *capture)
{
	source_unpin(capture->source);
}
