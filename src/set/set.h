/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets: ordered subsets of the packets of a capture. A set is its parent and a
 * predicate: the packets of the parent for which it holds. The root of the
 * tree is the set of all packets.
 *
 *	struct set *all = set_all(pool), *web, *web_eth0;
 *	set_open(pool, all, SET_FILTER, "tcp port 80", &web, &error);
 *	set_open(pool, web, SET_INTERFACE, "0", &web_eth0, &error);
 *	for (n = 1; set_next(web_eth0, n, &n) == 0; n++)
 *		...
 *
 * A set is evaluated lazily, chunk by chunk (SET_CHUNK packet numbers), by the
 * threads of the pool, for as long as somebody asks for it: every question
 * that is answered with -EAGAIN renews a lease of SET_LEASE_MS. What has been
 * evaluated is kept, and dropped, least recently used first, above the memory
 * bound of the pool.
 *
 * A capture that grows has no last chunk: what was evaluated stays, and what
 * has come since is evaluated when it is asked for, as if the set had not been
 * complete. So every answer is about all packets that are published at that time.
 * While the index is built, members come in small steps, so that a set of a live
 * capture shows what is there.
 *
 * Nothing here waits, except set_wait. Threads: any, at any time.
 *
 * Why no CRoaring: its C bitmaps end at 2^32 packets, and it has no way to
 * read one while another thread appends to it; the chunks here are what it
 * would hold (lists, bits or runs of 65536), published by a count.
 */
#ifndef SET_H
#define SET_H

#include "pktfs/capture.h"
#include "util/util_base.h"

#define SET_CHUNK_SHIFT 16u
#define SET_CHUNK	(1u << SET_CHUNK_SHIFT)
#define SET_LEASE_MS	2000
#define SET_MEMORY	((uint64_t)32 << 20) /* the default bound */

/* The longest expression; names in a directory are at most 255 bytes. */
#define SET_MAX_EXPRESSION 4096u

struct set;
struct set_pool;

enum set_kind {
	SET_ALL,
	SET_FILTER,    /* pcap-filter(7) */
	SET_MATCH,     /* PCRE2 over the packet's bytes, multi-line, not UTF-8 */
	SET_INTERFACE, /* the number of an interface */
	SET_TIME,      /* FROM..TO, either end optional, FROM <= time < TO */
	SET_RANGE,     /* A-B, A-, -B, A and lists with commas: packet numbers */
	SET_PAYLOAD,   /* the packets that have payload; no expression ("") */
	SET_FILE,      /* the number of a file, from 0, among those that were given */
};

/* `threads` 0: as many as there are cores; `memory` 0: SET_MEMORY. */
int set_pool_open(pktfs_capture *capture, unsigned threads, uint64_t memory,
		  struct set_pool **ret);
/* After pktfs_cancel. NULL is allowed. */
void set_pool_close(struct set_pool *pool);

pktfs_capture *set_pool_capture(struct set_pool *pool);

/* The set of all packets; lives as long as the pool. */
struct set *set_all(struct set_pool *pool);

/*
 * The packets of `parent` for which the expression holds. The same words give
 * the same set.
 *
 * -EINVAL: the expression is wrong; the error's text says why, its offset
 * where (if has_offset). -EAGAIN: not before more of the capture is indexed.
 * -ENOENT: SET_INTERFACE: no such interface; SET_FILE: no such file. -E2BIG: above
 * SET_MAX_EXPRESSION or SET_MAX_DEPTH. -EMFILE: SET_MAX_SETS sets are in use. -ESTALE: the parent
 * was given up.
 */
int set_open(struct set_pool *pool, struct set *parent, enum set_kind kind,
	     const char *expression, struct set **ret, struct pktfs_error *ret_error);
#define SET_MAX_SETS 20000u
/* What they take, beside what was evaluated: few have words so long that it matters. */
#define SET_MAX_BYTES (SET_MAX_SETS * (size_t)512)
/* Sets are evaluated through all their parents, one call inside the other. */
#define SET_MAX_DEPTH 64u

/*
 * How long a set lives: until it is the one that was not used for longest among
 * those that nobody keeps, and there are SET_MAX_SETS, or as many as take
 * SET_MAX_BYTES. Between set_pool_enter and set_pool_leave no set that one has met
 * goes away; set_ref keeps one until set_unref (both NULL: nothing). A set keeps
 * its parent. A pool of which no more sets are ever opened than fit needs none of
 * that.
 */
struct set_reader {
	struct set_pool *pool;
	unsigned turn;
};

struct set_reader set_pool_enter(struct set_pool *pool);
void set_pool_leave(struct set_reader *reader);
void set_ref(struct set *set);
void set_unref(struct set *set);

/* A number that stands for the set: 0 is set_all, the others are 1 to
 * SET_MAX_ID, made from what the set is, so that they are the same at each
 * mount (but for the one in many thousands whose number was taken). NULL:
 * there is no such set. */
#define SET_MAX_ID ((UINT32_C(1) << 31) - 1)
uint32_t set_id(const struct set *set);
struct set *set_by_id(struct set_pool *pool, uint32_t id);

enum set_kind set_kind(const struct set *set);
const char *set_expression(const struct set *set);
struct set *set_parent(const struct set *set);
struct set_pool *set_pool_of(const struct set *set);

/* What is known of a set so far. */
struct set_status {
	bool complete;          /* as it is now: no more where the capture grows */
	int failed;             /* 0, or a negative errno that ended the evaluation */
	uint64_t passed;        /* packets of the capture that were looked at */
	uint64_t packets;
	uint64_t captured_bytes, original_bytes;
	uint64_t limited;       /* packets that were given up at a match limit */
	bool has_time;
	struct pktfs_time first_time, last_time, min_time, max_time;
};

/* Asks for nothing: set_want does. */
void set_status(struct set *set, struct set_status *ret);

/* Renews the lease: somebody would like to have the set evaluated. */
void set_want(struct set *set);

/* Waits until the index is built, and the set is evaluated for all packets that
 * there are then. 0, -ECANCELED, or what failed. For tests and tools. */
int set_wait(struct set *set);

/* The first packet of the set whose number is `number` (from 1) or more. 0,
 * -ENOENT: no more; -EAGAIN: not evaluated so far yet; or what failed. */
int set_next(struct set *set, uint64_t number, uint64_t *ret);

/* Up to `room` (1 or more) members from `number` on, in order: how many, at
 * least one, or the errors of set_next. Cheaper than so many calls of it. */
int64_t set_members(struct set *set, uint64_t number, uint64_t *ret, size_t room);

/* The packet with `rank` packets of the set before it. The same errors. */
int set_select(struct set *set, uint64_t rank, uint64_t *ret);

/* How many packets of the set have a number below `number`. 0, -EAGAIN. */
int set_rank(struct set *set, uint64_t number, uint64_t *ret);

/* The first minute (since 1970) that is `minute` or later and in which the set
 * has a packet. 0, -ENOENT; -EAGAIN until the set is evaluated as a whole. The
 * set of all packets does not know: take that of SET_TIME "..". */
int set_next_minute(struct set *set, int64_t minute, int64_t *ret);

/* Whether packet `number` is in the set: 1 or 0, found by looking at that
 * packet, without evaluating anything else; -EAGAIN, -ENOENT: not indexed. */
int set_contains(struct set *set, uint64_t number);

#endif
