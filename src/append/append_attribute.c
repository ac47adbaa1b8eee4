/* SPDX-License-Identifier: BSD-2-Clause */
#include "append_attribute.h"

#include <string.h>

#include "util/util_number.h"
#include "util/util_point.h"
#include "util/util_time.h"

/* What an attribute may hold on Linux; a number is shorter. */
#define VALUE_LIMIT  65536u
#define NUMBER_LIMIT 127u

enum attribute {
	ATTRIBUTE_COMMENT,
	ATTRIBUTE_FLAGS,
	ATTRIBUTE_LINK_TYPE,
	ATTRIBUTE_ORIGINAL_LENGTH,
	ATTRIBUTE_TIME,
};

/* ---- values */

static bool parse_u32(const char *value, uint32_t *ret)
{
	uint64_t number;

	if (!number_parse(value, &number) || number > UINT32_MAX)
		return false;
	*ret = (uint32_t)number;
	return true;
}

/* Decimal, or hexadecimal with 0x. */
static bool parse_flags(const char *value, uint32_t *ret)
{
	uint64_t number = 0;

	if (value[0] != '0' || (value[1] | 0x20) != 'x')
		return parse_u32(value, ret);
	value += 2;
	if (!*value || strspn(value, "0123456789abcdefABCDEF") != strlen(value) ||
	    strlen(value) > 16)
		return false;
	number = strtoull(value, NULL, 16);
	*ret = (uint32_t)number;
	return number <= UINT32_MAX;
}

/* As it is shown: a date, or seconds where there is none. */
static bool parse_time(const char *value, struct pktfs_time *ret)
{
	char seconds[NUMBER_LIMIT + 2] = "@";
	struct time_point point;
	const char *at = value;

	if (!time_point_take(&at, &point) || *at) {
		at = strncat(seconds, value, NUMBER_LIMIT);
		if (!time_point_take(&at, &point) || *at)
			return false;
	}
	*ret = point.time;
	return true;
}

static bool is_utf8(const void *value, size_t size)
{
	_cleanup_(text_free) struct text text = {0};

	text_utf8(&text, value, size);
	return text.failed || (text.size == size && (!size || !memcmp(text.bytes, value, size)));
}

static bool is_possible(enum attribute attribute, const char *value, size_t size)
{
	struct pktfs_time time;
	uint32_t number;

	if (attribute == ATTRIBUTE_COMMENT)
		return size <= VALUE_LIMIT && is_utf8(value, size);
	if (size > NUMBER_LIMIT || strlen(value) != size)
		return false;
	switch (attribute) {
	case ATTRIBUTE_FLAGS:
		return parse_flags(value, &number);
	case ATTRIBUTE_LINK_TYPE:
		return pktfs_linktype_by_name(value) >= 0;
	case ATTRIBUTE_ORIGINAL_LENGTH:
		return parse_u32(value, &number);
	case ATTRIBUTE_TIME:
		return parse_time(value, &time);
	default:
		return false;
	}
}

/* ---- names */

static const char *const names[APPEND_ATTRIBUTES] = {
	[ATTRIBUTE_COMMENT] = "comment",     [ATTRIBUTE_FLAGS] = "flags",
	[ATTRIBUTE_LINK_TYPE] = "link_type", [ATTRIBUTE_ORIGINAL_LENGTH] = "original_length",
	[ATTRIBUTE_TIME] = "time",
};

/* What the packet has by itself: cp takes it along. */
static bool only_describes(const char *name)
{
	return !strcmp(name, "number") || !strcmp(name, "frame") || !strcmp(name, "interface");
}

