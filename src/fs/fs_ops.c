/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests on files. Nodes are the inode numbers of the view, nothing is
 * kept for them, so there is no FORGET to handle: libfuse answers it. What is
 * not in the table gets ENOSYS, which the kernel remembers (LSEEK, ACCESS,
 * COPY_FILE_RANGE). What changes something is in fs_change.c, opening and
 * closing in fs_file.c.
 */
#include "fs_internal.h"

#include <string.h>
#include <sys/statvfs.h>

#define STATFS_BLOCK 4096u

/* Below this the system calls around a reply cost more than the copy that is saved. */
#define FS_PIN_MIN ((size_t)128 << 10)

struct fs_request fs_request_on(fuse_req_t req, uint64_t node,
				int (*answer)(struct fs_request *request))
{
	return (struct fs_request){
		.fs = fuse_req_userdata(req),
		.req = req,
		.answer = answer,
		.node = node,
	};
}

void fs_run(struct fs_request *request)
{
	int r = request->answer(request);

	if (r == -EAGAIN) {
		r = fs_park(&request->fs->park, request);
		if (r < 0)
			fs_give_up(request, r);
	} else if (r < 0) {
		fs_reply_error(request, r);
	}
}

void fs_give_up(const struct fs_request *request, int code)
{
	if (request->done)
		request->done(request);
	else
		fs_reply_error(request, code);
}

static int answer_seen(struct fs_request *request)
{
	int r = request->end ? view_seen(request->fs->view, request->end) : 0;

	if (r == 0)
		request->done(request);
	return r;
}

int fs_wait_seen(struct fs_request *request, uint64_t end,
		 void (*done)(const struct fs_request *request))
{
	request->end = end;
	request->done = done;
	request->answer = answer_seen;
	return answer_seen(request);
}

void fs_reply_success(const struct fs_request *request)
{
	fuse_reply_err(request->req, 0);
}

static void want(struct fuse_conn_info *conn, unsigned capabilities)
{
	conn->want |= conn->capable & capabilities;
}

/*
 * What each capability is worth was measured: ../shared/fuse-performance.md.
 * AUTO_INVAL_DATA: texts that change while mounted change size and mtime, and
 * the kernel drops its pages of them; files that cannot change never expire.
 * ASYNC_READ: who reads capture.pcap copies one piece while we prepare the next.
 * ATOMIC_O_TRUNC: without it an open that truncates is an OPEN and a SETATTR.
 */
static void op_init(void *context, struct fuse_conn_info *conn)
{
	struct fs *fs = context;

	conn->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_READ |
				  FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
				  FUSE_CAP_WRITEBACK_CACHE);
	want(conn, FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_AUTO_INVAL_DATA |
			   FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_ASYNC_READ);
	if (fs->appends)
		conn->want &= ~(unsigned)FUSE_CAP_ATOMIC_O_TRUNC;
	/* libfuse derives the pages of one request, reads too, from this. */
	conn->max_write = FS_READ_MAX;
	conn->time_gran = 1;
	fs->no_open = !fs->appends && conn->capable & FUSE_CAP_NO_OPEN_SUPPORT;
	atomic_store(&fs->initialized, true);
	sem_post(&fs->settled);
}

static int answer_lookup(struct fs_request *request)
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

static int answer_getattr(struct fs_request *request)
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

int64_t fs_fill(struct fs *fs, uint64_t node, uint64_t offset, char *bytes, size_t size)
{
	bool whole = view_lasting(node);
	size_t done = 0;
	int64_t n;

	do {
		n = view_read(fs->view, node, offset + done, bytes + done, size - done);
		if (n < 0)
			return n;
		done += (size_t)n;
	} while (n > 0 && done < size && !whole);
	return (int64_t)done;
}

/* Straight from the capture's file. False: not this one. */
static bool reply_pinned(struct fs_request *request)
{
	struct view *view = request->fs->view;
	const void *bytes;
	int64_t n;

	if (request->fs->nopin || request->size < FS_PIN_MIN)
		return false;
	n = view_pin(view, request->node, request->offset, request->size, &bytes);
	if (n < 0)
		return false;
	fuse_reply_buf(request->req, bytes, (size_t)n);
	view_unpin(view);
	return true;
}

/* A short answer means the end of the file to the kernel, so the buffer is
 * filled unless that is where we are. */
static int answer_read(struct fs_request *request)
{
	char *bytes;
	int64_t n;

	if (request->size > FS_READ_MAX)
		return -EINVAL; /* more than was negotiated */
	if (reply_pinned(request))
		return 0;
	bytes = fs_buffer();
	if (!bytes)
		return -ENOMEM;
	n = fs_fill(request->fs, request->node, request->offset, bytes, request->size);
	if (n < 0)
		return (int)n;
	fuse_reply_buf(request->req, bytes, (size_t)n);
	fs_push_read(&request->fs->push, request->node);
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

static uint64_t statfs_blocks(uint64_t count, uint64_t unit)
{
	uint64_t bytes;

	return (mul_ok(count, unit, &bytes) ? bytes : UINT64_MAX) / STATFS_BLOCK;
}

/* Free is where appended packets go. */
static void add_free(struct fs *fs, struct statvfs *st)
{
	struct statvfs target;
	uint64_t unit;

	if (view_statvfs(fs->view, &target) < 0)
		return;
	unit = target.f_frsize ? target.f_frsize : target.f_bsize;
	st->f_bfree = statfs_blocks(target.f_bfree, unit);
	st->f_bavail = statfs_blocks(target.f_bavail, unit);
	st->f_blocks += st->f_bfree;
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
	add_free(fs, &st);
	fuse_reply_statfs(req, &st);
}

const struct fuse_lowlevel_ops fs_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.open = fs_op_open,
	.create = fs_op_create,
	.mknod = fs_op_mknod,
	.flush = fs_op_flush,
	.release = fs_op_release,
	.fsync = fs_op_fsync,
	.fsyncdir = fs_op_fsync,
	.fallocate = fs_op_fallocate,
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
	.link = fs_op_link,
	.setxattr = fs_op_setxattr,
	.removexattr = fs_op_removexattr,
	.getxattr = fs_op_getxattr,
	.listxattr = fs_op_listxattr,
};
