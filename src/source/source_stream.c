/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_stream.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "source_thread.h"

/* ---- life */

static int spill_out(void *context, const struct source_spill_bytes *bytes);

int source_stream_init(struct source_stream *stream, const struct source_ops *ops,
		       struct source *inner, const struct source_options *options)
{
	source_init(&stream->base, ops);
	source_spool_init(&stream->spool);
	source_spill_init(&stream->spill, SOURCE_STREAM_OUT);
	stream->spill.write = spill_out;
	stream->spill.context = stream;
	stream->parallel = !options->no_parallel && source_thread_processors() > 1;
	stream->spool.opener = options->opener;
	stream->idle = source_stream_flush;
	stream->in = inner ? malloc(SOURCE_STREAM_IN) : NULL;
	stream->out = malloc(SOURCE_STREAM_OUT);
	stream->spool_dir = options->spool_dir ? strdup(options->spool_dir) : NULL;
	if ((inner && !stream->in) || !stream->out || (options->spool_dir && !stream->spool_dir)) {
		source_stream_fini(stream);
		return -ENOMEM;
	}
	stream->inner = inner;
	if (inner) {
		stream->follows = source_growing(inner);
		atomic_init(&stream->base.growing, stream->follows);
	}
	return 0;
}

void source_stream_join(struct source_stream *stream)
{
	if (stream->running)
		pthread_join(stream->thread, NULL);
	stream->running = false;
}

void source_stream_fini(struct source_stream *stream)
{
	source_stream_join(stream);
	source_close(stream->inner);
	source_spill_fini(&stream->spill);
	source_spool_close(&stream->spool);
	free(stream->in);
	free(stream->out);
	free(stream->spool_dir);
	source_fini(&stream->base);
}

static void *stream_main(void *context)
{
	struct source_stream *stream = context;
	int r = stream->run(stream);

	source_spill_end(&stream->spill);
	if (r >= 0)
		source_finish(&stream->base);
	else if (r != -ECANCELED && !source_problem(&stream->base, NULL))
		source_stream_fail(stream, r, "cannot be read: %s", strerror(-r));
	/* what is done holds no more memory than its readers need */
	free(stream->in);
	free(stream->out);
	stream->in = stream->out = NULL;
	return NULL;
}

int source_stream_start(struct source_stream *stream, const char *name)
{
	int r = source_thread_start(&stream->thread, stream_main, stream, name);

	stream->running = r == 0;
	return r;
}

/* ---- input */

int source_stream_wait_now(struct source_stream *stream, uint64_t end)
{
	bool final;
	int r;

	if (source_cancelled(&stream->base))
		return -ECANCELED;
	if (source_available(stream->inner, &final) >= end)
		return 1;
	if (final)
		return 0;
	r = stream->idle(stream);
	if (r == 0)
		r = source_wait(stream->inner, end);
	if (r < 0)
		return r;
	return source_available(stream->inner, NULL) >= end;
}

static void say_cut(const struct source_stream *stream, const char *what, struct pktfs_error *ret)
{
	error_set(ret, -ENODATA, "%s: found the end of the file at %llu; accepted a whole one",
		  what, (unsigned long long)source_available(stream->inner, NULL));
}

/* All `seen` bytes of the inner source are not enough: waits for more. */
static int wait_growth(struct source_stream *stream, uint64_t seen)
{
	bool whole = !stream->inside && seen <= stream->at;
	struct pktfs_error problem;
	int r = stream->idle(stream);

	source_spill_end(&stream->spill);
	say_cut(stream, stream->unit, &problem);
	if (r == 0)
		r = source_settle(&stream->base, stream->inner, seen, whole ? NULL : &problem);
	if (r == 0)
		r = source_wait_growth(stream->inner, seen);
	source_unsettle(&stream->base, stream->inner);
	stream->grown = true;
	return r;
}

int source_stream_wait(struct source_stream *stream, uint64_t end)
{
	uint64_t seen;
	int r;

	for (;;) {
		seen = source_available(stream->inner, NULL);
		r = source_stream_wait_now(stream, end);
		if (r != 0 || !stream->follows)
			return r;
		r = wait_growth(stream, seen);
		if (r < 0)
			return r;
	}
}

