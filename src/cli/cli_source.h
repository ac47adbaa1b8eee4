/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FILE: a path, or "-" for standard input, or several (cli_ring.h); and what is
 * appended to, if anything is: FILE itself, or another file that is shown behind it.
 *
 * Fork before: the lock on what is appended to follows a fork.
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "append/append.h"
#include "cli_options.h"
#include "pktfs/capture.h"

struct cli_source {
	char *path; /* absolute; "stdin" for standard input; of several: cli_ring_path */
	struct cli_ring *ring; /* NULL: one file */
	pktfs_capture *capture;
	struct append *append; /* NULL: nothing is appended */
	char *target;          /* absolute; what is appended to; NULL: `path` */
	bool made;             /* `target` was not there: it goes again with a start that fails */
};

/* 0, or the exit code after saying what is wrong. */
int cli_source_open(const struct cli_config *config, struct cli_source *ret);
/* Removes a target that is still `made`. */
void cli_source_close(struct cli_source *source);

#endif
