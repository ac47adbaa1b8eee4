/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that change something. What they can change is what users make
 * under by/ (named sets and links, in memory only) and in append/, where there
 * is one. Everything else is EROFS, whoever asks.
 *
 * The mount itself is not read-only, since a kernel answers for one that is,
 * and named sets could not be made.
 */
#include "fs_internal.h"

#include <string.h>
#include <time.h>

static void reply_made(const struct fs_request *request, const struct view_entry *entry)
{
	struct fuse_entry_param param;

	fs_entry(entry, &param);
	fuse_reply_entry(request->req, &param);
}

static void mkdir_done(const struct fs_request *request)
{
	reply_made(request, &request->made);
}

static int answer_mkdir(struct fs_request *request)
{
	uint64_t end = 0;
	int r = view_mkdir(request->fs->view, request->node, request->name, &request->made, &end);

	return r < 0 ? r : fs_wait_seen(request, end, mkdir_done);
}

/* Valid replies: entry, err */
void fs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fs_request request = fs_request_on(req, parent, answer_mkdir);

	(void)mode;
	request.name = name;
	fs_run(&request);
}

static int answer_symlink(struct fs_request *request)
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
	struct fs_request request = fs_request_on(req, parent, answer_symlink);

	request.name = name;
	request.data = target;
	request.size = strlen(target) + 1;
	fs_run(&request);
}

static int answer_remove(struct fs_request *request)
{
	int r = view_remove(request->fs->view, request->node, request->name,
			    request->flags & AT_REMOVEDIR);

	if (r == 0)
		fs_reply_success(request);
	return r;
}

static void remove_name(fuse_req_t req, fuse_ino_t parent, const char *name, int flags)
{
	struct fs_request request = fs_request_on(req, parent, answer_remove);

	request.name = name;
	request.flags = flags;
	fs_run(&request);
}

/* Valid replies: err */
void fs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_name(req, parent, name, AT_REMOVEDIR);
}

/* Valid replies: err */
void fs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_name(req, parent, name, 0);
}

static int answer_rename(struct fs_request *request)
{
	uint64_t end = 0;
	int r = -EINVAL; /* exchange, whiteout */

	if (!(request->flags & ~RENAME_NOREPLACE))
		r = view_rename(request->fs->view, request->node, request->name,
				request->new_parent, request->data,
				request->flags & RENAME_NOREPLACE, &end);
	return r < 0 ? r : fs_wait_seen(request, end, fs_reply_success);
}

/* Valid replies: err */
void fs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		  const char *new_name, unsigned flags)
{
	struct fs_request request = fs_request_on(req, parent, answer_rename);

	request.name = name;
	request.new_parent = new_parent;
	request.data = new_name;
	request.size = strlen(new_name) + 1;
	request.flags = (int)flags;
	fs_run(&request);
}

static int answer_setattr(struct fs_request *request)
{
	struct view_entry entry;
	int r = view_setattr(request->fs->view, request->node, &request->change, &entry);

	if (r == 0)
		fuse_reply_attr(request->req, &entry.st, fs_attr_timeout(&entry));
	return r;
}

static struct pktfs_time now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return (struct pktfs_time){.sec = time.tv_sec, .nsec = (uint32_t)time.tv_nsec};
}

/* truncate(2) says "now", too; nobody has set a time by that. */
static void set_time(struct view_setattr *change, const struct stat *attr, int to_set)
{
	if (to_set & FUSE_SET_ATTR_MTIME_NOW) {
		if (to_set & FUSE_SET_ATTR_SIZE)
			return;
		change->time = now();
	} else {
		change->time = (struct pktfs_time){.sec = attr->st_mtim.tv_sec,
						   .nsec = (uint32_t)attr->st_mtim.tv_nsec};
	}
	change->what |= VIEW_SET_TIME;
}

static struct view_setattr change_of(const struct stat *attr, int to_set)
{
	struct view_setattr change = {.uid = (uid_t)-1, .gid = (gid_t)-1};

	if (to_set & FUSE_SET_ATTR_SIZE) {
		change.what |= VIEW_SET_SIZE;
		change.size = (uint64_t)attr->st_size;
	}
	if (to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))
		set_time(&change, attr, to_set);
	if (to_set & FUSE_SET_ATTR_MODE) {
		change.what |= VIEW_SET_MODE;
		change.mode = attr->st_mode & 07777;
	}
	if (to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		change.what |= VIEW_SET_OWNER;
	if (to_set & FUSE_SET_ATTR_UID)
		change.uid = attr->st_uid;
	if (to_set & FUSE_SET_ATTR_GID)
		change.gid = attr->st_gid;
	return change;
}

/* Of an expression sizes and times may be set, and neither lasts: a shell
 * truncates a file before it writes to it.
 *
 * Valid replies: attr, err */
void fs_op_setattr(fuse_req_t req, fuse_ino_t node, struct stat *attr, int to_set,
		   struct fuse_file_info *info)
{
	struct fs_request request = fs_request_on(req, node, answer_setattr);

	(void)info;
	request.change = change_of(attr, to_set);
	fs_run(&request);
}

static int answer_write(struct fs_request *request)
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
	struct fs_request request = fs_request_on(req, node, answer_write);

	(void)info;
	request.data = bytes;
	request.offset = (uint64_t)offset;
	request.size = size;
	fs_run(&request);
}

static int answer_readlink(struct fs_request *request)
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
	struct fs_request request = fs_request_on(req, node, answer_readlink);

	fs_run(&request);
}

/* Never possible here: a packet is in as many directories as it is.
 *
 * Valid replies: err */
void fs_op_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fuse_req_userdata(req);

	(void)node;
	(void)name;
	fuse_reply_err(req, fs_errno(view_never(fs->view, parent)));
}
