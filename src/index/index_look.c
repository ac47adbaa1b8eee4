/* SPDX-License-Identifier: BSD-2-Clause */
#include "index_look.h"

#include <stdlib.h>

/* A few in turns are enough, as none of them waits for memory. */
#define LOOK_SCOUTS 4u

/* Notes must not take more than a quarter of what the bytes do: where there are many
 * small records, a part of them is left to the walk. */
#define LOOK_RECORD_MIN (4 * sizeof(struct format_note))

/* Less is walked as fast. */
#define LOOK_LEAST ((size_t)16 << 10)

/* Records that one scout may note, of `size` bytes: more by a quarter than he will meet. */
static uint32_t room_for(const struct index_look_from *from, size_t size)
{
	uint64_t length = MAX(from->length - from->length / 4, (uint64_t)LOOK_RECORD_MIN);

	return (uint32_t)(size / LOOK_SCOUTS / length + 1);
}

static struct index_noted *scout(const struct index_look_from *from, uint64_t offset,
				 const uint8_t *bytes, size_t size)
{
	const uint32_t room = room_for(from, size);
	const struct scout_ground ground = {
		.walk = &from->walk,
		.origin = from->origin - offset,
		.bytes = bytes,
		.size = size,
	};
	struct index_noted *noted;

	noted = malloc(sizeof(*noted) + (size_t)room * LOOK_SCOUTS * sizeof(noted->notes[0]));
	if (!noted)
		return NULL;
	noted->big_endian = from->walk.big_endian;
	noted->window = (struct scout_window){
		.to = size,
		.stretch = size / LOOK_SCOUTS + 1,
		.seconds = from->seconds,
		.notes = noted->notes,
	};
	scout_run(&ground, &noted->window, LOOK_SCOUTS, room);
	return noted;
}

void index_look_set(struct index_look *look, const struct index_look_from *from)
{
	UTIL_LOCK_SCOPE(&look->lock);
	look->from = *from;
}

static struct index_look_from from_where(struct index_look *look)
{
	UTIL_LOCK_SCOPE(&look->lock);
	return look->from;
}

void *index_look(void *context, uint64_t offset, const uint8_t *bytes, size_t size)
{
	const struct index_look_from from = from_where(context);

	if (!from.on || size < LOOK_LEAST)
		return NULL;
	if (offset == SOURCE_AHEAD) {
		/* where the blocks of a pcapng file may begin is not known then */
		if (from.walk.format->kind == FORMAT_PCAPNG)
			return NULL;
		offset = from.origin;
	}
	return offset + size > from.origin ? scout(&from, offset, bytes, size) : NULL;
}

struct index_noted *index_look_take(const struct pktfs_loan *loan, const struct format_walk *walk)
{
	struct index_noted *noted;
	uint64_t start;
	unsigned i;

	noted = source_take_notes(loan, &start);
	if (!noted)
		return NULL;
	if (noted->big_endian != walk->big_endian) {
		free(noted);
		return NULL;
	}
	for (i = 0; i < noted->window.count; i++)
		noted->window.scouts[i].start += start;
	return noted;
}
