/* SPDX-License-Identifier: BSD-2-Clause */
#include "set_tally.h"

#include <string.h>

#include "format/format.h"
#include "set_encoder.h"
#include "util/util_time.h"

#define MICROSECONDS 6 /* if_tsresol */

int interface_set_add(struct interface_set *set, uint64_t interface)
{
	uint64_t word = interface / 64, count;
	uint64_t *words;

	if (word >= set->count) {
		count = MAX(word + 1, set->count * 2);
		words = realloc(set->words, count * sizeof(*words));
		if (!words)
			return -ENOMEM;
		memset(words + set->count, 0, (count - set->count) * sizeof(*words));
		set->words = words;
		set->count = count;
	}
	set->words[word] |= UINT64_C(1) << interface % 64;
	return 0;
}

uint64_t interface_set_next(const struct interface_set *set, uint64_t interface)
{
	uint64_t i = interface / 64, word;

	if (i >= set->count)
		return UINT64_MAX;
	word = set->words[i] & (~UINT64_C(0) << interface % 64);
	while (!word && ++i < set->count)
		word = set->words[i];
	return word ? i * 64 + (unsigned)__builtin_ctzll(word) : UINT64_MAX;
}

uint64_t interface_set_last(const struct interface_set *set)
{
	uint64_t i = set->count;

	while (i--)
		if (set->words[i])
			return i * 64 + 63u - (unsigned)__builtin_clzll(set->words[i]);
	return UINT64_MAX;
}

static void clear(struct interface_set *set, uint64_t interface)
{
	set->words[interface / 64] &= ~(UINT64_C(1) << interface % 64);
}

void tally_begin(struct tally_counter *counter, struct chunk_tally *tally)
{
	counter->tally = tally;
	counter->interface = UINT64_MAX;
	counter->link = NULL;
}

void tally_end(struct tally_counter *counter)
{
	uint32_t i;

	for (i = 0; i < counter->tally->interface_count; i++)
		clear(&counter->seen, counter->tally->interfaces[i]);
	counter->tally = NULL;
}

void tally_counter_free(struct tally_counter *counter)
{
	free(counter->seen.words);
	counter->seen = (struct interface_set){0};
}

static struct tally_link *find_link(struct tally_link *links, uint32_t count, uint16_t link_type)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (links[i].type.link_type == link_type)
			return &links[i];
	return NULL;
}

/* Room for one more; the entries move. */
static struct tally_link *add_link(struct tally_link **links, uint32_t *count, uint16_t link_type)
{
	struct tally_link *grown = realloc(*links, (*count + 1) * sizeof(*grown));

	if (!grown)
		return NULL;
	*links = grown;
	grown[*count] = (struct tally_link){.type.link_type = link_type};
	return &grown[(*count)++];
}

static bool told_apart(pktfs_capture *capture, uint16_t link_type)
{
	struct pktfs_link_type type;
	unsigned i;

	for (i = 0; i < TALLY_LINKS && pktfs_link_type_get(capture, i, &type) == 0; i++)
		if (type.link_type == link_type)
			return true;
	return false;
}

static int add_interface(struct tally_counter *counter, uint64_t interface)
{
	struct chunk_tally *tally = counter->tally;
	uint32_t room = MAX(tally->interface_room * 2, 4u);
	uint64_t *interfaces;

	if (tally->interface_count == tally->interface_room) {
		interfaces = realloc(tally->interfaces, room * sizeof(*interfaces));
		if (!interfaces)
			return -ENOMEM;
		tally->interfaces = interfaces;
		tally->interface_room = room;
	}
	if (interface_set_add(&counter->seen, interface) < 0)
		return -ENOMEM;
	tally->interfaces[tally->interface_count++] = interface;
	return 0;
}

/* A packet of another interface than the last. */
static int change_interface(struct tally_counter *counter, const struct pktfs_packet *packet)
{
	struct chunk_tally *tally = counter->tally;
	bool seen = interface_set_has(&counter->seen, packet->interface);

	if (!seen && add_interface(counter, packet->interface) < 0)
		return -ENOMEM;
	counter->interface = packet->interface;
	counter->link = find_link(tally->links, tally->link_count, packet->link_type);
	if (!counter->link && !seen && told_apart(counter->capture, packet->link_type)) {
		counter->link = add_link(&tally->links, &tally->link_count, packet->link_type);
		if (!counter->link)
			return -ENOMEM;
	}
	if (counter->link && ((packet->resolution & 0x80) || packet->resolution > MICROSECONDS))
		counter->link->type.fine = 1;
	return 0;
}

static inline bool earlier(struct pktfs_time a, struct pktfs_time b)
{
	return a.sec < b.sec || (a.sec == b.sec && a.nsec < b.nsec);
}

static inline void count_time(struct pktfs_link_type *type, struct pktfs_time time)
{
	if (!type->has_time)
		type->min_time = type->max_time = time;
	type->has_time = 1;
	if (earlier(time, type->min_time))
		type->min_time = time;
	if (earlier(type->max_time, time))
		type->max_time = time;
}

