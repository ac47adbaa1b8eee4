/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that go to the spool. libzstd is fed step by step (frame header, block
 * header, block, ..., checksum): when a call fails it does not say how much it
 * had put out before, and with one step a call that is nothing. So all that
 * comes before a damaged or missing block can be read.
 */
#include "source_zstd_private.h"

static int damaged(struct source_zstd *zstd, size_t error)
{
	struct source_stream *stream = &zstd->stream;
	unsigned long long at = zstd->frame_at;
	int code = source_zstd_code(error);

	if (code == -EFBIG)
		return source_stream_fail(
			stream, code,
			"zstd frame, offset %llu of the file: found a window of "
			"more than %u MiB; accepted one up to that (zstd --long=%d)",
			at, 1u << (SOURCE_ZSTD_WINDOW_LOG - 20), SOURCE_ZSTD_WINDOW_LOG);
	return source_stream_fail(stream, code, "zstd frame, offset %llu of the file: found %s", at,
				  ZSTD_getErrorName(error));
}

static int damaged_block(struct source_zstd *zstd, uint32_t size)
{
	return source_stream_fail(&zstd->stream, -EBADMSG,
				  "zstd frame, offset %llu of the file: found a block of %u bytes; "
				  "accepted up to %u",
				  (unsigned long long)zstd->frame_at, size, ZSTD_BLOCK_MAX);
}

/* Feeds these bytes. 1 when the frame ended with them, 0, or an error. */
static int feed(struct source_zstd *zstd, const uint8_t *bytes, size_t size)
{
	struct source_stream *stream = &zstd->stream;
	ZSTD_inBuffer in = {bytes, size, 0};
	ZSTD_outBuffer out;
	size_t hint;
	int r;

	do {
		r = stream->out_filled < SOURCE_STREAM_OUT ? 0 : source_zstd_pass(zstd);
		if (r < 0)
			return r;
		out = (ZSTD_outBuffer){stream->out, SOURCE_STREAM_OUT, stream->out_filled};
		hint = ZSTD_decompressStream(zstd->streaming, &out, &in);
		if (ZSTD_isError(hint))
			return damaged(zstd, hint);
		zstd->frame_output += out.pos - stream->out_filled;
		stream->out_filled = out.pos;
	} while (hint != 0 && (in.pos < size || out.pos == SOURCE_STREAM_OUT));
	return hint == 0;
}

/* Feeds the next `size` bytes of the input. */
static int step(struct source_zstd *zstd, size_t size)
{
	struct source_stream *stream = &zstd->stream;
	int r = source_stream_need(stream, size);

	if (r <= 0)
		return r < 0 ? r : source_stream_cut(stream, "zstd frame");
	r = feed(zstd, source_stream_input(stream), size);
	if (r >= 0)
		source_stream_skip(stream, size);
	return r;
}

/* Blocks, and the checksum: as step. */
static int run_blocks(struct source_zstd *zstd, bool has_checksum)
{
	struct source_stream *stream = &zstd->stream;
	struct zstd_block block = {0};
	int r = 0;

	while (r == 0 && !block.last) {
		r = source_stream_need(stream, ZSTD_BLOCK_HEADER);
		if (r <= 0)
			return r < 0 ? r : source_stream_cut(stream, "zstd frame");
		block = zstd_block_parse(source_stream_input(stream));
		if (block.stored > ZSTD_BLOCK_MAX)
			return damaged_block(zstd, block.stored);
		r = step(zstd, ZSTD_BLOCK_HEADER);
		if (r == 0 && block.stored > 0)
			r = step(zstd, block.stored);
	}
	return r == 0 && has_checksum ? step(zstd, ZSTD_CHECKSUM) : r;
}

static int prepare(struct source_zstd *zstd)
{
	size_t r;

	if (!zstd->streaming)
		zstd->streaming = ZSTD_createDCtx();
	if (!zstd->streaming)
		return -ENOMEM;
	ZSTD_DCtx_reset(zstd->streaming, ZSTD_reset_session_only);
	r = ZSTD_DCtx_setParameter(zstd->streaming, ZSTD_d_windowLogMax, SOURCE_ZSTD_WINDOW_LOG);
	zstd->frame_at = zstd->stream.at;
	zstd->frame_output = 0;
	return ZSTD_isError(r) ? -EINVAL : 0;
}

int source_zstd_stream(struct source_zstd *zstd, const struct zstd_header *header)
{
	struct source_stream *stream = &zstd->stream;
	int r = prepare(zstd);

	stream->inside = true;
	if (r == 0)
		r = feed(zstd, header->open, header->open_size);
	source_stream_skip(stream, header->size);
	if (r == 0)
		r = run_blocks(zstd, header->has_checksum);
	stream->inside = false;
	if (r < 0)
		return r;
	/* libzstd does not compare when the last block is an empty one */
	if (r == 0 || (header->has_length && zstd->frame_output != header->length))
		return source_stream_fail(stream, -EBADMSG,
					  "zstd frame, offset %llu of the file: found %llu bytes; "
					  "accepted as many as it says",
					  (unsigned long long)zstd->frame_at,
					  (unsigned long long)zstd->frame_output);
	return 0;
}
