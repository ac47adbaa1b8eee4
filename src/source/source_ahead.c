/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_ahead.h"

#include <time.h>

#include "source_thread.h"

void source_ahead_init(struct source_ahead *ahead, struct source_cache *cache, struct table *frames,
		       unsigned thread_limit)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	ahead->cache = cache;
	ahead->frames = frames;
	ahead->thread_limit = MIN(thread_limit, SOURCE_AHEAD_THREADS);
}

void source_ahead_fini(struct source_ahead *ahead)
{
	unsigned i;

	pthread_mutex_lock(&ahead->lock);
	ahead->ending = true;
	pthread_cond_broadcast(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
	for (i = 0; i < SOURCE_AHEAD_THREADS; i++)
		if (ahead->threads[i].started)
			pthread_join(ahead->threads[i].thread, NULL);
	pthread_cond_destroy(&ahead->changed);
	pthread_mutex_destroy(&ahead->lock);
}

static struct source_frame *frame_at(const struct source_ahead *ahead, uint64_t index)
{
	return table_at(ahead->frames, index);
}

/* ---- the threads */

/* Waits until something is wanted: false when it is time to end. The lock is held. */
static bool wait_for_work(struct source_ahead *ahead)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += SOURCE_AHEAD_IDLE_S;
	while (r == 0 && ahead->count == 0 && !ahead->ending)
		r = pthread_cond_timedwait(&ahead->changed, &ahead->lock, &until);
	return ahead->count > 0 && !ahead->ending;
}

static void *ahead_main(void *context)
{
	struct source_ahead_thread *thread = context;
	struct source_ahead *ahead = thread->ahead;
	uint64_t index;

	pthread_mutex_lock(&ahead->lock);
	while (wait_for_work(ahead)) {
		index = ahead->wanted[ahead->first];
		ahead->first = (ahead->first + 1) % SOURCE_AHEAD_FRAMES;
		ahead->count--;
		pthread_mutex_unlock(&ahead->lock);
		/* whoever wants it will find out by himself if it fails */
		source_cache_load(ahead->cache, frame_at(ahead, index));
		pthread_mutex_lock(&ahead->lock);
	}
	thread->done = true;
	ahead->active--;
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

/* The lock is held. */
static void start_thread(struct source_ahead *ahead, struct source_ahead_thread *thread)
{
	/* it gave the lock back for good before it could be seen to be done */
	if (thread->done)
		pthread_join(thread->thread, NULL);
	thread->ahead = ahead;
	thread->done = false;
	thread->started = source_thread_start(&thread->thread, ahead_main, thread,
					      "pktfs-frames") == 0;
	ahead->active += thread->started ? 1 : 0;
}

/* The lock is held. A thread more for as long as there is more to do than threads. */
static void add_thread(struct source_ahead *ahead)
{
	unsigned i;

	if (ahead->active >= MIN(ahead->count, ahead->thread_limit))
		return;
	for (i = 0; i < SOURCE_AHEAD_THREADS; i++) {
		if (!ahead->threads[i].started || ahead->threads[i].done) {
			start_thread(ahead, &ahead->threads[i]);
			return;
		}
	}
}

/* ---- what they get */

static bool is_wanted(const struct source_ahead *ahead, uint64_t index)
{
	unsigned i;

	for (i = 0; i < ahead->count; i++)
		if (ahead->wanted[(ahead->first + i) % SOURCE_AHEAD_FRAMES] == index)
			return true;
	return false;
}

/* The lock is held. */
static void want(struct source_ahead *ahead, uint64_t index)
{
	if (ahead->count == SOURCE_AHEAD_FRAMES || is_wanted(ahead, index) ||
	    source_cache_has(ahead->cache, frame_at(ahead, index)))
		return;
	ahead->wanted[(ahead->first + ahead->count++) % SOURCE_AHEAD_FRAMES] = index;
	add_thread(ahead);
	pthread_cond_signal(&ahead->changed);
}

/* How many frames in front of this one are in the cache. Those in the spool are,
 * and so is what is in front of the first. */
static unsigned run_before(const struct source_ahead *ahead, uint64_t index)
{
	unsigned run = 0;

	for (; run < SOURCE_AHEAD_FRAMES && index > run; run++) {
		struct source_frame *frame = frame_at(ahead, index - run - 1);

		if (frame->length == 0)
			break;
		if (!source_cache_has(ahead->cache, frame))
			return run;
	}
	return SOURCE_AHEAD_FRAMES;
}

void source_ahead_step(struct source_ahead *ahead, uint64_t index, uint64_t count)
{
	uint64_t bytes = 0, end, i;
	unsigned few;

	UTIL_LOCK_SCOPE(&ahead->lock);
	few = 2 * ahead->thread_limit;
	end = few ? index + 1 + 2 * run_before(ahead, index) : 0;
	for (i = index + 1; i < MIN(end, count); i++) {
		bytes += frame_at(ahead, i)->length;
		if (frame_at(ahead, i)->length == 0 || bytes > ahead->cache->limit / 2 ||
		    (i - index > few && bytes > SOURCE_AHEAD_BYTES))
			break;
		want(ahead, i);
	}
}
