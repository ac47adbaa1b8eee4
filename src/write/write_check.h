/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must be known of a file before anything is appended to it. All of it is
 * read once, record by record, in memory bounded by one record.
 *
 *	r = write_check(fd, &target, ret_error);
 *	...
 *	write_target_free(&target);
 */
#ifndef WRITE_CHECK_H
#define WRITE_CHECK_H

#include "pktfs/capture.h"
#include "write_interfaces.h"

/* What is to be done to a file that does not end with a whole record and, if
 * it is compressed, a whole frame. */
enum write_mend {
	WRITE_MEND_NONE,
	WRITE_MEND_CUT,    /* cut it at cut_at */
	WRITE_MEND_END,    /* cut it at cut_at, and end the frame with a mark */
	WRITE_MEND_RECODE, /* cut it at cut_at, and write the records behind it anew */
};

struct write_target {
	struct format format;
	enum pktfs_compression compression;
	uint64_t end;        /* decoded: where the last whole record ends */
	uint64_t stored_end; /* of the file */
	uint64_t packets, sections;
	uint64_t interfaces_before; /* of the sections before the last */
	/* the last section */
	bool big_endian;
	bool skipped;           /* its version is unknown */
	bool malformed;         /* one of its interface blocks is */
	uint64_t section_at;    /* decoded */
	int64_t section_length; /* -1: not given */
	struct write_interfaces interfaces;
	/* a torn tail */
	enum write_mend mend;
	uint64_t cut_at;      /* of the file */
	uint64_t cut_decoded; /* the decoded bytes up to there */
	uint32_t crc;         /* END, gzip: of the member up to there */
	uint64_t frame_decoded; /* END: how many of them are in the frame */
	struct pktfs_error problem; /* what is torn, for a person */
};

/*
 * 0, also when the tail is torn (then target->mend says what to do); -ENODATA:
 * not even the header is whole; -EBADMSG: damaged, or not a capture; -ENOTSUP,
 * -EFBIG, -ENOMEM, or errors of read(2). The file is not changed.
 */
int write_check(int fd, struct write_target *ret, struct pktfs_error *ret_error);
void write_target_free(struct write_target *target);

#endif
