/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_serve.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_log.h"
#include "cli_mounts.h"
#include "cli_place.h"
#include "cli_source.h"
#include "cli_text.h"
#include "fs/fs.h"

struct serve {
	const struct cli_config *config;
	struct cli_source source;
	struct cli_place place;
	struct view *view;
	struct fs *fs;
	int wake[2]; /* a byte says: the end */
	bool mounted;
	dev_t device;
};

/* The write end, for the handler. */
static int signal_fd = -1;

static void on_signal(int number)
{
	int saved = errno;

	(void)number;
	if (write(signal_fd, "", 1) < 0) {
		/* the pipe is full: enough was said */
	}
	errno = saved;
}

/* A signal that was ignored when we were started stays so (nohup). */
static void catch_signals(int fd)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, old;

	signal_fd = fd;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int mount_options(const struct serve *serve, struct text *ret)
{
	const struct cli_config *config = serve->config;

	/* without noatime, each read of a file would cost a request */
	text_string(ret, config->read_only ? "ro," : "rw,");
	text_string(ret, "noatime,default_permissions,subtype=pktfs,fsname=");
	cli_escape(ret, config->fsname ? config->fsname : serve->source.path);
	if (config->mount_options.size)
		text_append(ret, config->mount_options.bytes, config->mount_options.size);
	return ret->failed;
}

static int open_fs(struct serve *serve)
{
	_cleanup_(text_free) struct text options = {0};
	const struct cli_config *config = serve->config;
	int r = mount_options(serve, &options);

	if (!r)
		r = fs_open(&(struct fs_options){.view = serve->view,
						 .mount_options = options.bytes,
						 .threads = config->threads,
						 .noxattr = config->noxattr,
						 .debug = config->debug,
						 .ended_fd = serve->wake[1]},
			    &serve->fs);
	return r;
}

/* Everything that can be refused, up to a mount that answers. */
static int start(struct serve *serve, const char *name)
{
	const struct cli_config *config = serve->config;
	struct view_options options = {
		.uid = config->uid, .gid = config->gid, .umask = config->umask,
		.sets_memory = config->sets};
	struct cli_mount mount = {0};
	int r = cli_source_open(config, &serve->source);

	if (r)
		return r;
	/* From here on there is something to tidy up. */
	catch_signals(serve->wake[1]);
	r = cli_place_open(name, !config->mountpoint, &serve->place);
	if (r)
		return r;
	options.path = serve->source.path;
	options.append = serve->source.append;
	r = view_open(serve->source.capture, &options, &serve->view);
	if (!r)
		r = open_fs(serve);
	if (!r) {
		serve->mounted = true; /* or half so */
		r = fs_mount(serve->fs, serve->place.path);
	}
	if (!r)
		r = fs_start(serve->fs);
	if (r)
		return cli_log_used() ? CLI_EXIT_FAILED
				      : cli_fail(name, "cannot be mounted: %s", strerror(-r));
	serve->source.made = false;
	/* Not by stat: that is a request to ourselves, and a kill in the middle of
	 * one leaves a process that waits for its own answer. It may be unmounted
	 * by now, which is no error. */
	if (cli_mounts_find(serve->place.path, &mount) != 1)
		return 0;
	serve->device = mount.device;
	if (serve->source.append)
		append_mounted(serve->source.append, mount.device);
	fs_raise_readahead(mount.device);
	return 0;
}

/*
 * Lazily, so that it works while files are open. Not if the mount is gone
 * already: what is at the same place by now is not ours.
 */
static void unmount(const struct serve *serve)
{
	struct cli_mount mount;
	int r;

	if (!serve->mounted || cli_mounts_find(serve->place.path, &mount) != 1 || !mount.pktfs ||
	    (serve->device && mount.device != serve->device))
		return;
	r = cli_unmount(serve->place.path, true);
	if (r < 0)
		cli_fail(serve->place.path, "cannot be unmounted: %s", strerror(-r));
}

/* What is still pending is appended, now that nobody adds to it. */
static int stop_appending(const struct serve *serve)
{
	const struct cli_config *config = serve->config;
	int r = serve->view && serve->source.append ? append_stop(serve->source.append) : 0;

	if (r < 0)
		cli_log_end(config->append_file ? config->append_file : config->file,
			    "not all that was written to append/ is in the file: %s", strerror(-r));
	return r < 0 ? CLI_EXIT_FAILED : 0;
}

/* 0, or the exit code. */
static int finish(struct serve *serve)
{
	int r;

	unmount(serve);
	cli_place_close(&serve->place);
	if (serve->fs)
		fs_stop(serve->fs);
	fs_close(serve->fs);
	r = stop_appending(serve);
	cli_log_close();
	view_close(serve->view);
	cli_source_close(&serve->source);
	return r;
}

static void wait_for_end(const struct serve *serve)
{
	struct pollfd end = {.fd = serve->wake[0], .events = POLLIN};

	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		;
}

int cli_serve(const struct cli_config *config, const char *name, struct cli_daemon *daemon)
{
	struct serve serve = {.config = config, .place.lock = -1};
	int r, end;

	if (pipe2(serve.wake, O_CLOEXEC) < 0)
		return cli_fail(name, "%s", strerror(errno));
	fcntl(serve.wake[1], F_SETFL, O_NONBLOCK);
	cli_log_open(name);
	r = start(&serve, name);
	if (!r) {
		cli_log_to_view(serve.view, config->foreground);
		cli_daemon_ready(daemon);
		wait_for_end(&serve);
	}
	end = finish(&serve);
	util_close(serve.place.lock);
	close(serve.wake[0]);
	close(serve.wake[1]);
	return r ? r : end;
}
