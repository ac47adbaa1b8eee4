/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng: from block to block.
 *
 *	0 type   4 length   8 body ...   length - 4: length again
 *
 * A block is judged in two steps. Its framing (the lengths) decides whether
 * the walk can go on: if not, nothing behind it can be found. Its body decides
 * only about this block: RECORD_MALFORMED and a reason, and the walk goes on.
 *
 * In a section of a version that is not known only the framing is looked at,
 * until the next Section Header Block.
 */
#include "format.h"

#include <inttypes.h>

#include "format_private.h"

#define BLOCK_SYSDIG_EVENT          0x204
#define BLOCK_SYSDIG_EVENT_V2       0x216
#define BLOCK_SYSDIG_EVENT_V2_LARGE 0x221

/* A block whose framing is sound: `bytes` has `length` bytes. */
struct block {
	const uint8_t *bytes;
	uint64_t offset;
	uint32_t type, length;
	bool big_endian;
};

static uint32_t block_u32(const struct block *block, uint32_t at)
{
	return bytes_u32(block->bytes + at, block->big_endian);
}

static uint16_t block_u16(const struct block *block, uint32_t at)
{
	return bytes_u16(block->bytes + at, block->big_endian);
}

/* These types are reserved because a transfer in ASCII mode makes them out of
 * others (section 11.1). */
static bool is_ascii_damage(uint32_t type)
{
	return type >> 8 == 0x0a0d0a || (type & 0xffffff) == 0x0a0d0a ||
	       (type & 0xffffff) == 0x0a0d0d || type >> 8 == 0x0d0d0a;
}

static _cold_ int bad_length(uint64_t offset, uint32_t type, uint32_t length,
			     struct pktfs_error *ret_error)
{
	if (length > FORMAT_MAX_BLOCK && length % 4 == 0 && !is_ascii_damage(type))
		return error_at(ret_error, -EFBIG, offset,
				"block at offset %" PRIu64 " (type 0x%08" PRIx32
				"): length: found %" PRIu32 "; at most %" PRIu32,
				offset, type, length, FORMAT_MAX_BLOCK);
	return error_at(ret_error, -EBADMSG, offset,
			"block at offset %" PRIu64 " (type 0x%08" PRIx32 "): length: found %" PRIu32
			"; accepted multiples of 4 from %u on%s",
			offset, type, length, BLOCK_MIN_SIZE,
			is_ascii_damage(type) ? " (transferred in ASCII mode?)" : "");
}

static _cold_ int bad_trailer(const struct block *block, uint32_t found,
			      struct pktfs_error *ret_error)
{
	return error_at(ret_error, -EBADMSG, block->offset,
			"block at offset %" PRIu64 " (type 0x%08" PRIx32
			"): length at its end: found %" PRIu32 "; its start says %" PRIu32 "%s",
			block->offset, block->type, found, block->length,
			is_ascii_damage(block->type) ? " (transferred in ASCII mode?)" : "");
}

static _cold_ int no_section(uint64_t offset, uint32_t type, struct pktfs_error *ret_error)
{
	return error_at(ret_error, -EBADMSG, offset,
			"block at offset %" PRIu64 ": found type 0x%08" PRIx32
			"; accepted a section header (0x0a0d0d0a)",
			offset, type);
}

/*
 * Checks the framing of a block whose type and length have been fetched. The
 * three tests of a length are one: an unsigned difference is too large for a
 * length below the minimum, too.
 */
static inline int check_framing(struct block *block, struct cursor window, uint64_t *ret_need,
				struct pktfs_error *ret_error)
{
	const size_t found = window.left;
	uint32_t trailer;

	if (unlikely(block->length - BLOCK_MIN_SIZE > FORMAT_MAX_BLOCK - BLOCK_MIN_SIZE ||
		     block->length % 4))
		return bad_length(block->offset, block->type, block->length, ret_error);
	block->bytes = cursor_take(&window, block->length);
	if (unlikely(!block->bytes))
		return format_need(block->offset, found, block->length, ret_need, ret_error);
	trailer = block_u32(block, block->length - BLOCK_TRAILER_SIZE);
	if (unlikely(trailer != block->length))
		return bad_trailer(block, trailer, ret_error);
	return 0;
}

