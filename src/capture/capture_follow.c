/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that follows a file which another program writes.
 *
 *	inotify, or a second has passed --> a look: has it grown?  --> index
 *	                                    is it still at its name?
 *	                                    is it still being written?
 *
 * Looks are LOOK_MS apart at least, so a writer of 50,000 packets per second
 * costs 50 looks; the first write after a pause is looked at at once. What
 * inotify does not tell (NFS, FUSE, a writer below an overlay) the look of each
 * second finds.
 */
#include "capture_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture_writer.h"
#include "util/util_time.h"

#define LOOK_MS 20
#define POLL_MS 1000

/* Without inotify, while it is active. */
#define POLL_ACTIVE_MS 250

/* So long after a change the file is active, whoever has it open or not. */
#define QUIET_MS 3000

#define CONTENT_EVENTS (IN_MODIFY | IN_CLOSE_WRITE)
#define NAME_EVENTS    (IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB)

/* What may be wrong with the file as such. */
enum { PROBLEM_NAME, PROBLEM_CUT, PROBLEMS };

struct capture_follow {
	struct source *source;
	struct index *index;
	char *path;     /* absolute; NULL: not known */
	size_t file;    /* its number in the source, and */
	int descriptor; /* the source's; -1: the last file is not opened yet */
	int writer;     /* capture_writer.h; -1: the source may know */
	bool watched;   /* as far as there is inotify */
	int inotify;    /* -1: none */
	int wake;       /* the end */
	pthread_t thread;
	bool started;

	/* the thread's own */
	int64_t looked, named, changed; /* when it did so last, in milliseconds */
	struct timespec modified;       /* the file was, at the last look */

	_Atomic bool active, cut;
	pthread_mutex_t lock;
	struct pktfs_error problems[PROBLEMS]; /* under the lock; code 0: none */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what is said */

static void say(struct capture_follow *follow, int which, const struct pktfs_error *error)
{
	UTIL_LOCK_SCOPE(&follow->lock);
	follow->problems[which] = *error;
}

unsigned capture_follow_problems(struct capture_follow *follow)
{
	unsigned i, count = 0;

	if (!follow)
		return 0;
	UTIL_LOCK_SCOPE(&follow->lock);
	for (i = 0; i < PROBLEMS; i++)
		count += follow->problems[i].code != 0;
	return count;
}

int capture_follow_problem(struct capture_follow *follow, uint64_t number,
			   struct pktfs_error *ret)
{
	unsigned i;

