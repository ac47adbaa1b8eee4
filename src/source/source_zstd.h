/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zstd (RFC 8878), any number of frames. A thread goes through them in order:
 *
 *	frame that says a length up to    it is noted in the frame table, and
 *	SOURCE_FRAME_LIMIT                decompressed when somebody reads it
 *	one that says none, and cannot    decompressed to find out, many at a
 *	have a larger one                 time, and noted (source_zstd_probe.c)
 *	any other                         decompressed at once, into the spool
 *	skippable (also the seek table    passed over
 *	of the seekable format)
 *
 * Small neighbours are noted as one, so the table stays small.
 *
 * A length that a frame says is a claim. It counts as available, and when the
 * frame turns out to be damaged or of another length, the source ends with what
 * it gives (source_zstd_tail.c).
 *
 * In a file that grows a frame of which only a part is there is decompressed
 * into the spool, as far as it goes, whatever its length.
 */
#ifndef SOURCE_ZSTD_H
#define SOURCE_ZSTD_H

#include "source.h"

/* Frames are noted together until they have this length. */
#define SOURCE_ZSTD_GROUP ((uint64_t)128 << 10)

/* Below this a frame at the end of a file that grows is not noted. */
#define SOURCE_ZSTD_CRUMB ((uint64_t)16 << 10)

/* zstd's own default, as of `zstd -d`: 128 MiB of memory for one frame that is
 * decompressed into the spool. */
#define SOURCE_ZSTD_WINDOW_LOG 27

/* Entries of the frame table: 160 MiB of them, and 512 GiB of a file of small
 * frames. What needs more is made to need memory. */
#define SOURCE_ZSTD_FRAMES ((uint64_t)4 << 20)

/* Takes over `inner` when it returns 0. */
int source_zstd_open(struct source *inner, const struct source_options *options,
		     struct source **ret, struct pktfs_error *ret_error);

#endif
