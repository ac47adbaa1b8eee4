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
 * -EOPNOTSUPP (extended attributes), -ENOMEM, -EAGAIN (never to the kernel).
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

struct view;

struct view_options {
	const char *path; /* of the capture, absolute: info/path */
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
	bool fleeting;  /* its name may come to stand for another node */
};

/* `name` as it was typed. -ENOENT: there is none; *ret_final (may be NULL) is
 * then whether that will be so for ever, so that it may be cached. */
int view_lookup(struct view *view, uint64_t parent, const char *name, struct view_entry *ret,
		bool *ret_final);

int view_getattr(struct view *view, uint64_t node, struct view_entry *ret);

/* Copies. Returns the count (0 behind the end). */
int64_t view_read(struct view *view, uint64_t node, uint64_t offset, void *bytes, size_t size);

/* The target of a symbolic link, appended. -EINVAL: it is none. */
int view_readlink(struct view *view, uint64_t node, struct text *ret);

/*
 * What users may make: named sets (mkdir) and links (symlink) in by/filter/ and
 * by/match/, whose `expression` is written. Everywhere else -EROFS. Nothing of
 * it touches the capture. -EINVAL: a wrong expression, with the reason in
 * info/log and in the `expression` file.
 */
int view_mkdir(struct view *view, uint64_t parent, const char *name, struct view_entry *ret);
int view_symlink(struct view *view, uint64_t parent, const char *name, const char *target,
		 struct view_entry *ret);
int view_remove(struct view *view, uint64_t parent, const char *name, bool directory);
int view_rename(struct view *view, uint64_t parent, const char *name, uint64_t new_parent,
		const char *new_name, bool no_replace);
/* Writes a whole expression, from offset 0. Returns `size`. */
int64_t view_write(struct view *view, uint64_t node, uint64_t offset, const char *bytes,
		   size_t size);
/* Allowed where view_write is, and without effect. */
int view_truncate(struct view *view, uint64_t node, struct view_entry *ret);

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

/* Whether a listing of this directory may still change. */
bool view_list_live(struct view *view, uint64_t node);

/* Appends the value; -ENODATA; -EOPNOTSUPP for names outside "user.". */
int view_getxattr(struct view *view, uint64_t node, const char *name, struct text *ret);
/* Appends the names, each with its NUL. */
int view_listxattr(struct view *view, uint64_t node, struct text *ret);

/* For statfs: files of the tree (packets and metadata) and bytes. */
void view_totals(struct view *view, uint64_t *ret_files, uint64_t *ret_bytes);

/* One line into info/log (bounded: the oldest go) with the time. */
void view_log(struct view *view, const char *format, ...) _printf_(2, 3);

#endif
