/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree: which node is where, its attributes and its bytes. Knows nothing
 * of FUSE: a node is its inode number, 64 bits that hold kind and ordinal, so
 * that nothing is stored for a node and the number is the same at each mount.
 * The root is 1.
 *
 *	struct view_entry entry;
 *	view_lookup(view, VIEW_ROOT, "packets", &entry);
 *	view_lookup(view, entry.st.st_ino, "42", &entry);
 *	view_read(view, entry.st.st_ino, 0, buffer, sizeof(buffer));
 *
 * Nothing here waits. What cannot be answered before the index has come
 * further is -EAGAIN: the caller tries again after a moment (the `fs` module
 * keeps such requests and retries them as the index proceeds).
 *
 * Errors: 0 or negative errno as the kernel may see it: -ENOENT, -ENOTDIR,
 * -EISDIR, -EIO (what the capture no longer holds, or damaged), -ENODATA and
 * -EOPNOTSUPP (extended attributes), -ENOMEM, -EAGAIN (never to the kernel). What
 * writes to append/ gives any errno of a disk, and those of append.h.
 *
 * Threads: all functions but view_open and view_close may be called from any
 * thread.
 */
#ifndef VIEW_H
#define VIEW_H

#include <sys/stat.h>

#include "pktfs/capture.h"
#include "util/util_text.h"

#define VIEW_ROOT 1u

struct append;
struct view;

struct view_options {
	const char *path; /* of the capture, absolute: info/path */
	struct append *append; /* append/, started by view_open; NULL: there is none.
				* The caller's to stop, after the requests have ended and
				* before view_close, and to close after that */
	uid_t uid;
	gid_t gid;
	mode_t umask;     /* taken off 0444 and 0555 */
	uint64_t sets_memory; /* bound of what evaluated sets take; 0: the default */
};

int view_open(pktfs_capture *capture, const struct view_options *options, struct view **ret);
void view_close(struct view *view);

struct view_entry {
	struct stat st; /* complete, st_ino included */
	bool live;      /* may change: not to be cached by the kernel */
	bool still;     /* live, but as the capture's file grows only, which it does not
			 * just now: for a moment it may be cached */
	bool fleeting;  /* its name may come to stand for another node */
};

/* `name` as it was typed. -ENOENT: there is none; *ret_final (may be NULL) is
 * then whether that will be so for ever, so that it may be cached. */
int view_lookup(struct view *view, uint64_t parent, const char *name, struct view_entry *ret,
		bool *ret_final);

int view_getattr(struct view *view, uint64_t node, struct view_entry *ret);

/* Copies. Returns the count (0 behind the end); of a lasting file, see below, less than
 * `size` only where it ends. */
int64_t view_read(struct view *view, uint64_t node, uint64_t offset, void *bytes, size_t size);

/*
 * The same without the copy, for a system call that takes the bytes at once: how many
 * there are at *ret, which is all that view_read would give, until view_unpin. -EOPNOTSUPP:
 * view_read; it may be so for some bytes of a file only. Who wants to write to the
 * capture's file waits meanwhile.
 */
int64_t view_pin(struct view *view, uint64_t node, uint64_t offset, size_t size,
		 const void **ret);
void view_unpin(struct view *view);

/* Whether the file is one of the many small ones, a packet or its payload: where
 * there is one, its size and its bytes are never others. */
bool view_lasting(uint64_t node);
/*
 * Copies `count` lasting files from node `first` on, whole, one behind the other into
 * bytes that have room for `count` times `most`. Does not wait for the index.
 * ret_sizes[i] is that of the i-th, or why it is not among the bytes: -ENOENT, -EAGAIN,
 * -EFBIG: above `most`. Returns 0; or a negative errno, and then the bytes are worth
 * nothing.
 */
int view_read_lasting(struct view *view, uint64_t first, unsigned count, void *bytes, size_t most,
		      int64_t *ret_sizes);
/* Whether a directory holds nothing but such files: packets/ or payload/ of a set. */
bool view_lasting_in(uint64_t directory);

/* The target of a symbolic link, appended. -EINVAL: it is none. */
int view_readlink(struct view *view, uint64_t node, struct text *ret);

/*
 * What users may make: named sets (mkdir) and links (symlink) in by/filter/ and
 * by/match/, whose `expression` is written, in memory only; and, with append/,
 * interfaces (mkdir append/NAME) and files there, which are appended when they
 * are closed (append.h). Everywhere else -EROFS. -EINVAL: a wrong expression,
 * with the reason in info/log and in the `expression` file.
 *
 * *ret_end: what was appended to the capture is shown once view_seen(*ret_end) is
 * 0; 0: nothing was. Before that the caller does not answer.
 */
int view_mkdir(struct view *view, uint64_t parent, const char *name, struct view_entry *ret,
	       uint64_t *ret_end);
