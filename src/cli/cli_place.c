/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_place.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "cli_log.h"
#include "cli_mounts.h"
#include "cli_text.h"

#define LOCK_SECONDS        5 /* a large index takes a moment to be freed */
#define LOCK_TRIES_A_SECOND 500u
#define LOCK_PAUSE_NSEC     (1000000000L / LOCK_TRIES_A_SECOND)
#define PLACE_TRIES         10

/* "ring/" gives "ring.mnt": a name that is there already will not do. "." has none
 * that is not in itself. */
static char *directory_name(const char *directory)
{
	_cleanup_free_ char *path = realpath(directory, NULL), *here = realpath(".", NULL);
	const char *slash = path ? strrchr(path, '/') : NULL;
	char *name;

	if (!slash || !slash[1] || (here && !strcmp(path, here)) ||
	    asprintf(&name, "%s.mnt", slash + 1) < 0)
		return NULL;
	return name;
}

char *cli_place_name(const char *file, const char *mountpoint)
{
	_cleanup_(text_free) struct text stem = {0};
	struct stat st;

	if (mountpoint)
		return strdup(mountpoint);
	if (stat(file, &st) == 0 && S_ISDIR(st.st_mode))
		return directory_name(file);
	cli_stem(&stem, file);
	return stem.failed || !stem.size ? NULL : strdup(stem.bytes);
}

char *cli_place_resolve(const char *path)
{
	_cleanup_free_ char *copy = strdup(path), *parent = NULL;
	char *slash, *ret = NULL;
	size_t length;

	if (!copy)
		return NULL;
	for (length = strlen(copy); length > 1 && copy[length - 1] == '/'; length--)
		copy[length - 1] = '\0';
	slash = strrchr(copy, '/');
	if (slash)
		*slash = '\0';
	parent = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
	if (!parent || asprintf(&ret, "%s/%s", strcmp(parent, "/") ? parent : "",
				slash ? slash + 1 : copy) < 0)
		return NULL;
	return ret;
}

static bool is_empty(const char *name)
{
	DIR *dir = opendir(name);
	unsigned entries = 0;

	if (!dir)
		return false;
	while (readdir(dir))
		entries++;
	closedir(dir);
	return entries <= 2;
}

/* By the keeper of a mount that has just ended; a link to nowhere is there. */
static bool is_removed(const char *name)
{
	struct stat st;

	return errno == ENOENT && lstat(name, &st) < 0 && errno == ENOENT;
}

/* statvfs asks the daemon of a mount; stat may be answered by the kernel long
 * after that daemon is gone. 0, or the exit code, or -EAGAIN: it was removed. */
static int check(const char *name, bool must_be_empty)
{
	struct statvfs fs;
	struct stat st;

	if (statvfs(name, &fs) < 0 && errno == ENOTCONN)
		return cli_fail(name, "a mount whose daemon is gone is here; "
				      "end it with pktfs -u first");
	if (stat(name, &st) < 0)
		return is_removed(name) ? -EAGAIN : cli_fail(name, "%s", strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return cli_fail(name, "not a directory; a MOUNTPOINT is a directory, or a name "
				      "that is not there yet");
	if (must_be_empty && !is_empty(name))
		return cli_fail(name, "a directory that is not empty, or not readable; "
				      "give a MOUNTPOINT");
	return 0;
}

/* False: somebody has had the lock all the time. */
static bool lock(int fd, int how, unsigned seconds)
{
	unsigned tries = seconds * LOCK_TRIES_A_SECOND;

	while (flock(fd, how | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		if (!tries--)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_NSEC}, NULL);
	}
	return true;
}

/* An open directory with the lock on it. Where locks do not work (NFS) it goes
 * without. */
static int open_locked(const char *name)
{
	int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		lock(fd, LOCK_EX, LOCK_SECONDS);
	return fd;
}

int cli_place_wait(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || lock(fd, LOCK_SH, CLI_PLACE_WAIT) ? 0 : -ETIMEDOUT;
}

/* 0, or the exit code, or -EAGAIN: it was removed while we waited. */
static int take(const char *name, bool must_be_empty, struct cli_place *place)
{
	struct stat st;
	int r;

	place->made = mkdir(name, 0755) == 0;
	if (!place->made && errno != EEXIST)
		return cli_fail(name, "cannot be made: %s", strerror(errno));
	r = place->made ? 0 : check(name, false);
	if (r)
		return r;
	place->lock = open_locked(name);
	if (place->lock < 0 && errno == ENOENT)
		return -EAGAIN;
	if (place->lock >= 0 && fstat(place->lock, &st) == 0 && !st.st_nlink)
		r = -EAGAIN;
	else if (!place->made)
		r = check(name, must_be_empty);
	if (r == -EAGAIN) {
		util_close(place->lock);
		place->lock = -1;
	}
	return r;
}

int cli_place_open(const char *name, bool must_be_empty, struct cli_place *ret)
{
	struct cli_mount mount;
	int r, tries = PLACE_TRIES;

	*ret = (struct cli_place){.lock = -1};
	do {
		r = take(name, must_be_empty, ret);
	} while (r == -EAGAIN && --tries);
	if (r)
		return r < 0 ? cli_fail(name, "%s", strerror(-r)) : r;
	ret->path = realpath(name, NULL);
	if (!ret->path)
		return cli_fail(name, "%s", strerror(errno));
	if (cli_mounts_find(ret->path, &mount) == 1 && mount.pktfs)
		return cli_fail(name, "a capture is mounted here already; "
				      "end it with pktfs -u first");
	return 0;
}

void cli_place_close(struct cli_place *place)
{
	if (place->path && place->made)
		rmdir(place->path);
	free(place->path);
	place->path = NULL;
}
