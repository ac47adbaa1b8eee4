/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a request to the kind of its node and back: lookup, attributes, reading
 * and listing are the same for all kinds, and each kind is a table of small
 * operations (view_private.h) in a file of its own.
 *
 * The positions of a directory's children are fixed, so the cookie of an entry
 * is its position plus one, behind "." and "..". A position may be empty.
 */
#include <stdio.h>
#include <string.h>

#include "capture/capture_pin.h"
#include "view_append.h"
#include "view_named.h"
#include "view_text.h"

#define BLOCK_SIZE 4096

static const struct view_kind *const kinds[NODE_KINDS] = {
	[NODE_ROOT] = &view_kind_root,
	[NODE_README] = &view_kind_readme,
	[NODE_INFO_DIR] = &view_kind_info_dir,
	[NODE_INFO] = &view_kind_info,
	[NODE_CAPTURE] = &view_kind_capture,
	[NODE_TSV] = &view_kind_tsv,
	[NODE_PACKETS_DIR] = &view_kind_packets_dir,
	[NODE_PACKET] = &view_kind_packet,
	[NODE_PACKET_JSON] = &view_kind_packet_json,
	[NODE_PACKET_HEX] = &view_kind_packet_hex,
	[NODE_PACKET_PCAPNG] = &view_kind_packet_pcapng,
	[NODE_SECTIONS_DIR] = &view_kind_sections_dir,
	[NODE_SECTION_DIR] = &view_kind_section_dir,
	[NODE_SECTION] = &view_kind_section,
	[NODE_INTERFACES_DIR] = &view_kind_interfaces_dir,
	[NODE_INTERFACE_DIR] = &view_kind_interface_dir,
	[NODE_INTERFACE] = &view_kind_interface,
	[NODE_STATISTICS_DIR] = &view_kind_statistics_dir,
	[NODE_STATISTICS] = &view_kind_statistics,
	[NODE_BLOCKS_DIR] = &view_kind_blocks_dir,
	[NODE_BLOCK] = &view_kind_block,
	[NODE_NAMES_DIR] = &view_kind_names_dir,
	[NODE_NAMES] = &view_kind_names,
	[NODE_SECRETS_DIR] = &view_kind_secrets_dir,
	[NODE_SECRET] = &view_kind_secret,
	[NODE_PAYLOAD_DIR] = &view_kind_payload_dir,
	[NODE_PAYLOAD] = &view_kind_payload,
	[NODE_BY] = &view_kind_by,
	[NODE_QUESTIONS] = &view_kind_questions,
	[NODE_NAMED] = &view_kind_named,
	[NODE_EXPRESSION] = &view_kind_expression,
	[NODE_LINK] = &view_kind_link,
	[NODE_INTERFACE_LINK] = &view_kind_interface_link,
	[NODE_APPEND_DIR] = &view_kind_append_dir,
	[NODE_APPEND_INTERFACE] = &view_kind_append_interface,
	[NODE_APPEND_NAMED] = &view_kind_append_named,
	[NODE_APPEND_BLOCKS] = &view_kind_append_blocks,
	[NODE_APPEND_PENDING] = &view_kind_append_pending,
	[NODE_APPEND_COMMITTED] = &view_kind_append_committed,
	[NODE_FILES_DIR] = &view_kind_files_dir,
	[NODE_FILE_DIR] = &view_kind_file_dir,
	[NODE_FILE_INFO_DIR] = &view_kind_file_info_dir,
	[NODE_FILE] = &view_kind_file,
};

const struct view_kind *view_kind_of(uint64_t node)
{
	unsigned kind = view_node_kind(node);

	return kind < NODE_KINDS ? kinds[kind] : NULL;
}

/* What the kernel may see of a failure to read. */
static int64_t outside(int64_t r)
{
	switch (r) {
	case -ENOENT:
	case -EAGAIN:
	case -ENOMEM:
	case -ENOTDIR:
	case -EISDIR:
	case -EINVAL:
	case -EROFS:
	case -EEXIST:
	case -EXDEV:
	case -ENOSPC:
	case -EMFILE:
	case -ENAMETOOLONG:
	case -ESTALE:
		return r;
	default:
		return r < 0 ? -EIO : r;
	}
}

