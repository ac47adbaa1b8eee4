/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap, modified pcap and pcapng: how to step from record to record and decode
 * one. Pure functions over windows of bytes; where those come from is the
 * caller's business.
 *
 *	struct format format;
 *	struct format_walk walk;
 *	struct format_record record;
 *	format_open(&format, window, &error);
 *	format_walk_start(&walk, &format);
 *	offset = format.first_record;
 *	while (format_step(&walk, window_at(offset), offset, &record, &need, &error) == 0)
 *		offset += record.length;
 *
 * A *record* is a packet record of a pcap file or a block of a pcapng file.
 */
#ifndef FORMAT_H
#define FORMAT_H

#include "util/util_cursor.h"

enum format_kind {
	FORMAT_PCAP,
	FORMAT_PCAP_MODIFIED,
	FORMAT_PCAPNG,
};

/* pcapng block types (draft section 11.1) */
enum {
	BLOCK_SHB = 0x0a0d0d0a,
	BLOCK_IDB = 1,
	BLOCK_PB = 2,
	BLOCK_SPB = 3,
	BLOCK_NRB = 4,
	BLOCK_ISB = 5,
	BLOCK_EPB = 6,
	BLOCK_JOURNAL = 9,
	BLOCK_DSB = 10,
	BLOCK_CB = 0x0bad,
	BLOCK_CB_NO_COPY = 0x40000bad,
};

/* Ceilings. A record above them is not read (-EFBIG), nor anything behind it:
 * the length of the largest packet that any tool writes is 128 MiB (D-Bus,
 * USB); options and padding add little. */
#define FORMAT_MAX_CAPTURED ((uint32_t)128 << 20)
#define FORMAT_MAX_BLOCK    ((uint32_t)256 << 20)

/* The window that format_open wants, if the file is that long. */
#define FORMAT_HEAD_SIZE 28u

/* What the head of a file says. */
struct format {
	enum format_kind kind;
	bool big_endian; /* pcap; pcapng: of the first section */
	uint64_t first_record;
	/* pcap only */
	bool nanosecond;
	bool swapped_lengths;   /* version below 2.3: original length comes first */
	bool guess_lengths;     /* version 2.3: some writers swapped them */
	uint32_t record_header; /* 16, or 24 when modified */
	uint16_t version_major, version_minor;
	uint32_t snaplen;
	uint16_t link_type;
	int fcs_length; /* octets, -1: not given */
};

/*
 * Reads the head of a file from its first bytes (up to FORMAT_HEAD_SIZE, fewer
 * only if the file is shorter).
 *
 * Returns 0; -EBADMSG when it is not a capture (the message names what it
 * looks like: snoop, ASCII-mode damage, HTML, a BPF savefile, ...); -ENOTSUP
 * for a version of pcap other than 2.x (and 543.0, which DG/UX wrote);
 * -ENODATA when it is empty or a capture cut inside its header (pcapng: fewer
 * than 12 bytes).
 */
int format_open(struct format *ret, struct cursor head, struct pktfs_error *ret_error);

/* Where a walk is: what must be known to understand the next record. Copied
 * freely: a copy, kept, is where to resume in the middle of a file. */
struct format_walk {
	const struct format *format;
	bool big_endian;     /* of the current section */
	bool skipped;        /* the current section has an unknown version */
	bool in_section;     /* an SHB was seen */
	uint32_t interfaces; /* well-formed IDBs so far in the current section */
	uint32_t snaplen;    /* of interface 0 of the section: SPBs need it */
};

enum format_class {
	RECORD_PACKET,
	RECORD_METADATA,  /* a well-formed block that is not a packet */
	RECORD_MALFORMED, /* framed well, but its contents make no sense */
};

