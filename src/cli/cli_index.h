/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index that lasts from one mount to the next: who takes it at the start, and has
 * it kept when it is complete, and at the end if more is known by then.
 *
 *	cli_index_find(config, &source, &index);   before the keeper is started, whose
 *	                                           task has the place
 *	cli_index_take(&index, &keeper, &options); the capture is opened with that
 *	cli_index_check(config, capture);
 *	cli_index_start(&index, capture);
 *	cli_index_stop(&index);                    before the capture is closed
 *
 * What goes wrong with it is a line in info/log, and the capture is walked.
 */
#ifndef CLI_INDEX_H
#define CLI_INDEX_H

#include <pthread.h>

#include "cli_index_place.h"
#include "cli_options.h"
#include "pktfs/capture.h"

struct cli_keeper;
struct cli_source;

struct cli_index {
	struct cli_index_place place;
	uint64_t min;  /* captures of fewer bytes have none */
	uint64_t size; /* of the capture, at the start */
	struct cli_keeper *keeper;
	pktfs_capture *capture;
	pthread_t thread;
	bool started, told;
	uint64_t kept; /* decoded offset up to which what is kept leads */
};

/* Of one regular file. 0, or the exit code after saying what is wrong: with a FILE that
 * was named, or that no index is kept of the capture for which one was named. */
int cli_index_find(const struct cli_config *config, const struct cli_source *source,
		   struct cli_index *ret);

/* The same of what is known once the capture is open: whether it is compressed. */
int cli_index_check(const struct cli_config *config, pktfs_capture *capture);

/* Sets what the options need, if there is an index: its descriptor is the caller's to
 * close, when the capture has been opened. -1: there is none. */
int cli_index_take(struct cli_index *index, struct cli_keeper *keeper,
		   struct pktfs_open_options *options);

/* Starts the thread that waits for the end of the index. */
void cli_index_start(struct cli_index *index, pktfs_capture *capture);

/* Cancels the capture if it was started, and frees what there is. */
void cli_index_stop(struct cli_index *index);

#endif
