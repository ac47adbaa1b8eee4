/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing a capture: pcap, pcapng, either compressed with zstd or gzip; a new
 * file, or more at the end of one that is there.
 *
 *	pktfs_writer *writer;
 *	struct pktfs_error error;
 *	struct pktfs_new_interface eth0 = {.link_type = 1, .name = "eth0"};
 *	struct pktfs_new_packet packet = {.data = bytes, .captured_length = 60,
 *					  .time = {1763721127, 123456789}};
 *	if (pktfs_writer_create("trace.pcapng", NULL, &writer, &error) < 0 ||
 *	    pktfs_writer_interface(writer, &eth0, &packet.interface, &error) < 0 ||
 *	    pktfs_writer_packet(writer, &packet, NULL, &error) < 0 ||
 *	    pktfs_writer_close(writer, &error) < 0)
 *		errx(1, "%s", error.text);
 *
 * Whole or not at all. A record goes out by one write(2), before the call
 * returns. When that fails (ENOSPC, EIO, EFBIG) the file is taken back to the
 * end of the record before, the call returns the error, and the next call may
 * succeed. With PKTFS_WRITER_BUFFERED records are collected and written
 * together; a failure then leaves them collected, to be tried again.
 *
 * Compressed files. Each record is flushed into the file, where a reader that
 * takes what an unfinished frame holds (libpktfs does) finds it; consecutive
 * records share a frame. pktfs_writer_end_frame ends it, after which every
 * program reads the file. Buffered records become frames of their own, whole.
 *
 * One writer. The file is locked (flock(2)) from the open to the close. Another
 * writer, in this or another process, gets -EBUSY and the holder's process id.
 * The lock follows fork(2): fork first, then open.
 *
 * Threads: every function may be called from any number of threads at once
 * (a writer has a lock of its own, which is held over write(2): that is what
 * puts records in order), except pktfs_writer_close, which must be the last.
 *
 * Every function returns 0 (or what its comment says) or a negative errno.
 * Common to all that write: -ENOSPC, -EDQUOT, -EIO, -EFBIG (the file-size limit
 * of the process or the file system, no SIGXFSZ) from the system; -ESTALE when
 * somebody else has removed, replaced, cut or extended the file; -ENOMEM. Of a
 * failed call nothing is in the file.
 */
#ifndef PKTFS_WRITER_H
#define PKTFS_WRITER_H

#include "capture.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pktfs_writer pktfs_writer;

enum pktfs_writer_format {
	/* append: what the file is. create: by the name, whose last parts count:
	 * .pcap .cap .dmp (pcap, microseconds), .pcapng .ntar, any other (pcapng);
	 * before it .gz or .zst .zstd (compression) */
	PKTFS_WRITER_AUTO,
	PKTFS_WRITER_PCAP,      /* microseconds */
	PKTFS_WRITER_PCAP_NANO, /* nanoseconds */
	PKTFS_WRITER_PCAPNG,
};

enum pktfs_writer_compression {
	PKTFS_WRITER_COMPRESSION_AUTO, /* by the name, or what the file is */
	PKTFS_WRITER_PLAIN,
	PKTFS_WRITER_ZSTD,
	PKTFS_WRITER_GZIP,
};

enum pktfs_writer_flags {
	PKTFS_WRITER_BUFFERED = 1,   /* collect records, write them together */
	PKTFS_WRITER_REPAIR = 2,     /* append: cut off a torn tail */
	PKTFS_WRITER_REPLACE = 4,    /* create: cut an existing file to nothing */
	PKTFS_WRITER_MAKE = 8,       /* append: create the file if absent or empty */
	PKTFS_WRITER_BIG_ENDIAN = 16, /* create: byte order; append: the target's */
};

struct pktfs_writer_options {
	unsigned flags;
	enum pktfs_writer_format format;
	enum pktfs_writer_compression compression;
	int level;    /* of compression; 0: 3 with zstd, 6 with gzip */
	unsigned mode; /* permissions of a new file; 0: 0666, less the umask */
};

/*
 * Creates a file. `options` may be NULL. The section header of a pcapng file
 * goes out with its first record, or at the first commit, sync or close; the
 * header of a pcap file is its interface, and without one it stays empty. The
 * path is used for opening only.
 *
 * -EEXIST (it exists, and PKTFS_WRITER_REPLACE was not given), -EBUSY, -EINVAL
 * (options that contradict each other), -EISDIR, those of open(2).
 */
PKTFS_API int pktfs_writer_create(const char *path, const struct pktfs_writer_options *options,
				  pktfs_writer **ret, struct pktfs_error *ret_error);

