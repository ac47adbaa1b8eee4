/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a capture: pcap, pcapng, either compressed with zstd or gzip.
 *
 *	pktfs_capture *capture;
 *	struct pktfs_error error;
 *	if (pktfs_open("trace.pcapng.zst", NULL, &capture, &error) < 0)
 *		errx(1, "%s", error.text);
 *	struct pktfs_packet packet;
 *	if (pktfs_packet_get(capture, 42, &packet, &error) == 0) {
 *		fwrite(packet.data, 1, packet.captured_length, stdout);
 *		pktfs_packet_release(&packet);
 *	}
 *	pktfs_close(capture);
 *
 * Opening reads the first bytes only. An index is built in the background by
 * a thread of the library; a packet can be read as soon as the index has
 * passed it, and pktfs_packet_get waits for that.
 *
 * Threads: every function on a pktfs_capture may be called from any number of
 * threads at once, except pktfs_close, which must be the last. An iterator
 * belongs to one thread at a time.
 *
 * Bytes that are lent stay valid until they are released. They come from the
 * mapped file: if another program changes that file meanwhile, the bytes
 * change too, and the release says -EIO. A file that is cut short while it is
 * mapped does not kill the program: the library installs a SIGBUS handler
 * (which passes on what is not its own) unless PKTFS_OPEN_NO_MMAP is given.
 */
#ifndef PKTFS_CAPTURE_H
#define PKTFS_CAPTURE_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pktfs_capture pktfs_capture;
typedef struct pktfs_iterator pktfs_iterator;

enum pktfs_open_flags {
	PKTFS_OPEN_NO_MMAP = 1, /* read(2) instead of mmap(2), no SIGBUS handler */
	PKTFS_OPEN_GROWING = 2, /* the file may get longer: see pktfs_grow */
	PKTFS_OPEN_FOLLOW = 4,  /* another program may write it: see below */
	PKTFS_OPEN_MORE = 16,   /* files may be added, and the last may grow: see pktfs_add */
	PKTFS_OPEN_NO_SCOUTS = 32, /* index by one walk: slower, and the same otherwise */
	PKTFS_OPEN_NO_PARALLEL = 64, /* one thread decompresses; nothing is read ahead */
	PKTFS_OPEN_INDEX = 128, /* `index_fd` is an index that was saved: see index.h */
	PKTFS_OPEN_NO_WATCH = 256, /* with PKTFS_OPEN_FOLLOW: without inotify(7), whose end
				    * takes 10 ms; for what is closed once it is indexed */
};

struct pktfs_open_options {
	unsigned flags;             /* PKTFS_OPEN_... */
	const char *spool_dir;      /* for decompressed bytes; NULL: $TMPDIR, or /var/tmp */
	uint64_t frame_cache_bytes; /* for zstd frames; 0: 32 MiB */
	uint64_t memory_bytes;      /* for the index; 0: 1 GiB. A capture that would need
				     * more is shown up to there: a problem says so */
	/*
	 * In the place of open(2), for a program in a sandbox that has to ask another
	 * one: a descriptor (close-on-exec) or negative errno. `flags` are O_RDONLY,
	 * and `path` a capture; or O_TMPFILE and O_RDWR, and it is the directory of a
	 * file without a name to spool to. Called by any thread until pktfs_close.
	 */
	int (*open_file)(void *context, const char *path, int flags);
	void *open_context;
	int index_fd; /* with PKTFS_OPEN_INDEX; duplicated */
};

/*
 * Opens a capture. `options` may be NULL. The capture is *ret, to be closed
 * with pktfs_close; written only on success.
 *
 * Returns 0, or -EISDIR, -EBADMSG (not a capture, or nothing of it can be
 * read), -ENODATA (empty, or ends inside its header), -ENOTSUP (a version of
 * pcap that is not known), or another negative errno of open(2) and mmap(2).
 * A capture that is damaged further on opens; see pktfs_status_get.
 *
 * pktfs_open_fd duplicates `fd` (pipes are copied to a spool file) and reads
 * it from its start. pktfs_open_buffer reads memory, which must outlive the
 * capture.
 */