	UTIL_LOCK_SCOPE(&follow->lock);
	for (i = 0; i < PROBLEMS; i++) {
		if (!follow->problems[i].code || number--)
			continue;
		*ret = follow->problems[i];
		return 0;
	}
	return -ENOENT;
}

bool capture_follow_active(struct capture_follow *follow)
{
	return atomic_load(&follow->active);
}

bool capture_follow_cut(struct capture_follow *follow)
{
	return follow && atomic_load(&follow->cut);
}

/* ---- the file */

/* -1 where there is no inotify, or no more of it: then it is polled. */
static int watch(int descriptor)
{
	int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char name[40];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", descriptor);
	if (inotify >= 0 && inotify_add_watch(inotify, name, CONTENT_EVENTS | NAME_EVENTS) < 0) {
		close(inotify);
		inotify = -1;
	}
	return inotify;
}

/* Was it written since the last look? inotify does not tell of what another host
 * does, and bytes that are written where there were others do not make it longer. */
static bool was_modified(struct capture_follow *follow)
{
	struct timespec before = follow->modified;
	struct stat st;

	if (fstat(follow->descriptor, &st) < 0)
		return false;
	follow->modified = st.st_mtim;
	return st.st_mtim.tv_sec != before.tv_sec || st.st_mtim.tv_nsec != before.tv_nsec;
}

/* 1, 0, or -1: not known. */
static int is_written(const struct capture_follow *follow)
{
	return follow->writer >= 0 ? capture_writer_there(follow->writer)
				   : source_written(follow->source);
}

/* Is it likely that it is being written? The first look at the file. */
static bool is_active(struct capture_follow *follow)
{
	int writer = is_written(follow);
	struct timespec now;
	int64_t age;

	was_modified(follow);
	if (writer >= 0)
		return writer;
	clock_gettime(CLOCK_REALTIME, &now);
	age = (now.tv_sec - follow->modified.tv_sec) * 1000 +
	      (now.tv_nsec - follow->modified.tv_nsec) / 1000000;
	return age > -QUIET_MS && age < QUIET_MS;
}

/* Another file is the last by now, or one is opened at last. True: there is a new
 * one. */
static bool take_last(struct capture_follow *follow)
{
	size_t files = source_files(follow->source);
	int descriptor = source_descriptor(follow->source);

	if (descriptor < 0 || descriptor == follow->descriptor)
		return false;
	if (source_files(follow->source) != files) /* the next look will tell */
		return false;
	util_close(follow->inotify);
	util_close(follow->writer);
	follow->descriptor = descriptor;
	follow->file = files - 1;
	follow->writer = capture_writer_open(descriptor);
	follow->inotify = follow->watched ? watch(descriptor) : -1;
	return true;
}

/* ---- looks */

static void set_active(struct capture_follow *follow, bool active)
{
	if (atomic_load(&follow->active) == active)
		return;
	index_set_active(follow->index, active);
	atomic_store(&follow->active, active);
}

/* The first time that is said of a state of the name stays. */
static void say_name(struct capture_follow *follow, int code, const char *what)
{
	char form[TIME_TEXT_ROOM];
	struct pktfs_error error;
	struct timespec now;

	if (follow->problems[PROBLEM_NAME].code == code)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	time_format((struct pktfs_time){.sec = now.tv_sec, .nsec = (uint32_t)now.tv_nsec}, form);
	error_set(&error, code, "%s was %s at %s; still showing the old one", follow->path, what,
		  form);
	say(follow, PROBLEM_NAME, &error);
}

/* Is the name still that of our file? Where it cannot be asked (after a change
 * of the user), nothing is said. */
static void look_at_name(struct capture_follow *follow)
{
	struct stat ours, named;

	follow->named = follow->looked;
	if (!follow->path || fstat(follow->descriptor, &ours) < 0)
		return;
	if (stat(follow->path, &named) < 0) {
		if (errno == ENOENT)
			say_name(follow, -ENOENT, "renamed or removed");
	} else if (named.st_dev != ours.st_dev || named.st_ino != ours.st_ino) {
		say_name(follow, -ESTALE, "replaced");
	} else if (follow->problems[PROBLEM_NAME].code) {
		say(follow, PROBLEM_NAME, &(struct pktfs_error){0});
	}
}

static void say_cut(struct capture_follow *follow)
{
	struct pktfs_error error;

	if (source_takes_more(follow->source))
		source_file_lose(follow->source, follow->file);
	error_set(&error, -EIO, "the file was made shorter than what was read of it; what is gone "
				"cannot be read, and what comes is not shown");
	say(follow, PROBLEM_CUT, &error);
	atomic_store(&follow->cut, true);
	set_active(follow, false);
}

/* Has it been quiet for long enough, and does nobody have it open who might go on? */
static bool is_over(const struct capture_follow *follow)
{
	return follow->looked - follow->changed >= QUIET_MS && is_written(follow) != 1;
}

/* Not one that others have come behind, or that are still to be opened. */
static bool is_growing(const struct capture_follow *follow)
{
	return source_part_growing(follow->source, follow->file);
}

static void look_at_content(struct capture_follow *follow, uint32_t events)
{
	bool modified = was_modified(follow) || events & IN_MODIFY;
	int r;

	if (modified) /* before the index sees what is half there */
		set_active(follow, true);
	r = index_follow(follow->index);
	if (r < 0) {
		if (!is_growing(follow))
			say_cut(follow);
		return;
	}
	if (r > 0 || modified) {
		follow->changed = follow->looked;
		set_active(follow, true);
	} else if (atomic_load(&follow->active) && is_over(follow)) {
		set_active(follow, false);
		index_follow(follow->index); /* what was doubted is judged again */
	}
}

/* What was wrong with the file before is said elsewhere. */
static void go_on(struct capture_follow *follow)
{
	bool active;

	if (!take_last(follow))
		return;
	say(follow, PROBLEM_CUT, &(struct pktfs_error){0});
	atomic_store(&follow->cut, false);
	active = is_active(follow);
	if (active)
		follow->changed = follow->looked;
	set_active(follow, active);
}

static void look(struct capture_follow *follow, uint32_t events)
{
	follow->looked = now_ms();
	go_on(follow);
	if (!capture_follow_cut(follow) && is_growing(follow))
		look_at_content(follow, events);
	else
		set_active(follow, false);
	if (events & NAME_EVENTS || follow->looked - follow->named >= POLL_MS)
		look_at_name(follow);
}

/* ---- the thread */

/* All that has been reported, which is little: equal events become one. */
static uint32_t drain(struct capture_follow *follow)
{
	_Alignas(struct inotify_event) char bytes[4096];
	const struct inotify_event *event;
	uint32_t events = 0;
	ssize_t n, at;

	while ((n = read(follow->inotify, bytes, sizeof(bytes))) > 0) {
		for (at = 0; at < n; at += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const struct inotify_event *)(const void *)(bytes + at);
			events |= event->mask;
		}
	}
	if (events & IN_IGNORED || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		util_close(follow->inotify);
		follow->inotify = -1; /* the watch is gone: poll */
	}
	return events;
}

