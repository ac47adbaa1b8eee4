/* SPDX-License-Identifier: BSD-2-Clause */
#include "set_chunk.h"

#include <string.h>

#include "util/util_time.h"

static inline uint32_t low_bit(uint64_t word)
{
	return (uint32_t)__builtin_ctzll(word);
}

static inline uint32_t bits_of(uint64_t word)
{
	return (uint32_t)__builtin_popcountll(word);
}

/* Whether the `count` bits that are set are the first ones. */
static bool is_run(const uint64_t *words, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count / 64; i++)
		if (~words[i])
			return false;
	return count % 64 == 0 || words[i] == (UINT64_C(1) << count % 64) - 1;
}

int chunk_pack(struct set_chunk *chunk, const uint64_t *words)
{
	uint32_t i, at = 0;

	chunk->count = 0;
	for (i = 0; i < CHUNK_WORDS; i++)
		chunk->count += bits_of(words[i]);
	chunk->full = is_run(words, chunk->count);
	if (chunk->full)
		return 0;
	if (chunk->count > CHUNK_LIST_MAX) {
		chunk->bits = malloc(CHUNK_WORDS * sizeof(*words));
		if (!chunk->bits)
			return -ENOMEM;
		memcpy(chunk->bits, words, CHUNK_WORDS * sizeof(*words));
		return 0;
	}
	chunk->list = malloc(chunk->count * sizeof(*chunk->list));
	if (!chunk->list)
		return -ENOMEM;
	for (i = 0; i < CHUNK_WORDS; i++) {
		uint64_t word = words[i];

		for (; word; word &= word - 1)
			chunk->list[at++] = (uint16_t)(i * 64 + low_bit(word));
	}
	return 0;
}

static void add_members(const struct set_chunk *chunk, uint64_t *words)
{
	uint32_t i;

	for (i = 0; chunk->bits && i < CHUNK_WORDS; i++)
		words[i] |= chunk->bits[i];
	if (chunk->bits)
		return;
	for (i = 0; i < chunk->count; i++) {
		uint32_t member = chunk->list ? chunk->list[i] : i;

		words[member / 64] |= UINT64_C(1) << member % 64;
	}
}

void chunk_unpack(const struct set_chunk *chunk, uint64_t *words)
{
	memset(words, 0, CHUNK_WORDS * sizeof(*words));
	add_members(chunk, words);
}

void chunk_free(struct set_chunk *chunk)
{
	free(chunk->list);
	free(chunk->bits);
	free(chunk->minutes);
	chunk_tally_free(&chunk->tally);
	*chunk = (struct set_chunk){0};
}

uint64_t chunk_memory(const struct set_chunk *chunk)
{
	uint64_t memory = chunk->minute_count * sizeof(*chunk->minutes) +
			  chunk_tally_memory(&chunk->tally);

	if (chunk->bits)
		memory += CHUNK_WORDS * sizeof(*chunk->bits);
	if (chunk->list)
		memory += chunk->count * sizeof(*chunk->list);
	return memory;
}

/* Room is made in powers of two from 4 on. */
int chunk_add_minute(struct set_chunk *chunk, int64_t minute)
{
	uint32_t count = chunk->minute_count;
	int64_t *minutes;

	if (count && chunk->minutes[count - 1] == minute)
		return 0;
	if (count == 0 || (count >= 4 && (count & (count - 1)) == 0)) {
		minutes = realloc(chunk->minutes, MAX(count * 2, 4u) * sizeof(*minutes));
		if (!minutes)
			return -ENOMEM;
		chunk->minutes = minutes;
	}
	chunk->minutes[chunk->minute_count++] = minute;
	return 0;
}

static int compare_minutes(const void *a, const void *b)
{
	int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;

	return (first > second) - (first < second);
}

void chunk_sort_minutes(struct set_chunk *chunk)
{
	uint32_t i, kept = 0;
	int64_t *minutes;

	if (chunk->minute_count == 0)
		return;
	qsort(chunk->minutes, chunk->minute_count, sizeof(*chunk->minutes), compare_minutes);
	for (i = 1; i < chunk->minute_count; i++)
		if (chunk->minutes[i] != chunk->minutes[kept])
			chunk->minutes[++kept] = chunk->minutes[i];
	chunk->minute_count = kept + 1;
	/* packets out of order note a minute again and again: what that took is not kept */
	minutes = realloc(chunk->minutes, chunk->minute_count * sizeof(*minutes));
	if (minutes)
		chunk->minutes = minutes;
}

/* The minutes of both, into `ret`. */
static int merge_minutes(const struct set_chunk *a, const struct set_chunk *b,
			 struct set_chunk *ret)
{
	uint32_t count = a->minute_count + b->minute_count;

	if (!count)
		return 0;
	ret->minutes = malloc(count * sizeof(*ret->minutes));
	if (!ret->minutes)
		return -ENOMEM;
	if (a->minute_count)
		memcpy(ret->minutes, a->minutes, a->minute_count * sizeof(*ret->minutes));
	if (b->minute_count)
		memcpy(ret->minutes + a->minute_count, b->minutes,
		       b->minute_count * sizeof(*ret->minutes));
	ret->minute_count = count;
	chunk_sort_minutes(ret);
	return 0;
}

