/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing packets, as a capture program does it and through the library; and
 * files, as append/ is written to.
 *
 *	bench_append stdio FILE COUNT SIZES      records by fwrite(3), as dumpcap
 *	bench_append write FILE COUNT SIZES      one write(2) for each record
 *	bench_append library FILE COUNT SIZES    one pktfs_writer_packet each
 *	bench_append buffered FILE COUNT SIZES   the same, PKTFS_WRITER_BUFFERED
 *	bench_append files DIRECTORY COUNT       create, write, close
 *
 * SIZES is 60, or imix (64, 594 and 1518 bytes, 7:4:1). FILE is a pcap when its
 * name ends so, else a pcapng; the library appends to what is there. Prints how
 * many a second.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pktfs/writer.h"

#define DATA_SIZE 65536u
static uint8_t bytes[DATA_SIZE + 2048];
static int imix;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t size_of(uint64_t n)
{
	static const uint16_t sizes[] = {64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 594, 64};

	return imix ? sizes[n % 12] : 60;
}

static const uint8_t *data_of(uint64_t n)
{
	return bytes + n * 60 % DATA_SIZE;
}

/* As compressible as a text. */
static void make_data(void)
{
	uint64_t state = 1;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = (uint8_t)("etaoin shrdlu.=\n"[state >> 60]);
	}
}

/* ---- as a capture program */

static void put_pcap(FILE *file, uint64_t n)
{
	uint32_t size = size_of(n);
	uint32_t head[4] = {(uint32_t)(1000000000 + n / 1000000), (uint32_t)(n % 1000000), size,
			    size};

	fwrite(head, sizeof(head), 1, file);
	fwrite(data_of(n), size, 1, file);
}

static void put_epb(FILE *file, uint64_t n)
{
	uint32_t size = size_of(n), padded = (size + 3) & ~3u, length = padded + 32;
	uint64_t ticks = 1000000000000000 + n;
	uint32_t head[7] = {6, length, 0, (uint32_t)(ticks >> 32), (uint32_t)ticks, size, size};

	fwrite(head, sizeof(head), 1, file);
	fwrite(data_of(n), padded, 1, file);
	fwrite(&length, sizeof(length), 1, file);
}

static void begin_stdio(FILE *file, int pcap)
{
	static const uint32_t pcap_head[] = {0xa1b2c3d4, 0x00040002, 0, 0, 262144, 1};
	static const uint32_t ng_head[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 1, ~0u, ~0u, 28,
					   1, 20, 1, 262144, 20};

	if (pcap)
		fwrite(pcap_head, sizeof(pcap_head), 1, file);
	else
		fwrite(ng_head, sizeof(ng_head), 1, file);
}

/* The C library writes each record out by one call of write(2) when it is told to
 * flush; a record fits into its buffer. */
static double by_stdio(const char *path, uint64_t count, int pcap, int flush)
{
	FILE *file = fopen(path, "wb");
	double start = now();

	if (!file)
		err(1, "%s", path);
	begin_stdio(file, pcap);
	for (uint64_t n = 0; n < count; n++) {
		if (pcap)
			put_pcap(file, n);
		else
			put_epb(file, n);
		if (flush)
			fflush(file);
	}
	if (fclose(file) != 0)
		err(1, "%s", path);
	return now() - start;
}

/* ---- through the library */

static void must(int r, const struct pktfs_error *error)
{
	if (r < 0)
		errx(1, "%s", error->text);
}

/* The time to open the file again is a part of it: what is appended to is
 * checked. */
static double by_library(const char *path, uint64_t count, unsigned flags)
{
	const struct pktfs_writer_options make = {.flags = PKTFS_WRITER_REPLACE};
	const struct pktfs_writer_options options = {.flags = flags};
	const struct pktfs_new_interface ethernet = {.link_type = 1};
	struct pktfs_new_packet packet = {0};
	struct pktfs_error error;
	pktfs_writer *writer;
	double start;

	must(pktfs_writer_create(path, &make, &writer, &error), &error);
	must(pktfs_writer_interface(writer, &ethernet, NULL, &error), &error);
	must(pktfs_writer_close(writer, &error), &error);
	start = now();
	must(pktfs_writer_append(path, &options, &writer, &error), &error);
	for (uint64_t n = 0; n < count; n++) {
		packet.captured_length = size_of(n);
		packet.data = data_of(n);
		packet.time.sec = (int64_t)(1000000000 + n / 1000000);
		packet.time.nsec = (uint32_t)(n % 1000000 * 1000);
		must(pktfs_writer_packet(writer, &packet, NULL, &error), &error);
	}
	must(pktfs_writer_close(writer, &error), &error);
	return now() - start;
}

/* ---- files */

static double by_files(const char *path, uint64_t count)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	double start = now();
	char name[32];

	if (directory < 0)
		err(1, "%s", path);
	for (uint64_t n = 0; n < count; n++) {
		snprintf(name, sizeof(name), "p%lu", (unsigned long)n);
		fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, data_of(n), size_of(n)) != (ssize_t)size_of(n) ||
		    close(fd) < 0)
			err(1, "%s/%s", path, name);
	}
	close(directory);
	return now() - start;
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	double seconds;
	size_t length;

	if (count == 0)
		errx(2,
		     "usage: bench_append stdio|write|library|buffered|files PATH COUNT [60|imix]");
	length = strlen(argv[2]);
	imix = argc > 4 && !strcmp(argv[4], "imix");
	make_data();
	if (!strcmp(argv[1], "files"))
		seconds = by_files(argv[2], count);
	else if (!strcmp(argv[1], "stdio") || !strcmp(argv[1], "write"))
		seconds = by_stdio(argv[2], count,
				   length > 5 && !strcmp(argv[2] + length - 5, ".pcap"),
				   !strcmp(argv[1], "write"));
	else
		seconds = by_library(argv[2], count,
				     strcmp(argv[1], "buffered") ? 0 : PKTFS_WRITER_BUFFERED);
	printf("%.0f\n", (double)count / seconds);
	return 0;
}
