/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "view_private.h"

bool view_name_number(const char *name, uint64_t *ret, const char **ret_rest)
{
	uint64_t number = 0;
	const char *at = name;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (!mul_ok(number, UINT64_C(10), &number) ||
		    !add_ok(number, (uint64_t)(*at - '0'), &number))
			return false;
	}
	if (at == name || (*at && *at != '.') || number > VIEW_ORDINAL_MAX)
		return false;
	*ret = number;
	*ret_rest = at;
	return true;
}

bool view_name_plain(const char *name, uint64_t *ret)
{
	const char *rest;

	if (name[0] == '0' && name[1])
		return false;
	return view_name_number(name, ret, &rest) && !*rest &&
	       *ret <= VIEW_ORDINAL_MAX >> VIEW_FIELD_BITS;
}

void view_name_escape(struct text *text, const void *bytes, size_t size)
{
	const uint8_t *at = bytes, *end = at + size;

	for (; at < end; at++) {
		if (*at < 0x80 && (isalnum(*at) || strchr("._-", *at)) && *at)
			text_append(text, at, 1);
		else
			text_printf(text, "%%%02X", *at);
	}
}

const char *view_link_type(uint16_t link_type, char room[VIEW_LINK_TYPE_ROOM])
{
	const char *name = pktfs_linktype_name(link_type);

	if (name && strlen(name) < VIEW_LINK_TYPE_ROOM)
		return name;
	snprintf(room, VIEW_LINK_TYPE_ROOM, "%u", link_type);
	return room;
}
