/* SPDX-License-Identifier: BSD-2-Clause */
/* Decimal numbers as people type them in names and options. */
#ifndef UTIL_NUMBER_H
#define UTIL_NUMBER_H

#include "util_base.h"

/* The whole of `text` is digits, leading zeros allowed, and fits. No sign. */
static inline bool number_parse(const char *text, uint64_t *ret)
{
	uint64_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++)
		if (*text < '0' || *text > '9' || !mul_ok(number, (uint64_t)10, &number) ||
		    !add_ok(number, (uint64_t)(*text - '0'), &number))
			return false;
	*ret = number;
	return true;
}

#endif
