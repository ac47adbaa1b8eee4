/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture_internal.h"

#include <string.h>

#include "util/util_time.h"

/*
 * Where this thread last found a packet. Readers mostly take packets in order:
 * going on from there saves the walk from the checkpoint.
 */
static _Thread_local struct {
	uint64_t capture;
	struct index_place place;
} last_place;

/* How far it pays to walk on from the last place rather than seek. */
#define NEAR_PACKETS 64u

struct pktfs_iterator {
	pktfs_capture *capture;
	struct index_place place;
	struct pktfs_loan loan;
	struct pktfs_packet packet;
	unsigned unverified;
};

/* Records that an iterator hands out before it verifies their bytes. */
#define ITERATOR_VERIFY 256u

void capture_fill_packet(struct pktfs_capture *capture, const struct index_place *place,
			 const struct format_record *record, const struct pktfs_loan *loan,
			 struct pktfs_packet *ret)
{
	const uint8_t *block = loan->bytes + (record->offset - loan->offset);
	const struct index_interface *interface;

	ret->number = place->packet;
	ret->frame = place->frame;
	ret->section = place->section;
	ret->interface = index_record_interface(capture->index, place->section, record);
	interface = index_interface(capture->index, ret->interface);
	ret->interface_in_section = record->interface;
	ret->link_type = interface->link_type;
	ret->has_time = record->has_time;
	ret->ticks = record->ticks;
	ret->resolution = interface->resolution;
	if (record->has_time)
		ret->time = index_record_time(interface, record);
	else
		ret->time = source_stored_time(capture->source);
	ret->captured_length = record->captured;
	ret->original_length = record->original;
	ret->data = block + record->data_at;
	ret->options.bytes = record->options_size ? block + record->options_at : NULL;
	ret->options.size = record->options_size;
	ret->options.big_endian = record->big_endian;
	ret->block_type = record->type;
	ret->block_number = place->record;
	ret->offset = record->offset;
	ret->block_length = record->length;
	ret->block = block;
}

/* 0 when packet `number` is published, -EAGAIN when it may yet be, -ENOENT. */
static int published(pktfs_capture *capture, uint64_t number)
{
	struct index_totals totals;

	if (number == 0)
		return -ENOENT;
	if (likely(number <= index_packets(capture->index)))
		return 0;
	index_totals(capture->index, &totals);
	if (number <= totals.packets)
		return 0;
	return totals.state == INDEX_RUNNING ? -EAGAIN : -ENOENT;
}

/* Where to start walking to packet `packet` (from 0). */
static void seek(pktfs_capture *capture, uint64_t packet, struct index_place *ret)
{
	if (last_place.capture == capture->id && last_place.place.packet <= packet &&
	    packet - last_place.place.packet < NEAR_PACKETS)
		*ret = last_place.place;
	else
		index_seek_packet(capture->index, packet, ret);
}

/* Packet `packet` (from 0), which is published. */
static int get(pktfs_capture *capture, uint64_t packet, struct pktfs_packet *ret)
{
	struct pktfs_loan loan = {0};
	struct format_record record;
	struct index_place place;
	int r;

	seek(capture, packet, &place);
	do {
		r = index_step(capture->index, &place, &loan, &record);
	} while (r == 0 && place.packet <= packet);
	if (r < 0) {
		source_return(&loan);
		return r == -ENOENT || r == -EAGAIN || r == -ENODATA ? -EIO : r;
	}
	last_place.capture = capture->id;
	last_place.place = place;
	capture_fill_packet(capture, &place, &record, &loan, ret);
	ret->loan = loan;
	return 0;
}

int pktfs_packet_try(pktfs_capture *capture, uint64_t number, struct pktfs_packet *ret,
		     struct pktfs_error *ret_error)
{
	int r = published(capture, number);

	if (r < 0)
		return capture_error(ret_error, r, 0);
	r = get(capture, number - 1, ret);
	if (r == -EIO) { /* a fault elsewhere in the file may have spoilt the walk: */
		last_place.capture = 0;
		r = get(capture, number - 1, ret);
	}
	return r < 0 ? capture_error(ret_error, r, 0) : 0;
}

