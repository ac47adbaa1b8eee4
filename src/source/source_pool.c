/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_pool.h"

#include <time.h>

#include "source_thread.h"

void source_pool_init(struct source_pool *pool, unsigned thread_limit)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	pool->thread_limit = MIN(thread_limit, SOURCE_POOL_THREADS);
}

void source_pool_fini(struct source_pool *pool)
{
	unsigned i;

	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	for (i = 0; i < SOURCE_POOL_THREADS; i++)
		if (pool->threads[i].started)
			pthread_join(pool->threads[i].thread, NULL);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
}

/* ---- the threads */

/* False when it is time to end. The lock is held. */
static bool wait_for_task(struct source_pool *pool)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += SOURCE_POOL_IDLE_S;
	while (r == 0 && pool->count == 0 && !pool->ending)
		r = pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
	return pool->count > 0 && !pool->ending;
}

static void *pool_main(void *context)
{
	struct source_pool_thread *thread = context;
	struct source_pool *pool = thread->pool;
	struct source_task task;

	UTIL_LOCK_SCOPE(&pool->lock);
	while (wait_for_task(pool)) {
		task = pool->tasks[pool->first];
		pool->first = (pool->first + 1) % SOURCE_POOL_TASKS;
		pool->count--;
		pool->busy++;
		pthread_mutex_unlock(&pool->lock);
		task.run(task.context, task.number);
		pthread_mutex_lock(&pool->lock);
		pool->busy--;
	}
	thread->done = true;
	pool->active--;
	return NULL;
}

/* The lock is held: a thread that is done has given it back for good. */
static void start_thread(struct source_pool *pool, struct source_pool_thread *thread)
{
	if (thread->done)
		pthread_join(thread->thread, NULL);
	thread->pool = pool;
	thread->done = false;
	thread->started =
		source_thread_start(&thread->thread, pool_main, thread, "pktfs-frames") == 0;
	pool->active += thread->started ? 1 : 0;
}

/* The lock is held. A thread more if those that do nothing are too few. */
static void add_thread(struct source_pool *pool)
{
	unsigned i;

	if (pool->active == pool->thread_limit || pool->active - pool->busy >= pool->count)
		return;
	for (i = 0; i < SOURCE_POOL_THREADS; i++) {
		if (!pool->threads[i].started || pool->threads[i].done) {
			start_thread(pool, &pool->threads[i]);
			return;
		}
	}
}

/* ---- tasks */

/* The one in the queue that is the same; NULL: none is. */
static struct source_task *find_task(struct source_pool *pool, const struct source_task *task)
{
	struct source_task *other;
	unsigned i;

	for (i = 0; i < pool->count; i++) {
		other = &pool->tasks[(pool->first + i) % SOURCE_POOL_TASKS];
		if (other->run == task->run && other->context == task->context &&
		    other->number == task->number)
			return other;
	}
	return NULL;
}

void source_pool_remove(struct source_pool *pool, const struct source_task *task)
{
	struct source_task *found;
	unsigned at;

	UTIL_LOCK_SCOPE(&pool->lock);
	found = find_task(pool, task);
	if (!found)
		return;
	/* those in front of it move up by one */
	for (at = (unsigned)(found - pool->tasks); at != pool->first;
	     at = (at + SOURCE_POOL_TASKS - 1) % SOURCE_POOL_TASKS)
		pool->tasks[at] = pool->tasks[(at + SOURCE_POOL_TASKS - 1) % SOURCE_POOL_TASKS];
	pool->first = (pool->first + 1) % SOURCE_POOL_TASKS;
	pool->count--;
}

bool source_pool_add(struct source_pool *pool, const struct source_task *task)
{
	UTIL_LOCK_SCOPE(&pool->lock);
	if (pool->thread_limit == 0 || pool->ending)
		return false;
	if (find_task(pool, task))
		return true;
	if (pool->count == SOURCE_POOL_TASKS)
		return false;
	pool->tasks[(pool->first + pool->count++) % SOURCE_POOL_TASKS] = *task;
	add_thread(pool);
	if (pool->active == 0) { /* none could be started */
		pool->count--;
		return false;
	}
	pthread_cond_signal(&pool->changed);
	return true;
}
