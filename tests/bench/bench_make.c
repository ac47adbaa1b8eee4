/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures that are too large to be generated packet by packet, or to be kept.
 *
 *	bench_make sparse FILE BYTES   a pcap of packets of 256 KiB of zeros, which
 *	                               are holes: takes a 64th of its size
 *	bench_make tiny FILE COUNT     a pcap of packets without a byte, 16 bytes
 *	                               each, in frames of zstd of 1 MiB: takes some
 *	                               hundredth of that
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#define SPARSE_LENGTH 262144u
#define TINY_RECORDS  65536u /* in a frame */
#define TINY_EQUAL    1024u  /* that have the same time */

static const uint32_t file_header[] = {0xa1b2c3d4, 0x00040002, 0, 0, SPARSE_LENGTH, 1};

/* Seconds, microseconds, captured and original length. */
struct record {
	uint32_t sec, usec, captured, original;
};

static void put(int fd, const void *data, size_t length, uint64_t at)
{
	if (pwrite(fd, data, length, (off_t)at) != (ssize_t)length)
		err(1, "write");
}

static void make_sparse(int fd, uint64_t size)
{
	struct record record = {1000000000, 0, SPARSE_LENGTH, SPARSE_LENGTH};
	uint64_t at = sizeof(file_header);

	put(fd, file_header, sizeof(file_header), 0);
	for (; at < size; at += sizeof(record) + SPARSE_LENGTH, record.sec++)
		put(fd, &record, sizeof(record), at);
	if (ftruncate(fd, (off_t)at) < 0)
		err(1, "ftruncate");
}

static size_t compressed(ZSTD_CCtx *context, void *to, size_t room, const void *from, size_t length)
{
	size_t r = ZSTD_compressCCtx(context, to, room, from, length, 1);

	if (ZSTD_isError(r))
		errx(1, "%s", ZSTD_getErrorName(r));
	return r;
}

static void make_tiny(int fd, uint64_t count)
{
	size_t room = ZSTD_compressBound(sizeof(struct record) * TINY_RECORDS), length;
	struct record *records = calloc(TINY_RECORDS, sizeof(*records));
	ZSTD_CCtx *context = ZSTD_createCCtx();
	uint64_t at = 0, n = 0, tick;
	void *out = malloc(room);
	uint32_t i;

	if (!records || !context || !out)
		err(1, NULL);
	length = compressed(context, out, room, file_header, sizeof(file_header));
	put(fd, out, length, at);
	while (n < count) {
		at += length;
		for (i = 0; i < TINY_RECORDS && n < count; i++, n++) {
			tick = n / TINY_EQUAL;
			records[i].sec = (uint32_t)(1000000000 + tick / 1000000);
			records[i].usec = (uint32_t)(tick % 1000000);
			records[i].original = 60;
		}
		length = compressed(context, out, room, records, i * sizeof(*records));
		put(fd, out, length, at);
	}
	ZSTD_freeCCtx(context);
	free(records);
	free(out);
}

int main(int argc, char **argv)
{
	uint64_t amount = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	int fd;

	if (amount == 0 || (strcmp(argv[1], "sparse") && strcmp(argv[1], "tiny")))
		errx(2, "usage: bench_make sparse FILE BYTES | bench_make tiny FILE COUNT");
	fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		err(1, "%s", argv[2]);
	if (!strcmp(argv[1], "sparse"))
		make_sparse(fd, amount);
	else
		make_tiny(fd, amount);
	if (close(fd) < 0)
		err(1, "%s", argv[2]);
	return 0;
}
