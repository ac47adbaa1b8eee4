/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of append/ share.
 *
 * Locks, in the order they are taken: `map_lock` (interfaces are added), then
 * `lock` (everything else), then that of the writer. Neither is held over a
 * record's way to the disk, but `map_lock` over that of an interface.
 *
 * A commit works on a draft that is `busy`: nobody else changes or frees it, and
 * its file stays; who wants to waits for `idle`.
 */
#ifndef APPEND_INTERNAL_H
#define APPEND_INTERNAL_H

#include <stdatomic.h>

#include "append_attribute.h"
#include "append_holder.h"
#include "append_table.h"

/* What a file that is not committed counts beside its bytes. */
#define APPEND_FILE_COST 1024u

/* Of a name, with its NUL. */
#define APPEND_NAME_ROOM 256u
/* A line of the log has room for more than that. */
#define APPEND_PATH_SHOWN 160u
/* How long one append_seen waits. */
#define APPEND_SEEN_MS 2

struct append_handle {
	struct append_handle *next;
	uint64_t number;
	pid_t pid; /* the process that opened it; 0: not known */
	bool writes;
	bool flushed; /* a descriptor of it was closed, maybe the last one */
};

/* What a file has as long as it is not committed, or is open. */
struct append_draft {
	uint64_t id;
	uint8_t *bytes;
	uint64_t size, room;
	uint64_t charged; /* of append->pending_bytes */
	struct append_handle *handles;
	struct append_attributes attributes;
	int error;      /* why it was refused; 0: it was not */
	bool busy;      /* a commit is under way */
	bool has_time;  /* somebody has set it */
	bool temporary; /* rsync's: committed when it is renamed */
	bool synced;    /* somebody waits for the disk, once it is committed */
	/* a temporary one that nobody has open, in append->waiting */
	bool waits;
	int64_t deadline_ms;
	struct append_draft *before, *after;
};

/* Where packets of an interface of the capture go. */
struct append_target {
	bool known;
	uint32_t number; /* in the file's last section */
	uint16_t link_type;
	uint8_t resolution;
	int64_t offset_seconds;
};

/* An interface that was added by name. */
struct append_named {
	uint64_t interface;
	char *name;
};

/* Where the file begins in the capture. */
struct append_base {
	bool known;
	uint64_t offset, packets, interfaces;
};

/* Tickets that a failed synchronisation was for: those above `from` up to `to`. */
struct append_failure {
	uint64_t from, to;
	int code;
};
#define APPEND_FAILURES 8u

struct append {
	pktfs_writer *writer;
	char path[APPEND_PATH_SHOWN + 1]; /* for the log: the end of a long one */
	int path_fd; /* O_PATH, for fstatvfs */
	struct append_options options;
	bool separate, pcapng, compressed;
	uint64_t packets_before;   /* in the file, when it was opened */
	uint64_t interfaces_first; /* the same */
	pktfs_capture *capture;
	uint64_t node_base;   /* see append_start */
	_Atomic dev_t device; /* of the mount; 0: not known yet */
	void (*log)(void *context, const char *line);
	void *log_context;
	_Atomic bool indexed;        /* the first time, to the end */
	_Atomic uint64_t interfaces; /* so many the capture has, at least */

	pthread_mutex_t map_lock;
	struct append_target *targets; /* by interface of the capture */
	size_t target_room;

	pthread_mutex_t lock;
	pthread_cond_t idle; /* a draft is not busy any more */
	struct append_table table;
	struct append_base base;
	struct append_named *named; /* by interface */
	size_t named_count, named_room;
	uint64_t last_handle;
	uint64_t pending_bytes;
	uint64_t written; /* where the last record ends, in the file */
	/* temporary files that nobody has open, in the order of their deadlines */
	struct append_draft *waiting, *last_waiting;

	/* the quiet thread */
	pthread_cond_t quiet_wake;
	pthread_t quiet_thread;
	bool started, stopping;
	bool frame_open; /* may be */
	int64_t frame_due_ms;
	int quiet_error; /* that was logged */

