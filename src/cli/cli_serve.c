/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_serve.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_index.h"
#include "cli_keeper.h"
#include "cli_log.h"
#include "cli_ring.h"
#include "cli_sandbox.h"
#include "cli_source.h"
#include "cli_text.h"
#include "fs/fs.h"

struct serve {
	const struct cli_config *config;
	const char *name; /* of the place */
	struct cli_source source;
	struct cli_index index;
	struct text mount_options;
	struct cli_keeper keeper;
	struct text sandbox_words; /* what it lacks */
	struct view *view;
	struct fs *fs;
	int device;  /* of FUSE, from the keeper; -1: none */
	int wake[2]; /* a byte says: the end */
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

/* ---- the start: everything that can be refused, up to a mount that answers */

static int set_mount_options(struct serve *serve)
{
	const struct cli_config *config = serve->config;
	struct text *text = &serve->mount_options;

	/* without noatime, each read of a file would cost a request */
	text_string(text, config->read_only ? "ro," : "rw,");
	text_string(text, "noatime,default_permissions,subtype=pktfs,fsname=");
	cli_escape(text, config->fsname ? config->fsname : serve->source.path);
	if (config->mount_options.size)
		text_append(text, config->mount_options.bytes, config->mount_options.size);
	return text->failed;
}

/* From here on it is the keeper that tidies up. */
static int start_keeper(struct serve *serve)
{
	const struct cli_config *config = serve->config;
	struct cli_source *source = &serve->source;
	_cleanup_free_ const char **directories = NULL;
	struct cli_keeper_task task = {
		.name = serve->name,
		.must_be_empty = !config->mountpoint,
		.auto_unmount = config->auto_unmount,
		.mount_options = serve->mount_options.bytes,
		.files = source->files,
		.file_count = source->file_count,
		.spool = source->spool,
		.index = serve->index.place.directory ? &serve->index.place : NULL,
		.made = source->made ? source->target : NULL,
		.change_user = config->change_user,
		.uid = config->user_uid,
		.gid = config->user_gid,
	};
	int r;

	if (source->ring)
		task.directory_count = cli_ring_directories(source->ring, &directories);
	task.directories = directories;
	r = cli_keeper_start(&serve->keeper, &task);
	if (r < 0)
		return cli_fail(serve->name, "%s", strerror(-r));
	source->made = false;
	cli_log_by(&serve->keeper);
	return 0;
}

/* What is appended to is opened by its path, and read, so that there is a
 * sandbox around that, too, which is wider. */
static int enter_sandbox(struct serve *serve)
{
	const struct cli_config *config = serve->config;
	const struct cli_source *source = &serve->source;
	const struct cli_sandbox sandbox = {
		.keeper_fd = serve->keeper.fd,
		.target = source->target ? source->target : source->path,
		.repair = config->repair,
		.change_user = config->change_user,
		.uid = config->user_uid,
		.gid = config->user_gid,
	};
	int r = 0, code = 0;

	if (config->append && !config->no_sandbox)
		r = cli_sandbox_narrow(&sandbox, &serve->sandbox_words);
	if (r == 0)
		code = cli_source_append(config, &serve->source, &serve->keeper);
	if (r == 0 && !code)
		r = config->no_sandbox ? cli_sandbox_become(&sandbox)
				       : cli_sandbox_enter(&sandbox, &serve->sandbox_words);
	return r < 0 ? cli_fail(serve->name, "the sandbox: %s (see -o nosandbox)", strerror(-r))
		     : code;
}

/* A line each. */
static void log_sandbox(struct serve *serve)
{
	char *saved, *line;

	if (serve->config->no_sandbox)
		view_log(serve->view, "sandbox: off, by -o nosandbox");
	if (!serve->sandbox_words.size)
		return;
	line = strtok_r(serve->sandbox_words.bytes, "\n", &saved);
	for (; line; line = strtok_r(NULL, "\n", &saved))
		view_log(serve->view, "%s", line);
}

static int open_view(struct serve *serve)
{
	const struct cli_config *config = serve->config;
	const struct view_options options = {
		.path = serve->source.path,
		.append = serve->source.append,
		.uid = config->uid,
		.gid = config->gid,
		.umask = config->umask,
		.sets_memory = config->sets,
	};
	int r = view_open(serve->source.capture, &options, &serve->view);

	if (!r)
		log_sandbox(serve);
	return r;
}

static int open_fs(struct serve *serve)
{
	const struct cli_config *config = serve->config;

	return fs_open(&(struct fs_options){.view = serve->view,
					    .mount_options = serve->mount_options.bytes,
					    .threads = config->threads,
					    .noxattr = config->noxattr,
					    .nopush = config->nopush,
					    .nopin = config->nopin,
					    .debug = config->debug,
					    .ended_fd = serve->wake[1],
					    .open_status = cli_keeper_open_status,
					    .open_context = &serve->keeper},
		       &serve->fs);
}

/* `fs` takes over the device. */
static int mount_device(struct serve *serve)
{
	int fd = serve->device;
	char name[32];

	serve->device = -1;
	snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	return fs_mount(serve->fs, name);
}

static int start_mount(struct serve *serve)
{
	dev_t device = 0;
	int r = open_view(serve);

	if (!r)
		r = open_fs(serve);
	if (!r && cli_keeper_mount(&serve->keeper, &serve->device) < 0)
		return CLI_EXIT_FAILED; /* it has said why */
	if (!r)
		r = mount_device(serve);
	if (!r)
		r = fs_start(serve->fs);
	if (!r)
		r = cli_keeper_ready(&serve->keeper, &device);
	if (!r && device && serve->source.append)
		append_mounted(serve->source.append, device);
	if (!r)
		return 0;
	if (!cli_log_used())
		cli_fail(serve->name, "cannot be mounted: %s", strerror(-r));
	return CLI_EXIT_FAILED;
}

static int start(struct serve *serve)
{
	const struct cli_config *config = serve->config;
	int r = cli_source_find(config, &serve->source);

	if (!r)
		r = cli_index_find(config, &serve->source, &serve->index);
	if (!r && set_mount_options(serve) < 0)
		r = cli_fail(serve->name, "%s", strerror(ENOMEM));
	if (!r)
		r = start_keeper(serve);
	if (!r)
		r = enter_sandbox(serve);
	if (!r)
		r = cli_source_open(config, &serve->source, &serve->keeper, &serve->index);
	if (!r)
		r = cli_index_check(config, serve->source.capture);
	if (r)
		return r;
	/* before, a signal may end the program: the keeper tidies up */
	catch_signals(serve->wake[1]);
	r = start_mount(serve);
	if (!r)
		cli_index_start(&serve->index, serve->source.capture);
	return r;
}

/* ---- the end */

static void unmount(struct serve *serve)
{
	struct pktfs_error error;

	if (serve->keeper.fd >= 0 && cli_keeper_unmount(&serve->keeper, &error) < 0)
		cli_log_end(serve->name, "cannot be unmounted: %s", error.text);
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
	if (serve->fs)
		fs_stop(serve->fs);
	fs_close(serve->fs);
	util_close(serve->device);
	r = stop_appending(serve);
	cli_index_stop(&serve->index);
	cli_log_close();
	view_close(serve->view);
	cli_source_close(&serve->source);
	cli_keeper_stop(&serve->keeper);
	text_free(&serve->mount_options);
	text_free(&serve->sandbox_words);
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
	struct serve serve = {.config = config,
			      .name = name,
			      .source.fd = -1,
			      .keeper.fd = -1,
			      .device = -1};
	int r, end;

	if (pipe2(serve.wake, O_CLOEXEC) < 0)
		return cli_fail(name, "%s", strerror(errno));
	fcntl(serve.wake[1], F_SETFL, O_NONBLOCK);
	cli_log_open(name);
	r = start(&serve);
	if (!r) {
		cli_log_to_view(serve.view, config->foreground);
		if (!config->foreground)
			cli_keeper_detach(&serve.keeper);
		cli_daemon_ready(daemon);
		wait_for_end(&serve);
	}
	end = finish(&serve);
	close(serve.wake[0]);
	close(serve.wake[1]);
	return r ? r : end;
}
