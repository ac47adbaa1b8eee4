/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What appears in the directories of a ring. A new file is the last of the capture
 * and may grow; it is taken when the one before is finished: closed by its writer,
 * or quiet. inotify says when to look; where that does not work (network file
 * systems), a look each second has to do.
 */
#include "cli_ring.h"

#include <fcntl.h>
#include <poll.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "cli_log.h"
#include "cli_ring_private.h"

#define LOOK_MS    1000 /* nothing is said by inotify */
#define PENDING_MS 100  /* something waits for a file to be finished */
#define PAUSE_NSEC 10000000L
#define QUIET_MS   2000

#define EVENTS                                                                              \
	(IN_CREATE | IN_MOVED_TO | IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | \
	 IN_ONLYDIR)

void cli_ring_watch(struct cli_ring *ring, struct ring_directory *directory)
{
	char path[32];

	if (ring->inotify < 0)
		ring->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (ring->inotify < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", directory->fd);
	directory->watch = inotify_add_watch(ring->inotify, path, EVENTS);
	if (directory->watch < 0)
		directory->watch = inotify_add_watch(ring->inotify, directory->path, EVENTS);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t changed_ms(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

/* Nothing more is expected of it. A clock that was set back is no reason to wait. */
static bool is_finished(const struct ring_file *file)
{
	int64_t quiet = now_ms() - file->changed_ms;

	return file->closed || file->gone || quiet >= QUIET_MS || quiet < -QUIET_MS;
}

/* As it is now, by its name. */
static bool look_at(const struct cli_ring *ring, const struct ring_file *file, struct stat *ret)
{
	return file->directory != NO_DIRECTORY &&
	       cli_ring_stat(ring, file->directory, cli_ring_base(file), ret) == 0 &&
	       ret->st_ino == file->inode && ret->st_dev == file->device;
}

/* The last file that was taken; there is one. */
static struct ring_file *last_taken(struct cli_ring *ring)
{
	struct ring_file *last = NULL, *file;

	for (file = ring->files; file < ring->files + ring->file_count; file++)
		if (file->taken && (!last || file->number > last->number))
			last = file;
	return last;
}

/* tcpdump -W begins its files again from the start: what they held is gone, and
 * what they get is a new file. Of the last one the library knows better: a writer
 * may take bytes back. */
static bool is_lost(struct cli_ring *ring, const struct ring_file *file)
{
	struct pktfs_file_status status;
	struct stat st;

	if (pktfs_file_status_get(ring->capture, file->number, &status) < 0)
		return false;
	if (status.lost || file == last_taken(ring))
		return status.lost;
	return look_at(ring, file, &st) && (uint64_t)st.st_size < status.file_size;
}

static void check_cut(struct cli_ring *ring, struct ring_file *file)
{
	if (!file->taken || file->gone || !is_lost(ring, file))
		return;
	pktfs_file_lose(ring->capture, file->number);
	file->gone = true;
	ring->again = true;
	cli_log_note("%s: was cut or overwritten: its packets cannot be read any more", file->path);
}

/* ---- what inotify says */

static struct ring_file *find_name(struct cli_ring *ring, size_t directory, const char *name)
{
	struct ring_file *file;

	for (file = ring->files + ring->file_count; file-- > ring->files;)
		if (!file->gone && file->directory == directory &&
		    !strcmp(cli_ring_base(file), name))
			return file;
	return NULL;
}

/* A file that has no name any more is let go of: who keeps a ring of files wants the
 * room of the oldest back. One that was moved away is still there. */
static void was_removed(struct cli_ring *ring, struct ring_file *file)
{
	uint64_t unseen;
	int removed = 0;

	file->gone = true;
	if (!file->taken)
		return;
	pktfs_file_look(ring->capture, file->number, &removed, &unseen);
	if (removed)
		pktfs_file_lose(ring->capture, file->number);
	cli_log_note(removed ? "%s: was removed: its packets cannot be read any more"
			     : "%s: was moved away; what it holds can be read until the mount ends",
		     file->path);
}

static void take_event(struct cli_ring *ring, const struct inotify_event *event)
{
	struct ring_file *file = NULL;
	size_t i;

	for (i = 0; i < ring->directory_count; i++)
		if (ring->directories[i].watch == event->wd)
			break;
	if (i < ring->directory_count && event->len)
		file = find_name(ring, i, event->name);
	if (!file)
		return;
	if (event->mask & (IN_DELETE | IN_MOVED_FROM)) {
		was_removed(ring, file);
		return;
	}
	if (event->mask & (IN_MODIFY | IN_CLOSE_WRITE)) {
		file->refused &= file->taken; /* it may be a capture by now */
		file->closed = event->mask & IN_CLOSE_WRITE;
		file->changed_ms = now_ms();
		check_cut(ring, file);
	}
}

/* Whether anything was said. */
static bool take_events(struct cli_ring *ring)
{
	_Alignas(struct inotify_event) char bytes[16384];
	const struct inotify_event *event;
	ssize_t size, at;
	bool any = false;

	while (ring->inotify >= 0 && (size = read(ring->inotify, bytes, sizeof(bytes))) > 0) {
		any = true;
		for (at = 0; at < size; at += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const struct inotify_event *)(bytes + at);
			take_event(ring, event);
		}
	}
	return any;
}

/* ---- what is in the directories */

static void meet(struct cli_ring *ring, size_t directory, const char *name)
{
	struct ring_directory *in = &ring->directories[directory];
	struct ring_file *file = find_name(ring, directory, name);
	_cleanup_free_ char *path = NULL;
	struct stat st;

	if (cli_ring_stat(ring, directory, name, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (file && (file->inode != st.st_ino || file->device != st.st_dev)) {
		was_removed(ring, file); /* replaced */
		file = NULL;
	}
	if (!file) {
		path = cli_ring_join(in, name);
		file = path ? cli_ring_add(ring, directory, path, -1, &st) : NULL;
		if (file)
			file->changed_ms = changed_ms(&st);
	} else if (!file->taken && file->size != (uint64_t)st.st_size) {
		file->size = (uint64_t)st.st_size;
		file->refused = false;
		file->changed_ms = now_ms();
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, *(char *const *)b);
}

static void miss(struct cli_ring *ring, size_t directory, char *const *names, size_t count)
{
	struct ring_file *file;

	for (file = ring->files; file < ring->files + ring->file_count; file++)
		if (file->directory == directory && !file->gone &&
		    !lfind(cli_ring_base(file), names, &count, sizeof(*names), by_name))
			was_removed(ring, file);
}

/* inotify tells of what goes; without it that has to be found. */
static void scan(struct cli_ring *ring, size_t directory)
{
	struct ring_directory *in = &ring->directories[directory];
	char **names = NULL;
	int64_t count = cli_ring_names(in, &names);

	if (count < 0)
		return;
	for (int64_t i = 0; i < count; i++)
		meet(ring, directory, names[i]);
	if (in->watch < 0)
		miss(ring, directory, names, (size_t)count);
	cli_ring_names_free(names, (size_t)count);
}

static void scan_changed(struct cli_ring *ring, bool all)
{
	struct stat st;

	all |= ring->again;
	ring->again = false;
	for (size_t i = 0; i < ring->directory_count; i++) {
		struct ring_directory *in = &ring->directories[i];

		if (fstat(in->fd, &st) < 0)
			continue;
		if (!all && st.st_mtim.tv_sec == in->changed.tv_sec &&
		    st.st_mtim.tv_nsec == in->changed.tv_nsec)
			continue;
		in->changed = st.st_mtim;
		scan(ring, i);
	}
}

/* ---- what becomes a part of the capture */

static void refuse(struct ring_file *file, const char *why)
{
	file->refused = true;
	cli_log_note("%s: left out: %s", file->path, why);
}

/* 1: it is in the capture, or never will be; 0: not yet. */
static int take(struct cli_ring *ring, struct ring_file *file)
{
	_cleanup_close_ int fd =
		cli_ring_open_member(ring, file->directory, cli_ring_base(file));
	struct pktfs_error error;
	int r;

	if (fd < 0) {
		refuse(file, strerror(-fd));
		return 1;
	}
	r = pktfs_probe(fd, &ring->options, &error);
	if (r < 0 && !is_finished(file)) /* its head may not be whole */
		return 0;
	if (r == 0) {
		file->number = pktfs_files(ring->capture);
		r = pktfs_add(ring->capture, &(struct pktfs_input){file->path, fd}, &error);
		file->taken = r == 0;
	}
	if (r < 0)
		refuse(file, error.text);
	return 1;
}

/* Whether something waits. */
static bool take_new(struct cli_ring *ring)
{
	for (size_t i = 0; i < ring->file_count; i++) {
		struct ring_file *file = &ring->files[i];

		if (file->taken || file->gone || file->refused)
			continue;
		if (!is_finished(last_taken(ring)) || !take(ring, file))
			return true;
	}
	return false;
}

/* It is the library that has it grow. */
static void look_at_last(struct cli_ring *ring)
{
	struct ring_file *last = last_taken(ring);
	struct stat st;

	if (look_at(ring, last, &st) && (uint64_t)st.st_size != last->size) {
		last->size = (uint64_t)st.st_size;
		last->changed_ms = now_ms();
	}
	check_cut(ring, last);
}

static void *follow(void *context)
{
	struct cli_ring *ring = context;
	struct pollfd polled[] = {{.fd = ring->stop[0], .events = POLLIN},
				  {.fd = ring->inotify, .events = POLLIN}};
	bool pending = false, said;

	for (;;) {
		if (poll(polled, ARRAY_SIZE(polled), pending ? PENDING_MS : LOOK_MS) < 0 &&
		    errno != EINTR)
			break;
		if (polled[0].revents)
			break;
		/* a fast writer costs a look each 10 ms, and not one a write */
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NSEC}, NULL);
		said = take_events(ring);
		look_at_last(ring);
		scan_changed(ring, pending && !said);
		pending = take_new(ring);
	}
	return NULL;
}

/* ---- the thread */

/* Signals are for the program's own thread, but for faults in this one. */
static int start(struct cli_ring *ring)
{
	static const int faults[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t set, old;
	int r;

	sigfillset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(&set, faults[i]);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	r = pthread_create(&ring->thread, NULL, follow, ring);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r == 0)
		pthread_setname_np(ring->thread, "ring");
	return -r;
}

int cli_ring_follow(struct cli_ring *ring, pktfs_capture *capture)
{
	struct ring_file *file;
	struct stat st;
	int r;

	ring->capture = capture;
	for (file = ring->files; file < ring->files + ring->file_count; file++)
		if (look_at(ring, file, &st))
			file->changed_ms = changed_ms(&st);
	if (pipe2(ring->stop, O_CLOEXEC | O_NONBLOCK) < 0)
		return cli_fail(ring->path, "%s", strerror(errno));
	r = start(ring);
	ring->following = r == 0;
	return r < 0 ? cli_fail(ring->path, "no thread: %s", strerror(-r)) : 0;
}
