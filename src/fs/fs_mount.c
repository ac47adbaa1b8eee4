/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounting alone, for a process that serves nothing: the descriptor of the
 * device is what another one serves (fs_mount with "/dev/fd/N").
 */
#include "fs_internal.h"

#include <fcntl.h>

int fs_mount_only(const char *options, const char *mountpoint)
{
	static const struct fuse_lowlevel_ops none;
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_session *session = NULL;
	int fd = -EINVAL;

	fs_log_install();
	if (!fuse_opt_add_arg(&args, "pktfs") && !fuse_opt_add_arg(&args, "-o") &&
	    !fuse_opt_add_arg(&args, options))
		session = fuse_session_new(&args, &none, sizeof(none), NULL);
	fuse_opt_free_args(&args);
	if (!session)
		return fd;
	if (fuse_session_mount(session, mountpoint) < 0) {
		fuse_session_destroy(session);
		return -EIO;
	}
	/* the session is neither unmounted nor destroyed: both would end it */
	fd = fuse_session_fd(session);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}
