/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread of a zstd source: goes from frame to frame. */
#include "source_zstd_private.h"

#include <string.h>

/* ---- the frame table */

int source_zstd_note(struct source_zstd *zstd, const struct source_frame *frame,
		     struct source_piece *piece, size_t reserved)
{
	struct source_frame *entry;

	if (table_count(&zstd->frames) >= SOURCE_ZSTD_FRAMES)
		return source_fail(&zstd->stream.base, frame->start, -EFBIG,
				   "zstd frames: found more than %llu groups of them; accepted up "
				   "to that (compress it anew)",
				   (unsigned long long)SOURCE_ZSTD_FRAMES);
	entry = table_append(&zstd->frames);
	if (!entry)
		return -ENOMEM;
	*entry = *frame;
	if (piece)
		source_cache_put(&zstd->cache, entry, piece, reserved);
	table_publish(&zstd->frames);
	return 0;
}

/* Notes the frames of the group, and counts their bytes as available. */
static int close_group(struct source_zstd *zstd)
{
	struct source_stream *stream = &zstd->stream;
	struct source_frame frame = {
		.packed_at = zstd->group.packed_at,
		.packed = (uint32_t)(zstd->group.packed_end - zstd->group.packed_at),
		.start = stream->decoded,
		.length = (uint32_t)zstd->group.length,
	};
	int r;

	if (frame.length == 0)
		return 0;
	zstd->group.length = 0;
	r = source_zstd_note(zstd, &frame, NULL, 0);
	if (r < 0)
		return r;
	stream->decoded += frame.length;
	return source_publish(&stream->base, stream->decoded);
}

/* Bytes that go to the spool continue a run of such bytes, or begin one. */
static int note_run(struct source_zstd *zstd)
{
	uint64_t count = table_count(&zstd->frames);
	struct source_frame *last = count ? table_at(&zstd->frames, count - 1) : NULL;
	struct source_frame frame = {
		.start = zstd->stream.decoded,
		.spool_at = zstd->stream.spooled,
	};

	return last && last->length == 0 ? 0 : source_zstd_note(zstd, &frame, NULL, 0);
}

int source_zstd_idle(struct source_stream *stream)
{
	struct source_zstd *zstd = (struct source_zstd *)stream;
	int r = close_group(zstd);

	if (r == 0 && stream->out_filled > 0)
		r = note_run(zstd);
	return r < 0 ? r : source_stream_flush(stream);
}

int source_zstd_pass(struct source_zstd *zstd)
{
	int r = note_run(zstd);

	return r < 0 ? r : source_stream_pass(&zstd->stream);
}

static bool fits_group(const struct source_zstd *zstd, uint64_t end, uint64_t length)
{
	return zstd->group.length > 0 && zstd->group.length + length <= SOURCE_ZSTD_GROUP &&
	       end - zstd->group.packed_at <= SOURCE_ZSTD_GROUP;
}

/* Adds the frame from stream.at to `end`. */
static int add_frame(struct source_zstd *zstd, uint64_t end, uint64_t length)
{
	struct source_stream *stream = &zstd->stream;
	int r = fits_group(zstd, end, length) ? 0 : source_zstd_idle(stream);

	if (r < 0)
		return r;
	if (zstd->group.length == 0)
		zstd->group.packed_at = stream->at;
	zstd->group.length += length;
	zstd->group.packed_end = end;
	source_stream_skip(stream, end - stream->at);
	return 0;
}

/* ---- headers */

/* Reads up to `size` bytes at stream.at; *ret_size: fewer at the end. */
static int peek(struct source_stream *stream, uint8_t *bytes, size_t size, size_t *ret_size)
{
	int r = source_stream_wait(stream, stream->at + size);
	int64_t n;

	*ret_size = 0;
	if (r < 0)
		return r;
	n = source_peek(stream->inner, stream->at, bytes, size);
	if (n < 0)
		return (int)n;
	*ret_size = (size_t)n;
	return 0;
}

/* ---- where a frame ends */

/* Makes `size` bytes at `offset` part of the loan: 1, 0 when the file ends
 * before, or an error. */
