/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "pktgen.h"

/* Bytes that are gathered before they go out. */
#define SINK_ROOM ((size_t)1 << 20)

struct gen_sink {
	enum gen_compression compression;
	int fd;
	const char *path;
	uint8_t *bytes; /* gathered, not yet compressed or written */
	size_t size, room;
	size_t frame_size;
	uint8_t *packed;
	size_t packed_room;
	ZSTD_CCtx *zstd;
	z_stream gzip;
};

static void write_all(struct gen_sink *sink, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	while (size) {
		n = write(sink->fd, bytes, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err(1, "%s", sink->path);
		bytes += n;
		size -= (size_t)n;
	}
}

static size_t zstd_ok(size_t result)
{
	if (ZSTD_isError(result))
		errx(1, "zstd: %s", ZSTD_getErrorName(result));
	return result;
}

static void zstd_start(struct gen_sink *sink, const struct gen *gen, uint64_t size)
{
	sink->zstd = ZSTD_createCCtx();
	if (!sink->zstd)
		err(1, "zstd");
	zstd_ok(ZSTD_CCtx_setParameter(sink->zstd, ZSTD_c_compressionLevel,
				       gen->level ? gen->level : 1));
	zstd_ok(ZSTD_CCtx_setParameter(sink->zstd, ZSTD_c_contentSizeFlag, !gen->undeclared));
	if (gen->compression == GEN_ZSTD_SINGLE && !gen->undeclared)
		zstd_ok(ZSTD_CCtx_setPledgedSrcSize(sink->zstd, size));
}

static void zstd_stream(struct gen_sink *sink, bool end)
{
	ZSTD_inBuffer in = {sink->bytes, sink->size, 0};
	ZSTD_outBuffer out;
	size_t left;

	do {
		out = (ZSTD_outBuffer){sink->packed, sink->packed_room, 0};
		left = zstd_ok(ZSTD_compressStream2(sink->zstd, &out, &in,
						    end ? ZSTD_e_end : ZSTD_e_continue));
		write_all(sink, sink->packed, out.pos);
	} while (end ? left != 0 : in.pos < in.size);
	sink->size = 0;
}

static void zstd_frames(struct gen_sink *sink, bool end)
{
	size_t at = 0, take, n;

	while (sink->size - at >= sink->frame_size || (end && at < sink->size)) {
		take = MIN(sink->frame_size, sink->size - at);
		n = zstd_ok(ZSTD_compress2(sink->zstd, sink->packed, sink->packed_room,
					   sink->bytes + at, take));
		write_all(sink, sink->packed, n);
		at += take;
	}
	memmove(sink->bytes, sink->bytes + at, sink->size - at);
	sink->size -= at;
}

static void gzip_stream(struct gen_sink *sink, bool end)
{
	int r;

	sink->gzip.next_in = sink->bytes;
	sink->gzip.avail_in = (uInt)sink->size;
	do {
		sink->gzip.next_out = sink->packed;
		sink->gzip.avail_out = (uInt)sink->packed_room;
		r = deflate(&sink->gzip, end ? Z_FINISH : Z_NO_FLUSH);
		if (r == Z_STREAM_ERROR)
			errx(1, "zlib: %s", sink->gzip.msg ? sink->gzip.msg : "stream error");
		write_all(sink, sink->packed, sink->packed_room - sink->gzip.avail_out);
	} while (end ? r != Z_STREAM_END : sink->gzip.avail_in != 0);
	sink->size = 0;
}

static void drain(struct gen_sink *sink, bool end)
{
	switch (sink->compression) {
	case GEN_ZSTD_SINGLE:
		zstd_stream(sink, end);
		break;
	case GEN_ZSTD_FRAMES:
		zstd_frames(sink, end);
		break;
	case GEN_GZIP:
		gzip_stream(sink, end);
		break;
	case GEN_PLAIN:
		write_all(sink, sink->bytes, sink->size);
		sink->size = 0;
		break;
	}
}

static void make_room(struct gen_sink *sink, size_t room)
{
	sink->bytes = realloc(sink->bytes, room);
	if (!sink->bytes)
		err(1, "memory");
	sink->room = room;
}

struct gen_sink *gen_sink_open(const struct gen *gen, const char *path, uint64_t size)
{
	struct gen_sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		err(1, "memory");
	sink->compression = gen->compression;
	sink->frame_size = gen->frame_size;
	sink->path = path;
	sink->fd = STDOUT_FILENO;
	if (strcmp(path, "-") != 0)
		sink->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (sink->fd < 0)
		err(1, "%s", path);
	make_room(sink, SINK_ROOM + gen->frame_size);
	sink->packed_room = ZSTD_compressBound(MAX(SINK_ROOM, gen->frame_size));
	sink->packed = malloc(sink->packed_room);
	if (!sink->packed)
		err(1, "memory");
	if (gen->compression == GEN_ZSTD_SINGLE || gen->compression == GEN_ZSTD_FRAMES)
		zstd_start(sink, gen, size);
	if (gen->compression == GEN_GZIP &&
	    deflateInit2(&sink->gzip, gen->level ? gen->level : Z_DEFAULT_COMPRESSION, Z_DEFLATED,
			 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		errx(1, "zlib");
	return sink;
}

uint8_t *gen_sink_room(struct gen_sink *sink, size_t size)
{
	if (size > sink->room - sink->size)
		drain(sink, false);
	if (size > sink->room - sink->size)
		make_room(sink, sink->size + size);
	return sink->bytes + sink->size;
}

void gen_sink_commit(struct gen_sink *sink, size_t size)
{
	sink->size += size;
}

void gen_sink_close(struct gen_sink *sink)
{
	drain(sink, true);
	if (close(sink->fd) < 0)
		err(1, "%s", sink->path);
	ZSTD_freeCCtx(sink->zstd);
	if (sink->compression == GEN_GZIP)
		deflateEnd(&sink->gzip);
	free(sink->packed);
	free(sink->bytes);
	free(sink);
}
