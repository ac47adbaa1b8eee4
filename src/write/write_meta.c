/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks that are not packets: statistics, names, secrets, custom, any. */
#include "write_private.h"

#include <inttypes.h>
#include <string.h>

#include "util/util_cursor.h"
#include "write_encode.h"
#include "write_ticks.h"

enum {
	OPT_ISB_START = 2,
	OPT_ISB_END = 3,
	OPT_ISB_RECEIVED = 4,
	OPT_ISB_DROPPED = 5,
	OPT_ISB_ACCEPTED = 6,
	OPT_ISB_OS_DROPPED = 7,
	OPT_ISB_DELIVERED = 8,
};

#define NAME_MAX_SIZE ((size_t)65000) /* a record's length has 16 bits */

/* What all of these do once the body is in `pending`. */
static int finish(struct pktfs_writer *writer, const struct write_mark *mark, int r,
		  struct pktfs_written *ret_written, struct pktfs_error *ret_error)
{
	struct text *text = &writer->pending;

	if (r == 0 && !text->failed)
		write_block_end(text, mark->record, writer->big_endian);
	if (r == 0 && !text->failed && text->size - mark->record > FORMAT_MAX_BLOCK)
		r = error_set(ret_error, -EMSGSIZE, "block: found %zu bytes; accepted up to %u",
			      text->size - mark->record, FORMAT_MAX_BLOCK);
	if (r < 0)
		return writer_abandon(writer, mark, r);
	return writer_end(writer, mark, 0, ret_written, ret_error);
}

static int begin(struct pktfs_writer *writer, uint32_t type, const char *what,
		 struct write_mark *ret, struct pktfs_error *ret_error)
{
	int r = writer_wants_pcapng(writer, what, ret_error);

	if (r == 0)
		r = writer_begin(writer, ret, ret_error);
	if (r == 0)
		write_block_begin(&writer->pending, type, writer->big_endian);
	return r;
}

static int put_list(struct pktfs_writer *writer, uint32_t type,
		    const struct pktfs_new_options *options, struct pktfs_error *ret_error)
{
	struct write_list list =
		write_list_over(&writer->pending, type, writer->big_endian, ret_error);

	write_list_new(&list, options);
	return write_list_end(&list);
}

/* ---- statistics */

static int put_time(struct write_list *list, const struct write_entry *entry, bool has,
		    uint16_t code, struct pktfs_time time)
{
	uint64_t ticks;
	int r = has ? write_ticks(time, entry->resolution, entry->offset_seconds, &ticks) : 0;

	if (has && r == 0)
		write_list_pair(list, code, (uint32_t)(ticks >> 32), (uint32_t)ticks);
	return r;
}

static void put_count(struct write_list *list, bool has, uint16_t code, uint64_t count)
{
	if (has)
		write_list_u64(list, code, count);
}

static int put_statistics(struct pktfs_writer *writer, const struct write_entry *entry,
			  const struct pktfs_new_statistics *new, struct pktfs_error *ret_error)
{
	struct text *text = &writer->pending;
	const bool be = writer->big_endian;
	struct write_list list = write_list_over(text, BLOCK_ISB, be, ret_error);
	uint64_t ticks = 0;
	int r = write_ticks(new->time, entry->resolution, entry->offset_seconds, &ticks);

	text_u32(text, new->interface, be);
	text_u32(text, (uint32_t)(ticks >> 32), be);
	text_u32(text, (uint32_t)ticks, be);
	if (r == 0)
		r = put_time(&list, entry, new->has &PKTFS_STATISTICS_START, OPT_ISB_START,
			     new->start);
	if (r == 0)
		r = put_time(&list, entry, new->has &PKTFS_STATISTICS_END, OPT_ISB_END, new->end);
	if (r < 0)
		return error_set(ret_error, r,
				 "statistics: found a time that the interface cannot say");
	put_count(&list, new->has &PKTFS_STATISTICS_RECEIVED, OPT_ISB_RECEIVED, new->received);
	put_count(&list, new->has &PKTFS_STATISTICS_DROPPED, OPT_ISB_DROPPED, new->dropped);
	put_count(&list, new->has &PKTFS_STATISTICS_ACCEPTED, OPT_ISB_ACCEPTED, new->accepted);
	put_count(&list, new->has &PKTFS_STATISTICS_OS_DROPPED, OPT_ISB_OS_DROPPED,
		  new->os_dropped);
	put_count(&list, new->has &PKTFS_STATISTICS_DELIVERED, OPT_ISB_DELIVERED, new->delivered);
	write_list_new(&list, &new->options);
	return write_list_end(&list);
}