static int look_at(struct source_stream *stream, struct pktfs_loan *loan, uint64_t offset,
		   size_t size)
{
	int r;

	if (!loan->source || offset + size > loan->offset + loan->size) {
		r = source_return(loan);
		if (r == 0)
			r = source_stream_wait_now(stream, offset + size);
		if (r <= 0)
			return r;
		r = source_borrow(stream->inner, offset, size, loan);
		if (r < 0)
			return r;
	}
	loan->requested = MAX(loan->requested, (size_t)(offset + size - loan->offset));
	return 1;
}

/* What a frame of a length may need; with more it is made to need memory, and
 * decompressed into the spool. */
static uint64_t packed_max(uint64_t length)
{
	return length + length / 8 + (64u << 10);
}

/* Headers of blocks that are so far from each other are read one by one. */
#define LONE_HEADER (32u << 10)

/* The header of the block at `offset`, `far` behind the last one: 1, 0 when the file ends
 * before, or an error. */
static int block_at(struct source_stream *stream, struct pktfs_loan *loan, uint64_t offset,
		    uint64_t far, struct zstd_block *ret)
{
	uint8_t bytes[ZSTD_BLOCK_HEADER];
	int64_t n = ZSTD_BLOCK_HEADER;
	int r;

	if (far < LONE_HEADER) {
		r = look_at(stream, loan, offset, ZSTD_BLOCK_HEADER);
		if (r > 0)
			*ret = zstd_block_parse(loan->bytes + (offset - loan->offset));
		return r;
	}
	r = source_stream_wait_now(stream, offset + ZSTD_BLOCK_HEADER);
	if (r > 0)
		n = source_peek(stream->inner, offset, bytes, sizeof(bytes));
	if (r > 0 && n == ZSTD_BLOCK_HEADER)
		*ret = zstd_block_parse(bytes);
	return r <= 0 ? r : n < 0 ? (int)n : n == ZSTD_BLOCK_HEADER;
}

/* Goes over the block headers of the frame at stream.at. */
static int walk_blocks(struct source_stream *stream, const struct zstd_header *header,
		       struct pktfs_loan *loan, struct zstd_extent *ret)
{
	uint64_t length = header->has_length ? header->length : SOURCE_FRAME_LIMIT;
	uint64_t at = stream->at + header->size, limit = stream->at + packed_max(length);
	struct zstd_block block = {0};
	uint64_t most = 0, far = header->has_length ? length : 0;
	int r;

	for (; !block.last; far = block.stored) {
		r = block_at(stream, loan, at, far, &block);
		if (r <= 0)
			return r;
		at += ZSTD_BLOCK_HEADER + block.stored;
		most += block.most;
		if (block.reserved || at > limit)
			return 0;
	}
	if (!header->has_length && most > SOURCE_FRAME_LIMIT)
		return 0;
	ret->most = most;
	ret->end = at + (header->has_checksum ? ZSTD_CHECKSUM : 0);
	return source_stream_wait_now(stream, ret->end);
}

static int find_end(struct source_stream *stream, const struct zstd_header *header,
		    struct zstd_extent *ret)
{
	struct pktfs_loan loan = {0};
	int r = walk_blocks(stream, header, &loan, ret);
	int verified = source_return(&loan);

	return verified < 0 ? verified : r;
}

int source_zstd_find_end(struct source_stream *stream, const struct zstd_header *header,
			 struct zstd_extent *ret)
{
	int r = find_end(stream, header, ret);

	/* -EIO of a map; the second time it is a copy */
	return r == -EIO ? find_end(stream, header, ret) : r;
}

/* ---- frames */

static int skippable(struct source_stream *stream)
{
	uint8_t bytes[ZSTD_SKIPPABLE_HEADER];
	uint64_t size;
	size_t n;
	int r = peek(stream, bytes, sizeof(bytes), &n);

	if (r < 0)
		return r;
	if (n < sizeof(bytes))
		return source_stream_cut(stream, "skippable frame");
	size = ZSTD_SKIPPABLE_HEADER + (uint64_t)bytes_u32(bytes + 4, false);
	r = source_stream_wait(stream, stream->at + size);
	if (r <= 0)
		return r < 0 ? r : source_stream_cut(stream, "skippable frame");
	source_stream_skip(stream, size);
	return 1;
}

