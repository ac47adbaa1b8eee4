/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several files as one capture. The input: how many cuts (three bits), their
 * places (two bytes each), and what is cut there into files. What must hold: the
 * whole has the packets, blocks, sections and interfaces of each file that opens
 * alone, in their order; what is wrong with a file is said.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "input.h"
#include "pktfs/capture.h"

#define FILES_MAX 8u

struct sums {
	uint64_t packets, metadata, sections, interfaces, captured_bytes;
	bool damaged;
};

/* A file by itself: 0 if it is a capture. */
static int add_file(const char *path, struct sums *sums)
{
	struct pktfs_status status;
	pktfs_capture *capture;
	int r = pktfs_open(path, NULL, &capture, NULL);

	if (r < 0) {
		sums->damaged = true;
		return r;
	}
	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	sums->packets += status.packets;
	sums->metadata += status.metadata;
	sums->sections += status.sections;
	sums->interfaces += status.interfaces;
	sums->captured_bytes += status.captured_bytes;
	sums->damaged |= status.state != PKTFS_STATE_COMPLETE;
	pktfs_close(capture);
	return 0;
}

static void read_all(pktfs_capture *capture, const struct sums *sums)
{
	const struct pktfs_packet *packet;
	pktfs_iterator *iterator;
	uint64_t number = 0, bytes = 0;
	int r;

	assert(pktfs_iterator_open(capture, 1, &iterator) == 0);
	while ((r = pktfs_iterator_next(iterator, &packet, NULL)) == 1) {
		assert(packet->number == ++number && packet->interface < sums->interfaces);
		bytes += packet->captured_length;
	}
	assert(r == 0 || r == -EBADMSG);
	if (r == 0)
		assert(number == sums->packets && bytes == sums->captured_bytes);
	pktfs_iterator_close(iterator);
}

static void check(const char *const *paths, size_t count)
{
	struct pktfs_status status;
	struct sums sums = {0};
	struct pktfs_error error;
	pktfs_capture *capture;
	int alone = 0, r;

	for (size_t i = 0; i < count; i++) {
		r = add_file(paths[i], &sums);
		if (i == 0)
			alone = r;
	}
	r = pktfs_open_files(paths, count, NULL, &capture, &error);
	assert(r == alone);
	if (r < 0)
		return;
	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	assert(status.packets == sums.packets && status.metadata == sums.metadata);
	assert(status.sections == sums.sections && status.interfaces == sums.interfaces);
	assert(status.captured_bytes == sums.captured_bytes);
	assert((status.state != PKTFS_STATE_COMPLETE) == sums.damaged);
	assert(!sums.damaged || status.problems);
	read_all(capture, &sums);
	pktfs_close(capture);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	size_t count = 1 + (size_t)input_number(&input, 1) % FILES_MAX, lengths[FILES_MAX], i;
	char names[FILES_MAX][32];
	const char *paths[FILES_MAX];
	int fds[FILES_MAX];

	for (i = 0; i + 1 < count; i++)
		lengths[i] = (size_t)input_number(&input, 2);
	lengths[i] = SIZE_MAX;
	for (i = 0; i < count; i++) {
		size_t length = MIN(lengths[i], input.size);

		fds[i] = memfd_create("chain", MFD_CLOEXEC);
		assert(fds[i] >= 0 && write(fds[i], input.bytes, length) == (ssize_t)length);
		input.bytes += length;
		input.size -= length;
		snprintf(names[i], sizeof(names[i]), "/proc/self/fd/%d", fds[i]);
		paths[i] = names[i];
	}
	check(paths, count);
	for (i = 0; i < count; i++)
		close(fds[i]);
	return 0;
}
