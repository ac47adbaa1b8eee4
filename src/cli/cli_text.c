/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_text.h"

#include <string.h>
#include <strings.h>

#define DISTANCE_MAX 32u

unsigned cli_distance(const char *a, size_t length, const char *b)
{
	unsigned rows[3][DISTANCE_MAX + 1], *two = rows[0], *one = rows[1], *row = rows[2], *swap;
	size_t a_length = MIN(length, DISTANCE_MAX), b_length = strnlen(b, DISTANCE_MAX);

	for (unsigned j = 0; j <= b_length; j++)
		one[j] = j;
	for (unsigned i = 1; i <= a_length; i++) {
		row[0] = i;
		for (unsigned j = 1; j <= b_length; j++) {
			row[j] = MIN(MIN(one[j], row[j - 1]) + 1,
				     one[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], two[j - 2] + 1);
		}
		swap = two;
		two = one;
		one = row;
		row = swap;
	}
	return one[b_length];
}

/* The length of `name` without the first extension of the list that it has. */
static size_t without(const char *name, size_t length, const char *const *extensions)
{
	for (; *extensions; extensions++) {
		size_t size = strlen(*extensions);

		if (length > size && !strncasecmp(name + length - size, *extensions, size))
			return length - size;
	}
	return length;
}

void cli_stem(struct text *ret, const char *path)
{
	static const char *const compressions[] = {".gz", ".zst", ".zstd", NULL};
	static const char *const captures[] = {".pcap",  ".pcapng", ".cap",      ".ntar",
					       ".trace", ".dmp",    ".pcapnano", NULL};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t length = without(name, strlen(name), compressions);

	text_append(ret, name, without(name, length, captures));
}

void cli_escape(struct text *ret, const char *value)
{
	for (; *value; value++) {
		if (*value == ',' || *value == '\\')
			text_append(ret, "\\", 1);
		text_append(ret, value, 1);
	}
}

size_t cli_option_length(const char *list)
{
	bool quoted = false;
	size_t i;

	for (i = 0; list[i] && (quoted || list[i] != ','); i++) {
		if (list[i] == '"')
			quoted = !quoted;
		else if (list[i] == '\\' && list[i + 1])
			i++;
	}
	return i;
}