	/* the sync thread */
	pthread_cond_t sync_wake;
	pthread_t sync_thread;
	uint64_t sync_wanted, sync_done;
	struct append_failure failures[APPEND_FAILURES];
	unsigned failure_count;
};

/* ---- append.c */

/* 0 or -EAGAIN. */
int append_base_get(struct append *append, struct append_base *ret);
/* Whether the first indexing has ended. */
bool append_is_indexed(struct append *append);
/* One line: "append/PLACE/NAME: ...". */
void append_log_file(struct append *append, const struct append_place *place, const char *name,
		     const char *format, ...) _printf_(4, 5);
void append_log(struct append *append, const char *line);
/* One line of the file that is appended to: "append: PATH: WHAT". */
void append_log_path(struct append *append, const char *what);
/* "0/NAME", with %XX. */
void append_path_text(struct text *text, const struct append_place *place, const char *name);
/* CLOCK_MONOTONIC */
int64_t append_now_ms(void);

/* ---- append_draft.c: with the lock */

int append_draft_new(struct append *append, struct append_file *file);
/* What the commit took, or nobody wants any more: all but the handles. */
void append_draft_empty(struct append *append, struct append_draft *draft);
/* Frees the draft and the file, as far as they are not needed. */
void append_settle(struct append *append, struct append_file *file);
/* Makes room for a size, filled with zeros. */
int append_draft_resize(struct append *append, struct append_draft *draft, uint64_t size);
/* Takes what the attributes take into account, too. */
int append_draft_charge(struct append *append, struct append_draft *draft, uint64_t bytes);
int append_handle_new(struct append *append, struct append_draft *draft,
		      const struct append_who *who, uint64_t *ret);
struct append_handle *append_handle_find(struct append_draft *draft, uint64_t number);
bool append_draft_has_writer(const struct append_draft *draft);
void append_wait(struct append *append, struct append_draft *draft);
void append_wait_not(struct append *append, struct append_draft *draft);

/* ---- append_file.c: with the lock */

/* When no commit of it is under way; NULL: there is none. */
struct append_file *append_file_idle(struct append *append, uint64_t id);
/* Nobody finds it by its name any more. */
void append_file_unname(struct append *append, struct append_file *file);
/* What was refused has no name any more: why it was. */
int append_file_refused(struct append *append, struct append_file *file);
/* Without the lock: whether there may be files in this place: 0 or as append_create;
 * and a line on what that says, where it needs one. */
int append_place_check(struct append *append, const struct append_place *place);
void append_place_log(struct append *append, const struct append_place *place, const char *name,
		      int r);
bool append_name_is_temporary(const char *name);

/* ---- append_interface.c */

int append_target_get(struct append *append, uint64_t interface, struct append_target *ret,
		      struct pktfs_error *ret_error);
/* Whether the capture has this interface: 0, -EAGAIN (not yet), -ENXIO. */
int append_interface_check(struct append *append, uint64_t interface);
/* Whether there is only one: 1, 0, -EAGAIN. */
int append_only_check(struct append *append);
/* The name of an interface that was added; NULL. With the lock. */
const char *append_name_of(const struct append *append, uint64_t interface);

/* ---- append_commit.c */

/* Commits file `id` if it is pending, has bytes and a name, wherever it is open:
 * as a packet of `place` (NULL: where it is). 0 as well when there is nothing to do. */
int append_commit(struct append *append, uint64_t id, const struct append_place *place,
		  uint64_t *ret_end);
/* The file has become longer, up to `end`. */
void append_written(struct append *append, uint64_t end);
/* The line of a file that was not appended. */
void append_log_refusal(struct append *append, const struct append_place *place, const char *name,
			uint64_t size, const struct pktfs_error *error);
/* Tells the capture to look. */
void append_show(struct append *append);

/* ---- append_flush.c */

/* Whether a process may still write to file `id`: there was no close, or it has it
 * open. Without the lock. */
bool append_is_open(struct append *append, uint64_t id);

/* ---- append_thread.c */

int append_threads_start(struct append *append);
void append_threads_stop(struct append *append);
/* With the lock. */
void append_threads_frame(struct append *append);
void append_threads_wake(struct append *append);

#endif
