/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Evaluation: takes a chunk of a set further, from the packets that were looked
 * at to those that are there now, with those of its parents before it.
 */
#include <string.h>
#include <time.h>

#include "set_internal.h"
#include "util/util_time.h"

/* Rather than step over more packets than this, an iterator seeks. */
#define EVAL_STEP_OVER 64u

/* Packets between two looks at whether the work is still wanted, and for how
 * long it is done all the same: whoever asks for the progress now and then is
 * to see some. */
#define EVAL_LOOKS 64u
#define EVAL_GRACE_MS 10000

/* How long to wait, at once, for another thread that works on the same. */
#define EVAL_WAIT_MS 100

/* Packets from .. to - 1 (from 0) of a chunk. */
struct part {
	uint32_t number; /* of the chunk */
	uint32_t from, to;
};

int set_eval_packet(struct set *set, const struct pktfs_packet *packet)
{
	void *scratch = NULL;
	int r = set_state_hold(set);

	if (r < 0)
		return r;
	if (set->predicate->begin)
		r = set->predicate->begin(set->state, &scratch);
	if (r == 0) {
		r = set->predicate->matches(set->state, scratch, packet);
		if (r == -E2BIG)
			r = 0;
		if (set->predicate->end)
			set->predicate->end(scratch);
	}
	set_state_release(set);
	return r;
}

/* Seconds to minutes, downwards also before 1970. */
static int64_t minute_of(struct pktfs_time time)
{
	return time.sec / 60 - (time.sec % 60 < 0);
}

static int count_member(struct set_worker *worker, struct set_chunk *chunk,
			const struct pktfs_packet *packet)
{
	int r = tally_packet(&worker->tally, packet);

	if (r < 0)
		return r;
	chunk_count(&chunk->counts, packet);
	return packet->has_time ? chunk_add_minute(chunk, minute_of(packet->time)) : 0;
}

/* Packet `number` from the worker's iterator. 0 or negative errno. */
static int take_packet(struct set_worker *worker, uint64_t number, const struct pktfs_packet **ret)
{
	int r;

	if (!worker->next || number < worker->next || number - worker->next > EVAL_STEP_OVER) {
		if (worker->next && pktfs_iterator_verify(worker->iterator) < 0)
			return -EIO;
		pktfs_iterator_seek(worker->iterator, number);
		worker->next = number;
	}
	do {
		r = pktfs_iterator_next(worker->iterator, ret, NULL);
		if (r <= 0)
			return r < 0 ? r : -EIO;
	} while (worker->next++ < number);
	return 0;
}

/* Whether nobody wants any more what the worker works for; with the lock held. */
static bool abandoned(const struct set_worker *worker)
{
	return worker->pool->closing ||
	       worker->wanted->lease_ms + EVAL_GRACE_MS < set_now_ms();
}

static bool given_up(struct set_worker *worker)
{
	if (++worker->looked % EVAL_LOOKS)
		return false;
	UTIL_LOCK_SCOPE(&worker->pool->lock);
	return abandoned(worker);
}

/* The bits of word `w` that are in the part. */
static uint64_t part_bits(const struct part *part, uint32_t w)
{
	uint64_t bits = ~UINT64_C(0);

	if (part->from > w * 64)
		bits = part->from - w * 64 < 64 ? bits << (part->from - w * 64) : 0;
	if (part->to < (w + 1) * 64)
		bits &= part->to > w * 64 ? ~UINT64_C(0) >> ((w + 1) * 64 - part->to) : 0;
	return bits;
}

/* Packets of one file of several, or of all that there are. */
struct stretch {
	uint64_t last; /* 0: not known yet */
	bool lost;     /* its file is gone: none of them can be read */
};

static struct stretch stretch_of(const struct set_worker *worker, uint64_t number)
{
	pktfs_capture *capture = worker->pool->capture;
	struct pktfs_file_status status;
	struct pktfs_file file;

	if (pktfs_file_of_packet(capture, number, &file) < 0 ||
	    pktfs_file_status_get(capture, file.path, &status) < 0)
		return (struct stretch){.last = UINT64_MAX};
	return (struct stretch){.last = MAX(number, file.packets_before + status.packets),
				.lost = status.lost};
}

/* The packets of a part, given those of the parent: evaluates the predicate. What
 * cannot be read any more is no member. */
static int walk_part(struct set_worker *worker, struct set *set, void *scratch,
		     const struct part *part, const uint64_t *parent, uint64_t *words,
		     struct set_chunk *chunk)
{
	const struct set_predicate *predicate = set->predicate;
	uint64_t first = ((uint64_t)part->number << SET_CHUNK_SHIFT) + 1;
	struct pktfs_span span = {0};
	const struct pktfs_packet *packet;
	enum set_bound bound = BOUND_SOME;
	struct stretch stretch = {0};
	uint32_t w;
	int r;

