/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extended attributes. `ls -l` asks each file for security.* and for ACLs, and
 * stops at the first EOPNOTSUPP, which the view gives for every name outside
 * "user.": ENODATA would cost four times as much. With -o noxattr the answer
 * is ENOSYS, after which the kernel never asks again.
 */
#include "fs_internal.h"

/* Here ENODATA and EOPNOTSUPP mean what getxattr(2) says. */
static int refuse(const struct fs_request *request, int code)
{
	if (code != -ENODATA && code != -EOPNOTSUPP)
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

static int answer_xattr(const struct fs_request *request)
{
	_cleanup_(text_free) struct text text = {0};
	struct view *view = request->fs->view;
	int r = request->name ? view_getxattr(view, request->node, request->name, &text)
			      : view_listxattr(view, request->node, &text);

	return r < 0 ? refuse(request, r) : reply(request, &text);
}

static void run_xattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size)
{
	struct fs_request request = {
		.fs = fuse_req_userdata(req),
		.req = req,
		.answer = answer_xattr,
		.node = node,
		.size = size,
		.name = name,
	};

	if (request.fs->noxattr)
		fuse_reply_err(req, ENOSYS);
	else
		fs_run(&request);
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
