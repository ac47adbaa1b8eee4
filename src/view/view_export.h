/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual capture files that are being read, kept open between reads: a small
 * cache by node, the least recently used given up first.
 */
#ifndef VIEW_EXPORT_H
#define VIEW_EXPORT_H

#include "set/set_export.h"
#include "view_set.h"

struct view_export_cache *view_export_cache_new(void);
void view_export_cache_free(struct view_export_cache *cache);

/*
 * Gives up an export that the capture has outgrown: to be called after the size
 * of the file was taken, so that the next read is of at least that much. It is
 * not done by reads: one that has to wait would begin anew with each packet
 * that comes.
 */
void view_export_refresh(struct view *view, uint64_t node);

/* Reads from the virtual file that `node` is, opening it where need be. */
int64_t view_export_read(struct view *view, uint64_t node, struct set *set,
			 enum export_format format, unsigned link, uint64_t offset, void *bytes,
			 size_t size);

#endif
