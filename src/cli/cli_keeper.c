/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's side. */
#include "cli_keeper.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli_keeper_talk.h"
#include "util/util_base.h"

int cli_keeper_start(struct cli_keeper *keeper, const struct cli_keeper_task *task)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		pid = -errno;
		close(ends[0]);
		close(ends[1]);
		return pid;
	}
	if (pid == 0) {
		close(ends[0]);
		keeper_work(ends[1], task);
	}
	close(ends[1]);
	*keeper = (struct cli_keeper){.fd = ends[0], .pid = pid};
	pthread_mutex_init(&keeper->lock, NULL);
	return 0;
}

void cli_keeper_stop(struct cli_keeper *keeper)
{
	if (keeper->fd < 0)
		return;
	close(keeper->fd);
	keeper->fd = -1;
	/* one that has a mount to tidy up after waits for us */
	while (!keeper->ready && waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	pthread_mutex_destroy(&keeper->lock);
}

/* The result of the answer. *ret_fd: what came with it, or -1. */
static int ask(struct cli_keeper *keeper, const struct keeper_question *question,
	       struct keeper_answer *ret, int *ret_fd)
{
	int r;

	*ret_fd = -1;
	pthread_mutex_lock(&keeper->lock);
	r = keeper_send(keeper->fd, question);
	if (r == 0)
		r = keeper_receive_answer(keeper->fd, ret, ret_fd);
	pthread_mutex_unlock(&keeper->lock);
	return r < 0 ? r : ret->result;
}

static int ask_simply(struct cli_keeper *keeper, enum keeper_verb verb)
{
	const struct keeper_question question = {.verb = verb};
	struct keeper_answer answer;
	int fd;

	return ask(keeper, &question, &answer, &fd);
}

/* The descriptor. */
static int ask_for_fd(struct cli_keeper *keeper, const struct keeper_question *question)
{
	struct keeper_answer answer;
	int fd, r = ask(keeper, question, &answer, &fd);

	if (r < 0)
		return r;
	return fd < 0 ? -EMFILE : fd; /* the kernel drops what finds no number here */
}

int cli_keeper_mount(struct cli_keeper *keeper, int *ret_fd)
{
	const struct keeper_question question = {.verb = KEEPER_MOUNT};
	int fd = ask_for_fd(keeper, &question);

	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int cli_keeper_ready(struct cli_keeper *keeper, dev_t *ret_device)
{
	const struct keeper_question question = {.verb = KEEPER_READY};
	struct keeper_answer answer;
	int fd, r = ask(keeper, &question, &answer, &fd);

	if (r < 0)
		return r;
	*ret_device = answer.device;
	keeper->ready = true;
	return 0;
}

int cli_keeper_detach(struct cli_keeper *keeper)
{
	return ask_simply(keeper, KEEPER_DETACH);
}

int cli_keeper_unmount(struct cli_keeper *keeper, struct pktfs_error *ret_error)
{
	const struct keeper_question question = {.verb = KEEPER_UNMOUNT};
	struct keeper_answer answer = {0};
	int fd, r = ask(keeper, &question, &answer, &fd);

	if (r < 0)
		return error_set(ret_error, r, "%s", answer.words[0] ? answer.words : strerror(-r));
	return 0;
}

int cli_keeper_open(void *keeper, const char *path, int flags)
{
	struct keeper_question question = {
		.verb = (flags & O_TMPFILE) == O_TMPFILE ? KEEPER_SPOOL : KEEPER_FILE};

	if (strlen(path) >= sizeof(question.text))
		return -ENAMETOOLONG;
	memcpy(question.text, path, strlen(path));
	return ask_for_fd(keeper, &question);
}

int cli_keeper_open_status(void *keeper, pid_t pid)
{
	const struct keeper_question question = {.verb = KEEPER_STATUS, .pid = pid};

	return ask_for_fd(keeper, &question);
}

bool cli_keeper_was_last(void *keeper, pid_t opener, pid_t closer,
			 const struct append_paths *paths)
{
	const struct keeper_question question = {
		.verb = KEEPER_WAS_LAST, .pid = opener, .other = closer, .paths = *paths};
	struct keeper_answer answer;
	int fd;

	return ask(keeper, &question, &answer, &fd) != 0;
}

int cli_keeper_index_open(struct cli_keeper *keeper)
{
	return ask_for_fd(keeper, &(struct keeper_question){.verb = KEEPER_INDEX_OPEN});
}

int cli_keeper_index_make(struct cli_keeper *keeper)
{
	return ask_for_fd(keeper, &(struct keeper_question){.verb = KEEPER_INDEX_MAKE});
}

int cli_keeper_index_finish(struct cli_keeper *keeper, bool keep)
{
	return ask_simply(keeper, keep ? KEEPER_INDEX_KEEP : KEEPER_INDEX_FORGET);
}

int cli_keeper_index_drop(struct cli_keeper *keeper)
{
	return ask_simply(keeper, KEEPER_INDEX_DROP);
}

void cli_keeper_log(struct cli_keeper *keeper, int priority, const char *text)
{
	struct keeper_question question = {.verb = KEEPER_LOG, .priority = priority};

	memcpy(question.text, text, MIN(strlen(text), sizeof(question.text) - 1));
	pthread_mutex_lock(&keeper->lock);
	keeper_send(keeper->fd, &question);
	pthread_mutex_unlock(&keeper->lock);
}
