/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many lasting files at once, for who reads them in order. Whether the file was cut
 * meanwhile is asked once for all of them, and the packets are walked to once.
 */
#include "view_private.h"

bool view_lasting(uint64_t node)
{
	const struct view_kind *kind = view_kind_of(node);

	return kind && kind->lasting && !kind->directory;
}

bool view_lasting_in(uint64_t directory)
{
	const struct view_kind *kind = view_kind_of(directory);

	return kind && kind->lasting && kind->directory;
}

int view_walk_open(struct view *view, struct view_walk *ret)
{
	struct view_walk walk = {.next = 1};
	struct pktfs_status status;
	int r = pktfs_iterator_open(view->capture, walk.next, &walk.iterator);

	if (r < 0)
		return r;
	pktfs_status_get(view->capture, &status);
	walk.packets = status.packets;
	walk.beyond = view_status_pending(&status) ? -EAGAIN : -ENOENT;
	*ret = walk;
	return 0;
}

void view_walk_close(struct view_walk *walk)
{
	pktfs_iterator_close(walk->iterator);
	walk->iterator = NULL;
}

int view_walk_to(struct view_walk *walk, uint64_t number, const struct pktfs_packet **ret)
{
	int r;

	if (number == 0)
		return -ENOENT;
	if (number > walk->packets)
		return walk->beyond;
	if (walk->failed)
		return walk->failed;
	if (number != walk->next)
		pktfs_iterator_seek(walk->iterator, number);
	walk->next = number + 1;
	r = pktfs_iterator_next(walk->iterator, ret, NULL);
	if (r > 0)
		return 0;
	walk->failed = r == 0 || r == -ENOENT || r == -EAGAIN ? -EIO : r;
	return walk->failed;
}

int view_walk_verify(struct view_walk *walk)
{
	return walk->failed ? walk->failed : pktfs_iterator_verify(walk->iterator);
}

/* The size of the file of a packet, whose bytes are copied; or why they are not. */
static int64_t copy(const struct view_form *form, const struct pktfs_packet *packet, uint8_t *bytes,
		    size_t most)
{
	uint64_t size;
	int r = form->size(packet, &size);

	if (r < 0)
		return r;
	return size > most ? -EFBIG : (int64_t)form->copy(packet, 0, bytes, most);
}

int view_read_lasting(struct view *view, uint64_t first, unsigned count, void *bytes, size_t most,
		      int64_t *ret_sizes)
{
	_cleanup_(view_walk_close) struct view_walk walk = {0};
	const struct view_kind *kind = view_kind_of(first);
	uint64_t number = view_node_ordinal(first);
	const struct pktfs_packet *packet;
	uint8_t *at = bytes;
	unsigned i;
	int r;

	if (!view_lasting(first))
		return -EINVAL;
	r = view_walk_open(view, &walk);
	if (r < 0)
		return r;
	for (i = 0; i < count; i++) {
		r = view_walk_to(&walk, number + i, &packet);
		ret_sizes[i] = r < 0 ? r : copy(kind->form, packet, at, most);
		at += MAX(ret_sizes[i], 0);
	}
	return view_walk_verify(&walk);
}
