/* SPDX-License-Identifier: BSD-2-Clause */
#include "write_stream.h"

#include <string.h>

#define ZSTD_LEVEL 3
#define GZIP_LEVEL 6
#define OUT_STEP   ((size_t)64 << 10)
/* zlib counts with 32 bits. */
#define IN_STEP ((size_t)1 << 30)

/* RFC 1952, section 2.3: deflate, no flags, no time, Unix. */
static const uint8_t gzip_header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};

void write_stream_close(struct write_stream *stream)
{
	ZSTD_freeCCtx(stream->zstd);
	if (stream->deflating)
		deflateEnd(&stream->z);
	*stream = (struct write_stream){0};
}

/* ---- zstd */

static int zstd_begin(struct write_stream *stream, bool whole)
{
	int level = stream->level ? stream->level : ZSTD_LEVEL;

	if (!stream->zstd)
		stream->zstd = ZSTD_createCCtx();
	if (!stream->zstd)
		return -ENOMEM;
	ZSTD_CCtx_reset(stream->zstd, ZSTD_reset_session_and_parameters);
	ZSTD_CCtx_setParameter(stream->zstd, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(stream->zstd, ZSTD_c_checksumFlag, whole);
	ZSTD_CCtx_setParameter(stream->zstd, ZSTD_c_contentSizeFlag, whole);
	return 0;
}

static int zstd_flush(struct write_stream *stream, const void *bytes, size_t size, struct text *out)
{
	ZSTD_inBuffer in = {bytes, size, 0};
	ZSTD_outBuffer room;
	size_t left;

	do {
		room = (ZSTD_outBuffer){text_grow(out, OUT_STEP), OUT_STEP, 0};
		if (!room.dst)
			return -ENOMEM;
		left = ZSTD_compressStream2(stream->zstd, &room, &in, ZSTD_e_flush);
		out->size -= OUT_STEP - room.pos;
		if (ZSTD_isError(left))
			return -ENOMEM;
	} while (left > 0 || in.pos < size);
	return 0;
}

static int zstd_whole(struct write_stream *stream, const void *bytes, size_t size, struct text *out)
{
	size_t bound = ZSTD_compressBound(size), n;
	uint8_t *room;
	int r = zstd_begin(stream, true);

	if (r < 0)
		return r;
	room = text_grow(out, bound);
	if (!room)
		return -ENOMEM;
	n = ZSTD_compress2(stream->zstd, room, bound, bytes, size);
	out->size -= ZSTD_isError(n) ? bound : bound - n;
	return ZSTD_isError(n) ? -ENOMEM : 0;
}

/* ---- gzip */

static int gzip_begin(struct write_stream *stream, struct text *out)
{
	int level = stream->level ? stream->level : GZIP_LEVEL;

	if (!stream->deflating &&
	    deflateInit2(&stream->z, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	if (stream->deflating)
		deflateReset(&stream->z);
	stream->deflating = true;
	text_append(out, gzip_header, sizeof(gzip_header));
	return out->failed;
}

static int gzip_put(struct write_stream *stream, const void *bytes, size_t size, int flush,
		    struct text *out)
{
	z_stream *z = &stream->z;
	uint8_t *room;

	z->next_in = (z_const Bytef *)(uintptr_t)bytes;
	z->avail_in = (uInt)size;
	do {
		room = text_grow(out, OUT_STEP);
		if (!room)
			return -ENOMEM;
		z->next_out = room;
		z->avail_out = (uInt)OUT_STEP;
		deflate(z, flush);
		out->size -= z->avail_out;
	} while (z->avail_out == 0);
	return 0;
}

static uint32_t gzip_crc(uint32_t crc, const void *bytes, size_t size)
{
	return (uint32_t)crc32_z(crc, bytes, size);
}

static int gzip_whole(struct write_stream *stream, const void *bytes, size_t size, struct text *out)
{
	int r = size <= IN_STEP ? gzip_begin(stream, out) : -EFBIG;

	if (r == 0)
		r = gzip_put(stream, bytes, size, Z_FINISH, out);
	if (r < 0)
		return r;
	text_u32(out, gzip_crc(0, bytes, size), false);
	text_u32(out, (uint32_t)size, false);
	return out->failed;
}

/* ---- both */

static int begin(struct write_stream *stream, struct text *out)
{
	if (stream->compression == PKTFS_COMPRESSION_ZSTD)
		return zstd_begin(stream, false);
	return gzip_begin(stream, out);
}

int write_stream_flush(struct write_stream *stream, const void *bytes, size_t size,
		       struct text *out)
{
	bool fresh = !stream->open || stream->ending || stream->bytes >= WRITE_FRAME_BYTES;
	int r = size <= IN_STEP ? 0 : -EFBIG;

	stream->next_bytes = fresh ? size : stream->bytes + size;
	stream->next_crc = gzip_crc(fresh ? 0 : stream->crc, bytes, size);
	if (fresh) {
		write_stream_end(stream, out);
		r = begin(stream, out);
	}
	if (r < 0)
		return r;
	if (stream->compression == PKTFS_COMPRESSION_ZSTD)
		return zstd_flush(stream, bytes, size, out);
	return gzip_put(stream, bytes, size, Z_SYNC_FLUSH, out);
}

void write_stream_done(struct write_stream *stream)
{
	stream->open = true;
	stream->ending = false;
	stream->bytes = stream->next_bytes;
	stream->crc = stream->next_crc;
}

/* The compressor knows bytes now that no reader will. */
void write_stream_failed(struct write_stream *stream)
{
	stream->ending = true;
}

void write_stream_mark(enum pktfs_compression compression, uint32_t crc, uint64_t bytes,
		       struct text *out)
{
	if (compression == PKTFS_COMPRESSION_ZSTD) {
		text_append(out, "\1\0\0", 3);
		return;
	}
	text_append(out, "\3\0", 2);
	text_u32(out, crc, false);
	text_u32(out, (uint32_t)bytes, false);
}

void write_stream_end(const struct write_stream *stream, struct text *out)
{
	if (stream->open)
		write_stream_mark(stream->compression, stream->crc, stream->bytes, out);
}

void write_stream_ended(struct write_stream *stream)
{
	stream->open = stream->ending = false;
	stream->bytes = 0;
}

int write_stream_whole(struct write_stream *stream, const void *bytes, size_t size,
		       struct text *out)
{
	if (stream->compression == PKTFS_COMPRESSION_ZSTD)
		return zstd_whole(stream, bytes, size, out);
	return gzip_whole(stream, bytes, size, out);
}
