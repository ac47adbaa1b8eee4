/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rendered texts, kept so that a stat and the reads behind it render once.
 *
 *	struct view_text *text;
 *	r = view_text_get(view, node, VIEW_TEXT_STAT, &text);
 *	... text->text.bytes, text->text.size, text->live, text->rendered ...
 *	view_text_put(view, text);
 *
 * A live text is a snapshot: for a stat it is made anew, for a read what was
 * measured last is served. A reader's last read, which finds the end, is
 * preceded by a stat of the kernel's: so a text that was read in the last
 * VIEW_TEXT_HOLD_MS stays as it is. A lookup, which is a new reader's, stays
 * with it only if nothing has been added to the capture since: who waited for
 * an append to end sees it.
 */
#ifndef VIEW_TEXT_H
#define VIEW_TEXT_H

#include "view_private.h"

#define VIEW_TEXT_ENTRIES 256u
#define VIEW_TEXT_BYTES   ((size_t)8 << 20)
#define VIEW_TEXT_HOLD_MS 3u

enum view_text_use {
	VIEW_TEXT_READ,
	VIEW_TEXT_STAT,
	VIEW_TEXT_LOOKUP,
};

/* What a capture that grows has come to; 0 of one that does not. */
struct view_text_version {
	uint64_t packets, metadata, log_lines;
	bool active;
};

struct view_text {
	/* never changes while it is held */
	struct text text;
	uint64_t node;
	bool live;
	struct pktfs_time rendered; /* when it changed last */
	/* under the cache's lock */
	struct view_text_version version; /* before it was rendered last */
	uint64_t read_ms;
	uint64_t used;
	unsigned references;
	bool cached;
};

struct view_cache *view_cache_new(void);
void view_cache_free(struct view_cache *cache);

/* 0; -ENOENT when there is no such value; the errors of the kind's render. */
int view_text_get(struct view *view, uint64_t node, enum view_text_use use,
		  struct view_text **ret);
void view_text_put(struct view *view, struct view_text *text);
/* What is written now is what is read next, however soon. */
void view_text_forget(struct view *view, uint64_t node);

#endif
