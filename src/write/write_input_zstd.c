/* SPDX-License-Identifier: BSD-2-Clause */
/* zstd (RFC 8878): libzstd is fed step by step, so that it is known how far the
 * file reaches with every block that is given out. */
#include "write_input.h"

#include <inttypes.h>
#include <zstd_errors.h>

#include "util/util_cursor.h"

#define MAGIC            0xfd2fb528u
#define MAGIC_SKIP       0x184d2a5u /* without its last four bits */
#define SKIP_HEADER_SIZE 8u
#define BLOCK_HEADER     3u
#define BLOCK_MAX        (128u << 10)
#define BLOCK_RLE        1u
#define BLOCK_RESERVED   3u
#define CHECKSUM_SIZE    4u
/* As in `source`: what is not read by us is not continued either. */
#define WINDOW_LOG 27

static int failed(struct write_input *input, size_t code, struct pktfs_error *ret_error)
{
	int r = -EBADMSG;

	if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
		r = -ENOMEM;
	if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
		r = -EFBIG;
	return error_at(ret_error, r, input->decoded,
			"zstd frame, offset %" PRIu64 " of the file: found %s", input->frame_at,
			ZSTD_getErrorName(code));
}

/* Feeds the next `size` bytes of input. *ret_hint 0: the frame is complete. */
static int feed(struct write_input *input, size_t size, struct text *window, size_t *ret_hint,
		struct pktfs_error *ret_error)
{
	ZSTD_inBuffer in = {input->in + input->in_used, size, 0};
	ZSTD_outBuffer out;
	uint8_t *room;

	do {
		room = text_grow(window, BLOCK_MAX);
		if (!room)
			return 0;
		out = (ZSTD_outBuffer){room, BLOCK_MAX, 0};
		*ret_hint = ZSTD_decompressStream(input->zstd, &out, &in);
		if (ZSTD_isError(*ret_hint))
			out.pos = 0;
		window->size -= BLOCK_MAX - out.pos;
		input->decoded += out.pos;
		if (ZSTD_isError(*ret_hint))
			return failed(input, *ret_hint, ret_error);
	} while (*ret_hint != 0 && (in.pos < size || out.pos == BLOCK_MAX));
	write_input_skip(input, in.pos);
	return 0;
}

static size_t header_size(uint8_t descriptor)
{
	static const uint8_t dictionary[] = {0, 1, 2, 4}, length[] = {0, 2, 4, 8};
	size_t single = descriptor >> 5 & 1;

	return 5 + (single ? 0u : 1u) + dictionary[descriptor & 3] +
	       (descriptor >> 6 ? length[descriptor >> 6] : single);
}

static int prepare(struct write_input *input)
{
	if (!input->zstd)
		input->zstd = ZSTD_createDCtx();
	if (!input->zstd)
		return -ENOMEM;
	ZSTD_DCtx_reset(input->zstd, ZSTD_reset_session_only);
	ZSTD_DCtx_setParameter(input->zstd, ZSTD_d_windowLogMax, WINDOW_LOG);
	return 0;
}

/* 1, or 0 when the file ends before: it is torn. */
static int need(struct write_input *input, size_t size, struct pktfs_error *ret_error)
{
	int r = write_input_need(input, size, ret_error);

	if (r == 0)
		input->torn = true;
	return r;
}

static int begin_frame(struct write_input *input, struct text *window,
		       struct pktfs_error *ret_error)
{
	uint8_t descriptor;
	size_t size, hint;
	int r = need(input, 5, ret_error);

	if (r <= 0)
		return r;
	descriptor = input->in[input->in_used + 4];
	size = header_size(descriptor);
	r = need(input, size, ret_error);
	if (r <= 0)
		return r;
	if (descriptor & 3)
		return error_at(ret_error, -ENOTSUP, input->decoded,
				"zstd frame, offset %" PRIu64
				" of the file: found one that needs a dictionary",
				input->at);
	r = prepare(input);
	if (r == 0)
		r = feed(input, size, window, &hint, ret_error);
	if (r < 0)
		return r;
	input->checksum = descriptor & 4;
	/* one segment, or a length: then the content is known beforehand */
	input->endable = !(descriptor & 0xe4);
	input->in_frame = true;
	write_input_boundary(input);
	return 1;
}

