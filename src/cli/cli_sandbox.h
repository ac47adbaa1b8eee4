/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon gives away before it looks at a byte of the capture:
 *
 *	the user, where it is root and another one is asked for
 *	capabilities, and new privileges (no set-user-id program helps)
 *	core dumps, and being looked into by others of the same user
 *	Landlock: no file can be opened, but the few that libraries read
 *	seccomp: no call but those in use; no socket, no program
 *
 * It keeps the descriptors that it has. What needs more is done by the keeper,
 * cli_keeper.h, which looks at no capture.
 *
 *	cli_sandbox_narrow(&sandbox, &missing);   only where FILE is appended to:
 *	append_open(...);                         it is opened by its path
 *	cli_sandbox_enter(&sandbox, &missing);
 *
 * To be entered by the only thread of the process: the threads that it starts
 * inherit everything.
 */
#ifndef CLI_SANDBOX_H
#define CLI_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/util_text.h"

struct cli_sandbox {
	int keeper_fd;
	const char *target; /* what narrow leaves for writing; NULL: nothing */
	bool repair;        /* and all that is beside it */
	bool change_user;   /* enter: to `uid` and `gid` */
	uid_t uid;
	gid_t gid;
};

/* Becomes the other user, if there is one, for good, and nothing else. 0 or
 * negative errno. */
int cli_sandbox_become(const struct cli_sandbox *sandbox);

/*
 * 0, also where the kernel lacks a part of it: *ret_missing gets a line about
 * each, if it is empty. Negative errno: what the kernel has could not be used,
 * and the daemon must not go on.
 */
int cli_sandbox_narrow(const struct cli_sandbox *sandbox, struct text *ret_missing);
int cli_sandbox_enter(const struct cli_sandbox *sandbox, struct text *ret_missing);

/* The parts. 0; -EOPNOTSUPP: the kernel lacks it; else what failed. `narrow`:
 * what narrow leaves. */
int cli_sandbox_files(const struct cli_sandbox *sandbox, bool narrow);
int cli_sandbox_calls(const struct cli_sandbox *sandbox, bool narrow);

#endif
