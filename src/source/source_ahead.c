/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_ahead.h"

static struct source_frame *frame_at(const struct source_ahead *ahead, uint64_t index)
{
	return table_at(ahead->frames, index);
}

/* Whoever wants the frame will find out by himself if this fails. */
static void load(void *context, uint64_t index)
{
	struct source_ahead *ahead = context;

	source_cache_load(ahead->cache, frame_at(ahead, index));
}

/* How many frames in front of this one are in the cache. Those in the spool are,
 * and so is what is in front of the first. */
static unsigned run_before(const struct source_ahead *ahead, uint64_t index)
{
	unsigned run = 0;

	for (; run < SOURCE_AHEAD_FRAMES && index > run; run++) {
		struct source_frame *frame = frame_at(ahead, index - run - 1);

		if (frame->length == 0)
			break;
		if (!source_cache_has(ahead->cache, frame))
			return run;
	}
	return SOURCE_AHEAD_FRAMES;
}

/* The frames that have just come to lie far enough behind. */
static void pass_behind(const struct source_ahead *ahead, uint64_t index)
{
	const struct source_frame *frame = frame_at(ahead, index);
	uint64_t before = index ? frame->start - frame_at(ahead, index - 1)->start : 0;
	uint64_t bytes = 0;

	while (index-- > 0 && bytes < SOURCE_AHEAD_BEHIND + before) {
		frame = frame_at(ahead, index);
		bytes += frame->length;
		if (frame->length == 0)
			break;
		if (bytes > SOURCE_AHEAD_BEHIND)
			source_cache_pass(ahead->cache, frame);
	}
}

void source_ahead_step(struct source_ahead *ahead, uint64_t index, uint64_t count)
{
	unsigned few = 2 * ahead->pool->thread_limit;
	uint64_t bytes = 0, end, i;

	if (few == 0)
		return;
	/* he will do it himself, if nobody has begun: later would be for nothing */
	source_pool_remove(ahead->pool,
			   &(struct source_task){.run = load, .context = ahead, .number = index});
	pass_behind(ahead, index);
	end = index + 1 + 2 * run_before(ahead, index);
	for (i = index + 1; i < MIN(end, count); i++) {
		struct source_task task = {.run = load, .context = ahead, .number = i};

		bytes += frame_at(ahead, i)->length;
		if (frame_at(ahead, i)->length == 0 || bytes > ahead->cache->limit / 2 ||
		    (i - index > few && bytes > SOURCE_AHEAD_BYTES))
			break;
		if (!source_cache_has(ahead->cache, frame_at(ahead, i)) &&
		    !source_pool_add(ahead->pool, &task))
			break;
	}
}
