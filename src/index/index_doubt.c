/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes at the end of a file that another program writes may not be what they
 * will be: a network file system shows the size before the bytes, and some
 * writers make the file longer before they fill it. So what is wrong there, or
 * a pcap record of zeros (an empty packet at the start of 1970), is looked at
 * again for a while.
 */
#include "index_internal.h"

#include <string.h>
#include <time.h>

/* So many zeros are taken for zeros to the end: thousands of empty packets. */
#define DOUBT_ZEROS 65536u

/* A pcap record header of zeros, or a block type and a length. */
#define DOUBT_HEAD 8u

static bool may_doubt(const struct index *index)
{
	return index->next.end >= index->believed && index->part_end == UINT64_MAX &&
	       source_part_growing(index->source, index->source_part);
}

bool index_doubts(const struct index *index, int r, const struct format_record *record)
{
	if (likely(r == 0))
		return unlikely(record->class == RECORD_PACKET && record->captured == 0 &&
				record->type == 0 && record->original == 0 &&
				record->ticks == 0) &&
		       may_doubt(index);
	return (r == -EBADMSG || r == -EFBIG) && may_doubt(index);
}

/* How many bytes of zeros are at `offset`, of up to DOUBT_ZEROS. */
static uint64_t zeros_at(struct index *index, uint64_t offset, uint64_t there)
{
	uint64_t size = MIN(there - offset, (uint64_t)DOUBT_ZEROS), done = 0, i;
	uint8_t bytes[4096];
	int64_t n;

	while (done < size) {
		n = source_read(index->source, offset + done, bytes,
				(size_t)MIN(size - done, (uint64_t)sizeof(bytes)));
		for (i = 0; n > 0 && i < (uint64_t)n; i++)
			if (bytes[i])
				return done + i;
		if (n <= 0)
			break;
		done += (uint64_t)n;
	}
	return done;
}

/* Since when these bytes are doubted, in milliseconds. */
static int64_t doubted_ms(struct index *index)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (index->doubt_at != index->next.end || !index->doubted.tv_sec) {
		index->doubt_at = index->next.end;
		index->doubted = now;
	}
	return (now.tv_sec - index->doubted.tv_sec) * 1000 +
	       (now.tv_nsec - index->doubted.tv_nsec) / 1000000;
}

enum index_state index_doubt(struct index *index, struct pktfs_error *error)
{
	uint64_t there = source_available(index->source, NULL), at = index->next.end;
	uint64_t left = there > at ? there - at : 0;
	uint64_t zeros = zeros_at(index, at, MAX(there, at));
	bool to_the_end = zeros >= DOUBT_HEAD && (zeros == left || zeros == DOUBT_ZEROS);

	error->code = 0;
	if (!to_the_end &&
	    (!atomic_load(&index->active) || doubted_ms(index) >= INDEX_PATIENCE_MS)) {
		index->believed = at + zeros + 1;
		return INDEX_RUNNING;
	}
	if (source_available(index->source, NULL) != there)
		return INDEX_RUNNING;
	index->end_next.reached = there;
	index->end_next.source_problem = 0;
	atomic_store(&index->in_doubt, true);
	error_at(error, -ENODATA, at - index->part_start,
		 "zeros at the end of the file: found %llu bytes; accepted a record",
		 (unsigned long long)left);
	return INDEX_TRUNCATED;
}
