/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of options, in the byte order of the target, checked. The first failure
 * is kept and reported by write_list_end:
 *
 *	struct write_list list = write_list_over(text, BLOCK_EPB, big_endian, ret_error);
 *	write_list_u32(&list, 2, flags);
 *	write_list_new(&list, &packet->options);
 *	r = write_list_end(&list);
 */
#ifndef WRITE_OPTION_H
#define WRITE_OPTION_H

#include "pktfs/writer.h"
#include "util/util_text.h"

struct write_list {
	struct text *text;
	uint32_t type; /* of the block */
	bool big_endian;
	bool any;
	int failed;
	struct pktfs_error *error;
};

static inline struct write_list write_list_over(struct text *text, uint32_t type, bool big_endian,
						struct pktfs_error *error)
{
	return (struct write_list){
		.text = text, .type = type, .big_endian = big_endian, .error = error};
}

void write_list_u32(struct write_list *list, uint16_t code, uint32_t value);
void write_list_u64(struct write_list *list, uint16_t code, uint64_t value);
/* Two u32, one behind the other; times in an ISB, ids of a process. */
void write_list_pair(struct write_list *list, uint16_t code, uint32_t first, uint32_t second);
/* NULL: nothing. `prefix`: an octet before it, or negative. */
void write_list_string(struct write_list *list, uint16_t code, int prefix, const char *string);
void write_list_octets(struct write_list *list, uint16_t code, const void *bytes, size_t size);
/* Numbers from one byte order into the other. */
void write_list_copy(struct write_list *list, struct pktfs_options options);
void write_list_new(struct write_list *list, const struct pktfs_new_options *options);

/* opt_endofopt, if there was any option. 0, or what failed, with the error. */
int write_list_end(struct write_list *list);

/* Whether there is nothing in it. */
bool write_options_empty(const struct pktfs_new_options *options);

/* All of it is UTF-8, and none of it NUL. */
bool write_is_utf8(const void *bytes, size_t size);

#endif
