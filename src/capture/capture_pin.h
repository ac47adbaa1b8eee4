/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file's decompressed bytes where they are, for a system call: as pktfs_read,
 * without the copy. See source_pin.
 */
#ifndef CAPTURE_PIN_H
#define CAPTURE_PIN_H

#include "pktfs/capture.h"

/* 0, and `size` bytes at *ret until capture_unpin; -EOPNOTSUPP: pktfs_read. */
int capture_pin(pktfs_capture *capture, uint64_t offset, size_t size, const void **ret);
void capture_unpin(pktfs_capture *capture);

#endif
