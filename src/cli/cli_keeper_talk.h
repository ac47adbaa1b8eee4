/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemon and its keeper say to each other; see cli_keeper.h. */
#ifndef CLI_KEEPER_TALK_H
#define CLI_KEEPER_TALK_H

#include <limits.h>

#include "append/append_holder.h"
#include "cli_keeper.h"
#include "cli_words.h"

enum keeper_verb {
	KEEPER_MOUNT, /* a descriptor */
	KEEPER_READY,
	KEEPER_DETACH,
	KEEPER_FILE,   /* a descriptor of `text` */
	KEEPER_SPOOL,  /* a descriptor */
	KEEPER_STATUS, /* a descriptor of that of `pid` */
	KEEPER_WAS_LAST,
	KEEPER_LOG, /* no answer */
	KEEPER_INDEX_OPEN, /* a descriptor */
	KEEPER_INDEX_MAKE, /* a descriptor */
	KEEPER_INDEX_KEEP,
	KEEPER_INDEX_FORGET, /* what was made */
	KEEPER_INDEX_DROP,
	KEEPER_UNMOUNT,
};

struct keeper_question {
	enum keeper_verb verb;
	int priority;
	pid_t pid, other; /* other: who closes */
	union {
		char text[PATH_MAX];
		struct append_paths paths;
	};
};

/* Negative errno; or 0, or 1 for "yes", and a descriptor where the question was
 * for one. */
struct keeper_answer {
	int result;
	dev_t device; /* of the mount, once it is ready */
	char words[CLI_WORDS_ROOM]; /* KEEPER_UNMOUNT: why not */
};

/* A question that was not sent whole is -EIO. */
int keeper_send(int socket, const struct keeper_question *question);
/* 1; 0: the other end is gone. Texts end with a NUL. */
int keeper_receive(int socket, struct keeper_question *ret);

/* `fd` -1: none goes with it; it stays the caller's to close. */
int keeper_send_answer(int socket, const struct keeper_answer *answer, int fd);
/* *ret_fd is -1 where none came. */
int keeper_receive_answer(int socket, struct keeper_answer *ret, int *ret_fd);

/* What the process does, until the other end is gone. */
_Noreturn void keeper_work(int socket, const struct cli_keeper_task *task);

#endif
