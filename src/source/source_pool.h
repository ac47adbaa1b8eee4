/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A few threads of a source, for work of a few milliseconds that may be done in
 * any order. They start when there is something to do, and end when there was
 * nothing for a while: a capture may be made of many sources.
 *
 * All functions but init and fini: from any thread.
 */
#ifndef SOURCE_POOL_H
#define SOURCE_POOL_H

#include "util/util_base.h"

/* More do not help: one who goes through the bytes is no faster than these. */
#define SOURCE_POOL_THREADS 4u
#define SOURCE_POOL_TASKS   32u
#define SOURCE_POOL_IDLE_S  2

struct source_task {
	void (*run)(void *context, uint64_t number);
	void *context;
	uint64_t number;
};

struct source_pool {
	unsigned thread_limit; /* 0: nothing is taken */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	struct source_pool_thread {
		struct source_pool *pool;
		pthread_t thread;
		bool started, done; /* done: it waits to be joined */
	} threads[SOURCE_POOL_THREADS];
	unsigned active, busy; /* threads that are not done, that do something */
	struct source_task tasks[SOURCE_POOL_TASKS]; /* a ring */
	unsigned first, count;
	bool ending;
};

void source_pool_init(struct source_pool *pool, unsigned thread_limit);
/* Waits for what is being done; what nobody has begun never is. */
void source_pool_fini(struct source_pool *pool);

/* True: it will be done, or the same task is waiting already. */
bool source_pool_add(struct source_pool *pool, const struct source_task *task);
/* It need not be done any more, if nobody has begun it. */
void source_pool_remove(struct source_pool *pool, const struct source_task *task);

#endif
