/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening, starting, stopping, and what is asked of the whole. */
#include "append_internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#define BUSY_PAUSE_MS 20

/* ---- opening */

static struct append *new_append(void)
{
	struct append *append = calloc(1, sizeof(*append));
	pthread_condattr_t monotonic;

	if (!append)
		return NULL;
	append->path_fd = -1;
	pthread_mutex_init(&append->map_lock, NULL);
	pthread_mutex_init(&append->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&append->idle, NULL);
	pthread_cond_init(&append->quiet_wake, &monotonic);
	pthread_cond_init(&append->sync_wake, NULL);
	pthread_condattr_destroy(&monotonic);
	if (append_table_init(&append->table, APPEND_NAMES_MAX, APPEND_LIST_MAX) == 0)
		return append;
	append_close(append);
	return NULL;
}

/* A file that was made has no section yet, and is no capture without one. */
static int open_writer(struct append *append, const char *path,
		       const struct append_options *options, struct pktfs_error *ret_error)
{
	struct pktfs_writer_options writer = {
		.flags = (options->repair ? PKTFS_WRITER_REPAIR : 0u) |
			 (options->separate ? PKTFS_WRITER_MAKE : 0u),
		.format = options->separate ? PKTFS_WRITER_PCAPNG : PKTFS_WRITER_AUTO,
	};
	const int64_t deadline = append_now_ms() + APPEND_BUSY_MS;
	const struct timespec pause = {.tv_nsec = BUSY_PAUSE_MS * 1000000L};
	struct pktfs_writer_status status;
	int r;

	while ((r = pktfs_writer_append(path, &writer, &append->writer, ret_error)) == -EBUSY &&
	       append_now_ms() < deadline)
		nanosleep(&pause, NULL);
	if (r < 0)
		return r;
	pktfs_writer_status_get(append->writer, &status);
	if (!status.end)
		r = pktfs_writer_end_frame(append->writer, ret_error);
	append->separate = options->separate;
	append->pcapng = status.format == PKTFS_FORMAT_PCAPNG;
	append->compressed = status.compression != PKTFS_COMPRESSION_NONE;
	append->packets_before = status.packets_before;
	append->interfaces_first = status.interfaces_before + status.interfaces;
	append->base.known = !options->separate;
	return r;
}

static void say_cut(const struct pktfs_writer_status *status, const char *path, struct text *ret)
{
	if (status->repair_bytes)
		text_printf(ret, "%" PRIu64 " bytes at offset %" PRIu64
			    " are cut off, and kept in %s.torn",
			    status->repair_bytes, status->repair_offset, path);
	else
		text_printf(ret, "nothing is cut off");
}

void append_repaired(struct append *append, struct text *ret)
{
	struct pktfs_writer_status status;

	pktfs_writer_status_get(append->writer, &status);
	if (status.repair == PKTFS_WRITER_REPAIR_NONE)
		return;
	text_printf(ret, status.repair == PKTFS_WRITER_REPAIR_RESUMED
				 ? "a repair that was interrupted is finished: "
				 : "repaired: ");
	say_cut(&status, append->path, ret);
	if (status.repair == PKTFS_WRITER_REPAIR_ENDED)
		text_printf(ret, "; the frame that was unfinished is ended");
	else if (status.repair != PKTFS_WRITER_REPAIR_CUT)
		text_printf(ret, "; the whole records of the frame there are written anew");
}

static void show_path(const char *path, char *ret)
{
	size_t length = strlen(path);

	if (length > APPEND_PATH_SHOWN)
		snprintf(ret, APPEND_PATH_SHOWN + 1, "...%s",
			 path + length - APPEND_PATH_SHOWN + 3);
	else
		strcpy(ret, path);
}

int append_open(const char *path, const struct append_options *options, struct append **ret,
		struct pktfs_error *ret_error)
{
	struct append *append = new_append();
	int r;

	if (!append)
		return error_set(ret_error, -ENOMEM, "out of memory");
	r = open_writer(append, path, options, ret_error);
	if (r < 0) {
		append_close(append);
		return r;
	}
	append->options = *options;
	append->path_fd = open(path, O_PATH | O_CLOEXEC);
	show_path(path, append->path);
	*ret = append;
	return 0;
}

int append_start(struct append *append, pktfs_capture *capture, uint64_t node_base,
		 void (*log)(void *context, const char *line), void *context)
{
	append->capture = capture;
	append->node_base = node_base;
	append->log = log;
	append->log_context = context;
	return append_threads_start(append);
}

void append_mounted(struct append *append, dev_t device)
{
	atomic_store(&append->device, device);
}

/* The next that has bytes to be committed; 0: there is none. */
static uint64_t next_pending(struct append *append, uint64_t after)
{
	UTIL_LOCK_SCOPE(&append->lock);
	const struct append_file *file = append_table_next(&append->table, after);

	while (file && (file->committed || !file->named || !file->draft->size))
		file = append_table_next(&append->table, file->id);
	return file ? file->id : 0;
}

