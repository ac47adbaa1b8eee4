/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes at the end of a file that another program writes may not be what they
 * will be: a network file system shows the size before the bytes, and some
 * writers make the file longer before they fill it. So what is wrong there, or
 * a pcap record of zeros (an empty packet at the start of 1970), is looked at
 * again for a while. So is what cannot be read: a writer may just have taken
 * back half a record.
 */
#include "index_internal.h"

#include <time.h>

/* So many zeros are taken for zeros to the end: thousands of empty packets. */
#define DOUBT_ZEROS 65536u

/* What is written in one piece takes less than this. */
#define DOUBT_SETTLE_MS 15

/* So much of what was written is looked at ahead. */
#define DOUBT_FILLED ((uint64_t)8 << 20)

/* In a file that nobody writes so few are what they look like: empty packets,
 * as others read them. Who makes a file longer before filling it makes more. */
#define DOUBT_FEW 4096u

/* A pcap record header of zeros, or a block type and a length. */
#define DOUBT_HEAD 8u

static bool may_doubt(const struct index *index)
{
	return index->next.end >= index->believed && index->part_end == UINT64_MAX &&
	       source_part_growing(index->source, index->source_part);
}

/* A pcap record of zeros. */
static bool is_empty(const struct format_record *record)
{
	return record->class == RECORD_PACKET && record->captured == 0 && record->type == 0 &&
	       record->original == 0 && record->ticks == 0;
}

static bool is_doubtful(const struct index *index, int r, const struct format_record *record)
{
	if (likely(r == 0))
		return unlikely(index->filling || is_empty(record)) && may_doubt(index);
	return (r == -EBADMSG || r == -EFBIG || r == -EIO) && may_doubt(index);
}

bool index_doubts(struct index *index, int r, const struct format_record *record)
{
	if (likely(!is_doubtful(index, r, record)))
		return false;
	index->twice = index->stopped_at == index->next.end;
	index->stopped_at = index->next.end;
	return true;
}

/* A look at bytes from `at` on, with the first and behind the last that is not
 * zero; false: there are no more up to `end`. */
struct glance {
	uint64_t at, first, last;
	uint8_t bytes[4096];
};

static bool glance(struct index *index, struct glance *glance, uint64_t end)
{
	uint64_t i, size = MIN(end - glance->at, (uint64_t)sizeof(glance->bytes));
	int64_t n = size ? source_read(index->source, glance->at, glance->bytes, size) : 0;

	if (n <= 0)
		return false;
	glance->first = glance->at + (uint64_t)n;
	glance->last = 0;
	for (i = 0; i < (uint64_t)n; i++) {
		if (!glance->bytes[i])
			continue;
		glance->first = MIN(glance->first, glance->at + i);
		glance->last = glance->at + i + 1;
	}
	glance->at += (uint64_t)n;
	return true;
}

/* How many bytes of zeros are at `offset`, of up to DOUBT_ZEROS. */
static uint64_t zeros_at(struct index *index, uint64_t offset, uint64_t there)
{
	struct glance g = {.at = offset, .first = offset};
	uint64_t end = MIN(there, offset + DOUBT_ZEROS);

	while (g.first == g.at && glance(index, &g, end))
		;
	return g.first - offset;
}

/* Where what is not zero ends, from `offset` on. */
static uint64_t filled_to(struct index *index, uint64_t offset, uint64_t there)
{
	struct glance g = {.at = offset};
	uint64_t filled = offset, end = MIN(there, offset + DOUBT_FILLED);

	while (g.at - filled < DOUBT_ZEROS && glance(index, &g, end))
		filled = MAX(filled, g.last);
	return filled;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A record in a file that is being filled may be half copied just now. What was
 * begun at the look before is there by now. */
static bool has_settled(struct index *index, uint64_t at, uint64_t there)
{
	int64_t now = now_ms();

	if (now - index->filled_ms >= DOUBT_SETTLE_MS) {
		index->settled = index->filled;
		index->filled = filled_to(index, at, there);
		index->filled_ms = now;
	}
	return at < index->settled;
}

/* Have these bytes been doubted for so long that they are what they are? */
static bool is_overdue(struct index *index, uint64_t at)
{
	int64_t now = now_ms();

	if (index->doubt_at != at) {
		index->doubt_at = at;
		index->doubted_ms = now;
	}
	return now - index->doubted_ms >= INDEX_PATIENCE_MS;
}

/* How far what is at `at` is believed: 0, not at all. */
static uint64_t believe(struct index *index, uint64_t at, uint64_t there)
{
	uint64_t left = there > at ? there - at : 0, zeros = zeros_at(index, at, at + left);
	bool active = atomic_load(&index->active);

	if (zeros >= (active ? DOUBT_HEAD : DOUBT_FEW) && (zeros == left || zeros == DOUBT_ZEROS)) {
		index->filling = true;
		return 0;
	}
	if (index->filling && !is_overdue(index, at))
		return has_settled(index, at, there) ? index->settled : 0;
	if (active && !is_overdue(index, at))
		return 0;
	index->filling = false;
	return at + zeros + 1;
}

enum index_state index_doubt(struct index *index, struct pktfs_error *error)
{
	uint64_t there = source_available(index->source, NULL), at = index->next.end;
	/* one that was cut just now is not judged before its new end is known */
	bool cut = source_part_cut(index->source, index->source_part);
	uint64_t believed = cut ? 0 : believe(index, at, there);

	error->code = 0;
	if (believed && index->twice)
		index->believed = believed;
	if (believed || source_available(index->source, NULL) != there)
		return INDEX_RUNNING;
	index->end_next.reached = there;
	index->end_next.source_problem = 0;
	index->doubting = true;
	atomic_store(&index->in_doubt, true);
	error_at(error, -ENODATA, at - index->part_start,
		 "zeros at the end of the file: found %llu bytes; accepted a record",
		 (unsigned long long)(there > at ? there - at : 0));
	return INDEX_TRUNCATED;
}
