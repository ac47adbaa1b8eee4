/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of append/: names, bytes, attributes. Closing is in append_flush.c. */
#include "append_internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "util/util_time.h"

#define NAME_LIMIT       255u
#define TEMPORARY_SUFFIX 6u

struct append_file *append_file_idle(struct append *append, uint64_t id)
{
	struct append_file *file;

	while ((file = append_table_by_id(&append->table, id)) && file->draft && file->draft->busy)
		pthread_cond_wait(&append->idle, &append->lock);
	/* a record that is only listed is nobody's file */
	return file && (file->named || file->draft) ? file : NULL;
}

/* The file of a name, when no commit of it is under way. */
static struct append_file *idle_by_name(struct append *append, const struct append_place *place,
					const char *name)
{
	struct append_file *file;

	while ((file = append_table_by_name(&append->table, place, name)) && file->draft &&
	       file->draft->busy)
		pthread_cond_wait(&append->idle, &append->lock);
	return file;
}

/* A file that takes bytes and attributes; or NULL and -ENOENT, -EROFS, why it was
 * refused. */
static struct append_file *pending(struct append *append, uint64_t id, int *ret_error)
{
	struct append_file *file = append_file_idle(append, id);

	*ret_error = !file ? -ENOENT : file->committed ? -EROFS : file->draft->error;
	return *ret_error < 0 ? NULL : file;
}

int append_file_refused(struct append *append, struct append_file *file)
{
	int r = file->draft->error;

	if (file->named)
		append_file_unname(append, file);
	return r;
}

static void touch(struct append_file *file)
{
	struct timespec now;

	if (file->draft->has_time)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	file->sec = now.tv_sec;
	file->nsec = (uint32_t)now.tv_nsec;
}

/* ---- names */

/* ".NAME.XXXXXX" */
bool append_name_is_temporary(const char *name)
{
	size_t length = strlen(name), i;

	if (name[0] != '.' || length < TEMPORARY_SUFFIX + 3 ||
	    name[length - TEMPORARY_SUFFIX - 1] != '.')
		return false;
	for (i = length - TEMPORARY_SUFFIX; i < length; i++)
		if (!isalnum((unsigned char)name[i]))
			return false;
	return true;
}

int append_place_check(struct append *append, const struct append_place *place)
{
	struct pktfs_status status;
	int only;

	if (place->kind == APPEND_BLOCKS)
		return append->pcapng ? 0 : -EOPNOTSUPP;
	if (place->kind == APPEND_INTERFACE)
		return append_interface_check(append, place->interface);
	only = append_only_check(append);
	if (only < 0)
		return only;
	if (only)
		return append_interface_check(append, 0);
	pktfs_status_get(append->capture, &status);
	return status.interfaces ? -EINVAL : -ENXIO;
}

void append_place_log(struct append *append, const struct append_place *place, const char *name,
		      int r)
{
	struct pktfs_status status;

	if (place->kind != APPEND_ONLY || (r != -EINVAL && r != -ENXIO))
		return;
	pktfs_status_get(append->capture, &status);
	append_log_file(append, place, name, "found %" PRIu64 " interfaces; accepted %s",
			status.interfaces,
			r == -EINVAL ? "append/I/NAME" : "mkdir append/NAME@LINKTYPE first");
}

static int add(struct append *append, const struct append_place *place, const char *name,
	       const struct append_who *who, struct append_file **ret)
{
	struct append_file *file = append_table_add(&append->table, place, name);
	int r;

	if (!file)
		return -ENOMEM;
	r = append_draft_new(append, file);
	if (r < 0) {
		append_file_unname(append, file);
		return r;
	}
	file->mode = (uint16_t)(who->mode & 07777);
	file->uid = who->uid;
	file->gid = who->gid;
	file->draft->temporary = append_name_is_temporary(name) && (who->flags & O_EXCL) &&
				 (who->flags & O_ACCMODE) == O_RDWR;
	touch(file);
	*ret = file;
	return 0;
}

/* With the process of the thread, where that will be asked for. */
static struct append_who process_of(struct append *append, const struct append_who *who)
{
	const struct append_options *options = &append->options;
	struct append_who ret = *who;

	if ((who->flags & O_ACCMODE) != O_RDONLY)
		ret.pid = append_holder_process(who->pid, options->open_status,
						options->open_context);
	return ret;
}