/* Fills up `in` behind what is left of it: 1, or an error. */
static int refill(struct source_stream *stream)
{
	size_t left = source_stream_left(stream);
	uint64_t from = stream->at + left, room;
	int64_t n;

	memmove(stream->in, source_stream_input(stream), left);
	stream->in_used = 0;
	stream->in_filled = left;
	room = source_available(stream->inner, NULL) - from;
	room = MIN(room, SOURCE_STREAM_IN - left);
	n = source_read(stream->inner, from, stream->in + left, (size_t)room);
	if (n < 0)
		return (int)n;
	stream->in_filled += (size_t)n;
	return 1;
}

int source_stream_need(struct source_stream *stream, size_t size)
{
	int r;

	assert(size <= SOURCE_STREAM_IN);
	if (source_stream_left(stream) >= size)
		return source_cancelled(&stream->base) ? -ECANCELED : 1;
	r = source_stream_wait(stream, stream->at + size);
	if (r < 0)
		return r;
	if (r == 0 && source_available(stream->inner, NULL) <= stream->at)
		return 0;
	r = refill(stream);
	return r < 0 ? r : source_stream_left(stream) >= size;
}

void source_stream_skip(struct source_stream *stream, uint64_t size)
{
	if (size <= source_stream_left(stream))
		stream->in_used += (size_t)size;
	else
		stream->in_used = stream->in_filled = 0;
	stream->at += size;
}

void source_stream_rewind(struct source_stream *stream, uint64_t at)
{
	stream->in_used = stream->in_filled = 0;
	stream->at = at;
}

/* ---- output */

static int spool_failed(struct source_stream *stream, uint64_t offset, int r)
{
	struct source *source = &stream->base;

	if (r == -EFBIG)
		return source_fail(source, offset, r,
				   "spool file of %llu MiB: its disk would be full; accepted a "
				   "directory with more room (-o spool=DIR)",
				   (unsigned long long)(stream->spool.written >> 20));
	return source_fail(source, offset, r,
			   "spool file of %llu bytes: found %s; accepted a directory with more "
			   "room (-o spool=DIR)",
			   (unsigned long long)stream->spool.written, strerror(-r));
}

static int spill_out(void *context, const struct source_spill_bytes *bytes)
{
	struct source_stream *stream = context;
	int r = source_spool_write(&stream->spool, bytes->bytes, bytes->size);

	if (r < 0)
		return spool_failed(stream, bytes->end - bytes->size, r);
	return source_publish(&stream->base, bytes->end);
}

static bool is_bomb(const struct source_stream *stream)
{
	return stream->inner && stream->spooled > SOURCE_BOMB_BYTES &&
	       stream->spooled / SOURCE_BOMB_RATIO > stream->at;
}

static int open_spool(struct source_stream *stream)
{
	struct pktfs_error error;
	int r = source_spool_open(&stream->spool, stream->spool_dir, &error);

	return r < 0 ? source_fail(&stream->base, stream->decoded, r, "%s", error.text) : 0;
}

/* Counts `out` as gone. */
static void leave_out(struct source_stream *stream)
{
	stream->spooled += stream->out_filled;
	stream->decoded += stream->out_filled;
	stream->out_filled = 0;
}

static int write_out(struct source_stream *stream)
{
	struct source_spill_bytes bytes = {
		.bytes = stream->out,
		.size = stream->out_filled,
		.end = stream->decoded + stream->out_filled,
	};
	int r = spill_out(stream, &bytes);

	if (r == 0)
		leave_out(stream);
	return r;
}

/* To end somebody's wait takes as long as to decompress a good part of a buffer: not
 * each of them is worth that, if they come fast. */
#define TELL_BUFFERS (SOURCE_SPILL_BUFFERS / 4)
#define TELL_NS	     1000000

static void tell(struct source_stream *stream, int queued)
{
	struct timespec now;
	int64_t now_ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (queued < (int)TELL_BUFFERS && now_ns - stream->told_ns < TELL_NS)
		return;
	stream->told_ns = now_ns;
	source_tell(&stream->base);
}

