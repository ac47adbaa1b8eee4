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

struct copying {
	pktfs_iterator *iterator;
	const struct view_form *form;
	uint8_t *bytes;
	size_t most, used;
};

static void close_iterator(pktfs_iterator **iterator)
{
	pktfs_iterator_close(*iterator);
}

/* The file of the next packet. Negative: of those before nothing is known either. */
static int copy_next(struct copying *copying, int64_t *ret_size)
{
	const struct pktfs_packet *packet;
	uint64_t size;
	int r = pktfs_iterator_next(copying->iterator, &packet, NULL);

	if (r <= 0)
		return r < 0 ? r : -EIO; /* it was there */
	*ret_size = copying->form->size(packet, &size);
	if (*ret_size == 0 && size > copying->most)
		*ret_size = -EFBIG;
	if (*ret_size < 0)
		return 0;
	*ret_size = (int64_t)copying->form->copy(packet, 0, copying->bytes + copying->used,
						 copying->most);
	copying->used += (size_t)*ret_size;
	return 0;
}

int view_read_lasting(struct view *view, uint64_t first, unsigned count, void *bytes, size_t most,
		      int64_t *ret_sizes)
{
	_cleanup_(close_iterator) pktfs_iterator *iterator = NULL;
	const struct view_kind *kind = view_kind_of(first);
	uint64_t number = view_node_ordinal(first);
	struct copying copying = {.bytes = bytes, .most = most};
	struct pktfs_status status;
	unsigned i;
	int r;

	if (!view_lasting(first))
		return -EINVAL;
	r = pktfs_iterator_open(view->capture, MAX(number, 1), &iterator);
	if (r < 0)
		return r;
	copying.iterator = iterator;
	copying.form = kind->form;
	pktfs_status_get(view->capture, &status);
	for (i = 0; i < count; i++, number++) {
		ret_sizes[i] = -ENOENT;
		if (number > status.packets && view_status_pending(&status))
			ret_sizes[i] = -EAGAIN;
		if (number > status.packets || number == 0)
			continue;
		r = copy_next(&copying, &ret_sizes[i]);
		if (r < 0)
			return r;
	}
	return pktfs_iterator_verify(iterator);
}
