/* SPDX-License-Identifier: BSD-2-Clause */
#include "append_holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PROC_PATH_ROOM 64
#define ENTRIES_ROOM   4096
/* pos, flags, mnt_id and ino come first. */
#define FDINFO_ROOM 256
#define STATUS_ROOM 4096

/* ---- links */

static bool ends_with(const char *link, size_t length, const char *end)
{
	size_t size = strlen(end);

	return size <= length && memcmp(link + length - size, end, size) == 0;
}

/* What is removed has a mark behind it. */
static bool is_path(const char *link, size_t length, const char *end)
{
	static const char removed[] = " (deleted)";

	return ends_with(link, length, end) ||
	       (ends_with(link, length, removed) &&
		ends_with(link, length - (sizeof(removed) - 1), end));
}

static bool is_any_path(const char *link, size_t length, const struct append_paths *paths)
{
	for (unsigned i = 0; i < paths->count; i++)
		if (is_path(link, length, paths->text[i]))
			return true;
	return false;
}

/* ---- descriptors */

/* A file of /proc that is short: its text, or negative errno. */
static int read_all(int fd, char *ret, size_t room)
{
	ssize_t n = fd < 0 ? -1 : read(fd, ret, room - 1);

	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return 0;
}

/* The number behind "\nWORD:": 0 or -ENODATA. */
static int find_number(const char *text, const char *word, uint64_t *ret)
{
	const char *at = strstr(text, word);

	if (!at)
		return -ENODATA;
	*ret = strtoull(at + strlen(word), NULL, 10);
	return 0;
}

/* The inode of a descriptor: 0, -ENODATA (an old kernel), or negative errno. */
static int inode_of(int process, const char *number, uint64_t *ret)
{
	_cleanup_close_ int fd = -1;
	char path[PROC_PATH_ROOM], text[FDINFO_ROOM];
	int r;

	snprintf(path, sizeof(path), "fdinfo/%.20s", number);
	fd = openat(process, path, O_RDONLY | O_CLOEXEC);
	r = read_all(fd, text, sizeof(text));
	return r < 0 ? r : find_number(text, "\nino:", ret);
}

/* A mount that hangs, or is our own, is not asked: what the kernel has is enough,
 * and the device is always there. */
static bool is_on_device(int process, const char *path, dev_t device)
{
	struct statx stx;

	if (!device)
		return true;
	if (statx(process, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &stx) < 0)
		return errno != ENOENT;
	return makedev(stx.stx_dev_major, stx.stx_dev_minor) == device;
}

/* The link itself says by its mode for what the descriptor may be used. */
static bool may_write(int process, const char *path)
{
	struct stat st;

	return fstatat(process, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_mode & S_IWUSR;
}

static bool is_held(int process, const char *number, const struct append_paths *paths)
{
	char path[PROC_PATH_ROOM], link[PATH_MAX];
	uint64_t inode;
	ssize_t length;
	int r;

	snprintf(path, sizeof(path), "fd/%.20s", number);
	length = readlinkat(process, path, link, sizeof(link));
	if (length <= 0 || !paths->count ||
	    !is_path(link, (size_t)length, strrchr(paths->text[0], '/')) ||
	    !may_write(process, path))
		return false;
	r = inode_of(process, number, &inode);
	if (r == -ENOENT)
		return false; /* closed meanwhile */
	if (r < 0)
		return is_any_path(link, (size_t)length, paths);
	return inode == paths->node && is_on_device(process, path, paths->device);
}

/* ---- processes */

enum append_holder append_holder(pid_t pid, const struct append_paths *paths)
{
	_Alignas(struct dirent64) char entries[ENTRIES_ROOM];
	_cleanup_close_ int process = -1, directory = -1;
	const struct dirent64 *entry;
	char path[PROC_PATH_ROOM];
	unsigned left = APPEND_HOLDER_LIMIT;
	ssize_t size, at;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (process >= 0)
		directory = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return errno == ENOENT || errno == ESRCH ? APPEND_HOLDS_NOT : APPEND_HOLDS_UNKNOWN;
	while (left && (size = getdents64(directory, entries, sizeof(entries))) > 0) {
		for (at = 0; at < size && left; at += entry->d_reclen) {
			entry = (const struct dirent64 *)(const void *)(entries + at);
			if (*entry->d_name == '.')
				continue;
			left--;
			if (is_held(process, entry->d_name, paths))
				return APPEND_HOLDS;
		}
	}
	return APPEND_HOLDS_NOT;
}

static bool same_process(pid_t a, pid_t b)
{
	char path[PROC_PATH_ROOM];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)a, (int)b);
	return a == b || access(path, F_OK) == 0;
}

bool append_holder_was_last(pid_t opener, pid_t closer, const struct append_paths *paths)
{
	enum append_holder held = opener ? append_holder(opener, paths) : APPEND_HOLDS_NOT;

	if (held == APPEND_HOLDS)
		return false;
	if (!closer || (opener && same_process(opener, closer)))
		return true;
	return held != APPEND_HOLDS_UNKNOWN && append_holder(closer, paths) != APPEND_HOLDS;
}

static int open_status_of(void *context, pid_t pid)
{
	char path[PROC_PATH_ROOM];

	(void)context;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

pid_t append_holder_process(pid_t thread, int (*open_status)(void *context, pid_t pid),
			    void *context)
{
	_cleanup_close_ int fd = -1;
	char text[STATUS_ROOM];
	uint64_t process;

	/* nearly always it is the first thread of a process, and one call says so */
	fd = thread ? (int)syscall(SYS_pidfd_open, thread, 0) : -1;
	if (!thread || fd >= 0)
		return thread;
	fd = (open_status ? open_status : open_status_of)(context, thread);
	if (read_all(fd, text, sizeof(text)) < 0 || find_number(text, "\nTgid:", &process) < 0 ||
	    !process || process > INT_MAX)
		return thread;
	return (pid_t)process;
}
