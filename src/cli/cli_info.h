/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pktfs --info: what a mount says in info/, sections/ and interfaces/, without
 * a mount.
 */
#ifndef CLI_INFO_H
#define CLI_INFO_H

#include "cli_options.h"
#include "view/view.h"

/* Returns the exit code. */
int cli_info(const struct cli_config *config);

/* Prints the facts of a view whose index is complete. 0 or negative errno. */
int cli_info_print(struct view *view, bool json, FILE *out);

#endif
