/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_source.h"

#include <string.h>
#include <unistd.h>

#include "cli_log.h"

/* What realpath cannot resolve, but open can, is a pipe: the /dev/fd/63 of a
 * shell's <(command). */
static char *absolute(const char *file)
{
	char *path = realpath(file, NULL);

	if (!path && file[0] == '/' && access(file, R_OK) == 0)
		path = strdup(file);
	return path;
}

int cli_source_open(const struct cli_config *config, struct cli_source *ret)
{
	_cleanup_free_ char *spool = config->spool ? realpath(config->spool, NULL) : NULL;
	struct pktfs_open_options options = {.spool_dir = spool};
	bool standard_input = !strcmp(config->file, "-");
	struct pktfs_error error = {0};
	int r;

	*ret = (struct cli_source){0};
	if (config->spool && !spool)
		return cli_fail(config->spool, "spool: %s", strerror(errno));
	ret->path = standard_input ? strdup("stdin") : absolute(config->file);
	if (!ret->path)
		return cli_fail(config->file, "%s", strerror(errno));
	if (standard_input)
		r = pktfs_open_fd(STDIN_FILENO, &options, &ret->capture, &error);
	else
		r = pktfs_open(ret->path, &options, &ret->capture, &error);
	if (r < 0) {
		r = cli_fail(config->file, "%s", error.text[0] ? error.text : strerror(-r));
		cli_source_close(ret);
	}
	return r;
}

void cli_source_close(struct cli_source *source)
{
	pktfs_close(source->capture);
	free(source->path);
	*source = (struct cli_source){0};
}
