/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening and closing. On a mount that appends nothing the kernel opens all
 * files by itself. Where there is append/, closing a file is what appends it:
 * OPEN, FLUSH and RELEASE are answered then, and only the files of append/ have
 * a handle. Of all others the kernel keeps the pages and is told to send no
 * FLUSH, so that reading one costs two requests more, one of which nobody
 * waits for.
 */
#include "fs_internal.h"

#include <fcntl.h>

#include "append/append.h"

static struct append_who who_asks(const struct fs_request *request)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(request->req);

	return (struct append_who){
		.pid = ctx->pid,
		.flags = request->flags,
		.mode = request->mode & 07777,
		.uid = ctx->uid,
		.gid = ctx->gid,
	};
}

/* Bytes on their way into the capture are in no cache. */
static struct fuse_file_info file_info(uint64_t handle)
{
	if (handle)
		return (struct fuse_file_info){.fh = handle, .direct_io = 1};
	return (struct fuse_file_info){.keep_cache = 1, .noflush = 1};
}

static int answer_open(struct fs_request *request)
{
	struct append_who who = who_asks(request);
	struct fuse_file_info info;
	uint64_t handle;
	int r = view_open_node(request->fs->view, request->node, &who, &handle);

	if (r < 0)
		return r;
	info = file_info(handle);
	/* who asked is gone: there will be no RELEASE */
	if (fuse_reply_open(request->req, &info) == -ENOENT && handle)
		view_release(request->fs->view, request->node, handle);
	return 0;
}

/*
 * Valid replies: open, err
 *
 * ENOSYS: the kernel opens all files by itself from now on, and sends neither
 * FLUSH nor RELEASE. The largest gain of all.
 */
void fs_op_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	struct fs_request request = fs_request_on(req, node, answer_open);

	request.flags = info->flags;
	if (request.fs->no_open)
		fuse_reply_err(req, ENOSYS);
	else
		fs_run(&request);
}

static int answer_create(struct fs_request *request)
{
	struct append_who who = who_asks(request);
	struct fuse_entry_param param;
	struct fuse_file_info info;
	struct view_entry entry;
	uint64_t handle;
	int r = view_create(request->fs->view, request->node, request->name, &who, &entry, &handle);

	if (r < 0)
		return r;
	info = file_info(handle);
	fs_entry(&entry, &param);
	if (fuse_reply_create(request->req, &param, &info) == -ENOENT)
		view_release(request->fs->view, entry.st.st_ino, handle);
	return 0;
}

/* Valid replies: create, err */
void fs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		  struct fuse_file_info *info)
{
	struct fs_request request = fs_request_on(req, parent, answer_create);

	request.name = name;
	request.flags = info->flags;
	request.mode = mode;
	fs_run(&request);
}

static int answer_mknod(struct fs_request *request)
{
	struct append_who who = who_asks(request);
	struct fuse_entry_param param;
	struct view_entry entry;
	uint64_t handle;
	int r = S_ISREG(request->mode) ? view_create(request->fs->view, request->node,
						     request->name, &who, &entry, &handle)
				       : view_never(request->fs->view, request->node);

	if (r < 0)
		return r;
	view_release(request->fs->view, entry.st.st_ino, handle);
	fs_entry(&entry, &param);
	fuse_reply_entry(request->req, &param);
	return 0;
}

/* Valid replies: entry, err */
void fs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
	struct fs_request request = fs_request_on(req, parent, answer_mknod);

	(void)device;
	request.name = name;
	request.flags = O_WRONLY | O_EXCL;
	request.mode = mode;
	fs_run(&request);
}

static int answer_flush(struct fs_request *request)
{
	uint64_t end = 0;
	int r = view_flush(request->fs->view, request->node, request->handle,
			   fuse_req_ctx(request->req)->pid, &end);

	return r < 0 ? r : fs_wait_seen(request, end, fs_reply_success);
}

/* A descriptor is closed, and close(2) returns what is said here.
 *
 * Valid replies: err */
void fs_op_flush(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	struct fs_request request = fs_request_on(req, node, answer_flush);

	request.handle = info->fh;
	if (request.fs->no_open)
		fuse_reply_err(req, ENOSYS);
	else if (!info->fh)
		fuse_reply_err(req, 0);
	else
		fs_run(&request);
}

/* Valid replies: err */
void fs_op_release(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	struct fs *fs = fuse_req_userdata(req);

	if (info->fh)
		view_release(fs->view, node, info->fh);
	fuse_reply_err(req, 0);
}

/* Not done before it is on the disk: then an interruption is an error. */
static int answer_synced(struct fs_request *request)
{
	int r = request->ticket ? view_sync_done(request->fs->view, request->ticket) : 0;

	return r < 0 ? r : fs_wait_seen(request, request->end, fs_reply_success);
}

static int answer_fsync(struct fs_request *request)
{
	int r = view_sync_begin(request->fs->view, request->node, &request->ticket, &request->end);

	if (r < 0)
		return r;
	request->answer = answer_synced;
	return answer_synced(request);
}

/* Of files and of directories.
 *
 * Valid replies: err */
void fs_op_fsync(fuse_req_t req, fuse_ino_t node, int data_only, struct fuse_file_info *info)
{
	struct fs_request request = fs_request_on(req, node, answer_fsync);

	(void)data_only;
	(void)info;
	if (request.fs->appends)
		fs_run(&request);
	else
		fuse_reply_err(req, ENOSYS);
}

/* Valid replies: err */
void fs_op_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t offset, off_t length,
		     struct fuse_file_info *info)
{
	(void)node;
	(void)mode;
	(void)offset;
	(void)length;
	fuse_reply_err(req, info->fh ? EOPNOTSUPP : EROFS);
}
