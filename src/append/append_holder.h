/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a process has a file of append/ open for writing.
 *
 * Of the links in /proc/PID/fd those count that end in the name of the file, with
 * " (deleted)" or without: so the path before it may be that of a bind mount. That
 * it is the file is said by the inode number in /proc/PID/fdinfo (since Linux
 * 5.14), which is its node, and by the device, as each mount counts its files from
 * 1. Where there is no inode number, the end of the path is compared; then a bind
 * mount of append/0 is not recognised, and a file of the same path in another
 * mount is taken for this one.
 *
 * Nothing of this is a request to the daemon, which asks it about itself. A flush
 * comes when close(2) has already taken the descriptor out of the table; at exit
 * the table is empty.
 *
 * A process with many descriptors does not make others wait: those above the
 * lowest APPEND_HOLDER_LIMIT are not looked at, and so not held.
 */
#ifndef APPEND_HOLDER_H
#define APPEND_HOLDER_H

#include <sys/types.h>

#include "util/util_base.h"

/* "/append/", a directory, "/", a name, NUL */
#define APPEND_PATH_ROOM (8 + 255 + 1 + 255 + 1)
/* Some milliseconds. */
#define APPEND_HOLDER_LIMIT 4096u

/* A file, and the ways in which its path may end: all of them in the same name. */
struct append_paths {
	uint64_t node;
	dev_t device; /* of the mount; 0: not known, any */
	unsigned count;
	char text[2][APPEND_PATH_ROOM];
};

enum append_holder {
	APPEND_HOLDS_NOT, /* or there is no such process */
	APPEND_HOLDS,
	APPEND_HOLDS_UNKNOWN, /* it may not be looked at */
};
enum append_holder append_holder(pid_t pid, const struct append_paths *paths);

/*
 * Whether a close by thread `closer` (0: not known) of what `opener` (0: not
 * known) opened was that of the last descriptor that counts. The ids may be of
 * two threads of one process. A process that ends may not be looked at by others
 * than root, and holds nothing; another than the opener does not decide, while
 * it is not known what the opener holds.
 */
bool append_holder_was_last(pid_t opener, pid_t closer, const struct append_paths *paths);

/*
 * The process that a thread is of: its descriptors are there when the thread has
 * ended. `thread` itself where that cannot be found out. `open_status` opens
 * /proc/PID/status: a descriptor or negative errno; NULL: open(2).
 */
pid_t append_holder_process(pid_t thread, int (*open_status)(void *context, pid_t pid),
			    void *context);

#endif
