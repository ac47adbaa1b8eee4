/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_spill.h"

#include <stdlib.h>

void source_spill_init(struct source_spill *spill, size_t room)
{
	pthread_mutex_init(&spill->lock, NULL);
	pthread_cond_init(&spill->changed, NULL);
	spill->room = room;
}

void source_spill_fini(struct source_spill *spill)
{
	source_spill_end(spill);
	pthread_cond_destroy(&spill->changed);
	pthread_mutex_destroy(&spill->lock);
}

/* ---- the one who writes; the lock is held */

static bool can_write(const struct source_spill *spill)
{
	return spill->queued > 0 && !spill->writing;
}

/* The oldest buffer has been written, or never will be. */
static void make_idle(struct source_spill *spill)
{
	spill->idle[spill->idle_count++] = spill->queue[spill->first].bytes;
	spill->first = (spill->first + 1) % SOURCE_SPILL_BUFFERS;
	spill->queued--;
}

/* Not held meanwhile. */
static void write_first(struct source_spill *spill)
{
	struct source_spill_bytes bytes = spill->queue[spill->first];
	int r = spill->error;

	if (r == 0) {
		spill->writing = true;
		pthread_mutex_unlock(&spill->lock);
		r = spill->write(spill->context, &bytes);
		pthread_mutex_lock(&spill->lock);
		spill->writing = false;
	}
	spill->error = r;
	make_idle(spill);
	pthread_cond_broadcast(&spill->changed);
}

/* Something gets written, by us or by another. */
static void make_way(struct source_spill *spill)
{
	if (can_write(spill))
		write_first(spill);
	else
		pthread_cond_wait(&spill->changed, &spill->lock);
}

bool source_spill_offers(struct source_spill *spill)
{
	UTIL_LOCK_SCOPE(&spill->lock);
	return can_write(spill);
}

void source_spill_help(struct source_spill *spill)
{
	UTIL_LOCK_SCOPE(&spill->lock);
	if (can_write(spill))
		write_first(spill);
}

/* ---- the one who fills */

/* An empty buffer; NULL without memory, or after an error. The lock is held. */
static uint8_t *take_idle(struct source_spill *spill)
{
	while (spill->error == 0) {
		if (spill->idle_count > 0)
			return spill->idle[--spill->idle_count];
		if (spill->made < SOURCE_SPILL_BUFFERS) {
			uint8_t *bytes = malloc(spill->room);

			spill->made += bytes ? 1 : 0;
			return bytes;
		}
		make_way(spill);
	}
	return NULL;
}

int source_spill_swap(struct source_spill *spill, uint8_t **buffer, size_t size, uint64_t end)
{
	uint8_t *empty;

	UTIL_LOCK_SCOPE(&spill->lock);
	empty = take_idle(spill);
	if (!empty)
		return spill->error ? spill->error : -ENOMEM;
	/* one of the buffers is always with who fills them: there is room */
	spill->queue[(spill->first + spill->queued++) % SOURCE_SPILL_BUFFERS] =
		(struct source_spill_bytes){.bytes = *buffer, .size = size, .end = end};
	*buffer = empty;
	return (int)spill->queued;
}

int source_spill_drain(struct source_spill *spill)
{
	UTIL_LOCK_SCOPE(&spill->lock);
	while (spill->queued > 0)
		make_way(spill);
	return spill->error;
}

void source_spill_end(struct source_spill *spill)
{
	source_spill_drain(spill);
	while (spill->idle_count > 0)
		free(spill->idle[--spill->idle_count]);
	spill->made = 0;
}
