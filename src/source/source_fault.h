/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The net under mapped files. Where a file was cut, or its disk fails, a read
 * of its map raises SIGBUS. A handler of the process, which passes on what
 * is not ours, then
 *
 *	1. marks the map as hit, for good
 *	2. lays zeros over the map from the faulting page to its end
 *
 * and the reader goes on, over zeros. Whoever sees one of these zeros and looks
 * afterwards (source_fault_hit) sees the mark. One mapping covers all that
 * follows, not a page: a reader that runs over a cut file of a terabyte must
 * not use up the maps of the process.
 *
 * A thread that blocks SIGBUS has no net: the kernel ends the process. System
 * calls are not caught, they fail with EFAULT.
 */
#ifndef SOURCE_FAULT_H
#define SOURCE_FAULT_H

#include <stdatomic.h>

#include "util/util_base.h"

/* Maps that are watched at a time; a source needs one, a spool one for each
 * 64 GiB. Above this files are read by pread(2). */
#define SOURCE_FAULT_MAPS 512

struct source_fault {
	/* odd while the range is changed; a change before and after the
	 * handler's look at the range means that it was not this one */
	_Atomic uint64_t sequence;
	_Atomic uintptr_t start;
	_Atomic uintptr_t end; /* 0: free */
	atomic_bool hit;
};

/* NULL when all are taken, or there is no handler. */
struct source_fault *source_fault_watch(const void *start, size_t size);
/* Before the munmap. NULL is allowed. */
void source_fault_unwatch(struct source_fault *fault);

static inline bool source_fault_hit(const struct source_fault *fault)
{
	return atomic_load_explicit(&fault->hit, memory_order_relaxed);
}

static inline void source_fault_mark(struct source_fault *fault)
{
	atomic_store(&fault->hit, true);
}

#endif
