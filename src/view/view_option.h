/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of pcapng blocks: what each code means (draft sections 3.5 and
 * 4), and its value as text.
 */
#ifndef VIEW_OPTION_H
#define VIEW_OPTION_H

#include "pktfs/types.h"
#include "util/util_text.h"

enum view_option_form {
	OPTION_STRING,
	OPTION_U8,
	OPTION_U32,
	OPTION_U64,
	OPTION_I32,
	OPTION_I64,
	OPTION_IPV4,       /* address and mask */
	OPTION_IPV6,       /* address and prefix length */
	OPTION_OCTETS,     /* 00:11:22:33:44:55 */
	OPTION_RESOLUTION, /* if_tsresol */
	OPTION_FILTER,
	OPTION_FLAGS,
	OPTION_HASH,
	OPTION_VERDICT,
	OPTION_PROCESS,
	OPTION_TIME,          /* two u32, high first */
	OPTION_CUSTOM_STRING, /* PEN u32, UTF-8 */
	OPTION_CUSTOM_BYTES,  /* PEN u32, any */
};

struct view_option {
	const char *name; /* as in the draft */
	uint16_t code;
	uint8_t form;
	uint8_t length; /* exactly */
	uint8_t least;  /* at least, where `length` is 0 */
	bool many;      /* may be repeated */
};

struct view_option_list {
	const struct view_option *options;
	unsigned count;
};

extern const struct view_option_list view_options_section, view_options_interface,
	view_options_packet, view_options_statistics;

/* NULL: not known. Options of every block are found in every list. */
const struct view_option *view_option_find(const struct view_option_list *list, uint16_t code);

/* Whether the length is one that this option can have. `known` may be NULL. */
bool view_option_fits(const struct view_option *known, const struct pktfs_option *option);

/* The value in one line, as far as strings are; no newline. `known` fits. */
void view_option_text(struct text *text, const struct view_option *known,
		      const struct pktfs_options *options, const struct pktfs_option *option);

/* Bytes as "00:11:22". */
void view_option_octets(struct text *text, const uint8_t *bytes, size_t size);

/* if_tsresol in seconds, exact: "0.000001", "0.0009765625". */
void view_option_resolution(struct text *text, uint8_t resolution);

const char *view_hash_name(uint8_t algorithm); /* NULL: not known */
const char *view_verdict_name(uint8_t kind);   /* NULL: not known */

#endif
