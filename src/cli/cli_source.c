/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_source.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_log.h"
#include "cli_place.h"
#include "cli_ring.h"

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

/* The file of -o append=FILE, which need not be there yet. */
static int find_target(const struct cli_config *config, const struct stat *capture,
		       struct cli_source *source)
{
	const char *file = config->append_file;
	struct stat st;
	int r;

	source->target = realpath(file, NULL);
	if (!source->target && errno == ENOENT)
		source->target = cli_place_resolve(file);
	if (!source->target)
		return cli_fail(file, "%s", strerror(errno));
	if (stat(source->target, &st) < 0) {
		source->made = errno == ENOENT;
		return source->made ? 0 : cli_fail(file, "%s", strerror(errno));
	}
	r = check_regular(file, &st);
	if (!r && (source->ring ? cli_ring_holds(source->ring, &st)
				: st.st_dev == capture->st_dev && st.st_ino == capture->st_ino)) {
		cli_fail(file, "-o append=FILE: this is the capture itself; use -o rw, or "
			       "-o append; see pktfs --help");
		r = CLI_EXIT_USAGE;
	}
	return r;
}

/* Before the capture is opened: what is repaired, or made, is part of it. */
static int open_append(const struct cli_config *config, struct cli_source *source)
{
	struct append_options options = {.separate = config->append_file, .repair = config->repair};
	const char *file = config->append_file ? config->append_file : config->file;
	struct pktfs_error error = {0};
	struct stat st = {0};
	int r = 0;

	if (!source->ring || !config->append_file) {
		if (stat(source->path, &st) < 0)
			return cli_fail(config->file, "%s", strerror(errno));
		r = check_regular(config->file, &st);
	}
	if (!r && config->append_file)
		r = find_target(config, &st, source);
	if (r)
		return r;
	r = append_open(source->target ? source->target : source->path, &options, &source->append,
			&error);
	if (r >= 0)
		return 0;
	source->made = false;
	return cli_fail(file, "%s", error.text[0] ? error.text : strerror(-r));
}

static int open_ring(const struct cli_config *config, const struct pktfs_open_options *wanted,
		     struct cli_source *source)
{
	struct pktfs_open_options options = *wanted;
	bool follow = config->action == CLI_MOUNT && !source->append &&
		      cli_ring_has_directory(source->ring);
	int r;

	if (follow)
		options.flags |= PKTFS_OPEN_MORE;
	r = cli_ring_capture(source->ring, &options, source->target, &source->capture);
	return !r && follow ? cli_ring_follow(source->ring, source->capture) : r;
}

static int open_capture(const struct cli_config *config, const char *spool,
			struct cli_source *source)
{
	struct pktfs_open_options options = {.spool_dir = spool};
	const char *paths[] = {source->path, source->target};
	struct pktfs_error error = {0};
	int r;

	if (source->append)
		options.flags |= PKTFS_OPEN_GROWING;
	if (source->ring)
		return open_ring(config, &options, source);
	if (!strcmp(config->file, "-"))
		r = pktfs_open_fd(STDIN_FILENO, &options, &source->capture, &error);
	else if (source->target)
		r = pktfs_open_files(paths, ARRAY_SIZE(paths), &options, &source->capture, &error);
	else
		r = pktfs_open(source->path, &options, &source->capture, &error);
	return r < 0 ? cli_fail(config->file, "%s", error.text[0] ? error.text : strerror(-r)) : 0;
}

/* The files are opened, if they are several, and the path is known. */
static int name_source(const struct cli_config *config, struct cli_source *source)
{
	int r = cli_ring_wanted(config) ? cli_ring_open(config, &source->ring) : 0;

	if (!r && source->ring)
		r = cli_ring_choose(source->ring, config->by_time);
	if (r)
		return r;
	if (source->ring)
		source->path = strdup(cli_ring_path(source->ring));
	else
		source->path = strcmp(config->file, "-") ? absolute(config->file) : strdup("stdin");
	return source->path ? 0 : cli_fail(config->file, "%s", strerror(errno));
}

int cli_source_open(const struct cli_config *config, struct cli_source *ret)
{
	_cleanup_free_ char *spool = config->spool ? realpath(config->spool, NULL) : NULL;
	int r = 0;

	*ret = (struct cli_source){0};
	if (config->spool && !spool)
		return cli_fail(config->spool, "spool: %s", strerror(errno));
	r = name_source(config, ret);
	if (!r && config->append)
		r = open_append(config, ret);
	if (!r)
		r = open_capture(config, spool, ret);
	if (r)
		cli_source_close(ret);
	return r;
}

void cli_source_close(struct cli_source *source)
{
	cli_ring_close(source->ring);
	pktfs_close(source->capture);
	if (source->made)
		unlink(source->target);
	append_close(source->append);
	free(source->path);
	free(source->target);
	*source = (struct cli_source){0};
}
