/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_ring.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli_log.h"
#include "cli_ring_private.h"

/* Descriptors: two and a spool file for each, and those of the rest. */
#define FDS_PER_FILE 3u
#define FDS_OTHERS   64u

bool cli_ring_wanted(const struct cli_config *config)
{
	struct stat st;

	return config->file_count > 1 || (stat(config->file, &st) == 0 && S_ISDIR(st.st_mode));
}

/* ---- the list */

struct ring_file *cli_ring_add(struct cli_ring *ring, size_t directory, const char *path, int fd,
			       const struct stat *st)
{
	size_t room = ring->file_room ? ring->file_room * 2 : 64;
	char *copy = strdup(path);
	struct ring_file *files = ring->files, *file;

	if (copy && ring->file_count == ring->file_room) {
		files = realloc(ring->files, room * sizeof(*files));
		if (files) {
			ring->files = files;
			ring->file_room = room;
		}
	}
	if (!copy || !files) {
		free(copy);
		return NULL;
	}
	file = &files[ring->file_count++];
	*file = (struct ring_file){.path = copy,
				   .fd = fd,
				   .directory = directory,
				   .device = st->st_dev,
				   .inode = st->st_ino,
				   .size = (uint64_t)st->st_size};
	return file;
}

const char *cli_ring_base(const struct ring_file *file)
{
	const char *slash = strrchr(file->path, '/');

	return slash ? slash + 1 : file->path;
}

char *cli_ring_join(const struct ring_directory *directory, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", strcmp(directory->path, "/") ? directory->path : "", name) <
			       0
		       ? NULL
		       : path;
}

/* ---- directories */

/* As ls -v: tcpdump -C counts without leading zeros. */
static int by_name(const void *a, const void *b)
{
	int order = strverscmp(*(char *const *)a, *(char *const *)b);

	return order ? order : strcmp(*(char *const *)a, *(char *const *)b);
}

void cli_ring_names_free(char **names, size_t count)
{
	while (count)
		free(names[--count]);
	free(names);
}

/* From its start. In a sandbox it cannot be opened again. */
static DIR *read_again(const struct ring_directory *directory)
{
	int fd = fcntl(directory->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		rewinddir(dir);
	else
		util_close(fd);
	return dir;
}

int64_t cli_ring_names(const struct ring_directory *directory, char ***ret)
{
	DIR *dir = read_again(directory);
	size_t count = 0, room = 0;
	char **names = NULL, **more;
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.') /* what rsync and others are not done with */
			continue;
		if (count == room) {
			room = room ? room * 2 : 64;
			more = realloc(names, room * sizeof(*names));
			if (!more)
				break;
			names = more;
		}
		names[count] = strdup(entry->d_name);
		if (!names[count])
			break;
		count++;
	}
	closedir(dir);
	if (entry) {
		cli_ring_names_free(names, count);
		return -ENOMEM;
	}
	if (count)
		qsort(names, count, sizeof(*names), by_name);
	*ret = names;
	return (int64_t)count;
}

