/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes an index to a file; see index_saved.h. */
#include "index_saved.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct saving {
	struct index *index;
	int fd, error;
	uint64_t hash;
	size_t used;
	uint64_t words[2048];
};

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	while (size > 0) {
		n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

static void flush(struct saving *saving)
{
	if (!saving->error)
		saving->error = write_all(saving->fd, (const uint8_t *)saving->words,
					  saving->used * sizeof(saving->words[0]));
	saving->used = 0;
}

static void put(struct saving *saving, uint64_t word)
{
	saving->hash = saved_hash(saving->hash, word);
	saving->words[saving->used++] = htole64(word);
	if (saving->used == ARRAY_SIZE(saving->words))
		flush(saving);
}

static void put_signed(struct saving *saving, int64_t number)
{
	put(saving, (uint64_t)number);
}

static void put_time(struct saving *saving, struct pktfs_time time)
{
	put_signed(saving, time.sec);
	put(saving, time.nsec);
}

static void put_key(struct saving *saving, const struct index_key *key)
{
	put(saving, key->device);
	put(saving, key->inode);
	put(saving, key->size);
	put_signed(saving, key->modified_sec);
	put_signed(saving, key->modified_nsec);
	put_signed(saving, key->changed_sec);
	put_signed(saving, key->changed_nsec);
	put(saving, key->head);
	put(saving, key->tail);
}

static void put_totals(struct saving *saving)
{
	const struct index_totals *totals = &saving->index->next;

	put(saving, totals->end);
	put(saving, totals->records);
	put(saving, totals->packets);
	put(saving, totals->metadata);
	put(saving, totals->frames);
	put(saving, totals->captured_bytes);
	put(saving, totals->original_bytes);
	put(saving, (totals->has_time ? SAVED_HAS_TIME : 0) |
			    (saving->index->malformed ? SAVED_MALFORMED : 0));
	put_time(saving, totals->first_time);
	put_time(saving, totals->last_time);
	put_time(saving, totals->min_time);
	put_time(saving, totals->max_time);
}

static void put_counts(struct saving *saving, const struct saved_counts *counts)
{
	put(saving, counts->checkpoints);
	put(saving, counts->sections);
	put(saving, counts->interfaces);
	put(saving, counts->link_types);
	put(saving, counts->problems);
}

static void put_checkpoints(struct saving *saving, uint64_t count)
{
	const struct index *index = saving->index;
	const struct index_checkpoint *checkpoint;
	uint64_t i;

	for (i = 0; i << INDEX_EPOCH_SHIFT < count; i++) {
		put(saving, index->epochs[i].metadata);
		put(saving, index->epochs[i].extra_frames);
	}
	for (i = 0; i < count; i++) {
		checkpoint = table_at(&index->checkpoints, i);
		put(saving, checkpoint->offset);
		put_signed(saving, checkpoint->min_ns);
		put_signed(saving, checkpoint->max_ns);
		put(saving, checkpoint->metadata | (uint64_t)checkpoint->extra_frames << 32);
	}
}

static void put_interface(struct saving *saving, const struct index_interface *interface)
{
	put(saving, saved_block(interface->offset, false));
	put(saving, interface->packets);
	put(saving, interface->captured_bytes);
	put(saving, interface->original_bytes);
	put(saving, interface->statistics);
}

/* Each section with its interfaces behind it, as they are in the capture. */
static void put_blocks(struct saving *saving, const struct saved_counts *counts)
{
	struct index *index = saving->index;
	const struct index_section *section;
	uint64_t i, at = 0, next;

	for (i = 0; i < counts->sections; i++) {
		section = index_section(index, i);
		next = counts->interfaces;
		if (i + 1 < counts->sections)
			next = index_section(index, i + 1)->first_interface;
		put(saving, saved_block(section->offset, true));
		for (; at < next; at++)
			put_interface(saving, index_interface(index, at));
	}
}

static void put_link_types(struct saving *saving, uint64_t count)
{
	const struct index_link_type *type;

	for (unsigned i = 0; i < count; i++) {
		type = index_link_type(saving->index, i);
		put(saving, type->link_type);
		put(saving, type->padded_bytes);
		put(saving, type->untimed);
		put_signed(saving, type->min_ns);
		put_signed(saving, type->max_ns);
	}
}

static void put_problems(struct saving *saving, uint64_t count)
{
	const struct pktfs_error *problem;
	uint64_t words[SAVED_TEXT_WORDS];

	for (uint64_t i = 0; i < count; i++) {
		problem = &saving->index->problems[i];
		put_signed(saving, problem->code);
		put(saving, problem->has_offset != 0);
		put(saving, problem->has_offset ? problem->offset : 0);
		memset(words, 0, sizeof(words));
		memcpy(words, problem->text, strnlen(problem->text, sizeof(problem->text) - 1));
		for (size_t k = 0; k < ARRAY_SIZE(words); k++)
			put(saving, le64toh(words[k]));
	}
}

static void put_all(struct saving *saving, const struct index_key *key,
		    const struct saved_counts *counts, uint64_t length)
{
	put(saving, SAVED_MAGIC);
	put(saving, saved_form() | (saving->index->followed ? SAVED_FOLLOWED : 0));
	put(saving, length);
	put_key(saving, key);
	put_totals(saving);
	put_counts(saving, counts);
	put_checkpoints(saving, counts->checkpoints);
	put_blocks(saving, counts);
	put_link_types(saving, counts->link_types);
	put_problems(saving, saved_kept_problems(counts->problems));
	put(saving, saving->hash);
	flush(saving);
}

/* Behind the limit the kernel would send SIGXFSZ, which ends a program that is
 * not prepared for it. */
static bool is_allowed(uint64_t length)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
	       length <= limit.rlim_cur;
}