PKTFS_API int pktfs_open(const char *path, const struct pktfs_open_options *options,
			 pktfs_capture **ret, struct pktfs_error *ret_error);
PKTFS_API int pktfs_open_fd(int fd, const struct pktfs_open_options *options, pktfs_capture **ret,
			    struct pktfs_error *ret_error);
PKTFS_API int pktfs_open_buffer(const void *bytes, size_t size,
				const struct pktfs_open_options *options, pktfs_capture **ret,
				struct pktfs_error *ret_error);

/*
 * Opens several files as one capture, in this order: packets, interfaces,
 * sections and blocks are numbered on, offsets count the decompressed bytes of
 * all files before. Formats and compressions may differ. With
 * PKTFS_OPEN_GROWING only the last may grow. The first must be a capture; what
 * is wrong with another is a problem of the capture, whose text begins with
 * "file 2: ", and its state is that of the worst. -EINVAL: no file is given.
 *
 * All descriptors are opened at once, but only the first file is looked at: the
 * others are, by the index, one after the other.
 */
PKTFS_API int pktfs_open_files(const char *const *paths, size_t count,
			       const struct pktfs_open_options *options, pktfs_capture **ret,
			       struct pktfs_error *ret_error);

/* The same with descriptors, for whoever may not open paths any more: `fd` is
 * duplicated; -1: the path is opened. The path is copied. */
struct pktfs_input {
	const char *path;
	int fd;
};
PKTFS_API int pktfs_open_inputs(const struct pktfs_input *inputs, size_t count,
				const struct pktfs_open_options *options, pktfs_capture **ret,
				struct pktfs_error *ret_error);

/*
 * Adds a file behind the others of a capture that was opened with
 * PKTFS_OPEN_MORE. The one that was the last grows no more, once all that it has
 * by then is indexed. What is wrong with the new one is a problem of the capture.
 * 0; -EINVAL: not opened so; -EMFILE, -ENOMEM.
 */
PKTFS_API int pktfs_add(pktfs_capture *capture, const struct pktfs_input *input,
			struct pktfs_error *ret_error);

/* Whether what `fd` has is a capture, by its first bytes: 0, or the errors of
 * pktfs_open. `options` may be NULL; the flags do not matter. */
PKTFS_API int pktfs_probe(int fd, const struct pktfs_open_options *options,
			  struct pktfs_error *ret_error);

/*
 * Following: with PKTFS_OPEN_FOLLOW, a regular file (of several the last) that
 * another program writes is grown by a thread of the library, soon after each
 * write; anything else is opened as without it. The file is *active* while a
 * writer has it open or it was changed in the last seconds (whether a writer has
 * it open is told to the file's owner and to root only, and not by every file
 * system). In an active file a record that is half there, or zeros at the end,
 * is no problem but not there yet; when it has been quiet for some seconds the
 * state is PKTFS_STATE_TRUNCATED until it goes on.
 *
 * A file that is replaced, renamed or removed, or cut below what was read of it,
 * is a problem that comes first among those of pktfs_problem_get, and goes away
 * when the name is back; what was opened is shown on. After a cut nothing grows.
 *
 * With PKTFS_OPEN_MORE the file is always the one that is the last by then; its
 * name is not looked at (pktfs_file_look), and after a cut it is a lost one
 * (pktfs_file_lose).
 *
 * The path must lead to the file from the working directory at the open. In the
 * thread SIGURG may be raised, which is ignored unless the program handles it.
 */

/*
 * Looks whether a file that was opened with PKTFS_OPEN_GROWING has got longer.
 * 1: it has, and the index takes it up (pktfs_wait_offset waits for that); 0: it
 * has not; -EIO: it was cut.
 */
PKTFS_API int pktfs_grow(pktfs_capture *capture);

/* The same for a writer of the file that may take back what it has written:
 * nothing behind the first `stored_size` bytes of the file (of the last file,
 * as it is stored) is looked at. */
PKTFS_API int pktfs_grow_to(pktfs_capture *capture, uint64_t stored_size);

