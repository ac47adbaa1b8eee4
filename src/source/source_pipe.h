/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pipe, FIFO or character device: copied to a spool as it comes, so that it
 * can be read at any offset.
 */
#ifndef SOURCE_PIPE_H
#define SOURCE_PIPE_H

#include "source.h"

/* Takes over `fd` when it returns 0. */
int source_pipe_open(int fd, const struct source_options *options, struct source **ret,
		     struct pktfs_error *ret_error);

#endif
