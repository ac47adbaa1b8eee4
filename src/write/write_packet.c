/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets: what is tested, and the two ways in which they are encoded. */
#include "write_private.h"

#include <inttypes.h>
#include <string.h>

#include "util/util_cursor.h"
#include "write_encode.h"
#include "write_ticks.h"

#define EPB_HEAD_SIZE 28u

enum {
	OPT_EPB_FLAGS = 2,
	OPT_EPB_DROPS = 4,
	OPT_EPB_ID = 5,
	OPT_EPB_QUEUE = 6,
	OPT_EPB_PROCESS = 8,
};

static void put_u32(uint8_t *at, uint32_t number, bool big_endian)
{
	number = big_endian ? htobe32(number) : htole32(number);
	memcpy(at, &number, sizeof(number));
}

/* Memory may be NULL where there is nothing. */
static void put_data(uint8_t *at, const struct pktfs_new_packet *packet, size_t padding)
{
	if (packet->captured_length)
		memcpy(at, packet->data, packet->captured_length);
	memset(at + packet->captured_length, 0, padding);
}

static bool has_options(const struct pktfs_new_packet *packet)
{
	const unsigned others = PKTFS_PACKET_TICKS | PKTFS_PACKET_ORIGINAL | WRITE_PACKET_AS_IT_IS;

	return (packet->has & ~others) ||
	       !write_options_empty(&packet->options);
}

/* ---- pcapng */

static int put_options(struct pktfs_writer *writer, const struct pktfs_new_packet *packet,
		       struct pktfs_error *ret_error)
{
	struct write_list list =
		write_list_over(&writer->pending, BLOCK_EPB, writer->big_endian, ret_error);

	if (packet->has & PKTFS_PACKET_FLAGS)
		write_list_u32(&list, OPT_EPB_FLAGS, packet->flags);
	if (packet->has & PKTFS_PACKET_DROPS)
		write_list_u64(&list, OPT_EPB_DROPS, packet->drops);
	if (packet->has & PKTFS_PACKET_ID)
		write_list_u64(&list, OPT_EPB_ID, packet->id);
	if (packet->has & PKTFS_PACKET_QUEUE)
		write_list_u32(&list, OPT_EPB_QUEUE, packet->queue);
	if (packet->has & PKTFS_PACKET_PROCESS)
		write_list_pair(&list, OPT_EPB_PROCESS, packet->process, packet->thread);
	write_list_new(&list, &packet->options);
	return write_list_end(&list);
}

static int put_epb(struct pktfs_writer *writer, const struct pktfs_new_packet *packet,
		   struct pktfs_error *ret_error)
{
	struct text *text = &writer->pending;
	const bool be = writer->big_endian;
	size_t start = text->size, padded = (size_t)util_pad4(packet->captured_length);
	bool options = has_options(packet);
	uint32_t size = (uint32_t)(EPB_HEAD_SIZE + padded + 4);
	uint8_t *at = text_grow(text, options ? size - 4 : size);
	int r = 0;

	if (!at)
		return 0; /* text->failed says it */
	put_u32(at, BLOCK_EPB, be);
	put_u32(at + 4, size, be);
	put_u32(at + 8, packet->interface, be);
	put_u32(at + 12, (uint32_t)(packet->ticks >> 32), be);
	put_u32(at + 16, (uint32_t)packet->ticks, be);
	put_u32(at + 20, packet->captured_length, be);
	put_u32(at + 24, packet->original_length, be);
	put_data(at + EPB_HEAD_SIZE, packet, padded - packet->captured_length);
	if (!options) {
		put_u32(at + size - 4, size, be);
		return 0;
	}
	r = put_options(writer, packet, ret_error);
	write_block_end(text, start, be);
	if (r == 0 && !text->failed && text->size - start > FORMAT_MAX_BLOCK)
		r = error_set(ret_error, -EMSGSIZE, "packet: its options are too long");
	return r;
}

/* ---- pcap */

static int put_pcap(struct pktfs_writer *writer, const struct pktfs_new_packet *packet,
		    struct pktfs_error *ret_error)
{
	const struct format *format = &writer->format;
	const bool be = writer->big_endian;
	uint64_t units = format->nanosecond ? 1000000000 : 1000000;
	uint64_t seconds = packet->ticks / units;
	uint32_t first = packet->captured_length, second = packet->original_length;
	uint8_t *at;