/* Waits until all records that end at `offset` or before can be read, as
 * pktfs_wait does. -EIO: the index ended before, and comes no further. */
PKTFS_API int pktfs_wait_offset(pktfs_capture *capture, uint64_t offset, int timeout_ms);

/* Wakes everybody who waits for this capture, in any function, with -ECANCELED,
 * now and for ever after: to be called before threads are joined. */
PKTFS_API void pktfs_cancel(pktfs_capture *capture);

/*
 * Calls `notify` from the index thread now and then (every 20 ms) while the
 * index grows, and when it has come to the end of what there is: each time, if
 * the capture grows. Must not block. One listener; to be
 * set before another thread uses the capture; calls for what was indexed
 * before may be missed, so look at the status once after setting it.
 */
PKTFS_API void pktfs_listen(pktfs_capture *capture, void (*notify)(void *context),
			    void *context);

/* Ends the index thread and frees everything. Nothing may be lent. NULL is
 * allowed. */
PKTFS_API void pktfs_close(pktfs_capture *capture);

enum pktfs_format {
	PKTFS_FORMAT_PCAP,          /* a1b2c3d4 (microseconds), a1b23c4d (nanoseconds) */
	PKTFS_FORMAT_PCAP_MODIFIED, /* a1b2cd34: Kuznetzov's 24-byte record headers */
	PKTFS_FORMAT_PCAPNG,
};

enum pktfs_compression {
	PKTFS_COMPRESSION_NONE,
	PKTFS_COMPRESSION_ZSTD,
	PKTFS_COMPRESSION_GZIP,
};

/* A file of the capture. One that is no capture is left out: `number` (from 0)
 * counts the others, `path` is its number among the paths that were given. */
struct pktfs_file {
	uint64_t path;
	uint64_t offset;          /* of its first byte */
	uint64_t packets_before;
	uint64_t metadata_before;
	uint64_t first_section, first_interface;
	enum pktfs_format format;
	int nanosecond;           /* pcap: fractions are nanoseconds */
};

/* 0; -EAGAIN: the index has not come to it yet; -ENOENT. */
PKTFS_API int pktfs_file_get(pktfs_capture *capture, uint64_t number, struct pktfs_file *ret);

/* The file that packet `number` is in: 0, or -ENOENT: it is not indexed. Takes no
 * lock. */
PKTFS_API int pktfs_file_of_packet(pktfs_capture *capture, uint64_t number,
				   struct pktfs_file *ret);

/* How many paths were given and added; 0: to pktfs_open, not as a list. */
PKTFS_API uint64_t pktfs_files(pktfs_capture *capture);

enum pktfs_state {
	PKTFS_STATE_INDEXING,  /* the index is still being built */
	PKTFS_STATE_COMPLETE,  /* read to the end, nothing wrong */
	PKTFS_STATE_TRUNCATED, /* ends inside a record */
	PKTFS_STATE_DAMAGED,   /* something contradicts the format: see the problems */
};

/* What is known so far of a file that was given. */
struct pktfs_file_status {
	const char *path;           /* as it was given; lives as long as the capture */
	int is_capture;             /* its head was read: `file` is it */
	struct pktfs_file file;
	uint64_t packets;           /* so far */
	enum pktfs_state state;     /* INDEXING: it was not read to its end */
	struct pktfs_error problem; /* what is wrong first, with the offset in it; code 0 */
	int opened;                 /* `compression` is known */
	enum pktfs_compression compression;
	uint64_t file_size;         /* as it is stored; 0 where not known */
	struct pktfs_time file_time;
	int lost;                   /* pktfs_file_lose was called */
};
PKTFS_API int pktfs_file_status_get(pktfs_capture *capture, uint64_t path,
				    struct pktfs_file_status *ret);

/* What has happened to it, by a look at it: *ret_removed, it has no name any more
 * (what it holds is there, unless it is lost); *ret_unseen, bytes that have been added to it behind
 * `file_size`. 0, -ENOENT, or an error of fstat(2). */
