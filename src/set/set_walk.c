/* SPDX-License-Identifier: BSD-2-Clause */
#include "set_walk.h"

#include <string.h>

#include "format/format.h"
#include "set_internal.h"

/* Rather than step over more packets than this, an iterator seeks. */
#define WALK_STEP_OVER 64u

/* The text of a piece is kept for the next one, unless it was larger. */
#define WALK_KEEP_ROOM ((size_t)1 << 20)

static int section_of(pktfs_capture *capture, uint64_t number, uint32_t *ret)
{
	struct pktfs_interface interface;
	int r = pktfs_interface_get(capture, number, &interface, NULL);

	if (r < 0)
		return r;
	*ret = (uint32_t)interface.section;
	return pktfs_interface_release(&interface);
}

int set_walk_start(const struct set_encoder *encoder, pktfs_capture *capture,
		   struct set_place *ret)
{
	*ret = (struct set_place){.packet = 1, .phase = PHASE_HEADER};
	if (encoder->mode != MODE_PCAPNG)
		return 0;
	return section_of(capture, interface_set_next(&encoder->used, 0), &ret->section);
}

void set_walk_begin(struct set_walk *walk, const struct set_encoder *encoder,
		    pktfs_capture *capture, struct set *set, const struct set_place *place)
{
	memset(walk, 0, offsetof(struct set_walk, members));
	walk->encoder = encoder;
	walk->capture = capture;
	walk->set = set && set_parent(set) ? set : NULL;
	walk->text.limit = ENCODER_TEXT_LIMIT;
	walk->at = *place;
}

static int give_back(struct set_walk *walk)
{
	if (!walk->lent)
		return 0;
	walk->lent = false;
	return pktfs_block_release(&walk->block);
}

int set_walk_end(struct set_walk *walk)
{
	int r = give_back(walk);

	pktfs_iterator_close(walk->iterator);
	text_free(&walk->text);
	return r;
}

int set_walk_verify(struct set_walk *walk)
{
	return walk->iterator ? pktfs_iterator_verify(walk->iterator) : 0;
}

void set_walk_jump(struct set_walk *walk, const struct set_place *place)
{
	walk->at = *place;
	walk->member_count = walk->member_at = 0;
}

static void clear_text(struct set_walk *walk)
{
	if (walk->text.room > WALK_KEEP_ROOM)
		text_free(&walk->text);
	walk->text.limit = ENCODER_TEXT_LIMIT;
	walk->text.size = 0;
}

/* The section that the place is in. */
static int load_section(struct set_walk *walk, struct pktfs_section *ret)
{
	int r = pktfs_section_get(walk->capture, walk->at.section, ret, NULL);

	if (r < 0)
		return r;
	walk->section.known = true;
	walk->section.big_endian = ret->big_endian;
	walk->section.number = walk->at.section;
	walk->section.first = ret->first_interface;
	walk->section.end = ret->first_interface + ret->interfaces;
	return 0;
}

static int need_section(struct set_walk *walk)
{
	struct pktfs_section section;
	int r;

	if (walk->section.known && walk->section.number == walk->at.section)
		return 0;
	r = load_section(walk, &section);
	return r < 0 ? r : pktfs_section_release(&section);
}

/* The piece is what was encoded; 1 for set_walk_look. */
static int encoded(struct set_walk *walk, int released)
{
	if (walk->text.failed)
		return walk->text.failed;
	walk->size = walk->text.size;
	return released < 0 ? released : 1;
}

static int look_header(struct set_walk *walk)
{
	struct pktfs_section section;
	int r;

	if (walk->encoder->mode != MODE_PCAPNG) {
		walk->after.phase = PHASE_PACKETS;
		walk->size = walk->encoder->header.size;
		return 1;
	}
	r = load_section(walk, &section);
	if (r < 0)
		return r;
	set_encoder_shb(&section, &walk->text);
	walk->after.phase = PHASE_INTERFACES;
	walk->after.next = interface_set_next(&walk->encoder->used, section.first_interface);
	return encoded(walk, pktfs_section_release(&section));
}

/* The used interface after the one of the piece: false, it was the last of
 * its section. */
static bool next_interface(struct set_walk *walk)
{
	walk->after.next = interface_set_next(&walk->encoder->used, walk->at.next + 1);
	return walk->after.next < walk->section.end;
}

