/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture_internal.h"

#include <string.h>

#include "util/util_time.h"

static int open_over(struct source *source, pktfs_capture **ret, struct pktfs_error *ret_error)
{
	static _Atomic uint64_t last_id;
	pktfs_capture *capture = calloc(1, sizeof(*capture));
	int r = -ENOMEM;

	if (!capture)
		error_set(ret_error, r, "no memory");
	else
		r = index_open(source, &capture->index, ret_error);
	if (r == 0) {
		r = index_start(capture->index);
		if (r < 0)
			error_set(ret_error, r, "no thread for the index: %s", strerror(-r));
	}
	if (r < 0) {
		if (capture)
			index_close(capture->index);
		source_close(source);
		free(capture);
		return r;
	}
	capture->id = ++last_id;
	capture->source = source;
	*ret = capture;
	return 0;
}

static struct source_options source_options(const struct pktfs_open_options *options)
{
	if (!options)
		return (struct source_options){0};
	return (struct source_options){
		.no_mmap = options->flags & PKTFS_OPEN_NO_MMAP,
		.spool_dir = options->spool_dir,
		.frame_cache_bytes = options->frame_cache_bytes,
	};
}

int pktfs_open(const char *path, const struct pktfs_open_options *options, pktfs_capture **ret,
	       struct pktfs_error *ret_error)
{
	struct source_options wanted = source_options(options);
	struct source *source;
	int r = source_open_path(path, &wanted, &source, ret_error);

	return r < 0 ? r : open_over(source, ret, ret_error);
}

int pktfs_open_fd(int fd, const struct pktfs_open_options *options, pktfs_capture **ret,
		  struct pktfs_error *ret_error)
{
	struct source_options wanted = source_options(options);
	struct source *source;
	int r = source_open_fd(fd, &wanted, &source, ret_error);

	return r < 0 ? r : open_over(source, ret, ret_error);
}

int pktfs_open_buffer(const void *bytes, size_t size, const struct pktfs_open_options *options,
		      pktfs_capture **ret, struct pktfs_error *ret_error)
{
	struct source_options wanted = source_options(options);
	struct source *source;
	int r = source_open_buffer(bytes, size, &wanted, &source, ret_error);

	return r < 0 ? r : open_over(source, ret, ret_error);
}

void pktfs_close(pktfs_capture *capture)
{
	if (!capture)
		return;
	index_close(capture->index);
	source_close(capture->source);
	free(capture);
}

void pktfs_cancel(pktfs_capture *capture)
{
	index_cancel(capture->index);
}

void pktfs_listen(pktfs_capture *capture, void (*notify)(void *context), void *context)
{
	index_listen(capture->index, notify, context);
}

int capture_error(struct pktfs_error *ret_error, int code, uint64_t offset)
{
	switch (code) {
	case -ENOENT:
		return error_set(ret_error, code, "there is no such entry");
	case -EAGAIN:
		return error_set(ret_error, code, "the index has not come so far yet");
	case -EIO:
		return error_at(ret_error, code, offset, "the file no longer holds these bytes");
	case -EBADMSG:
		return error_at(ret_error, code, offset, "compressed data is damaged");
	default:
		return error_at(ret_error, code, offset, "cannot be read: %s", strerror(-code));
	}
}

static enum pktfs_state public_state(enum index_state state)
{
	static const enum pktfs_state states[] = {
		[INDEX_RUNNING] = PKTFS_STATE_INDEXING,
		[INDEX_COMPLETE] = PKTFS_STATE_COMPLETE,
		[INDEX_TRUNCATED] = PKTFS_STATE_TRUNCATED,
		[INDEX_DAMAGED] = PKTFS_STATE_DAMAGED,
	};

	return states[state];
}

static void status_of_format(const pktfs_capture *capture, struct pktfs_status *ret)
{
	static const enum pktfs_format formats[] = {
		[FORMAT_PCAP] = PKTFS_FORMAT_PCAP,
		[FORMAT_PCAP_MODIFIED] = PKTFS_FORMAT_PCAP_MODIFIED,
		[FORMAT_PCAPNG] = PKTFS_FORMAT_PCAPNG,
	};
	const struct format *format = index_format(capture->index);
	const struct index_section *first;

	ret->format = formats[format->kind];
	ret->nanosecond = format->nanosecond;
	ret->big_endian = format->big_endian;
	if (ret->sections) {
		first = index_section(capture->index, 0);
		ret->version_major = first->major;
		ret->version_minor = first->minor;
	}
}

static void status_of_totals(const struct index_totals *totals, bool blocks,
			     struct pktfs_status *ret)
{
	ret->state = public_state(totals->state);
	ret->packets = totals->packets;
	ret->blocks = blocks ? totals->records : 0;
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
	static const enum pktfs_compression compressions[] = {
		[SOURCE_PLAIN] = PKTFS_COMPRESSION_NONE,
		[SOURCE_ZSTD] = PKTFS_COMPRESSION_ZSTD,
		[SOURCE_GZIP] = PKTFS_COMPRESSION_GZIP,
	};
	struct index_totals totals;
	bool final;

	*ret = (struct pktfs_status){0};
	index_totals(capture->index, &totals);
	ret->sections = index_sections(capture->index);
	ret->interfaces = index_interfaces(capture->index);
	ret->problems = index_problems(capture->index);
	status_of_format(capture, ret);
	status_of_totals(&totals, ret->format == PKTFS_FORMAT_PCAPNG, ret);
	ret->compression = compressions[source_compression(capture->source)];
	ret->file_size = source_stored_size(capture->source);
	ret->file_time = source_stored_time(capture->source);
	ret->decoded_bytes = source_available(capture->source, &final);
	ret->decoded_final = final;
}

int pktfs_wait(pktfs_capture *capture, uint64_t number, int timeout_ms)
{
	struct timespec deadline;
	int r;

	if (timeout_ms < 0)
		return index_wait(capture->index, number == UINT64_MAX ? number : number - 1,
				  NULL);
	deadline = time_deadline(CLOCK_MONOTONIC, (int64_t)timeout_ms * 1000000);
	r = index_wait(capture->index, number == UINT64_MAX ? number : number - 1, &deadline);
	return r == -ETIMEDOUT ? -EAGAIN : r;
}

int pktfs_problem_get(pktfs_capture *capture, uint64_t index, struct pktfs_error *ret)
{
	return index_problem(capture->index, index, ret);
}

int64_t pktfs_read(pktfs_capture *capture, uint64_t offset, void *bytes, size_t size)
{
	return source_read(capture->source, offset, bytes, size);
}
