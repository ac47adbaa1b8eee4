/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture of several files. Their descriptors are opened at once, so that none
 * goes away under us; what they hold is opened when the index has come to it.
 */
#include "capture_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the frame cache, each file gets its share, but enough for some frames. */
#define FRAME_CACHE_SHARE ((uint64_t)1 << 20)

/* Descriptors 0 to 2 are left to those who print. */
#define FILES_FIRST_FD 3

static int open_input(const struct pktfs_input *input, const struct source_opener *opener,
		      struct pktfs_error *ret_error)
{
	int fd;

	if (input->fd < 0) {
		fd = source_open_file(input->path, opener);
	} else {
		fd = fcntl(input->fd, F_DUPFD_CLOEXEC, FILES_FIRST_FD);
		fd = fd < 0 ? -errno : fd;
	}
	return fd < 0 ? error_set(ret_error, fd, "%s", strerror(-fd)) : fd;
}

/* Takes what is wrong with a file as a part of the chain, too. */
static int add_part(struct source *chain, const struct pktfs_input *input,
		    const struct source_opener *opener, struct pktfs_error *ret_error)
{
	struct pktfs_error error;
	int fd = open_input(input, opener, &error), r;

	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
		return error_set(ret_error, fd, "%s: %s", input->path, strerror(-fd));
	r = source_chain_add(chain, MAX(fd, -1), &error);
	if (r < 0)
		util_close(fd);
	return r < 0 ? error_set(ret_error, r, "%s: %s", input->path, strerror(-r)) : 0;
}

/* The path of the next file, which is there once it is published. */
static int keep_path(struct table *paths, const char *path, struct pktfs_error *ret_error)
{
	char *copy = strdup(path), **entry = copy ? table_append(paths) : NULL;

	if (!entry) {
		free(copy);
		return error_set(ret_error, -ENOMEM, "no memory");
	}
	*entry = copy;
	return 0;
}

static int add_input(struct source *chain, struct table *paths, const struct pktfs_input *input,
		     const struct source_opener *opener, struct pktfs_error *ret_error)
{
	int r = keep_path(paths, input->path, ret_error);

	if (r < 0)
		return r;
	r = add_part(chain, input, opener, ret_error);
	if (r < 0) {
		free(*(char **)table_at(paths, paths->appended - 1));
		table_unappend(paths);
	}
	table_publish(paths);
	return r;
}

static void free_paths(struct table *paths)
{
	uint64_t i;

	for (i = 0; i < table_count(paths); i++)
		free(*(char **)table_at(paths, i));
	table_free(paths);
}

void capture_paths_free(pktfs_capture *capture)
{
	free_paths(&capture->paths);
	pthread_mutex_destroy(&capture->paths_lock);
}

/* The first file must be a capture; `grows`: it is the last, too. */
static int begin(const struct pktfs_input *first, const struct source_options *options, bool grows,
		 bool more, struct source **ret, struct pktfs_error *ret_error)
{
	struct source_options wanted = *options;
	struct source *source;
	int fd = open_input(first, &options->opener, ret_error), r;

	if (fd < 0)
		return fd;
	wanted.growing &= grows;
	r = source_open_fd(fd, &wanted, &source, ret_error);
	if (r == 0) {
		r = source_chain_begin(source, fd, options, more, ret);
		if (r < 0)
			source_close(source);
		error_set(r < 0 ? ret_error : NULL, r, "no memory");
	}
	if (r < 0)
		util_close(fd);
	return r;
}

static int open_chain(const struct pktfs_input *inputs, size_t count,
		      const struct pktfs_open_options *options, struct table *paths,
		      struct source **ret, struct pktfs_error *ret_error)
{
	struct source_options wanted = capture_source_options(options);
	bool more = options && options->flags & PKTFS_OPEN_MORE;
	/* one that a writer of ours goes on with is opened before it does */
	bool ours = options && options->flags & PKTFS_OPEN_GROWING;
	enum source_next how = ours ? SOURCE_NEXT_ANY : SOURCE_NEXT_PLAIN;
	uint64_t cache = wanted.frame_cache_bytes ? wanted.frame_cache_bytes : SOURCE_FRAME_CACHE;
	size_t i;
	int r;

	wanted.frame_cache_bytes = MAX(cache / count, FRAME_CACHE_SHARE);
	wanted.growing |= more;
	r = keep_path(paths, inputs[0].path, ret_error);
	if (r < 0)
		return r;
	table_publish(paths);
	r = begin(&inputs[0], &wanted, count == 1, more, ret, ret_error);
	if (r < 0)
		return r;
	for (i = 1; i < count && r == 0; i++)
		r = add_input(*ret, paths, &inputs[i], &wanted.opener, ret_error);
	while (r == 0 && source_open_next(*ret, how, UINT64_MAX) > 0)
		;
	if (r < 0)
		source_close(*ret);
	return r;
}

int pktfs_open_inputs(const struct pktfs_input *inputs, size_t count,
		      const struct pktfs_open_options *options, pktfs_capture **ret,
		      struct pktfs_error *ret_error)
{
	/* who adds files looks after their names */
	bool more = options && options->flags & PKTFS_OPEN_MORE;
	struct source *source;
	struct table paths;
	int r;

