/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The threads of the pool: each takes the next chunk of the set that was wanted
 * last, or what has come to its last one since.
 */
#include <string.h>
#include <time.h>

#include "set_internal.h"
#include "util/util_time.h"

/* How long to sleep while what is wanted is not indexed yet. */
#define WORK_POLL_MS 5

/*
 * While the index is built, the last chunk of a set is taken further when there
 * is no full one to do, and not more often than this: often enough for whoever
 * looks at a live capture, too seldom to cost much where the index is fast.
 */
#define WORK_TAIL_MS 20

/* What there is to do. */
struct task {
	struct set *set; /* NULL: nothing */
	uint32_t number, to;
	bool tail;  /* the index will bring the rest of the chunk */
	bool later; /* something that is wanted is not indexed yet, or not due */
};

/* What is to be done for one set. */
static struct task task_of(struct set *set, const struct pktfs_status *status, int64_t now)
{
	bool indexed = status->state != PKTFS_STATE_INDEXING;
	struct task task = {.later = !indexed};

	if (!set_slot_left(set, status->packets, &task.number))
		return task;
	task.to = set_slot_end(task.number, status->packets);
	task.tail = !indexed && task.to < SET_CHUNK;
	if (!task.tail || set->tail_ms <= now)
		task.set = set;
	return task;
}

static bool is_better(const struct task *task, const struct task *best)
{
	if (!best->set || task->tail != best->tail)
		return !best->set || best->tail;
	return task->set->lease_ms > best->set->lease_ms;
}

/* Whether a set is to stay in the list of those that are wanted. */
static bool is_wanted(struct set *set, const struct pktfs_status *status, int64_t now)
{
	if (set->lease_ms < now || set->failed)
		return false;
	set_slot_publish(set);
	if (status->state == PKTFS_STATE_INDEXING || set->passed < status->packets)
		return true;
	pthread_cond_broadcast(&set->pool->changed);
	return false;
}

/* The task of the set with the youngest lease that has one; full chunks go
 * first. With the lock held. */
static struct task choose(struct set_pool *pool)
{
	struct set **at = &pool->wanted, *set;
	int64_t now = set_now_ms();
	struct task best = {0}, task;
	struct pktfs_status status;
	bool later = false;

	pktfs_status_get(pool->capture, &status);
	while ((set = *at)) {
		if (!is_wanted(set, &status, now)) {
			*at = set->next_wanted;
			set->wanted = false;
			continue;
		}
		at = &set->next_wanted;
		task = task_of(set, &status, now);
		later |= task.later;
		if (task.set && is_better(&task, &best))
			best = task;
	}
	best.later = later;
	return best;
}

/* With the lock held, which it drops meanwhile. */
static void work_on(struct set_worker *worker, const struct task *task)
{
	struct set_pool *pool = worker->pool;
	struct set *set = task->set;
	int r;

	if (task->tail)
		set->tail_ms = set_now_ms() + WORK_TAIL_MS;
	worker->wanted = set;
	r = set_eval_extend(worker, set, task->number, task->to);
	if (r < 0 && r != -ECANCELED) { /* that is: nobody wants it any more, or the end */
		set->failed = r;
		set->failed_ms = set_now_ms();
		pthread_cond_broadcast(&pool->changed);
	}
	set_trim(pool);
}

static void sleep_until_wanted(struct set_pool *pool, bool later)
{
	struct timespec deadline;

	if (!later) {
		pthread_cond_wait(&pool->work, &pool->lock);
		return;
	}
	deadline = time_deadline(CLOCK_MONOTONIC, WORK_POLL_MS * INT64_C(1000000));
	pthread_cond_timedwait(&pool->work, &pool->lock, &deadline);
}

void *set_work_main(void *arg)
{
	struct set_pool *pool = arg;
	struct set_worker worker = {.pool = pool, .tally.capture = pool->capture};
	struct task task;

	if (pktfs_iterator_open(pool->capture, 1, &worker.iterator) < 0)
		return NULL;
	pthread_mutex_lock(&pool->lock);
	while (!pool->closing) {
		task = choose(pool);
		if (task.set)
			work_on(&worker, &task);
		else
			sleep_until_wanted(pool, task.later);
	}
	pthread_mutex_unlock(&pool->lock);
	pktfs_iterator_close(worker.iterator);
	tally_counter_free(&worker.tally);
	return NULL;
}
