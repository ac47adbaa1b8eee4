/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What users make in by/filter/ and by/match/: named sets (mkdir), whose
 * expression is a file that is written, and symbolic links (ln -s). They are
 * in memory only, and gone with the mount.
 *
 * The node of a named set is its directory: its `expression`, and beside it
 * what the set of that expression has. A link is one to a name beside it, so
 * `ln -s 'tcp port 80' by/filter/web` is as it looks.
 */
#ifndef VIEW_NAMED_H
#define VIEW_NAMED_H

#include "view_set.h"

/* At one time; a user's own names, not a program's. */
#define VIEW_NAMED_MAX 10000u

struct view_named_table;

struct view_named_table *view_named_new(void);
void view_named_free(struct view_named_table *table);

/* Where a name can be: in by/KIND/ of a set. */
struct view_place {
	uint32_t set;
	enum set_kind kind;
};

/* view_by.c: the place that a by/KIND/ node is, and whether names can be made
 * there. */
struct view_place view_place_of(uint64_t node);
bool view_is_place(uint64_t node);

/* The node of a name, or -ENOENT. */
int view_named_find(struct view *view, struct view_place place, const char *name,
		    uint64_t *ret_node);

/* The first name in a place with a number (from 0, below VIEW_NAMED_MAX) of
 * *number or more. */
int view_named_next(struct view *view, struct view_place place, uint64_t *number,
		    struct view_child *ret);

/* The set that a named one stands for now; NULL: no expression yet. -ENOENT. */
int view_named_set(struct view *view, uint64_t node, struct set **ret);

/* target NULL: a named set; otherwise a link, whose target must be a sound
 * expression and a file name. -EEXIST, -EINVAL, -ENOSPC. */
int view_named_add(struct view *view, struct view_place place, const char *name,
		   const char *target, uint64_t *ret_node);
int view_named_remove(struct view *view, struct view_place place, const char *name,
		      bool directory);
int view_named_rename(struct view *view, struct view_place from, const char *name,
		      struct view_place to, const char *new_name);

int view_named_target(struct view *view, uint64_t node, struct text *ret);

/* A new expression: -EINVAL, and the old one stays in force. */
int view_named_write(struct view *view, uint64_t node, const char *expression);

#endif
