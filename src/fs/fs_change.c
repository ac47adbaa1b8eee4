/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that change something. What they can change is what users make
 * under by/ (named sets and links, in memory only); the capture is never
 * touched. Everything else is EROFS, whoever asks.
 *
 * The mount itself is not read-only, since a kernel answers for one that is,
 * and named sets could not be made.
 */
#include "fs_internal.h"

#include <string.h>

/* A name in a directory is made or removed at once: nothing here waits, but for
 * an expression whose link types are not known yet, and that is tried again. */
static struct fs_request request_on(fuse_req_t req, uint64_t node,
				    int (*answer)(const struct fs_request *request))
{
	return (struct fs_request){
		.fs = fuse_req_userdata(req),
		.req = req,
		.answer = answer,
		.node = node,
	};
}

static void reply_made(const struct fs_request *request, const struct view_entry *entry)
{
	struct fuse_entry_param param;

	fs_entry(entry, &param);
	fuse_reply_entry(request->req, &param);
}

static int answer_mkdir(const struct fs_request *request)
{
	struct view_entry entry;
	uint64_t end;
	int r = view_mkdir(request->fs->view, request->node, request->name, &entry, &end);

	if (r == 0)
		reply_made(request, &entry);
	return r;
}

/* Valid replies: entry, err */
void fs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fs_request request = request_on(req, parent, answer_mkdir);

	(void)mode;
	request.name = name;
	fs_run(&request);
}

static int answer_symlink(const struct fs_request *request)
{
	struct view_entry entry;
	int r = view_symlink(request->fs->view, request->node, request->name, request->data,
			     &entry);

	if (r == 0)
		reply_made(request, &entry);
	return r;
}

/* Valid replies: entry, err */
void fs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct fs_request request = request_on(req, parent, answer_symlink);

	request.name = name;
	request.data = target;
	request.size = strlen(target) + 1;
	fs_run(&request);
}

/* Valid replies: err */
void fs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fuse_req_userdata(req);

	fuse_reply_err(req, fs_errno(view_remove(fs->view, parent, name, true)));
}

/* Valid replies: err */
void fs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fuse_req_userdata(req);

	fuse_reply_err(req, fs_errno(view_remove(fs->view, parent, name, false)));
}

/* Valid replies: err */
void fs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		  const char *new_name, unsigned flags)
{
	struct fs *fs = fuse_req_userdata(req);
	int r = -EINVAL; /* exchange, whiteout */
	uint64_t end;

	if (!(flags & ~(unsigned)RENAME_NOREPLACE))
		r = view_rename(fs->view, parent, name, new_parent, new_name,
				flags & RENAME_NOREPLACE, &end);
	fuse_reply_err(req, fs_errno(r));
}

static int answer_setattr(const struct fs_request *request)
{
	struct view_setattr nothing = {0};
	struct view_entry entry;
	int r = view_setattr(request->fs->view, request->node, &nothing, &entry);

	if (r == 0)
		fuse_reply_attr(request->req, &entry.st, fs_attr_timeout(&entry));
	return r;
}

/* Only sizes and times of an expression may be set, and neither lasts: a shell
 * truncates a file before it writes to it.
 *
 * Valid replies: attr, err */
void fs_op_setattr(fuse_req_t req, fuse_ino_t node, struct stat *attr, int to_set,
		   struct fuse_file_info *info)
{
	struct fs_request request = request_on(req, node, answer_setattr);

	(void)attr;
	(void)info;
	if (to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		fuse_reply_err(req, EROFS);
	else
		fs_run(&request);
}

static int answer_write(const struct fs_request *request)
{
	int64_t n = view_write(request->fs->view, request->node, request->offset, request->data,
			       request->size);

	if (n == -EROFS)
		fs_forget(&request->fs->forget, request->node);
	if (n < 0)
		return (int)n;
	fuse_reply_write(request->req, (size_t)n);
	return 0;
}

/* Valid replies: write, err */
void fs_op_write(fuse_req_t req, fuse_ino_t node, const char *bytes, size_t size, off_t offset,
		 struct fuse_file_info *info)
{
	struct fs_request request = request_on(req, node, answer_write);

	(void)info;
	request.data = bytes;
	request.offset = (uint64_t)offset;
	request.size = size;
	fs_run(&request);
}

static int answer_readlink(const struct fs_request *request)
{
	_cleanup_(text_free) struct text text = {0};
	int r = view_readlink(request->fs->view, request->node, &text);

	if (r == 0)
		fuse_reply_readlink(request->req, text.bytes);
	return r;
}

/* Valid replies: readlink, err */
void fs_op_readlink(fuse_req_t req, fuse_ino_t node)
{
	struct fs_request request = request_on(req, node, answer_readlink);

	fs_run(&request);
}

/* What is never possible here. Valid replies: err */

void fs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
	(void)parent;
	(void)name;
	(void)mode;
	(void)device;
	fuse_reply_err(req, EROFS);
}

void fs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		  struct fuse_file_info *info)
{
	(void)info;
	fs_op_mknod(req, parent, name, mode, 0);
}

void fs_op_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t parent, const char *name)
{
	(void)node;
	fs_op_mknod(req, parent, name, 0, 0);
}

void fs_op_setxattr(fuse_req_t req, fuse_ino_t node, const char *name, const char *value,
		    size_t size, int flags)
{
	(void)value;
	(void)size;
	(void)flags;
	fs_op_mknod(req, node, name, 0, 0);
}

void fs_op_removexattr(fuse_req_t req, fuse_ino_t node, const char *name)
{
	fs_op_mknod(req, node, name, 0, 0);
}

void fs_op_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t offset, off_t length,
		     struct fuse_file_info *info)
{
	(void)mode;
	(void)offset;
	(void)length;
	(void)info;
	fs_op_mknod(req, node, NULL, 0, 0);
}
