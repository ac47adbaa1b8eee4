/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer, as its files share it.
 *
 * A record is encoded into `pending`, behind what is buffered there. It counts
 * when writer_end has returned 0; until then everything can be taken back:
 *
 *	r = writer_begin(writer, &mark, ret_error);
 *	if (r < 0)
 *		return r;
 *	... encode into writer->pending ...
 *	return writer_end(writer, &mark, packets, ret_written, ret_error);
 *
 * A section that has to be begun first (of a new file; of one that is not to be
 * continued as it is) goes out with the first record, in the same write.
 */
#ifndef WRITE_PRIVATE_H
#define WRITE_PRIVATE_H

#include "pktfs/writer.h"
#include "write_file.h"
#include "write_interfaces.h"
#include "write_option.h"
#include "write_repair.h"
#include "write_stream.h"

/* Buffered records are written out at this size; compressed, it is that of a
 * frame. */
#define WRITE_BUFFER_BYTES ((size_t)512 << 10)
/* A record that needs more than this does not keep its memory. */
#define WRITE_KEEP_BYTES   ((size_t)4 << 20)
/* The largest block, and what is buffered before it. */
#define WRITE_TEXT_LIMIT   ((size_t)FORMAT_MAX_BLOCK * 2)

struct pktfs_writer {
	pthread_mutex_t lock; /* all below */
	struct write_file file;
	struct write_stream stream;
	struct text pending; /* decoded bytes behind `base` that are not in the file */
	struct text packed;  /* what they become */
	uint64_t base;       /* decoded bytes in the file */
	bool buffered;
	bool pcapng;
	bool big_endian;
	bool header_missing;  /* a new pcap file, without its interface */
	bool section_follows; /* the next record begins a section */
	uint64_t patch_at;    /* of a section length that is to be removed; 0: none */
	struct format format; /* pcap */
	struct write_interfaces interfaces; /* of the last section */
	uint64_t packets, packets_before, sections;
	uint64_t interfaces_before; /* of the sections before the last */
	int sync_failed;      /* negative errno: what is on the disk is not known */
	struct write_repaired repaired; /* when it was opened */
};

struct write_mark {
	size_t start;  /* in pending: what is taken back to */
	size_t record; /* where the record itself begins */
	bool section;  /* there is a section header between the two */
	uint32_t interfaces; /* section: how many the one before has */
};

int writer_begin(struct pktfs_writer *writer, struct write_mark *ret,
		 struct pktfs_error *ret_error);
int writer_end(struct pktfs_writer *writer, const struct write_mark *mark, unsigned packets,
	       struct pktfs_written *ret_written, struct pktfs_error *ret_error);
/* The record cannot be: takes it back, returns `code`. */
int writer_abandon(struct pktfs_writer *writer, const struct write_mark *mark, int code);

/* Without the lock. */
int writer_commit(struct pktfs_writer *writer, bool whole_frame, struct pktfs_error *ret_error);
int writer_finish(struct pktfs_writer *writer, struct pktfs_error *ret_error);

/* -ENOTSUP unless it is a pcapng; `what` in the text. */
int writer_wants_pcapng(const struct pktfs_writer *writer, const char *what,
			struct pktfs_error *ret_error);
/* The entry of an interface, or NULL and -ENXIO in *ret_error. */
const struct write_entry *writer_entry(const struct pktfs_writer *writer, uint32_t number,
				       struct pktfs_error *ret_error);

/* pktfs_new_packet.has: longer than snaplen, as it was elsewhere. */
#define WRITE_PACKET_AS_IT_IS 0x80000000u

/* A packet whose time is known in ticks, and whose original length is final. */
int writer_packet(struct pktfs_writer *writer, const struct pktfs_new_packet *packet,
		  struct pktfs_written *ret_written, struct pktfs_error *ret_error);

/* pktfs_new_interface.has: an if_tsresol that is not there is none. */
#define WRITE_IF_AS_IT_IS 0x80000000u

int writer_interface(struct pktfs_writer *writer, const struct pktfs_new_interface *interface,
		     uint32_t *ret_number, struct pktfs_error *ret_error);
int writer_section(struct pktfs_writer *writer, const struct pktfs_new_section *section,
		   struct pktfs_written *ret_written, struct pktfs_error *ret_error);

/* What a file's name says. */
void writer_by_name(const char *path, enum pktfs_writer_format *ret_format,
		    enum pktfs_writer_compression *ret_compression);

#endif
