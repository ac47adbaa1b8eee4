/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What fusermount3 says on standard error, which is for a message of ours.
 *
 *	cli_words_begin(&words);
 *	...                               starts it, or has libfuse do so
 *	cli_words_end(&words, text, sizeof(text));
 *
 * In a process of one thread: meanwhile its standard error is a file of its own.
 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define CLI_WORDS_ROOM 400

struct cli_words {
	int file;  /* -1: none could be made, and what is said goes where it did */
	int saved; /* standard error */
};

void cli_words_begin(struct cli_words *words);

/* The words of fusermount3, with its name before them and "; " between two lines, as
 * far as there is room; "": none. What others have said meanwhile goes to standard
 * error now. Returns whether anything was said. */
bool cli_words_end(struct cli_words *words, char *text, size_t room);

#endif