static int find(const char *name)
{
	unsigned i;

	for (i = 0; i < APPEND_ATTRIBUTES; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -EOPNOTSUPP;
}

/* NULL: it is not set. One that is empty has bytes, too. */
static const struct text *value_of(const struct append_attributes *attributes, int attribute)
{
	if (!attributes->values || !attributes->values[attribute].bytes)
		return NULL;
	return &attributes->values[attribute];
}

void append_attributes_free(struct append_attributes *attributes)
{
	for (unsigned i = 0; attributes->values && i < APPEND_ATTRIBUTES; i++)
		text_free(&attributes->values[i]);
	free(attributes->values);
	attributes->values = NULL;
}

uint64_t append_attributes_size(const struct append_attributes *attributes)
{
	uint64_t size = 0;

	for (unsigned i = 0; attributes->values && i < APPEND_ATTRIBUTES; i++)
		size += attributes->values[i].room;
	return size;
}

int append_attributes_set(struct append_attributes *attributes, const char *name, const void *value,
			  size_t size)
{
	_cleanup_(text_free) struct text text = {0};
	int attribute = find(name);

	if (attribute < 0)
		return !only_describes(name) ? attribute : value ? 0 : -ENODATA;
	if (!value && !value_of(attributes, attribute))
		return -ENODATA;
	if (!attributes->values)
		attributes->values = calloc(APPEND_ATTRIBUTES, sizeof(*attributes->values));
	if (!attributes->values)
		return -ENOMEM;
	if (value) {
		text_append(&text, value, size);
		text_string(&text, "");
		if (!text.failed && !is_possible((enum attribute)attribute, text.bytes, size))
			text.failed = -EINVAL;
		if (text.failed)
			return text.failed;
	}
	text_free(&attributes->values[attribute]);
	attributes->values[attribute] = text;
	text = (struct text){0};
	return 0;
}

int append_attributes_get(const struct append_attributes *attributes, const char *name,
			  struct text *ret)
{
	int attribute = find(name);
	const struct text *value = attribute < 0 ? NULL : value_of(attributes, attribute);

	if (!value)
		return -ENODATA;
	text_append(ret, value->bytes, value->size);
	return ret->failed;
}

int append_attributes_list(const struct append_attributes *attributes, struct text *ret)
{
	for (int i = 0; i < (int)APPEND_ATTRIBUTES; i++)
		if (value_of(attributes, i))
			text_append(ret, names[i], strlen(names[i]) + 1);
	return ret->failed;
}

/* ---- the packet */

/* Each line is one. */
static int split(const struct text *value, char **ret_text, const char ***ret_comments,
		 size_t *ret_count)
{
	size_t count = 1, i;
	const char **comments;
	char *text;

	for (i = 0; i < value->size; i++)
		count += value->bytes[i] == '\n' && i + 1 < value->size;
	text = malloc(value->size + 1);
	comments = calloc(count + 1, sizeof(*comments));
	*ret_text = text;
	*ret_comments = comments;
	if (!text || !comments)
		return -ENOMEM;
	memcpy(text, value->bytes, value->size + 1);
	*ret_count = count;
	for (i = 0; i < count; i++) {
		comments[i] = text;
		text += strcspn(text, "\n");
		*text++ = '\0';
	}
	return 0;
}

static int check_link_type(const struct append_attributes *attributes, uint16_t link_type,
			   struct pktfs_error *ret_error)
{
	const struct text *value = value_of(attributes, ATTRIBUTE_LINK_TYPE);
	int wanted = value ? pktfs_linktype_by_name(value->bytes) : link_type;

	if (wanted == link_type)
		return 0;
	return error_set(ret_error, -EINVAL, "link type: found %s; accepted %u, the interface's",
			 value->bytes, link_type);
}

int append_attributes_apply(const struct append_attributes *attributes, uint16_t link_type,
			    bool time, struct pktfs_new_packet *packet, char **text,
			    const char ***comments, struct pktfs_error *ret_error)
{
	const struct text *value = value_of(attributes, ATTRIBUTE_FLAGS);
	int r = check_link_type(attributes, link_type, ret_error);

	if (r < 0)
		return r;
	if (value && parse_flags(value->bytes, &packet->flags))
		packet->has |= PKTFS_PACKET_FLAGS;
	value = value_of(attributes, ATTRIBUTE_ORIGINAL_LENGTH);
	if (value && parse_u32(value->bytes, &packet->original_length))
		packet->has |= PKTFS_PACKET_ORIGINAL;
	value = value_of(attributes, ATTRIBUTE_TIME);
	if (value && time)
		parse_time(value->bytes, &packet->time);
	value = value_of(attributes, ATTRIBUTE_COMMENT);
	if (value) {
		r = split(value, text, comments, &packet->options.comment_count);
		packet->options.comments = *comments;
	}
	return r < 0 ? error_set(ret_error, r, "no memory") : 0;
}
