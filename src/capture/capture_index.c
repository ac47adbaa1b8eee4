/* SPDX-License-Identifier: BSD-2-Clause */
/* An index that lasts. */
#include "capture_internal.h"

#include <fcntl.h>
#include <string.h>

#include "pktfs/index.h"

/* Descriptors 0 to 2 are left to those who print. */
#define INDEX_FIRST_FD 3

int capture_index_begin(struct pktfs_capture *capture, const struct pktfs_open_options *options,
			struct pktfs_error *ret_error)
{
	int fd;

	if (!options || !(options->flags & PKTFS_OPEN_INDEX))
		return 0;
	fd = fcntl(options->index_fd, F_DUPFD_CLOEXEC, INDEX_FIRST_FD);
	if (fd < 0)
		return error_set(ret_error, -errno, "the saved index: %s", strerror(errno));
	index_set_saved(capture->index, fd);
	return 0;
}

void pktfs_index_status_get(pktfs_capture *capture, struct pktfs_index_status *ret)
{
	static const enum pktfs_index_use uses[] = {
		[INDEX_USE_NONE] = PKTFS_INDEX_NONE,
		[INDEX_USE_PENDING] = PKTFS_INDEX_PENDING,
		[INDEX_USE_TAKEN] = PKTFS_INDEX_TAKEN,
		[INDEX_USE_IGNORED] = PKTFS_INDEX_IGNORED,
		[INDEX_USE_WRONG] = PKTFS_INDEX_WRONG,
	};

	ret->use = uses[index_saved_use(capture->index, &ret->end, &ret->reason)];
}

int pktfs_index_save(pktfs_capture *capture, int fd, struct pktfs_error *ret_error)
{
	return index_save(capture->index, fd, ret_error);
}
