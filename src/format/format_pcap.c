/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap, and the variant with longer record headers that Kuznetzov's patch of
 * libpcap wrote.
 *
 *	file header			record header
 *	 0 magic			 0 seconds
 *	 4 major u16, minor u16		 4 microseconds or nanoseconds
 *	 8 reserved, 12 reserved	 8 captured length
 *	16 snaplen			12 original length
 *	20 link type and more		16 modified only: interface index u32,
 *					   protocol u16, packet type u8, pad
 *
 * Some patched libpcaps wrote the longer record headers below the ordinary
 * magic. Wireshark tells those by trying both on the first records; that is a
 * guess, takes more than the head of a file, and is not made here.
 */
#include "format.h"

#include <inttypes.h>

#include "format_private.h"

#define RECORD_HEADER_SIZE          16u
#define RECORD_HEADER_SIZE_MODIFIED 24u

/* "LinkType and additional information": FCS len (4 bits, in units of two
 * octets), R, P (the FCS len means something), 10 reserved bits, link type.
 * ptcpdump sets the FCS bits without P; that means nothing. Reserved bits are
 * ignored, as by libpcap before 1.11: the packets are there. */
#define LINK_TYPE_MASK     0xffffu
#define FCS_LENGTH_PRESENT 0x04000000u
#define FCS_LENGTH_SHIFT   28

/* DG/UX tcpdump wrote version 543.0, otherwise like 2.2. */
#define MAJOR_DG_UX 543

static int open_version(struct format *format, struct pktfs_error *ret_error)
{
	if (format->version_major == 2) {
		/* The lengths changed places in 2.3, but some programs wrote
		 * 2.3 with the old order. */
		format->swapped_lengths = format->version_minor < 3;
		format->guess_lengths = format->version_minor == 3;
		return 0;
	}
	if (format->version_major == MAJOR_DG_UX && format->version_minor == 0) {
		format->swapped_lengths = true;
		return 0;
	}
	return error_at(ret_error, -ENOTSUP, 4,
			"pcap major version at offset 4: found %u; accepted 2",
			format->version_major);
}

int format_pcap_open(struct format *ret, struct cursor head, enum format_kind kind,
		     struct pktfs_error *ret_error)
{
	const uint8_t *bytes = cursor_take(&head, PCAP_HEADER_SIZE);
	struct format format = {.kind = kind, .first_record = PCAP_HEADER_SIZE};
	uint32_t magic, link_type;
	int r;

	if (!bytes)
		return error_at(ret_error, -ENODATA, head.left,
				"pcap header: found %zu bytes; %u wanted", head.left,
				PCAP_HEADER_SIZE);
	format.big_endian = bytes[0] == 0xa1;
	magic = bytes_u32(bytes, format.big_endian);
	format.nanosecond = magic == PCAP_MAGIC_NANOSECOND;
	format.version_major = bytes_u16(bytes + 4, format.big_endian);
	format.version_minor = bytes_u16(bytes + 6, format.big_endian);
	format.snaplen = bytes_u32(bytes + 16, format.big_endian);
	link_type = bytes_u32(bytes + 20, format.big_endian);
	format.link_type = link_type & LINK_TYPE_MASK;
	format.fcs_length = -1;
	if (link_type & FCS_LENGTH_PRESENT)
		format.fcs_length = (int)(link_type >> FCS_LENGTH_SHIFT) * 2;
	format.record_header =
		kind == FORMAT_PCAP_MODIFIED ? RECORD_HEADER_SIZE_MODIFIED : RECORD_HEADER_SIZE;
	r = open_version(&format, ret_error);
	if (!r)
		*ret = format;
	return r;
}

static _cold_ int too_big(uint64_t offset, uint32_t captured, struct pktfs_error *ret_error)
{
	return error_at(ret_error, -EFBIG, offset,
			"record at offset %" PRIu64 ": captured length: found %" PRIu32
			"; at most %" PRIu32,
			offset, captured, FORMAT_MAX_CAPTURED);
}

int format_pcap_step(const struct format *format, const struct cursor *at, uint64_t offset,
		     struct format_record *ret, uint64_t *ret_need, struct pktfs_error *ret_error)
{
	const uint32_t header = format->record_header;
	const bool big_endian = format->big_endian;
	struct cursor window = *at;
	const size_t found = window.left;
	const uint8_t *bytes = cursor_take(&window, header);
	uint32_t seconds, fraction, captured, original;

	if (unlikely(!bytes))
		return format_need(offset, found, header, ret_need, ret_error);
	seconds = bytes_u32(bytes, big_endian);
	fraction = bytes_u32(bytes + 4, big_endian);
	captured = bytes_u32(bytes + 8, big_endian);
	original = bytes_u32(bytes + 12, big_endian);
	if (unlikely(format->swapped_lengths || (format->guess_lengths && captured > original))) {
		uint32_t other = captured;

		captured = original;
		original = other;
	}
	if (unlikely(captured > FORMAT_MAX_CAPTURED))
		return too_big(offset, captured, ret_error);
	if (unlikely(!cursor_skip(&window, captured)))
		return format_need(offset, found, (uint64_t)header + captured, ret_need, ret_error);
	*ret = (struct format_record){
		.offset = offset,
		.length = (uint64_t)header + captured,
		.class = RECORD_PACKET,
		.frame = true,
		.big_endian = big_endian,
		.has_time = true,
		.nanosecond = format->nanosecond,
		.captured = captured,
		.original = original,
		/* A fraction of a second or more (fuzzed, or bad clocks) carries. */
		.ticks = seconds * (format->nanosecond ? UINT64_C(1000000000) : UINT64_C(1000000)) +
			 fraction,
		.data_at = header,
	};
	return 0;
}
