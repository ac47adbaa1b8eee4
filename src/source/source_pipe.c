/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_pipe.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "source_stream.h"

struct source_pipe {
	struct source_stream stream;
	int fd;
	int wake; /* an eventfd: readable once the source is cancelled */
};

static struct source_pipe *pipe_of(struct source_stream *stream)
{
	return (struct source_pipe *)stream;
}

/* Waits for bytes or the end: 0, or an error. */
static int pipe_poll(struct source_pipe *pipe)
{
	struct pollfd fds[] = {
		{.fd = pipe->fd, .events = POLLIN},
		{.fd = pipe->wake, .events = POLLIN},
	};

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return errno == EINTR ? 0 : -errno;
	return fds[1].revents ? -ECANCELED : 0;
}

static int pipe_run(struct source_stream *stream)
{
	struct source_pipe *pipe = pipe_of(stream);
	ssize_t n;
	int r;

	for (;;) {
		r = pipe_poll(pipe);
		if (r < 0)
			return r;
		n = read(pipe->fd, stream->out, SOURCE_STREAM_OUT);
		if (n == 0)
			return 0;
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		stream->out_filled = (size_t)n;
		r = source_stream_flush(stream);
		if (r < 0)
			return r;
	}
}

static void pipe_cancel(struct source *source)
{
	struct source_pipe *pipe = pipe_of((struct source_stream *)source);
	uint64_t one = 1;
	ssize_t n = write(pipe->wake, &one, sizeof(one));

	(void)n; /* it can only fail when it is readable already */
}

static void pipe_close(struct source *source)
{
	struct source_pipe *pipe = pipe_of((struct source_stream *)source);

	source_stream_fini(&pipe->stream);
	util_close(pipe->fd);
	util_close(pipe->wake);
	free(pipe);
}

static const struct source_ops pipe_ops = {
	.name = "pipe",
	.borrow = source_stream_borrow,
	.verify = source_stream_verify,
	.cancel = pipe_cancel,
	.close = pipe_close,
};

static int start(struct source_pipe *pipe, struct pktfs_error *ret_error)
{
	struct source_stream *stream = &pipe->stream;
	int r = source_spool_open(&stream->spool, stream->spool_dir, ret_error);

	if (r < 0)
		return r;
	r = source_stream_start(stream, "pktfs-pipe");
	return r < 0 ? error_set(ret_error, r, "no thread for the pipe: %s", strerror(-r)) : 0;
}

int source_pipe_open(int fd, const struct source_options *options, struct source **ret,
		     struct pktfs_error *ret_error)
{
	struct source_pipe *pipe = calloc(1, sizeof(*pipe));
	int r;

	if (!pipe)
		return error_set(ret_error, -ENOMEM, "out of memory");
	pipe->stream.run = pipe_run;
	pipe->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = pipe->wake < 0 ? -errno : source_stream_init(&pipe->stream, &pipe_ops, NULL, options);
	if (r < 0) {
		util_close(pipe->wake);
		free(pipe);
		return error_set(ret_error, r, "cannot read a pipe: %s", strerror(-r));
	}
	pipe->fd = fd;
	r = start(pipe, ret_error);
	if (r < 0) {
		pipe->fd = -1; /* stays the caller's */
		pipe_close(&pipe->stream.base);
		return r;
	}
	*ret = &pipe->stream.base;
	return 0;
}
