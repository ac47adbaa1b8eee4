/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture_internal.h"

#include <string.h>

/* Walks from `place` until metadata block `metadata` (from 0) is passed. */
static int walk_to(pktfs_capture *capture, struct index_place *place, uint64_t metadata,
		   struct pktfs_loan *loan, struct format_record *record)
{
	int r;

	do {
		r = index_step(capture->index, place, loan, record);
	} while (r == 0 && place->metadata <= metadata);
	return r == -ENOENT || r == -ENODATA || r == -EAGAIN ? -EIO : r;
}

int pktfs_block_get(pktfs_capture *capture, uint64_t index, struct pktfs_block *ret,
		    struct pktfs_error *ret_error)
{
	struct pktfs_loan loan = {0};
	struct format_record record;
	struct index_place place;
	struct cursor bytes;
	int r;

	if (index >= index_metadata(capture->index))
		return capture_error(ret_error, -ENOENT, 0);
	index_seek_metadata(capture->index, index, &place);
	r = walk_to(capture, &place, index, &loan, &record);
	if (r < 0) {
		source_return(&loan);
		return capture_error(ret_error, r, place.offset);
	}
	ret->number = place.record;
	ret->section = place.section;
	ret->type = record.type;
	ret->offset = record.offset;
	ret->length = record.length;
	ret->big_endian = record.big_endian;
	ret->usable = record.class == RECORD_METADATA &&
		      (record.type == BLOCK_SHB || !place.walk.skipped);
	ret->bytes = loan.bytes + (record.offset - loan.offset);
	ret->options = (struct pktfs_options){.big_endian = record.big_endian};
	bytes = cursor_over(ret->bytes, (size_t)record.length, record.big_endian);
	if (ret->usable)
		ret->options = format_block_options(bytes, record.type);
	ret->loan = loan;
	return 0;
}

int pktfs_block_release(struct pktfs_block *block)
{
	int r = source_return(&block->loan);

	block->loan = (struct pktfs_loan){0};
	return r;
}

/* Ends a search: `record`, if `r` is 0, was found, and must be a metadata block. */
static int found(int r, const struct index_place *place, const struct format_record *record,
		 struct pktfs_loan *loan, uint64_t *ret_index)
{
	if (source_return(loan) < 0 && r == 0)
		r = -EIO;
	if (r < 0)
		return r;
	if (record->class == RECORD_PACKET)
		return -ENOENT;
	*ret_index = place->metadata - 1;
	return 0;
}

int pktfs_block_find(pktfs_capture *capture, uint64_t number, uint64_t *ret_index)
{
	struct pktfs_loan loan = {0};
	struct format_record record;
	struct index_place place;
	int r;

	if (number == 0)
		return -ENOENT;
	index_seek_record(capture->index, number - 1, &place);
	do {
		r = index_step(capture->index, &place, &loan, &record);
	} while (r == 0 && place.record < number);
	return found(r, &place, &record, &loan, ret_index);
}

int pktfs_block_at(pktfs_capture *capture, uint64_t offset, uint64_t *ret_index)
{
	struct pktfs_loan loan = {0};
	struct format_record record;
	struct index_place place;
	int r;

	index_seek_offset(capture->index, offset, &place);
	do {
		r = index_step(capture->index, &place, &loan, &record);
	} while (r == 0 && record.offset < offset);
	if (r == 0 && record.offset != offset)
		r = -ENOENT;
	return found(r, &place, &record, &loan, ret_index);
}

/* The window over a block's body: without type, lengths. */
static bool body(const struct pktfs_block *block, uint32_t type, struct cursor *ret)
{
	if (!block->usable || block->type != type || block->length < 12)
		return false;
	*ret = cursor_over(block->bytes + 8, (size_t)block->length - 12, block->big_endian);
	return true;
}

static size_t address_size(uint16_t type)
{
	static const size_t sizes[] = {0, 4, 16, 6, 8};

	return type < ARRAY_SIZE(sizes) ? sizes[type] : 0;
}

/*
 * A record is an address and one or more names, each ended by a NUL; *position
 * is the record's place in the body, and the place of the next name in it.
 */
int pktfs_block_next_name(const struct pktfs_block *block, uint64_t *position,
			  struct pktfs_name *ret)
{
	uint32_t record_at = (uint32_t)(*position >> 32), name_at = (uint32_t)*position;
	struct cursor records, record;
	uint16_t type, length;
	const uint8_t *end;

	if (!body(block, BLOCK_NRB, &records) || !cursor_skip(&records, record_at))
		return 0;
	while (cursor_u16(&records, &type) && cursor_u16(&records, &length) && type != 0) {
		if (!cursor_sub(&records, length, &record))
			return -EBADMSG;
		ret->type = type;
		ret->address = cursor_take(&record, address_size(type));
		if (address_size(type) && ret->address && cursor_skip(&record, name_at) &&
		    record.left) {
			end = memchr(record.bytes, 0, record.left);
			ret->name = (const char *)record.bytes;
			ret->length = end ? (size_t)(end - record.bytes) : record.left;
			name_at += (uint32_t)ret->length + 1;
			*position = (uint64_t)record_at << 32 | name_at;
			return 1;
		}
		record_at += 4 + (uint32_t)util_pad4(length);
		name_at = 0;
		cursor_skip(&records, util_pad4(length) - length);
	}
	return 0;
}

int pktfs_block_secret(const struct pktfs_block *block, struct pktfs_secret *ret)
{
	struct cursor bytes, secret;
	uint32_t type, length;

	if (!body(block, BLOCK_DSB, &bytes))
		return 0;
	if (!cursor_u32(&bytes, &type) || !cursor_u32(&bytes, &length) ||
	    !cursor_sub(&bytes, length, &secret))
		return -EBADMSG;
	ret->type = type;
	ret->bytes = secret.bytes;
	ret->length = secret.left;
	return 1;
}
