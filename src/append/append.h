/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Appending by files: what is written to a file becomes one record at the end
 * of a capture when the file is closed. Knows the writer and the capture, but
 * neither the tree (who asks says in which directory a file is) nor FUSE.
 *
 *	append_open("trace.pcapng", &options, &append, &error);   lock, check, repair
 *	... open the capture with PKTFS_OPEN_GROWING, fork before both ...
 *	append_start(append, capture, node_base, log, context);
 *	append_mounted(append, device);
 *	append_create(append, &place, "p", &who, &id, &handle);
 *	append_write(append, id, handle, 0, bytes, size);
 *	append_flush(append, id, handle, pid, &end);              commits
 *	append_seen(append, end);                                 -EAGAIN: not yet
 *	append_release(append, id, handle);
 *	append_stop(append);
 *	append_close(append);
 *
 * The life of a file:
 *
 *	pending --- flush with bytes in it ---> committed: a link to its record
 *	   |  \---- refused, or a write failed: it is gone, and the call says why
 *	   `------- remove: nothing happened
 *
 * When a file is committed. By a flush of a handle that may write, if the file
 * has bytes and a name, unless it is open for writing elsewhere: there is a handle
 * that was never flushed, or the process that opened one, or the one that closes,
 * still holds a descriptor of the file that may write (shells duplicate
 * descriptors, and children inherit them). Then a later flush does it. The release
 * of the last handle that may write commits what no flush did; so does a fsync,
 * and append_stop what is not open any more. A temporary name of rsync's
 * (".NAME.XXXXXX", created exclusively and for reading and writing) is committed
 * when it is renamed to another, or by append_stop, or APPEND_TEMPORARY_MS after
 * its last release; what a fsync of it asked for is done then. A committed file
 * takes no more bytes: -EROFS. A file without bytes stays pending: a packet of
 * none cannot be appended.
 *
 * Nothing here waits for the index: append_seen is asked again. append_sync_begin
 * hands over to a thread of its own.
 *
 * Errors that a commit gives, with the reason in the log: those of
 * pktfs_writer_packet and pktfs_writer_block (-EMSGSIZE, -ERANGE, -ENOTSUP as
 * -EOPNOTSUPP, -EINVAL, -ENOSPC, -EDQUOT, -EFBIG, -EIO, -ESTALE, ...).
 *
 * Threads: any, between append_start and append_stop.
 */
#ifndef APPEND_H
#define APPEND_H

#include <sys/types.h>

#include "pktfs/writer.h"
#include "util/util_base.h"
#include "util/util_text.h"

struct append;

/* Bytes of one file that is not committed, and of all of them together. */
#define APPEND_FILE_BYTES    ((uint64_t)256 << 20)
#define APPEND_PENDING_BYTES ((uint64_t)1 << 30)
/* Committed names that are kept; above, the oldest is forgotten. */
#define APPEND_NAMES_MAX     1000000u
/* After so long without a commit the frame of a compressed file is ended. */
#define APPEND_QUIET_MS      200
#define APPEND_TEMPORARY_MS  30000
/* umount(8) returns before the daemon has let go of the lock. */
#define APPEND_BUSY_MS       2000

struct append_paths;

struct append_options {
	bool separate; /* the file is not the capture: it is made if absent (pcapng) */
	bool repair;
	/* In the place of append_holder_was_last, for a process that may not look at
	 * others. NULL: that */
	bool (*was_last)(void *context, pid_t opener, pid_t closer,
			 const struct append_paths *paths);
	void *was_last_context;
	/* Opens /proc/PID/status, for the same: a descriptor or negative errno. NULL:
	 * open(2). From any thread */
	int (*open_status)(void *context, pid_t pid);
	void *open_context;
};

/*
 * Opens `path` for appending: the writer's lock, check and repair. With `separate`
 * the file has a section header when this returns, so that it can be opened as
 * a part of the capture (pktfs_open_files). Errors as pktfs_writer_append; -EBUSY
 * when the lock was not to be had for APPEND_BUSY_MS.
 */
int append_open(const char *path, const struct append_options *options, struct append **ret,
		struct pktfs_error *ret_error);

/* What the repair has done to the file when it was opened, for a person: appended to
 * `ret`; nothing, if there was none. */
void append_repaired(struct append *append, struct text *ret);

/*
 * From here on the functions below may be called. `capture` shows the file: it
 * is the capture, or (separate) the last of the capture's files. A file that is
 * not committed has the inode number `node_base` + its id in the mount. `log`
 * takes one line; may be NULL.
 */
int append_start(struct append *append, pktfs_capture *capture, uint64_t node_base,
		 void (*log)(void *context, const char *line), void *context);

/* The device of the mount, so that files of other mounts are told from ours. Until
 * then they are not. */
void append_mounted(struct append *append, dev_t device);

/* Commits what is pending with bytes in it and not open for writing, ends the frame,
 * ends the threads. What is open is dropped, and the log says so: its writer gets
 * an error. Returns the first error; it is in the log, too. */
int append_stop(struct append *append);
/* Ends the lock. NULL is allowed. */
void append_close(struct append *append);

/* ---- names */

enum append_kind {
	APPEND_INTERFACE, /* packets to interface `interface` of the capture */
	APPEND_ONLY,      /* packets to the only interface there is */
	APPEND_BLOCKS,    /* raw blocks */
};

/* A directory that names are in. Two places are the same when both members are. */
struct append_place {
	enum append_kind kind;
	uint64_t interface; /* APPEND_INTERFACE; else 0 */
};

/* Who creates or opens a file. */
struct append_who {
	pid_t pid;  /* of the thread; 0: not known */
	int flags;  /* of open(2): O_ACCMODE, O_EXCL */
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/*
 * A new, empty, pending file: its number (from 1, never used again) and a handle
 * (from 1), to be given back by append_release. -EEXIST; -EINVAL: APPEND_ONLY
 * where there are several interfaces (the log says so); -ENXIO: no such interface,
 * or none at all; -EOPNOTSUPP: APPEND_BLOCKS in a pcap; -EAGAIN: the interface is not
 * indexed yet.
 */
int append_create(struct append *append, const struct append_place *place, const char *name,
		  const struct append_who *who, uint64_t *ret_id, uint64_t *ret_handle);

/* Opens file `id` once more. -ENOENT; -EROFS: for writing, and it is committed. */
int append_open_file(struct append *append, uint64_t id, const struct append_who *who,
		     uint64_t *ret_handle);

/* The file of a name: 0 or -ENOENT. */
int append_find(struct append *append, const struct append_place *place, const char *name,
		uint64_t *ret_id);

/* The first file of a place with a number above `after` (0: the first): 0 or
 * -ENOENT. `name` has room for 256 bytes. */
int append_next(struct append *append, const struct append_place *place, uint64_t after,
		uint64_t *ret_id, char *name);

struct append_status {
	struct append_place place;
	bool committed;
	bool named;             /* not removed */
	uint64_t size;
	struct pktfs_time time; /* set, or when it was written or created last; committed:
				 * the record's */
	mode_t mode;            /* permissions */
	uid_t uid;
	gid_t gid;
	/* committed */
	bool is_packet;
	uint64_t packet;        /* number in the capture (is_packet); 0: not known yet */
	uint64_t offset;        /* of the record, in the decompressed bytes of the file */
	uint64_t block_offset;  /* the same in the capture: pktfs_block_at; UINT64_MAX: not
				 * known yet */
};

/* 0 or -ENOENT. A file that has no name is there until its last release. */
int append_status_get(struct append *append, uint64_t id, struct append_status *ret);

/* Removing a committed name does not take back the record. 0, -ENOENT. */
int append_remove(struct append *append, const struct append_place *place, const char *name);

/*
 * Renames inside a place, or a pending file to another; what had the new name
 * loses it. May commit (see above), and is not done when that fails. *ret_end
 * as that of append_flush. -ENOENT, -EEXIST (no_replace), -EXDEV (a committed
 * one to another place).
 */
int append_rename(struct append *append, const struct append_place *place, const char *name,
		  const struct append_place *new_place, const char *new_name, bool no_replace,
		  uint64_t *ret_end);

/* ---- pending files. -ENOENT: there is no such file; -EROFS: it is committed */

/* -EFBIG above APPEND_FILE_BYTES, -ENOSPC above APPEND_PENDING_BYTES, -ENOMEM: the
 * file is spoilt. What is written to it, and its next flush, gives the same error,
 * and with that flush it is gone. A hole is zeros. Returns the count. */
int64_t append_write(struct append *append, uint64_t id, uint64_t offset, const void *bytes,
		     size_t size);
/* Of a committed file: nothing (0). */
int64_t append_read(struct append *append, uint64_t id, uint64_t offset, void *bytes, size_t size);
int append_truncate(struct append *append, uint64_t id, uint64_t size);
/* The packet's time. Without it, and without the attribute: that of the commit. */
int append_set_time(struct append *append, uint64_t id, struct pktfs_time time);
/* Permissions and owner are kept for show; of a committed file they are ignored. */
int append_set_mode(struct append *append, uint64_t id, mode_t mode);
int append_set_owner(struct append *append, uint64_t id, uid_t uid, gid_t gid); /* -1: leave */

/*
 * Attributes, without their "user.pktfs.": original_length, comment (lines are
 * comments of their own), flags (epb_flags, decimal or 0x), time (as shown; what
 * append_set_time sets wins), link_type (name or number: must be the interface's
 * when it is committed). Those that only describe (number, frame, interface) are
 * taken and ignored. -EOPNOTSUPP: another name; -EINVAL: a value that cannot be.
 * `value` NULL removes: -ENODATA. append_attribute: appends the value; -ENODATA.
 * append_attributes: appends the names that are set, each with its NUL.
 */
int append_set_attribute(struct append *append, uint64_t id, const char *name, const void *value,
			 size_t size);
int append_attribute(struct append *append, uint64_t id, const char *name, struct text *ret);
int append_attributes(struct append *append, uint64_t id, struct text *ret);

/* ---- closing */

/*
 * A descriptor of the handle is closed by thread `pid` (0: not known). Commits if
 * that is due; *ret_end is then what append_seen is asked for (0: nothing was
 * committed), and the capture was told to look. A second flush of a file that was
 * committed is 0; of one that was refused, its error once more.
 */
int append_flush(struct append *append, uint64_t id, uint64_t handle, pid_t pid,
		 uint64_t *ret_end);
void append_release(struct append *append, uint64_t id, uint64_t handle);

/* Whether the capture shows everything up to `end`, a *ret_end: 0, -EAGAIN (after a wait of
 * some milliseconds at most), -EIO (it never will: it is in the file). */
int append_seen(struct append *append, uint64_t end);

/*
 * Brings to the disk what was committed so far; of file `id` (0: none) what it
 * has is committed first. *ret_ticket is for append_sync_done: 0, -EAGAIN, or what
 * failed. *ret_end as that of append_flush.
 */
int append_sync_begin(struct append *append, uint64_t id, uint64_t *ret_ticket,
		      uint64_t *ret_end);
int append_sync_done(struct append *append, uint64_t ticket);

/* ---- interfaces */

/*
 * Adds an interface: `name` is NAME or NAME@LINKTYPE (a name of LINKTYPE_, with or
 * without that prefix, or a number; without it, that of the first interface;
 * nanoseconds, no snaplen). *ret_interface is its number in the capture, *ret_end
 * as that of append_flush. -EEXIST: append_named_interface has it; -EINVAL: no such
 * link type, or none to take over; a number; -EOPNOTSUPP: a pcap file has one;
 * -EAGAIN: the index has not come far enough, nothing was done; those of the
 * writer.
 */
int append_add_interface(struct append *append, const char *name, uint64_t *ret_interface,
			 uint64_t *ret_end);

/* The interface that was added by this name: 0, -ENOENT. */
int append_named_interface(struct append *append, const char *name, uint64_t *ret_interface);
/* The `position`-th of them, `name` with room for 256 bytes: 0, -ENOENT. */
int append_named_at(struct append *append, uint64_t position, uint64_t *ret_interface, char *name);

/* ---- questions */

/* Whether packets may be put into append/ itself: there was one interface when
 * this was opened (not counted: those of the file of `separate` that are copies of
 * it), and none was added by name. False while that is not known yet. */
bool append_has_only(struct append *append);
/* Whether the file is a pcapng. */
bool append_has_blocks(struct append *append);
/* Of a capture that grows, whether a problem of it is only that the last frame of the
 * file is not ended: the quiet thread does that, and the problem goes. */
struct pktfs_error;
bool append_is_unfinished(struct append *append, const struct pktfs_error *problem);
/* How many packets the capture had when the first was appended: those above were
 * appended. UINT64_MAX: not known yet. */
uint64_t append_first_packet(struct append *append);
/* Of the file's file system; 0 or negative errno. */
struct statvfs;
int append_statvfs(struct append *append, struct statvfs *ret);
/* info/appended: a line for each record, "NAME<tab>PACKET<tab>OFFSET\n" (the place
 * before the name as a path, bytes outside [A-Za-z0-9._/-] as %XX; PACKET "-" for
 * a block), the newest APPEND_LIST_MAX. */
#define APPEND_LIST_MAX 100000u
void append_list_text(struct append *append, struct text *ret);

#endif
