/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture_internal.h"

#include <string.h>



/* Builds the capture over a source and its index, both of which it takes over. */
static int start(struct source *source, struct index *index, uint64_t files, pktfs_capture **ret,
		 struct pktfs_error *ret_error)
{
	static _Atomic uint64_t last_id;
	pktfs_capture *capture = calloc(1, sizeof(*capture));
	int r = -ENOMEM;

	if (!capture)
		error_set(ret_error, r, "no memory");
	else if ((r = index_start(index)) < 0)
		error_set(ret_error, r, "no thread for the index: %s", strerror(-r));
	if (r < 0) {
		index_close(index);
		source_close(source);
		free(capture);
		return r;
	}
	capture->id = ++last_id;
	capture->source = source;
	capture->index = index;
	capture->files = files;
	*ret = capture;
	return 0;
}

static int open_over(struct source *source, pktfs_capture **ret, struct pktfs_error *ret_error)
{
	struct index *index;
	int r = index_open(source, &index, ret_error);

	if (r < 0)
		source_close(source);
	return r < 0 ? r : start(source, index, 1, ret, ret_error);
}

static struct source_options source_options(const struct pktfs_open_options *options)
{
	if (!options)
		return (struct source_options){0};
	return (struct source_options){
		.no_mmap = options->flags & PKTFS_OPEN_NO_MMAP,
		.growing = options->flags & PKTFS_OPEN_GROWING,
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

	return r < 0 ? r : open_over(source, ret, ret_error);
}

int pktfs_open_fd(int fd, const struct pktfs_open_options *options, pktfs_capture **ret,
		  struct pktfs_error *ret_error)
{
	struct source_options wanted = source_options(options);
	struct source *source;
	int r = source_open_fd(fd, &wanted, &source, ret_error);

	return r < 0 ? r : open_over(source, ret, ret_error);
}

int pktfs_open_buffer(const void *bytes, size_t size, const struct pktfs_open_options *options,
		      pktfs_capture **ret, struct pktfs_error *ret_error)
{
	struct source_options wanted = source_options(options);
	struct source *source;
	int r = source_open_buffer(bytes, size, &wanted, &source, ret_error);

	return r < 0 ? r : open_over(source, ret, ret_error);
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
	struct source *source;
	struct index *index;
	size_t i, opened;
	int r;

	if (count == 0)
		return error_set(ret_error, -EINVAL, "no file is given");
	if (!files.sources || !files.numbers || !files.errors)
		return error_set(ret_error, -ENOMEM, "no memory");
	r = open_each(&files, paths, count, options, ret_error);
	opened = files.opened;
	if (r == 0)
		r = chain(&files, &source, ret_error);
	if (r < 0)
		return r;
	r = index_open_files(source, files.numbers, opened, &index, ret_error);
	if (r < 0) {
		source_close(source);
		return r;
	}
	for (i = 0; i < count; i++)
		if (files.errors[i].code)
			index_leave_out(index, i, &files.errors[i]);
	return start(source, index, opened, ret, ret_error);
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
