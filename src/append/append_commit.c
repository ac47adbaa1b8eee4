/* SPDX-License-Identifier: BSD-2-Clause */
/* From a draft to a record. */
#include "append_internal.h"

#include <inttypes.h>
#include <string.h>

#include "util/util_cursor.h"
#include "util/util_time.h"
#include "write/write_ticks.h"

/* What a commit works on without the lock. */
struct job {
	struct append_place place;
	const struct append_draft *draft; /* busy */
	bool has_time;
	struct pktfs_time time; /* of the record, in the end */
	struct pktfs_written written;
	bool is_packet;
};

static struct pktfs_time now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return (struct pktfs_time){time.tv_sec, (uint32_t)time.tv_nsec};
}

/* The time as the record has it. */
static struct pktfs_time rounded(struct pktfs_time time, const struct append_target *target)
{
	uint64_t ticks;

	if (write_ticks(time, target->resolution, target->offset_seconds, &ticks) < 0)
		return time;
	return pktfs_time_from_ticks(ticks, target->resolution, target->offset_seconds);
}

static int write_packet(struct append *append, struct job *job, struct pktfs_error *ret_error)
{
	const struct append_draft *draft = job->draft;
	struct pktfs_new_packet packet = {
		.time = job->has_time ? job->time : now(),
		.captured_length = (uint32_t)draft->size,
		.data = draft->bytes,
	};
	_cleanup_free_ const char **comments = NULL;
	_cleanup_free_ char *text = NULL;
	struct append_target target;
	int r = append_target_get(append, job->place.interface, &target, ret_error);

	if (r == 0)
		r = append_attributes_apply(&draft->attributes, target.link_type, !job->has_time,
					    &packet, &text, &comments, ret_error);
	if (r < 0)
		return r;
	packet.interface = target.number;
	job->time = rounded(packet.time, &target);
	job->is_packet = true;
	return pktfs_writer_packet(append->writer, &packet, &job->written, ret_error);
}

/* A raw block of whichever byte order; what it is not, the writer refuses. */
static bool holds_packet(const struct append_draft *draft)
{
	uint32_t type = draft->size < 4 ? 0 : bytes_u32(draft->bytes, true);

	return type == 6u || type == 3u || type == __builtin_bswap32(6u) ||
	       type == __builtin_bswap32(3u);
}

static int write_draft(struct append *append, struct job *job, struct pktfs_error *ret_error)
{
	if (job->place.kind != APPEND_BLOCKS)
		return write_packet(append, job, ret_error);
	if (!job->has_time)
		job->time = now();
	job->is_packet = holds_packet(job->draft);
	return pktfs_writer_block(append->writer, job->draft->bytes, job->draft->size,
				  &job->written, ret_error);
}

/* ---- with the lock */

/* Whether there is something to commit: 1 and *ret; else 0, or a negative errno. */
static int begin(struct append *append, uint64_t id, const struct append_place *place,
		 struct job *ret, uint64_t *ret_end)
{
	struct append_file *file = append_table_by_id(&append->table, id);
	struct append_draft *draft = file ? file->draft : NULL;
	bool waited = draft && draft->busy;

	if (waited)
		file = append_file_idle(append, id);
	if (!file || !(file->named || file->draft))
		return -ENOENT;
	if (file->committed) {
		/* by somebody else meanwhile: it is to be seen all the same */
		*ret_end = waited ? append->written : 0;
		return 0;
	}
	draft = file->draft;
	if (draft->error)
		return append_file_refused(append, file);
	if (!file->named || draft->size == 0)
		return 0;
	*ret = (struct job){
		.place = place ? *place : append_place_of(file),
		.draft = draft,
		.has_time = draft->has_time,
		.time = {file->sec, file->nsec},
	};
	append_wait_not(append, draft);
	draft->busy = true;
	return 1;
}

static void end(struct append *append, uint64_t id, const struct job *job, int r)
{
	struct append_file *file = append_table_by_id(&append->table, id);
	struct append_draft *draft = file->draft;

	draft->busy = false;
	append_draft_empty(append, draft);
	if (r < 0) {
		draft->error = r;
		append_file_unname(append, file);
	} else {
		file->offset = job->written.offset;
		file->packet = job->is_packet ? job->written.packet : 0;
		file->sec = job->time.sec;
		file->nsec = job->time.nsec;
		append_table_commit(&append->table, file);
		append_settle(append, file);
	}
	pthread_cond_broadcast(&append->idle);
}

/* ---- both */

void append_log_refusal(struct append *append, const struct append_place *place, const char *name,
			uint64_t size, const struct pktfs_error *error)
{
	append_log_file(append, place, name, "%" PRIu64 " bytes: not appended to %s: %s", size,
			append->path, error->text);
}

/* What another thread is just writing may be taken back: only what is in the
 * file for good is looked at. */
void append_show(struct append *append)
{
	struct pktfs_writer_status status;

	pktfs_writer_status_get(append->writer, &status);
	pktfs_grow_to(append->capture, status.stored_end);
}

void append_written(struct append *append, uint64_t end_at)
{
	pthread_mutex_lock(&append->lock);
	append->written = MAX(append->written, end_at);
	append_threads_frame(append);
	pthread_mutex_unlock(&append->lock);
	append_show(append);
}

int append_commit(struct append *append, uint64_t id, const struct append_place *place,
		  uint64_t *ret_end)
{
	struct pktfs_error error = {0};
	char name[APPEND_NAME_ROOM];
	struct job job;
	uint64_t size;
	int r;

	*ret_end = 0;
	pthread_mutex_lock(&append->lock);
	r = begin(append, id, place, &job, ret_end);
	if (r > 0) {
		strcpy(name, append_table_by_id(&append->table, id)->name);
		size = job.draft->size;
	}
	pthread_mutex_unlock(&append->lock);
	if (r <= 0)
		return r;
	r = write_draft(append, &job, &error);
	if (r < 0)
		append_log_refusal(append, &job.place, name, size, &error);
	pthread_mutex_lock(&append->lock);
	end(append, id, &job, r);
	pthread_mutex_unlock(&append->lock);
	if (r < 0)
		return r;
	*ret_end = job.written.offset + job.written.length;
	append_written(append, *ret_end);
	return 0;
}