/*
 * Opens a file to append to it. All of it is read first: each record from the
 * first to the last must be framed well. Nothing is changed before the first
 * record is written, unless there is something to repair.
 *
 * A section whose length is fixed is begun anew (the interfaces, with the same
 * numbers, in it) when the length cannot be replaced by "not given" in one
 * atomic write; a section of an unknown version, or with a malformed interface,
 * is followed by a new one as well.
 *
 * -EBUSY: another writer has it; the text has its process id. -ENODATA: the
 * file ends inside a record, whose offset is in the error, or in an unfinished
 * zstd frame or gzip member, or a repair was interrupted. With
 * PKTFS_WRITER_REPAIR the torn record is cut off and the frame finished; the
 * bytes that are cut are first appended to PATH.torn; the status of the writer
 * says what was done. -ENODATA with
 * PKTFS_WRITER_REPAIR: not even the header is whole. -EBADMSG: damaged in the
 * middle, or not a capture. -ENOTSUP: an unknown version of pcap. -EINVAL: it is
 * of another format than `options` asks for. -EFBIG: above a ceiling. Those of
 * open(2), read(2).
 */
PKTFS_API int pktfs_writer_append(const char *path, const struct pktfs_writer_options *options,
				  pktfs_writer **ret, struct pktfs_error *ret_error);

/* Writes out what is buffered, ends the frame, closes. The writer is gone, even
 * if that fails. NULL is allowed. */
PKTFS_API int pktfs_writer_close(pktfs_writer *writer, struct pktfs_error *ret_error);

/* Writes out what is buffered, so that a killed program loses none of it. A
 * compressed file may be left with an unfinished frame. */
PKTFS_API int pktfs_writer_commit(pktfs_writer *writer, struct pktfs_error *ret_error);

/* The same, and ends the frame or member of a compressed file. */
PKTFS_API int pktfs_writer_end_frame(pktfs_writer *writer, struct pktfs_error *ret_error);

/* The same, and returns after all of it is on the disk, with the name of a new
 * file. Other threads may write meanwhile. */
PKTFS_API int pktfs_writer_sync(pktfs_writer *writer, struct pktfs_error *ret_error);

/* ---- options */

/*
 * One option, as a value of the caller's. Numbers in it (epb_queue, if_speed,
 * the u64 of an epb_verdict, the enterprise number of a custom option, ...) are
 * in the byte order of the machine; the writer puts them into that of the file.
 */
struct pktfs_new_option {
	uint16_t code;
	const void *value;
	size_t size;
};

/*
 * What may stand behind any block: options taken over from elsewhere (all
 * but those that say "do not copy"; numbers are put into the byte order of the
 * file), comments, and others. All of it is copied. In this order in the file;
 * the caller sees to it that what may occur once does.
 *
 * -EILSEQ: a string is not UTF-8. -EMSGSIZE: an option longer than 65,535
 * bytes. -EINVAL: code 0, or a length that its code does not allow. -ENOTSUP:
 * any option in a pcap file.
 */
struct pktfs_new_options {
	struct pktfs_options copy;
	const char *const *comments; /* UTF-8 */
	size_t comment_count;
	const struct pktfs_new_option *list;
	size_t list_count;
};

/* ---- what can be written */

/* Where a record went, in the decompressed bytes of the file. */
struct pktfs_written {
	uint64_t offset;
	uint64_t length; /* header, padding and trailer included */
	uint64_t packet; /* number of packets in the file, with this one */
};

enum pktfs_interface_has {
	PKTFS_IF_RESOLUTION = 1,
	PKTFS_IF_OFFSET = 2,
	PKTFS_IF_FCS_LENGTH = 4,
	PKTFS_IF_SPEED = 8,
	PKTFS_IF_TX_SPEED = 16,
	PKTFS_IF_RX_SPEED = 32,
};

/* Strings that are NULL are not there. */
struct pktfs_new_interface {
	uint16_t link_type;
	uint32_t snaplen;   /* 0: no limit (262,144 in a new pcap) */
	const char *name, *description, *filter, *os, *hardware, *time_zone;
	unsigned has;       /* which of the following are given */
	uint8_t resolution; /* if_tsresol; else 9, nanoseconds; pcap: the file's */
	int64_t offset_seconds;
	uint8_t fcs_length;
	uint64_t speed, tx_speed, rx_speed; /* bit/s; speed excludes the others */
	struct pktfs_new_options options;   /* addresses, ... */
};

/*
 * Adds an interface to the last section: *ret_number, from 0 in that section.
 *
 * A pcap file has one interface, number 0. In a new one this writes the file
 * header; in another one it is there, and adding one again succeeds only if it
 * is the same link type (-ENOTSUP). -ENOTSUP too for all that a pcap header
 * cannot hold. -EINVAL: speed with tx_speed or rx_speed.
 */
