/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of fs share.
 *
 * A request is a value: what was asked, and the function that answers it. That
 * function either replies and returns 0, or returns a negative errno and has
 * not replied. -EAGAIN (the index has not come that far) parks the request,
 * which is then answered by another thread; anything else becomes the reply.
 * So there is exactly one reply to each request, and it comes last.
 *
 *	kernel -> worker -> op_x -> fs_run -> answer_x -> view_x, fuse_reply_x
 *	                               `-- -EAGAIN -> fs_park -> (5 ms) answer_x
 *
 * What must be done once although its reply has to wait (an append that is to
 * be seen first) is done by answer_x, which then puts fs_answer_seen in its
 * own place: see fs_wait_seen.
 */
#ifndef FS_INTERNAL_H
#define FS_INTERNAL_H

#include <fuse_lowlevel.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include "fs.h"
#include "fs_ahead.h"
#include "util/util_base.h"

/* What cannot change may be kept for 31 years. */
#define FS_FOREVER_SEC 1e9

/*
 * Of a directory only the times change, while a capture is indexed or grows: mode,
 * owner, links and size are the same from the start. The times are those of the
 * newest packet, so they tell nobody when something was added, and being 10 ms old
 * cannot hide a packet from who asks whether there is one: names and listings of
 * such a directory are not kept at all. What is not kept is asked for each time the
 * kernel looks at the permissions, which is once for each file that is opened there.
 * With 0, on 20,000 packets: a grep -r takes 1.4 times as long where there is
 * append/, three times as long while it is indexed elsewhere; ls -l six times.
 */
#define FS_LIVE_DIRECTORY_SEC 0.01

/* What the capture's file makes grow, which it does not just now: else each
 * stat(2) and read(2) of such a file would be asked for, too. So much later is it
 * seen when it goes on. */
#define FS_STILL_SEC 0.01

/* The largest read that the kernel makes: FUSE_MAX_MAX_PAGES of libfuse, the
 * pages of one request, times 4096. */
#define FS_READ_MAX ((size_t)1 << 20)

#define FS_NAME_MAX 255u

struct fs_request {
	struct fs *fs;
	fuse_req_t req;
	int (*answer)(struct fs_request *request);
	/* What was asked is done, and only waited for: the reply that this wait ends
	 * with, also when it is interrupted. NULL: it is not done yet */
	void (*done)(const struct fs_request *request);
	uint64_t node;
	uint64_t offset;
	size_t size;
	bool plus;           /* readdir: with attributes */
	const char *name;    /* lookup, getxattr, ...: lent until the answer; else NULL */
	const char *data;    /* write, symlink, ...: `size` bytes, lent as `name` is; or NULL */
	uint64_t new_parent; /* rename */
	uint64_t handle;     /* of a file in append/; 0: another */
	int flags;           /* of open(2), setxattr(2), renameat2(2), unlinkat(2) */
	mode_t mode;
	struct view_setattr change;
	struct view_entry made; /* mkdir: for its reply */
	uint64_t end;           /* view_seen */
	uint64_t ticket;        /* view_sync_done */
};

struct fs_request fs_request_on(fuse_req_t req, uint64_t node,
				int (*answer)(struct fs_request *request));

/* Answers, parks or refuses the request. */
void fs_run(struct fs_request *request);

/* The last word on a request that cannot wait any longer: its reply if it is
 * done, otherwise this error. */
void fs_give_up(const struct fs_request *request, int code);

/*
 * For the end of an answer that has done its work: replies by `done` as soon as
 * what was appended up to `end` can be seen (0: at once). Returns as an answer
 * does.
 */
int fs_wait_seen(struct fs_request *request, uint64_t end,
		 void (*done)(const struct fs_request *request));

/* A reply of success that carries nothing. */
void fs_reply_success(const struct fs_request *request);

/*
 * Requests that wait for the index. One thread tries them all again every few
 * milliseconds, so no worker is ever blocked.
 *
 * Lock order: `lock` is the innermost; no libfuse function is called under it.
 */
struct fs_parked;

struct fs_park {
	struct fs *fs;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct fs_parked *first, **last; /* under lock */
	bool ending;                     /* under lock */
	long tick_nsec;                  /* under lock: until the next try */
	bool started;                    /* the main thread's own */
	pthread_t thread;
};

int fs_park_open(struct fs_park *park);
int fs_park_start(struct fs_park *park);
/* Takes a copy of the request. 0; -ENOTCONN at the end, -ENOMEM: the caller
 * replies. */
int fs_park(struct fs_park *park, const struct fs_request *request);
void fs_park_stop(struct fs_park *park);
void fs_park_close(struct fs_park *park);

/*
 * Has the kernel forget the pages that it keeps of a node. Root can map a file
 * for writing and so change the kernel's pages of it, though never the capture;
 * they must not stay when the write is refused. See fs_forget.c.
 *
 * Lock order: `lock` is the innermost; no libfuse function is called under it.
 */
#define FS_FORGET_MAX 16384u /* above: those pages stay until memory is short */

struct fs_forget {
	struct fuse_session *session;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ending;                   /* under lock */
	unsigned first, count;         /* under lock: of a ring */
	uint64_t nodes[FS_FORGET_MAX]; /* under lock */
	bool started;                  /* the main thread's own */
	pthread_t thread;
};

int fs_forget_open(struct fs_forget *forget);
int fs_forget_start(struct fs_forget *forget, struct fuse_session *session);
/* Soon, and without waiting. */
void fs_forget(struct fs_forget *forget, uint64_t node);
/* Waits for the end of the thread for that long. False: it is still in the
 * kernel, and uses `forget` and its session when it returns from there. */
bool fs_forget_stop(struct fs_forget *forget, long nsec);
void fs_forget_close(struct fs_forget *forget);

/*
 * Gives pages of small files to the kernel before it asks. See fs_push.c.
 *
 * Lock order: `lock` is the innermost; no libfuse function is called under it.
 */
#define FS_PUSH_RUNS 64u /* above: they are read by requests */

struct fs_push {
	struct fs *fs;
	bool on; /* written by fs_push_start, before any request */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ending;                            /* under lock */
	bool in_kernel;                         /* under lock: in a call that may wait */
	unsigned first, count;                  /* under lock: of a ring */
	struct fs_ahead_run runs[FS_PUSH_RUNS]; /* under lock */
	struct fs_ahead ahead;                  /* under lock */
	bool started;                           /* the main thread's own */
	pthread_t thread;
};

int fs_push_open(struct fs_push *push, struct fs *fs);
int fs_push_start(struct fs_push *push);
/* A READ of this node was answered. Does not wait. */
void fs_push_read(struct fs_push *push, uint64_t node);
/* Waits for the end of the thread, for that long only if it is in the kernel. False:
 * it still is, and uses `push` alone when it returns from there. */
bool fs_push_stop(struct fs_push *push, long nsec);
void fs_push_close(struct fs_push *push);

/*
 * Directories whose listings come with attributes: see fs_dir.c. A small table,
 * keyed by node and allowed to forget.
 */
#define FS_HOT_SLOTS	   64u
#define FS_HOT_LISTED	   (1u << 17) /* entries, from the start of a listing; */
#define FS_HOT_LOOKED	   (1u << 14) /* after a LOOKUP, each of which adds */
#define FS_HOT_LOOKED_MORE (1u << 8)  /* some more, */
#define FS_HOT_MAX	   (1u << 21) /* up to so many */

struct fs_hot {
	_Atomic uint64_t node;
	_Atomic unsigned entries; /* still to be listed with attributes */
};

/* A part of a listing, as a reply has it. */
struct fs_listing {
	fuse_req_t req; /* NULL: none yet */
	char *bytes;
	size_t size, used;
	unsigned count;
	uint64_t next; /* behind the last entry */
	bool plus, attributes;
	bool more; /* there is another entry that had no room */
};

/*
 * The next part of a listing, made before it is asked for. See fs_prepare.c.
 *
 * Lock order: `lock` is the innermost; nothing is listed under it.
 */
struct fs_prepare {
	struct fs *fs;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ending; /* under lock */
	enum {
		FS_PREPARE_IDLE,
		FS_PREPARE_WANTED,
		FS_PREPARE_LISTING,
		FS_PREPARE_READY,
	} state;               /* under lock */
	uint64_t node, offset; /* under lock: where it begins */
	/* under lock, but the thread's own while it is LISTING */
	struct fs_listing listing;
	bool started; /* the main thread's own */
	pthread_t thread;
};

int fs_prepare_open(struct fs_prepare *prepare, struct fs *fs);
int fs_prepare_start(struct fs_prepare *prepare);
/* What comes behind this part of a lasting directory's listing will be asked for soon,
 * by an equally large request. Does not wait. */
void fs_prepare(struct fs_prepare *prepare, uint64_t node, const struct fs_listing *last);
/* True: the part that is asked for was ready. It is in the thread's fs_buffer() now. */
bool fs_prepared(struct fs_prepare *prepare, const struct fs_request *request,
		 struct fs_listing *ret);
void fs_prepare_stop(struct fs_prepare *prepare);
void fs_prepare_close(struct fs_prepare *prepare);

/*
 * Directories that the kernel keeps a listing of although they may change: each
 * with the version that was current when it was opened last. As allowed to
 * forget.
 */
#define FS_LISTED_SLOTS 1024u
#define FS_LISTED_FINAL UINT64_MAX /* the version of one that no longer changes */

struct fs_listed {
	pthread_mutex_t lock;
	struct {
		uint64_t node, version;
	} slots[FS_LISTED_SLOTS]; /* under lock */
};

struct fs {
	struct view *view;
	struct fuse_session *session;
	unsigned threads, started;
	pthread_t workers[FS_THREADS_MAX];
	bool noxattr;
	bool appends;
	bool nopush;
	bool nopin;
	bool no_open; /* written by INIT, before any other request */
	int ended_fd;
	int (*open_status)(void *context, pid_t pid);
	void *open_context;
	sem_t settled; /* posted by INIT, and by each worker that ends */
	_Atomic bool initialized;
	/* of the request INIT, written before any other request comes */
	uint64_t hello_unique;
	uint32_t hello_flags;
	_Atomic bool hello_done;
	struct fs_park park;
	struct fs_forget forget;
	struct fs_push push;
	struct fs_hot hot[FS_HOT_SLOTS];
	struct fs_listed listed;
	struct fs_prepare prepare;
	_Atomic uint64_t failures;
};

/* fs_hello.c: for a session that is mounted. 0 or negative errno. */
int fs_hello(struct fs *fs);

/* fs_ops.c */
extern const struct fuse_lowlevel_ops fs_ops;
/* Reads until `size` bytes are there or the file ends. Returns the count. */
int64_t fs_fill(struct fs *fs, uint64_t node, uint64_t offset, char *bytes, size_t size);

/* fs_dir.c */
void fs_hot_touch(struct fs *fs, uint64_t directory);
/* Entries of a lasting directory, with attributes, into listing->bytes. As
 * view_list_lasting. */
int fs_list_lasting(struct fs *fs, uint64_t node, uint64_t offset, struct fs_listing *listing);
void fs_op_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info);
void fs_op_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset,
		   struct fuse_file_info *info);
void fs_op_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset,
		       struct fuse_file_info *info);

/* fs_change.c */
void fs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void fs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void fs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		  const char *new_name, unsigned flags);
void fs_op_setattr(fuse_req_t req, fuse_ino_t node, struct stat *attr, int to_set,
		   struct fuse_file_info *info);
void fs_op_write(fuse_req_t req, fuse_ino_t node, const char *bytes, size_t size, off_t offset,
		 struct fuse_file_info *info);
void fs_op_readlink(fuse_req_t req, fuse_ino_t node);
void fs_op_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t parent, const char *name);

/* fs_file.c */
void fs_op_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info);
void fs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		  struct fuse_file_info *info);
void fs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void fs_op_flush(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info);
void fs_op_release(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info);
void fs_op_fsync(fuse_req_t req, fuse_ino_t node, int data_only, struct fuse_file_info *info);
void fs_op_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t offset, off_t length,
		     struct fuse_file_info *info);

/* fs_xattr.c */
void fs_op_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size);
void fs_op_listxattr(fuse_req_t req, fuse_ino_t node, size_t size);
void fs_op_setxattr(fuse_req_t req, fuse_ino_t node, const char *name, const char *value,
		    size_t size, int flags);
void fs_op_removexattr(fuse_req_t req, fuse_ino_t node, const char *name);

/* fs_reply.c */

/* What the kernel may see of a failure of ours: a positive errno. */
int fs_errno(int code);
void fs_entry(const struct view_entry *entry, struct fuse_entry_param *ret);
double fs_attr_timeout(const struct view_entry *entry);
/* Logs the failures that are not the caller's mistake. */
void fs_reply_error(const struct fs_request *request, int code);

/* FS_READ_MAX bytes that belong to the calling thread. NULL: no memory. */
char *fs_buffer(void);
void fs_buffer_free(void);
/* Gives such a buffer to the thread, and takes the thread's away. NULL: none. */
char *fs_buffer_swap(char *bytes);
void fs_buffer_drop(char *bytes);

/* fs_log.c */
void fs_log(int priority, const char *format, ...) _printf_(2, 3);
/* Sends libfuse's own messages the same way. */
void fs_log_install(void);

#endif
