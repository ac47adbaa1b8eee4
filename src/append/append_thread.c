/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two threads: one ends the frame of a compressed file when nothing was appended
 * for a while, and commits temporary files that nobody renames; the other waits
 * for the disk. One synchronisation serves all tickets that were given out
 * before it began.
 */
#include "append_internal.h"

#include <stdio.h>
#include <string.h>

#include "util/util_time.h"

#define NSEC_PER_MS 1000000

/* ---- quiet */

void append_threads_frame(struct append *append)
{
	if (!append->compressed)
		return;
	append->frame_due_ms = append_now_ms() + APPEND_QUIET_MS;
	if (!append->frame_open)
		pthread_cond_signal(&append->quiet_wake);
	append->frame_open = true;
}

void append_threads_wake(struct append *append)
{
	pthread_cond_signal(&append->quiet_wake);
}

/* The same failure once. */
static void log_once(struct append *append, int r, const struct pktfs_error *error)
{
	char what[sizeof(error->text) + 64];

	if (r == append->quiet_error)
		return;
	append->quiet_error = r;
	if (r == 0)
		return;
	snprintf(what, sizeof(what), "the frame cannot be ended: %s", error->text);
	append_log_path(append, what);
}

/* Without the lock; a failure is tried again. */
static void end_frame(struct append *append)
{
	struct pktfs_error error = {0};
	int r;

	append->frame_open = false;
	pthread_mutex_unlock(&append->lock);
	r = pktfs_writer_end_frame(append->writer, &error);
	log_once(append, r, &error);
	if (r == 0)
		append_show(append);
	pthread_mutex_lock(&append->lock);
	if (r < 0)
		append_threads_frame(append);
}

static void commit_waiting(struct append *append)
{
	struct append_draft *draft = append->waiting;
	uint64_t id = draft->id, end;

	bool synced = draft->synced;

	append_wait_not(append, draft);
	draft->temporary = false;
	pthread_mutex_unlock(&append->lock);
	append_commit(append, id, NULL, &end);
	pthread_mutex_lock(&append->lock);
	append->sync_wanted += synced;
	pthread_cond_signal(&append->sync_wake);
}

static void wait_until(struct append *append, int64_t due_ms)
{
	struct timespec when;

	if (due_ms == INT64_MAX) {
		pthread_cond_wait(&append->quiet_wake, &append->lock);
		return;
	}
	when = time_deadline(CLOCK_MONOTONIC, (due_ms - append_now_ms()) * NSEC_PER_MS);
	pthread_cond_timedwait(&append->quiet_wake, &append->lock, &when);
}

static void *run_quiet(void *context)
{
	struct append *append = context;
	int64_t due, now;

	pthread_mutex_lock(&append->lock);
	while (!append->stopping) {
		now = append_now_ms();
		due = append->frame_open ? append->frame_due_ms : INT64_MAX;
		if (append->waiting)
			due = MIN(due, append->waiting->deadline_ms);
		if (due > now)
			wait_until(append, due);
		else if (append->frame_open && append->frame_due_ms <= now)
			end_frame(append);
		else
			commit_waiting(append);
	}
	pthread_mutex_unlock(&append->lock);
	return NULL;
}

/* ---- the disk */

/* Failures that follow each other are one. */
static void note_failure(struct append *append, uint64_t from, uint64_t to, int code)
{
	struct append_failure *failures = append->failures;

	if (append->failure_count && failures[append->failure_count - 1].to == from) {
		failures[append->failure_count - 1].to = to;
		return;
	}
	if (append->failure_count == APPEND_FAILURES) {
		/* the two oldest become one: rather one failure too many */
		failures[0].to = failures[1].to;
		memmove(failures + 1, failures + 2, (APPEND_FAILURES - 2) * sizeof(*failures));
		append->failure_count--;
	}
	failures[append->failure_count++] = (struct append_failure){from, to, code};
}

static void sync_all(struct append *append)
{
	uint64_t from = append->sync_done, to = append->sync_wanted;
	struct pktfs_error error = {0};
	int r;

	pthread_mutex_unlock(&append->lock);
	r = pktfs_writer_sync(append->writer, &error);
	if (r < 0)
		append_log_path(append, error.text);
	else if (append->compressed)
		append_show(append);
	pthread_mutex_lock(&append->lock);
	append->sync_done = to;
	if (r < 0)
		note_failure(append, from, to, r);
}

static void *run_sync(void *context)
{
	struct append *append = context;

	pthread_mutex_lock(&append->lock);
	while (!append->stopping) {
		if (append->sync_done == append->sync_wanted)
			pthread_cond_wait(&append->sync_wake, &append->lock);
		else
			sync_all(append);
	}
	pthread_mutex_unlock(&append->lock);
	return NULL;
}

/* Whether file `id` is to be committed first: 1, 0, -ENOENT. */
static int before_sync(struct append *append, uint64_t id)
{
	UTIL_LOCK_SCOPE(&append->lock);
	const struct append_file *file = append_table_by_id(&append->table, id);

	if (!file || !(file->named || file->draft))
		return -ENOENT;
	if (!file->draft || !file->draft->temporary)
		return 1;
	file->draft->synced = true; /* when it gets its name */
	return 0;
}

int append_sync_begin(struct append *append, uint64_t id, uint64_t *ret_ticket, uint64_t *ret_end)
{
	int r = id ? before_sync(append, id) : 0;

	*ret_end = 0;
	if (r > 0)
		r = append_commit(append, id, NULL, ret_end);
	if (r < 0)
		return r;
	UTIL_LOCK_SCOPE(&append->lock);
	*ret_ticket = ++append->sync_wanted;
	pthread_cond_signal(&append->sync_wake);
	return 0;
}

int append_sync_done(struct append *append, uint64_t ticket)
{
	UTIL_LOCK_SCOPE(&append->lock);

	if (ticket > append->sync_done)
		return -EAGAIN;
	for (unsigned i = 0; i < append->failure_count; i++)
		if (ticket > append->failures[i].from && ticket <= append->failures[i].to)
			return append->failures[i].code;
	return 0;
}

/* ---- both */

int append_threads_start(struct append *append)
{
	int r = pthread_create(&append->quiet_thread, NULL, run_quiet, append);

	if (r)
		return -r;
	r = pthread_create(&append->sync_thread, NULL, run_sync, append);
	append->started = true;
	if (!r)
		return 0;
	pthread_mutex_lock(&append->lock);
	append->stopping = true;
	pthread_cond_signal(&append->quiet_wake);
	pthread_mutex_unlock(&append->lock);
	pthread_join(append->quiet_thread, NULL);
	append->started = false;
	return -r;
}

void append_threads_stop(struct append *append)
{
	if (!append->started)
		return;
	pthread_mutex_lock(&append->lock);
	append->stopping = true;
	pthread_cond_broadcast(&append->quiet_wake);
	pthread_cond_broadcast(&append->sync_wake);
	pthread_mutex_unlock(&append->lock);
	pthread_join(append->quiet_thread, NULL);
	pthread_join(append->sync_thread, NULL);
	append->started = false;
}