	for (w = part->from / 64; w * 64 < part->to; w++) {
		uint64_t word = parent[w] & part_bits(part, w);

		for (; word; word &= word - 1) {
			uint64_t number = first + w * 64u + (unsigned)__builtin_ctzll(word);

			if (predicate->bound && number > span.last) {
				r = pktfs_span_get(worker->pool->capture, number, &span);
				if (r < 0)
					return r;
				bound = predicate->bound(set->state, &span);
			}
			if (number > stretch.last)
				stretch = stretch_of(worker, number);
			if (bound == BOUND_NONE || stretch.lost)
				continue;
			r = given_up(worker) ? -ECANCELED : take_packet(worker, number, &packet);
			if (r < 0)
				return r;
			r = predicate->matches(set->state, scratch, packet);
			if (r == 1) {
				words[w] |= UINT64_C(1) << (number - first) % 64;
				r = count_member(worker, chunk, packet);
			}
			chunk->counts.limited += r == -E2BIG;
			if (r == -ENOMEM)
				return r;
		}
	}
	return pktfs_iterator_verify(worker->iterator);
}

/* So often, at most: a file of several may be gone each time. */
#define EVAL_TRIES 4

/* The same, with `words` followed by the parent's, and again if need be: a fault
 * elsewhere in the file spoils the map of all of it, but not what is read after
 * that. */
static int walk_part_again(struct set_worker *worker, struct set *set, void *scratch,
			   const struct part *part, uint64_t *words, struct set_chunk *chunk)
{
	int r = -EIO, tries;

	for (tries = 0; r == -EIO && tries < EVAL_TRIES; tries++) {
		if (tries) {
			chunk_free(chunk);
			memset(words, 0, CHUNK_WORDS * sizeof(*words));
			worker->next = 0;
		}
		tally_begin(&worker->tally, &chunk->tally);
		r = walk_part(worker, set, scratch, part, words + CHUNK_WORDS, words, chunk);
		tally_end(&worker->tally);
	}
	return r;
}

/* The packets of chunk `number` up to `to` that `set` has, evaluated now if need
 * be. */
static int members(struct set_worker *worker, struct set *set, uint32_t number, uint32_t to,
		   uint64_t *words)
{
	struct set_chunk all = {.full = true, .count = to};
	int r;

	if (!set->predicate) {
		chunk_unpack(&all, words);
		return 0;
	}
	UTIL_LOCK_SCOPE(&worker->pool->lock);
	r = set_eval_extend(worker, set, number, to);
	if (r == 0)
		chunk_unpack(&set->slots[number].chunk, words);
	return r;
}

/* Evaluates a part of a chunk of `set`, all of whose packets are indexed. */
static int evaluate(struct set_worker *worker, struct set *set, const struct part *part,
		    struct set_chunk *ret)
{
	_cleanup_free_ uint64_t *words = calloc(CHUNK_WORDS * 2, sizeof(*words));
	struct set_chunk chunk = {0};
	void *scratch = NULL;
	int r;

	if (!words)
		return -ENOMEM;
	r = members(worker, set->parent, part->number, part->to, words + CHUNK_WORDS);
	if (r < 0)
		return r;
	r = set_state_hold(set);
	if (r < 0)
		return r;
	if (set->predicate->begin)
		r = set->predicate->begin(set->state, &scratch);
	if (r == 0)
		r = walk_part_again(worker, set, scratch, part, words, &chunk);
	if (scratch && set->predicate->end)
		set->predicate->end(scratch);
	set_state_release(set);
	chunk_sort_minutes(&chunk);
	if (r == 0)
		r = chunk_pack(&chunk, words);
	if (r == 0)
		*ret = chunk;
	else
		chunk_free(&chunk);
	return r;
}

/*
 * Takes the right to work on a slot, with the lock held: 1; 0, it has come to
 * `to` already. Where another thread works on it, waits for that: it may itself
 * wait for one that works on a parent, but never the other way round.
 */
static int claim(struct set_worker *worker, struct set *set, uint32_t number, uint32_t to)
{
	struct set_pool *pool = worker->pool;
	struct timespec deadline;

	for (;;) {
		if (set_slot_make(set, number) < 0)
			return -ENOMEM;
		if (set->slots[number].passed >= to)
			return 0;
		if (!set->slots[number].begun)
			break;
		if (abandoned(worker))
			return -ECANCELED;
		deadline = time_deadline(CLOCK_MONOTONIC, EVAL_WAIT_MS * INT64_C(1000000));
		pthread_cond_timedwait(&pool->changed, &pool->lock, &deadline);
	}
	set->slots[number].begun = true;
	set->busy++;
	return 1;
}

int set_eval_extend(struct set_worker *worker, struct set *set, uint32_t number, uint32_t to)
{
	struct set_pool *pool = worker->pool;
	struct part part = {.number = number, .to = to};
	struct set_chunk chunk;
	int r = claim(worker, set, number, to);

	if (r <= 0)
		return r;
	part.from = set->slots[number].passed;
	pthread_mutex_unlock(&pool->lock);
	r = evaluate(worker, set, &part, &chunk);
	pthread_mutex_lock(&pool->lock);
	set->busy--;
	set->slots[number].begun = false;
	if (r == 0 && set_slot_store(set, number, to, &chunk) < 0) {
		chunk_free(&chunk);
		r = -ENOMEM;
	}
	pthread_cond_broadcast(&pool->changed);
	return r;
}
