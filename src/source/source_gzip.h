/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gzip (RFC 1952), any number of members: decompressed once, in the
 * background, into a spool. Zeros behind the last member are passed over as by
 * gzip(1) (tapes are padded with them).
 */
#ifndef SOURCE_GZIP_H
#define SOURCE_GZIP_H

#include "source.h"

/* Takes over `inner` when it returns 0. */
int source_gzip_open(struct source *inner, const struct source_options *options,
		     struct source **ret, struct pktfs_error *ret_error);

#endif
