/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections and interfaces: read from the capture, where the file says they are. */
#include "index_loading.h"

#define WRONG "it contradicts itself"
#define BLOCK_MIN 12u
#define OTHER "the capture has another block where it has a section or an interface"

/* What is common to all sums of a capture. */
struct sums {
	uint64_t packets, captured_bytes, original_bytes;
};

static bool add_sums(struct sums *sums, const struct index_interface *interface)
{
	return add_ok(sums->packets, interface->packets, &sums->packets) &&
	       add_ok(sums->captured_bytes, interface->captured_bytes, &sums->captured_bytes) &&
	       add_ok(sums->original_bytes, interface->original_bytes, &sums->original_bytes);
}

/* ---- one block */

static int add_section(struct index *draft, const struct format_record *record,
		       struct cursor block)
{
	struct format_section section;

	if (format_section(block, &section, NULL) < 0)
		return -ESTALE;
	section.supported = !draft->walk.skipped;
	section.big_endian = draft->walk.big_endian;
	return index_add_section(draft, &section, record->offset);
}

static int add_interface(struct index *draft, const struct format_record *record,
			 struct cursor block)
{
	struct format_interface interface;

	if (draft->walk.skipped || format_interface(block, &interface) < 0)
		return -ESTALE;
	return index_add_interface(draft, &interface, record->offset, record->length);
}

/* Lends the block at `offset` and steps over it. */
static int step(struct index *draft, uint64_t offset, struct pktfs_loan *loan,
		struct format_record *ret)
{
	uint64_t need = BLOCK_MIN;
	int r;

	do {
		source_return(loan);
		r = source_borrow(draft->source, offset, (size_t)need, loan);
		if (r < 0)
			return r;
		r = format_step(&draft->walk,
				cursor_over(loan->bytes, loan->size, draft->walk.big_endian),
				offset, ret, &need, NULL);
	} while (r == -EAGAIN);
	return r < 0 ? -ESTALE : 0;
}

/* 0, -ESTALE: there is no such block; or what failed. */
static int add_block(struct index *draft, uint64_t offset, bool section, uint64_t *ret_end)
{
	struct pktfs_loan loan = {0};
	struct format_record record;
	struct cursor block;
	int r = step(draft, offset, &loan, &record);

	if (r == 0 && (record.class != RECORD_METADATA ||
		       record.type != (section ? BLOCK_SHB : BLOCK_IDB)))
		r = -ESTALE;
	if (r == 0) {
		block = cursor_over(loan.bytes, (size_t)record.length, record.big_endian);
		loan.requested = (size_t)record.length;
		r = section ? add_section(draft, &record, block)
			    : add_interface(draft, &record, block);
		*ret_end = offset + record.length;
	}
	return source_return(&loan) < 0 ? -EIO : r;
}

/* ---- all of them */

/* Blocks of a pcapng file come one behind the other; a pcap file has what its head
 * says. */
static int take_block(struct loading *loading, bool *ret_section, uint64_t *behind)
{
	struct index *draft = loading->draft;
	uint64_t word = loading_word(loading), offset = word >> 1, end = 0;
	int r;

	*ret_section = word & 1;
	if (index_part(draft, 0)->format.kind != FORMAT_PCAPNG)
		return offset == 0 ? 0 : loading_fail(loading, -EBADMSG, WRONG);
	if (offset < *behind || (draft->sections.appended == 0 && (offset || !*ret_section)))
		return loading_fail(loading, -EBADMSG, WRONG);
	r = add_block(draft, offset, *ret_section, &end);
	if (r == 0 && end > draft->next.end)
		r = -ESTALE;
	*behind = end;
	return r < 0 ? loading_fail(loading, r, OTHER) : 0;
}

static bool take_sums(struct loading *loading, struct index_interface *interface,
		      struct sums *sums)
{
	atomic_init(&interface->packets, loading_word(loading));
	atomic_init(&interface->captured_bytes, loading_word(loading));
	atomic_init(&interface->original_bytes, loading_word(loading));
	atomic_init(&interface->statistics, loading_word(loading));
	return add_sums(sums, interface) &&
	       interface->statistics <= loading->draft->next.metadata;
}

int loading_blocks(struct loading *loading)
{
	const struct saved_counts *counts = &loading->counts;
	const struct index_totals *totals = &loading->draft->next;
	uint64_t i, behind = 0, interfaces = 0;
	struct sums sums = {0};
	bool section;
	int r = 0;

	for (i = 0; i < counts->sections + counts->interfaces && r == 0; i++) {
		r = take_block(loading, &section, &behind);
		if (r == 0 && !section &&
		    (interfaces >= loading->draft->interfaces.appended ||
		     !take_sums(loading, table_at(&loading->draft->interfaces, interfaces++),
				&sums)))
			r = loading_fail(loading, -EBADMSG, WRONG);
	}
	if (r < 0)
		return r;
	if (counts->sections != loading->draft->sections.appended ||
	    counts->interfaces != loading->draft->interfaces.appended ||
	    interfaces != counts->interfaces || sums.packets != totals->packets ||
	    sums.captured_bytes != totals->captured_bytes ||
	    sums.original_bytes != totals->original_bytes)
		return loading_fail(loading, -EBADMSG, WRONG);
	return 0;
}

/* ---- link types */

/* Of all interfaces that have the type in this slot. */
static void sum_slot(struct index *draft, unsigned slot, struct sums *ret)
{
	*ret = (struct sums){0};
	for (uint64_t i = 0; i < draft->interfaces.appended; i++) {
		const struct index_interface *interface = table_at(&draft->interfaces, i);

		if (interface->link_slot == slot)
			add_sums(ret, interface);
	}
}

static bool take_link_type(struct loading *loading, unsigned slot)
{
	struct index_link_type *type = &loading->draft->link_types[slot];
	uint64_t number = loading_word(loading), padded = loading_word(loading);
	uint64_t untimed = loading_word(loading);
	int64_t min = (int64_t)loading_word(loading), max = (int64_t)loading_word(loading);
	struct sums sums;

	sum_slot(loading->draft, slot, &sums);
	atomic_init(&type->packets, sums.packets);
	atomic_init(&type->captured_bytes, sums.captured_bytes);
	atomic_init(&type->padded_bytes, padded);
	atomic_init(&type->untimed, untimed == 1);
	atomic_init(&type->min_ns, min);
	atomic_init(&type->max_ns, max);
	return number == type->link_type && untimed <= 1 && padded >= sums.captured_bytes &&
	       padded - sums.captured_bytes <= 3 * sums.packets &&
	       (min <= max ? sums.packets > 0 : min == INT64_MAX && max == INT64_MIN);
}

int loading_link_types(struct loading *loading)
{
	unsigned i, count = index_link_types(loading->draft);

	if (loading->counts.link_types != count)
		return loading_fail(loading, -EBADMSG, WRONG);
	for (i = 0; i < count; i++)
		if (!take_link_type(loading, i))
			return loading_fail(loading, -EBADMSG, WRONG);
	return 0;
}
