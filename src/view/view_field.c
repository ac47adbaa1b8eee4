/* SPDX-License-Identifier: BSD-2-Clause */
#include "view_field.h"

#include <stdio.h>
#include <string.h>

#include "view_text.h"

/* What a block of 256 MiB full of comments is cut to, at a whole option. */
#define FIELD_LIMIT ((size_t)1 << 20)

static int show_option(const struct view_subject *subject, uint16_t code, struct text *text)
{
	const struct view_option *known = view_option_find(subject->list, code);
	struct pktfs_options options = subject->options;
	struct pktfs_option option;
	bool any = false;

	while (pktfs_option_next(&options, &option) == 1) {
		if (option.code != code || !view_option_fits(known, &option))
			continue;
		if (text->size > FIELD_LIMIT) {
			view_log_once(
				subject->view, SAID_COMMENTS,
				"a block has more than 1 MiB of %s: the rest is only in blocks/",
				known->name);
			break;
		}
		view_option_text(text, known, &options, &option);
		text_string(text, "\n");
		any = true;
		if (!known->many)
			break;
	}
	return any ? 0 : -ENOENT;
}

int view_field_show(const struct view_fields *fields, unsigned field,
		    const struct view_subject *subject, struct text *text)
{
	const struct view_field *f;
	int r;

	if (field >= fields->count)
		return -ENOENT;
	f = &fields->fields[field];
	if (!f->show)
		return show_option(subject, f->code, text);
	r = f->show(subject, text);
	if (!r && !f->raw)
		text_string(text, "\n");
	return r;
}

int view_fields_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	const struct view_fields *fields = view_kind_of(node)->fields;

	(void)view;
	for (unsigned i = 0; i < fields->count; i++) {
		if (!strcmp(fields->fields[i].name, name)) {
			*ret_child = fields->node(node, i);
			return 0;
		}
	}
	return -ENOENT;
}

uint64_t view_fields_count(struct view *view, uint64_t node)
{
	(void)view;
	return view_kind_of(node)->fields->count;
}

int view_fields_child(struct view *view, uint64_t node, uint64_t position, struct view_child *ret)
{
	const struct view_fields *fields = view_kind_of(node)->fields;
	uint64_t field = fields->node(node, position);
	struct view_text *text;
	int r = view_text_get(view, field, VIEW_TEXT_STAT, &text);

	if (!r)
		view_text_put(view, text);
	if (r == -ENOENT || r == -EAGAIN || r == -ENOMEM)
		return r;
	snprintf(ret->name, sizeof(ret->name), "%s", fields->fields[position].name);
	ret->node = field;
	return 0;
}