static mode_t mode_of(const struct view *view, const struct view_kind *kind, uint64_t node)
{
	if (kind->link)
		return S_IFLNK | 0777;
	if (view_is_place(node) || (kind->directory && view_append_is(node)))
		return S_IFDIR | (0755 & ~view->umask);
	if (kind->writable)
		return S_IFREG | (0644 & ~view->umask);
	return kind->directory ? S_IFDIR | (0555 & ~view->umask) : S_IFREG | (0444 & ~view->umask);
}

/*
 * A packet is in packets/ and in every set that has it: programs that keep hard
 * links apart (du, tar, cp -a) look at files with more than one link only. How
 * many there are nobody can say. A directory: 1, "not known".
 */
static nlink_t link_count(uint64_t node)
{
	unsigned kind = view_node_kind(node);

	return kind == NODE_PACKET || kind == NODE_PAYLOAD ? 2 : 1;
}

static void fill(struct view *view, const struct view_kind *kind, uint64_t node,
		 const struct view_attributes *from, struct view_entry *ret)
{
	struct timespec time = {.tv_sec = from->time.sec, .tv_nsec = from->time.nsec};

	ret->live = from->live;
	ret->still = from->live && view_still(view, node);
	ret->fleeting = false;
	ret->st = (struct stat){
		.st_ino = node,
		.st_mode = mode_of(view, kind, node),
		.st_nlink = link_count(node),
		.st_uid = view->uid,
		.st_gid = view->gid,
		.st_size = (off_t)from->size,
		.st_blksize = BLOCK_SIZE,
		.st_blocks = (blkcnt_t)(from->size / 512 + !!(from->size % 512)),
		.st_atim = time,
		.st_mtim = time,
		.st_ctim = time,
	};
	if (!from->owned)
		return;
	ret->st.st_mode = (ret->st.st_mode & S_IFMT) | (from->mode & ~(mode_t)S_IFMT);
	ret->st.st_uid = from->uid;
	ret->st.st_gid = from->gid;
	ret->st.st_nlink = from->links;
}

/* A directory is as new as the newest packet of the capture: what is newest in
 * a set is known only once it is evaluated, and a stat does not ask for that. */
static int directory_attributes(struct view *view, const struct view_kind *kind, uint64_t node,
				struct view_attributes *ret)
{
	struct pktfs_status status;
	int r = kind->check ? kind->check(view, node) : 0;

	if (r < 0)
		return r;
	ret->live = kind->changing && kind->changing(view, node);
	pktfs_status_get(view->capture, &status);
	ret->live = ret->live || status.growing;
	ret->time = status.has_time ? status.max_time : view_time_of(view, &status);
	ret->size = BLOCK_SIZE;
	return 0;
}

static int text_attributes(struct view *view, const struct view_kind *kind, uint64_t node,
			   enum view_text_use use, struct view_attributes *ret)
{
	struct view_text *text;
	int r = view_text_get(view, node, use, &text);

	if (r < 0)
		return r;
	ret->size = text->text.size;
	ret->live = text->live;
	ret->time = text->live ? text->rendered : view->file_time;
	view_text_put(view, text);
	return kind->time ? kind->time(view, node, &ret->time) : 0;
}

static int attributes(struct view *view, uint64_t node, enum view_text_use use,
		      struct view_entry *ret)
{
	const struct view_kind *kind = view_kind_of(node);
	struct view_attributes from = {0};
	int r;

	if (!kind)
		return -ENOENT;
	if (kind->directory)
		r = directory_attributes(view, kind, node, &from);
	else if (kind->attributes)
		r = kind->attributes(view, node, &from);
	else
		r = text_attributes(view, kind, node, use, &from);
	if (r < 0)
		return r;
	fill(view, kind, node, &from, ret);
	return 0;
}

int view_getattr(struct view *view, uint64_t node, struct view_entry *ret)
{
	int r;

	VIEW_SETS_SCOPE(view);
	r = view_set_check(view, node);
	return r < 0 ? r : (int)outside(attributes(view, node, VIEW_TEXT_STAT, ret));
}

