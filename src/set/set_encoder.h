/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a virtual capture file is made of: how large each of its parts is and
 * how it is encoded. set_plan.c says what is to be made, set_walk.c in which
 * order.
 *
 * The record of a packet has three parts, and its size is known without
 * encoding it, so that a file can be entered anywhere:
 *
 *	header | head data tail | head data tail | ...
 *
 * The data is the packet's own bytes, to be copied from where they are lent.
 */
#ifndef SET_ENCODER_H
#define SET_ENCODER_H

#include "set_export.h"
#include "set_tally.h"
#include "util/util_text.h"
#include "write/write_encode.h"

enum set_mode {
	MODE_PCAP,    /* `header`, then the packets of `link_type` */
	MODE_CONVERT, /* a pcap file as pcapng: `header`, then all packets */
	MODE_PCAPNG,  /* section by section, the interfaces renumbered */
};

/* The statistics of the used interfaces of a section, as they were. */
struct set_statistics {
	bool kept;
	uint32_t section;
	struct text blocks;
	size_t *ends; /* of each interface's, by its new number */
};

/* What is in a file is fixed when it is planned: a capture that grows changes
 * nothing of it. */
struct set_encoder {
	enum set_mode mode;
	uint16_t link_type;
	uint32_t most;     /* captured bytes of a packet; 0: not known */
	uint64_t size;     /* of the file */
	uint64_t steps;    /* about how many a walk over it has */
	/* the capture as it was; what came behind is not in the file */
	uint64_t packets, metadata, sections;
	uint64_t members;  /* packets of the set */
	struct write_pcap_header pcap;
	struct text header;
	/* MODE_PCAPNG: */
	struct interface_set used;
	uint64_t *before;  /* for each word of `used`, how many are in those before */
	/* of the last section that is used, as there may come others of it */
	struct set_statistics statistics;
};

void set_encoder_free(struct set_encoder *encoder);

/* The record of a packet as it will be: 0, it is not in the file. */
uint64_t set_encoder_record_size(const struct set_encoder *encoder,
				 const struct pktfs_packet *packet);
void set_encoder_head(const struct set_encoder *encoder, const struct pktfs_packet *packet,
		      struct text *text);
void set_encoder_tail(const struct set_encoder *encoder, const struct pktfs_packet *packet,
		      struct text *text);

/* The number that an interface of the section whose first is `first` gets. */
uint32_t set_encoder_number(const struct set_encoder *encoder, uint64_t first, uint64_t interface);

/* Appends `options` and all else of a packet's block but its interface, which
 * is 0. */
struct write_packet set_encoder_block(const struct pktfs_packet *packet);

/* The largest block that is encoded here: what is read, and a little more. */
#define ENCODER_TEXT_LIMIT ((size_t)FORMAT_MAX_BLOCK + 65536)

/* Blocks of a pcapng file; nothing is released here. */
void set_encoder_shb(const struct pktfs_section *section, struct text *text);
void set_encoder_idb(const struct pktfs_interface *interface, bool big_endian, struct text *text);
/* Nothing where it has no statistics. */
void set_encoder_isb(const struct pktfs_interface *interface, uint32_t number, struct text *text);
/* Names, secrets, custom blocks that may be copied: whether it is one, and
 * whether its bytes may be taken as they are; else it is encoded. */
bool set_encoder_is_extra(const struct pktfs_block *block);
bool set_encoder_is_plain(const struct pktfs_block *block);
void set_encoder_extra(const struct pktfs_block *block, struct text *text);

/* Encodes the statistics of the last section that is used, with `used` and
 * `before` known. */
int set_encoder_keep_statistics(struct set_encoder *encoder, pktfs_capture *capture);

/* The header of a pcap file, into `header`. */
int set_encoder_pcap(struct set_encoder *encoder, pktfs_capture *capture, bool whole,
		     struct pktfs_error *ret_error);

/* What a section is said to be written by. */
extern const char set_application[];

/* Section header and interface `number` of a pcap file, as pcapng, for packets of
 * which none has captured more than `most` bytes (0: not known). */
int set_encoder_section(pktfs_capture *capture, uint64_t number, uint32_t most, struct text *text,
			struct pktfs_error *ret_error);

#endif
