/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several files as one capture, as dumpcap -b and tcpdump -C leave them: those
 * that are given, and of a directory all that are captures.
 *
 *	cli_ring_open      opens all descriptors; nothing of a file is looked at.
 *	                   The rest can be done in a sandbox
 *	cli_ring_choose    leaves out what is no capture, and sorts
 *	cli_ring_capture   gives the files to the library
 *	cli_ring_follow    adds what appears in the directories, by a thread
 *
 * Errors: 0, or the exit code after saying what is wrong. What is left out in a
 * directory is said in info/log.
 */
#ifndef CLI_RING_H
#define CLI_RING_H

#include "cli_options.h"
#include "pktfs/capture.h"

struct cli_ring;

/* Whether FILE is several, or a directory. */
bool cli_ring_wanted(const struct cli_config *config);

int cli_ring_open(const struct cli_config *config, struct cli_ring **ret);
/* `options` are those of all captures of the ring, but for the flags; what they
 * point to outlives it. */
int cli_ring_choose(struct cli_ring *ring, bool by_time, const struct pktfs_open_options *options);

/* With PKTFS_OPEN_MORE what comes later can be added. `last` is a path that comes behind all
 * (NULL: none), and may grow. */
int cli_ring_capture(struct cli_ring *ring, const struct pktfs_open_options *options,
		     const char *last, pktfs_capture **ret);

/* Until the ring is closed; only with PKTFS_OPEN_MORE and PKTFS_OPEN_FOLLOW. What
 * appears is opened by the function of the options, if there is one. */
int cli_ring_follow(struct cli_ring *ring, pktfs_capture *capture);

bool cli_ring_has_directory(const struct cli_ring *ring);

/* The paths of the directories: how many, and all of them in *ret, malloc'ed; the
 * paths themselves are the ring's. NULL: no memory, or there is none. */
size_t cli_ring_directories(const struct cli_ring *ring, const char ***ret);

/* What info/path says: the directory, if that is all that was given, or else the
 * first file. Lent until something is chosen. */
const char *cli_ring_path(const struct cli_ring *ring);

/* Whether one of the files is this one. */
struct stat;
bool cli_ring_holds(const struct cli_ring *ring, const struct stat *st);

/* Before the capture is closed. NULL is allowed. */
void cli_ring_close(struct cli_ring *ring);

#endif
