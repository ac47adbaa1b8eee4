/* SPDX-License-Identifier: BSD-2-Clause */
#include "append_holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROC_PATH_ROOM 64
#define ENTRIES_ROOM   4096

static bool ends_with(const char *link, size_t length, const char *end)
{
	size_t size = strlen(end);

	return size <= length && memcmp(link + length - size, end, size) == 0;
}

/* What is removed has a mark behind it. */
static bool is_file(const char *link, size_t length, const struct append_paths *paths)
{
	static const char removed[] = " (deleted)";
	size_t bare = length;

	if (ends_with(link, length, removed))
		bare -= sizeof(removed) - 1;
	for (unsigned i = 0; i < paths->count; i++)
		if (ends_with(link, length, paths->text[i]) ||
		    ends_with(link, bare, paths->text[i]))
			return true;
	return false;
}

/* The link itself says by its mode for what the descriptor may be used. */
static bool may_write(int directory, const char *number)
{
	struct stat st;

	return fstatat(directory, number, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_mode & S_IWUSR;
}

static bool is_held(int directory, const char *number, const struct append_paths *paths)
{
	char link[PATH_MAX];
	ssize_t length = readlinkat(directory, number, link, sizeof(link));

	return length > 0 && is_file(link, (size_t)length, paths) && may_write(directory, number);
}

enum append_holder append_holder(pid_t pid, const struct append_paths *paths)
{
	_Alignas(struct dirent64) char entries[ENTRIES_ROOM];
	_cleanup_close_ int directory = -1;
	const struct dirent64 *entry;
	char path[PROC_PATH_ROOM];
	ssize_t size, at;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return errno == ENOENT || errno == ESRCH ? APPEND_HOLDS_NOT : APPEND_HOLDS_UNKNOWN;
	while ((size = getdents64(directory, entries, sizeof(entries))) > 0) {
		for (at = 0; at < size; at += entry->d_reclen) {
			entry = (const struct dirent64 *)(const void *)(entries + at);
			if (*entry->d_name != '.' && is_held(directory, entry->d_name, paths))
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
	if (!closer || closer == opener)
		return true;
	if (held == APPEND_HOLDS_UNKNOWN && !same_process(closer, opener))
		return false;
	return append_holder(closer, paths) != APPEND_HOLDS;
}
