/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_words.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/util_base.h"

#define SAID_MAX 4096

static const char who[] = "fusermount3: ";

void cli_words_begin(struct cli_words *words)
{
	words->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	words->file = words->saved < 0 ? -1 : memfd_create("words", MFD_CLOEXEC);
	if (words->file >= 0)
		dup2(words->file, STDERR_FILENO);
}

static void add(char *text, size_t room, const char *line)
{
	size_t length = strlen(text);

	snprintf(text + length, room - length, "%s%s", length ? "; " : "", line);
}

bool cli_words_end(struct cli_words *words, char *text, size_t room)
{
	_cleanup_close_ int file = words->file, saved = words->saved;
	char said[SAID_MAX + 1], *line, *at;
	ssize_t n;

	*text = '\0';
	if (file < 0)
		return false;
	dup2(saved, STDERR_FILENO);
	n = pread(file, said, SAID_MAX, 0);
	said[MAX(n, 0)] = '\0';
	for (line = strtok_r(said, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
		if (!strncmp(line, who, sizeof(who) - 1))
			add(text, room, line);
		else
			fprintf(stderr, "%s\n", line);
	return n > 0;
}
