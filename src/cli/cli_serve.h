/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mount from its start to its end.
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include "cli_daemon.h"
#include "cli_options.h"

/* Mounts and serves until the mount or the program is ended. Tells `daemon`
 * when the mount answers. `name` is the directory. Returns the exit code. */
int cli_serve(const struct cli_config *config, const char *name, struct cli_daemon *daemon);

#endif
