/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture_internal.h"

/* The block at `offset`, whose type is known, with its options. */
static int lend_block(pktfs_capture *capture, uint64_t offset, uint64_t length, bool big_endian,
		      uint32_t type, struct pktfs_loan *ret_loan, struct pktfs_options *ret)
{
	int r = source_borrow(capture->source, offset, (size_t)length, ret_loan);

	if (r < 0)
		return r == -ENODATA || r == -EAGAIN ? -EIO : r;
	*ret = format_block_options(cursor_over(ret_loan->bytes, (size_t)length, big_endian),
				    type);
	return 0;
}

/* The length of the SHB at `offset`, which was sound when it was indexed. */
static int shb_length(pktfs_capture *capture, uint64_t offset, bool big_endian, uint32_t *ret)
{
	uint8_t head[8];
	int64_t r = source_read(capture->source, offset, head, sizeof(head));

	if (r < (int64_t)sizeof(head))
		return r < 0 ? (int)r : -EIO;
	*ret = bytes_u32(head + 4, big_endian);
	return *ret < 28 || *ret > FORMAT_MAX_BLOCK ? -EIO : 0;
}

int pktfs_section_get(pktfs_capture *capture, uint64_t number, struct pktfs_section *ret,
		      struct pktfs_error *ret_error)
{
	/* asked in this order: those of a section that is new are not counted */
	uint64_t next = index_interfaces(capture->index);
	uint64_t count = index_sections(capture->index);
	const struct index_section *section;
	struct pktfs_section got = {0};
	uint32_t length = 0;
	int r;

	if (number >= count)
		return capture_error(ret_error, -ENOENT, 0);
	section = index_section(capture->index, number);
	got.number = number;
	got.offset = section->offset;
	got.big_endian = section->big_endian;
	got.skipped = section->skipped;
	got.version_major = section->major;
	got.version_minor = section->minor;
	got.section_length = section->length;
	got.first_interface = section->first_interface;
	if (number + 1 < count)
		next = index_section(capture->index, number + 1)->first_interface;
	got.interfaces = next - section->first_interface;
	if (index_part(capture->index, section->part)->format.kind == FORMAT_PCAPNG &&
	    !section->skipped) {
		r = shb_length(capture, section->offset, section->big_endian, &length);
		if (r == 0)
			r = lend_block(capture, section->offset, length, section->big_endian,
				       BLOCK_SHB, &got.loan, &got.options);
		if (r < 0)
			return capture_error(ret_error, r, section->offset);
	}
	*ret = got;
	return 0;
}

int pktfs_section_release(struct pktfs_section *section)
{
	int r = source_return(&section->loan);

	section->loan = (struct pktfs_loan){0};
	return r;
}

/* The last statistics block; a wrong one is as none. */
static void lend_statistics(pktfs_capture *capture, uint64_t ordinal,
			    const struct index_interface *interface, struct pktfs_interface *ret)
{
	struct format_statistics statistics;
	struct pktfs_block block;

	if (!ordinal || pktfs_block_get(capture, ordinal - 1, &block, NULL) < 0)
		return;
	if (block.type != BLOCK_ISB ||
	    format_statistics(cursor_over(block.bytes, (size_t)block.length, block.big_endian),
			      &statistics) < 0) {
		pktfs_block_release(&block);
		return;
	}
	ret->has_statistics = 1;
	ret->statistics = statistics.options;
	ret->statistics_time = pktfs_time_from_ticks(statistics.ticks, interface->resolution,
						     interface->offset_seconds);
	ret->statistics_loan = block.loan;
}

int pktfs_interface_get(pktfs_capture *capture, uint64_t number, struct pktfs_interface *ret,
			struct pktfs_error *ret_error)
{
	const struct index_interface *interface;
	struct pktfs_interface got = {0};
	bool big_endian;
	int r;

	if (number >= index_interfaces(capture->index))
		return capture_error(ret_error, -ENOENT, 0);
	interface = index_interface(capture->index, number);
	big_endian = index_section(capture->index, interface->section)->big_endian;
	got.number = number;
	got.section = interface->section;
	got.number_in_section = interface->number_in_section;
	got.link_type = interface->link_type;
	got.snaplen = interface->snaplen;
	got.resolution = interface->resolution;
	got.offset_seconds = interface->offset_seconds;
	got.fcs_length = interface->fcs_length;
	got.packets = atomic_load(&interface->packets);
	got.captured_bytes = atomic_load(&interface->captured_bytes);
	got.original_bytes = atomic_load(&interface->original_bytes);
	if (interface->length) {
		r = lend_block(capture, interface->offset, interface->length, big_endian,
			       BLOCK_IDB, &got.loan, &got.options);
		if (r < 0)
			return capture_error(ret_error, r, interface->offset);
	}
	lend_statistics(capture, atomic_load(&interface->statistics), interface, &got);
	*ret = got;
	return 0;
}

int pktfs_interface_release(struct pktfs_interface *interface)
{
	int r = source_return(&interface->loan), s = source_return(&interface->statistics_loan);

	interface->loan = interface->statistics_loan = (struct pktfs_loan){0};
	return r < 0 ? r : s;
}

int pktfs_link_type_get(pktfs_capture *capture, unsigned index, struct pktfs_link_type *ret)
{
	const struct index_link_type *type;
	int64_t min, max;

	if (index >= index_link_types(capture->index))
		return -ENOENT;
	type = index_link_type(capture->index, index);
	min = atomic_load(&type->min_ns);
	max = atomic_load(&type->max_ns);
	*ret = (struct pktfs_link_type){
		.link_type = type->link_type,
		.packets = atomic_load(&type->packets),
		.captured_bytes = atomic_load(&type->captured_bytes),
		.padded_bytes = atomic_load(&type->padded_bytes),
		.fine = atomic_load(&type->fine),
		.untimed = atomic_load(&type->untimed),
		.has_time = min <= max,
	};
	if (ret->has_time) {
		ret->min_time = pktfs_time_from_ticks((uint64_t)(min < 0 ? 0 : min), 9, 0);
		ret->max_time = pktfs_time_from_ticks((uint64_t)(max < 0 ? 0 : max), 9, 0);
		if (min < 0)
			ret->min_time = (struct pktfs_time){.sec = min / 1000000000 - 1};
		if (max < 0)
			ret->max_time = (struct pktfs_time){.sec = max / 1000000000 - 1};
	}
	return 0;
}