	if (seconds > UINT32_MAX)
		return error_set(ret_error, -ERANGE,
				 "time: found %" PRIu64 " seconds since 1970; accepted up to "
				 "4294967295 (2106-02-07) in a pcap file",
				 seconds);
	/* readers take the lesser one for the captured length */
	if (format->guess_lengths && second < first)
		return error_set(ret_error, -ENOTSUP,
				 "original length below the captured length: not accepted in a "
				 "pcap file of version 2.3");
	if (format->swapped_lengths) {
		first = packet->original_length;
		second = packet->captured_length;
	}
	at = text_grow(&writer->pending, format->record_header + packet->captured_length);
	if (!at)
		return 0;
	put_u32(at, (uint32_t)seconds, be);
	put_u32(at + 4, (uint32_t)(packet->ticks % units), be);
	put_u32(at + 8, first, be);
	put_u32(at + 12, second, be);
	/* modified: interface index, protocol, packet type: not known */
	memset(at + WRITE_PCAP_RECORD_SIZE, 0, format->record_header - WRITE_PCAP_RECORD_SIZE);
	put_data(at + format->record_header, packet, 0);
	return 0;
}

/* ---- both */

static int check_length(const struct write_entry *entry, uint32_t captured,
			struct pktfs_error *ret_error)
{
	uint32_t most = FORMAT_MAX_CAPTURED;

	if (entry->snaplen && entry->snaplen < most)
		most = entry->snaplen;
	if (captured > most)
		return error_set(ret_error, -EMSGSIZE,
				 "captured length: found %" PRIu32 "; accepted up to %" PRIu32 "%s",
				 captured, most,
				 most == entry->snaplen ? ", the interface's snaplen" : "");
	return 0;
}

int writer_packet(struct pktfs_writer *writer, const struct pktfs_new_packet *packet,
		  struct pktfs_written *ret_written, struct pktfs_error *ret_error)
{
	const struct write_entry *entry = writer_entry(writer, packet->interface, ret_error);
	struct write_mark mark;
	int r = 0;

	if (!entry)
		return -ENXIO;
	if (!(packet->has & WRITE_PACKET_AS_IT_IS) || packet->captured_length > FORMAT_MAX_CAPTURED)
		r = check_length(entry, packet->captured_length, ret_error);
	if (r == 0 && !writer->pcapng && has_options(packet))
		r = writer_wants_pcapng(writer, "comments and options of a packet", ret_error);
	if (r == 0)
		r = writer_begin(writer, &mark, ret_error);
	if (r < 0)
		return r;
	r = writer->pcapng ? put_epb(writer, packet, ret_error)
			   : put_pcap(writer, packet, ret_error);
	if (r < 0)
		return writer_abandon(writer, &mark, r);
	return writer_end(writer, &mark, 1, ret_written, ret_error);
}

static int out_of_range(const struct pktfs_writer *writer, const struct write_entry *entry,
			struct pktfs_time time, struct pktfs_error *ret_error)
{
	if (!writer->pcapng)
		return error_set(ret_error, -ERANGE,
				 "time: found %" PRId64 " seconds since 1970; accepted 0 to "
				 "4294967295 (2106-02-07) in a pcap file",
				 time.sec);
	return error_set(ret_error, -ERANGE,
			 "time: found %" PRId64 " seconds since 1970; accepted what 64 bits of "
			 "the interface's resolution (if_tsresol 0x%02x, offset %" PRId64
			 " s) can say",
			 time.sec, entry->resolution, entry->offset_seconds);
}

static int final_packet(struct pktfs_writer *writer, struct pktfs_new_packet *packet,
			struct pktfs_error *ret_error)
{
	const struct write_entry *entry = writer_entry(writer, packet->interface, ret_error);

	if (!entry)
		return -ENXIO;
	if (!packet->original_length && !(packet->has & PKTFS_PACKET_ORIGINAL))
		packet->original_length = packet->captured_length;
	if (packet->original_length < packet->captured_length &&
	    !(packet->has & PKTFS_PACKET_ORIGINAL))
		return error_set(ret_error, -EINVAL,
				 "original length: found %" PRIu32
				 "; accepted the captured length, %" PRIu32 ", or more",
				 packet->original_length, packet->captured_length);
	if (!(packet->has & PKTFS_PACKET_TICKS) &&
	    write_ticks(packet->time, entry->resolution, entry->offset_seconds, &packet->ticks) < 0)
		return out_of_range(writer, entry, packet->time, ret_error);
	return 0;
}

int pktfs_writer_packet(pktfs_writer *writer, const struct pktfs_new_packet *packet,
			struct pktfs_written *ret_written, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&writer->lock);
	struct pktfs_new_packet final = *packet;
	int r = final_packet(writer, &final, ret_error);

	return r < 0 ? r : writer_packet(writer, &final, ret_written, ret_error);
}
