/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Evaluation: the threads of the pool take the next chunk of the set that was
 * wanted last, walk its packets, and publish chunks in order.
 */
#include <string.h>
#include <time.h>

#include "set_internal.h"
#include "util/util_time.h"

/* How long to sleep while what is wanted is not indexed yet. */
#define EVAL_POLL_MS 5

/* Rather than step over more packets than this, an iterator seeks. */
#define EVAL_STEP_OVER 64u

/* Packets between two looks at whether the work is still wanted, and for how
 * long it is done all the same: whoever asks for the progress now and then is
 * to see some. */
#define EVAL_LOOKS 64u
#define EVAL_GRACE_MS 10000

struct worker {
	struct set_pool *pool;
	struct set *wanted; /* whose chunk it is that all is done for */
	unsigned looked;
	pktfs_iterator *iterator;
	uint64_t next; /* the packet that the iterator gives next; 0: not known */
	struct tally_counter tally;
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

static int count_member(struct worker *worker, struct set_chunk *chunk,
			const struct pktfs_packet *packet)
{
	int r = tally_packet(&worker->tally, packet);

	if (r < 0)
		return r;
	chunk->captured_bytes += packet->captured_length;
	chunk->original_bytes += packet->original_length;
	if (!packet->has_time)
		return 0;
	if (!chunk->has_time) {
		chunk->has_time = true;
		chunk->first_time = chunk->min_time = chunk->max_time = packet->time;
	}
	chunk->last_time = packet->time;
	if (time_compare(packet->time, chunk->min_time) < 0)
		chunk->min_time = packet->time;
	if (time_compare(packet->time, chunk->max_time) > 0)
		chunk->max_time = packet->time;
	return chunk_add_minute(chunk, minute_of(packet->time));
}

/* Packet `number` from the worker's iterator. 0 or negative errno. */
static int take_packet(struct worker *worker, uint64_t number, const struct pktfs_packet **ret)
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

static bool given_up(struct worker *worker)
{
	if (++worker->looked % EVAL_LOOKS)
		return false;
	UTIL_LOCK_SCOPE(&worker->pool->lock);
	return worker->pool->closing ||
	       worker->wanted->lease_ms + EVAL_GRACE_MS < set_now_ms();
}

/* The packets of a chunk, given those of the parent: evaluates the predicate. */
static int walk_chunk(struct worker *worker, struct set *set, void *scratch, uint64_t first,
		      const uint64_t *parent, uint64_t *words, struct set_chunk *chunk)
{
	const struct set_predicate *predicate = set->predicate;
	struct pktfs_span span = {0};
	const struct pktfs_packet *packet;
	enum set_bound bound = BOUND_SOME;
	uint32_t w;
	int r;

	for (w = 0; w < CHUNK_WORDS; w++) {
		uint64_t word = parent[w];

		for (; word; word &= word - 1) {
			uint64_t number = first + w * 64u + (unsigned)__builtin_ctzll(word);

			if (predicate->bound && number > span.last) {
				r = pktfs_span_get(worker->pool->capture, number, &span);
				if (r < 0)
					return r;
				bound = predicate->bound(set->state, &span);
			}
			if (bound == BOUND_NONE)
				continue;
			r = given_up(worker) ? -ECANCELED : take_packet(worker, number, &packet);
			if (r < 0)
				return r;
			r = predicate->matches(set->state, scratch, packet);
			if (r == 1) {
				words[w] |= UINT64_C(1) << (number - first) % 64;
				r = count_member(worker, chunk, packet);
			}
			chunk->limited += r == -E2BIG;
			if (r == -ENOMEM)
				return r;
		}
	}
	return pktfs_iterator_verify(worker->iterator);
}

/* The same for chunk `number`, whose words are followed by the parent's, and once
 * more if need be: a fault elsewhere in the file spoils the map of all of it, but
 * not what is read after that. */
static int walk_chunk_again(struct worker *worker, struct set *set, void *scratch, uint32_t number,
			    uint64_t *words, struct set_chunk *chunk)
{
	uint64_t first = ((uint64_t)number << SET_CHUNK_SHIFT) + 1;
	int r = -EIO, tries;

	for (tries = 0; r == -EIO && tries < 2; tries++) {
		if (tries) {
			chunk_free(chunk);
			memset(words, 0, CHUNK_WORDS * sizeof(*words));
			worker->next = 0;
		}
		tally_begin(&worker->tally, &chunk->tally);
		r = walk_chunk(worker, set, scratch, first, words + CHUNK_WORDS, words, chunk);
		tally_end(&worker->tally);
	}
	return r;
}

static int members(struct worker *worker, struct set *set, uint32_t number, uint64_t *words);

/* Evaluates chunk `number` of `set`, all of whose packets are indexed. */
static int evaluate(struct worker *worker, struct set *set, uint32_t number,
		    struct set_chunk *ret)
{
	_cleanup_free_ uint64_t *words = calloc(CHUNK_WORDS * 2, sizeof(*words));
	struct set_chunk chunk = {0};
	void *scratch = NULL;
	int r;

