/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs_ahead.h"

#include "util/util_base.h"

/* A shorter run has no marker. */
#define MARKER_MIN 8u

static uint64_t key_of(uint64_t node)
{
	return node / FS_AHEAD_BLOCK;
}

static uint64_t bit_of(uint64_t node)
{
	return UINT64_C(1) << node % FS_AHEAD_BLOCK;
}

static unsigned slot_of(uint64_t key)
{
	return (unsigned)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 54);
}

_Static_assert(FS_AHEAD_SLOTS == 1u << (64 - 54), "the hash gives one slot");

/* NULL: nothing is known of it. */
static const struct fs_ahead_block *find(const struct fs_ahead *ahead, uint64_t key)
{
	const struct fs_ahead_block *block = &ahead->blocks[slot_of(key)];

	return block->key == key ? block : NULL;
}

static struct fs_ahead_block *take(struct fs_ahead *ahead, uint64_t key)
{
	struct fs_ahead_block *block = &ahead->blocks[slot_of(key)];

	if (block->key != key)
		*block = (struct fs_ahead_block){.key = key};
	return block;
}

/* Blocks of the run in which this one was pushed, or is going to be; 0: none. */
static unsigned run_length(const struct fs_ahead *ahead, uint64_t key)
{
	const struct fs_ahead_block *block = find(ahead, key);

	if (!block || (block->state != FS_AHEAD_QUEUED && block->state != FS_AHEAD_DONE))
		return 0;
	return block->length;
}

/* The last node of the block, as seen in that direction. */
static uint64_t block_end(uint64_t key, int step)
{
	return key * FS_AHEAD_BLOCK + (step > 0 ? FS_AHEAD_BLOCK - 1 : 0);
}

static void set_marker(struct fs_ahead *ahead, const struct fs_ahead_run *run, bool again)
{
	struct fs_ahead_block *block;
	uint64_t up = (uint64_t)(int64_t)run->step;

	if (run->count < MARKER_MIN)
		return;
	block = take(ahead, key_of(run->from + run->count / 2 * up));
	block->marker = run->from + run->count / 2 * up;
	block->next = run->from + run->count * up;
	block->step = run->step;
	block->again = again;
}

struct start {
	uint64_t from;
	int step;
	unsigned length; /* blocks */
	bool again;      /* what was pushed once is no longer there */
};

/* False: the run ends before this one. */
static bool join_run(struct fs_ahead_block *block, const struct start *start)
{
	if (block->state == FS_AHEAD_QUEUED)
		return false;
	if (start->again)
		block->read = block->given = 0;
	else if (block->state == FS_AHEAD_DONE && start->length > 1)
		return false;
	block->state = FS_AHEAD_QUEUED;
	block->length = MAX(block->length, start->length);
	block->marker = 0;
	return true;
}

static bool begin(struct fs_ahead *ahead, const struct start *start, struct fs_ahead_run *ret)
{
	struct fs_ahead_run run = {.from = start->from, .step = start->step};
	uint64_t key = key_of(start->from);
	unsigned i;

	for (i = 0; i < start->length && join_run(take(ahead, key), start); i++) {
		run.count = 1 + (unsigned)(start->step > 0 ? block_end(key, 1) - start->from
							   : start->from - block_end(key, -1));
		key += (uint64_t)(int64_t)start->step;
	}
	if (!run.count)
		return false;
	set_marker(ahead, &run, start->again);
	*ret = run;
	return true;
}

static unsigned longer(unsigned length)
{
	return MIN(2 * length, FS_AHEAD_RUN);
}

/* A block beside one that was pushed: the next run, from its edge, since with
 * several threads the first that is read is not always the first. */
static bool go_on(const struct fs_ahead *ahead, const struct fs_ahead_block *block,
		  struct start *ret)
{
	unsigned below = run_length(ahead, block->key - 1);
	unsigned above = run_length(ahead, block->key + 1);

	if (!below && !above)
		return false;
	ret->step = below ? 1 : -1;
	ret->from = block_end(block->key, -ret->step);
	ret->length = longer(below ? below : above);
	return true;
}

