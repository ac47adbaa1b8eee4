/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Repairs a torn tail without an instant at which a packet, or a byte that is
 * cut off, is in no file.
 *
 * 1. The bytes that will be cut are appended to PATH.torn, which is then on the
 *    disk. (A crash after this and before 2: they are in both; the next repair
 *    appends them once more.)
 * 2. Plain, or between frames: the file is cut. Inside of a frame that can be
 *    ended by a mark: it is cut behind its last good block (nothing to cut: the
 *    rule, after a kill), and the mark is appended. In between, the frame is as
 *    unfinished as it was before, and as complete.
 * 3. Otherwise (frames of other programs, with a checksum or length) the whole
 *    records of the torn frame are compressed anew into PATH.repair, a log of
 *    what is going to be done: where to cut, and what to write there. When that
 *    is on the disk it is done, and when that is on the disk the log is removed.
 *    A log that is found by the next repair is done again.
 *
 * PATH.repair:	0 "pktfsrep"  8 inode of the file  16 its size before
 *		24 where to cut  32 payload size  40 CRC-32 of the payload
 *		44 CRC-32 of bytes 0 to 43  48 payload     (numbers little-endian)
 */
#ifndef WRITE_REPAIR_H
#define WRITE_REPAIR_H

#include "pktfs/writer.h"
#include "write_check.h"

struct write_repaired {
	enum pktfs_writer_repair how;
	uint64_t offset, bytes; /* where the file was cut, and how many bytes that were */
};

/* target->mend is not NONE. Afterwards the file is complete, and has to be
 * checked again. */
int write_repair(int fd, const char *path, const struct write_target *target,
		 struct write_repaired *ret, struct pktfs_error *ret_error);

/* Looks for a log of a repair that was interrupted: 0 there is none (any more);
 * with `repair` it is done (and only then *ret is written), without it is -ENODATA.
 * -ESTALE: there is one which the file has outgrown. */
int write_repair_resume(int fd, const char *path, bool repair, struct write_repaired *ret,
			struct pktfs_error *ret_error);

#endif
