/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Node numbers, which are the inode numbers that a user sees:
 *
 *	 52 .. 47   46 .. 16       15 .. 0
 *	   kind    set number   ordinal inside the set
 *	   kind    ordinal (packets, sections, interfaces, blocks)
 *
 * They stay below 2^53, so that programs that keep numbers as floating point
 * (awk, JavaScript) do not take two files for links to one. Everything is
 * computed, nothing is stored, so a number means the same at each mount of the
 * same file. Kind 0 is the root directory of a set; the root of the tree is
 * that of set 0, and its ordinal is 1 so that its number is 1. Packets are of
 * no set: a packet in a set is a hard link.
 */
#ifndef VIEW_NODE_H
#define VIEW_NODE_H

#include <stdbool.h>
#include <stdint.h>

enum view_node_kind {
	NODE_ROOT, /* in a set: info/ packets/ capture.* packets.tsv */
	NODE_README,
	NODE_INFO_DIR,
	NODE_INFO,    /* ordinal: field */
	NODE_CAPTURE, /* ordinal: VIEW_CAPTURE_... and link type index */
	NODE_TSV,
	NODE_PACKETS_DIR,
	NODE_PACKET, /* ordinal: packet number */
	NODE_PACKET_JSON,
	NODE_PACKET_HEX,
	NODE_PACKET_PCAPNG,
	NODE_SECTIONS_DIR, /* of no set from here on */
	NODE_SECTION_DIR,  /* ordinal: section number */
	NODE_SECTION,      /* ordinal: section number and field */
	NODE_INTERFACES_DIR,
	NODE_INTERFACE_DIR,  /* ordinal: interface number */
	NODE_INTERFACE,      /* ordinal: interface number and field */
	NODE_STATISTICS_DIR, /* ordinal: interface number */
	NODE_STATISTICS,     /* ordinal: interface number and field */
	NODE_BLOCKS_DIR,
	NODE_BLOCK, /* ordinal: metadata block */
	NODE_NAMES_DIR,
	NODE_NAMES, /* ordinal: VIEW_NAMES_... */
	NODE_SECRETS_DIR,
	NODE_SECRET, /* ordinal: secrets type */
	NODE_PAYLOAD_DIR, /* of a set */
	NODE_PAYLOAD,	  /* ordinal: packet number */
	NODE_BY,	  /* of a set */
	NODE_QUESTIONS,	  /* of a set; ordinal: enum set_kind */
	NODE_NAMED,	  /* ordinal: number of what was made */
	NODE_EXPRESSION,  /* the same */
	NODE_LINK,	  /* the same */
	NODE_INTERFACE_LINK, /* ordinal: interface number */
	NODE_APPEND_DIR,       /* append/ and what is in it */
	NODE_APPEND_INTERFACE, /* ordinal: interface number */
	NODE_APPEND_NAMED,     /* the same, made by mkdir */
	NODE_APPEND_BLOCKS,
	NODE_APPEND_PENDING,   /* ordinal: append id */
	NODE_APPEND_COMMITTED, /* the same: a link, so that it is another inode */
	NODE_FILES_DIR,
	NODE_FILE_DIR,	    /* ordinal: file number */
	NODE_FILE_INFO_DIR, /* the same */
	NODE_FILE,	    /* ordinal: file number and field */
	NODE_KINDS,	  /* at most 64 */
};

#define VIEW_KIND_SHIFT  47
#define VIEW_SET_SHIFT   16
#define VIEW_SET_MASK    ((UINT64_C(1) << (VIEW_KIND_SHIFT - VIEW_SET_SHIFT)) - 1)
#define VIEW_ORDINAL_MAX ((UINT64_C(1) << VIEW_KIND_SHIFT) - 1)

/* Fields of a section or an interface: its number above, the field below. */
#define VIEW_FIELD_BITS 6
#define VIEW_FIELD_MASK ((UINT64_C(1) << VIEW_FIELD_BITS) - 1)

static inline uint64_t view_node(enum view_node_kind kind, uint64_t ordinal)
{
	return (uint64_t)kind << VIEW_KIND_SHIFT | ordinal;
}

/* A node of the same set as `sibling` is of. */
static inline uint64_t view_node_in_set(enum view_node_kind kind, uint64_t sibling,
					uint64_t ordinal)
{
	uint64_t set = sibling & (VIEW_SET_MASK << VIEW_SET_SHIFT);

	return (uint64_t)kind << VIEW_KIND_SHIFT | set | ordinal;
}

static inline unsigned view_node_kind(uint64_t node)
{
	return (unsigned)(node >> VIEW_KIND_SHIFT);
}

/* For kinds that are of no set. */
static inline uint64_t view_node_ordinal(uint64_t node)
{
	return node & VIEW_ORDINAL_MAX;
}

/* For kinds that are of a set. */
static inline uint64_t view_node_set_ordinal(uint64_t node)
{
	return node & ((UINT64_C(1) << VIEW_SET_SHIFT) - 1);
}

static inline uint32_t view_node_set(uint64_t node)
{
	return (uint32_t)(node >> VIEW_SET_SHIFT & VIEW_SET_MASK);
}

static inline uint64_t view_node_of_set(enum view_node_kind kind, uint32_t set, uint64_t ordinal)
{
	return (uint64_t)kind << VIEW_KIND_SHIFT | (uint64_t)set << VIEW_SET_SHIFT | ordinal;
}

#endif