static void begin_here(const struct fs_ahead_block *block, struct start *ret)
{
	bool down = block->falls + 1 >= FS_AHEAD_READS;
	unsigned bit = down ? 63 - (unsigned)__builtin_clzll(block->read)
			    : (unsigned)__builtin_ctzll(block->read);

	ret->step = down ? -1 : 1;
	ret->from = block->key * FS_AHEAD_BLOCK + bit;
	ret->length = 1;
}

/*
 * A READ in a block that was pushed: one may have been asked for before it was
 * pushed. Several: they were left out, and are pushed now; or the kernel has
 * forgotten what it had, and then not here alone.
 */
static bool is_late(struct fs_ahead_block *block, bool was_there, struct start *start)
{
	block->late++;
	block->lost += was_there;
	if (block->late < FS_AHEAD_READS)
		return true;
	start->again = block->lost + 1 >= FS_AHEAD_READS;
	block->late = block->lost = 0;
	return false;
}

/*
 * The kernel did not know what is here, and one of it was read: a listing may have
 * gone on, and the rest be known by now. Not asked after each READ, since it may
 * also be that nothing is listed.
 */
static bool is_refused(struct fs_ahead_block *block)
{
	block->late++;
	return (block->late & (block->late - 1)) != 0;
}

static void note(struct fs_ahead_block *block, uint64_t node, bool was_there)
{
	if (was_there && (block->state == FS_AHEAD_NONE || block->state == FS_AHEAD_REFUSED)) {
		block->read = block->given = 0; /* the kernel has forgotten it */
		block->falls = 0;
	}
	block->falls += block->read && node < block->last;
	block->read |= bit_of(node);
	block->last = node;
}

bool fs_ahead_read(struct fs_ahead *ahead, uint64_t node, struct fs_ahead_run *ret)
{
	struct fs_ahead_block *block = take(ahead, key_of(node));
	bool was_there = (block->read | block->given) & bit_of(node);
	struct start start = {0};

	note(block, node, was_there);
	if (block->marker == node) {
		block->marker = 0;
		start = (struct start){block->next, block->step, longer(block->length),
				       block->again};
		return begin(ahead, &start, ret);
	}
	if (block->state == FS_AHEAD_QUEUED ||
	    (block->state == FS_AHEAD_REFUSED && is_refused(block)) ||
	    (block->state == FS_AHEAD_DONE && is_late(block, was_there, &start)))
		return false;
	if (block->state == FS_AHEAD_DONE && !start.again) {
		start = (struct start){block_end(block->key, -1), 1, 1, false};
		return begin(ahead, &start, ret);
	}
	if (go_on(ahead, block, &start))
		return begin(ahead, &start, ret);
	if (__builtin_popcountll(block->read) < (int)FS_AHEAD_READS)
		return false;
	begin_here(block, &start);
	return begin(ahead, &start, ret);
}

bool fs_ahead_wanted(const struct fs_ahead *ahead, uint64_t node)
{
	const struct fs_ahead_block *block = find(ahead, key_of(node));

	return !block || (block->marker != node && !((block->read | block->given) & bit_of(node)));
}

void fs_ahead_given(struct fs_ahead *ahead, uint64_t node)
{
	take(ahead, key_of(node))->given |= bit_of(node);
}

void fs_ahead_done(struct fs_ahead *ahead, uint64_t node)
{
	struct fs_ahead_block *block = take(ahead, key_of(node));

	block->state = FS_AHEAD_DONE;
	block->late = block->lost = 0;
}

void fs_ahead_drop(struct fs_ahead *ahead, const struct fs_ahead_run *rest, bool refused)
{
	uint64_t step = (uint64_t)(int64_t)rest->step, key = key_of(rest->from);
	uint64_t last = key_of(rest->from + (rest->count - 1) * step);
	struct fs_ahead_block *block;

	for (;; key += step, refused = false) {
		block = take(ahead, key);
		block->state = refused ? FS_AHEAD_REFUSED : FS_AHEAD_NONE;
		block->marker = 0;
		if (key == last)
			return;
	}
}
