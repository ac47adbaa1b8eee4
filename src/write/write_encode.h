/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Encodes pcap records and pcapng blocks into a text buffer. Pure functions:
 * nothing is written anywhere. Sums that do not fit set text->failed.
 *
 * A block is begun, filled and ended, so that lengths and padding are never
 * the caller's business:
 *
 *	size_t at = write_block_begin(&text, BLOCK_IDB, big_endian);
 *	text_u16(&text, link_type, big_endian); ...
 *	write_option(&text, 2, "eth0", 4, big_endian);
 *	write_options_end(&text, big_endian);       (only after an option)
 *	write_block_end(&text, at, big_endian);
 */
#ifndef WRITE_ENCODE_H
#define WRITE_ENCODE_H

#include "util/util_text.h"

#define WRITE_PCAP_HEADER_SIZE 24u
#define WRITE_PCAP_RECORD_SIZE 16u
/* An EPB without options is this plus the padded captured length. */
#define WRITE_EPB_SIZE	       32u
/* An SPB likewise. */
#define WRITE_SPB_SIZE	       16u

struct write_pcap_header {
	bool big_endian;
	bool nanosecond;
	uint32_t snaplen;
	uint16_t link_type;
	int fcs_length; /* octets; -1 not known */
};

void write_pcap_header(struct text *text, const struct write_pcap_header *header);

/* The header of a record; `time` must be within 0 <= sec <= UINT32_MAX
 * (otherwise text->failed is -ERANGE). */
void write_pcap_record(struct text *text, const struct write_pcap_header *header,
		       struct pktfs_time time, uint32_t captured, uint32_t original);

/* Returns where the block starts in `text`. */
size_t write_block_begin(struct text *text, uint32_t type, bool big_endian);
void write_block_end(struct text *text, size_t start, bool big_endian);
void write_option(struct text *text, uint16_t code, const void *value, size_t size,
		  bool big_endian);
void write_options_end(struct text *text, bool big_endian);

/* Copies all options but those that say "do not copy" (19372, 19373), and
 * ends the list if there was any. */
void write_options_copy(struct text *text, struct pktfs_options options);

/* Whether that would give other options than there are: one must not be
 * copied, or the list is damaged. */
bool write_options_differ(struct pktfs_options options);

/* Section Header Block, version 1.0, length not given. `options` may be empty
 * (bytes NULL); with `application` (may be NULL) shb_userappl is written if
 * the options have none. */
void write_shb(struct text *text, bool big_endian, struct pktfs_options options,
	       const char *application);

struct write_interface {
	uint16_t link_type;
	uint32_t snaplen;
	uint8_t resolution;     /* written as if_tsresol when it is not 6 and
				 * `options` has none */
	int fcs_length;         /* written as if_fcslen when >= 0 and `options` has none */
	struct pktfs_options options; /* copied */
};

void write_idb(struct text *text, bool big_endian, const struct write_interface *interface);

/* An Enhanced Packet Block, with the data, which may be NULL: then the block
 * has room for it (zeros), to be filled by the caller. */
struct write_packet {
	uint32_t interface;
	uint64_t ticks;
	uint32_t captured, original;
	const uint8_t *data;
	struct pktfs_options options; /* copied */
	uint32_t drops;               /* of a PB, as epb_dropcount; 0xffff or more: not known */
};

void write_epb(struct text *text, bool big_endian, const struct write_packet *packet);

/*
 * The same in three steps, for who copies the data elsewhere: the bytes before
 * the data; (the data, `captured` bytes); padding, options and trailer. The
 * size is that of all three, known without encoding anything; a block longer
 * than a u32 can say sets text->failed to -EOVERFLOW.
 */
uint64_t write_epb_size(const struct write_packet *packet);
void write_epb_head(struct text *text, bool big_endian, const struct write_packet *packet);
void write_epb_tail(struct text *text, bool big_endian, const struct write_packet *packet);

/* An Interface Statistics Block; the options are copied. */
void write_isb(struct text *text, bool big_endian, uint32_t interface, uint64_t ticks,
	       struct pktfs_options options);

/* A Simple Packet Block: only `captured`, `original` and `data` are used. The
 * caller sees to it that captured is the lesser of original and the snaplen of
 * the section's interface 0, as readers will compute it (section 4.4). */
void write_spb(struct text *text, bool big_endian, const struct write_packet *packet);
uint64_t write_spb_size(const struct write_packet *packet);
void write_spb_head(struct text *text, bool big_endian, const struct write_packet *packet);
void write_spb_tail(struct text *text, bool big_endian, const struct write_packet *packet);

#endif
