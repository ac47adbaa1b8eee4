/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read leases: while one is held, nobody has the file open for writing, so it
 * is not cut. The kernel has who wants to write wait until the lease is given
 * back (one that opens with O_NONBLOCK fails), so hold it for microseconds. It
 * gives one to the owner of the file and to CAP_LEASE, and not on every file
 * system; where it does not, that is found out once.
 *
 *	r = source_lease_take(&lease);
 *	if (r == 0) {
 *		... look at the size, use the bytes below it ...
 *		source_lease_drop(&lease);
 *	}
 *
 * A lease belongs to the open file, which duplicates share: nobody else may
 * ask for one through a duplicate of `fd`.
 *
 * Threads: take and drop from any.
 */
#ifndef SOURCE_LEASE_H
#define SOURCE_LEASE_H

#include <pthread.h>
#include <stdbool.h>

struct source_lease {
	int fd; /* lent */
	pthread_mutex_t lock;
	/* all under the lock */
	bool asked, never; /* never: this file gives none */
	unsigned holders;
};

/*
 * Asks for one, alone; 0 and errors as below. To be given back by F_UNLCK. The signal
 * to one whose lease is in the way ends a program, unless it is one that is ignored:
 * that is set here, each time, because it goes with the lease.
 */
int source_lease_ask(int fd);

void source_lease_init(struct source_lease *lease, int fd);
void source_lease_fini(struct source_lease *lease);

/* 0: held, by one more; -EAGAIN: a program has the file open for writing, or
 * waits to; -EOPNOTSUPP: there are no leases on it, for us. */
int source_lease_take(struct source_lease *lease);
void source_lease_drop(struct source_lease *lease);

#endif
