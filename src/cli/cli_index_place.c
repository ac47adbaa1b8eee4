/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_index_place.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_place.h"
#include "index/index.h"
#include "util/util_base.h"

#define FOLDER "pktfs"

/* ---- names */

/* A relative path in one of these means nothing. */
static const char *absolute(const char *variable)
{
	const char *path = getenv(variable);

	return path && path[0] == '/' ? path : NULL;
}

int cli_index_place_in_cache(const struct stat *st, struct cli_index_place *ret)
{
	const char *cache = absolute("XDG_CACHE_HOME"), *home = absolute("HOME");

	if (!cache && !home)
		return -ENOENT;
	*ret = (struct cli_index_place){.cache = true};
	if (asprintf(&ret->directory, "%s%s", cache ? cache : home, cache ? "" : "/.cache") < 0)
		ret->directory = NULL;
	if (asprintf(&ret->name, "%llx-%llx.index", (unsigned long long)st->st_dev,
		     (unsigned long long)st->st_ino) < 0)
		ret->name = NULL;
	if (ret->directory && ret->name)
		return 0;
	cli_index_place_free(ret);
	return -ENOMEM;
}

int cli_index_place_named(const char *file, struct cli_index_place *ret)
{
	_cleanup_free_ char *path = cli_place_resolve(file);
	char *slash = path ? strrchr(path, '/') : NULL;
	struct stat st;

	if (!slash)
		return -errno;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return -EISDIR;
	*ret = (struct cli_index_place){.name = strdup(slash + 1)};
	slash[slash == path] = '\0';
	ret->directory = strdup(path);
	if (ret->directory && ret->name && *ret->name)
		return 0;
	cli_index_place_free(ret);
	return -ENOMEM;
}

void cli_index_place_free(struct cli_index_place *place)
{
	free(place->directory);
	free(place->name);
	*place = (struct cli_index_place){0};
}

/* ---- the directory */

/* A directory that only we can write to. */
static int open_own(int at, const char *name, int flags)
{
	int fd = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	close(fd);
	return -EPERM;
}

/* The same; where it is not there and may be made, it is. */
static int open_or_make(int at, const char *name, int flags, bool make)
{
	int fd = open_own(at, name, flags);

	if (fd != -ENOENT || !make)
		return fd;
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	return open_own(at, name, flags);
}

static int open_directory(const struct cli_index_place *place, bool make)
{
	_cleanup_close_ int cache = -1;
	int fd;

	if (!place->cache) {
		fd = open(place->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	cache = open_or_make(AT_FDCWD, place->directory, 0, make);
	return cache < 0 ? cache : open_or_make(cache, FOLDER, O_NOFOLLOW, make);
}

/* ---- the file */

/* A regular file of ours, for reading; *ret_st is what it is. Never waits. */
static int open_file(int directory, const char *name, struct stat *ret_st)
{
	int fd = openat(directory, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode) && ret_st->st_uid == geteuid())
		return fd;
	close(fd);
	return -EPERM;
}

int cli_index_place_open(const struct cli_index_place *place)
{
	_cleanup_close_ int directory = open_directory(place, false);
	struct stat st;
	int fd;

	if (directory < 0)
		return directory;
	fd = open_file(directory, place->name, &st);
	if (fd >= 0 && st.st_mode & (S_IRWXG | S_IRWXO)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

/* What has the name may go: 0; -ENOENT: nothing has it; -EEXIST: it may not. */
static int check_name(int directory, const char *name)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = open_file(directory, name, &st);
	if (fd < 0)
		return fd == -ENOENT ? fd : -EEXIST;
	return st.st_size == 0 || index_is_saved(fd) ? 0 : -EEXIST;
}

static void new_name(const struct cli_index_place *place, unsigned turn, char name[NAME_MAX + 1])
{
	/* cut it is as good: it ends with what no other process has */
	snprintf(name, NAME_MAX + 1, ".%.200s.%d.%u.new", place->name, (int)getpid(), turn);
}

int cli_index_place_make(const struct cli_index_place *place, unsigned turn)
{
	_cleanup_close_ int directory = open_directory(place, true);
	char name[NAME_MAX + 1];
	int fd, r;

	if (directory < 0)
		return directory;
	r = check_name(directory, place->name);
	if (r < 0 && r != -ENOENT)
		return r;
	new_name(place, turn, name);
	unlinkat(directory, name, 0); /* of a process that had our number before */
	fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

int cli_index_place_finish(const struct cli_index_place *place, unsigned turn, bool keep)
{
	_cleanup_close_ int directory = open_directory(place, false);
	char name[NAME_MAX + 1];
	int r = 0;

	if (directory < 0)
		return directory;
	new_name(place, turn, name);
	if (keep) {
		r = check_name(directory, place->name);
		r = r == -ENOENT ? 0 : r;
	}
	if (keep && r == 0 && renameat(directory, name, directory, place->name) < 0)
		r = -errno;
	if (!keep || r < 0)
		unlinkat(directory, name, 0);
	return r;
}

int cli_index_place_drop(const struct cli_index_place *place)
{
	_cleanup_close_ int directory = open_directory(place, false);
	int r;

	if (directory < 0)
		return directory;
	r = check_name(directory, place->name);
	if (r < 0)
		return r;
	return unlinkat(directory, place->name, 0) < 0 ? -errno : 0;
}
