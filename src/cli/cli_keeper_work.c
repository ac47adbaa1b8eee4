/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper's own side: what it does, and nothing that is not in its task. */
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "cli_index_place.h"
#include "cli_keeper_talk.h"
#include "cli_log.h"
#include "cli_mounts.h"
#include "cli_place.h"
#include "cli_words.h"
#include "fs/fs.h"
#include "source/source_spool.h"
#include "util/util_base.h"

/* Behind the standard ones. */
#define KEEPER_SOCKET 3

/* What to do about the one refusal of fusermount3 that only root can lift. */
#define WHO_ALLOWS "; have root add that line to it, or leave the option out"

struct keeping {
	const struct cli_keeper_task *task;
	struct cli_place place; /* open once a mount was asked for */
	bool tried, mounted, ready, ended;
	unsigned made; /* indexes; the last one is not finished yet: */
	bool making;
	dev_t device;   /* of the mount; 0: not known */
	char ident[32]; /* for the system log: the daemon's */
};

/* ---- the mount */

/* The user of a mount is who makes it; the right to is the effective user's. */
static int become(uid_t uid, gid_t gid)
{
	if (setresgid(gid, (gid_t)-1, (gid_t)-1) < 0 || setresuid(uid, (uid_t)-1, (uid_t)-1) < 0)
		return -errno;
	return 0;
}

static int mount_as_user(const char *path, const struct cli_keeper_task *task)
{
	int fd, r = task->change_user ? become(task->uid, task->gid) : 0;

	if (r < 0)
		return r;
	fd = fs_mount_only(task->mount_options, path);
	r = task->change_user ? become(0, 0) : 0;
	if (r == 0)
		return fd;
	util_close(fd);
	return r;
}

/* The descriptor; or negative errno, and why was said. */
static int mount_at(const char *path, const struct cli_keeper_task *task)
{
	char text[CLI_WORDS_ROOM];
	struct cli_words words;
	bool said;
	int fd;

	cli_words_begin(&words);
	fd = mount_as_user(path, task);
	said = cli_words_end(&words, text, sizeof(text));
	if (*text)
		cli_fail(task->name, fd < 0 ? "cannot be mounted: %s%s" : "%s%s", text,
			 strstr(text, "user_allow_other") ? WHO_ALLOWS : "");
	else if (fd < 0 && !said)
		cli_fail(task->name, "cannot be mounted: %s", strerror(-fd));
	return fd;
}

/* Once: the daemon has no say in what else would be mounted there. */
static int keep_mount(struct keeping *keeping)
{
	const struct cli_keeper_task *task = keeping->task;

	if (keeping->tried || keeping->ended)
		return -EBUSY;
	keeping->tried = true;
	if (cli_place_open(task->name, task->must_be_empty, &keeping->place))
		return -EIO; /* that has said why */
	keeping->mounted = true; /* or half so */
	return mount_at(keeping->place.path, task);
}

static int keep_ready(struct keeping *keeping)
{
	struct cli_mount mount;

	if (!keeping->mounted)
		return -ENOTCONN;
	keeping->ready = true;
	/* not by stat: a kill of the daemon in the middle of it would leave us waiting */
	if (cli_mounts_find(keeping->place.path, &mount) != 1 || !mount.pktfs)
		return 0; /* somebody was quick to unmount it */
	keeping->device = mount.device;
	fs_raise_readahead(mount.device);
	return 0;
}

/*
 * Lazily, so that it works while files are open. Not if the mount is gone
 * already: what is at the same place by now is not ours.
 */
static int keep_unmount(struct keeping *keeping, struct pktfs_error *ret_error)
{
	const char *path = keeping->place.path;
	struct cli_mount mount;
	int r = 0;

	if (keeping->ended)
		return 0;
	keeping->ended = true;
	if (keeping->mounted && cli_mounts_find(path, &mount) == 1 && mount.pktfs &&
	    (!keeping->device || mount.device == keeping->device))
		r = cli_unmount(path, true, ret_error);
	return r;
}

/* ---- files */

static bool is_directly_in(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	if (length && directory[length - 1] == '/')
		length--;
	return !strncmp(path, directory, length) && path[length] == '/' && path[length + 1] &&
	       !strchr(path + length + 1, '/') && strcmp(path + length, "/..");
}

/* 1: given by name; 2: lies in a directory that was; 0: neither. */
static int is_given(const struct cli_keeper_task *task, const char *path)
{
	for (size_t i = 0; i < task->file_count; i++)
		if (!strcmp(path, task->files[i]))
			return 1;
	for (size_t i = 0; i < task->directory_count; i++)
		if (is_directly_in(path, task->directories[i]))
			return 2;
	return 0;
}

/* Never waits for the other end of a pipe. */
static int keep_file(const struct cli_keeper_task *task, const char *path)
{
	int given = is_given(task, path), fd;
	struct stat st;

	if (!given)
		return -EACCES;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
				(given == 2 ? O_NOFOLLOW : 0));
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || (given == 2 && !S_ISREG(st.st_mode))) {
		close(fd);
		return -EACCES;
	}
	fcntl(fd, F_SETFL, 0);
	return fd;
}

