/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FILE: a path, or "-" for standard input, or several (cli_ring.h); and what is
 * appended to, if anything is: FILE itself, or another file that is shown behind it.
 *
 *	cli_source_find(config, &source);      looks at no byte of it
 *	cli_source_append(config, ...);        reads, locks, repairs what is appended to
 *	cli_source_open(config, ...);          the capture
 *
 * Fork before the last two: the lock on what is appended to follows a fork, and
 * a capture has threads.
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "append/append.h"
#include "cli_options.h"
#include "pktfs/capture.h"

struct cli_source {
	char *path; /* absolute; "stdin" for standard input; of several: cli_ring_path */
	struct cli_ring *ring; /* NULL: one file */
	int fd;     /* a pipe or device, which is opened once; -1: it is a file */
	pktfs_capture *capture;
	struct append *append; /* NULL: nothing is appended */
	char *target;          /* absolute; what is appended to; NULL: `path` */
	char *spool;           /* absolute; NULL: none was given */
	bool made;             /* `target` was not there: it goes again with a start that fails */
	const char *files[2];  /* what is opened by its path */
	size_t file_count;
};

/* All three: 0, or the exit code after saying what is wrong; the source is to be
 * closed either way. What is appended to and not there yet is made. */
int cli_source_find(const struct cli_config *config, struct cli_source *ret);
/* `keeper` (may be NULL) answers what this process may not find out by itself. */
struct cli_keeper;
struct cli_index;
int cli_source_append(const struct cli_config *config, struct cli_source *source,
		      struct cli_keeper *keeper);
/* `index` (NULL: none) may hold what is known of the capture. */
int cli_source_open(const struct cli_config *config, struct cli_source *source,
		    struct cli_keeper *keeper, struct cli_index *index);

/* Removes a target that is still `made`. */
void cli_source_close(struct cli_source *source);

#endif
