/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of sources. */
#ifndef SOURCE_THREAD_H
#define SOURCE_THREAD_H

#include "util/util_base.h"

/*
 * Starts a thread that gets no signals but those that tell of a fault in it: the
 * net under mapped files hangs on SIGBUS. `name` as for pthread_setname_np.
 * Negative errno.
 */
int source_thread_start(pthread_t *ret, void *(*run)(void *context), void *context,
			const char *name);

/* On how many processors this process may run: 1 or more. */
unsigned source_thread_processors(void);

#endif