	if (!words)
		return -ENOMEM;
	r = members(worker, set->parent, number, words + CHUNK_WORDS);
	if (r < 0)
		return r;
	r = set_state_hold(set);
	if (r < 0)
		return r;
	if (set->predicate->begin)
		r = set->predicate->begin(set->state, &scratch);
	if (r == 0)
		r = walk_chunk_again(worker, set, scratch, number, words, &chunk);
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

/* Room for slot `number`; with the lock held. */
static int make_slot(struct set *set, uint32_t number)
{
	struct set_slot *slots;
	uint32_t room;

	if (number >= set->slot_room) {
		room = MAX(number + 1, MAX(set->slot_room * 2, 16u));
		slots = realloc(set->slots, room * sizeof(*slots));
		if (!slots)
			return -ENOMEM;
		set->memory += (room - set->slot_room) * sizeof(*slots);
		set->pool->memory += (room - set->slot_room) * sizeof(*slots);
		set->slots = slots;
		set->slot_room = room;
	}
	for (; set->slot_count <= number; set->slot_count++)
		set->slots[set->slot_count] = (struct set_slot){0};
	return 0;
}

static void add_times(struct set_status *totals, const struct set_chunk *chunk)
{
	if (!chunk->has_time)
		return;
	if (!totals->has_time) {
		totals->has_time = true;
		totals->first_time = chunk->first_time;
		totals->min_time = chunk->min_time;
		totals->max_time = chunk->max_time;
	}
	totals->last_time = chunk->last_time;
	if (time_compare(chunk->min_time, totals->min_time) < 0)
		totals->min_time = chunk->min_time;
	if (time_compare(chunk->max_time, totals->max_time) > 0)
		totals->max_time = chunk->max_time;
}

/* Adds what a chunk was counted into to what the set has, and frees it. */
static void merge_tally(struct set *set, struct chunk_tally *chunk)
{
	uint64_t before = chunk_tally_memory(chunk) + set_tally_memory(&set->tally);
	uint64_t after;

	if (tally_merge(&set->tally, chunk) < 0)
		set->failed = -ENOMEM;
	chunk_tally_free(chunk);
	after = set_tally_memory(&set->tally);
	set->memory += after - before;
	set->pool->memory += after - before;
}

/* Publishes the slots that are done without a gap; with the lock held. */
static void publish(struct set *set, uint64_t packets, bool indexed)
{
	struct set_status *totals = &set->totals;

	while (set->published < set->slot_count && set->slots[set->published].done) {
		struct set_slot *slot = &set->slots[set->published++];

		slot->before = totals->packets;
		totals->packets += slot->chunk.count;
		totals->captured_bytes += slot->chunk.captured_bytes;
		totals->original_bytes += slot->chunk.original_bytes;
		totals->limited += slot->chunk.limited;
		totals->passed = MIN((uint64_t)set->published << SET_CHUNK_SHIFT, packets);
		add_times(totals, &slot->chunk);
		merge_tally(set, &slot->chunk.tally);
	}
	if (!set->failed && indexed && (uint64_t)set->published << SET_CHUNK_SHIFT >= packets)
		set->complete = true;
	pthread_cond_broadcast(&set->pool->changed);
}

/* Stores a chunk, unless another thread was first; with the lock held. */
static void store(struct set *set, uint32_t number, struct set_chunk *chunk)
{
	struct set_slot *slot = &set->slots[number];

	if (slot->done) {
		chunk_free(chunk);
		return;
	}
	slot->chunk = *chunk;
	slot->done = true;
	set->memory += chunk_memory(chunk);
	set->pool->memory += chunk_memory(chunk);
}

static void indexed_packets(struct set_pool *pool, uint64_t *ret_packets, bool *ret_complete)
{
	struct pktfs_status status;

	pktfs_status_get(pool->capture, &status);
	*ret_packets = status.packets;
	*ret_complete = status.state != PKTFS_STATE_INDEXING;
}

/* The packets of chunk `number` that `set` has, evaluated now if need be. */
static int members(struct worker *worker, struct set *set, uint32_t number, uint64_t *words)
{
	struct set_pool *pool = worker->pool;
	struct set_chunk chunk;
	uint64_t packets, first = (uint64_t)number << SET_CHUNK_SHIFT;
	bool indexed;
	int r;

	indexed_packets(pool, &packets, &indexed);
	if (!set->predicate) {
		chunk = (struct set_chunk){.full = true};
		chunk.count = (uint32_t)MIN(packets - MIN(first, packets), (uint64_t)SET_CHUNK);
		chunk_unpack(&chunk, words);
		return 0;
	}
	pthread_mutex_lock(&pool->lock);
	if (number < set->slot_count && set->slots[number].done) {
		chunk_unpack(&set->slots[number].chunk, words);
		pthread_mutex_unlock(&pool->lock);
		return 0;
	}
	set->busy++;
	pthread_mutex_unlock(&pool->lock);
	r = evaluate(worker, set, number, &chunk);
	if (r == 0)
		chunk_unpack(&chunk, words);
	pthread_mutex_lock(&pool->lock);
	if (r == 0 && make_slot(set, number) == 0) {
		store(set, number, &chunk);
		publish(set, packets, indexed);
	} else if (r == 0) {
		chunk_free(&chunk);
	}
	set->busy--;
	pthread_mutex_unlock(&pool->lock);
	return r;
}

/* The first chunk of a set that nobody has begun: mostly the one behind the
 * last, but a set that is a parent may have been asked for later ones first. */
static uint32_t first_left(const struct set *set)
{
	uint32_t number = set->published;

	while (number < set->slot_count &&
	       (set->slots[number].done || set->slots[number].begun))
		number++;
	return number;
}

/*
 * The set to work on: the one with the youngest lease that has a chunk which
 * nobody works on and whose packets are indexed. With the lock held.
 * *ret_later: there is one whose packets are not indexed yet.
 */
static struct set *choose(struct set_pool *pool, uint64_t packets, bool indexed,
			  uint32_t *ret_number, bool *ret_later)
{
	struct set **at = &pool->wanted, *set, *best = NULL;
	int64_t now = set_now_ms();
	uint64_t first, last;
	uint32_t number;

	*ret_later = false;
	while ((set = *at)) {
		if (set->lease_ms < now || set->complete || set->failed) {
			*at = set->next_wanted;
			set->wanted = false;
			continue;
		}
		at = &set->next_wanted;
		if (best && best->lease_ms >= set->lease_ms)
			continue;
		number = first_left(set);
		first = (uint64_t)number << SET_CHUNK_SHIFT;
		last = first + SET_CHUNK;
		if (packets >= last || (indexed && packets > first)) {
			best = set;
			*ret_number = number;
		} else if (!indexed) {
			*ret_later = true;
		} else {
			publish(set, packets, indexed);
		}
	}
	return best;
}

/* One chunk of one set; called with the lock held, which it drops meanwhile. */
static void work_on(struct worker *worker, struct set *set, uint32_t number, uint64_t packets,
		    bool indexed)
{
	struct set_pool *pool = worker->pool;
	struct set_chunk chunk;
	int r = make_slot(set, number);

	if (r == 0) {
		set->slots[number].begun = true;
		set->busy++;
		worker->wanted = set;
		pthread_mutex_unlock(&pool->lock);
		r = evaluate(worker, set, number, &chunk);
		pthread_mutex_lock(&pool->lock);
		set->busy--;
	}
	if (r == -ECANCELED) { /* nobody wants it any more, or the end */
		set->slots[number].begun = false;
		return;
	}
	if (r < 0) {
		if (number < set->slot_count)
			set->slots[number].begun = false;
		set->failed = r;
		pthread_cond_broadcast(&pool->changed);
		return;
	}
	store(set, number, &chunk);
	publish(set, packets, indexed);
	set_trim(pool);
}

static void sleep_until_wanted(struct set_pool *pool, bool later)
{
	struct timespec deadline;

	if (!later) {
		pthread_cond_wait(&pool->work, &pool->lock);
		return;
	}
	deadline = time_deadline(CLOCK_MONOTONIC, EVAL_POLL_MS * INT64_C(1000000));
	pthread_cond_timedwait(&pool->work, &pool->lock, &deadline);
}

void *set_eval_main(void *arg)
{
	struct set_pool *pool = arg;
	struct worker worker = {.pool = pool};
	uint32_t number = 0;
	struct set *set;

	worker.tally.capture = pool->capture;
	if (pktfs_iterator_open(pool->capture, 1, &worker.iterator) < 0)
		return NULL;
	pthread_mutex_lock(&pool->lock);
	while (!pool->closing) {
		uint64_t packets;
		bool indexed, later;

		indexed_packets(pool, &packets, &indexed);
		set = choose(pool, packets, indexed, &number, &later);
		if (set)
			work_on(&worker, set, number, packets, indexed);
		else
			sleep_until_wanted(pool, later);
	}
	pthread_mutex_unlock(&pool->lock);
	pktfs_iterator_close(worker.iterator);
	tally_counter_free(&worker.tally);
	return NULL;
}