/* The capture as it is now, which must be what was walked, or that and more. */
static int find_key(struct index *index, struct index_key *ret, struct pktfs_error *ret_error)
{
	const struct index_key *opened = &index->saved.opened;
	int r = index->saved.unknown;

	if (r == 0)
		r = index_key_read(index, ret);
	if (r == -EOPNOTSUPP)
		return error_set(ret_error, r, "not of one plain file");
	if (r == 0 && ret->size <= opened->size && !index_key_same_time(ret, opened))
		return error_set(ret_error, -ESTALE, "the capture was changed meanwhile");
	if (r == 0)
		r = index_key_hash(index, index->next.end, ret);
	return r < 0 ? error_set(ret_error, r, "the capture cannot be read: %s", strerror(-r)) : 0;
}

/* At rest: nobody appends, and all that was walked is published. */
static int save(struct index *index, int fd, struct pktfs_error *ret_error)
{
	struct saving saving = {.index = index, .fd = fd};
	const struct saved_counts counts = {
		.checkpoints = table_count(&index->checkpoints),
		.sections = index_sections(index),
		.interfaces = index_interfaces(index),
		.link_types = index_link_types(index),
		.problems = index->problem_count,
	};
	struct index_key key;
	uint64_t length;
	int r = find_key(index, &key, ret_error);

	if (r < 0)
		return r;
	if (!saved_length(&counts, &length) || !is_allowed(length))
		return error_set(ret_error, -EFBIG, "%s", strerror(EFBIG));
	put_all(&saving, &key, &counts, length);
	return saving.error < 0 ? error_set(ret_error, saving.error, "%s", strerror(-saving.error))
				: 0;
}

int index_save(struct index *index, int fd, struct pktfs_error *ret_error)
{
	struct index_totals totals;
	enum index_use use;

	index_wait(index, UINT64_MAX, NULL); /* -ECANCELED will do as well */
	UTIL_LOCK_SCOPE(&index->walking);
	index_totals(index, &totals);
	use = index_saved_use(index, NULL, NULL);
	if (use == INDEX_USE_WRONG)
		return error_set(ret_error, -ESTALE, "made of one that is wrong");
	if (totals.records == 0 || index->next.records != totals.records)
		return error_set(ret_error, -ENODATA, "nothing is indexed");
	return save(index, fd, ret_error);
}
