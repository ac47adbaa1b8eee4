/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compressed bytes for the end of a file.
 *
 * A frame that grows by flushes is ended by a mark that does not depend on the
 * state of the compressor: an empty last block. So it can be ended after a
 * failed write, too, and by a program that only reads the file:
 *
 *	zstd	01 00 00                      (frames without checksum and length)
 *	gzip	03 00, CRC-32, length         (of what the member holds)
 *
 * Everything is made into a text; the caller writes that to the file and then
 * says how it went.
 */
#ifndef WRITE_STREAM_H
#define WRITE_STREAM_H

#include <zlib.h>
#include <zstd.h>

#include "pktfs/capture.h"
#include "util/util_text.h"

/* A frame that grows is ended at this size: what a reader must decode to reach
 * its last packet. */
#define WRITE_FRAME_BYTES ((uint64_t)1 << 20)

struct write_stream {
	enum pktfs_compression compression;
	int level;
	/* the frame in the file, as far as it was written */
	bool open;
	bool ending;    /* must be ended before anything else */
	uint64_t bytes; /* decoded */
	uint32_t crc;
	/* what the last write_stream_flush would make of it */
	uint64_t next_bytes;
	uint32_t next_crc;
	ZSTD_CCtx *zstd;
	z_stream z;
	bool deflating;
};

void write_stream_close(struct write_stream *stream);

/* Appends to `out` what makes `bytes` readable behind what is in the file: ends
 * a frame that is to be ended, begins one if there is none, and flushes. 0 or
 * -ENOMEM. */
int write_stream_flush(struct write_stream *stream, const void *bytes, size_t size,
		       struct text *out);
/* That is in the file now, or it is not. */
void write_stream_done(struct write_stream *stream);
void write_stream_failed(struct write_stream *stream);

/* Appends the mark that ends the open frame, if there is one; when it is in the
 * file, write_stream_ended. */
void write_stream_end(const struct write_stream *stream, struct text *out);
void write_stream_ended(struct write_stream *stream);

/* A frame by itself, with its length and a checksum. No frame is open. */
int write_stream_whole(struct write_stream *stream, const void *bytes, size_t size,
		       struct text *out);

/* The mark for a frame of somebody else. */
void write_stream_mark(enum pktfs_compression compression, uint32_t crc, uint64_t bytes,
		       struct text *out);

#endif
