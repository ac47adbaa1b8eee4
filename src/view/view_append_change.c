/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What users do in append/: see view.h and append.h.
 */
#include "view_append.h"

#include <fcntl.h>
#include <string.h>

/*
 * What writing says is told as it is, as it comes from the disk or says what is
 * wrong with the packet. -ENOSYS never is: the kernel would not ask again.
 */
int64_t view_append_error(int64_t r)
{
	switch (r) {
	case -EBADMSG: /* a raw block that contradicts itself */
	case -EILSEQ:
		return -EINVAL;
	case -ENODATA:
	case -ENOSYS:
	case -ECANCELED:
		return -EIO;
	default:
		return r;
	}
}

bool view_appends(const struct view *view)
{
	return view->append;
}

int view_create(struct view *view, uint64_t parent, const char *name, const struct append_who *who,
		struct view_entry *ret, uint64_t *ret_handle)
{
	struct append_place place;
	uint64_t child, id, handle;
	int r;

	if (!view->append || !view_append_place(parent, &place))
		return -EROFS;
	if (strlen(name) >= VIEW_NAME_ROOM)
		return -ENAMETOOLONG;
	r = view_append_check(view, parent);
	if (r < 0)
		return r;
	r = view_append_directory(view, parent, name, &child);
	if (r != -ENOENT)
		return r < 0 ? r : -EEXIST;
	r = append_create(view->append, &place, name, who, &id, &handle);
	if (r < 0)
		return (int)view_append_error(r);
	r = view_getattr(view, view_node(NODE_APPEND_PENDING, id), ret);
	if (r < 0) {
		append_release(view->append, id, handle);
		return r;
	}
	ret->fleeting = true;
	*ret_handle = handle;
	return 0;
}

/* What can be written without append/: the `expression` of a named set. */
int view_open_node(struct view *view, uint64_t node, const struct append_who *who,
		   uint64_t *ret_handle)
{
	const struct view_kind *kind = view_kind_of(node);

	if (!kind)
		return -ENOENT;
	if (view->append && view_node_kind(node) == NODE_APPEND_PENDING)
		return (int)view_append_error(
			append_open_file(view->append, view_node_ordinal(node), who, ret_handle));
	if ((who->flags & O_ACCMODE) != O_RDONLY && !kind->writable)
		return -EROFS;
	*ret_handle = 0;
	return 0;
}

int view_flush(struct view *view, uint64_t node, uint64_t handle, pid_t pid, uint64_t *ret_end)
{
	*ret_end = 0;
	if (!view->append || view_node_kind(node) != NODE_APPEND_PENDING || !handle)
		return 0;
	return (int)view_append_error(
		append_flush(view->append, view_node_ordinal(node), handle, pid, ret_end));
}

void view_release(struct view *view, uint64_t node, uint64_t handle)
{
	if (view->append && view_node_kind(node) == NODE_APPEND_PENDING && handle)
		append_release(view->append, view_node_ordinal(node), handle);
}

int view_seen(struct view *view, uint64_t end)
{
	return view->append && end ? append_seen(view->append, end) : 0;
}

int view_sync_begin(struct view *view, uint64_t node, uint64_t *ret_ticket, uint64_t *ret_end)
{
	uint64_t id = view_node_kind(node) == NODE_APPEND_PENDING ? view_node_ordinal(node) : 0;

	*ret_ticket = *ret_end = 0;
	if (!view->append || !view_append_is(node))
		return 0;
	return (int)view_append_error(append_sync_begin(view->append, id, ret_ticket, ret_end));
}

int view_sync_done(struct view *view, uint64_t ticket)
{
	if (!view->append || !ticket)
		return 0;
	return (int)view_append_error(append_sync_done(view->append, ticket));
}

int view_statvfs(struct view *view, struct statvfs *ret)
{
	return view->append ? append_statvfs(view->append, ret) : -EOPNOTSUPP;
}

/* A number is the name of an interface that is there, or of one to come. */
static bool is_number(const char *name)
{
	return !name[strspn(name, "0123456789")];
}

/* What has this name in a directory: 0, -ENOENT. */
static int find(struct view *view, uint64_t parent, const char *name, uint64_t *ret_child)
{
	return view_kind_append_dir.find(view, parent, name, ret_child);
}

int view_append_mkdir(struct view *view, uint64_t parent, const char *name, struct view_entry *ret,
		      uint64_t *ret_end)
{
	uint64_t interface, child;
	int r;

	if (!view->append)
		return -EROFS;
	if (view_node_kind(parent) != NODE_APPEND_DIR)
		return -EPERM;
	if (strlen(name) >= VIEW_NAME_ROOM)
		return -ENAMETOOLONG;
	r = find(view, parent, name, &child);
	if (r != -ENOENT)
		return r < 0 ? r : -EEXIST;
	if (is_number(name)) {
		view_log(view, "append/%s: found a number; accepted a name for the interface",
			 name);
		return -EINVAL;
	}
	r = append_add_interface(view->append, name, &interface, ret_end);
	if (r == 0)
		r = view_getattr(view, view_node(NODE_APPEND_NAMED, interface), ret);
	return (int)view_append_error(r);
}

int view_append_remove(struct view *view, uint64_t parent, const char *name, bool directory)
{
	const struct view_kind *kind;
	struct append_place place;
	uint64_t child;
	int r;

	if (!view->append || !view_append_place(parent, &place))
		return -EROFS;
	r = find(view, parent, name, &child);
	if (r < 0)
		return r;
	kind = view_kind_of(child);
	if (kind->directory)
		return directory ? -EPERM : -EISDIR;
	if (directory)
		return -ENOTDIR;
	return (int)view_append_error(append_remove(view->append, &place, name));
}

int view_append_rename(struct view *view, uint64_t parent, const char *name, uint64_t new_parent,
		       const char *new_name, bool no_replace, uint64_t *ret_end)
{
	struct append_place from, to;
	uint64_t child;
	int r;

	if (!view->append || !view_append_place(parent, &from) ||
	    !view_append_place(new_parent, &to))
		return -EROFS;
	if (strlen(new_name) >= VIEW_NAME_ROOM)
		return -ENAMETOOLONG;
	r = find(view, parent, name, &child);
	if (r < 0)
		return r;
	if (view_kind_of(child)->directory)
		return -EPERM;
	r = view_append_check(view, new_parent);
	if (r == 0)
		r = view_append_directory(view, new_parent, new_name, &child);
	if (r != -ENOENT)
		return r < 0 ? r : no_replace ? -EEXIST : -EISDIR;
	r = append_rename(view->append, &from, name, &to, new_name, no_replace, ret_end);
	return (int)view_append_error(r);
}
