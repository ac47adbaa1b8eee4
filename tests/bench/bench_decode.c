/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The baselines of compressed captures: the decoder alone, in one thread, into
 * a buffer that stays in the cache and is never looked at.
 *
 *	bench_decode zstd FILE     libzstd, streaming, frame after frame
 *	bench_decode gzip FILE     zlib, streaming, member after member
 *
 * The file is read by pieces of 128 KiB. Prints seconds and the bytes decoded.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#define PIECE (128u << 10)

static uint8_t input[PIECE], output[PIECE];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t take(int fd)
{
	ssize_t n = read(fd, input, sizeof(input));

	if (n < 0)
		err(1, "read");
	return (size_t)n;
}

static uint64_t decode_zstd(int fd)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	uint64_t total = 0;
	size_t n, r = 0;

	while ((n = take(fd)) > 0) {
		ZSTD_inBuffer in = {input, n, 0};

		/* a full output may mean that there is more without input */
		for (bool more = true; more;) {
			ZSTD_outBuffer out = {output, sizeof(output), 0};

			r = ZSTD_decompressStream(stream, &out, &in);
			if (ZSTD_isError(r))
				errx(1, "%s", ZSTD_getErrorName(r));
			total += out.pos;
			more = in.pos < in.size || (r && out.pos == out.size);
		}
	}
	ZSTD_freeDStream(stream);
	if (r)
		errx(1, "the file ends inside a frame");
	return total;
}

static uint64_t decode_gzip(int fd)
{
	z_stream stream = {0};
	uint64_t total = 0;
	int r = Z_OK;

	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		errx(1, "zlib");
	while ((stream.avail_in = (uInt)take(fd)) > 0) {
		stream.next_in = input;
		do {
			stream.next_out = output;
			stream.avail_out = sizeof(output);
			if (r == Z_STREAM_END && stream.avail_in)
				inflateReset(&stream);
			r = inflate(&stream, Z_NO_FLUSH);
			if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
				errx(1, "%s", stream.msg ? stream.msg : "damaged");
			total += sizeof(output) - stream.avail_out;
		} while (stream.avail_in || (!stream.avail_out && r != Z_STREAM_END));
	}
	inflateEnd(&stream);
	if (r != Z_STREAM_END)
		errx(1, "the file ends inside a member");
	return total;
}

int main(int argc, char **argv)
{
	bool zstd = argc == 3 && !strcmp(argv[1], "zstd");
	double start = now();
	uint64_t total;
	int fd;

	if (!zstd && (argc != 3 || strcmp(argv[1], "gzip")))
		errx(2, "usage: bench_decode zstd|gzip FILE");
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", argv[2]);
	total = zstd ? decode_zstd(fd) : decode_gzip(fd);
	printf("%.6f %lu\n", now() - start, (unsigned long)total);
	close(fd);
	return 0;
}