static int look_interface(struct set_walk *walk)
{
	struct pktfs_interface interface;
	int r = need_section(walk);

	if (r == 0)
		r = pktfs_interface_get(walk->capture, walk->at.next, &interface, NULL);
	if (r < 0)
		return r;
	set_encoder_idb(&interface, walk->section.big_endian, &walk->text);
	if (!next_interface(walk)) {
		walk->after.phase = PHASE_EXTRAS;
		walk->after.next = WALK_NOT_KNOWN;
	}
	return encoded(walk, pktfs_interface_release(&interface));
}

/* Behind the statistics of its last interface: the next section, or the end. */
static int leave_section(struct set_walk *walk)
{
	walk->after.phase = PHASE_END;
	if (walk->after.next == UINT64_MAX)
		return 0;
	walk->after.phase = PHASE_HEADER;
	return section_of(walk->capture, walk->after.next, &walk->after.section);
}

static void put_kept(struct set_walk *walk, uint32_t number)
{
	const struct set_statistics *statistics = &walk->encoder->statistics;
	size_t start = number ? statistics->ends[number - 1] : 0;

	if (statistics->ends[number] > start)
		text_append(&walk->text, statistics->blocks.bytes + start,
			    statistics->ends[number] - start);
}

static int put_statistics(struct set_walk *walk, uint32_t number)
{
	struct pktfs_interface interface;
	int r = pktfs_interface_get(walk->capture, walk->at.next, &interface, NULL);

	if (r < 0)
		return r;
	set_encoder_isb(&interface, number, &walk->text);
	return pktfs_interface_release(&interface);
}

static int look_statistics(struct set_walk *walk)
{
	const struct set_encoder *encoder = walk->encoder;
	uint32_t number;
	int r = need_section(walk);

	if (r < 0)
		return r;
	number = set_encoder_number(encoder, walk->section.first, walk->at.next);
	if (encoder->statistics.kept && encoder->statistics.section == walk->at.section)
		put_kept(walk, number);
	else
		r = put_statistics(walk, number);
	if (r == 0 && !next_interface(walk))
		r = leave_section(walk);
	return encoded(walk, r);
}

/* The section of metadata block `index`. */
static int block_section(struct set_walk *walk, uint64_t index, uint64_t *ret)
{
	struct pktfs_block block;
	int r = pktfs_block_get(walk->capture, index, &block, NULL);

	if (r < 0)
		return r;
	*ret = block.section;
	return pktfs_block_release(&block);
}

/* The first metadata block of the place's section (or of a later one). */
static int find_blocks(struct set_walk *walk, uint64_t *ret)
{
	uint64_t low = 0, high = walk->encoder->metadata, section;
	int r;

	if (walk->metadata.section <= walk->at.section)
		low = walk->metadata.block;
	if (walk->metadata.section == walk->at.section && low)
		high = low; /* the sections are walked over in order */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		r = block_section(walk, middle, &section);
		if (r < 0)
			return r;
		if (section < walk->at.section)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return 0;
}

static int leave_extras(struct set_walk *walk, uint64_t section)
{
	walk->metadata.section = section;
	walk->metadata.block = walk->after.next;
	walk->after.phase = PHASE_PACKETS;
	return 1;
}

static int look_extra(struct set_walk *walk)
{
	struct pktfs_block *block = &walk->block;
	int r = 0;

	if (walk->at.next == WALK_NOT_KNOWN)
		r = find_blocks(walk, &walk->after.next);
	if (r < 0)
		return r;
	if (walk->after.next >= walk->encoder->metadata)
		return leave_extras(walk, UINT64_MAX);
	r = pktfs_block_get(walk->capture, walk->after.next, block, NULL);
	if (r < 0)
		return r;
	walk->lent = true;
	if (block->section > walk->at.section)
		return leave_extras(walk, block->section);
	walk->after.next++;
	if (!set_encoder_is_extra(block))
		return 1;
	if (set_encoder_is_plain(block)) {
		walk->size = block->length;
		return 1;
	}
	set_encoder_extra(block, &walk->text);
	return encoded(walk, 0);
}

/* The number of the next member: 0, -ENOENT, or the errors of set_members. */
static int next_member(struct set_walk *walk, uint64_t *ret)
{
	int64_t count;

	if (!walk->set) {
		*ret = walk->at.packet;
		return *ret <= walk->encoder->packets ? 0 : -ENOENT;
	}
	while (walk->member_at < walk->member_count &&
	       walk->members[walk->member_at] < walk->at.packet)
		walk->member_at++;
	if (walk->member_at == walk->member_count) {
		count = set_members_until(walk->set, walk->at.packet, walk->encoder->packets,
					  walk->members, WALK_BATCH);
		if (count < 0)
			return (int)count;
		walk->member_count = (unsigned)count;
		walk->member_at = 0;
	}
	*ret = walk->members[walk->member_at];
	return 0;
}