static int read_header(struct source_stream *stream, struct zstd_header *ret)
{
	uint8_t bytes[ZSTD_HEADER_MAX];
	size_t n, size = ZSTD_HEADER_MIN;
	int r = peek(stream, bytes, size, &n);

	if (r == 0 && n == size) {
		size = source_zstd_header_size(bytes);
		r = peek(stream, bytes, size, &n);
	}
	if (r < 0)
		return r;
	if (n < size)
		return source_stream_cut(stream, "zstd frame header");
	*ret = source_zstd_header(bytes);
	return 0;
}

/*
 * A file that grows frame by frame would have an entry of the table for each
 * time that somebody looked: its last small ones go to the spool.
 */
static bool is_crumb(const struct source_stream *stream, uint64_t end, uint64_t length)
{
	return stream->grown && length < SOURCE_ZSTD_CRUMB &&
	       source_available(stream->inner, NULL) - end < SOURCE_ZSTD_CRUMB;
}

/* Notes a frame, or decompresses it into the spool. */
static int take_frame(struct source_zstd *zstd, const struct zstd_header *header)
{
	struct source_stream *stream = &zstd->stream;
	struct zstd_extent extent = {0};
	int r = 0;

	if (header->has_length && header->length <= SOURCE_FRAME_LIMIT)
		r = source_zstd_find_end(stream, header, &extent);
	/* An empty frame in a group is looked at when the group is. Alone it
	 * would never be, and hide its bytes if the length is a lie. */
	if (r == 1 && (header->length > 0 || fits_group(zstd, extent.end, 0)) &&
	    !is_crumb(stream, extent.end, header->length))
		return add_frame(zstd, extent.end, header->length);
	if (r >= 0)
		r = close_group(zstd);
	return r < 0 ? r : source_zstd_stream(zstd, header);
}

static int frame(struct source_zstd *zstd)
{
	struct source_stream *stream = &zstd->stream;
	struct zstd_header header;
	int r = read_header(stream, &header);

	if (r < 0)
		return r;
	if (header.dictionary)
		return source_stream_fail(stream, -ENOTSUP,
					  "zstd frame, offset %llu of the file: found one that "
					  "needs dictionary %u; accepted frames without",
					  (unsigned long long)stream->at, header.dictionary);
	r = take_frame(zstd, &header);
	return r < 0 ? r : 1;
}

/* Are these fewer than four bytes the start of a frame? */
static bool is_start(const uint8_t *bytes, size_t size)
{
	static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd};
	static const uint8_t skip[] = {0x50, 0x2a, 0x4d, 0x18};

	return memcmp(bytes, magic, size) == 0 ||
	       ((bytes[0] & 0xf0) == skip[0] && memcmp(bytes + 1, skip + 1, size - 1) == 0);
}

/* 1 after a frame, 0 at the end, or what ended the source. */
static int next(struct source_zstd *zstd)
{
	struct source_stream *stream = &zstd->stream;
	uint8_t bytes[4];
	uint32_t magic;
	size_t n;
	int r = source_zstd_probe(zstd);

	if (r != 0)
		return r;
	r = peek(stream, bytes, sizeof(bytes), &n);
	if (r < 0)
		return r;
	if (n == 0)
		return source_problem(stream->inner, NULL) ? source_stream_cut(stream, "zstd data")
							   : 0;
	if (n < sizeof(bytes) && is_start(bytes, n))
		return source_stream_cut(stream, "zstd frame");
	magic = n < sizeof(bytes) ? 0 : bytes_u32(bytes, false);
	if (magic == ZSTD_MAGIC)
		return frame(zstd);
	if ((magic & ZSTD_SKIPPABLE_MASK) == ZSTD_SKIPPABLE)
		return skippable(stream);
	return source_stream_fail(stream, -EBADMSG,
				  "behind the zstd data, offset %llu of the file: found garbage; "
				  "accepted another frame",
				  (unsigned long long)stream->at);
}

int source_zstd_scan(struct source_stream *stream)
{
	struct source_zstd *zstd = (struct source_zstd *)stream;
	int r;

	do
		r = next(zstd);
	while (r > 0);
	if (r == 0)
		r = source_zstd_idle(stream);
	ZSTD_freeDCtx(zstd->streaming);
	zstd->streaming = NULL;
	return r;
}
