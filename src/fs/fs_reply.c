/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs_internal.h"

#include <string.h>
#include <sys/mman.h>
#include <syslog.h>

/* The first failures are logged, then one in a thousand: a log that a reader
 * of a broken disk can fill is a second failure. */
#define LOGGED_ALL    20u
#define LOGGED_ONE_IN 1000u

/*
 * Only what a caller is meant to see goes through; the view has made EIO of what
 * is wrong with a capture. ENOSYS never does: to the kernel it means "do not ask
 * again". ENODATA is for extended attributes alone, whose code replies itself.
 */
int fs_errno(int code)
{
	switch (-code) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ENAMETOOLONG:
	case EACCES:
	case EROFS:
	case EINVAL:
	case ENOMEM:
	case EINTR:
	case ENOTCONN:
	case ESTALE:
	case 0:
	case EEXIST:
	case EXDEV:
	case ENOSPC:
	case EMFILE:
	/* of what is appended, where it is closed */
	case EMSGSIZE:
	case ERANGE:
	case EFBIG:
	case EDQUOT:
	case EOPNOTSUPP:
	case ENXIO:
	case EPERM:
	case EBUSY:
	case ENOTEMPTY:
		return -code;
	case ECANCELED: /* the capture is being closed */
		return ENOTCONN;
	default: /* EBADMSG, ENODATA, EIO, ... */
		return EIO;
	}
}

double fs_attr_timeout(const struct view_entry *entry)
{
	if (!entry->live)
		return FS_FOREVER_SEC;
	if (S_ISDIR(entry->st.st_mode))
		return FS_LIVE_DIRECTORY_SEC;
	return entry->still ? FS_STILL_SEC : 0;
}

/* The name of a directory leads to the same node for ever, also while its
 * attributes still change: only files come and go, but for what users
 * made. */
void fs_entry(const struct view_entry *entry, struct fuse_entry_param *ret)
{
	*ret = (struct fuse_entry_param){
		.ino = entry->st.st_ino,
		.attr = entry->st,
		.attr_timeout = fs_attr_timeout(entry),
		.entry_timeout =
			S_ISDIR(entry->st.st_mode) ? FS_FOREVER_SEC : fs_attr_timeout(entry),
	};
	if (entry->fleeting)
		ret->entry_timeout = 0;
}

static void log_failure(const struct fs_request *request, int code)
{
	uint64_t count = atomic_fetch_add(&request->fs->failures, 1);

	if (count >= LOGGED_ALL && count % LOGGED_ONE_IN)
		return;
	fs_log(LOG_ERR, "request for inode %#jx, offset %ju%s%s: %s", (uintmax_t)request->node,
	       (uintmax_t)request->offset, request->name ? ", name " : "",
	       request->name ? request->name : "", strerror(-code));
}

void fs_reply_error(const struct fs_request *request, int code)
{
	int number = fs_errno(code);

	if (number == EIO || number == ENOMEM)
		log_failure(request, code);
	fuse_reply_err(request->req, number);
}

static _Thread_local char *buffer;

/* Mapped, not allocated: only pages that were read into count as memory. */
char *fs_buffer(void)
{
	void *bytes;

	if (!buffer) {
		bytes = mmap(NULL, FS_READ_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
		if (bytes == MAP_FAILED)
			return NULL;
		buffer = bytes;
	}
	return buffer;
}

void fs_buffer_free(void)
{
	fs_buffer_drop(fs_buffer_swap(NULL));
}

char *fs_buffer_swap(char *bytes)
{
	char *before = buffer;

	buffer = bytes;
	return before;
}

void fs_buffer_drop(char *bytes)
{
	if (bytes)
		munmap(bytes, FS_READ_MAX);
}
