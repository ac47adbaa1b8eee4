/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do two open captures answer everything alike? same_capture returns NULL, or what
 * differs (static storage). Both must have come to their end.
 */
#ifndef SAME_CAPTURE_H
#define SAME_CAPTURE_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "pktfs/capture.h"

#define SAME_ROOM 160

static inline const char *same_differs(const char *what, uint64_t number)
{
	static _Thread_local char text[SAME_ROOM];

	snprintf(text, sizeof(text), "%s of number %llu", what, (unsigned long long)number);
	return text;
}

/* A field of the structs `a` and `b`, of whatever `number` is the number of. */
#define SAME(field)                                                                                \
	do {                                                                                       \
		if (memcmp(&a->field, &b->field, sizeof(a->field)) != 0)                           \
			return same_differs(#field, number);                                       \
	} while (0)

static inline bool same_time(struct pktfs_time a, struct pktfs_time b)
{
	return a.sec == b.sec && a.nsec == b.nsec;
}

#define SAME_TIME(field)                                                                           \
	do {                                                                                       \
		if (!same_time(a->field, b->field))                                                \
			return same_differs(#field, number);                                       \
	} while (0)

static inline bool same_bytes(const void *a, const void *b, size_t size)
{
	return size == 0 || memcmp(a, b, size) == 0;
}

static inline bool same_options(struct pktfs_options a, struct pktfs_options b)
{
	return a.size == b.size && a.big_endian == b.big_endian &&
	       same_bytes(a.bytes, b.bytes, a.size);
}

static inline const char *same_status(const struct pktfs_status *a, const struct pktfs_status *b)
{
	const uint64_t number = 0;

	SAME(format);
	SAME(compression);
	SAME(state);
	SAME(big_endian);
	SAME(nanosecond);
	SAME(version_major);
	SAME(version_minor);
	SAME(packets);
	SAME(blocks);
	SAME(metadata);
	SAME(sections);
	SAME(interfaces);
	SAME(problems);
	SAME(captured_bytes);
	SAME(original_bytes);
	SAME(file_size);
	SAME(indexed_bytes);
	SAME(decoded_bytes);
	SAME(decoded_final);
	SAME(has_time);
	SAME_TIME(file_time);
	if (a->has_time) {
		SAME_TIME(first_time);
		SAME_TIME(last_time);
		SAME_TIME(min_time);
		SAME_TIME(max_time);
	}
	return NULL;
}

static inline const char *same_packet(const struct pktfs_packet *a, const struct pktfs_packet *b)
{
	const uint64_t number = a->number;

	SAME(number);
	SAME(frame);
	SAME(section);
	SAME(interface);
	SAME(interface_in_section);
	SAME(link_type);
	SAME(has_time);
	SAME_TIME(time);
	SAME(ticks);
	SAME(resolution);
	SAME(captured_length);
	SAME(original_length);
	SAME(block_type);
	SAME(block_number);
	SAME(offset);
	SAME(block_length);
	if (!same_bytes(a->data, b->data, a->captured_length))
		return same_differs("bytes", number);
	return same_options(a->options, b->options) ? NULL : same_differs("options", number);
}

static inline const char *same_packet_at(pktfs_capture *a, pktfs_capture *b, uint64_t number)
{
	struct pktfs_packet in_a, in_b;
	const char *differs;
	int r = pktfs_packet_get(a, number, &in_a, NULL);

	if (r != pktfs_packet_get(b, number, &in_b, NULL))
		return same_differs("result", number);
	if (r < 0)
		return NULL;
	differs = same_packet(&in_a, &in_b);
	if (pktfs_packet_release(&in_a) != pktfs_packet_release(&in_b))
		differs = same_differs("release", number);
	return differs;
}

/* By number, from the last to the first, and with an iterator. */
static inline const char *same_packets(pktfs_capture *a, pktfs_capture *b, uint64_t count)
{
	const struct pktfs_packet *in_a, *in_b;
	pktfs_iterator *all_a, *all_b;
	const char *differs = NULL;
	int r = 1;

	for (uint64_t n = count + 1; n > 0 && !differs; n -= 1 + n / 5000)
		differs = same_packet_at(a, b, n);
	if (differs || pktfs_iterator_open(a, 1, &all_a) < 0)
		return differs ? differs : "iterator";
	if (pktfs_iterator_open(b, 1, &all_b) < 0)
		return "iterator";
	while (r == 1 && !differs) {
		r = pktfs_iterator_next(all_a, &in_a, NULL);
		if (r != pktfs_iterator_next(all_b, &in_b, NULL))
			differs = "iterator's result";
		else if (r == 1)
			differs = same_packet(in_a, in_b);
	}
	pktfs_iterator_close(all_a);
	pktfs_iterator_close(all_b);
	return differs;
}

static inline const char *same_spans(pktfs_capture *in_a, pktfs_capture *in_b, uint64_t count)
{
	struct pktfs_span room_a, room_b, *a = &room_a, *b = &room_b;

	for (uint64_t number = 1; number <= count; number = a->last + 1) {
		if (pktfs_span_get(in_a, number, a) < 0 || pktfs_span_get(in_b, number, b) < 0)
			return same_differs("span", number);
		SAME(first);
		SAME(last);
		SAME(has_time);
		SAME(min_ns);
		SAME(max_ns);
	}
	return NULL;
}

static inline const char *same_block(const struct pktfs_block *a, const struct pktfs_block *b)
{
	const uint64_t number = a->number;

	SAME(number);
	SAME(section);
	SAME(type);
	SAME(offset);
	SAME(length);
	SAME(big_endian);
	SAME(usable);
	if (!same_bytes(a->bytes, b->bytes, a->length))
		return same_differs("block", number);
	return same_options(a->options, b->options) ? NULL : same_differs("options", number);
}

static inline const char *same_blocks(pktfs_capture *a, pktfs_capture *b, uint64_t count)
{
	struct pktfs_block in_a, in_b;
	const char *differs = NULL;
	uint64_t at_a, at_b;
	int r;

	for (uint64_t i = 0; i <= count && !differs; i++) {
		r = pktfs_block_get(a, i, &in_a, NULL);
		if (r != pktfs_block_get(b, i, &in_b, NULL))
			return same_differs("result of block", i);
		if (r < 0)
			continue;
		differs = same_block(&in_a, &in_b);
		if (pktfs_block_at(a, in_a.offset, &at_a) ||
		    pktfs_block_at(b, in_a.offset, &at_b) || at_a != at_b ||
		    pktfs_block_find(a, in_a.number, &at_a) ||
		    pktfs_block_find(b, in_a.number, &at_b) || at_a != at_b)
			differs = same_differs("place of block", i);
		pktfs_block_release(&in_a);
		pktfs_block_release(&in_b);
	}
	return differs;
}

static inline const char *same_section(const struct pktfs_section *a, const struct pktfs_section *b)
{
	const uint64_t number = a->number;

	SAME(number);
	SAME(offset);
	SAME(big_endian);
	SAME(skipped);
	SAME(version_major);
	SAME(version_minor);
	SAME(section_length);
	SAME(first_interface);
	SAME(interfaces);
	return same_options(a->options, b->options) ? NULL : same_differs("options", number);
}

static inline const char *same_interface(const struct pktfs_interface *a,
					 const struct pktfs_interface *b)
{
	const uint64_t number = a->number;

	SAME(number);
	SAME(section);
	SAME(number_in_section);
	SAME(link_type);
	SAME(snaplen);
	SAME(resolution);
	SAME(offset_seconds);
	SAME(fcs_length);
	SAME(packets);
	SAME(captured_bytes);
	SAME(original_bytes);
	SAME(has_statistics);
	SAME_TIME(statistics_time);
	return same_options(a->options, b->options) && same_options(a->statistics, b->statistics)
		       ? NULL
		       : same_differs("options", number);
}

static inline const char *same_model(pktfs_capture *a, pktfs_capture *b,
				     const struct pktfs_status *status)
{
	struct pktfs_interface interface_a, interface_b;
	struct pktfs_section section_a, section_b;
	const char *differs = NULL;
	int r;

	for (uint64_t i = 0; i <= status->sections && !differs; i++) {
		r = pktfs_section_get(a, i, &section_a, NULL);
		if (r != pktfs_section_get(b, i, &section_b, NULL))
			return same_differs("result of section", i);
		if (r < 0)
			continue;
		differs = same_section(&section_a, &section_b);
		pktfs_section_release(&section_a);
		pktfs_section_release(&section_b);
	}
	for (uint64_t i = 0; i <= status->interfaces && !differs; i++) {
		r = pktfs_interface_get(a, i, &interface_a, NULL);
		if (r != pktfs_interface_get(b, i, &interface_b, NULL))
			return same_differs("result of interface", i);
		if (r < 0)
			continue;
		differs = same_interface(&interface_a, &interface_b);
		pktfs_interface_release(&interface_a);
		pktfs_interface_release(&interface_b);
	}
	return differs;
}

static inline const char *same_link_type(const struct pktfs_link_type *a,
					 const struct pktfs_link_type *b, uint64_t number)
{
	SAME(link_type);
	SAME(packets);
	SAME(captured_bytes);
	SAME(padded_bytes);
	SAME(fine);
	SAME(has_time);
	SAME(untimed);
	if (a->has_time) {
		SAME_TIME(min_time);
		SAME_TIME(max_time);
	}
	return NULL;
}

static inline const char *same_sums(pktfs_capture *a, pktfs_capture *b)
{
	struct pktfs_link_type type_a, type_b;
	struct pktfs_error error_a, error_b;
	const char *differs = NULL;
	unsigned i;
	int r = 0;

	for (i = 0; r == 0 && !differs; i++) {
		r = pktfs_link_type_get(a, i, &type_a);
		if (r != pktfs_link_type_get(b, i, &type_b))
			return same_differs("result of link type", i);
		differs = r == 0 ? same_link_type(&type_a, &type_b, i) : NULL;
	}
	for (i = 0, r = 0; r == 0 && !differs; i++) {
		r = pktfs_problem_get(a, i, &error_a);
		if (r != pktfs_problem_get(b, i, &error_b))
			return same_differs("result of problem", i);
		if (r == 0 &&
		    (error_a.code != error_b.code || error_a.has_offset != error_b.has_offset ||
		     (error_a.has_offset && error_a.offset != error_b.offset) ||
		     strcmp(error_a.text, error_b.text) != 0))
			return same_differs("problem", i);
	}
	return differs;
}

static inline const char *same_capture(pktfs_capture *a, pktfs_capture *b)
{
	struct pktfs_status status_a, status_b;
	const char *differs;

	pktfs_status_get(a, &status_a);
	pktfs_status_get(b, &status_b);
	differs = same_status(&status_a, &status_b);
	if (!differs)
		differs = same_model(a, b, &status_a);
	if (!differs)
		differs = same_sums(a, b);
	if (!differs)
		differs = same_spans(a, b, status_a.packets);
	if (!differs)
		differs = same_blocks(a, b, status_a.metadata);
	return differs ? differs : same_packets(a, b, status_a.packets);
}

#endif
