/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture_internal.h"

#include <string.h>

static int start_threads(pktfs_capture *capture, const char *path, unsigned flags,
			 struct pktfs_error *ret_error)
{
	int r = 0;

	if (flags & PKTFS_OPEN_FOLLOW)
		r = capture_follow_open(capture->source, capture->index, path,
					!(flags & PKTFS_OPEN_NO_WATCH), &capture->follow);
	if (r == 0)
		r = index_start(capture->index);
	if (r == 0 && capture->follow)
		r = capture_follow_start(capture->follow);
	return r < 0 ? error_set(ret_error, r, "no thread for the index: %s", strerror(-r)) : 0;
}

static pktfs_capture *new_capture(struct source *source)
{
	static _Atomic uint64_t last_id;
	pktfs_capture *capture = calloc(1, sizeof(*capture));

	if (!capture)
		return NULL;
	capture->id = ++last_id;
	capture->source = source;
	pthread_mutex_init(&capture->paths_lock, NULL);
	table_init(&capture->paths, sizeof(char *));
	return capture;
}

int capture_open_over(struct source *source, const char *path,
		      const struct pktfs_open_options *options, pktfs_capture **ret,
		      struct pktfs_error *ret_error)
{
	pktfs_capture *capture = new_capture(source);
	int r;

	if (!capture) {
		source_close(source);
		return error_set(ret_error, -ENOMEM, "no memory");
	}
	r = index_open(source, &capture->index, ret_error);
	if (r == 0) {
		index_set_memory(capture->index, options ? options->memory_bytes : 0);
		index_set_scouts(capture->index,
				 !options || !(options->flags & PKTFS_OPEN_NO_SCOUTS));
		r = capture_index_begin(capture, options, ret_error);
	}
	if (r == 0)
		r = start_threads(capture, path, options ? options->flags : 0, ret_error);
	if (r < 0) {
		pktfs_close(capture);
		return r;
	}
	if (options)
		capture->opener = (struct source_opener){.open = options->open_file,
							 .context = options->open_context};
	*ret = capture;
	return 0;
}

struct source_options capture_source_options(const struct pktfs_open_options *options)
{
	if (!options)
		return (struct source_options){0};
	return (struct source_options){
		.no_mmap = options->flags & PKTFS_OPEN_NO_MMAP,
		.no_parallel = options->flags & PKTFS_OPEN_NO_PARALLEL,
		.growing = options->flags & (PKTFS_OPEN_GROWING | PKTFS_OPEN_FOLLOW),
		.spool_dir = options->spool_dir,
		.frame_cache_bytes = options->frame_cache_bytes,
		.opener = {.open = options->open_file, .context = options->open_context},
	};
}

int pktfs_open(const char *path, const struct pktfs_open_options *options, pktfs_capture **ret,
	       struct pktfs_error *ret_error)
{
	struct source_options wanted = capture_source_options(options);
	struct source *source;
	int r = source_open_path(path, &wanted, &source, ret_error);

	return r < 0 ? r : capture_open_over(source, path, options, ret, ret_error);
}

int pktfs_open_fd(int fd, const struct pktfs_open_options *options, pktfs_capture **ret,
		  struct pktfs_error *ret_error)
{
	struct source_options wanted = capture_source_options(options);
	struct source *source;
	int r = source_open_fd(fd, &wanted, &source, ret_error);

	return r < 0 ? r : capture_open_over(source, NULL, options, ret, ret_error);
}

int pktfs_open_buffer(const void *bytes, size_t size, const struct pktfs_open_options *options,
		      pktfs_capture **ret, struct pktfs_error *ret_error)
{
	struct source_options wanted = capture_source_options(options);
	struct source *source;
	int r = source_open_buffer(bytes, size, &wanted, &source, ret_error);

	return r < 0 ? r : capture_open_over(source, NULL, options, ret, ret_error);
}

int pktfs_grow(pktfs_capture *capture)
{
	return index_grow(capture->index, UINT64_MAX);
}

int pktfs_grow_to(pktfs_capture *capture, uint64_t stored_size)
{
	return index_grow(capture->index, stored_size);
}

void pktfs_close(pktfs_capture *capture)
{
	if (!capture)
		return;
	capture_follow_close(capture->follow);
	index_close(capture->index);
	source_close(capture->source);
	capture_paths_free(capture);
	free(capture);
}

void pktfs_cancel(pktfs_capture *capture)
{
	index_cancel(capture->index);
}

void pktfs_listen(pktfs_capture *capture, void (*notify)(void *context), void *context)
{
	index_listen(capture->index, notify, context);
}

int capture_error(struct pktfs_error *ret_error, int code, uint64_t offset)
{
	switch (code) {
	case -ENOENT:
		return error_set(ret_error, code, "there is no such entry");
	case -EAGAIN:
		return error_set(ret_error, code, "the index has not come so far yet");
	case -EIO:
		return error_at(ret_error, code, offset, "the file no longer holds these bytes");
	case -EBADMSG:
		return error_at(ret_error, code, offset, "compressed data is damaged");
	default:
		return error_at(ret_error, code, offset, "cannot be read: %s", strerror(-code));
	}
}