/* Who writes it gets an error from now on, and will begin again. */
static void drop(struct append *append, uint64_t id)
{
	const struct pktfs_error error = {
		.code = -ENOTCONN, .text = "still open for writing when the mount ended"};
	struct append_file *file;
	struct append_place place;
	char name[APPEND_NAME_ROOM];
	uint64_t size;

	pthread_mutex_lock(&append->lock);
	file = append_file_idle(append, id);
	place = append_place_of(file);
	strcpy(name, file->name);
	size = file->draft->size;
	append_file_unname(append, file);
	pthread_mutex_unlock(&append->lock);
	append_log_refusal(append, &place, name, size, &error);
}

/* All that is left, in the order in which it was created; the first error. */
static int commit_all(struct append *append)
{
	uint64_t id = 0, end;
	int first = 0, r = 0;

	while ((id = next_pending(append, id))) {
		if (append_is_open(append, id))
			drop(append, id);
		else
			r = append_commit(append, id, NULL, &end);
		if (first == 0)
			first = r;
	}
	return first;
}

int append_stop(struct append *append)
{
	struct pktfs_error error = {0};
	int first, r;

	append_threads_stop(append);
	first = commit_all(append);
	r = pktfs_writer_end_frame(append->writer, &error);
	if (r < 0)
		append_log_path(append, error.text);
	else if (append->compressed)
		append_show(append);
	return first < 0 ? first : r;
}

static void free_drafts(struct append *append)
{
	struct append_file *file = NULL;
	struct append_handle *handle;
	uint64_t id = 0;

	while (append->table.buckets && (file = append_table_next(&append->table, id))) {
		id = file->id;
		while (file->draft && (handle = file->draft->handles)) {
			file->draft->handles = handle->next;
			free(handle);
		}
		append_table_unname(&append->table, file);
		append_settle(append, file);
	}
}

void append_close(struct append *append)
{
	if (!append)
		return;
	append_threads_stop(append);
	free_drafts(append);
	append_table_free(&append->table);
	for (size_t i = 0; i < append->named_count; i++)
		free(append->named[i].name);
	free(append->named);
	free(append->targets);
	pktfs_writer_close(append->writer, NULL);
	util_close(append->path_fd);
	pthread_cond_destroy(&append->sync_wake);
	pthread_cond_destroy(&append->quiet_wake);
	pthread_cond_destroy(&append->idle);
	pthread_mutex_destroy(&append->lock);
	pthread_mutex_destroy(&append->map_lock);
	free(append);
}

/* ---- the log */

void append_log(struct append *append, const char *line)
{
	if (append->log)
		append->log(append->log_context, line);
}

void append_log_path(struct append *append, const char *what)
{
	_cleanup_(text_free) struct text text = {0};

	text_printf(&text, "append: %s: %s", append->path, what);
	if (!text.failed)
		append_log(append, text.bytes);
}

void append_log_file(struct append *append, const struct append_place *place, const char *name,
		     const char *format, ...)
{
	_cleanup_(text_free) struct text text = {0};
	char what[sizeof(((struct pktfs_error *)0)->text) + APPEND_PATH_SHOWN + 64];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	text_string(&text, "append/");
	append_path_text(&text, place, name);
	text_string(&text, ": ");
	text_string(&text, what);
	if (!text.failed)
		append_log(append, text.bytes);
}

/* ---- questions */

int64_t append_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* The last file's. */
static int find_base(pktfs_capture *capture, struct append_base *ret)
{
	struct pktfs_file file = {0}, next;
	uint64_t number = 0;
	int r;

	while ((r = pktfs_file_get(capture, number, &next)) == 0) {
		file = next;
		number++;
	}
	if (r != -ENOENT)
		return r;
	if (!file.path) /* the file that is appended to is none of them */
		return -EIO;
	*ret = (struct append_base){
		.known = true,
		.offset = file.offset,
		.packets = file.packets_before,
		.interfaces = file.first_interface,
	};
	return 0;
}

int append_base_get(struct append *append, struct append_base *ret)
{
	struct append_base base;
	int r;

	pthread_mutex_lock(&append->lock);
	base = append->base;
	pthread_mutex_unlock(&append->lock);
	if (!base.known) {
		r = find_base(append->capture, &base);
		if (r < 0)
			return r;
		pthread_mutex_lock(&append->lock);
		append->base = base;
		pthread_mutex_unlock(&append->lock);
	}
	*ret = base;
	return 0;
}

bool append_is_indexed(struct append *append)
{
	struct pktfs_status status;

	if (atomic_load(&append->indexed))
		return true;
	pktfs_status_get(append->capture, &status);
	if (status.state == PKTFS_STATE_INDEXING)
		return false;
	atomic_store(&append->indexed, true);
	return true;
}

bool append_has_blocks(struct append *append)
{
	return append->pcapng;
}

/* A file before it may be cut, too, for good: where it ends or before that. */
bool append_is_unfinished(struct append *append, const struct pktfs_error *problem)
{
	struct append_base base;

	return append->compressed && problem->code == -ENODATA && problem->has_offset &&
	       append_base_get(append, &base) == 0 && problem->offset > base.offset;
}

uint64_t append_first_packet(struct append *append)
{
	struct append_base base;

	if (append_base_get(append, &base) < 0)
		return UINT64_MAX;
	return base.packets + append->packets_before;
}

int append_statvfs(struct append *append, struct statvfs *ret)
{
	if (append->path_fd < 0)
		return -EIO;
	return fstatvfs(append->path_fd, ret) < 0 ? -errno : 0;
}
