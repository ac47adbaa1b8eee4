/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories with one value a file: info/, sections/S/, interfaces/I/ and its
 * statistics/. Each is a table of fields; the position of a field in its table
 * is part of inode numbers, so new fields go to the end.
 */
#ifndef VIEW_FIELD_H
#define VIEW_FIELD_H

#include "view_option.h"
#include "view_private.h"

/* What fields are values of. Only what the directory is about is set. */
struct view_subject {
	struct view *view;
	const struct pktfs_status *status;
	struct set *set; /* info/ */
	const struct pktfs_section *section;
	const struct pktfs_interface *interface;
	const struct pktfs_file_status *file;
	uint64_t number; /* of the file */
	const struct view_option_list *list; /* what the codes below mean */
	struct pktfs_options options;
};

struct view_field {
	const char *name;
	/* Appends the value, without a newline at its end. -ENOENT: there is
	 * none. NULL: the option `code`, all of them, each with a newline. */
	int (*show)(const struct view_subject *subject, struct text *text);
	uint16_t code;
	bool live;  /* may change until the index is complete, and as the capture grows */
	bool grows; /* info/: may change only as the capture grows */
	bool of_files; /* info/: may change only while files are met */
	bool raw;  /* `show` makes its own newlines */
	bool in_sets; /* info/: of sets, too */
};

struct view_fields {
	const struct view_field *fields;
	unsigned count;
	/* the node of a field in a directory of them */
	uint64_t (*node)(uint64_t directory, uint64_t field);
};

int view_field_show(const struct view_fields *fields, unsigned field,
		    const struct view_subject *subject, struct text *text);
/* Of a kind of node with `fields`: what is in such a directory. In a listing is what has
 * a value. */
int view_fields_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child);
uint64_t view_fields_count(struct view *view, uint64_t node);
int view_fields_child(struct view *view, uint64_t node, uint64_t position,
		      struct view_child *ret);

#endif
