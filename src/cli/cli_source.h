/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FILE: a path, or "-" for standard input.
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "cli_options.h"
#include "pktfs/capture.h"

struct cli_source {
	char *path; /* absolute; "stdin" for standard input */
	pktfs_capture *capture;
};

/* 0, or the exit code after saying what is wrong. */
int cli_source_open(const struct cli_config *config, struct cli_source *ret);
void cli_source_close(struct cli_source *source);

#endif