	if (count == 0)
		return error_set(ret_error, -EINVAL, "no file is given");
	table_init(&paths, sizeof(char *));
	r = open_chain(inputs, count, options, &paths, &source, ret_error);
	if (r == 0)
		r = capture_open_over(source, more ? NULL : inputs[count - 1].path, options, ret,
				      ret_error);
	if (r < 0)
		free_paths(&paths);
	else
		(*ret)->paths = paths;
	return r;
}

int pktfs_open_files(const char *const *paths, size_t count,
		     const struct pktfs_open_options *options, pktfs_capture **ret,
		     struct pktfs_error *ret_error)
{
	_cleanup_free_ struct pktfs_input *inputs = calloc(MAX(count, (size_t)1), sizeof(*inputs));
	size_t i;

	if (!inputs)
		return error_set(ret_error, -ENOMEM, "no memory");
	for (i = 0; i < count; i++)
		inputs[i] = (struct pktfs_input){.path = paths[i], .fd = -1};
	return pktfs_open_inputs(inputs, count, options, ret, ret_error);
}

int pktfs_add(pktfs_capture *capture, const struct pktfs_input *input,
	      struct pktfs_error *ret_error)
{
	if (!source_takes_more(capture->source))
		return error_set(ret_error, -EINVAL, "nothing can be added to this capture");
	UTIL_LOCK_SCOPE(&capture->paths_lock);
	return add_input(capture->source, &capture->paths, input, &capture->opener, ret_error);
}

/* ---- questions */

static void fill(const struct index_part *part, struct pktfs_file *ret)
{
	*ret = (struct pktfs_file){
		.path = part->file,
		.offset = part->start,
		.packets_before = part->first_packet,
		.metadata_before = part->first_metadata,
		.first_section = part->first_section,
		.first_interface = part->first_interface,
		.format = capture_format(part->format.kind),
		.nanosecond = part->format.nanosecond,
	};
}

int pktfs_file_get(pktfs_capture *capture, uint64_t number, struct pktfs_file *ret)
{
	struct index_totals totals;

	if (number >= source_files(capture->source))
		return -ENOENT;
	if (number >= index_parts(capture->index)) {
		index_totals(capture->index, &totals);
		if (number >= index_parts(capture->index))
			return totals.state == INDEX_RUNNING ? -EAGAIN : -ENOENT;
	}
	fill(index_part(capture->index, number), ret);
	return 0;
}

int pktfs_file_of_packet(pktfs_capture *capture, uint64_t number, struct pktfs_file *ret)
{
	if (number == 0 || number > index_packets(capture->index))
		return -ENOENT;
	fill(index_part_of(capture->index, number - 1), ret);
	return 0;
}

uint64_t pktfs_files(pktfs_capture *capture)
{
	return table_count(&capture->paths);
}

/* The first part (a file that is a capture) whose file is `path` or a later one. */
static uint64_t find_part(const struct index *index, uint64_t path)
{
	uint64_t low = 0, high = index_parts(index), middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (index_part(index, middle)->file < path)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int pktfs_file_status_get(pktfs_capture *capture, uint64_t path, struct pktfs_file_status *ret)
{
	struct index *index = capture->index;
	struct source_file_info info;
	enum index_state state;
	uint64_t part, packets;

	if (path >= pktfs_files(capture))
		return -ENOENT;
	source_file_get(capture->source, path, &info);
	index_file(index, path, &state, &ret->problem);
	ret->path = *(char **)table_at(&capture->paths, path);
	ret->state = capture_state(state);
	ret->compression = capture_compression(info.compression);
	ret->opened = info.opened;
	ret->file_size = info.size;
	ret->file_time = info.time;
	ret->lost = info.lost;
	packets = index_packets(index);
	part = find_part(index, path);
	ret->is_capture = part < index_parts(index) && index_part(index, part)->file == path;
	ret->packets = 0;
	if (!ret->is_capture)
		return 0;
	fill(index_part(index, part), &ret->file);
	if (part + 1 < index_parts(index))
		packets = index_part(index, part + 1)->first_packet;
	ret->packets = packets - MIN(packets, ret->file.packets_before);
	return 0;
}

int pktfs_file_look(pktfs_capture *capture, uint64_t path, int *ret_removed, uint64_t *ret_unseen)
{
	struct source_file_info info;
	struct stat st;
	bool regular;
	int r;

	if (path >= pktfs_files(capture))
		return -ENOENT;
	r = source_file_stat(capture->source, path, &st);
	if (r < 0)
		return r;
	source_file_get(capture->source, path, &info);
	regular = S_ISREG(st.st_mode);
	*ret_removed = regular && st.st_nlink == 0;
	*ret_unseen =
		regular && (uint64_t)st.st_size > info.size ? (uint64_t)st.st_size - info.size : 0;
	return 0;
}

int pktfs_file_lose(pktfs_capture *capture, uint64_t path)
{
	if (path >= pktfs_files(capture))
		return -ENOENT;
	source_file_lose(capture->source, path);
	return 0;
}

int pktfs_probe(int fd, const struct pktfs_open_options *options, struct pktfs_error *ret_error)
{
	struct source_options wanted = capture_source_options(options);
	struct source *source;
	struct index *index;
	int r;

	wanted.no_mmap = true;
	wanted.growing = false;
	r = source_open_fd(fd, &wanted, &source, ret_error);
	if (r < 0)
		return r;
	r = index_open(source, &index, ret_error);
	if (r == 0)
		index_close(index);
	source_close(source);
	return r;
}
