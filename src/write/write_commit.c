/* SPDX-License-Identifier: BSD-2-Clause */
/* From encoded records to bytes in the file, all or nothing. */
#include "write_private.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "pktfs/version.h"
#include "write_encode.h"

/* ---- to the file */

static void keep_small(struct text *text)
{
	size_t limit = text->limit;

	text->size = 0;
	if (text->room <= WRITE_KEEP_BYTES)
		return;
	text_free(text);
	text->limit = limit;
}

/* "Not given", by one write that no disk divides (see open_section in
 * write_open.c), and on the disk before anything follows. */
static int patch_length(struct pktfs_writer *writer, struct pktfs_error *ret_error)
{
	static const uint8_t not_given[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	int r = write_file_patch(&writer->file, writer->patch_at, not_given, sizeof(not_given),
				 ret_error);

	if (r == 0)
		writer->patch_at = 0;
	return r;
}

static int commit_plain(struct pktfs_writer *writer, struct pktfs_error *ret_error)
{
	int r = writer->patch_at ? patch_length(writer, ret_error) : 0;

	if (r < 0)
		return r;
	return write_file_put(&writer->file, writer->pending.bytes, writer->pending.size,
			      ret_error);
}

static int commit_packed(struct pktfs_writer *writer, bool whole, struct pktfs_error *ret_error)
{
	struct write_stream *stream = &writer->stream;
	struct text *packed = &writer->packed;
	int r;

	packed->size = 0;
	packed->failed = 0;
	whole = whole && !stream->open;
	if (whole)
		r = write_stream_whole(stream, writer->pending.bytes, writer->pending.size, packed);
	else
		r = write_stream_flush(stream, writer->pending.bytes, writer->pending.size, packed);
	if (r < 0 || packed->failed)
		r = error_set(ret_error, packed->failed ? packed->failed : r,
			      "compression: out of memory");
	else
		r = write_file_put(&writer->file, packed->bytes, packed->size, ret_error);
	if (!whole && r == 0)
		write_stream_done(stream);
	else if (!whole)
		write_stream_failed(stream);
	keep_small(packed);
	return r;
}

int writer_commit(struct pktfs_writer *writer, bool whole_frame, struct pktfs_error *ret_error)
{
	int r;

	if (writer->pending.size == 0)
		return 0;
	if (writer->stream.compression == PKTFS_COMPRESSION_NONE)
		r = commit_plain(writer, ret_error);
	else
		r = commit_packed(writer, whole_frame, ret_error);
	if (r < 0)
		return r;
	writer->base += writer->pending.size;
	keep_small(&writer->pending);
	return 0;
}

static int end_frame(struct pktfs_writer *writer, struct pktfs_error *ret_error)
{
	struct text *packed = &writer->packed;
	int r;

	if (!writer->stream.open)
		return 0;
	packed->size = 0;
	packed->failed = 0;
	write_stream_end(&writer->stream, packed);
	if (packed->failed)
		return error_set(ret_error, packed->failed, "out of memory");
	r = write_file_put(&writer->file, packed->bytes, packed->size, ret_error);
	if (r == 0)
		write_stream_ended(&writer->stream);
	return r;
}

/* A new pcapng in which nothing was written is one, nevertheless. */
static int put_header(struct pktfs_writer *writer, struct pktfs_error *ret_error)
{
	struct write_mark mark;
	int r;

	if (writer->base || writer->pending.size || !writer->section_follows)
		return 0;
	r = writer_begin(writer, &mark, ret_error);
	return r < 0 ? r : writer_end(writer, &mark, 0, NULL, ret_error);
}

int writer_finish(struct pktfs_writer *writer, struct pktfs_error *ret_error)
{
	int r = put_header(writer, ret_error);

	if (r == 0)
		r = writer_commit(writer, true, ret_error);
	if (r == 0)
		r = end_frame(writer, ret_error);
	return r == 0 ? write_file_settle(&writer->file, ret_error) : r;
}

/* ---- from one record to the next */

static void begin_section(struct pktfs_writer *writer)
{
	const struct write_interfaces *interfaces = &writer->interfaces;
	struct format_interface decoded;
	struct write_interface interface;

	write_shb(&writer->pending, writer->big_endian, (struct pktfs_options){0},
		  "pktfs " PKTFS_VERSION);
	for (uint32_t i = 0; i < interfaces->count; i++) {
		if (format_interface(write_interfaces_block(interfaces, i), &decoded) < 0)
			continue; /* it was decoded before */
		interface = (struct write_interface){
			.link_type = decoded.link_type,
			.snaplen = decoded.snaplen,
			.resolution = decoded.resolution,
			.fcs_length = decoded.fcs_length,
			.options = decoded.options,
		};
		write_idb(&writer->pending, writer->big_endian, &interface);
	}
}

int writer_begin(struct pktfs_writer *writer, struct write_mark *ret, struct pktfs_error *ret_error)
{
	int r;

	if (writer->pending.size >= WRITE_BUFFER_BYTES) {
		r = writer_commit(writer, true, ret_error);
		if (r < 0)
			return r;
	}
	if (unlikely(writer->header_missing))
		return error_set(ret_error, -ENXIO,
				 "a pcap file has its interface before anything else");
	ret->start = writer->pending.size;
	ret->section = writer->section_follows;
	ret->interfaces = writer->interfaces.count;
	if (unlikely(ret->section))
		begin_section(writer);
	ret->record = writer->pending.size;
	return 0;
}

int writer_abandon(struct pktfs_writer *writer, const struct write_mark *mark, int code)
{
	writer->pending.failed = 0;
	writer->pending.size = mark->start;
	return code;
}

int writer_end(struct pktfs_writer *writer, const struct write_mark *mark, unsigned packets,
	       struct pktfs_written *ret_written, struct pktfs_error *ret_error)
{
	struct pktfs_written written = {
		.offset = writer->base + mark->record,
		.length = writer->pending.size - mark->record,
		.packet = writer->packets + packets,
	};
	int r = writer->pending.failed;

	if (unlikely(r < 0))
		return writer_abandon(writer, mark,
				      error_set(ret_error, r == -EOVERFLOW ? -EMSGSIZE : r,
						"the record cannot be made: %s", strerror(-r)));
	if (!writer->buffered) {
		r = writer_commit(writer, false, ret_error);
		if (r < 0)
			return writer_abandon(writer, mark, r);
	}
	if (mark->section) {
		writer->section_follows = false;
		writer->sections++;
		writer->interfaces_before += mark->interfaces;
	}
	writer->packets += packets;
	if (ret_written)
		*ret_written = written;
	return 0;
}

/* ---- public */

int pktfs_writer_commit(pktfs_writer *writer, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	int r = put_header(writer, ret_error);

	return r == 0 ? writer_commit(writer, false, ret_error) : r;
}

int pktfs_writer_end_frame(pktfs_writer *writer, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);

	return writer_finish(writer, ret_error);
}

