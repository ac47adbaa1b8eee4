/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model of a capture: a source, an index over it, and nothing else. All
 * that the public functions give is read from there when it is asked for.
 */
#ifndef CAPTURE_INTERNAL_H
#define CAPTURE_INTERNAL_H

#include "index/index.h"
#include "pktfs/capture.h"
#include "source/source.h"

struct pktfs_capture {
	uint64_t id; /* never used again: for caches that outlive the capture */
	struct source *source;
	struct index *index;
	uint64_t files; /* that could be opened */
};

/*
 * The packet that `record`, just stepped over, is. `section` is the section of
 * the record, `place` the place behind it. The bytes stay those of `loan`,
 * which the caller hands over to *ret or keeps.
 */
void capture_fill_packet(struct pktfs_capture *capture, const struct index_place *place,
			 const struct format_record *record, const struct pktfs_loan *loan,
			 struct pktfs_packet *ret);

/* "cannot be read: ..." for the errors that need no more words. */
int capture_error(struct pktfs_error *ret_error, int code, uint64_t offset);

#endif
