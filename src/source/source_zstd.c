/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_zstd.h"

#include <string.h>

#include "source_thread.h"
#include "source_zstd_private.h"

static struct source_zstd *zstd_of(struct source *source)
{
	return (struct source_zstd *)source;
}

/* ---- decompression on demand */

static int load_by(struct source_zstd *zstd, const struct zstd_decoder *decoder,
		   const struct source_frame *frame, struct source_piece *piece)
{
	int64_t n = source_zstd_decode(zstd, decoder, frame->packed_at, frame->packed, piece,
				       frame->length);

	if (n < 0 || (n == frame->packed && piece->size == frame->length))
		return n < 0 ? (int)n : 0;
	return source_zstd_tail_make(zstd, frame->packed_at + (uint64_t)n,
				     frame->start + piece->size, decoder->packed->bytes + n,
				     frame->packed - (size_t)n);
}

static int load_frame(void *user, const struct source_frame *frame, struct source_piece *piece)
{
	struct source_zstd *zstd = user;
	struct zstd_decoder decoder;
	int r = source_zstd_decoder_take(zstd, frame->packed, &decoder);

	if (r < 0)
		return r;
	r = load_by(zstd, &decoder, frame, piece);
	source_zstd_decoder_give(zstd, decoder);
	return r;
}

/* ---- who looks at what is decompressed */

void source_zstd_look(struct source_zstd *zstd, uint64_t offset, struct source_piece *piece)
{
	const struct source_looker *looker = &zstd->looker;
	void *notes = NULL;

	pthread_rwlock_rdlock(&zstd->look_lock);
	if (looker->look)
		notes = looker->look(looker->context, offset, piece->bytes, piece->size);
	pthread_rwlock_unlock(&zstd->look_lock);
	atomic_store_explicit(&piece->notes, notes, memory_order_release);
}

static void look_at_frame(void *user, const struct source_frame *frame, struct source_piece *piece)
{
	if (piece->size == frame->length)
		source_zstd_look(user, frame->start, piece);
}

static void zstd_set_looker(struct source *source, const struct source_looker *looker)
{
	struct source_zstd *zstd = zstd_of(source);

	pthread_rwlock_wrlock(&zstd->look_lock);
	zstd->looker = looker ? *looker : (struct source_looker){0};
	pthread_rwlock_unlock(&zstd->look_lock);
}

/* ---- loans */

/* The last of `count` frames that starts at or before `offset`; the first
 * starts at 0. */
