/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_source.h"

#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_index.h"
#include "cli_keeper.h"
#include "cli_log.h"
#include "cli_place.h"
#include "cli_ring.h"

/* ---- what there is */

/* What realpath cannot resolve, but open can, is a pipe: the /dev/fd/63 of a
 * shell's <(command). */
static char *absolute(const char *file)
{
	char *path = realpath(file, NULL);

	if (!path && file[0] == '/' && access(file, R_OK) == 0)
		path = strdup(file);
	return path;
}

static int check_regular(const char *file, const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return cli_fail(file, "cannot be appended to: found a %s; accepted is a regular file",
			S_ISDIR(st->st_mode)    ? "directory"
			: S_ISFIFO(st->st_mode) ? "pipe"
						: "device or socket");
}

/* A pipe is opened here, by who may wait for its other end. */
static int open_once(const struct cli_config *config, struct cli_source *source)
{
	if (!strcmp(config->file, "-"))
		source->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	else
		source->fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return source->fd < 0 ? cli_fail(config->file, "%s", strerror(errno)) : 0;
}

static int find_capture(const struct cli_config *config, struct cli_source *source,
			struct stat *ret_st)
{
	bool standard_input = !strcmp(config->file, "-");
	int r = 0;

	source->path = standard_input ? strdup("stdin") : absolute(config->file);
	if (!source->path || (!standard_input && stat(source->path, ret_st) < 0))
		return cli_fail(config->file, "%s", strerror(errno));
	if (config->append)
		r = check_regular(config->file, ret_st);
	if (r)
		return r;
	if (standard_input ||
	    !(S_ISREG(ret_st->st_mode) || S_ISDIR(ret_st->st_mode) || S_ISBLK(ret_st->st_mode)))
		return open_once(config, source);
	source->files[source->file_count++] = source->path;
	return 0;
}

/* Which of them are captures is not known yet. */
static int find_ring(const struct cli_config *config, struct cli_source *source)
{
	int r;

	if (config->append && !config->append_file)
		return cli_fail(config->file, "cannot be appended to: found a directory; accepted "
					      "is a regular file");
	r = cli_ring_open(config, &source->ring);
	if (r)
		return r;
	source->path = strdup(cli_ring_path(source->ring));
	return source->path ? 0 : cli_fail(config->file, "%s", strerror(ENOMEM));
}

/* An empty file, whose name is on the disk: from a sandbox neither can be done. */
static int make_target(const struct cli_config *config, struct cli_source *source)
{
	_cleanup_free_ char *copy = strdup(source->target);
	_cleanup_close_ int fd = -1, directory = -1;

	if (!copy)
		return -ENOMEM;
	fd = open(source->target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	source->made = true;
	if (config->change_user && fchown(fd, config->user_uid, config->user_gid) < 0)
		return -errno;
	directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory >= 0)
		fsync(directory);
	return 0;
}

/* The file of -o append=FILE, which need not be there yet. */
static int find_target(const struct cli_config *config, const struct stat *capture,
		       struct cli_source *source)
{
	const char *file = config->append_file;
	struct stat st;
	int r = 0;

	source->target = realpath(file, NULL);
	if (!source->target && errno == ENOENT)
		source->target = cli_place_resolve(file);
	if (!source->target)
		return cli_fail(file, "%s", strerror(errno));
	if (stat(source->target, &st) < 0) {
		r = errno == ENOENT ? make_target(config, source) : -errno;
		if (r == 0 && stat(source->target, &st) < 0)
			r = -errno;
		if (r < 0)
			return cli_fail(file, "%s", strerror(-r));
	}
	source->files[source->file_count++] = source->target;
	r = check_regular(file, &st);
	if (!r && (source->ring ? cli_ring_holds(source->ring, &st)
				: st.st_dev == capture->st_dev && st.st_ino == capture->st_ino)) {
		cli_fail(file, "-o append=FILE: this is the capture itself; use -o rw, or "
			       "-o append; see pktfs --help");
		r = CLI_EXIT_USAGE;
	}
	return r;
}

