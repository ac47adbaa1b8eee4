/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a mount goes: a directory that is there, or one that we make and
 * remove when the mount ends.
 *
 * The directory below the mount is locked (flock) as long as its daemon lives:
 * by the keeper, which ends after it, and removes the directory last. So `pktfs -u m;
 * pktfs FILE m` works: -u returns when both have ended, and who mounts waits for a
 * keeper that is about to remove the directory.
 */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include <stdbool.h>

struct cli_place {
	char *path; /* absolute */
	bool made;  /* by us */
	int lock;   /* the directory; -1: none. Held until the program ends */
};

/* The MOUNTPOINT that was given, or the name after the file (of a directory with
 * .mnt behind it). malloc'ed; NULL: without memory, or there is none. */
char *cli_place_name(const char *file, const char *mountpoint);

/* The absolute form of a path that cannot be looked at, because it is not there
 * or what is mounted there is dead: only its parent is resolved. malloc'ed;
 * NULL and errno. */
char *cli_place_resolve(const char *path);

/* Makes the directory if it is not there. `must_be_empty`: nobody has named
 * it, so it must not hide anything. Returns 0, or the exit code after saying
 * what is wrong. */
int cli_place_open(const char *name, bool must_be_empty, struct cli_place *ret);

/* Removes the directory if we made it. */
void cli_place_close(struct cli_place *place);

/* Waits until the daemon that was mounted here has ended. -ETIMEDOUT: not within
 * CLI_PLACE_WAIT seconds. */
#define CLI_PLACE_WAIT 60
int cli_place_wait(const char *path);

#endif
