/* SPDX-License-Identifier: BSD-2-Clause */
/* Drafts: the bytes of files that are not committed, and who has them open. */
#include "append_internal.h"

#include <fcntl.h>
#include <string.h>

static int charge(struct append *append, struct append_draft *draft, uint64_t bytes)
{
	uint64_t others = append->pending_bytes - draft->charged;

	if (bytes > draft->charged && bytes > APPEND_PENDING_BYTES - others)
		return -ENOSPC;
	append->pending_bytes = others + bytes;
	draft->charged = bytes;
	return 0;
}

int append_draft_charge(struct append *append, struct append_draft *draft, uint64_t bytes)
{
	return charge(append, draft,
		      APPEND_FILE_COST + append_attributes_size(&draft->attributes) + bytes);
}

int append_draft_new(struct append *append, struct append_file *file)
{
	struct append_draft *draft = calloc(1, sizeof(*draft));
	int r;

	if (!draft)
		return -ENOMEM;
	draft->id = file->id;
	r = file->committed ? 0 : append_draft_charge(append, draft, 0);
	if (r < 0)
		free(draft);
	else
		file->draft = draft;
	return r;
}

void append_draft_empty(struct append *append, struct append_draft *draft)
{
	charge(append, draft, 0);
	append_attributes_free(&draft->attributes);
	free(draft->bytes);
	draft->bytes = NULL;
	draft->size = draft->room = 0;
}

void append_settle(struct append *append, struct append_file *file)
{
	struct append_draft *draft = file->draft;
	bool wanted = draft && (draft->handles || draft->busy || (file->named && !file->committed));

	if (draft && !wanted) {
		append_wait_not(append, draft);
		append_draft_empty(append, draft);
		free(draft);
		file->draft = NULL;
	}
	append_table_settle(&append->table, file);
}

static int make_room(struct append_draft *draft, uint64_t size)
{
	uint64_t room = draft->room;
	uint8_t *bytes;

	/* the first write of a packet is all of it, as a rule */
	if (size > room)
		room = MAX(room * 2, size);
	else if (size < room / 4)
		room = size + 1;
	if (room == draft->room)
		return 0;
	bytes = realloc(draft->bytes, room);
	if (!bytes)
		return -ENOMEM;
	draft->bytes = bytes;
	draft->room = room;
	return 0;
}

int append_draft_resize(struct append *append, struct append_draft *draft, uint64_t size)
{
	int r = size > APPEND_FILE_BYTES ? -EFBIG : append_draft_charge(append, draft, size);

	if (r < 0)
		return r;
	r = make_room(draft, size);
	if (r < 0) {
		append_draft_charge(append, draft, draft->size);
		return r;
	}
	if (size > draft->size)
		memset(draft->bytes + draft->size, 0, size - draft->size);
	draft->size = size;
	return 0;
}

/* ---- handles */

int append_handle_new(struct append *append, struct append_draft *draft,
		      const struct append_who *who, uint64_t *ret)
{
	struct append_handle *handle = malloc(sizeof(*handle));

	if (!handle)
		return -ENOMEM;
	*handle = (struct append_handle){
		.next = draft->handles,
		.number = ++append->last_handle,
		.pid = who->pid,
		.writes = (who->flags & O_ACCMODE) != O_RDONLY,
	};
	draft->handles = handle;
	append_wait_not(append, draft);
	*ret = handle->number;
	return 0;
}

struct append_handle *append_handle_find(struct append_draft *draft, uint64_t number)
{
	struct append_handle *handle = draft ? draft->handles : NULL;

	while (handle && handle->number != number)
		handle = handle->next;
	return handle;
}

bool append_draft_has_writer(const struct append_draft *draft)
{
	const struct append_handle *handle = draft->handles;

	while (handle && !handle->writes)
		handle = handle->next;
	return handle;
}

/* ---- temporary files that nobody has open */

void append_wait(struct append *append, struct append_draft *draft)
{
	append_wait_not(append, draft);
	draft->waits = true;
	draft->deadline_ms = append_now_ms() + APPEND_TEMPORARY_MS;
	draft->before = append->last_waiting;
	*(draft->before ? &draft->before->after : &append->waiting) = draft;
	append->last_waiting = draft;
	append_threads_wake(append);
}

void append_wait_not(struct append *append, struct append_draft *draft)
{
	if (!draft->waits)
		return;
	*(draft->before ? &draft->before->after : &append->waiting) = draft->after;
	*(draft->after ? &draft->after->before : &append->last_waiting) = draft->before;
	draft->before = draft->after = NULL;
	draft->waits = false;
}
