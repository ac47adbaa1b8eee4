/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "source/source_lease.h"

int capture_writer_open(int descriptor)
{
	char name[40];

	/* not a duplicate: that would be the writer, if it was opened for both,
	 * and another program may have it, too (standard input) */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", descriptor);
	return open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

int capture_writer_there(int writer)
{
	int r = writer < 0 ? -EOPNOTSUPP : source_lease_ask(writer);

	if (r == 0)
		fcntl(writer, F_SETLEASE, F_UNLCK);
	return r == 0 ? 0 : r == -EAGAIN ? 1 : -1;
}
