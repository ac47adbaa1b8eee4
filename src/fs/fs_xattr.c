/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extended attributes. `ls -l` asks each file for security.* and for ACLs, and
 * stops at the first EOPNOTSUPP, which the view gives for every name outside
 * "user.": ENODATA would cost four times as much. With -o noxattr the answer
 * is ENOSYS, after which the kernel never asks again.
 */
#include "fs_internal.h"

#include <sys/xattr.h>

/* Here ENODATA means what getxattr(2) says. */
static int refuse(const struct fs_request *request, int code)
{
	if (code != -ENODATA)
		return code;
	fuse_reply_err(request->req, -code);
	return 0;
}

/* A size of 0 asks for the size. */
static int reply(const struct fs_request *request, const struct text *text)
{
	if (text->failed)
		return text->failed;
	if (!request->size)
		fuse_reply_xattr(request->req, text->size);
	else if (text->size > request->size)
		fuse_reply_err(request->req, ERANGE);
	else
		fuse_reply_buf(request->req, text->bytes, text->size);
	return 0;
}

static int answer_xattr(struct fs_request *request)
{
	_cleanup_(text_free) struct text text = {0};
	struct view *view = request->fs->view;
	int r = request->name ? view_getxattr(view, request->node, request->name, &text)
			      : view_listxattr(view, request->node, &text);

	return r < 0 ? refuse(request, r) : reply(request, &text);
}

static void run(struct fs_request *request)
{
	if (request->fs->noxattr)
		fuse_reply_err(request->req, ENOSYS);
	else
		fs_run(request);
}

static void run_xattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size)
{
	struct fs_request request = fs_request_on(req, node, answer_xattr);

	request.size = size;
	request.name = name;
	run(&request);
}

/* Valid replies: buf, xattr, err */
void fs_op_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size)
{
	run_xattr(req, node, name, size);
}

/* Valid replies: buf, xattr, err */
void fs_op_listxattr(fuse_req_t req, fuse_ino_t node, size_t size)
{
	run_xattr(req, node, NULL, size);
}

/* The kernel holds a lock of the file meanwhile: nobody else changes its
 * attributes between this question and the answer. */
static int check_flags(const struct fs_request *request)
{
	_cleanup_(text_free) struct text old = {0};
	int r;

	if (!(request->flags & (XATTR_CREATE | XATTR_REPLACE)))
		return 0;
	r = view_getxattr(request->fs->view, request->node, request->name, &old);
	if (r == 0 && request->flags & XATTR_CREATE)
		return -EEXIST;
	return r == -ENODATA && request->flags & XATTR_CREATE ? 0 : r;
}

static int answer_setxattr(struct fs_request *request)
{
	int r = check_flags(request);

	if (r == 0)
		r = view_setxattr(request->fs->view, request->node, request->name, request->data,
				  request->size);
	if (r < 0)
		return refuse(request, r);
	fs_reply_success(request);
	return 0;
}

/* Valid replies: err */
void fs_op_setxattr(fuse_req_t req, fuse_ino_t node, const char *name, const char *value,
		    size_t size, int flags)
{
	struct fs_request request = fs_request_on(req, node, answer_setxattr);

	request.name = name;
	request.data = value;
	request.size = size;
	request.flags = flags;
	run(&request);
}

/* Valid replies: err */
void fs_op_removexattr(fuse_req_t req, fuse_ino_t node, const char *name)
{
	struct fs_request request = fs_request_on(req, node, answer_setxattr);

	request.name = name;
	run(&request);
}