int view_symlink(struct view *view, uint64_t parent, const char *name, const char *target,
		 struct view_entry *ret);
int view_remove(struct view *view, uint64_t parent, const char *name, bool directory);
/* What to say to what is never done (link, mknod, fallocate, ...), there or to
 * that node: -EPERM in append/, else -EROFS. */
int view_never(struct view *view, uint64_t node);
int view_rename(struct view *view, uint64_t parent, const char *name, uint64_t new_parent,
		const char *new_name, bool no_replace, uint64_t *ret_end);

/* Writes a whole expression, from offset 0, or bytes of a file in append/.
 * Returns `size`. */
int64_t view_write(struct view *view, uint64_t node, uint64_t offset, const char *bytes,
		   size_t size);

/*
 * Of an expression all but owner and mode is allowed, and without effect; of a
 * file in append/ all of it counts. Mode and owner of a packet that was appended
 * are taken and ignored: install(1) sets them after the close.
 */
enum view_set_what {
	VIEW_SET_SIZE = 1,
	VIEW_SET_TIME = 2, /* modification time */
	VIEW_SET_MODE = 4,
	VIEW_SET_OWNER = 8,
};
struct view_setattr {
	unsigned what; /* 0: nothing that is kept here (an access time) */
	uint64_t size;
	struct pktfs_time time;
	mode_t mode;
	uid_t uid; /* -1: leave */
	gid_t gid;
};
int view_setattr(struct view *view, uint64_t node, const struct view_setattr *attributes,
		 struct view_entry *ret);

/* -EROFS where there is nothing to set. `value` NULL: removes. */
int view_setxattr(struct view *view, uint64_t node, const char *name, const void *value,
		  size_t size);

/*
 * Files of append/. Whether there is one, and so open and flush matter.
 * view_open_node: *ret_handle is 0 for whatever else there is (which need not be
 * flushed or released); -EROFS: for writing, where nothing can be written.
 */
bool view_appends(const struct view *view);
struct append_who;
int view_create(struct view *view, uint64_t parent, const char *name,
		const struct append_who *who, struct view_entry *ret, uint64_t *ret_handle);
int view_open_node(struct view *view, uint64_t node, const struct append_who *who,
		   uint64_t *ret_handle);
int view_flush(struct view *view, uint64_t node, uint64_t handle, pid_t pid, uint64_t *ret_end);
void view_release(struct view *view, uint64_t node, uint64_t handle);
int view_seen(struct view *view, uint64_t end); /* 0, -EAGAIN, -EIO */
/* fsync of a file or of a directory of append/; of anything else 0 at once. */
int view_sync_begin(struct view *view, uint64_t node, uint64_t *ret_ticket, uint64_t *ret_end);
int view_sync_done(struct view *view, uint64_t ticket);
/* Free space of what is appended to: 0; -EOPNOTSUPP: nothing is. */
struct statvfs;
int view_statvfs(struct view *view, struct statvfs *ret);

/* One entry of a directory. With `attributes` entry is complete; without, only
 * st_ino and the type in st_mode are set. `next` is the cookie behind it. */
struct view_dirent {
	const char *name;
	struct view_entry entry;
	uint64_t next;
};

/*
 * Calls `emit` for the entries behind `cookie` (0: from the start; "." and
 * ".." included) until it returns false or there are no more. Any cookie that
 * was given out is resumed in constant time; entries that come while a listing
 * is under way appear at its end.
 */
int view_list(struct view *view, uint64_t node, uint64_t cookie, bool attributes,
	      bool (*emit)(void *context, const struct view_dirent *entry), void *context);

/* The same of a lasting directory, with attributes, in half the time. A negative errno:
 * what was emitted is worth nothing, either; view_list says what there is. */
int view_list_lasting(struct view *view, uint64_t node, uint64_t cookie,
		      bool (*emit)(void *context, const struct view_dirent *entry), void *context);

/* Whether a listing of this directory may still change. */
bool view_list_live(struct view *view, uint64_t node);

/* True: it may, but only when the capture's file goes on growing, which it does
 * not just now; it is the same for as long as *ret_version is. */
bool view_list_still(struct view *view, uint64_t node, uint64_t *ret_version);

/* Appends the value; -ENODATA; -EOPNOTSUPP for names outside "user.". */
int view_getxattr(struct view *view, uint64_t node, const char *name, struct text *ret);
/* Appends the names, each with its NUL. */
int view_listxattr(struct view *view, uint64_t node, struct text *ret);

/* For statfs: files of the tree (packets and metadata) and bytes. */
void view_totals(struct view *view, uint64_t *ret_files, uint64_t *ret_bytes);

/* One line into info/log (bounded: the oldest go) with the time. */
void view_log(struct view *view, const char *format, ...) _printf_(2, 3);

#endif
