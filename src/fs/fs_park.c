/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "util/util_time.h"

/* The first tries come quickly: a small set is evaluated in no time. */
#define PARK_TICK_FIRST 250000L
#define PARK_TICK_LAST	5000000L

struct fs_parked {
	struct fs_parked *next;
	struct fs_request request;
	char lent[]; /* what request.data and request.name point to */
};

int fs_park_open(struct fs_park *park)
{
	pthread_condattr_t attributes;
	int r = pthread_mutex_init(&park->lock, NULL);

	if (r)
		return -r;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	r = pthread_cond_init(&park->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (r)
		pthread_mutex_destroy(&park->lock);
	park->last = &park->first;
	return -r;
}

void fs_park_close(struct fs_park *park)
{
	pthread_cond_destroy(&park->changed);
	pthread_mutex_destroy(&park->lock);
}

/* Copies what the request lends behind it: data, then name. */
static struct fs_parked *copy_request(const struct fs_request *request)
{
	size_t data_size = request->data ? request->size : 0;
	size_t name_size = request->name ? strlen(request->name) + 1 : 0;
	struct fs_parked *parked = malloc(sizeof(*parked) + data_size + name_size);

	if (!parked)
		return NULL;
	parked->next = NULL;
	parked->request = *request;
	if (request->data)
		parked->request.data = memcpy(parked->lent, request->data, data_size);
	if (name_size)
		parked->request.name = memcpy(parked->lent + data_size, request->name, name_size);
	return parked;
}

int fs_park(struct fs_park *park, const struct fs_request *request)
{
	struct fs_parked *parked = copy_request(request);
	bool ending;

	if (!parked)
		return -ENOMEM;
	pthread_mutex_lock(&park->lock);
	ending = park->ending;
	if (!ending) {
		*park->last = parked;
		park->last = &parked->next;
		park->tick_nsec = PARK_TICK_FIRST;
		pthread_cond_signal(&park->changed);
	}
	pthread_mutex_unlock(&park->lock);
	if (ending)
		free(parked);
	return ending ? -ENOTCONN : 0;
}

/* The signals of one line of /proc/PID/status. */
static uint64_t signal_line(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line ? strtoull(line + strlen(name), NULL, 16) : 0;
}

static uint64_t bit(int signal)
{
	return UINT64_C(1) << (signal - 1);
}

static int open_status(struct fs *fs, pid_t pid)
{
	char path[40];

	if (fs->open_status)
		return fs->open_status(fs->open_context, pid);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/*
 * Whether a signal waits for the thread that made the request. The kernel says
 * "interrupted" also where none does (a fork in another thread is enough), and
 * says it once; so this is asked at each tick from then on. Where it cannot be
 * found out, the kernel's word is taken.
 */
static bool signal_waits(struct fs *fs, pid_t pid)
{
	_cleanup_close_ int fd = open_status(fs, pid);
	uint64_t pending, dropped;
	char status[4096];
	ssize_t n;

	n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
	if (n <= 0)
		return true;
	status[n] = '\0';
	pending = signal_line(status, "\nSigPnd:") | signal_line(status, "\nShdPnd:");
	dropped = (bit(SIGCHLD) | bit(SIGCONT) | bit(SIGURG) | bit(SIGWINCH)) &
		  ~signal_line(status, "\nSigCgt:"); /* nobody waits for them */
	return pending & ~signal_line(status, "\nSigBlk:") & ~dropped;
}

/*
 * True when the request has its reply. Interruption is asked for at each tick
 * rather than told by libfuse's callback: that is called under a lock of the
 * request, and frees it under that lock if it replies.
 */
static bool retry(struct fs_request *request)
{
	int r;

	if (fuse_req_interrupted(request->req) &&
	    signal_waits(request->fs, fuse_req_ctx(request->req)->pid)) {
		fs_give_up(request, -EINTR);
		return true;
	}
	r = request->answer(request);
	if (r == -EAGAIN)
		return false;
	if (r < 0)
		fs_reply_error(request, r);
	return true;
}

/* Frees those that have their reply; returns the rest in their order. */
static struct fs_parked *retry_all(struct fs_parked *list)
{
	struct fs_parked **at = &list, *parked;

	while ((parked = *at)) {
		if (retry(&parked->request)) {
			*at = parked->next;
			free(parked);
		} else {
			at = &parked->next;
		}
	}
	return list;
}

static struct fs_parked *take_all(struct fs_park *park)
{
	struct fs_parked *list = park->first;

	park->first = NULL;
	park->last = &park->first;
	return list;
}

/* Puts what still waits before what came meanwhile. */
static void put_back(struct fs_park *park, struct fs_parked *list)
{
	struct fs_parked **end = &list;

	while (*end)
		end = &(*end)->next;
	*end = park->first;
	if (!park->first)
		park->last = end == &list ? &park->first : end;
	park->first = list;
}

static void wait_for_tick(struct fs_park *park)
{
	struct timespec until = time_deadline(CLOCK_MONOTONIC, park->tick_nsec);

	park->tick_nsec = MIN(park->tick_nsec * 2, PARK_TICK_LAST);
	pthread_cond_timedwait(&park->changed, &park->lock, &until);
}

static void refuse_all(struct fs_parked *list)
{
	struct fs_parked *next;

	for (; list; list = next) {
		next = list->next;
		fs_give_up(&list->request, -ENOTCONN);
		free(list);
	}
}

static void *park_thread(void *context)
{
	struct fs_park *park = context;
	struct fs_parked *list;

	pthread_mutex_lock(&park->lock);
	while (!park->ending) {
		if (!park->first) {
			pthread_cond_wait(&park->changed, &park->lock);
			continue;
		}
		list = take_all(park);
		pthread_mutex_unlock(&park->lock);
		list = retry_all(list);
		pthread_mutex_lock(&park->lock);
		put_back(park, list);
		if (list && !park->ending)
			wait_for_tick(park);
	}
	list = take_all(park);
	pthread_mutex_unlock(&park->lock);
	refuse_all(list);
	fs_buffer_free();
	return NULL;
}

int fs_park_start(struct fs_park *park)
{
	int r = pthread_create(&park->thread, NULL, park_thread, park);

	park->started = !r;
	return -r;
}

void fs_park_stop(struct fs_park *park)
{
	pthread_mutex_lock(&park->lock);
	park->ending = true;
	pthread_cond_signal(&park->changed);
	pthread_mutex_unlock(&park->lock);
	if (park->started)
		pthread_join(park->thread, NULL);
	park->started = false;
}