struct format_record {
	uint64_t offset;
	uint64_t length; /* header, body, padding, trailer */
	uint32_t type;   /* block type; pcap: 0 */
	enum format_class class;
	bool frame; /* Wireshark gives it a frame number */
	bool big_endian;
	/* packets */
	bool has_time;
	bool nanosecond;    /* pcap: of the fraction */
	uint32_t interface; /* number inside the section; pcap: 0 */
	uint32_t captured, original;
	uint64_t ticks;        /* pcapng: as it is; pcap: seconds * 10^6 or 10^9 + fraction */
	uint32_t data_at;      /* from the start of the record */
	uint32_t options_at;   /* from the start of the record (EPB and PB) */
	uint32_t options_size; /* where there are none: 0 */
	uint32_t drops;        /* PB: drops_count, 0xffff unknown */
};

void format_walk_start(struct format_walk *walk, const struct format *format);

/*
 * What format_step does. A cursor that is handed over by value is copied through
 * memory, by loads wider than the stores just before, which have to wait for these:
 * that was a fifth of the time of an iterator over all packets.
 */
int format_step_at(struct format_walk *walk, const struct cursor *window, uint64_t offset,
		   struct format_record *ret, uint64_t *ret_need, struct pktfs_error *ret_error);

/*
 * Decodes the record at the start of `window` and moves the walk past it.
 * `offset` is where that is in the file: for messages, and for record.offset.
 * `window` may reach as far as it likes; *ret_need (may be NULL) is how long
 * it would have to be when it was too short.
 *
 * A pcapng block is checked as far as its framing: both lengths equal, a
 * multiple of 4, 12 or more, below the ceiling. One whose framing is sound but
 * whose body is not (captured length overruns the block or our ceiling,
 * interface unknown, body too short) is RECORD_MALFORMED, with the reason in
 * *ret_error, and the function still returns 0. A malformed IDB is given no
 * number. A Section Header Block too short for its version is -EBADMSG: what
 * follows has no meaning.
 *
 * In a section of an unknown version every block is RECORD_METADATA, has no
 * frame number, and is stepped over by its framing alone.
 *
 * Returns 0 and the record; -EAGAIN when the window is too short (nothing was
 * consumed; the caller knows whether that means "more", "wait" or "cut"; it
 * means "the end" when the window is empty); -EBADMSG or -EFBIG when nothing
 * from here on can be read. The walk and *ret are unchanged unless 0 is
 * returned.
 */
static inline int format_step(struct format_walk *walk, struct cursor window, uint64_t offset,
			      struct format_record *ret, uint64_t *ret_need,
			      struct pktfs_error *ret_error)
{
	return format_step_at(walk, &window, offset, ret, ret_need, ret_error);
}

/* A Section Header Block, decoded (draft section 4.1). */
struct format_section {
	bool big_endian;
	bool supported; /* version 1.0 or 1.2 */
	uint16_t major, minor;
	int64_t length; /* -1: not given */
	struct pktfs_options options;
};

/* An Interface Description Block, decoded (draft section 4.2). The options
 * that change the meaning of packets are read; all of them are in `options`. */
struct format_interface {
	uint16_t link_type;
	uint32_t snaplen;
	uint8_t resolution;     /* if_tsresol; 6 when absent or of a wrong length */
	int64_t offset_seconds; /* if_tsoffset */
	int fcs_length;         /* if_fcslen; -1 when absent */
	struct pktfs_options options;
};

/* An Interface Statistics Block, decoded (draft section 4.6). */
struct format_statistics {
	uint32_t interface; /* number inside the section */
	uint64_t ticks;
	struct pktfs_options options;
};

/* `block` is a window over exactly the block, in its section's byte order.
 * Returns 0 or -EBADMSG. */
int format_section(struct cursor block, struct format_section *ret, struct pktfs_error *ret_error);
int format_interface(struct cursor block, struct format_interface *ret);
int format_statistics(struct cursor block, struct format_statistics *ret);

/* The options of any block whose type is known to have some; empty for others
 * (SPB, journal, custom and unknown blocks). */
struct pktfs_options format_block_options(struct cursor block, uint32_t type);

#endif