int cli_source_find(const struct cli_config *config, struct cli_source *ret)
{
	struct stat st;
	int r;

	*ret = (struct cli_source){.fd = -1};
	if (config->spool) {
		ret->spool = realpath(config->spool, NULL);
		if (!ret->spool)
			return cli_fail(config->spool, "spool: %s", strerror(errno));
	}
	r = cli_ring_wanted(config) ? find_ring(config, ret) : find_capture(config, ret, &st);
	if (!r && config->append_file)
		r = find_target(config, &st, ret);
	return r;
}

/* ---- opening it */

int cli_source_append(const struct cli_config *config, struct cli_source *source,
		      struct cli_keeper *keeper)
{
	struct append_options options = {.separate = config->append_file,
					 .repair = config->repair,
					 .was_last = keeper ? cli_keeper_was_last : NULL,
					 .was_last_context = keeper,
					 .open_status = keeper ? cli_keeper_open_status : NULL,
					 .open_context = keeper};
	const char *file = config->append_file ? config->append_file : config->file;
	_cleanup_(text_free) struct text repaired = {0};
	struct pktfs_error error = {0};
	int r;

	if (!config->append)
		return 0;
	r = append_open(source->target ? source->target : source->path, &options, &source->append,
			&error);
	if (r < 0)
		return cli_fail(file, "%s", error.text[0] ? error.text : strerror(-r));
	append_repaired(source->append, &repaired);
	if (repaired.size && !repaired.failed)
		cli_log_said(file, repaired.bytes);
	return 0;
}

static int open_ring(const struct cli_config *config, const struct pktfs_open_options *wanted,
		     struct cli_source *source)
{
	struct pktfs_open_options options = *wanted;
	bool add = config->action == CLI_MOUNT && options.flags & PKTFS_OPEN_FOLLOW &&
		   cli_ring_has_directory(source->ring);
	char *path;
	int r = cli_ring_choose(source->ring, config->by_time, &options);

	if (r)
		return r;
	path = strdup(cli_ring_path(source->ring));
	if (!path)
		return cli_fail(config->file, "%s", strerror(ENOMEM));
	free(source->path);
	source->path = path;
	if (add)
		options.flags |= PKTFS_OPEN_MORE;
	r = cli_ring_capture(source->ring, &options, source->target, &source->capture);
	return !r && add ? cli_ring_follow(source->ring, source->capture) : r;
}

static int open_one(const struct cli_config *config, const struct pktfs_open_options *options,
		    struct cli_source *source)
{
	struct pktfs_error error = {0};
	int r;

	if (source->fd >= 0)
		r = pktfs_open_fd(source->fd, options, &source->capture, &error);
	else if (source->file_count > 1)
		r = pktfs_open_files(source->files, source->file_count, options, &source->capture,
				     &error);
	else
		r = pktfs_open(source->path, options, &source->capture, &error);
	util_close(source->fd);
	source->fd = -1;
	return r < 0 ? cli_fail(config->file, "%s", error.text[0] ? error.text : strerror(-r)) : 0;
}

int cli_source_open(const struct cli_config *config, struct cli_source *source,
		    struct cli_keeper *keeper, struct cli_index *index)
{
	_cleanup_close_ int index_fd = -1;
	struct pktfs_open_options options = {.spool_dir = source->spool,
					     .memory_bytes = config->memory,
					     .open_file = keeper ? cli_keeper_open : NULL,
					     .open_context = keeper};

	if (config->noscouts)
		options.flags |= PKTFS_OPEN_NO_SCOUTS;
	/* what we append to, nobody else writes */
	if (source->append)
		options.flags |= PKTFS_OPEN_GROWING;
	else if (!config->nofollow)
		options.flags |= PKTFS_OPEN_FOLLOW;
	if (config->action == CLI_INFO)
		options.flags |= PKTFS_OPEN_NO_WATCH;
	if (config->noparallel)
		options.flags |= PKTFS_OPEN_NO_PARALLEL;
	if (index)
		index_fd = cli_index_take(index, keeper, &options);
	return source->ring ? open_ring(config, &options, source)
			    : open_one(config, &options, source);
}

void cli_source_close(struct cli_source *source)
{
	cli_ring_close(source->ring);
	pktfs_close(source->capture);
	append_close(source->append);
	if (source->made)
		unlink(source->target);
	util_close(source->fd);
	free(source->path);
	free(source->target);
	free(source->spool);
	*source = (struct cli_source){.fd = -1};
}
