/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One writer at a time.
 *
 * The lock is flock(2): it belongs to the open file description, so that a
 * second open in the same process is refused too, and a close of another
 * descriptor of the file (the reader's) does not end it, as it would end a lock
 * of fcntl(2). A lock of F_OFD_SETLK does the same but is anonymous: its holder
 * cannot be found. That of flock(2) is in /proc/locks, with the process id.
 */
#ifndef WRITE_LOCK_H
#define WRITE_LOCK_H

#include "util/util_base.h"

/* 0; -EBUSY, with the holder in the text; or the errno of flock(2). The lock
 * ends with the last descriptor. */
int write_lock(int fd, struct pktfs_error *ret_error);

#endif