static uint64_t find(const struct table *frames, uint64_t count, uint64_t offset)
{
	uint64_t low = 0, high = count, middle;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (((struct source_frame *)table_at(frames, middle))->start <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Frame `index` of `count`. */
static int lend_frame(struct source_zstd *zstd, uint64_t index, uint64_t count, uint64_t offset,
		      struct pktfs_loan *ret)
{
	struct source_frame *frame = table_at(&zstd->frames, index);
	size_t within = (size_t)(offset - frame->start);
	struct source_piece *piece;
	int r;

	if (source_cache_is_new(&zstd->cache, frame))
		source_ahead_step(&zstd->ahead, index, count);
	r = source_cache_get(&zstd->cache, frame, &piece);
	if (r < 0)
		return r;
	if (within >= piece->size) {
		source_piece_unref(piece);
		return source_zstd_tail_lend(zstd, offset, ret);
	}
	ret->hold = piece;
	ret->bytes = piece->bytes + within;
	ret->size = piece->size - within;
	return 0;
}

/* Lends the bytes at `offset` that are in one piece, `size` or fewer of them
 * (and perhaps more). */
static int lend_some(struct source_zstd *zstd, uint64_t offset, size_t size, struct pktfs_loan *ret)
{
	/* in this order: all frames below `end` are among `count` */
	uint64_t end = source_available(&zstd->stream.base, NULL);
	uint64_t count = table_count(&zstd->frames), i;
	struct source_frame *frame;

	if (unlikely(source_zstd_in_tail(zstd, offset)))
		return source_zstd_tail_lend(zstd, offset, ret);
	if (unlikely(offset >= end)) /* it has just turned out to be damaged */
		return -EBADMSG;
	i = find(&zstd->frames, count, offset);
	frame = table_at(&zstd->frames, i);
	if (frame->length)
		return lend_frame(zstd, i, count, offset, ret);
	if (i + 1 < count)
		end = MIN(end, ((struct source_frame *)table_at(&zstd->frames, i + 1))->start);
	return source_spool_borrow(&zstd->stream.spool, frame->spool_at + (offset - frame->start),
				   (size_t)MIN(size, end - offset),
				   frame->spool_at + (end - frame->start), ret);
}

/* Puts bytes from several frames together. */
static int lend_copy(struct source_zstd *zstd, uint64_t offset, size_t size, struct pktfs_loan *ret)
{
	struct source_piece *piece = source_piece_new(size);
	struct pktfs_loan part;
	size_t n;
	int r = piece ? 0 : -ENOMEM;

	while (r == 0 && piece->size < size) {
		part = (struct pktfs_loan){0};
		r = lend_some(zstd, offset + piece->size, size - piece->size, &part);
		if (r < 0)
			break;
		n = MIN(part.size, size - piece->size);
		memcpy(piece->bytes + piece->size, part.bytes, n);
		piece->size += n;
		source_piece_unref(part.hold);
		r = source_spool_verify(&zstd->stream.spool);
	}
	if (r < 0) {
		source_piece_unref(piece);
		return r;
	}
	ret->hold = piece;
	ret->bytes = piece->bytes;
	ret->size = size;
	return 0;
}

static int zstd_borrow(struct source *source, uint64_t offset, size_t size, struct pktfs_loan *ret)
{
	struct source_zstd *zstd = zstd_of(source);
	int r = lend_some(zstd, offset, size, ret);

	if (r < 0 || likely(ret->size >= size))
		return r;
	source_piece_unref(ret->hold);
	ret->hold = NULL;
	return lend_copy(zstd, offset, size, ret);
}

/* ---- life */

static void zstd_cancel(struct source *source)
{
	source_stream_cancel(source);
	source_cache_cancel(&zstd_of(source)->cache);
	source_zstd_probe_wake(zstd_of(source));
}

static void zstd_close(struct source *source)
{
	struct source_zstd *zstd = zstd_of(source);
	unsigned i;

	source_stream_join(&zstd->stream); /* it gives the pool tasks */
	source_pool_fini(&zstd->pool);
	source_stream_fini(&zstd->stream);
	for (i = 0; i < ZSTD_PROBES; i++)
		source_piece_unref(zstd->probing.probes[i].piece);
	source_cache_fini(&zstd->cache);
	table_free(&zstd->frames);
	while (zstd->idle_count > 0)
		source_zstd_decoder_free(zstd->idle[--zstd->idle_count]);
	ZSTD_freeDCtx(zstd->streaming);
	source_piece_unref(zstd->tail);
	pthread_mutex_destroy(&zstd->lock);
	pthread_mutex_destroy(&zstd->tail_lock);
	pthread_rwlock_destroy(&zstd->look_lock);
	pthread_mutex_destroy(&zstd->probing.lock);
	pthread_cond_destroy(&zstd->probing.changed);
	free(zstd);
}

static const struct source_ops zstd_ops = {
	.name = "zstd",
	.borrow = zstd_borrow,
	.verify = source_stream_verify,
	.offers = source_stream_offers,
	.help = source_stream_help,
	.drop = source_stream_drop,
	.cancel = zstd_cancel,
	.grow = source_stream_grow,
	.set_looker = zstd_set_looker,
	.descriptor = source_stream_descriptor,
	.written = source_stream_written,
	.stored = source_stream_stored,
	.close = zstd_close,
};

int source_zstd_open(struct source *inner, const struct source_options *options,
		     struct source **ret, struct pktfs_error *ret_error)
{
	struct source_zstd *zstd = calloc(1, sizeof(*zstd));
	int r;

	if (!zstd)
		return error_set(ret_error, -ENOMEM, "out of memory");
	r = source_stream_init(&zstd->stream, &zstd_ops, inner, options);
	if (r < 0) {
		free(zstd);
		return error_set(ret_error, r, "out of memory");
	}
	zstd->stream.base.compression = SOURCE_ZSTD;
	zstd->stream.run = source_zstd_scan;
	zstd->stream.idle = source_zstd_idle;
	zstd->stream.unit = "zstd frame";
	source_cache_init(&zstd->cache, options->frame_cache_bytes ? options->frame_cache_bytes
								   : SOURCE_FRAME_CACHE);
	zstd->cache.load = load_frame;
	zstd->cache.loaded = look_at_frame;
	zstd->cache.context = zstd;
	table_init(&zstd->frames, sizeof(struct source_frame));
	source_pool_init(&zstd->pool, zstd->stream.parallel ? source_thread_processors() : 0);
	zstd->ahead = (struct source_ahead){
		.pool = &zstd->pool, .cache = &zstd->cache, .frames = &zstd->frames};
	pthread_mutex_init(&zstd->tail_lock, NULL);
	pthread_rwlock_init(&zstd->look_lock, NULL);
	pthread_mutex_init(&zstd->probing.lock, NULL);
	pthread_cond_init(&zstd->probing.changed, NULL);
	pthread_mutex_init(&zstd->lock, NULL);
	atomic_init(&zstd->tail_from, UINT64_MAX);
	r = source_stream_start(&zstd->stream, "pktfs-zstd");
	if (r == 0) {
		*ret = &zstd->stream.base;
		return 0;
	}
	zstd->stream.inner = NULL; /* stays the caller's */
	zstd_close(&zstd->stream.base);
	return error_set(ret_error, r, "no thread for zstd: %s", strerror(-r));
}
