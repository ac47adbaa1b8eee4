/* SPDX-License-Identifier: BSD-2-Clause */
/* When a file is committed: closing, renaming, fsync. */
#include "append_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Processes that may have closed one file, and are looked at; with more, the last
 * RELEASE commits. */
#define OPENERS_MAX 8u

/* ---- descriptors */

static void add_path(struct append_paths *paths, const char *directory, const char *name)
{
	snprintf(paths->text[paths->count++], APPEND_PATH_ROOM, "/append/%s%s%s", directory,
		 *directory ? "/" : "", name);
}

/* What a process that has the file open has in its table. With the lock. */
static void get_paths(const struct append *append, const struct append_file *file,
		      struct append_paths *ret)
{
	const struct append_place place = append_place_of(file);
	const char *named;
	char number[24];

	ret->node = append->node_base + file->id;
	ret->device = atomic_load(&append->device);
	ret->count = 0;
	if (place.kind == APPEND_ONLY)
		add_path(ret, "", file->name);
	if (place.kind == APPEND_BLOCKS)
		add_path(ret, "blocks", file->name);
	if (place.kind != APPEND_INTERFACE)
		return;
	snprintf(number, sizeof(number), "%" PRIu64, place.interface);
	add_path(ret, number, file->name);
	named = append_name_of(append, place.interface);
	if (named)
		add_path(ret, named, file->name);
}

/* Who opened the file for writing, each once. */
struct closing {
	uint64_t end; /* of what is committed already; 0: nothing is */
	unsigned count;
	pid_t openers[OPENERS_MAX];
	struct append_paths paths;
};

static bool add_opener(struct closing *closing, pid_t opener)
{
	for (unsigned i = 0; i < closing->count; i++)
		if (closing->openers[i] == opener)
			return true;
	if (closing->count == OPENERS_MAX)
		return false;
	closing->openers[closing->count++] = opener;
	return true;
}

/* All whose handles may be closed by now: their RELEASE comes later than the
 * close. False: one that was never flushed is open, and its flush comes. */
static bool get_openers(const struct append_draft *draft, struct closing *ret)
{
	const struct append_handle *handle;

	for (handle = draft->handles; handle; handle = handle->next)
		if (handle->writes && (!handle->flushed || !add_opener(ret, handle->pid)))
			return false;
	return true;
}

/* Whether this flush may be the one that commits: 1 and who opened the file; 0, or
 * a negative errno. */
static int may_commit(struct append *append, uint64_t id, uint64_t number, struct closing *ret)
{
	UTIL_LOCK_SCOPE(&append->lock);
	struct append_file *file = append_table_by_id(&append->table, id);
	struct append_handle *handle;

	if (!file || !(file->named || file->draft))
		return -ENOENT;
	handle = append_handle_find(file->draft, number);
	if (handle && handle->writes && file->committed)
		ret->end = append->written; /* whoever committed it did not wait */
	if (!handle || !handle->writes || file->committed)
		return 0;
	handle->flushed = true;
	if (file->draft->error)
		return append_file_refused(append, file);
	if (!file->named || !file->draft->size || file->draft->temporary)
		return 0;
	get_paths(append, file, &ret->paths);
	return get_openers(file->draft, ret);
}

/* Whether none of them, nor the one that closes (0: nobody), has it open. */
static bool is_closed(struct append *append, const struct closing *closing, pid_t closer)
{
	const struct append_options *options = &append->options;
	bool closed = true;

	for (unsigned i = 0; i < closing->count && closed; i++)
		closed = options->was_last
				 ? options->was_last(options->was_last_context, closing->openers[i],
						     closer, &closing->paths)
				 : append_holder_was_last(closing->openers[i], closer,
							  &closing->paths);
	return closed;
}

/* At the end there may be no RELEASE of what was closed. */
bool append_is_open(struct append *append, uint64_t id)
{
	struct closing closing = {0};
	struct append_file *file;
	bool closed;

	pthread_mutex_lock(&append->lock);
	file = append_file_idle(append, id);
	closed = !file || !file->draft || get_openers(file->draft, &closing);
	if (file)
		get_paths(append, file, &closing.paths);
	pthread_mutex_unlock(&append->lock);
	return !closed || !is_closed(append, &closing, 0);
}

int append_flush(struct append *append, uint64_t id, uint64_t handle, pid_t pid, uint64_t *ret_end)
{
	struct closing closing = {0};
	int r = may_commit(append, id, handle, &closing);

	*ret_end = closing.end;
	if (r <= 0 || !is_closed(append, &closing, pid))
		return MIN(r, 0);
	return append_commit(append, id, NULL, ret_end);
}

