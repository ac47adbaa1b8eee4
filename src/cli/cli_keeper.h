/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper: a process that does for the daemon what the daemon may not do any
 * more once it is in its sandbox. It is forked before a byte of a capture is
 * looked at, and never looks at one: it mounts, unmounts, opens, removes, and
 * tells about other processes.
 *
 *	cli_keeper_start(&keeper, &task);       fork: before there are threads
 *	cli_sandbox_enter(...);
 *	cli_keeper_mount(&keeper, &fd);
 *	...
 *	cli_keeper_unmount(&keeper);            and what else is to be tidied up
 *	cli_keeper_stop(&keeper);
 *
 * The daemon may be in the hands of who wrote the capture. So what the keeper
 * mounts, where, and which files it opens is in its task, which it has from
 * before; a question only says which of that.
 *
 *	daemon                             keeper
 *	  |--- question ----------------->|
 *	  |<-- answer, and a descriptor --|
 *	  |--- a line for the log ------->|  (no answer)
 *	  |--- end of file -------------->|  (the daemon has ended, however that was)
 *
 * At the end of the daemon it ends, too. A mount that has answered and was not
 * ended by cli_keeper_unmount (SIGKILL) is left: a dead one is better than an
 * empty directory, unless the task says otherwise (libfuse's own auto_unmount does
 * nothing where an ordinary user mounts). After one that was ended, the keeper is the
 * last to end: it waits for the daemon's process, then removes the directory if we
 * made it, and lets go of the lock on the place (cli_place.h). A mount that never has
 * answered is taken back, and the daemon waits for the keeper.
 *
 * Threads: cli_keeper_start and _stop from one, the others from any.
 */
#ifndef CLI_KEEPER_H
#define CLI_KEEPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct append_paths;
struct cli_index_place;
struct pktfs_error;

/* All of it is lent until the keeper is started. */
struct cli_keeper_task {
	const char *name;          /* of the place */
	bool must_be_empty;        /* cli_place_open */
	bool auto_unmount;         /* leave no dead mount */
	const char *mount_options; /* for libfuse */
	const char *const *files;  /* absolute paths that may be opened for reading; */
	size_t file_count;
	const char *const *directories; /* and regular files that lie in these */
	size_t directory_count;
	const char *spool; /* the directory of spool files; NULL: as the library has it */
	const struct cli_index_place *index; /* of the capture; NULL: none is kept */
	const char *made;  /* a file to be removed if the mount never answers; NULL: none */
	bool change_user;  /* the mount belongs to `uid` and `gid` */
	uid_t uid;
	gid_t gid;
};

struct cli_keeper {
	int fd; /* -1: none was started */
	pid_t pid;
	bool ready; /* the mount answers */
	pthread_mutex_t lock; /* of a question and its answer */
};

/* 0 or negative errno; *keeper is to be stopped only after 0. */
int cli_keeper_start(struct cli_keeper *keeper, const struct cli_keeper_task *task);

/* Opens the place and mounts: 0 and the descriptor of the device; negative errno,
 * and why was said on standard error. */
int cli_keeper_mount(struct cli_keeper *keeper, int *ret_fd);

/* The mount answers: what root can do to make it faster is done. *ret_device: its
 * st_dev, 0 where it is unmounted by now. -ENOTCONN: nothing was mounted. */
int cli_keeper_ready(struct cli_keeper *keeper, dev_t *ret_device);

/* Leaves the terminal, as cli_daemon_ready. */
int cli_keeper_detach(struct cli_keeper *keeper);

/* For pktfs_open_options; `keeper` is a struct cli_keeper. -EACCES: not in the
 * task. */
int cli_keeper_open(void *keeper, const char *path, int flags);

/* For fs_options: /proc/PID/status. */
int cli_keeper_open_status(void *keeper, pid_t pid);

/* append_holder_was_last, by one who may look; where there is none left: true. */
bool cli_keeper_was_last(void *keeper, pid_t opener, pid_t closer,
			 const struct append_paths *paths);

/*
 * The index of the task (cli_index_place.h): a descriptor to read from; one of a new
 * file to write to, which gets the name of the index, or goes again, when it is
 * finished; and to remove it. Negative errno; -ENOENT: no index is kept.
 */
int cli_keeper_index_open(struct cli_keeper *keeper);
int cli_keeper_index_make(struct cli_keeper *keeper);
int cli_keeper_index_finish(struct cli_keeper *keeper, bool keep);
int cli_keeper_index_drop(struct cli_keeper *keeper);

/* A line for the system log; `priority` as for syslog(3). Cut if it is long. */
void cli_keeper_log(struct cli_keeper *keeper, int priority, const char *text);

/* Unmounts lazily, unless the mount is gone or never was. 0 or negative errno; the
 * error's text says why. */
int cli_keeper_unmount(struct cli_keeper *keeper, struct pktfs_error *ret_error);

/* What is left to do is to end. */
void cli_keeper_stop(struct cli_keeper *keeper);

#endif
