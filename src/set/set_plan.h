/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a virtual capture file is to be, and how large.
 */
#ifndef SET_PLAN_H
#define SET_PLAN_H

#include "set.h"
#include "set_encoder.h"

/* What set_export_size says of a set, in ret->size. Nothing is
 * to be freed. */
int set_plan_size(struct set_encoder *ret, pktfs_capture *capture, struct set *set,
		  enum export_format format, unsigned link, struct pktfs_error *ret_error);

/* The same, and all that must be known to make it. To be freed, also when this
 * fails. */
int set_plan_open(struct set_encoder *ret, pktfs_capture *capture, struct set *set,
		  enum export_format format, unsigned link, struct pktfs_error *ret_error);

#endif
