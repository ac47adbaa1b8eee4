/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of a pcapng block (draft section 3.5):
 *
 *	code u16   length u16   value, padded to a multiple of 4
 */
#include "format.h"

#include "format_private.h"

#define OPTION_END 0

static int take_option(struct cursor *c, struct pktfs_option *ret)
{
	if (!cursor_u16(c, &ret->code) || !cursor_u16(c, &ret->length))
		return -EBADMSG;
	if (ret->code == OPTION_END)
		return 0;
	ret->value = cursor_take(c, ret->length);
	if (!ret->value)
		return -EBADMSG;
	/* The last value may lack its padding. */
	cursor_skip(c, MIN(c->left, util_pad4(ret->length) - ret->length));
	return 1;
}

int pktfs_option_next(struct pktfs_options *options, struct pktfs_option *ret)
{
	struct cursor c = cursor_over(options->bytes, options->size, options->big_endian);
	struct pktfs_option option;
	int r;

	if (!c.left)
		return 0;
	r = take_option(&c, &option);
	if (r == 1)
		*ret = option;
	else
		cursor_skip(&c, c.left); /* asked again, it is the end */
	options->bytes = c.bytes;
	options->size = c.left;
	return r;
}

int pktfs_option_find(struct pktfs_options options, uint16_t code, unsigned index,
		      struct pktfs_option *ret)
{
	struct pktfs_option option;

	while (pktfs_option_next(&options, &option) > 0) {
		if (option.code != code || index--)
			continue;
		*ret = option;
		return 1;
	}
	return 0;
}

uint16_t pktfs_option_u16(const struct pktfs_options *options, const struct pktfs_option *option)
{
	return bytes_u16(option->value, options->big_endian);
}

uint32_t pktfs_option_u32(const struct pktfs_options *options, const struct pktfs_option *option)
{
	return bytes_u32(option->value, options->big_endian);
}

uint64_t pktfs_option_u64(const struct pktfs_options *options, const struct pktfs_option *option)
{
	return bytes_u64(option->value, options->big_endian);
}
