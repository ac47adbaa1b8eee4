/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mount namespace of the test's own. The captures that other tests have mounted are
 * not taken along: their daemons end with their last mount. Only for root.
 */
#ifndef OWN_MOUNTS_H
#define OWN_MOUNTS_H

#include <mntent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

/* False, and errno: it cannot be had. */
static inline bool own_mounts(void)
{
	struct mntent *entry;
	FILE *mounts;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	mounts = setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return false;
	while ((entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "fuse.pktfs") == 0)
			umount2(entry->mnt_dir, MNT_DETACH);
	}
	endmntent(mounts);
	return true;
}

#endif
