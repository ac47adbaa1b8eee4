/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An index that lasts: what index_save writes to a file and index_load makes an
 * index of, so that a large capture is walked once. Of one plain file only: not
 * of several, and not of what is compressed.
 *
 *	words of 8 bytes, the lowest byte first:
 *	head        magic, version, distances of checkpoints and how its end was judged,
 *	            length of all
 *	key         the capture: device, inode, size, times, hashes of head and tail
 *	totals      up to the end of the last whole record
 *	counts      of what follows
 *	epochs      metadata and frames before each
 *	checkpoints offset, span of times, metadata and frames
 *	blocks      where each section and interface begins; sums of interfaces
 *	link types  what is not the sum of its interfaces
 *	problems    of the records so far
 *	hash        of all before it
 *
 * How the walk ended is not kept: it goes on behind the last whole record, over
 * a cut one, damage, or what has been added since, as it does in a file that
 * grows.
 *
 * What is believed. Whoever opens the file has seen to it that only this user can
 * have written it. That does not make it right:
 *
 *  - It fits the capture if device, inode, size and both times (of modification
 *    and of change, which cannot be set) are the same, and the hashes of the first
 *    and of the last 64 KiB that were indexed. Of a larger file the times do not
 *    count: it was added to, and the old tail must be where it was. Zeros at the end
 *    of a file that is followed are no packets yet, so for one it must have been
 *    made of one (index_set_followed).
 *  - All of it is decoded and compared with itself in an index of its own, which
 *    no reader can see: no number in it can lead out of a table.
 *  - Sections and interfaces are read from the capture, where the file says that
 *    they begin. Nothing of what they mean is in the file.
 *  - Before a packet is shown by way of a checkpoint, the records from there to the
 *    next checkpoint have been walked, once: they must lead exactly to it, with
 *    all its counts, and within its span of times. A few of these walks, evenly
 *    spread, are made before the index is used at all. If one fails then, the index
 *    is dropped and made anew. If one fails later, something wrong may have been
 *    shown before: from then on each step gives -EIO, and a problem says why
 *    (INDEX_USE_WRONG). Whoever keeps the file should remove it.
 *
 * So what is shown is always bytes of the capture, as records that follow each
 * other; what a wrong file can do is to tell wrong sums (of which the size of a
 * conversion is made), or to have a search by time pass over packets, until something
 * there is read. A file that was made to
 * deceive together with its capture could present a whole capture inside a packet
 * as the packets themselves. Only this user can have made it, or a daemon that was
 * taken over by the same capture: the keeper, which names the file, sees to it
 * that it cannot be that of another one.
 */
#ifndef INDEX_SAVED_H
#define INDEX_SAVED_H

#include "index_internal.h"

#define SAVED_MAGIC	UINT64_C(0x1a58444953465450) /* "PTFSIDX\x1a" */
#define SAVED_VERSION	1u
#define SAVED_HASHED	((uint64_t)64 << 10) /* of the head and of the tail */
#define SAVED_SAMPLES	16u		     /* walks before it is used */

/* Places in the file, in words. */
enum {
	SAVED_AT_MAGIC,
	SAVED_AT_FORM,
	SAVED_AT_LENGTH, /* bytes, with the hash at the end */
	SAVED_AT_KEY,
	SAVED_AT_TOTALS = SAVED_AT_KEY + 9,
	SAVED_AT_COUNTS = SAVED_AT_TOTALS + 16,
	SAVED_HEAD = SAVED_AT_COUNTS + 5,
};

#define SAVED_EPOCH_WORDS      2u
#define SAVED_CHECKPOINT_WORDS 4u
#define SAVED_BLOCK_WORDS      1u
#define SAVED_SUMS_WORDS       4u
#define SAVED_LINK_WORDS       5u
#define SAVED_TEXT_WORDS       (sizeof(((struct pktfs_error *)0)->text) / 8)
#define SAVED_PROBLEM_WORDS    (3u + SAVED_TEXT_WORDS)

#define SAVED_HAS_TIME	1u
#define SAVED_MALFORMED 2u

struct saved_counts {
	uint64_t checkpoints, sections, interfaces, link_types, problems;
};

#define SAVED_FOLLOWED (UINT64_C(1) << 40) /* in the form: the file was followed */

static inline uint64_t saved_form(void)
{
	return SAVED_VERSION | INDEX_FIRST_SHIFT << 8 | INDEX_LAST_SHIFT << 16 |
	       INDEX_EPOCH_SHIFT << 24;
}

static inline uint64_t saved_kept_problems(uint64_t counted)
{
	return MIN(counted, (uint64_t)INDEX_MAX_PROBLEMS);
}

/* The bytes that all of it takes; false: more than there can be. */
static inline bool saved_length(const struct saved_counts *counts, uint64_t *ret)
{
	const uint64_t most = UINT64_C(1) << 48;
	uint64_t epochs = (counts->checkpoints + INDEX_EPOCH - 1) >> INDEX_EPOCH_SHIFT;

	if (counts->checkpoints > most || counts->sections > most || counts->interfaces > most ||
	    counts->link_types > INDEX_MAX_LINK_TYPES)
		return false;
	*ret = 8 * (SAVED_HEAD + epochs * SAVED_EPOCH_WORDS +
		    counts->checkpoints * SAVED_CHECKPOINT_WORDS +
		    (counts->sections + counts->interfaces) * SAVED_BLOCK_WORDS +
		    counts->interfaces * SAVED_SUMS_WORDS + counts->link_types * SAVED_LINK_WORDS +
		    saved_kept_problems(counts->problems) * SAVED_PROBLEM_WORDS + 1);
	return true;
}

/* A block: its offset, and whether it is a section. */
static inline uint64_t saved_block(uint64_t offset, bool section)
{
	return offset << 1 | section;
}

/* Each step can be undone, so no change of a single word is lost. */
static inline uint64_t saved_hash(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

/* index_key.c: of the file behind the source. 0; -EOPNOTSUPP: it is not one plain
 * file. */
int index_key_read(struct index *index, struct index_key *ret);

/* With the hashes of what was indexed up to `end`. 0, or the errors of source_read. */
int index_key_hash(struct index *index, uint64_t end, struct index_key *key);

/*
 * index_check.c. The records from checkpoint `number`, which came from a file, to
 * the next are walked, if they were not before: 0; -EIO: the index is wrong, or the
 * capture cannot be read; or other errors of source_borrow.
 */
int index_check_from(struct index *index, uint64_t number);

#endif