static int keep_status(pid_t pid)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* ---- the index: one place, whatever the daemon says */

static int keep_index_make(struct keeping *keeping)
{
	int fd;

	if (keeping->making)
		return -EBUSY;
	fd = cli_index_place_make(keeping->task->index, ++keeping->made);
	keeping->making = fd >= 0;
	return fd;
}

static int keep_index_finish(struct keeping *keeping, bool keep)
{
	if (!keeping->making)
		return -ENOENT;
	keeping->making = false;
	return cli_index_place_finish(keeping->task->index, keeping->made, keep);
}

/* *ret_fd is set where the question is for one. */
static int keep_index(struct keeping *keeping, enum keeper_verb verb, int *ret_fd)
{
	const struct cli_index_place *place = keeping->task->index;

	if (!place)
		return -ENOENT;
	if (verb == KEEPER_INDEX_OPEN)
		return *ret_fd = cli_index_place_open(place);
	if (verb == KEEPER_INDEX_MAKE)
		return *ret_fd = keep_index_make(keeping);
	if (verb == KEEPER_INDEX_DROP)
		return cli_index_place_drop(place);
	return keep_index_finish(keeping, verb == KEEPER_INDEX_KEEP);
}

/* ---- other processes */

/* Only of our own mount: how its paths end is known. */
static int keep_was_last(const struct keeper_question *question)
{
	static const char append[] = "/append/";

	for (unsigned i = 0; i < question->paths.count; i++)
		if (strncmp(question->paths.text[i], append, sizeof(append) - 1) != 0)
			return -EINVAL;
	return append_holder_was_last(question->pid, question->other, &question->paths);
}

/* The directory that we were started in is not held any longer, nor what stands
 * for the terminal. */
static int keep_detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (null < 0 || chdir("/") < 0)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	close(null);
	return 0;
}

/* ---- all of it */

static void serve(struct keeping *keeping, struct keeper_question *question)
{
	struct keeper_answer answer = {0};
	int result = -EINVAL, fd = -1;
	struct pktfs_error error;

	switch (question->verb) {
	case KEEPER_MOUNT:
		result = fd = keep_mount(keeping);
		break;
	case KEEPER_READY:
		result = keep_ready(keeping);
		break;
	case KEEPER_DETACH:
		result = keep_detach();
		break;
	case KEEPER_FILE:
		result = fd = keep_file(keeping->task, question->text);
		break;
	case KEEPER_SPOOL:
		result = fd = source_spool_make(keeping->task->spool);
		break;
	case KEEPER_STATUS:
		result = fd = keep_status(question->pid);
		break;
	case KEEPER_WAS_LAST:
		question->paths.device = keeping->device;
		result = keep_was_last(question);
		break;
	case KEEPER_LOG:
		syslog(LOG_PRI(question->priority), "%s", question->text);
		return;
	case KEEPER_INDEX_OPEN:
	case KEEPER_INDEX_MAKE:
	case KEEPER_INDEX_KEEP:
	case KEEPER_INDEX_FORGET:
	case KEEPER_INDEX_DROP:
		result = keep_index(keeping, question->verb, &fd);
		break;
	case KEEPER_UNMOUNT:
		result = keep_unmount(keeping, &error);
		if (result < 0)
			snprintf(answer.words, sizeof(answer.words), "%s", error.text);
		break;
	}
	answer.result = MIN(result, 1);
	answer.device = keeping->device;
	keeper_send_answer(KEEPER_SOCKET, &answer, fd);
	util_close(fd);
}

/* It outlives what is meant for the daemon, Ctrl-C in a terminal too. */
static void ignore_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
}

/* Keeps of what the daemon has: the socket, and what messages go to. */
static void keep_descriptors(int socket)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (socket != KEEPER_SOCKET)
		dup3(socket, KEEPER_SOCKET, O_CLOEXEC);
	close_range(KEEPER_SOCKET + 1, ~0u, 0);
}

/* Of our parent, which has closed its end of the socket and may have memory to give
 * back. */
static void wait_for_end_of(pid_t parent)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, parent, 0);
	struct pollfd end = {.fd = fd, .events = POLLIN};

	while (fd >= 0 && getppid() == parent && poll(&end, 1, -1) < 0 && errno == EINTR)
		;
}

void keeper_work(int socket, const struct cli_keeper_task *task)
{
	struct keeping keeping = {.task = task, .place.lock = -1};
	struct keeper_question question;
	pid_t daemon = getppid();

	ignore_signals();
	prctl(PR_SET_NAME, "pktfs-keeper", 0, 0, 0);
	keep_descriptors(socket);
	snprintf(keeping.ident, sizeof(keeping.ident), "pktfs[%d]", (int)daemon);
	openlog(keeping.ident, 0, LOG_DAEMON);
	while (keeper_receive(KEEPER_SOCKET, &question))
		serve(&keeping, &question);
	keep_index_finish(&keeping, false);
	if (keeping.ready)
		wait_for_end_of(daemon);
	if (!keeping.ready || task->auto_unmount)
		keep_unmount(&keeping, NULL);
	if (!keeping.ready && task->made)
		unlink(task->made);
	if (keeping.ended)
		cli_place_close(&keeping.place);
	_exit(0);
}
