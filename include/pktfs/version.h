/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PKTFS_VERSION_H
#define PKTFS_VERSION_H

/* The one place where the version is written down. */
#define PKTFS_VERSION "0.1.0"

#endif
