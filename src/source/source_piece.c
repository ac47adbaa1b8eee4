/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_piece.h"

#include <sys/mman.h>
#include <unistd.h>

/* malloc keeps freed memory; from this size on it is given back at once. */
#define PIECE_MAPPED ((size_t)64 << 10)

struct source_piece *source_piece_new(size_t room)
{
	struct source_piece *piece;
	size_t size;

	if (!add_ok(room, sizeof(*piece), &size))
		return NULL;
	if (size >= PIECE_MAPPED) {
		piece = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
		if (piece == MAP_FAILED)
			return NULL;
	} else {
		piece = malloc(size);
		if (!piece)
			return NULL;
	}
	atomic_init(&piece->refs, 1);
	atomic_init(&piece->notes, NULL);
	piece->mapped = size >= PIECE_MAPPED;
	piece->room = room;
	piece->size = 0;
	return piece;
}

struct source_piece *source_piece_ref(struct source_piece *piece)
{
	atomic_fetch_add_explicit(&piece->refs, 1, memory_order_relaxed);
	return piece;
}

void source_piece_trim(struct source_piece *piece)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t used = (sizeof(*piece) + piece->size + page - 1) & ~(page - 1);

	if (!piece->mapped || piece->size >= piece->room / 2)
		return;
	munmap((uint8_t *)piece + used, sizeof(*piece) + piece->room - used);
	piece->room = used - sizeof(*piece);
}

void source_piece_clear(struct source_piece *piece)
{
	free(atomic_exchange_explicit(&piece->notes, NULL, memory_order_relaxed));
	piece->size = 0;
}

void source_piece_unref(struct source_piece *piece)
{
	if (!piece || atomic_fetch_sub_explicit(&piece->refs, 1, memory_order_acq_rel) > 1)
		return;
	source_piece_clear(piece);
	if (piece->mapped)
		munmap(piece, sizeof(*piece) + piece->room);
	else
		free(piece);
}