int pktfs_writer_statistics(pktfs_writer *writer, const struct pktfs_new_statistics *statistics,
			    struct pktfs_written *ret_written, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	const struct write_entry *entry;
	struct write_mark mark;
	int r = writer_wants_pcapng(writer, "statistics", ret_error);

	if (r < 0)
		return r;
	entry = writer_entry(writer, statistics->interface, ret_error);
	if (!entry)
		return -ENXIO;
	r = begin(writer, BLOCK_ISB, "statistics", &mark, ret_error);
	if (r < 0)
		return r;
	r = put_statistics(writer, entry, statistics, ret_error);
	return finish(writer, &mark, r, ret_written, ret_error);
}

/* ---- names */

static int put_name(struct text *text, const struct pktfs_name *name, bool be,
		    struct pktfs_error *ret_error)
{
	static const uint8_t sizes[] = {0, 4, 16, 6, 8};
	size_t size;

	if (name->type == 0 || name->type >= ARRAY_SIZE(sizes))
		return error_set(ret_error, -EINVAL, "name: found type %u; accepted 1 to 4",
				 name->type);
	if (name->length > NAME_MAX_SIZE)
		return error_set(ret_error, -EMSGSIZE, "name: found %zu bytes; accepted up to %zu",
				 name->length, NAME_MAX_SIZE);
	if (!write_is_utf8(name->name, name->length))
		return error_set(ret_error, -EILSEQ, "name: not UTF-8");
	size = sizes[name->type] + name->length + 1;
	text_u16(text, name->type, be);
	text_u16(text, (uint16_t)size, be);
	text_append(text, name->address, sizes[name->type]);
	text_append(text, name->name, name->length);
	text_zeros(text, 1 + (size_t)(util_pad4(size) - size));
	return 0;
}

int pktfs_writer_names(pktfs_writer *writer, const struct pktfs_name *names, size_t count,
		       const struct pktfs_new_options *options, struct pktfs_written *ret_written,
		       struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	struct write_mark mark;
	int r = begin(writer, BLOCK_NRB, "names", &mark, ret_error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++)
		r = put_name(&writer->pending, &names[i], writer->big_endian, ret_error);
	text_u32(&writer->pending, 0, writer->big_endian); /* the end record */
	if (r == 0)
		r = put_list(writer, BLOCK_NRB, options, ret_error);
	return finish(writer, &mark, r, ret_written, ret_error);
}

/* ---- secrets, custom blocks */

int pktfs_writer_secrets(pktfs_writer *writer, const struct pktfs_secret *secret,
			 const struct pktfs_new_options *options, struct pktfs_written *ret_written,
			 struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	struct write_mark mark;
	struct text *text = &writer->pending;
	int r = begin(writer, BLOCK_DSB, "secrets", &mark, ret_error);

	if (r < 0)
		return r;
	if (secret->length > FORMAT_MAX_BLOCK)
		r = error_set(ret_error, -EMSGSIZE, "secrets: found %zu bytes; accepted up to %u",
			      secret->length, FORMAT_MAX_BLOCK);
	if (r == 0) {
		text_u32(text, secret->type, writer->big_endian);
		text_u32(text, (uint32_t)secret->length, writer->big_endian);
		text_append(text, secret->bytes, secret->length);
		text_zeros(text, (size_t)util_pad4(secret->length) - secret->length);
		r = put_list(writer, BLOCK_DSB, options, ret_error);
	}
	return finish(writer, &mark, r, ret_written, ret_error);
}

