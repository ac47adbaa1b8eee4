/* SPDX-License-Identifier: BSD-2-Clause */
#include "set_frame.h"

#include "set_internal.h"
#include "set_walk.h"

#define FRAME_MS    50
#define FRAME_STEPS 64u /* between looks at the clock */

static bool same_key(const struct set_frame_key *a, const struct set_frame_key *b)
{
	return a->packets == b->packets && a->metadata == b->metadata &&
	       a->statistics == b->statistics;
}

bool set_frame_known(const struct set_frame *frame, uint64_t packets, uint64_t metadata,
		     uint64_t *ret)
{
	if (!frame || !frame->known || frame->busy || frame->key.packets != packets ||
	    frame->key.metadata != metadata)
		return false;
	*ret = frame->place.offset;
	return true;
}

/* Keeps what the walk has come to know for ever, and jumps over what was known. */
static void note(struct set_frame *frame, struct set_walk *walk)
{
	struct set_frame_extras *extras = &frame->extras;
	struct set_place place = walk->at;

	if (place.phase == PHASE_HEADER) {
		frame->start = place;
		*extras = (struct set_frame_extras){0};
	} else if (place.phase == PHASE_EXTRAS && place.next == WALK_NOT_KNOWN) {
		extras->at = place.offset;
		if (!extras->begun)
			return;
		place.offset += extras->bytes;
		place.next = extras->next;
		set_walk_jump(walk, &place);
	} else if (place.phase == PHASE_EXTRAS || place.phase == PHASE_PACKETS) {
		extras->begun = true;
		extras->bytes = place.offset - extras->at;
		extras->next = place.next;
	}
}

/* 0 at the end. */
static int walk_frame(struct set_frame *frame, struct set_walk *walk)
{
	int64_t deadline = set_now_ms() + FRAME_MS;
	int r;

	while ((r = set_walk_look(walk)) == 1) {
		r = set_walk_step(walk);
		if (r < 0)
			return r;
		note(frame, walk);
		if (walk->at.step % FRAME_STEPS == 0 && set_now_ms() > deadline)
			return -EAGAIN;
	}
	return r;
}

/* From where to measure for `key`. */
static int begin(struct set_frame *frame, pktfs_capture *capture,
		 const struct set_encoder *encoder, const struct set_frame_key *key)
{
	uint64_t first = interface_set_next(&encoder->used, 0);
	int r = 0;

	/* an empty set has another first interface than what comes into it */
	if (!frame->begun || frame->first_interface != first) {
		frame->extras = (struct set_frame_extras){0};
		r = set_walk_start(encoder, capture, &frame->start);
		frame->place = frame->start;
	} else if (!same_key(&frame->key, key)) {
		frame->place = frame->start;
	}
	if (r < 0)
		return r;
	frame->begun = true;
	frame->first_interface = first;
	frame->key = *key;
	return 0;
}

static int measure(struct set_frame *frame, pktfs_capture *capture,
		   const struct set_encoder *encoder, const struct set_frame_key *key)
{
	struct set_walk walk;
	int r = begin(frame, capture, encoder, key), released;

	if (r < 0)
		return r;
	set_walk_begin(&walk, encoder, capture, NULL, &frame->place);
	walk.frame_only = true;
	r = walk_frame(frame, &walk);
	frame->place = walk.at;
	released = set_walk_end(&walk);
	if (released < 0 && (r == 0 || r == -EAGAIN))
		r = released;
	if (r < 0 && r != -EAGAIN)
		frame->begun = false;
	return r;
}

/* One thread at a time works on a frame: 0, it is this one; 1, it is known; -EAGAIN,
 * -ENOMEM. */
static int claim(struct set *set, const struct set_frame_key *key)
{
	struct set_frame *frame;

	UTIL_LOCK_SCOPE(&set->pool->lock);
	if (!set->frame)
		set->frame = calloc(1, sizeof(*set->frame));
	frame = set->frame;
	if (!frame)
		return -ENOMEM;
	if (frame->busy)
		return -EAGAIN;
	if (frame->known && same_key(&frame->key, key))
		return 1;
	frame->busy = true;
	frame->known = false;
	return 0;
}

int set_frame_measure(struct set *set, const struct set_encoder *encoder, uint64_t *ret)
{
	const struct set_frame_key key = {
		.packets = encoder->packets,
		.metadata = encoder->metadata,
		.statistics = encoder->statistics.blocks.size,
	};
	int r = claim(set, &key);

	if (r == 0) {
		r = measure(set->frame, set->pool->capture, encoder, &key);
		pthread_mutex_lock(&set->pool->lock);
		set->frame->busy = false;
		set->frame->known = r == 0;
		pthread_mutex_unlock(&set->pool->lock);
	}
	if (r < 0)
		return r;
	UTIL_LOCK_SCOPE(&set->pool->lock);
	if (!set->frame->known || !same_key(&set->frame->key, &key))
		return -EAGAIN; /* another was faster, for another state */
	*ret = set->frame->place.offset;
	return 0;
}
