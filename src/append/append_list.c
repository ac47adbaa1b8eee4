/* SPDX-License-Identifier: BSD-2-Clause */
/* info/appended. */
#include "append_internal.h"

#include <inttypes.h>
#include <string.h>

/* Lines that are made without letting others in. */
#define LINES_AT_ONCE 1024u

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

void append_path_text(struct text *text, const struct append_place *place, const char *name)
{
	if (place->kind == APPEND_BLOCKS)
		text_string(text, "blocks/");
	if (place->kind == APPEND_INTERFACE)
		text_printf(text, "%" PRIu64 "/", place->interface);
	for (; *name; name++) {
		if (is_plain(*name))
			text_append(text, name, 1);
		else
			text_printf(text, "%%%02X", (unsigned)(uint8_t)*name);
	}
}

static void put_line(struct text *text, const struct append_file *file,
		     const struct append_base *base)
{
	const struct append_place place = append_place_of(file);

	append_path_text(text, &place, file->name);
	if (file->packet)
		text_printf(text, "\t%" PRIu64 "\t%" PRIu64 "\n", base->packets + file->packet,
			    file->offset);
	else
		text_printf(text, "\t-\t%" PRIu64 "\n", file->offset);
}

/* Some lines, from record *id on (0: the first), and where to go on (0: that was
 * the last). What was forgotten meanwhile is left out. */
static void put_lines(struct append *append, struct text *text, const struct append_base *base,
		      uint64_t *id)
{
	UTIL_LOCK_SCOPE(&append->lock);
	const struct append_file *file = *id ? append_table_by_id(&append->table, *id) : NULL;
	unsigned lines;

	if (!file || !file->listed)
		file = append->table.oldest_listed;
	for (lines = 0; file && lines < LINES_AT_ONCE; lines++, file = file->newer)
		if (file->listed)
			put_line(text, file, base);
	*id = file ? file->id : 0;
}

void append_list_text(struct append *append, struct text *ret)
{
	struct append_base base;
	uint64_t id = 0;

	if (append_base_get(append, &base) < 0)
		return;
	do
		put_lines(append, ret, &base, &id);
	while (id && !ret->failed);
}
