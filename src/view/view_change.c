/* SPDX-License-Identifier: BSD-2-Clause */
/* What users may make and write: see view.h and view_named.h. */
#include <string.h>

#include "view_append.h"
#include "view_named.h"
#include "view_text.h"

static int made(struct view *view, uint64_t node, struct view_entry *ret)
{
	int r = view_getattr(view, node, ret);

	if (r == 0)
		ret->fleeting = true;
	return r;
}

static int make(struct view *view, uint64_t parent, const char *name, const char *target,
		struct view_entry *ret)
{
	uint64_t node;
	int r;

	if (!view_is_place(parent))
		return -EROFS;
	VIEW_SETS_SCOPE(view);
	r = view_named_add(view, view_place_of(parent), name, target, &node);
	return r < 0 ? r : made(view, node, ret);
}

int view_mkdir(struct view *view, uint64_t parent, const char *name, struct view_entry *ret,
	       uint64_t *ret_end)
{
	*ret_end = 0;
	if (view_append_is(parent))
		return view_append_mkdir(view, parent, name, ret, ret_end);
	return make(view, parent, name, NULL, ret);
}

int view_symlink(struct view *view, uint64_t parent, const char *name, const char *target,
		 struct view_entry *ret)
{
	if (view_append_is(parent))
		return view_never(view, parent);
	return make(view, parent, name, target, ret);
}

int view_never(struct view *view, uint64_t node)
{
	return view->append && view_append_is(node) ? -EPERM : -EROFS;
}

/* A name that nobody made and that is there all the same is a question. */
static int not_made(struct view *view, uint64_t parent, const char *name)
{
	struct view_entry entry;

	return view_lookup(view, parent, name, &entry, NULL) == 0 ? -EROFS : -ENOENT;
}

int view_remove(struct view *view, uint64_t parent, const char *name, bool directory)
{
	int r;

	if (view_append_is(parent))
		return view_append_remove(view, parent, name, directory);
	if (!view_is_place(parent))
		return -EROFS;
	r = view_named_remove(view, view_place_of(parent), name, directory);
	return r == -ENOENT ? not_made(view, parent, name) : r;
}

int view_rename(struct view *view, uint64_t parent, const char *name, uint64_t new_parent,
		const char *new_name, bool no_replace, uint64_t *ret_end)
{
	struct view_place to = view_place_of(new_parent);
	uint64_t node;
	int r;

	*ret_end = 0;
	if (view_append_is(parent) && view_append_is(new_parent))
		return view_append_rename(view, parent, name, new_parent, new_name, no_replace,
					  ret_end);
	if (!view_is_place(parent) || !view_is_place(new_parent))
		return -EROFS;
	if (no_replace && view_named_find(view, to, new_name, &node) == 0)
		return -EEXIST;
	r = view_named_rename(view, view_place_of(parent), name, to, new_name);
	return r == -ENOENT ? not_made(view, parent, name) : r;
}

static bool is_writable(uint64_t node)
{
	const struct view_kind *kind = view_kind_of(node);

	return kind && kind->writable;
}

/* One write is one expression: the newline that `echo` puts behind it goes. */
int64_t view_write(struct view *view, uint64_t node, uint64_t offset, const char *bytes,
		   size_t size)
{
	char expression[SET_MAX_EXPRESSION + 1];
	size_t length = size;
	int r;

	if (!is_writable(node))
		return -EROFS;
	if (view_append_is(node))
		return view_append_write(view, node, offset, bytes, size);
	while (length && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r'))
		length--;
	if (offset || length > SET_MAX_EXPRESSION || memchr(bytes, 0, length)) {
		view_log(view, "expression: found %zu bytes at offset %llu%s; accepted one line of "
			 "at most %u bytes, in one write at offset 0", length,
			 (unsigned long long)offset, memchr(bytes, 0, length) ? ", with a NUL" : "",
			 SET_MAX_EXPRESSION);
		return -EINVAL;
	}
	memcpy(expression, bytes, length);
	expression[length] = '\0';
	VIEW_SETS_SCOPE(view);
	r = view_named_write(view, view_node(NODE_EXPRESSION, view_node_ordinal(node)), expression);
	view_text_forget(view, node);
	return r < 0 ? r : (int64_t)size;
}

int view_setattr(struct view *view, uint64_t node, const struct view_setattr *attributes,
		 struct view_entry *ret)
{
	int r = 0;

	if (view_append_is(node) || view_append_has_packet(view, node))
		r = view_append_setattr(view, node, attributes);
	else if (!is_writable(node) || attributes->what & (VIEW_SET_MODE | VIEW_SET_OWNER))
		r = -EROFS;
	return r < 0 ? r : view_getattr(view, node, ret);
}

int view_readlink(struct view *view, uint64_t node, struct text *ret)
{
	const struct view_kind *kind = view_kind_of(node);

	if (!kind || !kind->link)
		return -EINVAL;
	return kind->render(view, node, ret);
}