static inline void count_link(struct tally_link *link, const struct pktfs_packet *packet)
{
	link->type.packets++;
	link->type.captured_bytes += packet->captured_length;
	link->type.padded_bytes += util_pad4(packet->captured_length);
	link->max_captured = MAX(link->max_captured, packet->captured_length);
	if (packet->has_time)
		count_time(&link->type, packet->time);
	else
		link->type.untimed = 1;
}

uint64_t tally_block_size(const struct pktfs_packet *packet)
{
	struct write_packet block;

	if (likely(packet->options.size == 0 && packet->block_type != BLOCK_PB &&
		   packet->block_type != BLOCK_SPB))
		return WRITE_EPB_SIZE + util_pad4(packet->captured_length);
	block = set_encoder_block(packet);
	return packet->block_type == BLOCK_SPB ? write_spb_size(&block) : write_epb_size(&block);
}

int tally_packet(struct tally_counter *counter, const struct pktfs_packet *packet)
{
	if (unlikely(packet->interface != counter->interface) &&
	    change_interface(counter, packet) < 0)
		return -ENOMEM;
	if (likely(counter->link))
		count_link(counter->link, packet);
	counter->tally->block_bytes += tally_block_size(packet);
	return 0;
}

void chunk_tally_free(struct chunk_tally *tally)
{
	free(tally->links);
	free(tally->interfaces);
	*tally = (struct chunk_tally){0};
}

uint64_t chunk_tally_memory(const struct chunk_tally *tally)
{
	return tally->link_count * sizeof(*tally->links) +
	       tally->interface_room * sizeof(*tally->interfaces);
}

static void merge_link(struct tally_link *into, const struct tally_link *from)
{
	struct pktfs_link_type *type = &into->type;

	type->packets += from->type.packets;
	type->captured_bytes += from->type.captured_bytes;
	type->padded_bytes += from->type.padded_bytes;
	type->fine |= from->type.fine;
	type->untimed |= from->type.untimed;
	into->max_captured = MAX(into->max_captured, from->max_captured);
	if (from->type.has_time) {
		count_time(type, from->type.min_time);
		count_time(type, from->type.max_time);
	}
}

/* Entries for all link types of `from`, so that merging them cannot fail. */
static int prepare_links(struct tally_link **links, uint32_t *count,
			 const struct chunk_tally *from)
{
	uint32_t i;

	for (i = 0; i < from->link_count; i++) {
		uint16_t link_type = from->links[i].type.link_type;

		if (!find_link(*links, *count, link_type) && !add_link(links, count, link_type))
			return -ENOMEM;
	}
	return 0;
}

static void merge_links(struct tally_link *links, uint32_t count, const struct chunk_tally *from)
{
	uint32_t i;

	for (i = 0; i < from->link_count; i++)
		merge_link(find_link(links, count, from->links[i].type.link_type), &from->links[i]);
}

static int append_interfaces(struct chunk_tally *into, const struct chunk_tally *from)
{
	uint32_t room = into->interface_count + from->interface_count;
	uint64_t *interfaces;

	if (!from->interface_count)
		return 0;
	if (room > into->interface_room) {
		interfaces = realloc(into->interfaces, room * sizeof(*interfaces));
		if (!interfaces)
			return -ENOMEM;
		into->interfaces = interfaces;
		into->interface_room = room;
	}
	memcpy(into->interfaces + into->interface_count, from->interfaces,
	       from->interface_count * sizeof(*interfaces));
	into->interface_count = room;
	return 0;
}

int chunk_tally_merge(struct chunk_tally *into, const struct chunk_tally *from)
{
	if (prepare_links(&into->links, &into->link_count, from) < 0 ||
	    append_interfaces(into, from) < 0)
		return -ENOMEM;
	merge_links(into->links, into->link_count, from);
	into->block_bytes += from->block_bytes;
	return 0;
}

int tally_merge(struct set_tally *set, const struct chunk_tally *chunk)
{
	uint32_t i;

	for (i = 0; i < chunk->interface_count; i++)
		if (interface_set_add(&set->interfaces, chunk->interfaces[i]) < 0)
			return -ENOMEM;
	if (prepare_links(&set->links, &set->link_count, chunk) < 0)
		return -ENOMEM;
	merge_links(set->links, set->link_count, chunk);
	set->block_bytes += chunk->block_bytes;
	return 0;
}

void set_tally_free(struct set_tally *tally)
{
	free(tally->links);
	free(tally->interfaces.words);
	*tally = (struct set_tally){0};
}

uint64_t set_tally_memory(const struct set_tally *tally)
{
	return tally->link_count * sizeof(*tally->links) +
	       tally->interfaces.count * sizeof(*tally->interfaces.words);
}

const struct tally_link *set_tally_link(const struct set_tally *tally, uint16_t link_type)
{
	return find_link(tally->links, tally->link_count, link_type);
}
