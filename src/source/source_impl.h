/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every kind of source begins with, and the operations that make a kind.
 *
 * The operations are called by source.c only, which has checked the arguments
 * and checks what the operation promised. A kind moves its end forward by
 * source_publish and ends by source_finish (a proper end) or source_fail. One
 * that grows ends for now (source_extend, source_settle).
 */
#ifndef SOURCE_IMPL_H
#define SOURCE_IMPL_H

#include <stdatomic.h>

#include "source.h"

struct source_ops {
	const char *name;

	/* Lends `size` bytes or more at `offset`; they lie below `available`
	 * as it was a moment ago. Fills in bytes, size and hold (NULL, or a
	 * struct source_piece whose reference the loan takes over). */
	int (*borrow)(struct source *source, uint64_t offset, size_t size, struct pktfs_loan *ret);

	/* Optional: copies instead; as source_borrow, all `size` bytes or an error.
	 * `alone`: for source_peek. -EOPNOTSUPP: lend and copy. */
	int (*read)(struct source *source, uint64_t offset, void *bytes, size_t size,
		    bool alone);

	/* Optional: are the bytes of loans without a hold, `size` of them at
	 * `offset`, still what they were? 0 or -EIO. */
	int (*verify)(struct source *source, uint64_t offset, size_t size);

	/* Optional: as source_pin; there are `size` bytes at `offset`. And its end. */
	int (*pin)(struct source *source, uint64_t offset, size_t size, const void **ret);
	void (*unpin)(struct source *source);

	/* Optional: source_prepare of what is lent without a hold, at `offset`; or
	 * source_fetch. */
	bool (*prepare)(struct source *source, uint64_t offset, const uint8_t *bytes,
			size_t size, bool fetch);

	/* Optional: as source_set_looker. */
	void (*set_looker)(struct source *source, const struct source_looker *looker);

	/* Optional: as source_missing, source_problem, source_growing,
	 * source_descriptor, source_written; source_grow and source_follow at once (`used` may be
	 * UINT64_MAX: all of it). */
	int (*missing)(struct source *source, uint64_t offset, bool final);
	int (*problem)(struct source *source, struct pktfs_error *ret_error);
	int (*grow)(struct source *source, uint64_t limit, uint64_t used);
	bool (*growing)(const struct source *source);
	int (*descriptor)(const struct source *source);
	int (*written)(struct source *source);

	/* Optional: as source_stat. */
	int (*stat)(struct source *source, struct stat *ret);

	/* Of one that is made of others: the end of one of these has moved, or it was
	 * told (source_tell). */
	void (*moved)(struct source *source);

	/* Optional, both or none: can whoever waits for bytes do something for them
	 * (called with the lock)? Does that, or nothing if there is nothing left to do.
	 * source_tell: there is something now. */
	bool (*offers)(struct source *source);
	void (*help)(struct source *source);

	/* Optional: size and time of the file, where those below are not it. */
	void (*stored)(struct source *source, uint64_t *ret_size, struct pktfs_time *ret_time);

	/* Optional: lets go of the file, and of the disk that it takes where it has no
	 * name any more. Loans are not verified from then on, and new ones are -EIO. */
	void (*drop)(struct source *source);

	/* Optional: wakes the kind's own waiters; `cancelled` is set. */
	void (*cancel)(struct source *source);

	/* Ends the threads and frees all, `source` too. */
	void (*close)(struct source *source);
};

struct source {
	const struct source_ops *ops;
	enum source_compression compression;
	uint64_t stored_size;
	struct pktfs_time stored_time;

	/* Written under the lock, read without. Both together are read by
	 * source_available: `available` is the end as it was at some time
	 * at which `ends` was what it is. */
	_Atomic uint64_t available;
	atomic_uint ends; /* odd: the end is final; goes up when that changes */
	atomic_bool growing;
	atomic_bool cancelled;

	struct source *_Atomic above; /* is told when the end moves; NULL: none */

	pthread_mutex_t lock; /* the innermost of all locks of this module but a spill's */
	pthread_cond_t changed;
	/* all under the lock */
	struct pktfs_error problem; /* code 0: none */
	uint64_t problem_from;      /* what was said of the bytes from here on does not hold */
	bool settled;               /* the end is final, and the problem one, for now */
	uint64_t settled_at;
	unsigned stirs;
};

void source_init(struct source *source, const struct source_ops *ops);
void source_fini(struct source *source);

static inline bool source_cancelled(struct source *source)
{
	return atomic_load_explicit(&source->cancelled, memory_order_relaxed);
}

static inline bool source_final(struct source *source)
{
	return atomic_load_explicit(&source->ends, memory_order_acquire) & 1;
}

/* Says that `available` bytes are there. -ECANCELED when no more are wanted:
 * the source was cancelled, or ended by an error found elsewhere. */
int source_publish(struct source *source, uint64_t available);
void source_finish(struct source *source);

/* Wakes those who wait. */
void source_tell(struct source *source);

/* Moves the final end of a file that grows; back, too. */
void source_extend(struct source *source, uint64_t available);

/*
 * Ends a source that is made of the bytes of `inner` for as long as these are no
 * more than `seen`; nothing is done when they are by now. `problem` NULL: a
 * proper end. -ECANCELED as source_publish. source_unsettle: looks if there are
 * more, and if so nothing is final.
 */
int source_settle(struct source *source, struct source *inner, uint64_t seen,
		  const struct pktfs_error *problem);
void source_unsettle(struct source *source, struct source *inner);

/*
 * Ends the source at `offset`, at the latest: what is behind is not available
 * any more. Of several failures the one with the lowest offset is kept.
 * Returns `code`.
 */
int source_fail(struct source *source, uint64_t offset, int code, const char *format, ...)
	_printf_(4, 5);

/*
 * The same where some bytes turned out to be others than was published: those
 * from `from` on, now up to `end`. That may be more than were available. The
 * lowest `from` is kept.
 */
int source_fail_from(struct source *source, uint64_t from, uint64_t end, int code,
		     const char *format, ...) _printf_(5, 6);

/* Why bytes at `offset` and behind the end, which is `final`, cannot be had. */
int source_missing(struct source *source, uint64_t offset, bool final);

/* Whether what is at the start of a file is compressed, or cannot be looked at
 * (a pipe). */
bool source_is_packed(int fd);

/* For sources that are made of others: tells `above` from now on of each change
 * of the end. source_set_end: to be called with the lock. */
void source_set_above(struct source *source, struct source *above);
void source_set_end(struct source *source, uint64_t available, bool final);

#endif