/*
 * What is in the directory of a named set becomes that of another set when a
 * new expression is written, the names that users made come and go, and a file
 * in append/ becomes a link.
 */
static bool is_fleeting(struct view *view, uint64_t parent, uint64_t node)
{
	unsigned kind = view_node_kind(node);

	if (kind == NODE_INTERFACE_LINK) /* another interface of that name may come */
		return view_changing(view, node);
	if (kind == NODE_APPEND_PENDING || kind == NODE_APPEND_COMMITTED)
		return true;
	return view_node_kind(parent) == NODE_NAMED || kind == NODE_NAMED || kind == NODE_LINK;
}

static int look(struct view *view, const struct view_kind *kind, uint64_t parent, const char *name,
		struct view_entry *ret)
{
	uint64_t node;
	int r;

	if (!strcmp(name, "."))
		return attributes(view, parent, VIEW_TEXT_LOOKUP, ret);
	if (!strcmp(name, ".."))
		return attributes(view, kind->parent ? kind->parent(view, parent) : VIEW_ROOT,
				  VIEW_TEXT_LOOKUP, ret);
	r = kind->find(view, parent, name, &node);
	if (r == 0)
		r = attributes(view, node, VIEW_TEXT_LOOKUP, ret);
	if (r == 0)
		ret->fleeting = is_fleeting(view, parent, node);
	return r;
}

int view_lookup(struct view *view, uint64_t parent, const char *name, struct view_entry *ret,
		bool *ret_final)
{
	const struct view_kind *kind = view_kind_of(parent);
	bool final = true;
	int r;

	if (!kind)
		return -ENOENT;
	if (!kind->directory)
		return -ENOTDIR;
	VIEW_SETS_SCOPE(view);
	r = view_set_check(view, parent);
	if (r < 0)
		return r;
	r = look(view, kind, parent, name, ret);
	if (r == -ENOENT) {
		bool changing = kind->changing && kind->changing(view, parent);

		final = !changing || (kind->never && kind->never(view, parent, name));
		/* It may have come between the two questions. */
		if (!changing && kind->changing)
			r = look(view, kind, parent, name, ret);
	}
	if (ret_final)
		*ret_final = final;
	return (int)outside(r);
}

static int64_t text_read(struct view *view, uint64_t node, uint64_t offset, void *bytes,
			 size_t size)
{
	struct view_text *text;
	size_t count = 0;
	int r = view_text_get(view, node, VIEW_TEXT_READ, &text);

	if (r < 0)
		return r;
	if (offset < text->text.size) {
		count = MIN(size, text->text.size - (size_t)offset);
		memcpy(bytes, text->text.bytes + offset, count);
	}
	view_text_put(view, text);
	return (int64_t)count;
}

int64_t view_read(struct view *view, uint64_t node, uint64_t offset, void *bytes, size_t size)
{
	const struct view_kind *kind = view_kind_of(node);
	int r;

	if (!kind)
		return -ENOENT;
	if (kind->directory)
		return -EISDIR;
	VIEW_SETS_SCOPE(view);
	r = view_set_check(view, node);
	if (r < 0)
		return r;
	if (kind->render)
		return outside(text_read(view, node, offset, bytes, size));
	return outside(kind->read(view, node, offset, bytes, size));
}

int64_t view_pin(struct view *view, uint64_t node, uint64_t offset, size_t size,
		 const void **ret)
{
	const struct view_kind *kind = view_kind_of(node);

	if (!kind || !kind->pin)
		return -EOPNOTSUPP;
	VIEW_SETS_SCOPE(view);
	return kind->pin(view, node, offset, size, ret);
}

void view_unpin(struct view *view)
{
	capture_unpin(view->capture);
}

struct listing {
	struct view *view;
	uint64_t directory;
	bool attributes;
	struct view_walk *walk; /* NULL: each packet is asked for by itself */
	bool (*emit)(void *context, const struct view_dirent *entry);
	void *context;
};

