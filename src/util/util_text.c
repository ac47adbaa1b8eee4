/* SPDX-License-Identifier: BSD-2-Clause */
#include "util_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util_cursor.h"

void text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

uint8_t *text_grow(struct text *text, size_t size)
{
	size_t limit = text->limit ? text->limit : TEXT_LIMIT;
	size_t room;
	char *bytes;

	if (text->failed)
		return NULL;
	if (size > limit || text->size > limit - size) {
		text->failed = -EFBIG;
		return NULL;
	}
	if (!text->bytes || text->room - text->size <= size) {
		room = MAX(text->size + size + 1, text->room * 2);
		room = MAX(room, (size_t)64);
		bytes = realloc(text->bytes, room);
		if (!bytes) {
			text->failed = -ENOMEM;
			return NULL;
		}
		text->bytes = bytes;
		text->room = room;
	}
	bytes = text->bytes + text->size;
	text->size += size;
	text->bytes[text->size] = '\0';
	return (uint8_t *)bytes;
}

void text_append(struct text *text, const void *bytes, size_t size)
{
	uint8_t *at = text_grow(text, size);

	if (at && size)
		memcpy(at, bytes, size);
}

void text_string(struct text *text, const char *string)
{
	text_append(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
	char line[256];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (length < 0) {
		text->failed = -EINVAL;
		return;
	}
	if ((size_t)length < sizeof(line)) {
		text_append(text, line, (size_t)length);
		return;
	}
	if (!text_grow(text, (size_t)length))
		return;
	va_start(args, format);
	vsnprintf(text->bytes + text->size - length, (size_t)length + 1, format, args);
	va_end(args);
}

void text_hex(struct text *text, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *at = text_grow(text, size * 2);
	size_t i;

	if (!at)
		return;
	for (i = 0; i < size; i++) {
		*at++ = (uint8_t)digits[bytes[i] >> 4];
		*at++ = (uint8_t)digits[bytes[i] & 15];
	}
}

void text_u16(struct text *text, uint16_t number, bool big_endian)
{
	number = big_endian ? htobe16(number) : htole16(number);
	text_append(text, &number, sizeof(number));
}

void text_u32(struct text *text, uint32_t number, bool big_endian)
{
	number = big_endian ? htobe32(number) : htole32(number);
	text_append(text, &number, sizeof(number));
}

void text_u64(struct text *text, uint64_t number, bool big_endian)
{
	number = big_endian ? htobe64(number) : htole64(number);
	text_append(text, &number, sizeof(number));
}

void text_zeros(struct text *text, size_t count)
{
	uint8_t *at = text_grow(text, count);

	if (at && count)
		memset(at, 0, count);
}

/* The length of the valid UTF-8 sequence at `at`, or 0 (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_length(const uint8_t *at, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t length, i;

	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf)
		length = 2;
	else if ((at[0] & 0xf0) == 0xe0)
		length = 3;
	else if (at[0] >= 0xf0 && at[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (length > left)
		return 0;
	if (at[0] == 0xe0)
		low = 0xa0;
	if (at[0] == 0xed)
		high = 0x9f;
	if (at[0] == 0xf0)
		low = 0x90;
	if (at[0] == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	for (i = 2; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

static void utf8(struct text *text, const uint8_t *at, size_t size, bool json)
{
	size_t length;

	for (; size && *at; at += length, size -= length) {
		length = utf8_length(at, size);
		if (!length) {
			text_string(text, "\xef\xbf\xbd");
			length = 1;
		} else if (json && (*at == '"' || *at == '\\')) {
			text_printf(text, "\\%c", *at);
		} else if (json && *at == '\n') {
			text_string(text, "\\n");
		} else if (json && (*at < 0x20 || *at == 0x7f)) {
			text_printf(text, "\\u%04x", *at);
		} else {
			text_append(text, at, length);
		}
	}
}

void text_utf8(struct text *text, const void *bytes, size_t size)
{
	utf8(text, bytes, size, false);
}

void text_json(struct text *text, const void *bytes, size_t size)
{
	text_string(text, "\"");
	utf8(text, bytes, size, true);
	text_string(text, "\"");
}
