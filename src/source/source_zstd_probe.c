/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that do not say their length, as pzstd and the seekable format write
 * them: decompressed by several threads to find out, and then noted as those
 * that do. What was decompressed goes to the frame cache, for who comes behind.
 *
 *	file       | frame | frame | frame | frame | ...
 *	           noted   `- probes, being decompressed   ^ stream.at
 *
 * This is for what is in the file by now, whole and sound. At anything else the
 * probes come to an end, and the thread goes on behind the last good one, in its
 * own way: a damaged frame gives there what it can, with the same words. So it does
 * at a frame that may be larger than a quarter of the cache.
 */
#include "source_zstd_private.h"

#include <assert.h>

/* Small neighbours are one probe. */
#define PROBE_GROUP ((uint64_t)32 << 10)

static struct zstd_probe *probe_at(struct source_zstd *zstd, uint64_t number)
{
	return &zstd->probing.probes[number % ZSTD_PROBES];
}

/* ---- the threads of the pool */

static int decode(struct source_zstd *zstd, struct zstd_probe *probe, struct source_piece *piece)
{
	struct zstd_decoder decoder;
	int64_t n;
	int r = source_zstd_decoder_take(zstd, probe->packed, &decoder);

	if (r < 0)
		return r;
	n = source_zstd_decode(zstd, &decoder, probe->packed_at, probe->packed, piece, probe->most);
	source_zstd_decoder_give(zstd, decoder);
	return n < 0 ? (int)n : n == (int64_t)probe->packed ? 0 : -EBADMSG;
}

static void run_probe(void *context, uint64_t number)
{
	struct source_zstd *zstd = context;
	struct zstd_probe *probe = probe_at(zstd, number);
	struct source_piece *piece = source_cache_reserve(&zstd->cache, probe->most);
	int r = piece ? decode(zstd, probe, piece) : -ENOMEM;

	if (r == 0) {
		source_piece_trim(piece);
		source_zstd_look(zstd, SOURCE_AHEAD, piece);
	}
	UTIL_LOCK_SCOPE(&zstd->probing.lock);
	probe->piece = piece;
	probe->result = r;
	probe->done = true;
	pthread_cond_broadcast(&zstd->probing.changed);
}

void source_zstd_probe_wake(struct source_zstd *zstd)
{
	UTIL_LOCK_SCOPE(&zstd->probing.lock);
	pthread_cond_broadcast(&zstd->probing.changed);
}

/* ---- in order */

/* Waits for the first probe: its result, or -ECANCELED. */
static int wait_first(struct source_zstd *zstd)
{
	const struct zstd_probe *probe = probe_at(zstd, zstd->probing.first);

	UTIL_LOCK_SCOPE(&zstd->probing.lock);
	while (!probe->done) {
		if (source_cancelled(&zstd->stream.base))
			return -ECANCELED;
		pthread_cond_wait(&zstd->probing.changed, &zstd->probing.lock);
	}
	return probe->result;
}

static void drop_first(struct source_zstd *zstd)
{
	struct zstd_probe *probe = probe_at(zstd, zstd->probing.first++);

	zstd->probing.most -= probe->most;
	if (probe->piece)
		source_cache_unreserve(&zstd->cache, probe->most, probe->piece);
	*probe = (struct zstd_probe){0};
}

/* The first probe is good: what it gave is noted, kept, and published. */
static int note_first(struct source_zstd *zstd)
{
	struct zstd_probe *probe = probe_at(zstd, zstd->probing.first);
	struct source_stream *stream = &zstd->stream;
	struct source_frame entry = {
		.packed_at = probe->packed_at,
		.packed = (uint32_t)probe->packed,
		.start = stream->decoded,
		.length = (uint32_t)probe->piece->size,
	};
	int r;

	if (entry.length == 0)
		return 0;
	r = source_zstd_note(zstd, &entry, probe->piece, probe->most);
	if (r < 0)
		return r;
	probe->piece = NULL;
	stream->decoded += entry.length;
	return source_publish(&stream->base, stream->decoded);
}

/* All that come behind the first bad one are given up, and the stream goes on
 * there. */
static int give_up(struct source_zstd *zstd)
{
	uint64_t at = probe_at(zstd, zstd->probing.first)->packed_at;

	while (zstd->probing.first < zstd->probing.next) {
		if (wait_first(zstd) == -ECANCELED)
			return -ECANCELED;
		drop_first(zstd);
	}
	zstd->probing.off = true;
	source_stream_rewind(&zstd->stream, at);
	return 1;
}

/* Takes the first probe: 0; 1 if it is bad, and there is none any more; or what
 * ended the source. */
static int take_first(struct source_zstd *zstd)
{
	int r;

	assert(!zstd->probing.open);
	r = wait_first(zstd);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		return give_up(zstd);
	r = note_first(zstd);
	drop_first(zstd);
	return r;
}

int source_zstd_probe_end(struct source_zstd *zstd)
{
	int r = 0;

	while (r == 0 && zstd->probing.first < zstd->probing.next)
		r = take_first(zstd);
	return r;
}

/* ---- what is probed */

/* Gives the probe that is open to the threads, or does it if they have enough to
 * do. */
static void start(struct source_zstd *zstd)
{
	uint64_t number = zstd->probing.next - 1;
	struct source_task task = {.run = run_probe, .context = zstd, .number = number};

	zstd->probing.open = false;
	if (!source_pool_add(&zstd->pool, &task))
		run_probe(zstd, number);
}

static bool fits_open(struct source_zstd *zstd, const struct zstd_extent *extent)
{
	const struct zstd_probe *last = probe_at(zstd, zstd->probing.next - 1);

	return zstd->probing.open && extent->end - last->packed_at <= PROBE_GROUP &&
	       last->most + extent->most <= MIN(SOURCE_FRAME_LIMIT, zstd->cache.limit / 4);
}

/*
 * Makes room for a probe that gives up to `most` bytes; as take_first. There are few of
 * them, and with what they gave and nobody has got yet they take three quarters of the
 * cache: the frame that is being read by who comes behind has the last one.
 */
static int make_room(struct source_zstd *zstd, uint64_t most)
{
	const struct zstd_probing *probing = &zstd->probing;
	unsigned few = MIN(2 * zstd->pool.thread_limit, ZSTD_PROBES);
	uint64_t limit = zstd->cache.limit;
	int r = 0;

	while (r == 0 && probing->first < probing->next &&
	       (probing->next - probing->first >= few || probing->most + most > limit / 2))
		r = take_first(zstd);
	if (r == 0)
		source_cache_wait_used(&zstd->cache, limit / 4 * 3 - probing->most - most);
	return r;
}

/* Begins a probe with the frame at stream.at. */
static int open_probe(struct source_zstd *zstd, const struct zstd_extent *extent)
{
	struct zstd_probing *probing = &zstd->probing;
	int r;

	if (probing->open)
		start(zstd);
	r = make_room(zstd, extent->most);
	/* what was found by the other way comes first */
	if (r == 0 && probing->first == probing->next)
		r = source_zstd_idle(&zstd->stream);
	if (r != 0)
		return r;
	*probe_at(zstd, probing->next++) = (struct zstd_probe){.packed_at = zstd->stream.at};
	probing->open = true;
	return 0;
}

/* Adds the frame at stream.at; 1 also if a probe in front of it was bad. */
static int add_frame(struct source_zstd *zstd, const struct zstd_extent *extent)
{
	struct source_stream *stream = &zstd->stream;
	struct zstd_probe *probe;
	int r = fits_open(zstd, extent) ? 0 : open_probe(zstd, extent);

	if (r != 0)
		return r;
	probe = probe_at(zstd, zstd->probing.next - 1);
	probe->packed = (size_t)(extent->end - probe->packed_at);
	probe->most += extent->most;
	zstd->probing.most += extent->most;
	source_stream_skip(stream, extent->end - stream->at);
	if (probe->packed >= PROBE_GROUP)
		start(zstd);
	return 1;
}

/* The first bytes of what comes next, if so many are there; what ends the stream
 * is found by others. */
static bool look(struct source_stream *stream, uint8_t *bytes, size_t size)
{
	return source_available(stream->inner, NULL) >= stream->at + size &&
	       source_peek(stream->inner, stream->at, bytes, size) == (int64_t)size;
}

/* 1 after a skippable frame that is there. */
static int skip(struct source_stream *stream, const uint8_t *bytes)
{
	uint64_t end = stream->at + ZSTD_SKIPPABLE_HEADER + bytes_u32(bytes + 4, false);

	if (source_available(stream->inner, NULL) < end)
		return 0;
	source_stream_skip(stream, end - stream->at);
	return 1;
}

/* 1 after a frame, 0 if it is not one for this. */
static int take(struct source_zstd *zstd)
{
	struct source_stream *stream = &zstd->stream;
	struct zstd_extent extent;
	struct zstd_header header;
	uint8_t bytes[ZSTD_HEADER_MAX];

	if (!look(stream, bytes, ZSTD_SKIPPABLE_HEADER))
		return 0;
	if ((bytes_u32(bytes, false) & ZSTD_SKIPPABLE_MASK) == ZSTD_SKIPPABLE)
		return skip(stream, bytes);
	if (bytes_u32(bytes, false) != ZSTD_MAGIC ||
	    !look(stream, bytes, source_zstd_header_size(bytes)))
		return 0;
	header = source_zstd_header(bytes);
	if (header.has_length || header.dictionary ||
	    header.window > UINT64_C(1) << SOURCE_ZSTD_WINDOW_LOG ||
	    source_zstd_find_end(stream, &header, &extent) != 1 ||
	    extent.most > zstd->cache.limit / 4)
		return 0;
	return add_frame(zstd, &extent);
}

int source_zstd_probe(struct source_zstd *zstd)
{
	struct zstd_probing *probing = &zstd->probing;
	bool final;
	int r = 0;

	source_available(zstd->stream.inner, &final);
	if (final && !probing->off && !zstd->stream.grown && zstd->pool.thread_limit > 0)
		r = take(zstd);
	if (r != 0)
		return r;
	if (probing->open)
		start(zstd);
	return source_zstd_probe_end(zstd);
}
