/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoded bytes of a file that is to be appended to, one block of the
 * compressed form after the other, with what `source` does not tell: where in
 * the file the frames and their blocks begin, so that a tail can be cut off.
 *
 *	     frame_at            boundary_at          at
 *	... | frame header, block | block, cut half way, end of the file
 *	     frame_decoded        boundary_decoded
 *
 * What has been decoded is never behind: a block is given out as soon as all
 * of it is there. One thread; memory is a window of 128 MiB at the most.
 */
#ifndef WRITE_INPUT_H
#define WRITE_INPUT_H

#include <zlib.h>
#include <zstd.h>

#include "pktfs/capture.h"
#include "util/util_text.h"

struct write_input {
	enum pktfs_compression compression;
	int fd;
	uint64_t at;        /* offset in the file of the next byte of `in` */
	uint64_t decoded;   /* bytes given out, plus where it began */
	bool in_frame;      /* inside of a frame or member */
	bool torn;          /* the file ended in the middle of something */
	bool endable;       /* the frame may be ended by write_stream_end_mark */
	uint64_t frame_at, frame_decoded;
	/* the last place where a block (or what is between frames) ended */
	uint64_t boundary_at, boundary_decoded;
	uint32_t boundary_crc, crc; /* gzip: of the member so far */
	/* private */
	uint8_t *in;
	size_t in_used, in_filled;
	bool checksum;
	ZSTD_DCtx *zstd;
	z_stream z;
	bool inflating;
};

/* Recognises the compression by the first bytes at `offset`, where a frame
 * begins whose first byte is decoded byte `decoded`. */
int write_input_open(struct write_input *input, int fd, uint64_t offset, uint64_t decoded,
		     struct pktfs_error *ret_error);
void write_input_close(struct write_input *input);

/*
 * Appends some decoded bytes (perhaps none) to `window`. Returns 1; 0 at the
 * end of the file; -EBADMSG damaged; -EFBIG a zstd window above 128 MiB;
 * -ENOTSUP a zstd dictionary; -ENOMEM; errors of read(2).
 */
int write_input_more(struct write_input *input, struct text *window,
		     struct pktfs_error *ret_error);

/* For write_input_*.c: `size` bytes of input in one piece: 1, or 0 when the
 * file ends before. */
int write_input_need(struct write_input *input, size_t size, struct pktfs_error *ret_error);
void write_input_skip(struct write_input *input, size_t size);
void write_input_boundary(struct write_input *input);
int write_input_zstd(struct write_input *input, struct text *window,
		     struct pktfs_error *ret_error);
int write_input_gzip(struct write_input *input, struct text *window,
		     struct pktfs_error *ret_error);

/* Larger than a zstd block with its header. */
#define WRITE_INPUT_SIZE ((size_t)256 << 10)

#endif