static inline struct format_record metadata(const struct block *block)
{
	return (struct format_record){
		.offset = block->offset,
		.length = block->length,
		.type = block->type,
		.class = RECORD_METADATA,
		.big_endian = block->big_endian,
	};
}

/* The framing is sound, the body is not. `what` names the value. */
static _cold_ int malformed(const struct block *block, struct format_record *ret, const char *what,
			    uint32_t found, uint32_t accepted, const char *accepted_how,
			    struct pktfs_error *ret_error)
{
	*ret = metadata(block);
	ret->class = RECORD_MALFORMED;
	error_at(ret_error, -EBADMSG, block->offset,
		 "block at offset %" PRIu64 " (type 0x%08" PRIx32 "): %s: found %" PRIu32
		 "; %s %" PRIu32,
		 block->offset, block->type, what, found, accepted_how, accepted);
	return 0;
}

static bool body_too_short(const struct block *block, uint32_t fixed_size)
{
	return block->length < fixed_size + BLOCK_TRAILER_SIZE;
}

static _cold_ int malformed_size(const struct block *block, struct format_record *ret,
				 uint32_t fixed_size, struct pktfs_error *ret_error)
{
	return malformed(block, ret, "length", block->length, fixed_size + BLOCK_TRAILER_SIZE,
			 "at least", ret_error);
}

static _cold_ int malformed_interface(const struct format_walk *walk, const struct block *block,
				      struct format_record *ret, uint32_t interface,
				      struct pktfs_error *ret_error)
{
	return malformed(block, ret, "interface", interface, walk->interfaces,
			 "interfaces before it in its section:", ret_error);
}

/*
 * Enhanced Packet Block (section 4.3) and the obsolete Packet Block (appendix
 * A), which has a 16-bit interface and a count of drops in its place:
 *
 *	8 interface   12 time (high, low)   20 captured   24 original
 *	28 data, padded   options
 */
static inline int step_packet(const struct format_walk *walk, const struct block *block,
			      struct format_record *ret, struct pktfs_error *ret_error)
{
	uint32_t interface, captured, room, options_at;
	const bool old = block->type == BLOCK_PB;

	if (unlikely(body_too_short(block, PACKET_FIXED_SIZE)))
		return malformed_size(block, ret, PACKET_FIXED_SIZE, ret_error);
	interface = unlikely(old) ? block_u16(block, 8) : block_u32(block, 8);
	captured = block_u32(block, 20);
	room = block->length - PACKET_FIXED_SIZE - BLOCK_TRAILER_SIZE;
	room = MIN(room, FORMAT_MAX_CAPTURED);
	if (unlikely(captured > room))
		return malformed(block, ret, "captured length", captured, room, "at most",
				 ret_error);
	if (unlikely(interface >= walk->interfaces))
		return malformed_interface(walk, block, ret, interface, ret_error);
	/* The block's length is a multiple of 4, so the padding fits as well. */
	options_at = PACKET_FIXED_SIZE + (uint32_t)util_pad4(captured);
	*ret = (struct format_record){
		.offset = block->offset,
		.length = block->length,
		.type = block->type,
		.class = RECORD_PACKET,
		.frame = true,
		.big_endian = block->big_endian,
		.has_time = true,
		.interface = interface,
		.captured = captured,
		.original = block_u32(block, 24),
		.ticks = (uint64_t)block_u32(block, 12) << 32 | block_u32(block, 16),
		.data_at = PACKET_FIXED_SIZE,
		.options_at = options_at,
		.options_size = block->length - BLOCK_TRAILER_SIZE - options_at,
		.drops = unlikely(old) ? block_u16(block, 10) : 0,
	};
	return 0;
}