/* The handle goes: whether what is left is to be committed now. */
static bool release(struct append *append, uint64_t id, uint64_t number)
{
	UTIL_LOCK_SCOPE(&append->lock);
	struct append_file *file = append_file_idle(append, id);
	struct append_handle *handle = file ? append_handle_find(file->draft, number) : NULL;
	struct append_handle **at;
	struct append_draft *draft;
	bool due;

	if (!handle)
		return false;
	draft = file->draft;
	for (at = &draft->handles; *at != handle; at = &(*at)->next)
		;
	*at = handle->next;
	due = handle->writes && !append_draft_has_writer(draft) && file->named && !file->committed;
	free(handle);
	if (due && draft->error)
		append_table_unname(&append->table, file);
	if (draft->temporary && file->named && !draft->handles)
		append_wait(append, draft);
	due = due && !draft->temporary && draft->size > 0;
	append_settle(append, file);
	return due;
}

void append_release(struct append *append, uint64_t id, uint64_t handle)
{
	uint64_t end;

	if (release(append, id, handle))
		append_commit(append, id, NULL, &end);
}

int append_seen(struct append *append, uint64_t end)
{
	struct append_base base;
	uint64_t offset;
	int r = append_base_get(append, &base);

	if (r < 0)
		return r;
	if (!add_ok(base.offset, end, &offset))
		return -EIO;
	return pktfs_wait_offset(append->capture, offset,
				 append_is_indexed(append) ? APPEND_SEEN_MS : 0);
}

/* ---- renaming */

/* What has the new name loses it. */
static int move(struct append *append, uint64_t id, const struct append_place *place,
		const char *name, bool no_replace)
{
	UTIL_LOCK_SCOPE(&append->lock);
	struct append_file *file, *old;

	for (;;) {
		file = append_file_idle(append, id);
		old = append_table_by_name(&append->table, place, name);
		if (!old || !old->draft || !old->draft->busy)
			break;
		pthread_cond_wait(&append->idle, &append->lock);
	}
	if (!file || !file->named)
		return -ENOENT;
	if (old == file)
		return 0;
	if (old && no_replace)
		return -EEXIST;
	if (file->committed && !append_place_is(file, place))
		return -EXDEV;
	if (old)
		append_file_unname(append, old);
	file = append_table_rename(&append->table, file, place, name);
	if (!file)
		return -ENOMEM;
	if (file->draft && !append_name_is_temporary(name)) {
		append_wait_not(append, file->draft);
		file->draft->temporary = false;
	}
	return 0;
}

/* A temporary file that gets its name: whether it is to be committed first. */
static int before_move(struct append *append, const struct append_place *place, const char *name,
		       const struct append_place *new_place, const char *new_name, bool no_replace,
		       uint64_t *ret_id, bool *ret_synced)
{
	UTIL_LOCK_SCOPE(&append->lock);
	const struct append_file *file = append_table_by_name(&append->table, place, name);
	const struct append_file *old = append_table_by_name(&append->table, new_place, new_name);

	if (!file)
		return -ENOENT;
	*ret_id = file->id;
	if (file == old)
		return 0;
	if (file->committed && !append_place_is(file, new_place))
		return -EXDEV;
	if (old && no_replace)
		return -EEXIST;
	if (file->committed || !file->draft->temporary || append_name_is_temporary(new_name))
		return 0;
	*ret_synced = file->draft->synced;
	return file->draft->size > 0;
}

int append_rename(struct append *append, const struct append_place *place, const char *name,
		  const struct append_place *new_place, const char *new_name, bool no_replace,
		  uint64_t *ret_end)
{
	int r = strlen(new_name) >= APPEND_NAME_ROOM ? -ENAMETOOLONG
						     : append_place_check(append, new_place);
	bool synced = false;
	uint64_t id = 0;

	*ret_end = 0;
	if (r == 0)
		r = before_move(append, place, name, new_place, new_name, no_replace, &id, &synced);
	else
		append_place_log(append, new_place, new_name, r);
	if (r > 0)
		r = append_commit(append, id, new_place, ret_end);
	if (r == 0 && synced)
		r = pktfs_writer_sync(append->writer, NULL);
	if (r < 0)
		return r;
	return move(append, id, new_place, new_name, no_replace);
}
