/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests on files. Nodes are the inode numbers of the view, nothing is
 * kept for them, so there is no FORGET to handle: libfuse answers it. What is
 * not in the table gets ENOSYS, which the kernel remembers (FLUSH, LSEEK,
 * ACCESS, FSYNC). What changes something is in fs_change.c.
 */
#include "fs_internal.h"

#include <string.h>
#include <sys/statvfs.h>

#define STATFS_BLOCK 4096u

void fs_run(const struct fs_request *request)
{
	int r = request->answer(request);

	if (r == -EAGAIN)
		r = fs_park(&request->fs->park, request);
	if (r < 0)
		fs_reply_error(request, r);
}

static void want(struct fuse_conn_info *conn, unsigned capabilities)
{
	conn->want |= conn->capable & capabilities;
}

/*
 * What each capability is worth was measured: ../shared/fuse-performance.md.
 * AUTO_INVAL_DATA: texts that change while mounted change size and mtime, and
 * the kernel drops its pages of them; files that cannot change never expire.
 */
static void op_init(void *context, struct fuse_conn_info *conn)
{
	struct fs *fs = context;

	conn->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_ASYNC_READ |
				  FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
				  FUSE_CAP_SPLICE_MOVE | FUSE_CAP_WRITEBACK_CACHE);
	want(conn, FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_AUTO_INVAL_DATA |
			   FUSE_CAP_CACHE_SYMLINKS);
	/* libfuse derives the pages of one request, reads too, from this. */
	conn->max_write = FS_READ_MAX;
	conn->time_gran = 1;
	fs->no_open = conn->capable & FUSE_CAP_NO_OPEN_SUPPORT;
	atomic_store(&fs->initialized, true);
	sem_post(&fs->settled);
}

static int answer_lookup(const struct fs_request *request)
{
	struct fuse_entry_param param = {0};
	struct view_entry entry;
	bool final = false;
	int r = view_lookup(request->fs->view, request->node, request->name, &entry, &final);

	if (r == -ENOENT && final)
		param.entry_timeout = FS_FOREVER_SEC; /* inode 0: "there is none" */
	else if (r < 0)
		return r;
	else
		fs_entry(&entry, &param);
	fuse_reply_entry(request->req, &param);
	return 0;
}

/* Valid replies: entry, err */
static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs_request request = {
		.fs = fuse_req_userdata(req),
		.req = req,
		.answer = answer_lookup,
		.node = parent,
		.name = name,
	};

	fs_hot_touch(request.fs, parent);
	if (strnlen(name, FS_NAME_MAX + 1) > FS_NAME_MAX)
		fs_reply_error(&request, -ENAMETOOLONG);
	else
		fs_run(&request);
}

static int answer_getattr(const struct fs_request *request)
{
	struct view_entry entry;
	int r = view_getattr(request->fs->view, request->node, &entry);

	if (r < 0)
		return r;
	fuse_reply_attr(request->req, &entry.st, fs_attr_timeout(&entry));
	return 0;
}

/* Valid replies: attr, err */
static void op_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	struct fs_request request = {
		.fs = fuse_req_userdata(req),
		.req = req,
		.answer = answer_getattr,
		.node = node,
	};

	(void)info;
	fs_run(&request);
}

/*
 * Valid replies: open, err
 *
 * ENOSYS: the kernel opens all files by itself from now on, and sends neither
 * FLUSH nor RELEASE. The largest gain of all.
 */
static void op_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	struct fs *fs = fuse_req_userdata(req);

	(void)node;
	if (fs->no_open) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	info->keep_cache = 1;
	info->noflush = 1;
	fuse_reply_open(req, info);
}

/* A short answer means the end of the file to the kernel, so the buffer is
 * filled unless that is where we are. */
static int answer_read(const struct fs_request *request)
{
	char *bytes = fs_buffer();
	size_t done = 0;
	int64_t n;

	if (!bytes)
		return -ENOMEM;
	if (request->size > FS_READ_MAX)
		return -EINVAL; /* more than was negotiated */
	while (done < request->size) {
		n = view_read(request->fs->view, request->node, request->offset + done,
			      bytes + done, request->size - done);
		if (n < 0)
			return (int)n;
		if (!n)
			break;
		done += (size_t)n;
	}
	fuse_reply_buf(request->req, bytes, done);
	return 0;
}

/* Valid replies: buf, iov, data, err */
static void op_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset,
		    struct fuse_file_info *info)
{
	struct fs_request request = {
		.fs = fuse_req_userdata(req),
		.req = req,
		.answer = answer_read,
		.node = node,
		.offset = (uint64_t)offset,
		.size = size,
	};

	(void)info;
	fs_run(&request);
}

/* Valid replies: statfs, err */
static void op_statfs(fuse_req_t req, fuse_ino_t node)
{
	struct fs *fs = fuse_req_userdata(req);
	struct statvfs st = {
		.f_bsize = STATFS_BLOCK,
		.f_frsize = STATFS_BLOCK,
		.f_namemax = FS_NAME_MAX,
	};
	uint64_t files, bytes;

	(void)node;
	view_totals(fs->view, &files, &bytes);
	st.f_files = files;
	st.f_blocks = bytes / STATFS_BLOCK + (bytes % STATFS_BLOCK != 0);
	fuse_reply_statfs(req, &st);
}

const struct fuse_lowlevel_ops fs_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.open = op_open,
	.read = op_read,
	.opendir = fs_op_opendir,
	.readdir = fs_op_readdir,
	.readdirplus = fs_op_readdirplus,
	.statfs = op_statfs,
	.readlink = fs_op_readlink,
	.mkdir = fs_op_mkdir,
	.symlink = fs_op_symlink,
	.rmdir = fs_op_rmdir,
	.unlink = fs_op_unlink,
	.rename = fs_op_rename,
	.setattr = fs_op_setattr,
	.write = fs_op_write,
	.mknod = fs_op_mknod,
	.create = fs_op_create,
	.link = fs_op_link,
	.setxattr = fs_op_setxattr,
	.removexattr = fs_op_removexattr,
	.fallocate = fs_op_fallocate,
	.getxattr = fs_op_getxattr,
	.listxattr = fs_op_listxattr,
};
