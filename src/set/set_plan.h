/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a virtual capture file is to be, and how large.
 */
#ifndef SET_PLAN_H
#define SET_PLAN_H

#include "set.h"
#include "set_encoder.h"

/* What set_export_size says of a set. */
int set_plan_size(struct set *set, enum export_format format, unsigned link, uint64_t *ret_size,
		  struct pktfs_error *ret_error);

/* All that must be known to make it, as it is now. To be freed, also when this
 * fails. */
int set_plan_open(struct set_encoder *ret, struct set *set, enum export_format format,
		  unsigned link, struct pktfs_error *ret_error);

#endif
