/* SPDX-License-Identifier: BSD-2-Clause */
/* gzip (RFC 1952): inflate stops at the end of each block. */
#include "write_input.h"

#include <inttypes.h>

#define WINDOW_BITS (16 + MAX_WBITS) /* 16: a gzip header, nothing else */
#define OUTPUT_SIZE ((size_t)64 << 10)

/* z_stream.data_type after inflate(Z_BLOCK) */
#define AT_BLOCK_END 128
#define IN_LAST      64
#define UNUSED_BITS  7

static int begin_member(struct write_input *input, struct pktfs_error *ret_error)
{
	int r = write_input_need(input, 2, ret_error);
	const uint8_t *bytes = input->in + input->in_used;
	size_t left = input->in_filled - input->in_used;

	if (r < 0 || left == 0)
		return r;
	input->frame_at = input->at;
	input->frame_decoded = input->decoded;
	input->endable = false;
	/* zeros that fill a block of a tape: what were appended behind them no
	 * program would read */
	if (r == 0 || bytes[0] == 0) {
		input->torn = true;
		return 0;
	}
	if (bytes[0] != 0x1f || bytes[1] != 0x8b)
		return error_at(ret_error, -EBADMSG, input->decoded,
				"behind the gzip data, offset %" PRIu64
				" of the file: found garbage; accepted another member",
				input->at);
	if (!input->inflating && inflateInit2(&input->z, WINDOW_BITS) != Z_OK)
		return error_set(ret_error, -ENOMEM, "out of memory");
	if (input->inflating)
		inflateReset(&input->z);
	input->inflating = true;
	input->in_frame = true;
	input->crc = (uint32_t)crc32(0, NULL, 0);
	return 1;
}

/* One call of inflate; its result. */
static int inflate_some(struct write_input *input, uint8_t *room)
{
	size_t left = input->in_filled - input->in_used, size;
	int z;

	input->z.next_in = input->in + input->in_used;
	input->z.avail_in = (uInt)left;
	input->z.next_out = room;
	input->z.avail_out = (uInt)OUTPUT_SIZE;
	z = inflate(&input->z, Z_BLOCK);
	write_input_skip(input, left - input->z.avail_in);
	size = OUTPUT_SIZE - input->z.avail_out;
	input->decoded += size;
	input->crc = (uint32_t)crc32(input->crc, room, (uInt)size);
	return z;
}

/* After a flush (Z_SYNC_FLUSH) a block ends with a byte. */
static void note_boundary(struct write_input *input, int z)
{
	if (z == Z_STREAM_END) {
		input->in_frame = false;
		write_input_boundary(input);
	} else if ((input->z.data_type & AT_BLOCK_END) &&
		   !(input->z.data_type & (IN_LAST | UNUSED_BITS))) {
		input->endable = true;
		write_input_boundary(input);
	}
}

int write_input_gzip(struct write_input *input, struct text *window, struct pktfs_error *ret_error)
{
	uint8_t *room;
	int z, r;

	if (input->torn)
		return 0;
	if (!input->in_frame)
		return begin_member(input, ret_error);
	r = write_input_need(input, 1, ret_error);
	if (r < 0)
		return r;
	room = text_grow(window, OUTPUT_SIZE);
	if (!room)
		return 1;
	z = inflate_some(input, room);
	window->size -= input->z.avail_out;
	if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
		return error_at(ret_error, z == Z_MEM_ERROR ? -ENOMEM : -EBADMSG, input->decoded,
				"gzip member, offset %" PRIu64 " of the file: found %s",
				input->frame_at, input->z.msg ? input->z.msg : zError(z));
	note_boundary(input, z);
	if (r == 0 && z != Z_STREAM_END && input->z.avail_out == OUTPUT_SIZE &&
	    input->in_filled == input->in_used) {
		input->torn = true;
		return 0;
	}
	return 1;
}
