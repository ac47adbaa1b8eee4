/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only way to the bytes of a capture: a window that knows its end and its
 * byte order. `cursor_take` holds the only bounds check; everything else calls
 * it. A failed take returns NULL (or false), consumes nothing, and the caller
 * decides what that means.
 *
 *	struct cursor body;
 *	uint32_t length;
 *	if (!cursor_u32(&c, &length) || !cursor_sub(&c, length, &body))
 *		return -EBADMSG;
 *
 * Mapped bytes may change under us, so each value is fetched once, into a
 * variable of ours, and only that variable is compared and used.
 */
#ifndef UTIL_CURSOR_H
#define UTIL_CURSOR_H

#include <endian.h>
#include <string.h>

#include "util_base.h"

struct cursor {
	const uint8_t *bytes;
	size_t left;
	bool big_endian;
};

static inline struct cursor cursor_over(const void *bytes, size_t size, bool big_endian)
{
	return (struct cursor){.bytes = bytes, .left = size, .big_endian = big_endian};
}

static inline const uint8_t *cursor_take(struct cursor *c, uint64_t size)
{
	const uint8_t *bytes = c->bytes;

	if (unlikely(size > c->left))
		return NULL;
	c->bytes += size;
	c->left -= (size_t)size;
	return bytes;
}

static inline bool cursor_skip(struct cursor *c, uint64_t size)
{
	return cursor_take(c, size) != NULL;
}

/* A window over the next `size` bytes, which are consumed. */
static inline bool cursor_sub(struct cursor *c, uint64_t size, struct cursor *ret)
{
	const uint8_t *bytes = cursor_take(c, size);

	if (!bytes)
		return false;
	*ret = cursor_over(bytes, (size_t)size, c->big_endian);
	return true;
}

/* Numbers in either byte order, from bytes that are known to be there. They
 * need not be aligned. */
static inline uint16_t bytes_u16(const uint8_t *bytes, bool big_endian)
{
	uint16_t v;

	memcpy(&v, bytes, sizeof(v));
	return big_endian ? be16toh(v) : le16toh(v);
}

static inline uint32_t bytes_u32(const uint8_t *bytes, bool big_endian)
{
	uint32_t v;

	memcpy(&v, bytes, sizeof(v));
	return big_endian ? be32toh(v) : le32toh(v);
}

static inline uint64_t bytes_u64(const uint8_t *bytes, bool big_endian)
{
	uint64_t v;

	memcpy(&v, bytes, sizeof(v));
	return big_endian ? be64toh(v) : le64toh(v);
}

static inline bool cursor_u8(struct cursor *c, uint8_t *ret)
{
	const uint8_t *bytes = cursor_take(c, 1);

	if (bytes)
		*ret = *bytes;
	return bytes;
}

static inline bool cursor_u16(struct cursor *c, uint16_t *ret)
{
	const uint8_t *bytes = cursor_take(c, sizeof(*ret));

	if (bytes)
		*ret = bytes_u16(bytes, c->big_endian);
	return bytes;
}

static inline bool cursor_u32(struct cursor *c, uint32_t *ret)
{
	const uint8_t *bytes = cursor_take(c, sizeof(*ret));

	if (bytes)
		*ret = bytes_u32(bytes, c->big_endian);
	return bytes;
}

static inline bool cursor_u64(struct cursor *c, uint64_t *ret)
{
	const uint8_t *bytes = cursor_take(c, sizeof(*ret));

	if (bytes)
		*ret = bytes_u64(bytes, c->big_endian);
	return bytes;
}

#endif