/*
 * Simple Packet Block (section 4.4): always of interface 0, whose snaplen says
 * how much of the packet is there. Where the block holds less than that, its
 * writer cut packets without saying so: what is there is given.
 */
static int step_simple(const struct format_walk *walk, const struct block *block,
		       struct format_record *ret, struct pktfs_error *ret_error)
{
	uint32_t original, captured;

	if (body_too_short(block, SPB_FIXED_SIZE))
		return malformed_size(block, ret, SPB_FIXED_SIZE, ret_error);
	if (!walk->interfaces)
		return malformed_interface(walk, block, ret, 0, ret_error);
	original = block_u32(block, 8);
	captured = walk->snaplen ? MIN(original, walk->snaplen) : original;
	captured = MIN(captured, block->length - SPB_FIXED_SIZE - BLOCK_TRAILER_SIZE);
	if (captured > FORMAT_MAX_CAPTURED)
		return malformed(block, ret, "captured length", captured, FORMAT_MAX_CAPTURED,
				 "at most", ret_error);
	*ret = metadata(block);
	ret->class = RECORD_PACKET;
	ret->frame = true;
	ret->captured = captured;
	ret->original = original;
	ret->data_at = SPB_FIXED_SIZE;
	return 0;
}

/* Only well-formed IDBs count: packets refer to interfaces by number, and
 * there is no program that gives a number to an interface which it cannot
 * describe (libpcap and Wireshark stop at such a block). */
static int step_interface(struct format_walk *walk, const struct block *block,
			  struct format_record *ret, struct pktfs_error *ret_error)
{
	if (body_too_short(block, IDB_FIXED_SIZE) || walk->interfaces == UINT32_MAX)
		return malformed_size(block, ret, IDB_FIXED_SIZE, ret_error);
	if (!walk->interfaces)
		walk->snaplen = block_u32(block, 12);
	walk->interfaces++;
	*ret = metadata(block);
	return 0;
}

static int step_statistics(const struct format_walk *walk, const struct block *block,
			   struct format_record *ret, struct pktfs_error *ret_error)
{
	uint32_t interface;

	if (body_too_short(block, ISB_FIXED_SIZE))
		return malformed_size(block, ret, ISB_FIXED_SIZE, ret_error);
	interface = block_u32(block, 8);
	if (interface >= walk->interfaces)
		return malformed_interface(walk, block, ret, interface, ret_error);
	*ret = metadata(block);
	return 0;
}

static int step_secrets(const struct block *block, struct format_record *ret,
			struct pktfs_error *ret_error)
{
	uint32_t size, room;

	if (body_too_short(block, DSB_FIXED_SIZE))
		return malformed_size(block, ret, DSB_FIXED_SIZE, ret_error);
	size = block_u32(block, 12);
	room = block->length - DSB_FIXED_SIZE - BLOCK_TRAILER_SIZE;
	if (size > room)
		return malformed(block, ret, "secrets length", size, room, "at most", ret_error);
	*ret = metadata(block);
	return 0;
}

/* Blocks that are no packets to us, nor to capinfos and editcap, but have a
 * frame number in Wireshark. Found by trying each type with 4.0.17: of sysdig's
 * events those with flags (0x208, 0x217, 0x222) have none. */
static bool has_frame_number(uint32_t type)
{
	switch (type) {
	case BLOCK_JOURNAL:
	case BLOCK_CB:
	case BLOCK_CB_NO_COPY:
	case BLOCK_SYSDIG_EVENT:
	case BLOCK_SYSDIG_EVENT_V2:
	case BLOCK_SYSDIG_EVENT_V2_LARGE:
		return true;
	default:
		return false;
	}
}

