/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets in the tree: a node that is of a set holds its number (set_id), and the
 * directories of a set are the same kinds as those of the root, which is the
 * set of all packets.
 */
#ifndef VIEW_SET_H
#define VIEW_SET_H

#include "set/set.h"
#include "view_private.h"

/* Around everything that has to do with sets: none of them goes away until the
 * end of the scope (set_pool_enter). */
#define VIEW_SETS_SCOPE(view)                                                                      \
	_cleanup_(set_pool_leave) __attribute__((unused)) struct set_reader view_sets_scope_ =     \
		set_pool_enter((view)->sets)

/* 0, or -ESTALE: the set of this node was given up, and looking its path up
 * again brings it back (the kernel does, for whoever comes by a path). */
int view_set_check(struct view *view, uint64_t node);

/* The set of a node; NULL when there is none of that number. */
struct set *view_set_of(struct view *view, uint64_t node);

/* The root directory of a set. */
uint64_t view_set_root(const struct set *set);

/* The packets of `set` that have payload. */
int view_set_payload(struct view *view, struct set *set, struct set **ret);

/*
 * What pktfs_status_get says of the capture, with the packets, bytes and times
 * of the set, and INDEXING while it is not evaluated for what is there. For the
 * set of all packets just that. What failed is returned.
 */
int view_set_status(struct view *view, struct set *set, struct pktfs_status *ret);

/* Whether what is said of the node's set may still change. */
bool view_set_changing(struct view *view, uint64_t node);

/*
 * Whether what is not known of the node's set is so for a moment only, because
 * the capture has just grown. A listing waits for that, or else names would go
 * away and come back each time; it does not wait for a first evaluation.
 */
bool view_set_soon(struct view *view, uint64_t node);

/* For listings by packet number: moves *position (number - 1) to the first
 * packet of the set at or behind it. 0, -ENOENT, -EAGAIN or what failed. */
int view_set_next(struct set *set, uint64_t *position);

/*
 * The set that a name in by/KIND/ stands for: %XX is undone. -ENOENT where the
 * name makes no sense, with the reason in info/log.
 */
int view_set_open(struct view *view, struct set *parent, enum set_kind kind, const char *name,
		  struct set **ret);

/* Undoes %XX. -EINVAL: a % that is not one; -ENAMETOOLONG. */
int view_set_expression(const char *name, char *ret, size_t room);

#endif
