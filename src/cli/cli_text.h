/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small questions about strings: names of options and of files.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "util/util_text.h"

/* How many letters are to be inserted, left out, replaced or swapped with
 * their neighbour to make `b` of the first `length` letters of `a`. Letters
 * beyond the first 32 of either are not looked at. */
unsigned cli_distance(const char *a, size_t length, const char *b);

/* Appends the last component of `path` without the extensions of captures and
 * of compression: "/x/a.pcapng.zst" gives "a". What would leave nothing is not
 * taken off. */
void cli_stem(struct text *ret, const char *path);

/* Appends `value` as the value of a mount option: commas and backslashes get a
 * backslash, which libfuse takes off again. */
void cli_escape(struct text *ret, const char *value);

/* The length of the first option of a list separated by commas; a comma that
 * follows a backslash or is between double quotes separates nothing. */
size_t cli_option_length(const char *list);

#endif
