/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a process has a file of append/ open for writing, by the links in
 * /proc/PID/fd: their ends are compared with the path of the file inside the
 * mount, and nothing is looked at through them (that would be a request to the
 * daemon by itself). A flush comes when close(2) has already taken the
 * descriptor out of the table; at exit the table is empty.
 *
 * A file that was reached by another path than /append/ in it (a bind mount of
 * append/0) is not recognised; one of the same path in another mount is taken
 * for it.
 */
#ifndef APPEND_HOLDER_H
#define APPEND_HOLDER_H

#include <sys/types.h>

#include "util/util_base.h"

/* "/append/", a directory, "/", a name, NUL */
#define APPEND_PATH_ROOM (8 + 255 + 1 + 255 + 1)

/* The ways in which a path may end. */
struct append_paths {
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

#endif
