/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many walks in turns: see format_scan.h. What is read here is less than what
 * format_step reads, and in the order in which it comes from memory: the end of a
 * block lies beside the start of the next one, so it is looked at with that.
 */
#include "format_scan.h"

#include <assert.h>

#include "format_private.h"

#define _inlined_ __attribute__((always_inline))

/* What is the same for all records of a scan. */
struct kind {
	bool pcapng, big_endian, nanosecond;
	uint32_t header; /* pcap: of a record */
	const uint8_t *end;
};

/* The record header at `at` is wanted soon, and with pcapng what is before it. */
static inline _inlined_ void fetch(const struct kind *kind, const uint8_t *at)
{
	__builtin_prefetch(kind->pcapng ? at - BLOCK_TRAILER_SIZE : at);
	__builtin_prefetch(at + (kind->pcapng ? PACKET_FIXED_SIZE : kind->header) - 1);
}

/* As format_pcap_step does it, with the lengths in their usual order. */
static inline _inlined_ uint32_t note_record(const struct kind *kind, struct cursor window,
				   struct format_note *note)
{
	const uint8_t *bytes = cursor_take(&window, kind->header);
	uint32_t seconds, fraction, captured;

	if (unlikely(!bytes))
		return 0;
	seconds = bytes_u32(bytes, kind->big_endian);
	fraction = bytes_u32(bytes + 4, kind->big_endian);
	captured = bytes_u32(bytes + 8, kind->big_endian);
	if (unlikely(captured > FORMAT_MAX_CAPTURED || !cursor_skip(&window, captured)))
		return 0;
	note->ticks = seconds * (kind->nanosecond ? UINT64_C(1000000000) : UINT64_C(1000000)) +
		      fraction;
	note->captured = captured;
	note->original = bytes_u32(bytes + 12, kind->big_endian);
	note->length = kind->header + captured;
	note->interface = 0;
	/* one of zeros may be none that is there yet */
	return likely(captured || note->ticks || note->original) ? note->length : 0;
}

/* An Enhanced Packet Block as step_packet does it, or the frame of another block. */
static inline _inlined_ uint32_t note_block(const struct kind *kind, struct cursor window,
				  struct format_note *note)
{
	const uint8_t *bytes = window.bytes;
	uint32_t type, length, captured;

	if (unlikely(window.left < PACKET_FIXED_SIZE + BLOCK_TRAILER_SIZE))
		return 0;
	type = bytes_u32(bytes, kind->big_endian);
	length = bytes_u32(bytes + 4, kind->big_endian);
	if (unlikely(length - BLOCK_MIN_SIZE > FORMAT_MAX_BLOCK - BLOCK_MIN_SIZE || length % 4 ||
		     !cursor_skip(&window, length)))
		return 0;
	captured = bytes_u32(bytes + 20, kind->big_endian);
	note->ticks = (uint64_t)bytes_u32(bytes + 12, kind->big_endian) << 32 |
		      bytes_u32(bytes + 16, kind->big_endian);
	note->captured = captured;
	note->original = bytes_u32(bytes + 24, kind->big_endian);
	note->length = length;
	note->interface = bytes_u32(bytes + 8, kind->big_endian);
	if (unlikely(type != BLOCK_EPB || length < PACKET_FIXED_SIZE + BLOCK_TRAILER_SIZE ||
		     captured > MIN(length - PACKET_FIXED_SIZE - BLOCK_TRAILER_SIZE,
				    FORMAT_MAX_CAPTURED)))
		note->interface = FORMAT_NOTE_OTHER;
	return length;
}

/* The record that was noted last counts when its end is what its start says. */
static inline _inlined_ bool confirm(const struct kind *kind, struct format_scan *scan)
{
	const uint32_t last = scan->last;

	scan->last = 0;
	if (likely(!last || bytes_u32(scan->at - BLOCK_TRAILER_SIZE, kind->big_endian) == last)) {
		scan->count += last != 0;
		return true;
	}
	scan->at -= last;
	return false;
}

/* One record further; false: it has come to its end. */
static inline _inlined_ bool advance(const struct kind *kind, struct format_scan *scan)
{
	struct cursor window;
	uint32_t length;

	if (kind->pcapng && unlikely(!confirm(kind, scan)))
		return false;
	if (unlikely(scan->at >= scan->limit || scan->count == scan->room))
		return false;
	window = cursor_over(scan->at, (size_t)(kind->end - scan->at), kind->big_endian);
	length = kind->pcapng ? note_block(kind, window, &scan->notes[scan->count])
			      : note_record(kind, window, &scan->notes[scan->count]);
	if (unlikely(!length))
		return false;
	scan->at += length;
	if (kind->pcapng)
		scan->last = length;
	else
		scan->count++;
	fetch(kind, scan->at);
	return true;
}

static inline _inlined_ void in_turns(const struct kind *kind, struct format_scan *scans,
				      unsigned count)
{
	struct format_scan *running[FORMAT_SCANS_MAX];
	unsigned i;

	assert(count <= FORMAT_SCANS_MAX);
	for (i = 0; i < count; i++) {
		scans[i].last = 0;
		running[i] = &scans[i];
	}
	while (count) {
		for (i = 0; i < count; i++) {
			if (unlikely(!advance(kind, running[i])))
				running[i--] = running[--count];
		}
	}
}

bool format_can_scan(const struct format_walk *walk)
{
	const struct format *format = walk->format;

	if (format->kind == FORMAT_PCAPNG)
		return walk->in_section && !walk->skipped && walk->interfaces;
	return !format->swapped_lengths && !format->guess_lengths;
}

void format_scan(const struct format_walk *walk, struct format_scan *scans, unsigned count,
		 const uint8_t *end)
{
	const struct format *format = walk->format;
	struct kind kind = {
		.nanosecond = format->nanosecond,
		.header = format->record_header,
		.end = end,
	};

	/* a loop for each, so that the questions are not asked at each record */
	if (format->kind == FORMAT_PCAPNG) {
		kind.pcapng = true;
		kind.big_endian = walk->big_endian;
		if (kind.big_endian)
			in_turns(&kind, scans, count);
		else
			in_turns(&kind, scans, count);
	} else {
		kind.big_endian = format->big_endian;
		in_turns(&kind, scans, count);
	}
}
