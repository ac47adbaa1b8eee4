/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes of a file that is not committed, and what they say of the
 * packet. append.h lists them. */
#ifndef APPEND_ATTRIBUTE_H
#define APPEND_ATTRIBUTE_H

#include "pktfs/writer.h"
#include "util/util_text.h"

#define APPEND_ATTRIBUTES 5u

struct append_attributes {
	struct text *values; /* APPEND_ATTRIBUTES of them; NULL: none was set */
};

void append_attributes_free(struct append_attributes *attributes);
/* The bytes that they take. */
uint64_t append_attributes_size(const struct append_attributes *attributes);

/* As append_set_attribute, append_attribute, append_attributes. */
int append_attributes_set(struct append_attributes *attributes, const char *name, const void *value,
			  size_t size);
int append_attributes_get(const struct append_attributes *attributes, const char *name,
			  struct text *ret);
int append_attributes_list(const struct append_attributes *attributes, struct text *ret);

/*
 * Fills in what is given, but the comments, which are put into *comments (an
 * array that ends with NULL, whose strings point into *text; both are the
 * caller's to free). `link_type` is the interface's: -EINVAL when another is
 * asked for. The time only with `time`.
 */
int append_attributes_apply(const struct append_attributes *attributes, uint16_t link_type,
			    bool time, struct pktfs_new_packet *packet, char **text,
			    const char ***comments, struct pktfs_error *ret_error);

#endif
