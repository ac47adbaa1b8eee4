/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool: its sets, its threads and its one lock, which is held for a few
 * instructions at a time and never over an evaluation.
 */
#ifndef SET_INTERNAL_H
#define SET_INTERNAL_H

#include "set_chunk.h"
#include "set_place.h"
#include "set_predicate.h"
#include "util/util_table.h"

/* What a predicate's state is taken to cost: a compiled program or pattern. */
#define SET_STATE_MEMORY 16384u

/* The sizes of the blocks around the packets of a pcapng file, added up in
 * steps once the set is complete: set_plan.c. */
struct set_frame {
	struct set_place place; /* how far it has come */
	bool begun, busy, known;
};

struct set {
	struct set_pool *pool;
	struct set *parent;
	const struct set_predicate *predicate; /* NULL: all packets */
	char *expression;
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
	uint32_t published;          /* slots that are done, without a gap */
	uint64_t memory;
	int64_t lease_ms, used_ms;   /* monotonic */
	int failed;
	bool complete;
	struct set_status totals;    /* over the published slots */
	struct set_tally tally;      /* the same */
	struct set_frame frame;
};

struct set_slot {
	struct set_chunk chunk;
	uint64_t before; /* members in the slots before; once published */
	bool begun;      /* a thread works on it */
	bool done;
};

#define SET_BUCKETS 4096u

struct set_pool {
	pktfs_capture *capture;
	struct set *all;
	struct set *by_hash[SET_BUCKETS], *by_id[SET_BUCKETS];
	struct set *first;  /* of all sets */
	struct set *graves; /* given up, but somebody may still look at them */
	unsigned count, readers;
	struct set *wanted; /* those with a lease, and some whose lease is over */
	pthread_mutex_t lock;
	pthread_cond_t work;    /* somebody wants something */
	pthread_cond_t changed; /* something was published */
	uint64_t memory, memory_bound;
	bool closing;
	unsigned thread_count, started;
	pthread_t *threads;
};

int64_t set_now_ms(void);

/* The body of a pool thread. */
void *set_eval_main(void *pool);

/* Whether `packet` is in `set`, by its predicates: 1, 0, negative errno. */
int set_eval_packet(struct set *set, const struct pktfs_packet *packet);

/* Opens the state of a set where it was dropped, and keeps it from being
 * dropped until set_state_release. 0, or what set_open would say. */
int set_state_hold(struct set *set);
void set_state_release(struct set *set);

/* With the lock held: 0 when the set is evaluated as a whole; otherwise what
 * ended that, or -EAGAIN, and it is wanted. */
int set_require(struct set *set);

/* With the lock held: forgets what was evaluated; nobody is busy in it. */
void set_drop(struct set *set);

/* With the lock held: whether there is room for one set more, others being
 * given up for it if need be. */
bool set_make_room(struct set_pool *pool);
void set_destroy(struct set *set);

/* With the pool's lock held: drops what is over the memory bound. */
void set_trim(struct set_pool *pool);

#endif
