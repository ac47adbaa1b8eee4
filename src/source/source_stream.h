/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source with a thread that makes its bytes one after the other and puts
 * them into a spool: pipes, gzip, and zstd for what is not decoded on demand.
 *
 *	inner source -> `in` -> (decoder) -> `out` -> spool -> published
 *
 * Of a decoder that does not wait for its input the last two steps are done by whoever
 * waits for the bytes (source_stream_pass, source_spill.h), where there is a second
 * processor.
 *
 * When the inner source grows, its end is no end for the thread: it publishes
 * what it has, says that this is final for now (source_settle), and waits for
 * more in the middle of what it does.
 *
 * All of this is the thread's own but for `base`, `spill`, the reading side of `spool`,
 * and its writing side while there is something in `spill`.
 */
#ifndef SOURCE_STREAM_H
#define SOURCE_STREAM_H

#include "source_impl.h"
#include "source_spill.h"
#include "source_spool.h"

/* Larger than a zstd block (128 KiB) with its header; both stay in the L2
 * cache of the processor. What is written at once lies in larger pieces of memory:
 * these are filled, mapped and given back faster. */
#define SOURCE_STREAM_IN  ((size_t)256 << 10)
#define SOURCE_STREAM_OUT ((size_t)512 << 10)

/*
 * A stream that becomes both so large and so many times larger than it was is
 * a bomb, not a capture. (Zeros become 32,000 times larger with zstd.)
 */
#define SOURCE_BOMB_BYTES ((uint64_t)16 << 30)
#define SOURCE_BOMB_RATIO 2000u

struct source_stream {
	struct source base;
	struct source *inner; /* NULL: a pipe */
	struct source_spool spool;
	struct source_spill spill;
	char *spool_dir;
	pthread_t thread;
	bool running;
	bool parallel; /* what is passed on is written by others */
	int64_t told_ns; /* when they were told last that there is something */

	/* 0: a proper end; negative: what ended it, which is filled in as the
	 * problem unless that was done */
	int (*run)(struct source_stream *stream);
	/* publish what there is, before a wait and at the end */
	int (*idle)(struct source_stream *stream);

	/* of an inner source that grows: what is unfinished where it ends */
	bool follows;
	bool grown;  /* it has come further than it was at first */
	bool inside; /* of a unit, even if all that there is was used */
	const char *unit;

	uint64_t at;      /* offset in the inner source of the next byte of `in` */
	uint64_t decoded; /* bytes published, or passed on */
	uint64_t spooled; /* those of them in the spool */
	size_t in_used, in_filled;
	size_t out_filled;
	uint8_t *in, *out;
};

/* Takes over `inner` when it returns 0. */
int source_stream_init(struct source_stream *stream, const struct source_ops *ops,
		       struct source *inner, const struct source_options *options);
/* Starts the thread, as the last step of an open. */
int source_stream_start(struct source_stream *stream, const char *name);
/* Lets go of the inner source's file. What is decoded already stays in the spool. */
void source_stream_drop(struct source *source);
/* Ends the thread (the source was cancelled), closes the inner source. */
void source_stream_fini(struct source_stream *stream);
/* Waits for the thread of a source that was cancelled to end. */
void source_stream_join(struct source_stream *stream);

/* `size` bytes of input in one piece (at most SOURCE_STREAM_IN): 1, 0 when the
 * input ends before, or an error. Waits. */
int source_stream_need(struct source_stream *stream, size_t size);

static inline const uint8_t *source_stream_input(const struct source_stream *stream)
{
	return stream->in + stream->in_used;
}

static inline size_t source_stream_left(const struct source_stream *stream)
{
	return stream->in_filled - stream->in_used;
}

/* Goes over the next `size` bytes of input, which need not be at hand. */
void source_stream_skip(struct source_stream *stream, uint64_t size);

/* Goes back to an offset. */
void source_stream_rewind(struct source_stream *stream, uint64_t at);

/* Waits until the inner source has bytes up to `end`: 1, 0 when it ends before,
 * or an error. source_stream_wait_now takes the end that it has now for the end,
 * even if it grows; the others end the stream for now, and wait. */
int source_stream_wait(struct source_stream *stream, uint64_t end);
int source_stream_wait_now(struct source_stream *stream, uint64_t end);

/* Writes `out` to the spool, which is opened with the first byte, and publishes
 * it. */
int source_stream_flush(struct source_stream *stream);
/* The same, but that may happen later, by those who wait for it; `out` is another
 * buffer then. source_stream_flush sees to it. */
int source_stream_pass(struct source_stream *stream);

/* Publishes what there is, and ends the source behind it. Returns `code`, or
 * the error of the publishing. */
int source_stream_fail(struct source_stream *stream, int code, const char *format, ...)
	_printf_(3, 4);
/* The same because the inner source ended before the stream did: in the middle
 * of `what`, or by a problem of its own. */
int source_stream_cut(struct source_stream *stream, const char *what);

/* Operations of sources whose bytes are all in the spool. */
int source_stream_borrow(struct source *source, uint64_t offset, size_t size,
			 struct pktfs_loan *ret);
int source_stream_verify(struct source *source, uint64_t offset, size_t size);
void source_stream_cancel(struct source *source);
bool source_stream_offers(struct source *source);
void source_stream_help(struct source *source);
/* And of those that have an inner source. */
int source_stream_grow(struct source *source, uint64_t limit, uint64_t used);
int source_stream_descriptor(const struct source *source);
int source_stream_written(struct source *source);
void source_stream_stored(struct source *source, uint64_t *ret_size, struct pktfs_time *ret_time);

#endif
