/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "cli_keeper.h"
#include "cli_options.h"
#include "fs/fs.h"

static const char *log_where;
static struct cli_keeper *_Atomic log_keeper;
static struct view *_Atomic log_view;
static _Atomic bool log_foreground;
static _Atomic bool log_used;

/* Notes that came before the view did, and those that were too many. */
static pthread_mutex_t note_lock = PTHREAD_MUTEX_INITIALIZER;
static struct text notes; /* each with its NUL */
static unsigned note_count;

#define LOG_ROOM 512

/* On standard error, and in `text`. */
__attribute__((format(printf, 2, 0))) static void say(const char *where, const char *format,
							   va_list args, char text[LOG_ROOM])
{
	vsnprintf(text, LOG_ROOM, format, args);
	fprintf(stderr, "pktfs: %s: %s\n", where, text);
}

int cli_fail(const char *where, const char *format, ...)
{
	char text[LOG_ROOM];
	va_list args;

	va_start(args, format);
	say(where, format, args, text);
	va_end(args);
	return CLI_EXIT_FAILED;
}

/* "WHERE: what" */
static void to_system(int priority, const char *where, const char *what)
{
	struct cli_keeper *keeper = atomic_load(&log_keeper);
	char line[1024];

	if (!keeper)
		return;
	snprintf(line, sizeof(line), "%s: %s", where, what);
	cli_keeper_log(keeper, priority, line);
}

void cli_log_end(const char *where, const char *format, ...)
{
	char text[LOG_ROOM];
	va_list args;

	va_start(args, format);
	say(where, format, args, text);
	va_end(args);
	to_system(LOG_ERR, where, text);
}

static void take(int priority, const char *text)
{
	struct view *view = atomic_load(&log_view);

	atomic_store(&log_used, true);
	if (!view || atomic_load(&log_foreground))
		fprintf(stderr, "pktfs: %s: %s\n", log_where, text);
	if (view) {
		view_log(view, "%s", text);
		to_system(priority, log_where, text);
	}
}

void cli_log_open(const char *where)
{
	log_where = where;
	fs_log_to(take);
}

void cli_log_by(struct cli_keeper *keeper)
{
	atomic_store(&log_keeper, keeper);
}

bool cli_log_used(void)
{
	return atomic_load(&log_used);
}

void cli_log_note(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	UTIL_LOCK_SCOPE(&note_lock);
	if (atomic_load(&log_view))
		view_log(atomic_load(&log_view), "%s", text);
	else if (note_count++ < CLI_LOG_NOTES)
		text_append(&notes, text, strlen(text) + 1);
}

void cli_log_said(const char *where, const char *what)
{
	fprintf(stderr, "pktfs: %s: %s\n", where, what);
	cli_log_note("%s: %s", where, what);
}

/* With the lock. */
static void forget_notes(void)
{
	text_free(&notes);
	notes = (struct text){0};
	note_count = 0;
}

void cli_log_to_view(struct view *view, bool foreground)
{
	const char *note;

	UTIL_LOCK_SCOPE(&note_lock);
	for (note = notes.bytes; note && note < notes.bytes + notes.size; note += strlen(note) + 1)
		view_log(view, "%s", note);
	if (note_count > CLI_LOG_NOTES)
		view_log(view, "and %u more", note_count - CLI_LOG_NOTES);
	forget_notes();
	atomic_store(&log_foreground, foreground);
	atomic_store(&log_view, view);
}

void cli_log_close(void)
{
	fs_log_to(NULL);
	pthread_mutex_lock(&note_lock);
	atomic_store(&log_view, NULL);
	atomic_store(&log_keeper, NULL);
	forget_notes();
	pthread_mutex_unlock(&note_lock);
}
