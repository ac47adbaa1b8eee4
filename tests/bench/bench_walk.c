/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The baselines of the index and of random access, as plain as they can be, and
 * the same through libpktfs: a little-endian pcap file of 16-byte record
 * headers, or a pcapng file, mapped, nothing checked.
 *
 *	bench_walk walk FILE       one pass over the record headers
 *	bench_walk index FILE      libpktfs opens it, until all is indexed
 *	bench_walk table FILE N    N dependent accesses through a table of offsets
 *	bench_walk library FILE N  the same through libpktfs
 *
 * Each maps the file itself and touches it for the first time, within the time
 * that is measured (walk, index) or before it (table, library). Prints nanoseconds
 * for each packet, or access, the number of packets, and the bytes of memory for
 * each packet that came with the table or the index.
 */
#include <err.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pktfs/capture.h"

#define PCAP_MAGIC  0xa1b2c3d4u
#define PCAPNG_SHB  0x0a0d0d0au
#define PCAPNG_EPB  6u

/* After the last packet is there, the index gives back what it worked with. */
#define SETTLE_US 50000

static const uint8_t *bytes;
static volatile uint64_t sink; /* keeps the work between the two looks at the clock */
static size_t size;

struct result {
	double ns; /* all of it */
	uint64_t count;
	uint64_t memory;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The memory of this process that is no file's: of its heap, and mapped. */
static uint64_t own_memory(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long kib = 0;
	char line[128];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "RssAnon: %lu", &kib) == 1)
			break;
	if (status)
		fclose(status);
	return (uint64_t)kib * 1024;
}

static uint32_t word_at(size_t offset)
{
	uint32_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

static void map(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", path);
	size = (size_t)st.st_size;
	bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED || size < 28)
		errx(1, "%s: cannot be mapped", path);
	if (word_at(0) != PCAP_MAGIC && word_at(0) != PCAPNG_SHB)
		errx(1, "%s: neither a plain pcap nor a pcapng file", path);
}

static uint32_t captured_at(size_t offset)
{
	return word_at(offset + 8);
}

static uint64_t walk_pcap(uint64_t *table)
{
	uint64_t count = 0;

	for (size_t at = 24; at + 16 <= size; at += 16 + captured_at(at)) {
		if (table)
			table[count] = at;
		count++;
	}
	return count;
}

static uint64_t walk_pcapng(void)
{
	uint64_t count = 0;

	for (size_t at = 0; at + 12 <= size; at += word_at(at + 4))
		count += word_at(at) == PCAPNG_EPB;
	return count;
}

static struct result by_walk(const char *path)
{
	struct result result = {.ns = -now_ns()};

	map(path);
	sink = result.count = word_at(0) == PCAPNG_SHB ? walk_pcapng() : walk_pcap(NULL);
	result.ns += now_ns();
	return result;
}

/* All of a capture indexed. */
static pktfs_capture *indexed(const char *path, struct result *result)
{
	struct pktfs_status status;
	struct pktfs_error error;
	pktfs_capture *capture;

	result->memory = own_memory();
	result->ns = -now_ns();
	if (pktfs_open(path, NULL, &capture, &error) < 0)
		errx(1, "%s", error.text);
	pktfs_wait(capture, UINT64_MAX, -1);
	result->ns += now_ns();
	usleep(SETTLE_US);
	malloc_trim(0);
	result->memory = own_memory() - result->memory;
	pktfs_status_get(capture, &status);
	result->count = status.packets;
	return capture;
}

static struct result by_index(const char *path)
{
	struct result result;

	pktfs_close(indexed(path, &result));
	return result;
}

/* The next place depends on what was read at the last, so that accesses cannot
 * overlap; the sequence is the same for both. */
static uint64_t next_place(uint64_t *state, uint32_t length, uint64_t count)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u + length;
	return (*state >> 20) % count;
}

static struct result through_table(const char *path, uint64_t accesses)
{
	uint64_t *table, state = 1, place = 0;
	struct result result;

	map(path);
	if (word_at(0) != PCAP_MAGIC)
		errx(1, "%s: not a pcap file", path);
	result.count = walk_pcap(NULL);
	result.memory = result.count * sizeof(*table);
	table = calloc(result.count, sizeof(*table));
	if (!table)
		err(1, NULL);
	walk_pcap(table);
	result.ns = -now_ns();
	for (uint64_t i = 0; i < accesses; i++)
		place = next_place(&state, captured_at(table[place]), result.count);
	sink = place;
	result.ns += now_ns();
	free(table);
	return result;
}

static struct result through_library(const char *path, uint64_t accesses)
{
	struct pktfs_packet packet;
	struct pktfs_error error;
	uint64_t state = 1, place = 0;
	struct result result;
	pktfs_capture *capture = indexed(path, &result);

	result.ns = -now_ns();
	for (uint64_t i = 0; i < accesses; i++) {
		if (pktfs_packet_get(capture, place + 1, &packet, &error) < 0)
			errx(1, "%s", error.text);
		place = next_place(&state, packet.captured_length, result.count);
		pktfs_packet_release(&packet);
	}
	result.ns += now_ns();
	pktfs_close(capture);
	return result;
}

int main(int argc, char **argv)
{
	uint64_t accesses = argc > 3 ? strtoull(argv[3], NULL, 10) : 200000, of = accesses;
	struct result result;

	if (argc > 2 && !strcmp(argv[1], "table"))
		result = through_table(argv[2], accesses);
	else if (argc > 2 && !strcmp(argv[1], "library"))
		result = through_library(argv[2], accesses);
	else if (argc > 2 && !strcmp(argv[1], "index"))
		result = by_index(argv[2]), of = result.count;
	else if (argc > 2 && !strcmp(argv[1], "walk"))
		result = by_walk(argv[2]), of = result.count;
	else
		errx(2, "usage: bench_walk walk|index|table|library FILE [N]");
	printf("%.2f %lu %.3f\n", result.ns / (double)of, (unsigned long)result.count,
	       (double)result.memory / (double)result.count);
	return 0;
}
