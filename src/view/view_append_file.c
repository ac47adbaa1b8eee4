/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of append/: pending ones, and the links that they become.
 */
#include "view_append.h"

#include <inttypes.h>
#include <string.h>

/* Of a node that may be any number. */
static int status_of(struct view *view, uint64_t node, struct append_status *ret)
{
	if (!view->append)
		return -ENOENT;
	return append_status_get(view->append, view_node_ordinal(node), ret);
}

/* The capture does not show the record: not yet, or never (-EIO). */
static int not_shown(struct view *view, const struct append_status *status)
{
	int r = -EAGAIN;

	if (status->block_offset != UINT64_MAX)
		r = append_seen(view->append, status->block_offset + 1);
	return r < 0 ? r : -EAGAIN;
}

/* The packet or the block that a file has become. */
static int record_of(struct view *view, const struct append_status *status, uint64_t *ret_node)
{
	uint64_t index;
	int r;

	if (status->is_packet) {
		*ret_node = view_node(NODE_PACKET, status->packet);
		return status->packet ? 0 : not_shown(view, status);
	}
	r = pktfs_block_at(view->capture, status->block_offset, &index);
	if (r == 0)
		*ret_node = view_node(NODE_BLOCK, index);
	return r == -ENOENT ? not_shown(view, status) : r;
}

static void owned(const struct append_status *status, mode_t mode, struct view_attributes *ret)
{
	ret->owned = true;
	ret->mode = mode;
	ret->uid = status->uid;
	ret->gid = status->gid;
	ret->links = status->named ? 1 : 0;
	ret->time = status->time;
}

/* A process that has the file open when it is committed goes on to see a regular
 * file, with the bytes that the record has (none as long as it is not shown). */
static int pending_attributes(struct view *view, uint64_t node, struct view_attributes *ret)
{
	struct view_attributes shown = {0};
	struct append_status status;
	uint64_t record;
	int r = status_of(view, node, &status);

	if (r < 0)
		return r;
	owned(&status, status.mode, ret);
	ret->live = true;
	ret->size = status.size;
	if (status.committed && record_of(view, &status, &record) == 0 &&
	    view_kind_of(record)->attributes(view, record, &shown) == 0)
		ret->size = shown.size;
	return 0;
}

static int64_t pending_read(struct view *view, uint64_t node, uint64_t offset, void *bytes,
			    size_t size)
{
	struct append_status status;
	uint64_t record;
	int r = status_of(view, node, &status);

	if (r < 0)
		return r;
	if (!status.committed)
		return append_read(view->append, view_node_ordinal(node), offset, bytes, size);
	r = record_of(view, &status, &record);
	return r < 0 ? r : view_kind_of(record)->read(view, record, offset, bytes, size);
}

const struct view_kind view_kind_append_pending = {
	.writable = true,
	.attributes = pending_attributes,
	.read = pending_read,
};

static int target(struct view *view, const struct append_status *status, struct text *text)
{
	const char *up = status->place.kind == APPEND_ONLY ? ".." : "../..";
	char name[VIEW_NAME_ROOM];
	uint64_t record;
	int r = record_of(view, status, &record);

	if (r < 0)
		return r;
	if (view_node_kind(record) == NODE_PACKET) {
		text_printf(text, "%s/packets/%09" PRIu64, up, view_node_ordinal(record));
		return text->failed;
	}
	r = view_block_name(view, view_node_ordinal(record), name);
	if (r == 0)
		text_printf(text, "%s/blocks/%s", up, name);
	return r < 0 ? r : text->failed;
}

static int committed_status(struct view *view, uint64_t node, struct append_status *ret)
{
	int r = status_of(view, node, ret);

	return r == 0 && !ret->committed ? -ENOENT : r;
}

static int committed_render(struct view *view, uint64_t node, struct text *text)
{
	struct append_status status;
	int r = committed_status(view, node, &status);

	return r < 0 ? r : target(view, &status, text);
}

