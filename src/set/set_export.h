/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture file that does not exist: the packets of a set as pcap or pcapng,
 * readable at any offset.
 *
 * Its size is known exactly once the index is complete. Where each packet lies
 * in it is kept as a prefix sum for each EXPORT_SPAN packets, built in the
 * background when the file is first read, and published by a count: a read
 * finds its packet by search and a short walk, and a sequential reader never
 * waits for the whole.
 *
 *	 header | record 1 .. record 64 | record 65 ..          the virtual file
 *	        ^ sum[0]                ^ sum[1]
 */
#ifndef SET_EXPORT_H
#define SET_EXPORT_H

#include "pktfs/capture.h"
#include "util/util_base.h"

#define EXPORT_SPAN 64u

enum export_format {
	EXPORT_PCAPNG,
	EXPORT_PCAP,
};

struct export;

/*
 * Whether and how the capture can be had as `format`: the index must be
 * complete (-EAGAIN). For EXPORT_PCAP only packets of link type number
 * `link` (index of pktfs_link_type_get) are in it.
 *
 * -ERANGE: a time of a packet does not fit (pcap holds 1970 to 2106 only).
 * -ENOENT: no such link type. Else 0 and the exact size.
 */
int export_size(pktfs_capture *capture, enum export_format format, unsigned link,
		uint64_t *ret_size, struct pktfs_error *ret_error);

int export_open(pktfs_capture *capture, enum export_format format, unsigned link,
		struct export **ret, struct pktfs_error *ret_error);
void export_close(struct export *export);

/* Copies. Returns how many bytes (fewer than size only at the end), -EAGAIN
 * while the sums have not come that far (try again soon), -EIO, -EBADMSG. Any
 * thread. */
int64_t export_read(struct export *export, uint64_t offset, void *bytes, size_t size);

/* One packet alone as a pcapng file: its section header and interface with
 * their options, and its block with its options. `text` is appended to. */
struct text;
int export_single(pktfs_capture *capture, uint64_t number, struct text *text,
		  struct pktfs_error *ret_error);

#endif