PKTFS_API int pktfs_file_look(pktfs_capture *capture, uint64_t path, int *ret_removed,
			      uint64_t *ret_unseen);

/* For who knows that the bytes of a file are others by now, or that nobody wants
 * them: reading its packets gives -EIO from now on, and the file is let go of, so
 * that the disk has its room again if it has no name. 0, -ENOENT. */
PKTFS_API int pktfs_file_lose(pktfs_capture *capture, uint64_t path);

/* What is known so far; the numbers grow until `state` is not INDEXING, and after
 * that with `growing`. */
struct pktfs_status {
	enum pktfs_format format;
	enum pktfs_compression compression;
	enum pktfs_state state;
	int big_endian;          /* of the pcap header, or of the first section */
	int nanosecond;          /* pcap: fractions are nanoseconds */
	uint16_t version_major;  /* of the pcap header, or of the first section */
	uint16_t version_minor;
	uint64_t packets;
	uint64_t blocks;         /* packets included; 0 if no file is pcapng */
	uint64_t metadata;       /* pcapng blocks that are not packets */
	uint64_t sections;       /* pcap: 1 */
	uint64_t interfaces;
	uint64_t problems;
	uint64_t captured_bytes; /* sum of captured lengths */
	uint64_t original_bytes; /* sum of original lengths */
	uint64_t file_size;      /* of the file as it is stored; 0 where not known */
	uint64_t indexed_bytes;  /* decompressed bytes that the index has passed */
	uint64_t decoded_bytes;  /* decompressed bytes that are there so far */
	int decoded_final;       /* decoded_bytes is the whole */
	int growing;             /* more may come, whatever the state: see pktfs_grow */
	int followed;            /* growing, by PKTFS_OPEN_FOLLOW */
	int active;              /* followed, and being written: see PKTFS_OPEN_FOLLOW */
	int has_time;            /* at least one packet has a time */
	struct pktfs_time first_time; /* of the first packet that has one */
	struct pktfs_time last_time;  /* of the last packet that has one */
	struct pktfs_time min_time;   /* earliest */
	struct pktfs_time max_time;   /* latest */
	struct pktfs_time file_time;  /* modification time of the file */
};

PKTFS_API void pktfs_status_get(pktfs_capture *capture, struct pktfs_status *ret);

/*
 * Waits until packet `number` is indexed (UINT64_MAX: until the index is
 * complete) or can never be, for at most `timeout_ms` (negative: for ever).
 * Returns 0, -EAGAIN when the time is over, -ECANCELED when the capture is
 * being closed.
 */
PKTFS_API int pktfs_wait(pktfs_capture *capture, uint64_t number, int timeout_ms);

/* One packet. Everything that points somewhere is lent until the release. */
struct pktfs_packet {
	uint64_t number;             /* from 1, over all sections */
	uint64_t frame;              /* what Wireshark calls frame.number */
	uint64_t section;            /* from 0 */
	uint64_t interface;          /* from 0, over the whole capture */
	uint32_t interface_in_section;
	uint16_t link_type;          /* LINKTYPE_ number */
	int has_time;                /* 0: a Simple Packet Block, `time` is the file's */
	struct pktfs_time time;      /* finer fractions are cut, not rounded */
	uint64_t ticks;              /* the time as the file has it, in units of: */
	uint8_t resolution;          /* if_tsresol: 10^-n, or 2^-(n & 127) with bit 7 */
	uint32_t captured_length;
	uint32_t original_length;    /* may be below captured_length in odd files */
	const uint8_t *data;         /* captured_length bytes */
	struct pktfs_options options; /* of the block; empty for pcap and SPB */
	uint32_t block_type;         /* 6 EPB, 3 SPB, 2 PB; pcap: 0 */
	uint64_t block_number;       /* from 1, all blocks and pcap records */
	uint64_t offset;             /* of the block or record, decompressed */
	uint64_t block_length;       /* with header, padding and trailer */
	const uint8_t *block;        /* block_length bytes */
	struct pktfs_loan loan;      /* private */
};