/* The link is there before what it leads to: a listing does not wait for that,
 * readlink does. */
static int committed_attributes(struct view *view, uint64_t node, struct view_attributes *ret)
{
	_cleanup_(text_free) struct text text = {0};
	struct append_status status;
	int r = committed_status(view, node, &status);

	if (r < 0)
		return r;
	owned(&status, 0777, ret);
	r = target(view, &status, &text);
	ret->size = text.size;
	ret->live = r < 0;
	return r == -ENOMEM ? r : 0;
}

const struct view_kind view_kind_append_committed = {
	.link = true,
	.render = committed_render,
	.attributes = committed_attributes,
};

int64_t view_append_write(struct view *view, uint64_t node, uint64_t offset, const void *bytes,
			  size_t size)
{
	if (!view->append)
		return -ENOENT;
	return view_append_error(
		append_write(view->append, view_node_ordinal(node), offset, bytes, size));
}

bool view_append_has_packet(struct view *view, uint64_t node)
{
	return view->append && view_node_kind(node) == NODE_PACKET &&
	       view_node_ordinal(node) > append_first_packet(view->append);
}

static int set_pending(struct append *append, uint64_t id, const struct view_setattr *a)
{
	struct append_status status;
	int r = append_status_get(append, id, &status);

	if (r == 0 && a->what & VIEW_SET_SIZE)
		r = append_truncate(append, id, a->size);
	if (r == 0 && a->what & VIEW_SET_OWNER)
		r = append_set_owner(append, id, a->uid, a->gid);
	if (r == 0 && a->what & VIEW_SET_MODE)
		r = append_set_mode(append, id, a->mode);
	if (r == 0 && a->what & VIEW_SET_TIME)
		r = append_set_time(append, id, a->time);
	return r;
}

/*
 * Of a directory all of it is taken and ignored, as rsync sets what it can. A
 * link and a packet that was appended take mode and owner so, which are nothing
 * of a packet's; but not a time, which would be.
 */
int view_append_setattr(struct view *view, uint64_t node, const struct view_setattr *attributes)
{
	const struct view_kind *kind = view_kind_of(node);

	if (!view->append)
		return -EROFS;
	if (kind->directory)
		return 0;
	if (view_node_kind(node) == NODE_APPEND_PENDING)
		return (int)view_append_error(
			set_pending(view->append, view_node_ordinal(node), attributes));
	return attributes->what & (VIEW_SET_SIZE | VIEW_SET_TIME) ? -EROFS : 0;
}

int view_append_setxattr(struct view *view, uint64_t node, const char *name, const void *value,
			 size_t size)
{
	int r;

	if (!view->append)
		return -ENOENT;
	r = append_set_attribute(view->append, view_node_ordinal(node), name, value, size);
	/* of attributes it is a word of its own: there is none to remove */
	return r == -ENODATA ? r : (int)view_append_error(r);
}

/* What was set; of a committed file it is the packet's, which has it. */
int view_append_getxattr(struct view *view, uint64_t node, const char *name, struct text *ret)
{
	struct append_status status;
	int r = status_of(view, node, &status);

	if (r < 0 || status.committed)
		return r < 0 ? r : -ENODATA;
	return append_attribute(view->append, view_node_ordinal(node), name, ret);
}

int view_append_listxattr(struct view *view, uint64_t node, const char *prefix, struct text *ret)
{
	_cleanup_(text_free) struct text names = {0};
	struct append_status status;
	size_t at;
	int r = status_of(view, node, &status);

	if (r == 0 && !status.committed)
		r = append_attributes(view->append, view_node_ordinal(node), &names);
	if (r < 0)
		return r;
	for (at = 0; at < names.size; at += strlen(names.bytes + at) + 1) {
		text_string(ret, prefix);
		text_append(ret, names.bytes + at, strlen(names.bytes + at) + 1);
	}
	return ret->failed ? ret->failed : names.failed;
}
