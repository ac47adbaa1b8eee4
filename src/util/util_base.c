/* SPDX-License-Identifier: BSD-2-Clause */
#include "util_base.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void util_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

static void fill(struct pktfs_error *ret, int code, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void fill(struct pktfs_error *ret, int code, const char *format, va_list args)
{
	ret->code = code;
	ret->has_offset = 0;
	ret->offset = 0;
	vsnprintf(ret->text, sizeof(ret->text), format, args);
}

int error_set(struct pktfs_error *ret, int code, const char *format, ...)
{
	va_list args;

	if (ret) {
		va_start(args, format);
		fill(ret, code, format, args);
		va_end(args);
	}
	return code;
}

int error_at(struct pktfs_error *ret, int code, uint64_t offset, const char *format, ...)
{
	va_list args;

	if (ret) {
		va_start(args, format);
		fill(ret, code, format, args);
		va_end(args);
		ret->has_offset = 1;
		ret->offset = offset;
	}
	return code;
}