PKTFS_API int pktfs_writer_interface(pktfs_writer *writer,
				     const struct pktfs_new_interface *interface,
				     uint32_t *ret_number, struct pktfs_error *ret_error);

enum pktfs_packet_has {
	PKTFS_PACKET_TICKS = 1,
	PKTFS_PACKET_FLAGS = 2,
	PKTFS_PACKET_DROPS = 4,
	PKTFS_PACKET_ID = 8,
	PKTFS_PACKET_QUEUE = 16,
	PKTFS_PACKET_PROCESS = 32,
	PKTFS_PACKET_ORIGINAL = 64,
};

struct pktfs_new_packet {
	uint32_t interface;        /* in the last section */
	struct pktfs_time time;    /* rounded down to the interface's resolution */
	uint32_t captured_length;
	uint32_t original_length;  /* 0 without PKTFS_PACKET_ORIGINAL: the captured length */
	const void *data;
	unsigned has;              /* which of the following are given */
	uint64_t ticks;            /* the time, instead of `time`, in the interface's units */
	uint32_t flags;            /* epb_flags */
	uint64_t drops;            /* epb_dropcount */
	uint64_t id;               /* epb_packetid */
	uint32_t queue;            /* epb_queue */
	uint32_t process, thread;  /* epb_processid_threadid */
	struct pktfs_new_options options; /* comments, epb_hash, epb_verdict, ... */
};

/*
 * Writes a packet. `ret_written` may be NULL.
 *
 * -ENXIO: no such interface. -EMSGSIZE: longer than the interface's snaplen, or
 * than 128 MiB. -ERANGE: a time that the file cannot hold: pcap before 1970 or
 * after 2106-02-07, pcapng before the interface's time offset or behind its 2^64
 * ticks. -EINVAL: original length below the captured length, unless `has` says
 * with PKTFS_PACKET_ORIGINAL that it is so (it is in some files), 0 included.
 * -ENOTSUP: options in a pcap file; that original length in one of version 2.3.
 */
PKTFS_API int pktfs_writer_packet(pktfs_writer *writer, const struct pktfs_new_packet *packet,
				  struct pktfs_written *ret_written,
				  struct pktfs_error *ret_error);

/* The rest is for pcapng files; a pcap file says -ENOTSUP. */

enum pktfs_statistics_has {
	PKTFS_STATISTICS_START = 1,
	PKTFS_STATISTICS_END = 2,
	PKTFS_STATISTICS_RECEIVED = 4,
	PKTFS_STATISTICS_DROPPED = 8,
	PKTFS_STATISTICS_ACCEPTED = 16,
	PKTFS_STATISTICS_OS_DROPPED = 32,
	PKTFS_STATISTICS_DELIVERED = 64,
};

struct pktfs_new_statistics {
	uint32_t interface;
	struct pktfs_time time;
	unsigned has;
	struct pktfs_time start, end;
	uint64_t received, dropped, accepted, os_dropped, delivered;
	struct pktfs_new_options options;
};

/* An Interface Statistics Block. -ENXIO, -ERANGE as for a packet. */
PKTFS_API int pktfs_writer_statistics(pktfs_writer *writer,
				      const struct pktfs_new_statistics *statistics,
				      struct pktfs_written *ret_written,
				      struct pktfs_error *ret_error);

/* A Name Resolution Block: names of type 1 to 4, UTF-8, without NUL. -EINVAL,
 * -EILSEQ, -EMSGSIZE. `options` may be NULL. */
PKTFS_API int pktfs_writer_names(pktfs_writer *writer, const struct pktfs_name *names,
				 size_t count, const struct pktfs_new_options *options,
				 struct pktfs_written *ret_written,
				 struct pktfs_error *ret_error);

/* A Decryption Secrets Block. -EMSGSIZE. `options` may be NULL. */
PKTFS_API int pktfs_writer_secrets(pktfs_writer *writer, const struct pktfs_secret *secret,
				   const struct pktfs_new_options *options,
				   struct pktfs_written *ret_written,
				   struct pktfs_error *ret_error);

/* A Custom Block of private enterprise number `pen`: `data` is what follows the
 * number, options included, as only its owner knows where they begin. */
PKTFS_API int pktfs_writer_custom(pktfs_writer *writer, uint32_t pen, int may_be_copied,
				  const void *data, size_t size,
				  struct pktfs_written *ret_written,
				  struct pktfs_error *ret_error);

/*
 * A complete block in the byte order of the last section, as it is.
 *
 * -EINVAL: a Section Header, Interface Description or (obsolete) Packet Block;
 * -EBADMSG: lengths that contradict each other or the contents, or another byte
 * order; -ENXIO: of an interface that does not exist; -EFBIG: above 256 MiB.
 */
PKTFS_API int pktfs_writer_block(pktfs_writer *writer, const void *block, size_t size,
				 struct pktfs_written *ret_written,
				 struct pktfs_error *ret_error);

