/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rendered texts, kept so that a stat and the reads behind it render once.
 *
 *	struct view_text *text;
 *	r = view_text_get(view, node, true, &text);
 *	... text->text.bytes, text->text.size, text->live, text->rendered ...
 *	view_text_put(view, text);
 *
 * A live text is a snapshot: with `fresh` (stat, lookup) it is made anew,
 * without (read) what was measured last is served. A reader's last read, which
 * finds the end, is preceded by a stat of the kernel's: so a text that was read
 * in the last VIEW_TEXT_HOLD_MS stays as it is.
 */
#ifndef VIEW_TEXT_H
#define VIEW_TEXT_H

#include "view_private.h"

#define VIEW_TEXT_ENTRIES 256u
#define VIEW_TEXT_BYTES   ((size_t)8 << 20)
#define VIEW_TEXT_HOLD_MS 3u

struct view_text {
	/* never changes while it is held */
	struct text text;
	uint64_t node;
	bool live;
	struct pktfs_time rendered; /* when it changed last */
	/* under the cache's lock */
	uint64_t read_ms;
	uint64_t used;
	unsigned references;
	bool cached;
};

struct view_cache *view_cache_new(void);
void view_cache_free(struct view_cache *cache);

/* 0; -ENOENT when there is no such value; the errors of the kind's render. */
int view_text_get(struct view *view, uint64_t node, bool fresh, struct view_text **ret);
void view_text_put(struct view *view, struct view_text *text);
/* What is written now is what is read next, however soon. */
void view_text_forget(struct view *view, uint64_t node);

#endif
