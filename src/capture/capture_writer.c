/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

int capture_writer_open(int descriptor)
{
	char name[40];
	int writer;

	/* not a duplicate: that would be the writer, if it was opened for both,
	 * and another program may have it, too (standard input) */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", descriptor);
	writer = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	/* in a sandbox nothing can be opened, but the descriptor is ours alone */
	if (writer < 0 && (fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY)
		writer = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
	/* the signal to one whose lease is in the way ends a program, unless it
	 * is one that is ignored */
	if (writer >= 0)
		fcntl(writer, F_SETSIG, SIGURG);
	return writer;
}

int capture_writer_there(int writer)
{
	if (writer < 0)
		return -1;
	if (fcntl(writer, F_SETLEASE, F_RDLCK) == 0) {
		fcntl(writer, F_SETLEASE, F_UNLCK);
		return 0;
	}
	return errno == EAGAIN ? 1 : -1;
}
