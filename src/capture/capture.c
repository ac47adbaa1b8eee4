/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture_internal.h"

#include <string.h>

/* What a capture is made of, while it is opened. */
struct parts {
	struct source *source;
	struct index *index;
	uint64_t files;
	const char *followed; /* path of what may grow; NULL: none */
	bool follow;
};

static int start_threads(const struct parts *parts, struct capture_follow **ret,
			 struct pktfs_error *ret_error)
{
	int r = 0;

	*ret = NULL;
	if (parts->follow)
		r = capture_follow_open(parts->source, parts->index, parts->followed, ret);
	if (r == 0)
		r = index_start(parts->index);
	if (r == 0 && *ret)
		r = capture_follow_start(*ret);
	return r < 0 ? error_set(ret_error, r, "no thread for the index: %s", strerror(-r)) : 0;
}

/* Builds the capture over its parts, which it takes over. */
static int start(const struct parts *parts, pktfs_capture **ret, struct pktfs_error *ret_error)
{
	static _Atomic uint64_t last_id;
	pktfs_capture *capture = calloc(1, sizeof(*capture));
	struct capture_follow *follow = NULL;
	int r = -ENOMEM;

	if (!capture)
		error_set(ret_error, r, "no memory");
	else
		r = start_threads(parts, &follow, ret_error);
	if (r < 0) {
		capture_follow_close(follow);
		index_close(parts->index);
		source_close(parts->source);
		free(capture);
		return r;
	}
	*capture = (pktfs_capture){
		.id = ++last_id,
		.follow = follow,
		.source = parts->source,
		.index = parts->index,
		.files = parts->files,
	};
	*ret = capture;
	return 0;
}

static bool follows(const struct pktfs_open_options *options)
{
	return options && options->flags & PKTFS_OPEN_FOLLOW;
}

static int open_over(struct source *source, const char *path,
		     const struct pktfs_open_options *options, pktfs_capture **ret,
		     struct pktfs_error *ret_error)
{
	struct parts parts = {source, .files = 1, .followed = path, .follow = follows(options)};
	int r = index_open(source, &parts.index, ret_error);

	if (r < 0) {
		source_close(source);
		return r;
	}
	index_set_memory(parts.index, options ? options->memory_bytes : 0);
	return start(&parts, ret, ret_error);
}

static struct source_options source_options(const struct pktfs_open_options *options)
{
	if (!options)
		return (struct source_options){0};
	return (struct source_options){
		.no_mmap = options->flags & PKTFS_OPEN_NO_MMAP,
		.growing = options->flags & (PKTFS_OPEN_GROWING | PKTFS_OPEN_FOLLOW),
		.spool_dir = options->spool_dir,
		.frame_cache_bytes = options->frame_cache_bytes,
		.opener = {.open = options->open_file, .context = options->open_context},
	};
}

int pktfs_open(const char *path, const struct pktfs_open_options *options, pktfs_capture **ret,
	       struct pktfs_error *ret_error)
{
	struct source_options wanted = source_options(options);
	struct source *source;
	int r = source_open_path(path, &wanted, &source, ret_error);

	return r < 0 ? r : open_over(source, path, options, ret, ret_error);
}

int pktfs_open_fd(int fd, const struct pktfs_open_options *options, pktfs_capture **ret,
		  struct pktfs_error *ret_error)
{
	struct source_options wanted = source_options(options);
	struct source *source;
	int r = source_open_fd(fd, &wanted, &source, ret_error);

	return r < 0 ? r : open_over(source, NULL, options, ret, ret_error);
}

int pktfs_open_buffer(const void *bytes, size_t size, const struct pktfs_open_options *options,
		      pktfs_capture **ret, struct pktfs_error *ret_error)
{
	struct source_options wanted = source_options(options);
	struct source *source;
	int r = source_open_buffer(bytes, size, &wanted, &source, ret_error);

	return r < 0 ? r : open_over(source, NULL, options, ret, ret_error);
}

/* Several files, while they are opened. */
struct files {
	struct source **sources;    /* those that could be opened */
	uint64_t *numbers;          /* which those are */
	struct pktfs_error *errors; /* of all files; code 0: it was opened */
	size_t opened;
};

static void free_files(struct files *files)
{
	while (files->opened > 0)
		source_close(files->sources[--files->opened]);
	free(files->sources);
	free(files->numbers);
	free(files->errors);
}

/* The first must open; what is wrong with another is kept. */
static int open_each(struct files *files, const char *const *paths, size_t count,
		     const struct pktfs_open_options *options, struct pktfs_error *ret_error)
{
	struct source_options wanted = source_options(options);
	const bool growing = wanted.growing;
	size_t i;
	int r;

	for (i = 0; i < count; i++) {
		wanted.growing = growing && i + 1 == count;
		r = source_open_path(paths[i], &wanted, &files->sources[files->opened],
				     &files->errors[i]);
		if (r < 0 && i == 0) {
			if (ret_error)
				*ret_error = files->errors[0];
			return r;
		}
		files->errors[i].code = r;
		if (r == 0)
			files->numbers[files->opened++] = i;
	}
	return 0;
}

/* The sources become one. */
static int chain(struct files *files, struct source **ret, struct pktfs_error *ret_error)
{
	int r = 0;

	if (files->opened == 1)
		*ret = files->sources[0];
	else
		r = source_chain_open(files->sources, files->opened, ret);
	if (r < 0)
		return error_set(ret_error, r, "cannot be joined: %s", strerror(-r));
	files->opened = 0;
	return 0;
}

int pktfs_open_files(const char *const *paths, size_t count,
		     const struct pktfs_open_options *options, pktfs_capture **ret,
		     struct pktfs_error *ret_error)
{
	_cleanup_(free_files) struct files files = {
		.sources = calloc(count, sizeof(*files.sources)),
		.numbers = calloc(count, sizeof(*files.numbers)),
		.errors = calloc(count, sizeof(*files.errors)),
	};
	struct parts parts = {.followed = count ? paths[count - 1] : NULL,
			      .follow = follows(options)};
	size_t i;
	int r;

	if (count == 0)
		return error_set(ret_error, -EINVAL, "no file is given");
	if (!files.sources || !files.numbers || !files.errors)
		return error_set(ret_error, -ENOMEM, "no memory");
	r = open_each(&files, paths, count, options, ret_error);
	parts.files = files.opened;
	if (r == 0)
		r = chain(&files, &parts.source, ret_error);
	if (r < 0)
		return r;
	r = index_open_files(parts.source, files.numbers, parts.files, &parts.index, ret_error);
	if (r < 0) {
		source_close(parts.source);
		return r;
	}
	for (i = 0; i < count; i++)
		if (files.errors[i].code)
			index_leave_out(parts.index, i, &files.errors[i]);
	index_set_memory(parts.index, options ? options->memory_bytes : 0);
	return start(&parts, ret, ret_error);
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
