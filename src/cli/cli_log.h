/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes wrong: on standard error until the mount answers, in info/log and
 * the system log after that.
 */
#ifndef CLI_LOG_H
#define CLI_LOG_H

#include "util/util_base.h"

struct cli_keeper;
struct view;

/* "pktfs: WHERE: what", to standard error. Returns CLI_EXIT_FAILED. */
int cli_fail(const char *where, const char *format, ...) _printf_(2, 3);

/* The same, also to the system log: at the end there may be no standard error. */
void cli_log_end(const char *where, const char *format, ...) _printf_(2, 3);

/* Takes what fs and libfuse say. `where` (lent until cli_log_close) is what the
 * lines on standard error are about. */
void cli_log_open(const char *where);

/* Who writes to the system log (lent until cli_log_close). */
void cli_log_by(struct cli_keeper *keeper);

/* Whether anything has been said so far. */
bool cli_log_used(void);

/* From here on to `view`, to the system log, and to standard error only where
 * the program stays in the foreground. */
void cli_log_to_view(struct view *view, bool foreground);

/* A word that is for info/log alone; before there is a view, it is kept (the first
 * CLI_LOG_NOTES of them). Any thread. */
#define CLI_LOG_NOTES 1000u
void cli_log_note(const char *format, ...) _printf_(1, 2);

/* The same, and on standard error: "pktfs: WHERE: what". Before there is a view. */
void cli_log_said(const char *where, const char *what);

/* Before the view is closed. */
void cli_log_close(void);

#endif
