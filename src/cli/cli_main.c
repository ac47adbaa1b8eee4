/* SPDX-License-Identifier: BSD-2-Clause */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "cli_info.h"
#include "cli_log.h"
#include "cli_mounts.h"
#include "cli_options.h"
#include "cli_place.h"
#include "cli_serve.h"

static int mount_capture(const struct cli_config *config, struct cli_daemon *daemon)
{
	_cleanup_free_ char *name = cli_place_name(config->file, config->mountpoint);
	pid_t pid = 0;

	if (config->fake)
		return 0;
	if (!name)
		return cli_fail(config->file, "has no name for a directory; give a MOUNTPOINT");
	if (!config->foreground)
		pid = cli_daemon_fork(daemon);
	if (pid < 0)
		return cli_fail(config->file, "%s", strerror((int)-pid));
	if (pid > 0)
		return cli_daemon_wait(daemon, config->file, name);
	return cli_serve(config, name, daemon);
}

static int run(const struct cli_config *config, struct cli_daemon *daemon)
{
	switch (config->action) {
	case CLI_HELP:
		cli_help(stdout);
		break;
	case CLI_VERSION:
		cli_version(stdout);
		break;
	case CLI_UNMOUNT:
		return cli_unmount_command(config->mountpoint);
	case CLI_INFO:
		return cli_info(config);
	case CLI_MOUNT:
		return mount_capture(config, daemon);
	}
	return fflush(stdout) ? CLI_EXIT_FAILED : 0;
}

int main(int argc, char *argv[])
{
	struct cli_config config;
	struct cli_daemon daemon;
	struct pktfs_error error;
	int r;

	cli_daemon_prepare(&daemon);
	/* A few threads that allocate little: more arenas are only memory. */
	mallopt(M_ARENA_MAX, 2);
	if (cli_parse(argc, argv, &config, &error) < 0) {
		fprintf(stderr, "pktfs: %s\n", error.text);
		r = CLI_EXIT_USAGE;
	} else {
		r = run(&config, &daemon);
	}
	cli_config_free(&config);
	return r;
}