int pktfs_packet_get(pktfs_capture *capture, uint64_t number, struct pktfs_packet *ret,
		     struct pktfs_error *ret_error)
{
	int r;

	if (number > index_packets(capture->index)) {
		r = index_wait(capture->index, number - 1, NULL);
		if (r < 0)
			return error_set(ret_error, r, "the capture is being closed");
	}
	return pktfs_packet_try(capture, number, ret, ret_error);
}

int pktfs_packet_release(struct pktfs_packet *packet)
{
	int r = source_return(&packet->loan);

	packet->loan = (struct pktfs_loan){0};
	if (r < 0) /* then the place that it left may be wrong, too */
		last_place.capture = 0;
	return r;
}

int pktfs_iterator_open(pktfs_capture *capture, uint64_t first, pktfs_iterator **ret)
{
	pktfs_iterator *iterator;

	if (first == 0)
		return -EINVAL;
	iterator = calloc(1, sizeof(*iterator));
	if (!iterator)
		return -ENOMEM;
	iterator->capture = capture;
	pktfs_iterator_seek(iterator, first);
	*ret = iterator;
	return 0;
}

/* The next call of next finds the place: the packet may not be indexed yet. */
void pktfs_iterator_seek(pktfs_iterator *iterator, uint64_t number)
{
	iterator->packet.number = number - 1;
	iterator->place.record = UINT64_MAX;
}

int pktfs_iterator_verify(pktfs_iterator *iterator)
{
	int r = source_verify(&iterator->loan);

	iterator->unverified = 0;
	if (r < 0) /* a map that was hit stays so: the next step lends anew */
		source_return(&iterator->loan);
	return r;
}

/* Waits for packet `number`: 1, 0 when there is none, -ECANCELED. */
static int wait_for(pktfs_capture *capture, uint64_t number)
{
	int r;

	if (likely(number <= index_packets(capture->index)))
		return 1;
	r = index_wait(capture->index, number - 1, NULL);
	return r < 0 ? r : number <= index_packets(capture->index);
}

int pktfs_iterator_next(pktfs_iterator *iterator, const struct pktfs_packet **ret,
			struct pktfs_error *ret_error)
{
	uint64_t number = iterator->packet.number + 1;
	struct format_record record;
	int r = wait_for(iterator->capture, number);

	if (r < 0)
		return error_set(ret_error, r, "the capture is being closed");
	if ((r == 0 || ++iterator->unverified >= ITERATOR_VERIFY) &&
	    pktfs_iterator_verify(iterator) < 0)
		return capture_error(ret_error, -EIO, iterator->packet.offset);
	if (r == 0)
		return 0;
	if (iterator->place.record == UINT64_MAX)
		index_seek_packet(iterator->capture->index, number - 1, &iterator->place);
	do {
		r = index_step(iterator->capture->index, &iterator->place, &iterator->loan,
			       &record);
	} while (r == 0 && iterator->place.packet < number);
	if (r < 0)
		return capture_error(ret_error, r == -ENOENT || r == -ENODATA ? -EIO : r,
				     iterator->place.offset);
	capture_fill_packet(iterator->capture, &iterator->place, &record, &iterator->loan,
			    &iterator->packet);
	*ret = &iterator->packet;
	return 1;
}

void pktfs_iterator_close(pktfs_iterator *iterator)
{
	if (!iterator)
		return;
	source_return(&iterator->loan);
	free(iterator);
}

int pktfs_span_get(pktfs_capture *capture, uint64_t number, struct pktfs_span *ret)
{
	int r = published(capture, number);

	if (r < 0)
		return r;
	index_span(capture->index, number - 1, &ret->first, &ret->last, &ret->min_ns,
		   &ret->max_ns);
	ret->has_time = ret->min_ns <= ret->max_ns;
	return 0;
}