static int open_iterator(struct set_walk *walk, uint64_t number)
{
	if (walk->iterator) {
		pktfs_iterator_seek(walk->iterator, number);
		return 0;
	}
	return pktfs_iterator_open(walk->capture, number, &walk->iterator);
}

static int take_packet(struct set_walk *walk, uint64_t number)
{
	int r = 0;

	if (walk->packet && walk->packet->number == number)
		return 0;
	if (!walk->iterator_next || number < walk->iterator_next ||
	    number - walk->iterator_next > WALK_STEP_OVER) {
		r = open_iterator(walk, number);
		walk->iterator_next = number;
	}
	while (r == 0 && walk->iterator_next <= number) {
		r = pktfs_iterator_next(walk->iterator, &walk->packet, NULL);
		if (r == 0)
			r = -EIO; /* the packets were counted: one is gone */
		walk->iterator_next++;
		r = MIN(r, 0);
	}
	if (r < 0) {
		walk->packet = NULL;
		walk->iterator_next = 0;
	}
	return r;
}

static int leave_packets(struct set_walk *walk)
{
	int r;

	if (walk->encoder->mode != MODE_PCAPNG) {
		walk->after.phase = PHASE_END;
		return 1;
	}
	r = need_section(walk);
	if (r < 0)
		return r;
	walk->after.phase = PHASE_STATISTICS;
	walk->after.next = interface_set_next(&walk->encoder->used, walk->section.first);
	return 1;
}

static int look_packet(struct set_walk *walk)
{
	uint64_t number = 0;
	int r;

	if (walk->frame_only)
		return leave_packets(walk);
	r = next_member(walk, &number);
	if (r == -ENOENT)
		return leave_packets(walk);
	if (r == 0)
		r = take_packet(walk, number);
	if (r < 0)
		return r;
	if (walk->encoder->mode == MODE_PCAPNG && walk->packet->section != walk->at.section)
		return leave_packets(walk);
	walk->record = true;
	walk->size = set_encoder_record_size(walk->encoder, walk->packet);
	walk->after.packet = number + 1;
	return 1;
}

int set_walk_look(struct set_walk *walk)
{
	walk->after = walk->at;
	walk->after.step++;
	walk->size = 0;
	walk->record = false;
	if (walk->at.phase == PHASE_PACKETS)
		return look_packet(walk);
	clear_text(walk);
	switch (walk->at.phase) {
	case PHASE_HEADER:
		return look_header(walk);
	case PHASE_INTERFACES:
		return look_interface(walk);
	case PHASE_EXTRAS:
		return look_extra(walk);
	case PHASE_STATISTICS:
		return look_statistics(walk);
	default:
		return 0;
	}
}

/* Head and tail of a record are both in `text`. */
static void record_parts(struct set_walk *walk, struct set_part parts[WALK_PARTS])
{
	struct text *text = &walk->text;
	size_t head;

	clear_text(walk);
	set_encoder_head(walk->encoder, walk->packet, text);
	head = text->size;
	set_encoder_tail(walk->encoder, walk->packet, text);
	parts[0] = (struct set_part){text->bytes, head};
	parts[1] = (struct set_part){walk->packet->data, walk->packet->captured_length};
	parts[2] = (struct set_part){text->bytes + head, text->size - head};
}

int set_walk_parts(struct set_walk *walk, struct set_part parts[WALK_PARTS])
{
	memset(parts, 0, WALK_PARTS * sizeof(*parts));
	if (walk->record)
		record_parts(walk, parts);
	else if (walk->at.phase == PHASE_HEADER && walk->encoder->mode != MODE_PCAPNG)
		parts[0] = (struct set_part){walk->encoder->header.bytes,
					     walk->encoder->header.size};
	else if (walk->lent && !walk->text.size)
		parts[0] = (struct set_part){walk->block.bytes, (size_t)walk->size};
	else
		parts[0] = (struct set_part){walk->text.bytes, walk->text.size};
	return walk->text.failed;
}

int set_walk_step(struct set_walk *walk)
{
	walk->after.offset += walk->size;
	walk->at = walk->after;
	return give_back(walk);
}