static int sync_failed(int code, struct pktfs_error *ret_error)
{
	return error_set(ret_error, code, "cannot be brought to the disk: %s", strerror(-code));
}

/* Each thread synchronises the directory by itself, until one has done it. */
static int finish_for_sync(pktfs_writer *writer, int *ret_directory, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	int r = writer_finish(writer, ret_error);

	*ret_directory = -1;
	if (r == 0 && writer->sync_failed)
		return sync_failed(writer->sync_failed, ret_error);
	if (r == 0 && writer->file.directory >= 0) {
		*ret_directory = fcntl(writer->file.directory, F_DUPFD_CLOEXEC, 0);
		r = *ret_directory < 0 ? sync_failed(-errno, ret_error) : 0;
	}
	return r;
}

static int note_sync(pktfs_writer *writer, int code, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);

	if (code < 0) {
		writer->sync_failed = code;
		return sync_failed(code, ret_error);
	}
	util_close(writer->file.directory);
	writer->file.directory = -1;
	return 0;
}

/*
 * The disk is waited for without the lock. When it fails the kernel forgets
 * that the pages are not written, and would say 0 the next time: so what has
 * failed once has failed for good.
 */
int pktfs_writer_sync(pktfs_writer *writer, struct pktfs_error *ret_error)
{
	_cleanup_close_ int directory = -1;
	int r = finish_for_sync(writer, &directory, ret_error);

	if (r < 0)
		return r;
	if (fdatasync(writer->file.fd) < 0 || (directory >= 0 && fsync(directory) < 0))
		r = -errno;
	return note_sync(writer, r, ret_error);
}