/* All blocks but EPB and SHB. */
static __attribute__((noinline)) int step_other(struct format_walk *walk, const struct block *block,
						struct format_record *ret,
						struct pktfs_error *ret_error)
{
	switch (block->type) {
	case BLOCK_PB:
		return step_packet(walk, block, ret, ret_error);
	case BLOCK_SPB:
		return step_simple(walk, block, ret, ret_error);
	case BLOCK_IDB:
		return step_interface(walk, block, ret, ret_error);
	case BLOCK_ISB:
		return step_statistics(walk, block, ret, ret_error);
	case BLOCK_DSB:
		return step_secrets(block, ret, ret_error);
	case BLOCK_CB:
	case BLOCK_CB_NO_COPY:
		if (body_too_short(block, CB_FIXED_SIZE))
			return malformed_size(block, ret, CB_FIXED_SIZE, ret_error);
		break;
	default:
		break;
	}
	*ret = metadata(block);
	ret->frame = has_frame_number(block->type);
	return 0;
}

static _cold_ int bad_section(const struct block *block, const char *what, uint32_t found,
			      const char *accepted, struct pktfs_error *ret_error)
{
	return error_at(ret_error, -EBADMSG, block->offset,
			"section header at offset %" PRIu64 ": %s: found 0x%08" PRIx32
			"; accepted %s",
			block->offset, what, found, accepted);
}

/*
 * Section Header Block (section 4.1): its type reads the same in both byte
 * orders, the magic behind its length tells which one it is. One that is too
 * short to have a version ends the walk: nothing behind it has a meaning.
 */
static __attribute__((noinline)) int step_section(struct format_walk *walk, struct cursor window,
						  uint64_t offset, struct format_record *ret,
						  uint64_t *ret_need, struct pktfs_error *ret_error)
{
	struct block block = {.type = BLOCK_SHB, .offset = offset};
	struct cursor c = window;
	const uint8_t *bytes = cursor_take(&c, BLOCK_MIN_SIZE);
	uint32_t magic;
	int r;

	if (!bytes)
		return format_need(offset, window.left, BLOCK_MIN_SIZE, ret_need, ret_error);
	magic = bytes_u32(bytes + 8, false);
	block.big_endian = magic == __builtin_bswap32(PCAPNG_BYTE_ORDER_MAGIC);
	if (!block.big_endian && magic != PCAPNG_BYTE_ORDER_MAGIC)
		return bad_section(&block, "byte-order magic", magic, "0x1a2b3c4d", ret_error);
	block.length = bytes_u32(bytes + 4, block.big_endian);
	r = check_framing(&block, window, ret_need, ret_error);
	if (r < 0)
		return r;
	if (body_too_short(&block, SHB_FIXED_SIZE))
		return bad_section(&block, "length", block.length, "0x0000001c or more", ret_error);
	*walk = (struct format_walk){
		.format = walk->format,
		.big_endian = block.big_endian,
		.skipped = !format_version_supported(block_u16(&block, 12), block_u16(&block, 14)),
		.in_section = true,
	};
	*ret = metadata(&block);
	return 0;
}

int format_pcapng_step(struct format_walk *walk, const struct cursor *at, uint64_t offset,
		       struct format_record *ret, uint64_t *ret_need, struct pktfs_error *ret_error)
{
	struct block block = {.offset = offset, .big_endian = walk->big_endian};
	struct cursor window = *at, c = window;
	const uint8_t *bytes = cursor_take(&c, BLOCK_HEADER_SIZE);
	int r;

	if (unlikely(!bytes))
		return format_need(offset, window.left, BLOCK_MIN_SIZE, ret_need, ret_error);
	block.type = bytes_u32(bytes, walk->big_endian);
	if (unlikely(block.type == BLOCK_SHB))
		return step_section(walk, window, offset, ret, ret_need, ret_error);
	if (unlikely(!walk->in_section))
		return no_section(offset, block.type, ret_error);
	block.length = bytes_u32(bytes + 4, walk->big_endian);
	r = check_framing(&block, window, ret_need, ret_error);
	if (unlikely(r < 0))
		return r;
	if (unlikely(walk->skipped)) {
		*ret = metadata(&block);
		return 0;
	}
	if (likely(block.type == BLOCK_EPB))
		return step_packet(walk, &block, ret, ret_error);
	return step_other(walk, &block, ret, ret_error);
}
