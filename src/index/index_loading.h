/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding what was saved, of which nothing is believed; see index_saved.h. */
#ifndef INDEX_LOADING_H
#define INDEX_LOADING_H

#include "index_saved.h"

struct loading {
	struct index *draft; /* what is made: nobody else knows it */
	int fd;
	struct pktfs_error error;

	bool followed; /* what it was made of */
	struct index_key key;
	struct saved_counts counts;

	/* of the file */
	uint64_t offset, left; /* bytes that are not in `words` yet */
	uint64_t hash;         /* of what was taken */
	size_t at, got;
	bool cut; /* more was taken than there is */
	uint64_t words[2048];
};

/* Why it is not used; the first reason stays. Returns it. */
int loading_fail(struct loading *loading, int code, const char *format, ...) _printf_(3, 4);

/* The next word; 0 behind the end, which is noted. */
uint64_t loading_word(struct loading *loading);

/* Up to the counts, into `key`, `counts` and the draft's totals; *ret_end is that
 * of what was indexed. 0, or what loading_fail returned. */
int loading_head(struct loading *loading, uint64_t *ret_end);
/* The rest, into the draft. */
int loading_body(struct loading *loading);

/* index_loading_blocks.c: sections and interfaces with their sums, link types. */
int loading_blocks(struct loading *loading);
int loading_link_types(struct loading *loading);

#endif
