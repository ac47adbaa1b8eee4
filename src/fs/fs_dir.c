/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories.
 *
 * The kernel is told to ask READDIRPLUS always, and we decide what a listing
 * carries. As long as nobody looks up what is in a directory, its entries come
 * with node id 0: name, inode number and type, which costs the kernel nothing
 * to take and keeps no inode. After a LOOKUP of a child the next listings
 * carry the attributes, so that the stat of each file needs no request. This
 * is four times faster than the kernel's own choice for a first grep and
 * thirteen times faster than attributes always for a plain ls.
 */
#include "fs_internal.h"

static struct fs_hot *hot_slot(struct fs *fs, uint64_t directory)
{
	return &fs->hot[(directory * UINT64_C(0x9e3779b97f4a7c15)) >> 58];
}

_Static_assert(FS_HOT_SLOTS == 1u << (64 - 58), "the hash gives one slot");

/*
 * The more was looked up, the more of the rest will be: find and grep read
 * 100,000 entries before they look at the first. Two threads that race here
 * cost a listing its attributes, no more.
 */
void fs_hot_touch(struct fs *fs, uint64_t directory)
{
	struct fs_hot *slot = hot_slot(fs, directory);
	unsigned buffers = atomic_load_explicit(&slot->buffers, memory_order_relaxed);

	if (atomic_load_explicit(&slot->node, memory_order_relaxed) != directory) {
		atomic_store_explicit(&slot->node, directory, memory_order_relaxed);
		buffers = 0;
	}
	if (buffers < FS_HOT_BUFFERS_MAX)
		atomic_store_explicit(&slot->buffers, MAX(buffers + 1, FS_HOT_BUFFERS),
				      memory_order_relaxed);
}

static bool hot_take(struct fs *fs, uint64_t directory)
{
	struct fs_hot *slot = hot_slot(fs, directory);
	unsigned left = atomic_load_explicit(&slot->buffers, memory_order_relaxed);

	if (!left || atomic_load_explicit(&slot->node, memory_order_relaxed) != directory)
		return false;
	return atomic_compare_exchange_strong(&slot->buffers, &left, left - 1);
}

struct filling {
	fuse_req_t req;
	char *bytes;
	size_t size, used;
	bool plus, attributes;
};

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static size_t add_plus(struct filling *filling, const struct view_dirent *entry)
{
	struct fuse_entry_param param;

	fs_entry(&entry->entry, &param);
	/* What the kernel may not keep needs no inode, and "." has one. */
	if (!filling->attributes || entry->entry.live || entry->entry.fleeting ||
	    is_dot(entry->name))
		param.ino = 0;
	return fuse_add_direntry_plus(filling->req, filling->bytes + filling->used,
				      filling->size - filling->used, entry->name, &param,
				      (off_t)entry->next);
}

static bool fill(void *context, const struct view_dirent *entry)
{
	struct filling *filling = context;
	size_t left = filling->size - filling->used, need;

	if (filling->plus)
		need = add_plus(filling, entry);
	else
		need = fuse_add_direntry(filling->req, filling->bytes + filling->used, left,
					 entry->name, &entry->entry.st, (off_t)entry->next);
	if (need > left)
		return false;
	filling->used += need;
	return true;
}

static int answer_readdir(struct fs_request *request)
{
	struct filling filling = {
		.req = request->req,
		.bytes = fs_buffer(),
		.size = MIN(request->size, FS_READ_MAX),
		.plus = request->plus,
	};
	int r;

	if (!filling.bytes)
		return -ENOMEM;
	filling.attributes = request->plus && hot_take(request->fs, request->node);
	r = view_list(request->fs->view, request->node, request->offset, filling.attributes, fill,
		      &filling);
	if (r < 0 && !filling.used) /* else the next buffer says it again */
		return r;
	fuse_reply_buf(request->req, filling.bytes, filling.used);
	return 0;
}

static void run_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, bool plus)
{
	struct fs_request request = {
		.fs = fuse_req_userdata(req),
		.req = req,
		.answer = answer_readdir,
		.node = node,
		.offset = (uint64_t)offset,
		.size = size,
		.plus = plus,
	};

	fs_run(&request);
}

/* Valid replies: buf, err */
void fs_op_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset,
		   struct fuse_file_info *info)
{
	(void)info;
	run_readdir(req, node, size, offset, false);
}

/* Valid replies: buf, err */
void fs_op_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset,
		       struct fuse_file_info *info)
{
	(void)info;
	run_readdir(req, node, size, offset, true);
}

/* Was the directory opened last at this version? It is from now on. */
static bool was_listed(struct fs_listed *listed, uint64_t node, uint64_t version)
{
	unsigned slot = (unsigned)((node * UINT64_C(0x9e3779b97f4a7c15)) >> 54);
	bool was;

	UTIL_LOCK_SCOPE(&listed->lock);
	was = listed->slots[slot].node == node && listed->slots[slot].version == version;
	listed->slots[slot].node = node;
	listed->slots[slot].version = version;
	return was;
}

_Static_assert(FS_LISTED_SLOTS == 1u << (64 - 54), "the hash gives one slot");

/*
 * Valid replies: open, err
 *
 * Kept on purpose, where OPEN is not: it is one round trip a directory, not
 * one a file, and it lets the kernel keep a listing exactly when that listing
 * is final. Without OPENDIR (FUSE_CAP_NO_OPENDIR_SUPPORT) the kernel caches
 * every directory by force, and one that was listed while the index was being
 * built would stay incomplete. The same for one that may go on growing and does
 * not just now: its listing is kept from open to open for as long as nothing has
 * come.
 */
void fs_op_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	struct fs *fs = fuse_req_userdata(req);
	struct view_entry entry;
	uint64_t version;

	/* the directory of a set that was given up: the kernel looks its path up
	 * anew when an open says so, not when a listing does */
	if (view_getattr(fs->view, node, &entry) == -ESTALE) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	if (!view_list_live(fs->view, node)) {
		info->cache_readdir = 1;
		info->keep_cache = 1;
	} else if (view_list_still(fs->view, node, &version)) {
		/* not kept: the kernel forgets what it has, and keeps it anew */
		info->cache_readdir = 1;
		info->keep_cache = was_listed(&fs->listed, node, version);
	}
	fuse_reply_open(req, info);
}