static int walk_attributes(const struct listing *listing, uint64_t node, struct view_entry *ret)
{
	const struct view_kind *kind = view_kind_of(node);
	const struct pktfs_packet *packet;
	struct view_attributes from = {0};
	int r = view_walk_to(listing->walk, view_node_ordinal(node), &packet);

	if (r == 0)
		r = kind->form->size(packet, &from.size);
	if (r < 0)
		return r;
	from.time = packet->time;
	fill(listing->view, kind, node, &from, ret);
	return 0;
}

/* 1 to go on, 0 when the reader has enough, negative: nothing to emit. */
static int emit(const struct listing *listing, const char *name, uint64_t node, uint64_t next)
{
	struct view_dirent entry = {.name = name, .next = next};
	int r = -EIO;

	if (listing->walk && view_lasting(node))
		r = walk_attributes(listing, node, &entry.entry);
	else if (listing->attributes)
		r = attributes(listing->view, node, VIEW_TEXT_STAT, &entry.entry);
	if (listing->attributes && (r == -ENOENT || r == -EAGAIN))
		return r;
	entry.entry.fleeting = is_fleeting(listing->view, listing->directory, node);
	if (r < 0) {
		/* Not asked for, or not to be had: the name is there anyway. */
		entry.entry.live = listing->attributes;
		entry.entry.st.st_ino = node;
		entry.entry.st.st_mode = mode_of(listing->view, view_kind_of(node), node);
	}
	return listing->emit(listing->context, &entry);
}

static int list(const struct listing *listing, uint64_t cookie)
{
	struct view *view = listing->view;
	uint64_t node = listing->directory;
	const struct view_kind *kind = view_kind_of(node);
	struct view_child child;
	uint64_t position, count;
	int r;

	if (!kind)
		return -ENOENT;
	if (!kind->directory)
		return -ENOTDIR;
	VIEW_SETS_SCOPE(view);
	r = view_set_check(view, node);
	if (r == 0 && kind->check)
		r = kind->check(view, node);
	if (r < 0)
		return (int)outside(r);
	if (cookie < 1 && !emit(listing, ".", node, 1))
		return 0;
	if (cookie < 2 &&
	    !emit(listing, "..", kind->parent ? kind->parent(view, node) : VIEW_ROOT, 2))
		return 0;
	count = kind->count(view, node);
	for (position = cookie < 2 ? 0 : cookie - 2; position < count; position++) {
		r = kind->next ? kind->next(view, node, &position) : 0;
		if (r == -ENOENT || (r == 0 && position >= count))
			return 0;
		if (r < 0)
			return (int)outside(r);
		child.node = node;
		r = kind->child(view, node, position, &child);
		if (r == -ENOMEM || r == -EMFILE)
			return (int)outside(r);
		if (r == 0)
			r = emit(listing, child.name, child.node, position + 3);
		if (r == -EAGAIN && view_set_soon(view, child.node))
			return r;
		if (r == 0)
			return 0;
	}
	return 0;
}

int view_list(struct view *view, uint64_t node, uint64_t cookie, bool with_attributes,
	      bool (*emitter)(void *context, const struct view_dirent *entry), void *context)
{
	struct listing listing = {
		.view = view,
		.directory = node,
		.attributes = with_attributes,
		.emit = emitter,
		.context = context,
	};

	return list(&listing, cookie);
}

int view_list_lasting(struct view *view, uint64_t node, uint64_t cookie,
		      bool (*emitter)(void *context, const struct view_dirent *entry),
		      void *context)
{
	_cleanup_(view_walk_close) struct view_walk walk = {0};
	struct listing listing = {
		.view = view,
		.directory = node,
		.attributes = true,
		.walk = &walk,
		.emit = emitter,
		.context = context,
	};
	int r = view_walk_open(view, &walk);

	if (r == 0)
		r = list(&listing, cookie);
	return r < 0 ? r : view_walk_verify(&walk);
}

bool view_list_live(struct view *view, uint64_t node)
{
	const struct view_kind *kind = view_kind_of(node);

	VIEW_SETS_SCOPE(view);
	return kind && kind->changing && kind->changing(view, node);
}
