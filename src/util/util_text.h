/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing byte string, for text files and encoded records that we make.
 *
 *	_cleanup_(text_free) struct text text = {0};
 *	text_printf(&text, "%u\n", n);
 *	if (text.failed)
 *		return text.failed;   (-ENOMEM, or -EFBIG above `limit`)
 *
 * After a failure further calls do nothing, so it is checked once, at the end.
 */
#ifndef UTIL_TEXT_H
#define UTIL_TEXT_H

#include "util_base.h"

struct text {
	char *bytes; /* always NUL terminated behind `size`, once not NULL */
	size_t size;
	size_t room;
	size_t limit; /* 0: TEXT_LIMIT */
	int failed;   /* 0 or the negative errno of the first failure */
};

/* No text that we make is larger: names/hosts of a hostile capture must not
 * exhaust memory. */
#define TEXT_LIMIT ((size_t)64 << 20)

void text_free(struct text *text);
/* Makes room for `size` more bytes and counts them: to be written at once. */
uint8_t *text_grow(struct text *text, size_t size);
void text_append(struct text *text, const void *bytes, size_t size);
void text_string(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) _printf_(2, 3);
void text_hex(struct text *text, const uint8_t *bytes, size_t size);

/* Numbers in either byte order. */
void text_u16(struct text *text, uint16_t number, bool big_endian);
void text_u32(struct text *text, uint32_t number, bool big_endian);
void text_u64(struct text *text, uint64_t number, bool big_endian);
void text_zeros(struct text *text, size_t count);

/* UTF-8 from bytes that may not be: what is not valid UTF-8 becomes U+FFFD.
 * Stops at the first NUL octet (pcapng draft section 3.5: a NUL ends a
 * string). text_utf8 copies the rest as it is; text_json adds quotes and
 * escapes what JSON wants escaped. */
void text_utf8(struct text *text, const void *bytes, size_t size);
void text_json(struct text *text, const void *bytes, size_t size);

#endif