int cli_ring_open_member(const struct cli_ring *ring, size_t directory, const char *name)
{
	const struct ring_directory *in = &ring->directories[directory];
	_cleanup_free_ char *path = NULL;
	int fd;

	if (!ring->options.open_file) {
		fd = openat(in->fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		return fd < 0 ? -errno : fd;
	}
	path = cli_ring_join(in, name);
	return path ? ring->options.open_file(ring->options.open_context, path, O_RDONLY) : -ENOMEM;
}

int cli_ring_stat(const struct cli_ring *ring, size_t directory, const char *name, struct stat *ret)
{
	_cleanup_close_ int fd = -1;

	if (fstatat(ring->directories[directory].fd, name, ret, 0) == 0)
		return 0;
	if (errno != EACCES || !ring->options.open_file)
		return -errno;
	fd = cli_ring_open_member(ring, directory, name);
	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

static const char *kind_of(mode_t mode)
{
	return S_ISDIR(mode) ? "a directory" : S_ISFIFO(mode) ? "a pipe" : "a device or socket";
}

/* What is in a directory and cannot be opened is left out. */
static int open_member(struct cli_ring *ring, size_t directory, const char *name)
{
	struct ring_directory *in = &ring->directories[directory];
	_cleanup_free_ char *path = cli_ring_join(in, name);
	struct stat st;
	int fd;

	if (!path)
		return -ENOMEM;
	if (fstatat(in->fd, name, &st, 0) == 0 && !S_ISREG(st.st_mode)) {
		cli_log_note("%s: left out: found %s", path, kind_of(st.st_mode));
		return 0;
	}
	fd = openat(in->fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		if (errno == EMFILE || errno == ENFILE)
			return -errno;
		cli_log_note("%s: left out: %s", path, strerror(errno));
		util_close(fd);
		return 0;
	}
	if (cli_ring_add(ring, directory, path, fd, &st))
		return 0;
	close(fd);
	return -ENOMEM;
}

/* As many descriptors as may be needed, or a word. */
static int provide_descriptors(const char *where, size_t files)
{
	uint64_t needed = (uint64_t)files * FDS_PER_FILE + FDS_OTHERS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
		return 0;
	if (limit.rlim_max < needed)
		return cli_fail(where,
				"found %zu files, which need %llu descriptors; this process may "
				"have %llu (see ulimit -Hn)",
				files, (unsigned long long)needed,
				(unsigned long long)limit.rlim_max);
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? cli_fail(where, "%s", strerror(errno)) : 0;
}

static int open_members(struct cli_ring *ring, size_t directory, char *const *names, size_t count)
{
	const char *where = ring->directories[directory].path;
	int r = provide_descriptors(where, ring->file_count + count);

	if (r)
		return r;
	for (size_t i = 0; i < count && !r; i++)
		r = open_member(ring, directory, names[i]);
	return r < 0 ? cli_fail(where, "%s", strerror(-r)) : 0;
}

static int open_directory(struct cli_ring *ring, const char *file, int fd)
{
	struct ring_directory *directories =
		realloc(ring->directories, (ring->directory_count + 1) * sizeof(*directories));
	struct ring_directory *directory;
	char **names = NULL;
	struct stat st;
	int64_t count;
	int r;

	if (!directories) {
		close(fd);
		return cli_fail(file, "%s", strerror(ENOMEM));
	}
	ring->directories = directories;
	directory = &directories[ring->directory_count++];
	*directory = (struct ring_directory){.path = realpath(file, NULL), .fd = fd, .watch = -1};
	if (!directory->path)
		return cli_fail(file, "%s", strerror(errno));
	/* in this order: what comes meanwhile is met twice, and not missed */
	cli_ring_watch(ring, directory);
	if (fstat(fd, &st) == 0)
		directory->changed = st.st_mtim;
	count = cli_ring_names(directory, &names);
	if (count < 0)
		return cli_fail(file, "%s", strerror((int)-count));
	r = open_members(ring, ring->directory_count - 1, names, (size_t)count);
	cli_ring_names_free(names, (size_t)count);
	return r;
}

/* ---- what was given */

static int open_operand(struct cli_ring *ring, const char *file)
{
	bool input = !strcmp(file, "-");
	int fd = input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
		       : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *path = NULL;
	struct ring_file *added;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		util_close(fd);
		return cli_fail(file, "%s", strerror(errno));
	}
	if (S_ISDIR(st.st_mode))
		return open_directory(ring, file, fd);
	path = input ? strdup("stdin") : realpath(file, NULL);
	if (!path) /* the /dev/fd/63 of a shell's <(command) */
		path = strdup(file);
	added = path ? cli_ring_add(ring, NO_DIRECTORY, path, fd, &st) : NULL;
	if (added) {
		added->given = file;
		return 0;
	}
	close(fd);
	return cli_fail(file, "%s", strerror(ENOMEM));
}

int cli_ring_open(const struct cli_config *config, struct cli_ring **ret)
{
	struct cli_ring *ring = calloc(1, sizeof(*ring));
	int r = 0;

	if (!ring)
		return cli_fail(config->file, "%s", strerror(ENOMEM));
	ring->given = config->file;
	ring->inotify = ring->stop[0] = ring->stop[1] = -1;
	r = provide_descriptors(config->file, config->file_count);
	for (size_t i = 0; i < config->file_count && !r; i++)
		r = open_operand(ring, config->files[i]);
	if (!r && config->file_count == 1)
		ring->path = strdup(ring->directories[0].path);
	if (r)
		cli_ring_close(ring);
	else
		*ret = ring;
	return r;
}

/* ---- what is chosen */

static void leave_out(struct cli_ring *ring, struct ring_file *file, const char *why)
{
	cli_log_note("%s: left out: %s", file->path, why);
	util_close(file->fd);
	file->fd = -1;
	file->refused = true;
	ring->left_out++;
}

/* Pipes are not looked at: what was read of them would be gone. */
static int probe(struct cli_ring *ring, struct ring_file *file)
{
	struct pktfs_error error;
	struct stat st;
	int r;

	if (fstat(file->fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
		return 0;
	r = pktfs_probe(file->fd, &ring->options, &error);
	if (r == 0)
		return 0;
	if (file->given && !(S_ISREG(st.st_mode) && st.st_size == 0))
		return cli_fail(file->given, "%s", error.text);
	leave_out(ring, file, error.text);
	return 0;
}

/* Packets without a time that are passed over. */
#define UNTIMED_MAX 1000u

/* Where none has a time, the file is among the last. */
static void find_first_time(const struct cli_ring *ring, struct ring_file *file)
{
	struct pktfs_packet packet;
	pktfs_capture *capture;
	bool found = false;
	uint64_t n;

	file->first = (struct pktfs_time){.sec = INT64_MAX};
	if (file->fd < 0 || pktfs_open_fd(file->fd, &ring->options, &capture, NULL) < 0)
		return;
	for (n = 1; n <= UNTIMED_MAX && !found; n++) {
		if (pktfs_packet_get(capture, n, &packet, NULL) < 0)
			break;
		found = packet.has_time;
		if (found)
			file->first = packet.time;
		pktfs_packet_release(&packet);
	}
	pktfs_close(capture);
}

static int by_first_time(const void *a, const void *b)
{
	const struct ring_file *x = a, *y = b;

	if (x->first.sec != y->first.sec)
		return x->first.sec < y->first.sec ? -1 : 1;
	if (x->first.nsec != y->first.nsec)
		return x->first.nsec < y->first.nsec ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void sort_by_time(struct cli_ring *ring)
{
	for (size_t i = 0; i < ring->file_count; i++) {
		find_first_time(ring, &ring->files[i]);
		ring->files[i].number = i;
	}
	qsort(ring->files, ring->file_count, sizeof(*ring->files), by_first_time);
}

int cli_ring_choose(struct cli_ring *ring, bool by_time, const struct pktfs_open_options *options)
{
	const char *where = ring->given;
	int r = 0;

	ring->options = *options;
	ring->options.flags = 0;
	for (size_t i = 0; i < ring->file_count && !r; i++)
		r = probe(ring, &ring->files[i]);
	if (r)
		return r;
	if (ring->left_out == ring->file_count)
		return cli_fail(where,
				"found no capture among %zu files; accepted a capture (pcap or "
				"pcapng, plain or compressed with zstd or gzip), or a directory "
				"with some",
				ring->file_count);
	if (by_time)
		sort_by_time(ring);
	for (size_t i = 0; i < ring->file_count && !ring->path; i++)
		if (!ring->files[i].refused)
			ring->path = strdup(ring->files[i].path);
	return ring->path ? 0 : cli_fail(where, "%s", strerror(ENOMEM));
}

int cli_ring_capture(struct cli_ring *ring, const struct pktfs_open_options *options,
		     const char *last, pktfs_capture **ret)
{
	_cleanup_free_ struct pktfs_input *inputs = calloc(ring->file_count + 1, sizeof(*inputs));
	struct pktfs_error error = {0};
	struct ring_file *file;
	size_t count = 0;
	int r;

	if (!inputs)
		return cli_fail(ring->path, "%s", strerror(ENOMEM));
	for (file = ring->files; file < ring->files + ring->file_count; file++) {
		if (file->refused)
			continue;
		file->number = count;
		file->taken = true;
		inputs[count++] = (struct pktfs_input){.path = file->path, .fd = file->fd};
	}
	if (last)
		inputs[count++] = (struct pktfs_input){.path = last, .fd = -1};
	r = pktfs_open_inputs(inputs, count, options, ret, &error);
	for (file = ring->files; file < ring->files + ring->file_count; file++) {
		util_close(file->fd);
		file->fd = -1;
	}
	return r < 0 ? cli_fail(ring->path, "%s", error.text) : 0;
}

bool cli_ring_has_directory(const struct cli_ring *ring)
{
	return ring->directory_count > 0;
}

const char *cli_ring_path(const struct cli_ring *ring)
{
	if (ring->path)
		return ring->path;
	return ring->file_count ? ring->files[0].path : ring->directories[0].path;
}

size_t cli_ring_directories(const struct cli_ring *ring, const char ***ret)
{
	const char **paths = calloc(MAX(ring->directory_count, (size_t)1), sizeof(*paths));

	*ret = paths;
	for (size_t i = 0; paths && i < ring->directory_count; i++)
		paths[i] = ring->directories[i].path;
	return paths ? ring->directory_count : 0;
}

bool cli_ring_holds(const struct cli_ring *ring, const struct stat *st)
{
	for (size_t i = 0; i < ring->file_count; i++)
		if (ring->files[i].device == st->st_dev && ring->files[i].inode == st->st_ino)
			return true;
	return false;
}

static void free_all(struct cli_ring *ring)
{
	for (size_t i = 0; i < ring->file_count; i++) {
		free(ring->files[i].path);
		util_close(ring->files[i].fd);
	}
	for (size_t i = 0; i < ring->directory_count; i++) {
		free(ring->directories[i].path);
		util_close(ring->directories[i].fd);
	}
	util_close(ring->inotify);
	util_close(ring->stop[0]);
	util_close(ring->stop[1]);
	free(ring->files);
	free(ring->directories);
	free(ring->path);
	free(ring);
}

void cli_ring_close(struct cli_ring *ring)
{
	if (!ring)
		return;
	if (ring->following) {
		if (write(ring->stop[1], "", 1) < 0) {
			/* it cannot be full */
		}
		pthread_join(ring->thread, NULL);
	}
	free_all(ring);
}