/* `out` will be written, by those who wait for it. */
static int queue_out(struct source_stream *stream)
{
	int r = source_spill_swap(&stream->spill, &stream->out, stream->out_filled,
				  stream->decoded + stream->out_filled);

	if (r < 0)
		return r;
	leave_out(stream);
	tell(stream, r);
	return 0;
}

static int have_spool(struct source_stream *stream)
{
	return stream->spool.fd < 0 ? open_spool(stream) : 0;
}

int source_stream_pass(struct source_stream *stream)
{
	int r = stream->out_filled > 0 ? have_spool(stream) : 0;

	if (r < 0 || stream->out_filled == 0)
		return r;
	r = stream->parallel ? queue_out(stream) : write_out(stream);
	if (r < 0 || likely(!is_bomb(stream)))
		return r;
	r = source_spill_drain(&stream->spill);
	if (r < 0)
		return r;
	return source_fail(&stream->base, stream->decoded, -EFBIG,
			   "decompressed size: found more than %u times the file's; accepted that "
			   "below %llu GiB (decompress it to a file first)",
			   SOURCE_BOMB_RATIO, (unsigned long long)(SOURCE_BOMB_BYTES >> 30));
}

int source_stream_flush(struct source_stream *stream)
{
	int r = source_spill_drain(&stream->spill);

	if (r < 0 || stream->out_filled == 0)
		return r;
	r = have_spool(stream);
	return r < 0 ? r : write_out(stream);
}

/* ---- the end */

int source_stream_fail(struct source_stream *stream, int code, const char *format, ...)
{
	struct pktfs_error error;
	va_list args;
	int r = stream->idle(stream);

	if (r < 0)
		return r;
	va_start(args, format);
	vsnprintf(error.text, sizeof(error.text), format, args);
	va_end(args);
	return source_fail(&stream->base, stream->decoded, code, "%s", error.text);
}

int source_stream_cut(struct source_stream *stream, const char *what)
{
	struct pktfs_error error;

	if (source_problem(stream->inner, &error) == 0)
		say_cut(stream, what, &error);
	return source_stream_fail(stream, error.code, "%s", error.text);
}

/* ---- the common operations */

bool source_stream_offers(struct source *source)
{
	return source_spill_offers(&((struct source_stream *)source)->spill);
}

void source_stream_help(struct source *source)
{
	source_spill_help(&((struct source_stream *)source)->spill);
}

int source_stream_borrow(struct source *source, uint64_t offset, size_t size,
			 struct pktfs_loan *ret)
{
	struct source_stream *stream = (struct source_stream *)source;

	return source_spool_borrow(&stream->spool, offset, size, source_available(source, NULL),
				   ret);
}

int source_stream_verify(struct source *source, uint64_t offset, size_t size)
{
	struct source_stream *stream = (struct source_stream *)source;

	(void)offset;
	(void)size;
	return source_spool_verify(&stream->spool);
}

void source_stream_drop(struct source *source)
{
	struct source *inner = ((struct source_stream *)source)->inner;

	if (inner && inner->ops->drop)
		inner->ops->drop(inner);
}

void source_stream_cancel(struct source *source)
{
	struct source_stream *stream = (struct source_stream *)source;

	if (stream->inner)
		source_cancel(stream->inner);
}

/* What was decompressed cannot be taken back: all of the file is used. */
int source_stream_grow(struct source *source, uint64_t limit, uint64_t used)
{
	struct source_stream *stream = (struct source_stream *)source;
	/* what has just come may be what ends it */
	bool growing = source_growing(source);
	int r = source_grow(stream->inner, limit);

	(void)used;
	if (r < 0)
		atomic_store(&source->growing, false);
	else /* even if it was another who has just seen that it is longer */
		source_unsettle(source, stream->inner);
	return r == 1 ? growing : r;
}

int source_stream_descriptor(const struct source *source)
{
	return source_descriptor(((const struct source_stream *)source)->inner);
}

int source_stream_written(struct source *source)
{
	return source_written(((struct source_stream *)source)->inner);
}

void source_stream_stored(struct source *source, uint64_t *ret_size, struct pktfs_time *ret_time)
{
	struct source_stream *stream = (struct source_stream *)source;

	*ret_size = source_stored_size(stream->inner);
	*ret_time = source_stored_time(stream->inner);
}
