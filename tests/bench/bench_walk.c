/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The baselines of the index and of random access, as plain as they can be: a
 * little-endian pcap file of 16-byte record headers, mapped, nothing checked.
 *
 *	bench_walk walk FILE       one pass over the record headers
 *	bench_walk table FILE N    N dependent accesses through a table of offsets
 *	bench_walk library FILE N  the same through libpktfs
 *
 * Prints nanoseconds for each packet, or access, and the number of packets.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "pktfs/capture.h"

static const uint8_t *bytes;
static volatile uint64_t sink; /* keeps the work between the two looks at the clock */
static size_t size;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint32_t captured_at(size_t offset)
{
	uint32_t length;

	memcpy(&length, bytes + offset + 8, sizeof(length));
	return length;
}

static uint64_t walk(uint64_t *table)
{
	uint64_t count = 0;

	for (size_t at = 24; at + 16 <= size; at += 16 + captured_at(at)) {
		if (table)
			table[count] = at;
		count++;
	}
	return count;
}

/* The next place depends on what was read at the last, so that accesses cannot
 * overlap; the sequence is the same for both. */
static uint64_t next_place(uint64_t *state, uint32_t length, uint64_t count)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u + length;
	return (*state >> 20) % count;
}

static double through_table(uint64_t count, uint64_t accesses)
{
	uint64_t *table = calloc(count, sizeof(*table)), state = 1, place = 0;
	double start;

	if (!table)
		err(1, NULL);
	walk(table);
	start = now_ns();
	for (uint64_t i = 0; i < accesses; i++)
		place = next_place(&state, captured_at(table[place]), count);
	sink = place;
	start = now_ns() - start;
	free(table);
	return start / (double)accesses;
}

static double through_library(const char *path, uint64_t count, uint64_t accesses)
{
	struct pktfs_packet packet;
	struct pktfs_error error;
	pktfs_capture *capture;
	uint64_t state = 1, place = 0;
	double start;

	if (pktfs_open(path, NULL, &capture, &error) < 0)
		errx(1, "%s", error.text);
	pktfs_wait(capture, UINT64_MAX, -1);
	start = now_ns();
	for (uint64_t i = 0; i < accesses; i++) {
		if (pktfs_packet_get(capture, place + 1, &packet, &error) < 0)
			errx(1, "%s", error.text);
		place = next_place(&state, packet.captured_length, count);
		pktfs_packet_release(&packet);
	}
	start = now_ns() - start;
	pktfs_close(capture);
	return start / (double)accesses;
}

int main(int argc, char **argv)
{
	struct stat st;
	uint64_t count, accesses;
	double start, ns;
	int fd;

	if (argc < 3 || (fd = open(argv[2], O_RDONLY | O_CLOEXEC)) < 0 || fstat(fd, &st) < 0)
		err(1, "%s", argc < 3 ? "usage" : argv[2]);
	size = (size_t)st.st_size;
	bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED || captured_at(0) != 0)
		errx(1, "%s: not a plain pcap file", argv[2]);
	start = now_ns();
	sink = count = walk(NULL);
	ns = (now_ns() - start) / (double)count;
	accesses = argc > 3 ? strtoull(argv[3], NULL, 10) : 200000;
	if (!strcmp(argv[1], "table"))
		ns = through_table(count, accesses);
	else if (!strcmp(argv[1], "library"))
		ns = through_library(argv[2], count, accesses);
	printf("%.2f %lu\n", ns, count);
	return 0;
}
