/* SPDX-License-Identifier: BSD-2-Clause */
#include "write_lock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/*
 * A line: "1: FLOCK  ADVISORY  WRITE 1234 08:02:131073 0 EOF". The device is the
 * file system's own, which on btrfs and overlayfs is not what stat(2) says: a
 * lock of the same inode on another device is second choice. 0: not found, or
 * in a process namespace that we cannot see.
 */
static long holder(const struct stat *st)
{
	FILE *locks = fopen("/proc/locks", "re");
	unsigned device_major, device_minor;
	uint64_t inode;
	long pid, found = 0;
	char line[256];

	while (locks && fgets(line, sizeof(line), locks)) {
		if (sscanf(line, "%*s FLOCK %*s WRITE %ld %x:%x:%" SCNu64, &pid, &device_major,
			   &device_minor, &inode) != 4 ||
		    inode != st->st_ino || pid <= 0)
			continue;
		found = pid;
		if (device_major == major(st->st_dev) && device_minor == minor(st->st_dev))
			break;
	}
	if (locks)
		fclose(locks);
	return found;
}

static int busy(int fd, struct pktfs_error *ret_error)
{
	struct stat st;
	long pid = fstat(fd, &st) == 0 ? holder(&st) : 0;

	if (pid)
		return error_set(ret_error, -EBUSY,
				 "is being written by process %ld; accepted one writer at a time",
				 pid);
	return error_set(ret_error, -EBUSY,
			 "is being written by another process, whose id cannot be seen from here; "
			 "accepted one writer at a time");
}

int write_lock(int fd, struct pktfs_error *ret_error)
{
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return busy(fd, ret_error);
		if (errno != EINTR)
			return error_set(ret_error, -errno, "cannot be locked: %s",
					 strerror(errno));
	}
	return 0;
}