/* The members of both, into `ret`. */
static int merge_members(const struct set_chunk *a, const struct set_chunk *b,
			 struct set_chunk *ret)
{
	uint64_t words[CHUNK_WORDS];

	chunk_unpack(a, words);
	add_members(b, words);
	return chunk_pack(ret, words);
}

int chunk_merge(struct set_chunk *into, struct set_chunk *from)
{
	struct set_chunk merged = {0};
	int r = 0;

	if (from->count)
		r = merge_members(into, from, &merged);
	if (r == 0 && from->count)
		r = merge_minutes(into, from, &merged);
	if (r == 0)
		r = chunk_tally_merge(&into->tally, &from->tally);
	if (r < 0) {
		chunk_free(&merged);
		return r;
	}
	if (from->count) {
		merged.tally = into->tally;
		merged.counts = into->counts;
		into->tally = (struct chunk_tally){0};
		chunk_free(into);
		*into = merged;
	}
	chunk_counts_add(&into->counts, &from->counts);
	chunk_free(from);
	return 0;
}

static void count_times(struct chunk_counts *counts, struct pktfs_time first,
			struct pktfs_time last, struct pktfs_time min, struct pktfs_time max)
{
	if (!counts->has_time) {
		counts->has_time = true;
		counts->first_time = first;
		counts->min_time = min;
		counts->max_time = max;
	}
	counts->last_time = last;
	if (time_compare(min, counts->min_time) < 0)
		counts->min_time = min;
	if (time_compare(max, counts->max_time) > 0)
		counts->max_time = max;
}

void chunk_count(struct chunk_counts *counts, const struct pktfs_packet *packet)
{
	counts->packets++;
	counts->captured_bytes += packet->captured_length;
	counts->original_bytes += packet->original_length;
	if (packet->has_time)
		count_times(counts, packet->time, packet->time, packet->time, packet->time);
}

void chunk_counts_add(struct chunk_counts *into, const struct chunk_counts *behind)
{
	into->packets += behind->packets;
	into->captured_bytes += behind->captured_bytes;
	into->original_bytes += behind->original_bytes;
	into->limited += behind->limited;
	if (behind->has_time)
		count_times(into, behind->first_time, behind->last_time, behind->min_time,
			    behind->max_time);
}

/* The place of the first entry of a list that is `member` or more. */
static uint32_t list_find(const struct set_chunk *chunk, uint32_t member)
{
	uint32_t low = 0, high = chunk->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (chunk->list[middle] < member)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t chunk_next(const struct set_chunk *chunk, uint32_t member)
{
	uint64_t word;
	uint32_t i;

	if (chunk->full)
		return member < chunk->count ? member : SET_CHUNK;
	if (chunk->list) {
		i = list_find(chunk, member);
		return i < chunk->count ? chunk->list[i] : SET_CHUNK;
	}
	if (!chunk->bits || member >= SET_CHUNK)
		return SET_CHUNK;
	i = member / 64;
	word = chunk->bits[i] & (~UINT64_C(0) << member % 64);
	while (!word && ++i < CHUNK_WORDS)
		word = chunk->bits[i];
	return word ? i * 64 + low_bit(word) : SET_CHUNK;
}

uint32_t chunk_select(const struct set_chunk *chunk, uint32_t rank)
{
	uint64_t word;
	uint32_t i;

	if (chunk->full)
		return rank;
	if (chunk->list)
		return chunk->list[rank];
	for (i = 0; rank >= bits_of(chunk->bits[i]); i++)
		rank -= bits_of(chunk->bits[i]);
	for (word = chunk->bits[i]; rank; rank--)
		word &= word - 1;
	return i * 64 + low_bit(word);
}

uint32_t chunk_rank(const struct set_chunk *chunk, uint32_t member)
{
	uint32_t i, rank = 0;

	if (chunk->full)
		return MIN(member, chunk->count);
	if (chunk->list)
		return list_find(chunk, member);
	if (!chunk->bits)
		return 0;
	for (i = 0; i < member / 64; i++)
		rank += bits_of(chunk->bits[i]);
	if (member % 64)
		rank += bits_of(chunk->bits[i] & ((UINT64_C(1) << member % 64) - 1));
	return rank;
}

size_t chunk_members(const struct set_chunk *chunk, uint32_t member, uint64_t base, uint64_t *ret,
		     size_t room)
{
	size_t count = 0;
	uint32_t i;

	if (chunk->full) {
		for (; member < chunk->count && count < room; member++)
			ret[count++] = base + member;
	} else if (chunk->list) {
		for (i = list_find(chunk, member); i < chunk->count && count < room; i++)
			ret[count++] = base + chunk->list[i];
	} else {
		member = chunk_next(chunk, member);
		for (; member < SET_CHUNK && count < room; member = chunk_next(chunk, member + 1))
			ret[count++] = base + member;
	}
	return count;
}
