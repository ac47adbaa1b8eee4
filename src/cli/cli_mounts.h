/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mount table, and unmounting.
 */
#ifndef CLI_MOUNTS_H
#define CLI_MOUNTS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct pktfs_error;

struct cli_mount {
	dev_t device;
	bool pktfs; /* of type fuse.pktfs */
};

/* What is mounted at `path` (absolute), the topmost if there are several.
 * 1 and *ret, 0 when nothing is, negative errno. */
int cli_mounts_find(const char *path, struct cli_mount *ret);

/* The same in a table that is open (as /proc/self/mountinfo): for tests. */
int cli_mounts_find_in(FILE *table, const char *path, struct cli_mount *ret);

/* Unmounts what is at `path`, with fusermount3 where we may not. `lazy`: it
 * leaves the tree at once, whoever still uses it. 0; -EBUSY: somebody does; another
 * negative errno. The error's text is what is wrong, or what fusermount3 says. In a
 * process of one thread. */
int cli_unmount(const char *path, bool lazy, struct pktfs_error *ret_error);

/* pktfs -u. Returns the exit code. */
int cli_unmount_command(const char *mountpoint);

#endif
