/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becoming a daemon whose start can fail: the parent stays until the child
 * says that the mount answers, and ends with what the child ended with.
 *
 *	struct cli_daemon daemon;
 *	cli_daemon_prepare(&daemon);          at the very start
 *	switch (cli_daemon_fork(&daemon)) {
 *	case 0: ... open, mount ...; cli_daemon_ready(&daemon); ...
 *	default: return cli_daemon_wait(&daemon, file, mountpoint);
 *	}
 */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

#include <sys/types.h>

#include "util/util_base.h"

/* Descriptors that we were started with and that a daemon must not hold (a
 * lock of a shell script, say). More than these are left alone. */
#define CLI_INHERITED_MAX 64u

struct cli_daemon {
	pid_t child;
	int report_fd; /* the child writes, the parent reads; -1: none */
	int null_fd;   /* of /dev/null, which cannot be opened from a sandbox */
	int inherited[CLI_INHERITED_MAX];
	unsigned inherited_count;
};

/* Plugs descriptors 0 to 2 where they are closed, so that no file of ours gets
 * such a number, and notes the others. */
void cli_daemon_prepare(struct cli_daemon *daemon);

/* As fork(2), -errno. */
pid_t cli_daemon_fork(struct cli_daemon *daemon);

/* In the child, once the mount answers: leaves the terminal and tells the
 * parent. Nothing can be said to the user from here on. */
void cli_daemon_ready(struct cli_daemon *daemon);

/* In the parent: the exit code. */
int cli_daemon_wait(struct cli_daemon *daemon, const char *file, const char *mountpoint);

#endif
