/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An index that lasts: pktfs_index_save writes the index of a capture to a file, and
 * a later open with PKTFS_OPEN_INDEX takes it from there, in place of walking the
 * whole capture. What does not fit is not used, and the capture is walked:
 *
 *  - the capture must be one plain file, the same one, and unchanged since (size,
 *    times of modification and of change, and the bytes of both ends are compared);
 *    or it has been added to: then the walk goes on from where the index ends;
 *  - the index must be whole, of this version, and fit the capture at the places that
 *    are looked at before it is used;
 *  - with PKTFS_OPEN_FOLLOW, it must have been made with it: of a file that is taken for
 *    finished, zeros at the end are packets.
 *
 * The rest of it is compared with the capture as it is used. If it then turns out
 * wrong all the same (PKTFS_INDEX_WRONG), everything read from then on gives -EIO,
 * the state is PKTFS_STATE_DAMAGED, the first problem says so, and the file is to be
 * removed. Times and sums are believed until something there is read. So `index_fd`
 * must be a file that only its owner, who is trusted, could have written: that is the
 * caller's to check. It is read from its start, by the thread of the index: the open
 * does not wait for it.
 */
#ifndef PKTFS_INDEX_H
#define PKTFS_INDEX_H

#include "capture.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pktfs_index_use {
	PKTFS_INDEX_NONE,    /* opened without */
	PKTFS_INDEX_PENDING, /* it was not looked at yet; no longer once the state is not
			      * PKTFS_STATE_INDEXING */
	PKTFS_INDEX_TAKEN,
	PKTFS_INDEX_IGNORED, /* it does not fit */
	PKTFS_INDEX_WRONG,   /* it was taken, and turned out wrong */
};
struct pktfs_index_status {
	enum pktfs_index_use use;
	uint64_t end;              /* of what is indexed in it, as indexed_bytes; 0 */
	struct pktfs_error reason; /* of the last two; else code 0 */
};
PKTFS_API void pktfs_index_status_get(pktfs_capture *capture, struct pktfs_index_status *ret);

/*
 * Writes the index of what is there to `fd` (an empty file; nothing is synchronised).
 * Waits until the index has come to the end of what there is; after pktfs_cancel it is
 * as far as it has come, and a later open goes on from there. Reading goes on
 * meanwhile. Any thread.
 *
 * 0; -EOPNOTSUPP: not one plain file; -ESTALE: the file was changed while it was open,
 * other than by adding to it, or the index is PKTFS_INDEX_WRONG; -ENODATA: nothing is
 * indexed; -EIO, -EFBIG, -ENOSPC and others of read(2) and write(2): what was written
 * is of no use.
 */
PKTFS_API int pktfs_index_save(pktfs_capture *capture, int fd, struct pktfs_error *ret_error);

#ifdef __cplusplus
}
#endif

#endif