/*
 * Packet `number` (from 1). Waits for the index; pktfs_packet_try returns
 * -EAGAIN instead.
 *
 * Returns 0; -ENOENT when there is no such packet; -EIO when the file no
 * longer holds it; -EBADMSG when its compressed bytes are damaged; -ECANCELED.
 */
PKTFS_API int pktfs_packet_get(pktfs_capture *capture, uint64_t number, struct pktfs_packet *ret,
			       struct pktfs_error *ret_error);
PKTFS_API int pktfs_packet_try(pktfs_capture *capture, uint64_t number, struct pktfs_packet *ret,
			       struct pktfs_error *ret_error);

/* Gives the bytes back. Returns 0, or -EIO when the file was changed or cut
 * while they were lent, so that what was read from them is worth nothing. */
PKTFS_API int pktfs_packet_release(struct pktfs_packet *packet);

/* Iterates over the packets from `first` (1 or more) on, in file order. */
PKTFS_API int pktfs_iterator_open(pktfs_capture *capture, uint64_t first, pktfs_iterator **ret);

/*
 * The next packet, lent until the next call on this iterator. Waits for the
 * index. Returns 1 and *ret, 0 after the last (a capture that grows may give
 * more later), or a negative errno as pktfs_packet_get does.
 */
PKTFS_API int pktfs_iterator_next(pktfs_iterator *iterator, const struct pktfs_packet **ret,
				  struct pktfs_error *ret_error);

/*
 * Whether the bytes of all packets that were given out so far were what the
 * file holds: 0, or -EIO when the file was changed or cut meanwhile. The
 * iterator asks itself each 256 packets and at the end (then next returns
 * -EIO); who stores what it made of a packet asks first.
 */
PKTFS_API int pktfs_iterator_verify(pktfs_iterator *iterator);
PKTFS_API void pktfs_iterator_close(pktfs_iterator *iterator);

/* Continues an iterator with packet `number` (1 or more), wherever it was. */
PKTFS_API void pktfs_iterator_seek(pktfs_iterator *iterator, uint64_t number);

/* Consecutive packets that share a checkpoint of the index, with the span of
 * their times: what can be known of them without reading them. */
struct pktfs_span {
	uint64_t first, last;   /* packet numbers */
	int has_time;           /* 0: none of them has a time */
	int64_t min_ns, max_ns; /* nanoseconds since 1970, saturated at the ends */
};

/* The span that holds packet `number`: 0, -EAGAIN or -ENOENT. The last span of
 * an index that is being built may still grow. */
PKTFS_API int pktfs_span_get(pktfs_capture *capture, uint64_t number, struct pktfs_span *ret);

/* One block of a pcapng file that is not a packet, with its raw bytes. */
struct pktfs_block {
	uint64_t number;        /* block number, from 1, packets included */
	uint64_t section;
	uint32_t type;
	uint64_t offset;
	uint64_t length;
	int big_endian;
	int usable;             /* 0: a malformed block, or one of a skipped section */
	const uint8_t *bytes;   /* `length` bytes */
	struct pktfs_options options; /* where the type is known to have some */
	struct pktfs_loan loan; /* private */
};

/*
 * Metadata block `index` (from 0, in file order, below pktfs_status.metadata).
 * Does not wait. Returns 0, -ENOENT, -EIO, -EBADMSG.
 */
PKTFS_API int pktfs_block_get(pktfs_capture *capture, uint64_t index, struct pktfs_block *ret,
			      struct pktfs_error *ret_error);
PKTFS_API int pktfs_block_release(struct pktfs_block *block);

/* The metadata block whose block number is `number`: *ret_index. -ENOENT when
 * it is a packet or does not exist (yet). */
PKTFS_API int pktfs_block_find(pktfs_capture *capture, uint64_t number, uint64_t *ret_index);

/* The metadata block at this offset: *ret_index. -ENOENT when there is none
 * (yet). */
PKTFS_API int pktfs_block_at(pktfs_capture *capture, uint64_t offset, uint64_t *ret_index);

