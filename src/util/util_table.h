/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An append-only table whose entries never move, so that many threads read it
 * without a lock while one thread appends.
 *
 * Chunk k holds TABLE_FIRST << k entries; 40 chunks hold more than fits into
 * memory. The one writer calls table_append (NULL: no memory), fills the entry
 * in, and then publishes it by table_publish; readers call table_count and
 * table_at for indices below what it returned.
 */
#ifndef UTIL_TABLE_H
#define UTIL_TABLE_H

#include <stdatomic.h>

#include "util_base.h"

#define TABLE_CHUNKS 40
#define TABLE_FIRST_SHIFT 4

/* Entries of a line of the cache, or half of one, do not lie on two. Their sizes are
 * multiples of 4, so those of the chunks are multiples of this. */
#define TABLE_ALIGNMENT 64

struct table {
	size_t entry_size;
	uint64_t appended; /* the writer's own count */
	_Atomic uint64_t published;
	uint8_t *_Atomic chunks[TABLE_CHUNKS];
};

static inline void table_init(struct table *table, size_t entry_size)
{
	*table = (struct table){.entry_size = entry_size};
}

void table_free(struct table *table);

static inline void *table_at(const struct table *table, uint64_t index)
{
	uint64_t i = (index >> TABLE_FIRST_SHIFT) + 1;
	unsigned chunk = 63u - (unsigned)__builtin_clzll(i);
	uint64_t before = ((UINT64_C(1) << chunk) - 1) << TABLE_FIRST_SHIFT;
	uint8_t *bytes = atomic_load_explicit(&table->chunks[chunk], memory_order_acquire);

	return bytes + (index - before) * table->entry_size;
}

static inline uint64_t table_count(const struct table *table)
{
	return atomic_load_explicit(&table->published, memory_order_acquire);
}

/* The next entry, zeroed, not yet visible to readers; NULL without memory. */
void *table_append(struct table *table);

/* Moves the entries of `from`, which nobody else knows, to `to`, which has none and
 * had none. They are not visible there yet. */
void table_take(struct table *to, struct table *from);

/* Takes back the last appended, not yet published entry. */
static inline void table_unappend(struct table *table)
{
	table->appended--;
}

/* Makes everything that was appended visible. */
static inline void table_publish(struct table *table)
{
	atomic_store_explicit(&table->published, table->appended, memory_order_release);
}

#endif
