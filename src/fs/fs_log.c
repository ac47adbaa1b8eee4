/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs_internal.h"

#include <fuse_log.h>
#include <stdarg.h>
#include <string.h>
#include <syslog.h>

#define LOG_LINE_MAX 512

static fs_log_fn log_function;

void fs_log_to(fs_log_fn log)
{
	log_function = log;
}

static void log_line(int priority, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void log_line(int priority, const char *format, va_list args)
{
	char line[LOG_LINE_MAX];

	if (!log_function)
		return;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_function(priority, strncmp(line, "fuse: ", 6) == 0 ? line + 6 : line);
}

void fs_log(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(priority, format, args);
	va_end(args);
}

static void from_libfuse(enum fuse_log_level level, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* libfuse's levels are numbered as syslog's. What it says of each request is
 * for whoever looks on (-d), and comes in parts of lines. */
static void from_libfuse(enum fuse_log_level level, const char *format, va_list args)
{
	if (level == FUSE_LOG_DEBUG)
		vfprintf(stderr, format, args);
	else
		log_line((int)level, format, args);
}

void fs_log_install(void)
{
	fuse_set_log_func(from_libfuse);
}
