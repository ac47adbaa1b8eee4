/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The headers below IP: from the first byte of a packet to its IP header.
 *
 * A header is a function that moves the window behind itself and says what
 * follows as an EtherType, whatever its own numbers are: so they are stepped
 * over in a loop, without recursion, in any combination. Adding a link type is
 * adding a function and a row to the table.
 */
#ifndef SET_LINK_H
#define SET_LINK_H

#include "util/util_cursor.h"

/* Moves `c` (big-endian, over the whole packet) to the IP header. False where
 * there is none. */
bool link_to_ip(uint16_t link_type, struct cursor *c);
bool link_known(uint16_t link_type);

/* The same from behind an EtherType: VLAN tags, MPLS, PPPoE are passed. */
bool link_ethertype(struct cursor *c, uint16_t type);

#endif