static int poll_ms(struct capture_follow *follow)
{
	bool changing = follow->looked - follow->changed < QUIET_MS;

	if (changing && index_in_doubt(follow->index))
		return LOOK_MS;
	return follow->inotify < 0 && atomic_load(&follow->active) ? POLL_ACTIVE_MS : POLL_MS;
}

/* Waits until it is worth a look: *ret_events is what inotify reports. False: the
 * end. */
static bool wait_for(struct capture_follow *follow, uint32_t *ret_events)
{
	struct pollfd fds[] = {{.fd = follow->wake, .events = POLLIN},
			       {.fd = follow->inotify, .events = POLLIN}};
	int64_t passed = now_ms() - follow->looked;

	*ret_events = 0;
	if (passed < LOOK_MS && poll(fds, 1, (int)(LOOK_MS - passed)) > 0)
		return false;
	if (poll(fds, ARRAY_SIZE(fds), poll_ms(follow)) > 0 && fds[1].revents)
		*ret_events = drain(follow);
	return !fds[0].revents;
}

static void *follow_main(void *context)
{
	struct capture_follow *follow = context;
	uint32_t events;

	while (wait_for(follow, &events))
		look(follow, events);
	return NULL;
}

int capture_follow_start(struct capture_follow *follow)
{
	sigset_t all, old;
	int r;

	/* it touches no lent bytes, so no signal is for it */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	r = pthread_create(&follow->thread, NULL, follow_main, follow);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return -r;
	follow->started = true;
	pthread_setname_np(follow->thread, "pktfs-follow");
	return 0;
}

/* ---- life */

int capture_follow_open(struct source *source, struct index *index, const char *path,
			bool watched, struct capture_follow **ret)
{
	struct capture_follow *follow;
	bool active;

	*ret = NULL;
	if (source_descriptor(source) < 0 && !source_more(source) && !source_takes_more(source))
		return 0;
	follow = calloc(1, sizeof(*follow));
	if (!follow)
		return -ENOMEM;
	follow->source = source;
	follow->index = index;
	follow->watched = watched;
	follow->descriptor = follow->writer = follow->inotify = -1;
	pthread_mutex_init(&follow->lock, NULL);
	follow->path = path ? realpath(path, NULL) : NULL;
	if (!follow->path && path && path[0] == '/') /* a sandbox may not let us ask */
		follow->path = strdup(path);
	follow->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (follow->wake < 0) {
		int r = -errno;

		capture_follow_close(follow);
		return r;
	}
	active = take_last(follow) && is_active(follow);
	atomic_init(&follow->active, active);
	index_set_followed(index, active);
	follow->changed = active ? now_ms() : 0;
	*ret = follow;
	return 0;
}

void capture_follow_close(struct capture_follow *follow)
{
	if (!follow)
		return;
	if (follow->started) {
		eventfd_write(follow->wake, 1);
		pthread_join(follow->thread, NULL);
	}
	util_close(follow->inotify);
	util_close(follow->writer);
	util_close(follow->wake);
	pthread_mutex_destroy(&follow->lock);
	free(follow->path);
	free(follow);
}
