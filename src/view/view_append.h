/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * append/: where each directory and file of it is in `append`, which keeps the
 * names and the bytes (append.h).
 *
 *	append/I/  append/NAME/  append/blocks/  append/ itself    places
 *	append/0/p   a pending file: NODE_APPEND_PENDING
 *	             once it is committed a link: NODE_APPEND_COMMITTED
 *
 * Both have the number of the file as their ordinal, but they are two inodes: a
 * process that has the file open keeps a regular file, and a kernel that looks
 * the name up again takes what it gets for another.
 *
 * The functions below are what the dispatching ones of view.h call for nodes
 * of append/. Their errors are what the user is told (view_append_error).
 */
#ifndef VIEW_APPEND_H
#define VIEW_APPEND_H

#include "append/append.h"
#include "view_private.h"

/* Whether a node is of append/. */
bool view_append_is(uint64_t node);

/* Where the files of a directory of append/ are; false: it is none. */
bool view_append_place(uint64_t node, struct append_place *ret);

/* The directory of a name in append/: 0, -ENOENT, -EAGAIN. Nothing else there
 * has directories. */
int view_append_directory(struct view *view, uint64_t parent, const char *name,
			  uint64_t *ret_child);
/* 0, or why the directory cannot have files: -ENOENT, -EAGAIN. */
int view_append_check(struct view *view, uint64_t directory);

/* The node of a file by its number: 0, -ENOENT. */
int view_append_node(struct view *view, uint64_t id, uint64_t *ret_node);

int view_append_mkdir(struct view *view, uint64_t parent, const char *name, struct view_entry *ret,
		      uint64_t *ret_end);
int view_append_remove(struct view *view, uint64_t parent, const char *name, bool directory);
int view_append_rename(struct view *view, uint64_t parent, const char *name, uint64_t new_parent,
		       const char *new_name, bool no_replace, uint64_t *ret_end);
int64_t view_append_write(struct view *view, uint64_t node, uint64_t offset, const void *bytes,
			  size_t size);
/* Of files and directories of append/, and of packets that were appended. */
int view_append_setattr(struct view *view, uint64_t node, const struct view_setattr *attributes);
bool view_append_has_packet(struct view *view, uint64_t node);

/* Of NODE_APPEND_PENDING; `name` without its "user.pktfs.". */
int view_append_setxattr(struct view *view, uint64_t node, const char *name, const void *value,
			 size_t size);
int view_append_getxattr(struct view *view, uint64_t node, const char *name, struct text *ret);
int view_append_listxattr(struct view *view, uint64_t node, const char *prefix, struct text *ret);

/* What a user is told of a failure to write. */
int64_t view_append_error(int64_t r);

#endif
