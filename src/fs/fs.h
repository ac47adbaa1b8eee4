/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serves a view to the kernel by FUSE: requests, replies, what the kernel may
 * cache. Knows no file format.
 *
 *	fs_open(&options, &fs);
 *	fs_mount(fs, "/abs/mnt");
 *	fs_start(fs);                  from here on the mount answers
 *	... until a byte arrives at options.ended_fd, or a signal ...
 *	unmount /abs/mnt, unless that is why we are here
 *	fs_stop(fs);
 *	fs_close(fs);
 *
 * Threads are started by fs_start: fork before it. All functions are called
 * from one thread. Failures are reported in words through fs_log_to as well.
 */
#ifndef FS_H
#define FS_H

#include <stdbool.h>

#include "view/view.h"

struct fs;

#define FS_THREADS_DEFAULT 2u
#define FS_THREADS_MAX     16u

struct fs_options {
	struct view *view;
	const char *mount_options; /* for libfuse and the kernel, separated by commas */
	unsigned threads;          /* that answer requests: 1 to FS_THREADS_MAX */
	bool noxattr;
	bool nopush;  /* files reach the kernel by its requests only */
	bool nopin;   /* what is read is copied: no view_pin */
	bool debug;   /* libfuse logs every request */
	int ended_fd; /* gets one byte when the kernel has ended the session */
	/* Opens /proc/PID/status, in a process that may not do so itself: a descriptor
	 * or negative errno. NULL: open(2). From any thread */
	int (*open_status)(void *context, pid_t pid);
	void *open_context;
};

/* `priority` as for syslog(3); `text` has no newline at its end. */
typedef void (*fs_log_fn)(int priority, const char *text);

/* Where fs and libfuse say what goes wrong. For the whole process; before
 * anything else. */
void fs_log_to(fs_log_fn log);

/* -EINVAL (the mount options; the log has the reason), -ENOMEM. */
int fs_open(const struct fs_options *options, struct fs **ret);

/* -EIO: the mount was refused; the log has the reason. */
int fs_mount(struct fs *fs, const char *mountpoint);

/* Mounts, and serves nothing: the descriptor of the device, for another process
 * to give to fs_mount as "/dev/fd/N" and for this one to close; -EINVAL, -EIO as
 * fs_open and fs_mount. What it leaves is freed when the process ends. */
int fs_mount_only(const char *options, const char *mountpoint);

/* Starts the threads and waits until the kernel has said hello; -EIO when it
 * has not. After a failure fs_stop and fs_close are still due. */
int fs_start(struct fs *fs);

/* Reads of large files ask for more at once. `device` is the st_dev of the
 * mount. Needs root; without it nothing happens. */
void fs_raise_readahead(dev_t device);

/* Ends and joins the threads. What was waiting for the index gets ENOTCONN. */
void fs_stop(struct fs *fs);

/* Frees. Does not unmount: a lazy unmount may have happened long ago, and
 * something else may be mounted there by now. NULL is allowed. */
void fs_close(struct fs *fs);

/* The version of libfuse that is linked, "3.14.0". */
const char *fs_libfuse_version(void);

#endif
