/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture file that does not exist: the packets of a set as pcap or pcapng,
 * readable at any offset.
 *
 *	if (set_export_size(set, EXPORT_PCAPNG, 0, &size, &error) == 0 &&
 *	    set_export_open(set, EXPORT_PCAPNG, 0, &export, &error) == 0)
 *		got = export_read(export, offset, bytes, sizeof(bytes));
 *
 * EXPORT_PCAP: the packets of one link type. Simple packets, which have no
 * time, get that of 1970-01-01.
 *
 * EXPORT_PCAPNG of a pcap file: one section, one interface, a block for each
 * packet. Of a pcapng file, and of several files of any format: for each section
 * that has packets in the set its header; those of its interfaces that have,
 * numbered anew (that of a pcap file without its snaplen, which may be wrong);
 * its name records, secrets, and custom blocks that may be copied; the packets;
 * the last statistics of those interfaces (of the whole interface, not of the
 * set's packets). All options are kept but those that say "do not copy", the byte
 * order too; an obsolete Packet Block becomes an Enhanced one. Left out are
 * journal entries and blocks of unknown and of local types, which may refer to
 * interfaces by number. An empty set has its capture's first interface with its
 * section, and where there is none, one of Ethernet.
 *
 * A file is of one state of the capture: what comes later, to the set or to the
 * statistics of an interface, is not in it. Its size is known exactly once the
 * set is evaluated. Where each piece lies is kept for each EXPORT_SPAN of them
 * (more in large sets), found in the background by the first read that needs it,
 * and published by a count: a read finds its packet by search and a short walk.
 * A sequential reader goes on from where the last read ended and needs none of
 * that, nor does a small set.
 *
 *	 header | record 1 .. record 64 | record 65 ..          the virtual file
 *	        ^ place 0               ^ place 1
 *
 * Exports are to be closed before their pool.
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
struct set;

/*
 * The exact size. EXPORT_PCAP: of the packets of link type number `link`, as
 * set_export_link_type counts.
 *
 * -EAGAIN: not before the set is evaluated (it is wanted now: set_want). A set
 * over very many sections may take some calls more, of 50 ms each.
 * -ERANGE: a time of a packet does not fit (pcap holds 1970 to 2106 only).
 * -ENOENT: no such link type. -ENOTSUP: EXPORT_PCAPNG of set_all of a capture
 * that is pcapng itself, in all its files (its own bytes are what to show). Else
 * what ended the evaluation.
 */
int set_export_size(struct set *set, enum export_format format, unsigned link,
		    uint64_t *ret_size, struct pktfs_error *ret_error);

/* The `index`-th link type that packets of the set have, in order of
 * appearance in the capture, with what is counted of those packets. A set
 * without packets has one: the capture's first. -EAGAIN, -ENOENT. */
int set_export_link_type(struct set *set, unsigned index, struct pktfs_link_type *ret);

/* Errors as set_export_size. */
int set_export_open(struct set *set, enum export_format format, unsigned link,
		    struct export **ret, struct pktfs_error *ret_error);

void export_close(struct export *export);

/* Whether more may have come to the file since this was opened: it goes on to
 * give what it gave, and another has to be opened for the rest. False where the
 * capture has grown, but is known to have brought nothing for the set. */
bool export_outgrown(struct export *export);

/*
 * Lets an export that was opened just now go on where the reads of an outgrown
 * one of the same set, format and link ended, as far as what is before that is
 * the same in both: a reader that follows the end of a large file then needs no
 * new sums. Before another thread uses `export`; `before` may be in use.
 */
void export_follow(struct export *export, struct export *before);

/* Copies. Returns how many bytes (fewer than size only at the end), -EAGAIN
 * while the sums have not come that far or the set is evaluated again (try
 * again after some milliseconds; nobody is told), -EIO (the file was changed or
 * cut: nothing of what was copied may be used), -EBADMSG. Any thread. */
int64_t export_read(struct export *export, uint64_t offset, void *bytes, size_t size);

/* One packet alone as a pcapng file: its section header and interface with
 * their options but those that say "do not copy", and its block likewise; a
 * Packet Block becomes an Enhanced one. `text` is appended to, and left as it
 * was when this fails. Does not wait: -EAGAIN; else the errors of
 * pktfs_packet_get. */
struct text;
int export_single(pktfs_capture *capture, uint64_t number, struct text *text,
		  struct pktfs_error *ret_error);

#endif