struct pktfs_section {
	uint64_t number;         /* from 0 */
	uint64_t offset;
	int big_endian;
	int skipped;             /* of a version that is not known */
	uint16_t version_major;
	uint16_t version_minor;
	int64_t section_length;  /* -1: not given. Never trusted */
	uint64_t first_interface;
	uint64_t interfaces;
	struct pktfs_options options; /* of the SHB; empty for pcap */
	struct pktfs_loan loan;  /* private */
};

PKTFS_API int pktfs_section_get(pktfs_capture *capture, uint64_t number, struct pktfs_section *ret,
				struct pktfs_error *ret_error);
PKTFS_API int pktfs_section_release(struct pktfs_section *section);

struct pktfs_interface {
	uint64_t number;         /* from 0, over the whole capture */
	uint64_t section;
	uint32_t number_in_section;
	uint16_t link_type;
	uint32_t snaplen;        /* 0: no limit */
	uint8_t resolution;      /* if_tsresol, default 6 */
	int64_t offset_seconds;  /* if_tsoffset */
	int fcs_length;          /* if_fcslen, or in octets from a pcap header; -1 not known */
	uint64_t packets;        /* so far */
	uint64_t captured_bytes; /* so far */
	uint64_t original_bytes; /* so far */
	struct pktfs_options options;    /* of the IDB; empty for pcap */
	int has_statistics;
	struct pktfs_options statistics; /* of the last ISB of this interface */
	struct pktfs_time statistics_time;
	struct pktfs_loan loan, statistics_loan; /* private */
};

PKTFS_API int pktfs_interface_get(pktfs_capture *capture, uint64_t number,
				  struct pktfs_interface *ret, struct pktfs_error *ret_error);
PKTFS_API int pktfs_interface_release(struct pktfs_interface *interface);

/* Packets of one link type, counted while the index is built. */
struct pktfs_link_type {
	uint16_t link_type;
	uint64_t packets;
	uint64_t captured_bytes;
	uint64_t padded_bytes;   /* captured lengths, each rounded up to 4 */
	int fine;                /* an interface of it resolves below a microsecond */
	struct pktfs_time min_time, max_time; /* only if has_time; to the second before
					       * 1970, saturated after 2262 */
	int has_time;
	int untimed;             /* a packet of it has no time */
};

/* The `index`-th link type that has interfaces, in order of appearance.
 * Returns 0 or -ENOENT. */
PKTFS_API int pktfs_link_type_get(pktfs_capture *capture, unsigned index,
				  struct pktfs_link_type *ret);

/* One name: NRB records 1 to 4 (draft section 4.5). */
struct pktfs_name {
	uint16_t type;          /* 1 IPv4, 2 IPv6, 3 EUI-48, 4 EUI-64 */
	const uint8_t *address; /* 4, 16, 6 or 8 bytes */
	const char *name;       /* not NUL terminated */
	size_t length;
};

/* Secrets: the body of one DSB (draft section 4.7). */
struct pktfs_secret {
	uint32_t type;          /* 0x544c534b TLS key log, ... */
	const uint8_t *bytes;
	size_t length;
};

/* Takes the next name off an NRB, or reads the secret of a DSB; `*position`
 * starts at 0 and is the callee's. 1, 0 at the end, -EBADMSG. */
PKTFS_API int pktfs_block_next_name(const struct pktfs_block *block, uint64_t *position,
				    struct pktfs_name *ret);
PKTFS_API int pktfs_block_secret(const struct pktfs_block *block, struct pktfs_secret *ret);

/* What is wrong with the capture, in file order; the first 100 are kept, all are counted. A cut
 * record at the end is the last, and goes away when a growing capture goes on. 0 or -ENOENT. */
PKTFS_API int pktfs_problem_get(pktfs_capture *capture, uint64_t index, struct pktfs_error *ret);

/*
 * Copies decompressed bytes of the file from `offset`. Returns how many were
 * copied (fewer than `size` only where the file ends, 0 behind it), -EAGAIN
 * when they are not decompressed yet, -EIO, -EBADMSG.
 */
PKTFS_API int64_t pktfs_read(pktfs_capture *capture, uint64_t offset, void *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
