/* SPDX-License-Identifier: BSD-2-Clause */
#include "write_input.h"

#include <string.h>

#include "util/util_cursor.h"
#include "write_file.h"

int write_input_need(struct write_input *input, size_t size, struct pktfs_error *ret_error)
{
	size_t left = input->in_filled - input->in_used;
	int64_t n;

	if (left >= size)
		return 1;
	memmove(input->in, input->in + input->in_used, left);
	input->in_used = 0;
	input->in_filled = left;
	n = write_pread(input->fd, input->at + left, input->in + left, WRITE_INPUT_SIZE - left);
	if (n < 0)
		return error_at(ret_error, (int)n, input->at + left, "cannot be read: %s",
				strerror((int)-n));
	input->in_filled += (size_t)n;
	return input->in_filled >= size;
}

void write_input_skip(struct write_input *input, size_t size)
{
	input->in_used += size;
	input->at += size;
}

void write_input_boundary(struct write_input *input)
{
	input->boundary_at = input->at;
	input->boundary_decoded = input->decoded;
	input->boundary_crc = input->crc;
}

static int recognise(struct write_input *input, struct pktfs_error *ret_error)
{
	int r = write_input_need(input, 4, ret_error);
	const uint8_t *bytes = input->in;
	size_t size = input->in_filled;

	if (r < 0)
		return r;
	if (size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b)
		input->compression = PKTFS_COMPRESSION_GZIP;
	else if (size >= 4 && (bytes_u32(bytes, false) == 0xfd2fb528u ||
			       bytes_u32(bytes, false) >> 4 == 0x184d2a5u))
		input->compression = PKTFS_COMPRESSION_ZSTD;
	return 0;
}

int write_input_open(struct write_input *input, int fd, uint64_t offset, uint64_t decoded,
		     struct pktfs_error *ret_error)
{
	*input = (struct write_input){
		.fd = fd,
		.at = offset,
		.decoded = decoded,
		.frame_at = offset,
		.frame_decoded = decoded,
		.in = malloc(WRITE_INPUT_SIZE),
	};
	if (!input->in)
		return error_set(ret_error, -ENOMEM, "out of memory");
	write_input_boundary(input);
	return recognise(input, ret_error);
}

void write_input_close(struct write_input *input)
{
	free(input->in);
	ZSTD_freeDCtx(input->zstd);
	if (input->inflating)
		inflateEnd(&input->z);
	*input = (struct write_input){.fd = -1};
}

/* Every offset is a boundary. */
static int more_plain(struct write_input *input, struct text *window, struct pktfs_error *ret_error)
{
	int r = write_input_need(input, 1, ret_error);
	size_t left = input->in_filled - input->in_used;

	if (r <= 0)
		return r;
	text_append(window, input->in + input->in_used, left);
	write_input_skip(input, left);
	input->decoded += left;
	return 1;
}

int write_input_more(struct write_input *input, struct text *window, struct pktfs_error *ret_error)
{
	int r;

	switch (input->compression) {
	case PKTFS_COMPRESSION_ZSTD:
		r = write_input_zstd(input, window, ret_error);
		break;
	case PKTFS_COMPRESSION_GZIP:
		r = write_input_gzip(input, window, ret_error);
		break;
	default:
		r = more_plain(input, window, ret_error);
		break;
	}
	if (r >= 0 && window->failed)
		return error_at(ret_error, window->failed, input->decoded, "out of memory");
	return r;
}
