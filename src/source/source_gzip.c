/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_gzip.h"

#include <string.h>
#include <zlib.h>

#include "source_stream.h"

#define GZIP_WINDOW_BITS (16 + MAX_WBITS) /* 16: a gzip header, nothing else */

struct source_gzip {
	struct source_stream stream;
	z_stream z;
};

/* A call of inflate: its result; input and output are accounted for. */
static int inflate_some(struct source_gzip *gzip)
{
	struct source_stream *stream = &gzip->stream;
	size_t left = source_stream_left(stream);
	int r;

	gzip->z.next_in = stream->in + stream->in_used;
	gzip->z.avail_in = (uInt)left;
	gzip->z.next_out = stream->out + stream->out_filled;
	gzip->z.avail_out = (uInt)(SOURCE_STREAM_OUT - stream->out_filled);
	r = inflate(&gzip->z, Z_NO_FLUSH);
	source_stream_skip(stream, left - gzip->z.avail_in);
	stream->out_filled = SOURCE_STREAM_OUT - gzip->z.avail_out;
	return r;
}

static int damaged(struct source_gzip *gzip, int r)
{
	const char *text = gzip->z.msg ? gzip->z.msg : zError(r);

	if (r == Z_MEM_ERROR)
		return source_stream_fail(&gzip->stream, -ENOMEM, "gzip: out of memory");
	return source_stream_fail(&gzip->stream, -EBADMSG,
				  "gzip member, before offset %llu of the file: found %s",
				  (unsigned long long)gzip->stream.at, text);
}

/* One member, to its end. */
static int run_member(struct source_gzip *gzip)
{
	struct source_stream *stream = &gzip->stream;
	int r, z = Z_OK;

	stream->inside = true;
	while (z != Z_STREAM_END) {
		/* with its output full, inflate may hold back more of it */
		if (stream->out_filled < SOURCE_STREAM_OUT) {
			r = source_stream_need(stream, 1);
			if (r < 0)
				return r;
			if (r == 0)
				return source_stream_cut(stream, "gzip member");
		} else {
			r = source_stream_pass(stream);
			if (r < 0)
				return r;
		}
		z = inflate_some(gzip);
		if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
			return damaged(gzip, z);
	}
	stream->inside = false;
	return 0;
}

static int garbage(struct source_gzip *gzip)
{
	return source_stream_fail(&gzip->stream, -EBADMSG,
				  "behind the gzip data, offset %llu of the file: found garbage; "
				  "accepted another member, zeros",
				  (unsigned long long)gzip->stream.at);
}

/* Only zeros to the end of the file? */
static int run_padding(struct source_gzip *gzip)
{
	struct source_stream *stream = &gzip->stream;
	int r;

	for (r = source_stream_need(stream, 1); r > 0; r = source_stream_need(stream, 1)) {
		while (source_stream_left(stream) > 0) {
			if (*source_stream_input(stream) != 0)
				return garbage(gzip);
			source_stream_skip(stream, 1);
		}
	}
	return r;
}

/* What follows a member: 1 another, 0 the end. */
static int next_member(struct source_gzip *gzip)
{
	struct source_stream *stream = &gzip->stream;
	int r = source_stream_need(stream, 1);
	const uint8_t *bytes;

	if (r < 0)
		return r;
	if (r == 0)
		return source_problem(stream->inner, NULL) ? source_stream_cut(stream, "gzip data")
							   : 0;
	if (*source_stream_input(stream) == 0)
		return run_padding(gzip);
	r = source_stream_need(stream, 2);
	if (r < 0)
		return r;
	bytes = source_stream_input(stream);
	if (bytes[0] == 0x1f && r == 0)
		return source_stream_cut(stream, "gzip header");
	if (bytes[0] != 0x1f || bytes[1] != 0x8b)
		return garbage(gzip);
	inflateReset(&gzip->z);
	return 1;
}

static int gzip_run(struct source_stream *stream)
{
	struct source_gzip *gzip = (struct source_gzip *)stream;
	int r = 1;

	if (inflateInit2(&gzip->z, GZIP_WINDOW_BITS) != Z_OK)
		return -ENOMEM;
	while (r > 0) {
		r = run_member(gzip);
		if (r == 0)
			r = next_member(gzip);
	}
	inflateEnd(&gzip->z);
	return r < 0 ? r : source_stream_flush(stream);
}

static void gzip_close(struct source *source)
{
	source_stream_fini((struct source_stream *)source);
	free(source);
}

static const struct source_ops gzip_ops = {
	.name = "gzip",
	.borrow = source_stream_borrow,
	.verify = source_stream_verify,
	.offers = source_stream_offers,
	.help = source_stream_help,
	.drop = source_stream_drop,
	.cancel = source_stream_cancel,
	.grow = source_stream_grow,
	.descriptor = source_stream_descriptor,
	.written = source_stream_written,
	.stored = source_stream_stored,
	.close = gzip_close,
};

int source_gzip_open(struct source *inner, const struct source_options *options,
		     struct source **ret, struct pktfs_error *ret_error)
{
	struct source_gzip *gzip = calloc(1, sizeof(*gzip));
	struct source_stream *stream = &gzip->stream;
	int r;

	if (!gzip)
		return error_set(ret_error, -ENOMEM, "out of memory");
	r = source_stream_init(stream, &gzip_ops, inner, options);
	if (r < 0) {
		free(gzip);
		return error_set(ret_error, r, "out of memory");
	}
	stream->base.compression = SOURCE_GZIP;
	stream->run = gzip_run;
	stream->unit = "gzip member";
	r = source_spool_open(&stream->spool, stream->spool_dir, ret_error);
	if (r == 0) {
		r = source_stream_start(stream, "pktfs-gzip");
		if (r < 0)
			error_set(ret_error, r, "no thread for gzip: %s", strerror(-r));
	}
	if (r == 0) {
		*ret = &stream->base;
		return 0;
	}
	stream->inner = NULL; /* stays the caller's */
	gzip_close(&stream->base);
	return r;
}
