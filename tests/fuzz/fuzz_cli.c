/* SPDX-License-Identifier: BSD-2-Clause */
/* Command lines: an argument a line. A refusal is one line of text. */
#include "cli/cli_options.h"
#include "input.h"

#define ARGUMENTS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *copy = strndup(size ? (const char *)bytes : "", size), *rest = copy, *line;
	char name[] = "pktfs", *argv[ARGUMENTS_MAX + 1] = {name};
	struct pktfs_error error = {0};
	struct cli_config config;
	int argc = 1, r;

	assert(copy);
	while (argc < ARGUMENTS_MAX && (line = strsep(&rest, "\n")))
		argv[argc++] = line;
	r = cli_parse(argc, argv, &config, &error);
	assert(r == 0 || r == -EINVAL || r == -ENOMEM);
	if (r < 0)
		assert(*error.text && memchr(error.text, 0, sizeof(error.text)) &&
		       !strchr(error.text, '\n'));
	else if (config.action == CLI_MOUNT)
		assert(config.file && config.threads >= 1);
	cli_config_free(&config);
	free(copy);
	return 0;
}
