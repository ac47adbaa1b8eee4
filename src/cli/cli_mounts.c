/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_mounts.h"

#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "cli_options.h"
#include "cli_place.h"
#include "cli_words.h"
#include "util/util_base.h"

#define FUSE_TYPE "fuse.pktfs"

extern char **environ;

/* The kernel writes space, tab, newline and backslash as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] && text[3]) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* "36 35 0:45 / /mnt/x ro,nodev shared:1 - fuse.pktfs SOURCE ro", see proc(5). */
static bool parse_line(char *line, const char *path, struct cli_mount *ret)
{
	char *saved, *device = NULL, *target = NULL, *type, *word;
	unsigned field, major, minor;

	type = strstr(line, " - ");
	if (!type)
		return false;
	*type = '\0';
	type += 3;
	word = strtok_r(line, " ", &saved);
	for (field = 0; word && field < 5; field++, word = strtok_r(NULL, " ", &saved)) {
		if (field == 2)
			device = word;
		else if (field == 4)
			target = word;
	}
	if (!target || sscanf(device, "%u:%u", &major, &minor) != 2)
		return false;
	unescape(target);
	if (strcmp(target, path) != 0)
		return false;
	type[strcspn(type, " ")] = '\0';
	*ret = (struct cli_mount){.device = makedev(major, minor),
				  .pktfs = !strcmp(type, FUSE_TYPE)};
	return true;
}

int cli_mounts_find_in(FILE *table, const char *path, struct cli_mount *ret)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	int found = 0;

	while (getline(&line, &room, table) > 0)
		if (parse_line(line, path, ret))
			found = 1; /* later lines lie above */
	return found;
}

int cli_mounts_find(const char *path, struct cli_mount *ret)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	int r;

	if (!table)
		return -errno;
	r = cli_mounts_find_in(table, path, ret);
	fclose(table);
	return r;
}

/* 0 or its exit code, negative when it could not be run. */
static int run_fusermount(const char *path, bool lazy)
{
	const char *argv[] = {
		"fusermount3", "-u", lazy ? "-z" : "--", lazy ? "--" : path, lazy ? path : NULL,
		NULL};
	char *const *arguments = (char *const *)(uintptr_t)argv;
	int status = 0, r;
	pid_t pid;

	r = posix_spawnp(&pid, argv[0], NULL, NULL, arguments, environ);
	if (r)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

/* What it says is not translated. */
static int unmount_by_fusermount(const char *path, bool lazy, struct pktfs_error *ret_error)
{
	char text[CLI_WORDS_ROOM];
	struct cli_words words;
	int r;

	cli_words_begin(&words);
	r = run_fusermount(path, lazy);
	cli_words_end(&words, text, sizeof(text));
	if (r < 0)
		return error_set(ret_error, r, "fusermount3: %s", strerror(-r));
	if (r > 0 && strstr(text, strerror(EBUSY)))
		return error_set(ret_error, -EBUSY, "%s", text);
	if (r > 0)
		return error_set(ret_error, -EPERM, "%s",
				 text[0] ? text : "fusermount3 has failed, and has not said why");
	return 0;
}

int cli_unmount(const char *path, bool lazy, struct pktfs_error *ret_error)
{
	if (umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0)
		return 0;
	if (errno != EPERM)
		return error_set(ret_error, -errno, "%s", strerror(errno));
	return unmount_by_fusermount(path, lazy, ret_error);
}

static int complain(const char *mountpoint, const char *what)
{
	fprintf(stderr, "pktfs: %s: %s\n", mountpoint, what);
	return CLI_EXIT_FAILED;
}

int cli_unmount_command(const char *mountpoint)
{
	_cleanup_free_ char *path = realpath(mountpoint, NULL);
	struct pktfs_error error;
	struct cli_mount mount;
	int r;

	if (!path && (errno == ENOTCONN || errno == EIO || errno == EACCES))
		path = cli_place_resolve(mountpoint);
	if (!path)
		return complain(mountpoint, strerror(errno));
	r = cli_mounts_find(path, &mount);
	if (r < 0)
		return complain("/proc/self/mountinfo", strerror(-r));
	if (!r)
		return complain(mountpoint, "nothing is mounted here; a mount of pktfs is needed");
	if (!mount.pktfs)
		return complain(mountpoint,
				"this is not a mount of pktfs; use umount(8) for others");
	r = cli_unmount(path, false, &error);
	if (r == -EBUSY)
		return complain(mountpoint, "in use: a process has a file open or its current "
					    "directory there; end it, or use fusermount3 -uz");
	if (r < 0)
		return complain(mountpoint, error.text);
	r = cli_place_wait(path);
	return r < 0 ? complain(mountpoint, "unmounted; but its daemon has not ended since")
		     : 0;
}