int append_create(struct append *append, const struct append_place *place, const char *name,
		  const struct append_who *who, uint64_t *ret_id, uint64_t *ret_handle)
{
	const struct append_who opener = process_of(append, who);
	int r = strlen(name) > NAME_LIMIT ? -ENAMETOOLONG : append_place_check(append, place);
	struct append_file *file;
	uint64_t interface;

	append_place_log(append, place, name, r);
	if (r < 0)
		return r;
	if (place->kind == APPEND_ONLY && append_named_interface(append, name, &interface) == 0)
		return -EEXIST;
	UTIL_LOCK_SCOPE(&append->lock);
	if (append_table_by_name(&append->table, place, name))
		return -EEXIST;
	r = add(append, place, name, who, &file);
	if (r < 0)
		return r;
	r = append_handle_new(append, file->draft, &opener, ret_handle);
	if (r < 0)
		append_file_unname(append, file);
	else
		*ret_id = file->id;
	return r;
}

int append_open_file(struct append *append, uint64_t id, const struct append_who *who,
		     uint64_t *ret_handle)
{
	const struct append_who opener = process_of(append, who);
	UTIL_LOCK_SCOPE(&append->lock);
	struct append_file *file = append_file_idle(append, id);
	int r = 0;

	if (!file || !file->named)
		return -ENOENT;
	if (file->committed && (who->flags & O_ACCMODE) != O_RDONLY)
		return -EROFS;
	if (!file->draft)
		r = append_draft_new(append, file);
	if (r == 0)
		r = append_handle_new(append, file->draft, &opener, ret_handle);
	append_settle(append, file);
	return r;
}

int append_find(struct append *append, const struct append_place *place, const char *name,
		uint64_t *ret_id)
{
	UTIL_LOCK_SCOPE(&append->lock);
	const struct append_file *file = append_table_by_name(&append->table, place, name);

	if (!file)
		return -ENOENT;
	*ret_id = file->id;
	return 0;
}

int append_next(struct append *append, const struct append_place *place, uint64_t after,
		uint64_t *ret_id, char *name)
{
	UTIL_LOCK_SCOPE(&append->lock);
	const struct append_file *file = append_table_after(&append->table, place, after);

	if (!file)
		return -ENOENT;
	*ret_id = file->id;
	memcpy(name, file->name, strlen(file->name) + 1);
	return 0;
}

void append_file_unname(struct append *append, struct append_file *file)
{
	append_table_unname(&append->table, file);
	append_settle(append, file);
}

int append_remove(struct append *append, const struct append_place *place, const char *name)
{
	UTIL_LOCK_SCOPE(&append->lock);
	struct append_file *file = idle_by_name(append, place, name);

	if (!file)
		return -ENOENT;
	append_file_unname(append, file);
	return 0;
}

int append_status_get(struct append *append, uint64_t id, struct append_status *ret)
{
	struct append_base base = {0};
	bool based = append_base_get(append, &base) == 0;
	UTIL_LOCK_SCOPE(&append->lock);
	const struct append_file *file = append_table_by_id(&append->table, id);

	if (!file || !(file->named || file->draft))
		return -ENOENT;
	*ret = (struct append_status){
		.place = append_place_of(file),
		.committed = file->committed,
		.named = file->named,
		.size = file->draft ? file->draft->size : 0,
		.time = {file->sec, file->nsec},
		.mode = file->mode,
		.uid = file->uid,
		.gid = file->gid,
	};
	if (!file->committed)
		return 0;
	ret->is_packet = file->packet > 0;
	ret->packet = based && file->packet ? base.packets + file->packet : 0;
	ret->offset = file->offset;
	ret->block_offset = based ? base.offset + file->offset : UINT64_MAX;
	return 0;
}

/* ---- bytes */

struct bytes {
	uint64_t offset;
	const void *data;
	size_t size;
};

static int put_bytes(struct append *append, struct append_draft *draft, const struct bytes *bytes,
		     uint64_t end)
{
	int r = end > APPEND_FILE_BYTES ? -EFBIG : 0;

	if (r == 0 && bytes->size && end > draft->size)
		r = append_draft_resize(append, draft, end);
	if (r == 0 && bytes->size)
		memcpy(draft->bytes + bytes->offset, bytes->data, bytes->size);
	return r;
}

/* What a write that failed was to be, for the log. */
struct spoilt {
	bool now;
	struct append_place place;
	char name[APPEND_NAME_ROOM];
	uint64_t end;
};

/* A packet without bytes that its writer has written is not what was meant, and
 * not everybody looks at what write(2) says: it can only be refused from here on. */
static void spoil(struct append *append, struct append_file *file, int r, uint64_t end,
		  struct spoilt *ret)
{
	append_draft_empty(append, file->draft);
	file->draft->error = r;
	ret->now = true;
	ret->place = append_place_of(file);
	ret->end = end;
	strcpy(ret->name, file->name);
}

static int write_bytes(struct append *append, uint64_t id, const struct bytes *bytes,
		       struct spoilt *ret_spoilt)
{
	UTIL_LOCK_SCOPE(&append->lock);
	uint64_t end;
	int r;
	struct append_file *file = pending(append, id, &r);

