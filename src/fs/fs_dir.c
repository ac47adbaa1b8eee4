/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories.
 *
 * The kernel is told to ask READDIRPLUS always, and we decide what a listing
 * carries. An entry with node id 0 has name, inode number and type; it costs the
 * kernel nothing to take and keeps no inode. One with attributes costs it some
 * microseconds and a kilobyte, and saves a LOOKUP, which costs as much as four of
 * them: find -size, ls -l and grep -r look at each file, and the first and the
 * last do so when they have read the whole directory, or its first 100,000
 * entries. So of packets that many come with attributes whoever asks. What is behind
 * them, or in another directory, where attributes may have to be computed, comes
 * without as long as nobody looks up what is there: a plain find over ten million
 * packets must not fill the memory with their inodes.
 */
#include "fs_internal.h"

static struct fs_hot *hot_slot(struct fs *fs, uint64_t directory)
{
	return &fs->hot[(directory * UINT64_C(0x9e3779b97f4a7c15)) >> 58];
}

_Static_assert(FS_HOT_SLOTS == 1u << (64 - 58), "the hash gives one slot");

/* Two threads that race here cost a listing its attributes, no more. */
static void hot_raise(struct fs *fs, uint64_t directory, unsigned least, unsigned more)
{
	struct fs_hot *slot = hot_slot(fs, directory);
	unsigned entries = atomic_load_explicit(&slot->entries, memory_order_relaxed);

	if (atomic_load_explicit(&slot->node, memory_order_relaxed) != directory) {
		atomic_store_explicit(&slot->node, directory, memory_order_relaxed);
		entries = 0;
	}
	if (entries < FS_HOT_MAX)
		atomic_store_explicit(&slot->entries, MAX(entries + more, least),
				      memory_order_relaxed);
}

/* The more was looked up, the more of the rest will be. */
void fs_hot_touch(struct fs *fs, uint64_t directory)
{
	hot_raise(fs, directory, FS_HOT_LOOKED, FS_HOT_LOOKED_MORE);
}

/* Whether the next entries of a listing have attributes. */
static bool is_hot(struct fs *fs, uint64_t directory, uint64_t offset)
{
	struct fs_hot *slot = hot_slot(fs, directory);

	if (offset == 0 && view_lasting_in(directory))
		hot_raise(fs, directory, FS_HOT_LISTED, 0);
	return atomic_load_explicit(&slot->entries, memory_order_relaxed) &&
	       atomic_load_explicit(&slot->node, memory_order_relaxed) == directory;
}

static void hot_take(struct fs *fs, uint64_t directory, unsigned count)
{
	struct fs_hot *slot = hot_slot(fs, directory);
	unsigned left = atomic_load_explicit(&slot->entries, memory_order_relaxed);

	if (atomic_load_explicit(&slot->node, memory_order_relaxed) == directory)
		atomic_compare_exchange_strong(&slot->entries, &left, left - MIN(left, count));
}

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static size_t add_plus(struct fs_listing *listing, const struct view_dirent *entry)
{
	struct fuse_entry_param param;

	fs_entry(&entry->entry, &param);
	/* What the kernel may not keep needs no inode, and "." has one. */
	if (!listing->attributes || entry->entry.live || entry->entry.fleeting ||
	    is_dot(entry->name))
		param.ino = 0;
	return fuse_add_direntry_plus(listing->req, listing->bytes + listing->used,
				      listing->size - listing->used, entry->name, &param,
				      (off_t)entry->next);
}

static bool fill(void *context, const struct view_dirent *entry)
{
	struct fs_listing *listing = context;
	size_t left = listing->size - listing->used, need;

	if (listing->plus)
		need = add_plus(listing, entry);
	else
		need = fuse_add_direntry(listing->req, listing->bytes + listing->used, left,
					 entry->name, &entry->entry.st, (off_t)entry->next);
	if (need > left) {
		listing->more = true;
		return false;
	}
	listing->used += need;
	listing->next = entry->next;
	listing->count++;
	return true;
}

/* Packets that come with attributes, whose entries never change. */
int fs_list_lasting(struct fs *fs, uint64_t node, uint64_t offset, struct fs_listing *listing)
{
	listing->plus = listing->attributes = true;
	listing->used = listing->count = 0;
	listing->more = false;
	return view_list_lasting(fs->view, node, offset, fill, listing);
}

static int answer_readdir(struct fs_request *request)
{
	struct fs *fs = request->fs;
	struct fs_listing listing = {
		.req = request->req,
		.bytes = fs_buffer(),
		.size = MIN(request->size, FS_READ_MAX),
		.plus = request->plus,
	};
	int r = 0;

	if (!listing.bytes)
		return -ENOMEM;
	listing.attributes = request->plus && is_hot(fs, request->node, request->offset);
	if (!listing.attributes || !fs_prepared(&fs->prepare, request, &listing))
		r = view_list(fs->view, request->node, request->offset, listing.attributes, fill,
			      &listing);
	if (r < 0 && !listing.used) /* else the next buffer says it again */
		return r;
	if (listing.attributes) {
		hot_take(fs, request->node, listing.count);
		if (listing.more && view_lasting_in(request->node))
			fs_prepare(&fs->prepare, request->node, &listing);
	}
	fuse_reply_buf(request->req, listing.bytes, listing.used);
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
 * The kernel uses the listing that it keeps while the directory has the times that it knew
 * when that listing began. Where the capture was indexed just then, these were some
 * milliseconds old (FS_LIVE_DIRECTORY_SEC), and the second listing would cost as much as
 * the first; so let it ask before the first. This locks no pages, so a thread that
 * answers requests may do it.
 */
static void renew_attributes(struct fs *fs, uint64_t directory)
{
	if (view_lasting_in(directory))
		fuse_lowlevel_notify_inval_inode(fs->session, directory, -1, 0);
}

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
	bool final = !view_list_live(fs->view, node), listed;
	uint64_t version = FS_LISTED_FINAL;
	struct view_entry entry;

	/* the directory of a set that was given up: the kernel looks its path up
	 * anew when an open says so, not when a listing does */
	if (view_getattr(fs->view, node, &entry) == -ESTALE) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	if (final || view_list_still(fs->view, node, &version)) {
		listed = was_listed(&fs->listed, node, version);
		info->cache_readdir = 1;
		info->keep_cache = final || listed; /* else what it has is forgotten first */
		if (!listed)
			renew_attributes(fs, node);
	}
	fuse_reply_open(req, info);
}