int pktfs_writer_custom(pktfs_writer *writer, uint32_t pen, int may_be_copied, const void *data,
			size_t size, struct pktfs_written *ret_written,
			struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	uint32_t type = may_be_copied ? BLOCK_CB : BLOCK_CB_NO_COPY;
	struct write_mark mark;
	int r = begin(writer, type, "custom blocks", &mark, ret_error);

	if (r < 0)
		return r;
	text_u32(&writer->pending, pen, writer->big_endian);
	text_append(&writer->pending, data, size);
	return finish(writer, &mark, 0, ret_written, ret_error);
}

/* ---- any block */

static int check_type(uint32_t type, struct pktfs_error *ret_error)
{
	if (type != BLOCK_SHB && type != BLOCK_IDB && type != BLOCK_PB)
		return 0;
	return error_set(ret_error, -EINVAL,
			 "block type: found 0x%08" PRIx32 "; accepted any but section headers, "
			 "interface descriptions and (obsolete) packet blocks",
			 type);
}

static int check_interface(const struct pktfs_writer *writer, struct cursor block, uint32_t type,
			   struct pktfs_error *ret_error)
{
	uint32_t interface = 0;

	if (type != BLOCK_EPB && type != BLOCK_ISB && type != BLOCK_SPB)
		return 0;
	cursor_skip(&block, 8);
	if (type != BLOCK_SPB && !cursor_u32(&block, &interface))
		return 0; /* too short: that is found elsewhere */
	return writer_entry(writer, interface, ret_error) ? 0 : -ENXIO;
}

/* Its length makes sense when it is read in the other byte order. */
static int other_order(struct cursor block, struct pktfs_error *ret_error)
{
	if (bytes_u32(block.bytes + 4, !block.big_endian) != block.left)
		return 0;
	return error_set(ret_error, -EBADMSG,
			 "block: found one in %s-endian order; accepted that of the section, "
			 "%s-endian",
			 block.big_endian ? "little" : "big", block.big_endian ? "big" : "little");
}

/* Framing and contents, as a reader will see them. */
static int check_block(const struct pktfs_writer *writer, struct cursor block,
		       struct format_record *ret, struct pktfs_error *ret_error)
{
	static const struct format pcapng = {.kind = FORMAT_PCAPNG};
	struct format_walk walk = {
		.format = &pcapng,
		.big_endian = writer->big_endian,
		.in_section = true,
		.interfaces = writer->interfaces.count,
		.snaplen = writer->interfaces.count ? writer->interfaces.entries[0].snaplen : 0,
	};
	int r;

	if (block.left < 8)
		return error_set(ret_error, -EBADMSG, "block: found %zu bytes; accepted 12 or more",
				 block.left);
	r = check_type(bytes_u32(block.bytes, block.big_endian), ret_error);
	if (r == 0)
		r = check_interface(writer, block, bytes_u32(block.bytes, block.big_endian),
				    ret_error);
	if (r < 0)
		return r;
	r = format_step(&walk, block, 0, ret, NULL, ret_error);
	if (r < 0 && other_order(block, ret_error) < 0)
		return -EBADMSG;
	if (r == -EAGAIN)
		return error_set(ret_error, -EBADMSG,
				 "block: found %zu bytes, which are fewer than it says",
				 block.left);
	if (r < 0)
		return r;
	if (ret->length != block.left)
		return error_set(ret_error, -EBADMSG,
				 "block: found %zu bytes; accepted as many as it says, %" PRIu64,
				 block.left, ret->length);
	return ret->class == RECORD_MALFORMED ? -EBADMSG : 0;
}

int pktfs_writer_block(pktfs_writer *writer, const void *block, size_t size,
		       struct pktfs_written *ret_written, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	struct format_record record;
	struct write_mark mark;
	int r = writer_wants_pcapng(writer, "blocks", ret_error);

	if (r == 0)
		r = check_block(writer, cursor_over(block, size, writer->big_endian), &record,
				ret_error);
	if (r == 0)
		r = writer_begin(writer, &mark, ret_error);
	if (r < 0)
		return r;
	text_append(&writer->pending, block, size);
	return writer_end(writer, &mark, record.class == RECORD_PACKET, ret_written, ret_error);
}
