/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files to give to the kernel before it asks: who reads packets one after
 * the other gets the next ones. Told of each READ, it says when a run of them
 * should be pushed. It knows nodes by number only, and neither FUSE nor files.
 *
 *	if (fs_ahead_read(ahead, node, &run))
 *		... later, in another thread, for each node of the run:
 *			if (fs_ahead_wanted(ahead, node))
 *				... push it, fs_ahead_given(ahead, node) ...
 *			fs_ahead_done(ahead, node);   the last one of a block
 *		or, where the run ends early, fs_ahead_drop(ahead, &rest, refused)
 *
 * What was read is kept for blocks of 64 nodes, in a small table that may forget:
 *
 *	- Three READs in a block: somebody reads them all. The rest of the block is
 *	  pushed, in the direction in which they came.
 *	- A READ beside a block that was pushed: the reader has come to the end. The
 *	  next run is twice as long.
 *	- In the middle of each run one node, the marker, is left out: its READ says
 *	  that the reader has come so far, and the next run is pushed while the rest of
 *	  this one is being read.
 *
 * So a reader of all packets makes one request for a thousand of them, in either
 * direction and with several threads, and one that reads here and there none more
 * than it would anyway.
 *
 * Threads: the caller locks.
 */
#ifndef FS_AHEAD_H
#define FS_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#define FS_AHEAD_BLOCK 64u   /* nodes: the bits of one number */
#define FS_AHEAD_SLOTS 1024u /* blocks that are known */
#define FS_AHEAD_READS 3u    /* before the first run */

/* Blocks of the longest run. With 64 a grep -r takes a twentieth longer, as what was pushed
 * so early has left the caches when it is read; 8 are no better. */
#define FS_AHEAD_RUN 16u

enum fs_ahead_state {
	FS_AHEAD_NONE,
	FS_AHEAD_QUEUED, /* in a run that has not come so far */
	FS_AHEAD_DONE,
	FS_AHEAD_REFUSED, /* the kernel does not know these files: tried again, but rarely */
};

struct fs_ahead_block {
	uint64_t key;         /* node / FS_AHEAD_BLOCK; 0: free */
	uint64_t read, given; /* a bit for each node: by a READ, pushed */
	uint64_t last;        /* that was read */
	unsigned falls;       /* READs of a lower node than the one before */
	unsigned late, lost;  /* READs since it is done or refused; of what was there */
	enum fs_ahead_state state;
	unsigned length; /* blocks of the run that it was in */
	/* the marker of that run, if it is here, and where the next one begins */
	uint64_t marker, next;
	int step;
	bool again;
};

struct fs_ahead {
	struct fs_ahead_block blocks[FS_AHEAD_SLOTS];
};

/* `count` nodes from `from` on, up (step 1) or down (-1); never over the end of a
 * block but to the next one. */
struct fs_ahead_run {
	uint64_t from;
	unsigned count;
	int step;
};

/* True: *ret is to be pushed. */
bool fs_ahead_read(struct fs_ahead *ahead, uint64_t node, struct fs_ahead_run *ret);

/* Whether this one of a run is to be pushed: it was not read meanwhile. */
bool fs_ahead_wanted(const struct fs_ahead *ahead, uint64_t node);

void fs_ahead_given(struct fs_ahead *ahead, uint64_t node);

/* The run has come to the end of the block that `node` is in. */
void fs_ahead_done(struct fs_ahead *ahead, uint64_t node);

/* The blocks of what is left of a run are not pushed. `refused`: the kernel does not
 * know what is in the first of them. */
void fs_ahead_drop(struct fs_ahead *ahead, const struct fs_ahead_run *rest, bool refused);

#endif
