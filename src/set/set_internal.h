/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool: its sets, its threads and its one lock, which is held for a few
 * instructions at a time and never over an evaluation.
 */
#ifndef SET_INTERNAL_H
#define SET_INTERNAL_H

#include <string.h>

#include "set_chunk.h"
#include "set_frame.h"
#include "set_predicate.h"
#include "util/util_table.h"

/* What a predicate's state is taken to cost: a compiled program or pattern. */
#define SET_STATE_MEMORY 16384u

struct set {
	struct set_pool *pool;
	struct set *parent;
	const struct set_predicate *predicate; /* NULL: all packets */
	uint64_t hash;
	uint32_t id;
	unsigned depth; /* parents */
	enum set_kind kind;
	struct set *same_hash, *same_id; /* pool lock, as everything below */
	struct set *next, *previous;     /* of all, or of those given up */
	unsigned refs;                   /* children are some */
	bool gone;                       /* given up: nobody finds it any more */
	struct set *next_wanted;
	bool wanted; /* is in the list of them */
	void *state;                 /* NULL: to be opened again */
	unsigned busy;               /* threads that use `state` or evaluate */
	struct set_slot *slots;      /* one for each chunk, up to the last begun */
	uint32_t slot_count, slot_room;
	uint64_t passed;             /* packets that are published: 1 .. passed */
	uint64_t memory;
	int64_t lease_ms, used_ms;   /* monotonic */
	int64_t tail_ms;             /* not before: see set_work.c */
	int failed;
	int64_t failed_ms; /* when */
	struct chunk_counts counts;  /* over the packets that are published */
	struct set_tally tally;      /* the same */
	struct set_frame *frame;     /* NULL: never asked for */
	char expression[];
};

/*
 * A chunk of a set: evaluated for the first `passed` of its packets, which are
 * all but in the last chunk of the capture. One thread at a time takes it
 * further, and no packet is looked at twice:
 *
 *	packets of the chunk   |########======........|
 *	                        passed  ^ begun       ^ SET_CHUNK
 */
struct set_slot {
	struct set_chunk chunk;
	uint64_t before; /* members in the slots before; once published */
	uint32_t passed;
	bool begun;      /* a thread takes it further */
};

#define SET_BUCKETS 4096u

struct set_pool {
	pktfs_capture *capture;
	struct set *all;
	struct set *by_hash[SET_BUCKETS], *by_id[SET_BUCKETS];
	struct set *first;  /* of all sets */
	struct set *graves, *old_graves; /* given up, but somebody may still look: set_life.c */
	unsigned count;
	unsigned turn, readers[2]; /* those that entered in this turn, and in the one before */
	struct set *wanted; /* those with a lease, and some whose lease is over */
	pthread_mutex_t lock;
	pthread_cond_t work;    /* somebody wants something */
	pthread_cond_t changed; /* something was published */
	uint64_t memory, memory_bound; /* of what was evaluated */
	uint64_t bytes;                /* of the sets themselves */
	bool closing;
	unsigned thread_count, started;
	pthread_t *threads;
};

int64_t set_now_ms(void);

/* ---- set_slot.c: what was evaluated; all with the lock held */

/* Whether the set is evaluated up to all packets that there are, while more do
 * not come by themselves. */
bool set_is_complete(struct set *set);

/* The slots that have published packets; the last one may not be full. */
static inline uint32_t set_published(const struct set *set)
{
	return (uint32_t)((set->passed + SET_CHUNK - 1) >> SET_CHUNK_SHIFT);
}

/* Room for slot `number`: 0 or -ENOMEM. */
int set_slot_make(struct set *set, uint32_t number);

/* The first slot that nobody works on and that can be taken further, the
 * capture having `packets`: false, none. */
bool set_slot_left(const struct set *set, uint64_t packets, uint32_t *ret_number);

/* How many of `packets` are in chunk `number`. */
uint32_t set_slot_end(uint32_t number, uint64_t packets);

/* Takes over what `chunk` has of the packets from slot->passed to `to`, and
 * publishes what has no gap before it. 0, or -ENOMEM: nothing was stored. */
int set_slot_store(struct set *set, uint32_t number, uint32_t to, struct set_chunk *chunk);

/* Publishes what could not be for lack of memory. */
void set_slot_publish(struct set *set);

/* ---- set_eval.c: evaluating */

/* What a thread of the pool has. */
struct set_worker {
	struct set_pool *pool;
	struct set *wanted; /* whose chunk it is that all is done for */
	unsigned looked;
	pktfs_iterator *iterator;
	uint64_t next; /* the packet that the iterator gives next; 0: not known */
	struct tally_counter tally;
};

/*
 * Takes chunk `number` of a set to its packet `to`, all of which are indexed,
 * and so those of its parents. With the lock held, which is dropped meanwhile.
 * 0; -ECANCELED: nobody wants worker->wanted any more; or what failed.
 */
int set_eval_extend(struct set_worker *worker, struct set *set, uint32_t number, uint32_t to);

/* ---- set_work.c: the body of a pool thread */
void *set_work_main(void *pool);

/* Whether `packet` is in `set`, by its predicates: 1, 0, negative errno. */
int set_eval_packet(struct set *set, const struct pktfs_packet *packet);

/* Opens the state of a set where it was dropped, and keeps it from being
 * dropped until set_state_release. 0, or what set_open would say. */
int set_state_hold(struct set *set);
void set_state_release(struct set *set);

/* With the lock held: 0 when the set is complete; otherwise what ended that, or
 * -EAGAIN, and it is wanted. */
int set_require(struct set *set);

/* As set_members, of the packets up to `last`: -ENOENT, there are no more of
 * them, whatever has come behind. */
int64_t set_members_until(struct set *set, uint64_t number, uint64_t last, uint64_t *ret,
			  size_t room);

/* With the lock held: forgets what was evaluated; nobody is busy in it. */
void set_drop(struct set *set);

/* What a set takes before anything of it is evaluated. */
static inline size_t set_bytes(const char *expression)
{
	return sizeof(struct set) + strlen(expression) + 1;
}

/* With the lock held: whether there is room for one set more that takes `bytes`,
 * others being given up for it if need be. */
bool set_make_room(struct set_pool *pool, size_t bytes);
void set_destroy(struct set *set);

/* With the pool's lock held: drops what is over the memory bound. */
void set_trim(struct set_pool *pool);

#endif
