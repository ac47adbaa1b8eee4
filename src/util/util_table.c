/* SPDX-License-Identifier: BSD-2-Clause */
#include "util_table.h"

#include <string.h>

void table_free(struct table *table)
{
	unsigned k;

	for (k = 0; k < TABLE_CHUNKS; k++)
		free(atomic_load(&table->chunks[k]));
	table_init(table, table->entry_size);
}

void *table_append(struct table *table)
{
	uint64_t index = table->appended;
	unsigned chunk = 63u - (unsigned)__builtin_clzll((index >> TABLE_FIRST_SHIFT) + 1);
	uint8_t *bytes;
	void *entry;

	if (chunk >= TABLE_CHUNKS)
		return NULL;
	if (!atomic_load_explicit(&table->chunks[chunk], memory_order_relaxed)) {
		bytes = aligned_alloc(TABLE_ALIGNMENT,
				      table->entry_size << (chunk + TABLE_FIRST_SHIFT));
		if (!bytes)
			return NULL;
		atomic_store_explicit(&table->chunks[chunk], bytes, memory_order_release);
	}
	entry = table_at(table, index);
	memset(entry, 0, table->entry_size);
	table->appended++;
	return entry;
}

void table_take(struct table *to, struct table *from)
{
	unsigned k;

	for (k = 0; k < TABLE_CHUNKS; k++) {
		free(atomic_load(&to->chunks[k]));
		atomic_store_explicit(&to->chunks[k], atomic_load(&from->chunks[k]),
				      memory_order_release);
		atomic_store(&from->chunks[k], NULL);
	}
	to->appended = from->appended;
	table_init(from, from->entry_size);
}