static int skippable(struct write_input *input, struct pktfs_error *ret_error)
{
	uint64_t left;
	size_t step;
	int r = need(input, SKIP_HEADER_SIZE, ret_error);

	if (r <= 0)
		return r;
	left = (uint64_t)bytes_u32(input->in + input->in_used + 4, false) + SKIP_HEADER_SIZE;
	while (left > 0) {
		r = need(input, 1, ret_error);
		if (r <= 0)
			return r;
		step = (size_t)MIN(left, input->in_filled - input->in_used);
		write_input_skip(input, step);
		left -= step;
	}
	write_input_boundary(input);
	return 1;
}

static int next_frame(struct write_input *input, struct text *window, struct pktfs_error *ret_error)
{
	uint32_t magic;
	int r = write_input_need(input, 1, ret_error);

	if (r <= 0)
		return r;
	input->frame_at = input->at;
	input->frame_decoded = input->decoded;
	input->endable = false;
	r = need(input, sizeof(magic), ret_error);
	if (r <= 0)
		return r;
	magic = bytes_u32(input->in + input->in_used, false);
	if (magic == MAGIC)
		return begin_frame(input, window, ret_error);
	if (magic >> 4 == MAGIC_SKIP)
		return skippable(input, ret_error);
	return error_at(ret_error, -EBADMSG, input->decoded,
			"behind the zstd data, offset %" PRIu64
			" of the file: found garbage; accepted another frame",
			input->at);
}

static int end_frame(struct write_input *input, struct text *window, size_t hint,
		     struct pktfs_error *ret_error)
{
	int r;

	if (input->checksum && hint != 0) {
		r = need(input, CHECKSUM_SIZE, ret_error);
		if (r == 1)
			r = feed(input, CHECKSUM_SIZE, window, &hint, ret_error);
		if (r < 0 || input->torn)
			return r;
	}
	if (hint != 0)
		return error_at(ret_error, -EBADMSG, input->decoded,
				"zstd frame, offset %" PRIu64
				" of the file: found another length than it says",
				input->frame_at);
	input->in_frame = false;
	input->endable = false;
	write_input_boundary(input);
	return 1;
}

int write_input_zstd(struct write_input *input, struct text *window, struct pktfs_error *ret_error)
{
	uint32_t header, stored;
	size_t hint = 0;
	int r;

	if (input->torn)
		return 0;
	if (!input->in_frame)
		return next_frame(input, window, ret_error);
	r = need(input, BLOCK_HEADER, ret_error);
	if (r <= 0)
		return r;
	header = input->in[input->in_used] | (uint32_t)input->in[input->in_used + 1] << 8 |
		 (uint32_t)input->in[input->in_used + 2] << 16;
	stored = (header >> 1 & 3) == BLOCK_RLE ? 1 : header >> 3;
	if ((header >> 1 & 3) == BLOCK_RESERVED || stored > BLOCK_MAX)
		return error_at(ret_error, -EBADMSG, input->decoded,
				"zstd block, offset %" PRIu64 " of the file: found garbage",
				input->at);
	r = need(input, BLOCK_HEADER + stored, ret_error);
	if (r == 1)
		r = feed(input, BLOCK_HEADER, window, &hint, ret_error);
	if (r == 0 && !input->torn && stored > 0 && hint != 0)
		r = feed(input, stored, window, &hint, ret_error);
	if (r < 0 || input->torn)
		return r;
	if (header & 1)
		return end_frame(input, window, hint, ret_error);
	write_input_boundary(input);
	return 1;
}
