/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was evaluated of a set, chunk by chunk; all of it under the pool's lock.
 * Chunks may be evaluated in any order, but are published in that of the
 * packets, up to the first one that is not full.
 */
#include <string.h>

#include "set_internal.h"

bool set_is_complete(struct set *set)
{
	struct pktfs_span span;

	return !set->failed &&
	       pktfs_span_get(set->pool->capture, set->passed + 1, &span) == -ENOENT;
}

static void account(struct set *set, uint64_t before, uint64_t after)
{
	set->memory += after - before;
	set->pool->memory += after - before;
}

int set_slot_make(struct set *set, uint32_t number)
{
	struct set_slot *slots;
	uint32_t room;

	if (number >= set->slot_room) {
		room = MAX(number + 1, set->slot_room * 2);
		slots = realloc(set->slots, room * sizeof(*slots));
		if (!slots)
			return -ENOMEM;
		account(set, set->slot_room * sizeof(*slots), room * sizeof(*slots));
		set->slots = slots;
		set->slot_room = room;
	}
	for (; set->slot_count <= number; set->slot_count++)
		set->slots[set->slot_count] = (struct set_slot){0};
	return 0;
}

uint32_t set_slot_end(uint32_t number, uint64_t packets)
{
	uint64_t first = (uint64_t)number << SET_CHUNK_SHIFT;

	return packets > first ? (uint32_t)MIN(packets - first, (uint64_t)SET_CHUNK) : 0;
}

/* Mostly the first one that is not full, but a set that is a parent may have
 * been asked for later ones first. */
bool set_slot_left(const struct set *set, uint64_t packets, uint32_t *ret_number)
{
	uint32_t number = (uint32_t)(set->passed >> SET_CHUNK_SHIFT);

	for (; set_slot_end(number, packets) > 0; number++)
		if (number >= set->slot_count ||
		    (!set->slots[number].begun &&
		     set->slots[number].passed < set_slot_end(number, packets))) {
			*ret_number = number;
			return true;
		}
	return false;
}

/* Adds what a chunk was counted into to what the set has: 0 or -ENOMEM. */
static int publish_chunk(struct set *set, struct set_chunk *chunk)
{
	uint64_t before = chunk_memory(chunk) + set_tally_memory(&set->tally);

	if (tally_merge(&set->tally, &chunk->tally) < 0)
		return -ENOMEM;
	chunk_counts_add(&set->counts, &chunk->counts);
	chunk_tally_free(&chunk->tally);
	chunk->counts = (struct chunk_counts){0};
	account(set, before, chunk_memory(chunk) + set_tally_memory(&set->tally));
	return 0;
}

void set_slot_publish(struct set *set)
{
	struct set_slot *slot;
	uint32_t number, from;

	for (;;) {
		number = (uint32_t)(set->passed >> SET_CHUNK_SHIFT);
		from = (uint32_t)(set->passed & (SET_CHUNK - 1));
		if (number >= set->slot_count || set->slots[number].passed == from)
			return;
		slot = &set->slots[number];
		if (from == 0)
			slot->before = set->counts.packets;
		if (publish_chunk(set, &slot->chunk) < 0) {
			set->failed = -ENOMEM;
			return;
		}
		set->passed += slot->passed - from;
	}
}

int set_slot_store(struct set *set, uint32_t number, uint32_t to, struct set_chunk *chunk)
{
	struct set_slot *slot = &set->slots[number];
	uint64_t before = chunk_memory(&slot->chunk);

	if (slot->passed == 0)
		slot->chunk = *chunk;
	else if (chunk_merge(&slot->chunk, chunk) < 0)
		return -ENOMEM;
	slot->passed = to;
	account(set, before, chunk_memory(&slot->chunk));
	set_slot_publish(set);
	return 0;
}