	if (!file)
		return r;
	if (!add_ok(bytes->offset, (uint64_t)bytes->size, &end))
		end = UINT64_MAX;
	r = put_bytes(append, file->draft, bytes, end);
	if (r < 0)
		spoil(append, file, r, end, ret_spoilt);
	else
		touch(file);
	return r;
}

static void log_spoilt(struct append *append, const struct spoilt *spoilt, int r)
{
	struct pktfs_error error = {0};

	switch (r) {
	case -EFBIG:
		error_set(&error, r, "accepted up to %" PRIu64 " in a file", APPEND_FILE_BYTES);
		break;
	case -ENOSPC:
		error_set(&error, r, "accepted up to %" PRIu64 " in all files that are not closed",
			  APPEND_PENDING_BYTES);
		break;
	default:
		error_set(&error, r, "written: %s", strerror(-r));
	}
	append_log_refusal(append, &spoilt->place, spoilt->name, spoilt->end, &error);
}

int64_t append_write(struct append *append, uint64_t id, uint64_t offset, const void *bytes,
		     size_t size)
{
	struct spoilt spoilt = {0};
	int r = write_bytes(append, id, &(struct bytes){offset, bytes, size}, &spoilt);

	if (spoilt.now)
		log_spoilt(append, &spoilt, r);
	return r < 0 ? r : (int64_t)size;
}

int64_t append_read(struct append *append, uint64_t id, uint64_t offset, void *bytes, size_t size)
{
	UTIL_LOCK_SCOPE(&append->lock);
	const struct append_file *file = append_table_by_id(&append->table, id);
	const struct append_draft *draft = file ? file->draft : NULL;

	if (!file || !(file->named || draft))
		return -ENOENT;
	if (!draft || file->committed || offset >= draft->size)
		return 0;
	size = (size_t)MIN((uint64_t)size, draft->size - offset);
	memcpy(bytes, draft->bytes + offset, size);
	return (int64_t)size;
}

int append_truncate(struct append *append, uint64_t id, uint64_t size)
{
	UTIL_LOCK_SCOPE(&append->lock);
	int r;
	struct append_file *file = pending(append, id, &r);

	if (file)
		r = append_draft_resize(append, file->draft, size);
	if (r == 0)
		touch(file);
	return r;
}

/* ---- attributes */

int append_set_time(struct append *append, uint64_t id, struct pktfs_time time)
{
	UTIL_LOCK_SCOPE(&append->lock);
	int r;
	struct append_file *file = pending(append, id, &r);

	if (!file)
		return r;
	file->draft->has_time = true;
	file->sec = time.sec;
	file->nsec = time.nsec;
	return 0;
}

int append_set_mode(struct append *append, uint64_t id, mode_t mode)
{
	UTIL_LOCK_SCOPE(&append->lock);
	struct append_file *file = append_file_idle(append, id);

	if (!file)
		return -ENOENT;
	if (!file->committed)
		file->mode = (uint16_t)(mode & 07777);
	return 0;
}

int append_set_owner(struct append *append, uint64_t id, uid_t uid, gid_t gid)
{
	UTIL_LOCK_SCOPE(&append->lock);
	struct append_file *file = append_file_idle(append, id);

	if (!file)
		return -ENOENT;
	if (!file->committed && uid != (uid_t)-1)
		file->uid = uid;
	if (!file->committed && gid != (gid_t)-1)
		file->gid = gid;
	return 0;
}

int append_set_attribute(struct append *append, uint64_t id, const char *name, const void *value,
			 size_t size)
{
	UTIL_LOCK_SCOPE(&append->lock);
	int r;
	struct append_file *file = pending(append, id, &r);

	if (file)
		r = append_attributes_set(&file->draft->attributes, name, value, size);
	if (r < 0)
		return r;
	r = append_draft_charge(append, file->draft, file->draft->size);
	if (r < 0)
		append_attributes_set(&file->draft->attributes, name, NULL, 0);
	return r;
}

int append_attribute(struct append *append, uint64_t id, const char *name, struct text *ret)
{
	UTIL_LOCK_SCOPE(&append->lock);
	struct append_file *file = append_file_idle(append, id);

	if (!file)
		return -ENOENT;
	return file->draft ? append_attributes_get(&file->draft->attributes, name, ret) : -ENODATA;
}

int append_attributes(struct append *append, uint64_t id, struct text *ret)
{
	UTIL_LOCK_SCOPE(&append->lock);
	struct append_file *file = append_file_idle(append, id);

	if (!file)
		return -ENOENT;
	return file->draft ? append_attributes_list(&file->draft->attributes, ret) : 0;
}
