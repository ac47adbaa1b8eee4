/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An index that was saved, changed, and given its right checksum again. The input:
 * how many changes (three bits), each with its place, kind and number (11 bytes), and
 * the capture. What must hold: nothing ends the program; as long as all walks between
 * checkpoints are made before such an index is used, the packets and blocks are those
 * of the capture; unchanged, it is used.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "index/index_saved.h"
#include "input.h"
#include "pktfs/index.h"
#include "same_capture.h"

#define CHANGES_MAX 8u
#define WORDS_MAX   65536u

struct file {
	uint64_t *word;
	size_t count;
	bool sealed; /* its checksum is to be right */
};

enum change {
	CHANGE_SET,
	CHANGE_ADD,
	CHANGE_FLIP,
	CHANGE_COPY,
	CHANGE_REMOVE,
	CHANGE_INSERT,
	CHANGE_COUNT, /* of a count, with as many words */
	CHANGE_UNSEAL,
};

static void move(struct file *file, size_t at, size_t size, bool insert)
{
	if (insert && file->count + size <= WORDS_MAX) {
		memmove(&file->word[at + size], &file->word[at], (file->count - at) * 8);
		file->count += size;
	} else if (!insert && at + size < file->count) {
		memmove(&file->word[at], &file->word[at + size], (file->count - at - size) * 8);
		file->count -= size;
	}
}

static void change_count(struct file *file, size_t at, uint64_t number)
{
	static const size_t sizes[] = {SAVED_CHECKPOINT_WORDS, SAVED_BLOCK_WORDS,
				       SAVED_BLOCK_WORDS + SAVED_SUMS_WORDS, SAVED_LINK_WORDS,
				       SAVED_PROBLEM_WORDS};
	bool insert = number & 1;
	size_t which = (size_t)(number >> 1) % ARRAY_SIZE(sizes);

	file->word[SAVED_AT_COUNTS + which] += insert ? 1 : UINT64_MAX;
	move(file, MAX(at, (size_t)SAVED_HEAD), sizes[which], insert);
}

static void change(struct file *file, struct input *input)
{
	size_t at = (size_t)input_number(input, 2);
	unsigned kind = (unsigned)input_number(input, 1) % 8;
	uint64_t number = input_number(input, 8);

	if (file->count <= SAVED_HEAD + 1)
		return;
	at = SAVED_AT_KEY + at % (file->count - 1 - SAVED_AT_KEY);
	switch ((enum change)kind) {
	case CHANGE_SET:
		file->word[at] = number;
		break;
	case CHANGE_ADD:
		file->word[at] += number;
		break;
	case CHANGE_FLIP:
		file->word[at] ^= number;
		break;
	case CHANGE_COPY:
		file->word[at] = file->word[number % file->count];
		break;
	case CHANGE_REMOVE:
	case CHANGE_INSERT:
		move(file, at, (size_t)number % 8, kind == CHANGE_INSERT);
		break;
	case CHANGE_COUNT:
		change_count(file, at, number);
		break;
	case CHANGE_UNSEAL:
		file->sealed = false;
		break;
	}
}

static void seal(struct file *file)
{
	uint64_t hash = 0;

	file->word[SAVED_AT_LENGTH] = file->count * 8;
	for (size_t i = 0; i + 1 < file->count; i++)
		hash = saved_hash(hash, file->word[i]);
	file->word[file->count - 1] = hash;
}

static pktfs_capture *open_whole(int fd, int index_fd)
{
	const struct pktfs_open_options options = {
		.flags = index_fd >= 0 ? PKTFS_OPEN_INDEX : 0, .index_fd = index_fd};
	pktfs_capture *capture;

	if (pktfs_open_fd(fd, &options, &capture, NULL) < 0)
		return NULL;
	pktfs_wait(capture, UINT64_MAX, -1);
	return capture;
}

static void compare(pktfs_capture *truth, pktfs_capture *capture, bool unchanged)
{
	struct pktfs_index_status index;
	struct pktfs_status status;
	struct pktfs_packet packet;

	pktfs_index_status_get(capture, &index);
	pktfs_status_get(truth, &status);
	if (unchanged) {
		assert(index.use == PKTFS_INDEX_TAKEN);
		assert(!same_capture(truth, capture));
	} else if (status.packets + status.metadata <= (SAVED_SAMPLES - 1) << INDEX_FIRST_SHIFT) {
		assert(!same_packets(truth, capture, status.packets));
		assert(!same_blocks(truth, capture, status.metadata));
		pktfs_index_status_get(capture, &index);
		assert(index.use != PKTFS_INDEX_WRONG);
	}
	for (uint64_t number = 1; number <= status.packets; number++)
		if (pktfs_packet_get(capture, number, &packet, NULL) == 0)
			pktfs_packet_release(&packet);
	same_model(truth, capture, &status);
	same_sums(truth, capture);
	same_spans(truth, capture, status.packets);
}

static void try(pktfs_capture *truth, int fd, struct file *file, int index_fd, bool unchanged)
{
	ssize_t size = (ssize_t)(file->count * 8);
	pktfs_capture *capture;

	assert(ftruncate(index_fd, 0) == 0 &&
	       pwrite(index_fd, file->word, (size_t)size, 0) == size);
	capture = open_whole(fd, index_fd);
	assert(capture);
	compare(truth, capture, unchanged);
	pktfs_close(capture);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static uint64_t words[WORDS_MAX];
	struct input input = {bytes, size}, changes;
	unsigned count = (unsigned)input_number(&input, 1) % CHANGES_MAX, i;
	struct file file = {.word = words, .sealed = true};
	pktfs_capture *truth;
	int fd, index_fd;
	ssize_t n;

	changes = input;
	for (i = 0; i < count; i++) { /* its place and kind, and its number */
		input_number(&input, 3);
		input_number(&input, 8);
	}
	if (!input.size)
		return 0;
	fd = memfd_create("capture", MFD_CLOEXEC);
	index_fd = memfd_create("index", MFD_CLOEXEC);
	assert(fd >= 0 && index_fd >= 0);
	assert(write(fd, input.bytes, input.size) == (ssize_t)input.size);
	truth = open_whole(fd, -1);
	if (truth && pktfs_index_save(truth, index_fd, NULL) == 0) {
		n = pread(index_fd, words, sizeof(words), 0);
		assert(n > 0 && n % 8 == 0);
		file.count = (size_t)n / 8;
		for (i = 0; i < count; i++)
			change(&file, &changes);
		if (file.sealed)
			seal(&file);
		try(truth, fd, &file, index_fd, count == 0);
	}
	pktfs_close(truth);
	close(index_fd);
	close(fd);
	return 0;
}
