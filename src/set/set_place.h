/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A place in a capture file that is made, before one of the pieces that it is
 * made of (set_walk.h): all that must be known to go on from there.
 */
#ifndef SET_PLACE_H
#define SET_PLACE_H

#include <stdint.h>

enum set_phase {
	PHASE_HEADER,     /* file header, section header */
	PHASE_INTERFACES, /* the descriptions of those that are used */
	PHASE_EXTRAS,     /* names, secrets, custom blocks */
	PHASE_PACKETS,
	PHASE_STATISTICS, /* of the interfaces that are used */
	PHASE_END,
};

struct set_place {
	uint64_t offset;
	uint64_t step;   /* steps before it, also those that gave nothing */
	uint64_t packet; /* the number from which on members are left */
	uint64_t next;   /* interface or metadata block, as the phase has it */
	uint32_t section;
	uint32_t phase;  /* enum set_phase */
};

#endif