struct pktfs_new_section {
	const char *hardware, *os, *application; /* NULL: not there */
	struct pktfs_new_options options;
};

/* Begins a section, of the byte order of the one before: interfaces start again
 * from 0, of which there are none yet. `section` may be NULL. In a new file, or
 * where status.section_follows, it takes the place of the one that would be made
 * (with the interfaces of the section before). */
PKTFS_API int pktfs_writer_section(pktfs_writer *writer, const struct pktfs_new_section *section,
				   struct pktfs_written *ret_written,
				   struct pktfs_error *ret_error);

/* ---- copying: iterate and write */

/*
 * What a reader gave, with all options (but those that say "do not copy") and
 * in the byte order of the target. From a pcap to a pcapng and back as far as
 * the target can hold it: -ENOTSUP otherwise.
 *
 * pktfs_writer_copy_packet: `interface` is the number in the target; its link
 * type must be that of the packet (-EINVAL). The time is converted to its
 * resolution and offset: exactly when the resolutions are the same, else by way
 * of nanoseconds, rounded down. A Simple Packet Block remains one where that
 * says the same, an obsolete Packet Block becomes an Enhanced one. An original
 * length below the captured one is kept.
 *
 * pktfs_writer_copy_block: any block that pktfs_block_get gives but sections and
 * interfaces (-EINVAL); custom blocks that must not be copied are left out
 * (returns 0, ret_written->length is 0). `interface` is the number in the
 * target of the interface that statistics are of. A block of a kind that is
 * not known cannot be put into another byte order: -ENOTSUP.
 */
PKTFS_API int pktfs_writer_copy_section(pktfs_writer *writer, const struct pktfs_section *section,
					struct pktfs_written *ret_written,
					struct pktfs_error *ret_error);
PKTFS_API int pktfs_writer_copy_interface(pktfs_writer *writer,
					  const struct pktfs_interface *interface,
					  uint32_t *ret_number, struct pktfs_error *ret_error);
PKTFS_API int pktfs_writer_copy_packet(pktfs_writer *writer, const struct pktfs_packet *packet,
				       uint32_t interface, struct pktfs_written *ret_written,
				       struct pktfs_error *ret_error);
PKTFS_API int pktfs_writer_copy_block(pktfs_writer *writer, const struct pktfs_block *block,
				      uint32_t interface, struct pktfs_written *ret_written,
				      struct pktfs_error *ret_error);

/* ---- questions */

/* What was done to a torn tail by PKTFS_WRITER_REPAIR. */
enum pktfs_writer_repair {
	PKTFS_WRITER_REPAIR_NONE, /* nothing: it was whole */
	PKTFS_WRITER_REPAIR_CUT,
	PKTFS_WRITER_REPAIR_ENDED,   /* cut, if anything was; and the frame or member finished */
	PKTFS_WRITER_REPAIR_REWRITTEN, /* cut, and the whole records there written anew */
	PKTFS_WRITER_REPAIR_RESUMED, /* the same, begun by another writer that was interrupted */
};

struct pktfs_writer_status {
	enum pktfs_format format;
	enum pktfs_compression compression;
	int big_endian;          /* of the last section */
	int nanosecond;          /* pcap */
	uint64_t end;            /* decompressed bytes, with what is buffered */
	uint64_t stored_end;     /* bytes in the file */
	uint64_t buffered;       /* bytes that are not in the file yet */
	int frame_open;          /* the last frame is not finished */
	uint64_t packets;        /* in the file, with what is buffered */
	uint64_t packets_before; /* how many there were when it was opened */
	uint64_t sections;
	uint32_t interfaces;     /* of the last section */
	uint64_t interfaces_before; /* of all sections before it */
	int section_follows;     /* the next record begins a new section first */
	enum pktfs_writer_repair repair; /* when it was opened: what was done, where in the */
	uint64_t repair_offset;          /* file (as it is stored), and how many bytes were */
	uint64_t repair_bytes;           /* cut off there, which are in PATH.torn */
};

PKTFS_API void pktfs_writer_status_get(pktfs_writer *writer, struct pktfs_writer_status *ret);

/* An interface of the last section. */
struct pktfs_writer_interface {
	uint16_t link_type;
	uint32_t snaplen;       /* 0: no limit */
	uint8_t resolution;     /* if_tsresol */
	int64_t offset_seconds; /* if_tsoffset */
	char name[64];          /* if_name, cut at a character; "" when absent */
};

/* 0 or -ENXIO. */
PKTFS_API int pktfs_writer_interface_get(pktfs_writer *writer, uint32_t number,
					 struct pktfs_writer_interface *ret);

#ifdef __cplusplus
}
#endif

#endif
