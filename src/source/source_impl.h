/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every kind of source begins with, and the operations that make a kind.
 *
 * The operations are called by source.c only, which has checked the arguments
 * and checks what the operation promised. A kind moves its end forward by
 * source_publish and ends by source_finish (a proper end) or source_fail.
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
	 * -EOPNOTSUPP: lend and copy. */
	int (*read)(struct source *source, uint64_t offset, void *bytes, size_t size);

	/* Optional: are the bytes of loans without a hold, up to `end`, still
	 * what they were? 0 or -EIO. */
	int (*verify)(struct source *source, uint64_t end);

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

	/* Written under the lock, read without. `final` is read before
	 * `available`: what is available when it is set was set before. */
	_Atomic uint64_t available;
	atomic_bool final;
	atomic_bool cancelled;

	pthread_mutex_t lock; /* the innermost of all locks of this module */
	pthread_cond_t changed;
	struct pktfs_error problem; /* under the lock; code 0: none */
	uint64_t problem_from;      /* what was said of the bytes from here on does not hold */
};

void source_init(struct source *source, const struct source_ops *ops);
void source_fini(struct source *source);

static inline bool source_cancelled(struct source *source)
{
	return atomic_load_explicit(&source->cancelled, memory_order_relaxed);
}

/* Says that `available` bytes are there. -ECANCELED when no more are wanted:
 * the source was cancelled, or ended by an error found elsewhere. */
int source_publish(struct source *source, uint64_t available);
void source_finish(struct source *source);

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

#endif
