/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session: mounting, the threads that receive requests, and their end.
 *
 * Our own loop, because libfuse's starts and ends threads as load changes and
 * takes over the signals. Few threads are best: one client and one thread stay
 * together on a core, more help only when several clients read at once.
 */
#include "fs_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "util/util_time.h"

/* Wakes a thread that waits for a request; says nothing by itself. */
#define KICK_SIGNAL   SIGUSR1
#define KICK_NSEC     2000000L
#define READAHEAD_KIB 4096

/* Pages that the kernel is forgetting or given need one answer each, at most. */
#define NOTIFY_NSEC 900000000L

const char *fs_libfuse_version(void)
{
	return fuse_pkgversion();
}

static struct fuse_session *session_new(struct fs *fs, const struct fs_options *options)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_session *session = NULL;

	if (!fuse_opt_add_arg(&args, "pktfs") && !fuse_opt_add_arg(&args, "-o") &&
	    !fuse_opt_add_arg(&args, options->mount_options) &&
	    (!options->debug || !fuse_opt_add_arg(&args, "-d")))
		session = fuse_session_new(&args, &fs_ops, sizeof(fs_ops), fs);
	fuse_opt_free_args(&args);
	return session;
}

int fs_open(const struct fs_options *options, struct fs **ret)
{
	struct fs *fs = calloc(1, sizeof(*fs));
	int r;

	if (!fs)
		return -ENOMEM;
	fs->view = options->view;
	fs->appends = view_appends(options->view);
	fs->threads = options->threads;
	fs->noxattr = options->noxattr;
	fs->nopush = options->nopush;
	fs->nopin = options->nopin;
	fs->ended_fd = options->ended_fd;
	fs->open_status = options->open_status;
	fs->open_context = options->open_context;
	sem_init(&fs->settled, 0, 0);
	pthread_mutex_init(&fs->listed.lock, NULL);
	fs->park.fs = fs;
	r = fs_park_open(&fs->park);
	if (r < 0)
		goto no_park;
	r = fs_forget_open(&fs->forget);
	if (r < 0)
		goto no_forget;
	r = fs_push_open(&fs->push, fs);
	if (r < 0)
		goto no_push;
	r = fs_prepare_open(&fs->prepare, fs);
	if (r < 0)
		goto no_prepare;
	fs_log_install();
	fs->session = session_new(fs, options);
	if (fs->session) {
		*ret = fs;
		return 0;
	}
	r = -EINVAL;
	fs_prepare_close(&fs->prepare);
no_prepare:
	fs_push_close(&fs->push);
no_push:
	fs_forget_close(&fs->forget);
no_forget:
	fs_park_close(&fs->park);
no_park:
	free(fs);
	return r;
}

int fs_mount(struct fs *fs, const char *mountpoint)
{
	int fd;

	if (fuse_session_mount(fs->session, mountpoint) < 0)
		return -EIO;
	fd = fuse_session_fd(fs->session);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fs_hello(fs);
}

static void *worker(void *context)
{
	struct fs *fs = context;
	struct fuse_buf buf = {0};
	int r = 0;

	while (!fuse_session_exited(fs->session)) {
		r = fuse_session_receive_buf(fs->session, &buf);
		if (r > 0)
			fuse_session_process_buf(fs->session, &buf);
		else if (r != -EINTR)
			break;
	}
	if (r < 0 && r != -EINTR)
		fs_log(LOG_ERR, "receiving requests: %s", strerror(-r));
	fuse_session_exit(fs->session);
	sem_post(&fs->settled);
	free(buf.mem);
	fs_buffer_free();
	if (write(fs->ended_fd, "", 1) < 0)
		fs_log(LOG_ERR, "telling the end of the session: %s", strerror(errno));
	return NULL;
}

static void ignore_signal(int number)
{
	(void)number;
}

int fs_start(struct fs *fs)
{
	struct sigaction action = {.sa_handler = ignore_signal}; /* no SA_RESTART */
	int r = 0;

	sigaction(KICK_SIGNAL, &action, NULL);
	r = fs_park_start(&fs->park);
	if (!r)
		r = fs_forget_start(&fs->forget, fs->session);
	if (!r && !fs->nopush)
		r = fs_push_start(&fs->push);
	if (!r)
		r = fs_prepare_start(&fs->prepare);
	while (!r && fs->started < fs->threads) {
		r = -pthread_create(&fs->workers[fs->started], NULL, worker, fs);
		if (!r)
			fs->started++;
	}
	if (r)
		return r;
	/* The kernel holds back every other request until INIT has its reply:
	 * a caller must not touch the mount before. */
	while (sem_wait(&fs->settled) < 0 && errno == EINTR)
		;
	return atomic_load(&fs->initialized) ? 0 : -EIO;
}

/* A kick that comes just before the thread begins to wait is lost: repeat. */
static void join_kicking(pthread_t thread)
{
	struct timespec until;

	do {
		pthread_kill(thread, KICK_SIGNAL);
		until = time_deadline(CLOCK_REALTIME, KICK_NSEC);
	} while (pthread_timedjoin_np(thread, NULL, &until) == ETIMEDOUT);
}

/*
 * The workers end last: a thread that forgets or pushes may be in the kernel, waiting
 * for a page, and only an answer brings it back. Even closing the device does
 * not, as the call itself keeps the device open. Nothing is parked any more by
 * then, so that each request has its answer at once.
 */
void fs_stop(struct fs *fs)
{
	fs_park_stop(&fs->park);
	fs_prepare_stop(&fs->prepare);
	fs_forget_stop(&fs->forget, NOTIFY_NSEC);
	fs_push_stop(&fs->push, NOTIFY_NSEC);
	fuse_session_exit(fs->session);
	while (fs->started)
		join_kicking(fs->workers[--fs->started]);
}

/*
 * Closing the device ends the connection: files that are still open after a
 * lazy unmount give ENOTCONN from here on. libfuse frees what it knows of a
 * mount only in fuse_session_unmount, which unmounts the path once more,
 * whatever is there by now, unless the descriptor says that the connection is
 * dead. So it gets one that does: a pipe that nobody reads.
 */
static void forget_mount(struct fuse_session *session)
{
	int fd = fuse_session_fd(session), ends[2];

	if (fd < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return;
	close(ends[0]);
	if (dup3(ends[1], fd, O_CLOEXEC) == fd)
		fuse_session_unmount(session);
	close(ends[1]);
}

void fs_close(struct fs *fs)
{
	if (!fs)
		return;
	forget_mount(fs->session);
	if (!fs_forget_stop(&fs->forget, NOTIFY_NSEC) || !fs_push_stop(&fs->push, NOTIFY_NSEC))
		return; /* in use for as long as the process lives */
	fuse_session_destroy(fs->session);
	fs_prepare_close(&fs->prepare);
	fs_push_close(&fs->push);
	fs_forget_close(&fs->forget);
	fs_park_close(&fs->park);
	sem_destroy(&fs->settled);
	pthread_mutex_destroy(&fs->listed.lock);
	free(fs);
}

/* INIT cannot ask for more than the 128 KiB that the kernel offers; the
 * mount's own backing device in sysfs can. */
void fs_raise_readahead(dev_t device)
{
	_cleanup_close_ int fd = -1;
	char path[80];

	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", major(device),
		 minor(device));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && dprintf(fd, "%d", READAHEAD_KIB) < 0)
		fs_log(LOG_DEBUG, "%s: %s", path, strerror(errno));
}
