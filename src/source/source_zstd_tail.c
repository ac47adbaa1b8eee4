/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame in which a source ends: one that was to be decompressed on demand,
 * and is damaged or of another length than it says. All that it gives before
 * its damage is kept for as long as the source is open, and lent instead of
 * what the frame table says of these offsets:
 *
 *	table   | frame | frame, damaged     | frame | frame |
 *	tail            | what it gives |    (shorter or longer than it said)
 *	                from            end of the source
 *
 * If a frame further in front turns out to be damaged later, its tail replaces
 * this one.
 */
#include "source_zstd_private.h"

struct tail {
	struct source_piece *piece;
	size_t error; /* of libzstd; 0: none, and the frame has ended */
};

/*
 * Feeds bytes one by one: when a call fails it does not say how much it had
 * put out before, and with one byte that is nothing. Returns what the last call
 * did: 0 at the end of the frame.
 */
static size_t feed(ZSTD_DCtx *context, const uint8_t *bytes, size_t size, struct tail *tail)
{
	ZSTD_outBuffer out = {tail->piece->bytes, tail->piece->room, tail->piece->size};
	size_t hint = 1, i;

	for (i = 0; i < size && hint != 0 && !ZSTD_isError(hint); i++) {
		ZSTD_inBuffer in = {bytes + i, 1, 0};

		hint = ZSTD_decompressStream(context, &out, &in);
		if (!ZSTD_isError(hint) && in.pos == 0)
			hint = (size_t)-ZSTD_error_dstSize_tooSmall;
	}
	tail->piece->size = out.pos;
	return hint;
}

/* As much of the frame as can be had. libzstd is not told the length that it
 * says, or would keep back what does not fit to it. */
static void decode(ZSTD_DCtx *context, const uint8_t *bytes, size_t size, struct tail *tail)
{
	size_t r = (size_t)-ZSTD_error_srcSize_wrong;
	struct zstd_header header;

	if (size >= ZSTD_HEADER_MIN && size >= source_zstd_header_size(bytes)) {
		header = source_zstd_header(bytes);
		r = feed(context, header.open, header.open_size, tail);
		if (!ZSTD_isError(r))
			r = feed(context, bytes + header.size, size - header.size, tail);
		if (r != 0 && !ZSTD_isError(r))
			r = (size_t)-ZSTD_error_srcSize_wrong;
	}
	tail->error = r;
}

/* Makes it the end of the source, at once for those who look at its bytes and
 * those who look at the end. */
static void publish(struct source_zstd *zstd, uint64_t at, uint64_t from, const struct tail *tail)
{
	unsigned long long found = tail->piece->size;

	UTIL_LOCK_SCOPE(&zstd->lock);
	source_piece_unref(zstd->tail);
	zstd->tail = source_piece_ref(tail->piece);
	atomic_store_explicit(&zstd->tail_from, from, memory_order_release);
	if (tail->error)
		source_fail_from(&zstd->stream.base, from, from + found, -EBADMSG,
				 "zstd frame, offset %llu of the file: found %s",
				 (unsigned long long)at, ZSTD_getErrorName(tail->error));
	else
		source_fail_from(&zstd->stream.base, from, from + found, -EBADMSG,
				 "zstd frame, offset %llu of the file: found %llu bytes; "
				 "accepted as many as it says",
				 (unsigned long long)at, found);
}

static int make(struct source_zstd *zstd, uint64_t at, uint64_t from, const uint8_t *bytes,
		size_t size)
{
	_cleanup_piece_ struct source_piece *piece = source_piece_new(SOURCE_FRAME_LIMIT);
	ZSTD_DCtx *context = ZSTD_createDCtx();
	struct tail tail = {.piece = piece};
	int r = -ENOMEM;

	if (piece && context) {
		decode(context, bytes, size, &tail);
		if (ZSTD_getErrorCode(tail.error) != ZSTD_error_memory_allocation) {
			publish(zstd, at, from, &tail);
			r = 0;
		}
	}
	ZSTD_freeDCtx(context); /* its window is as large as the piece */
	return r;
}

/* The lock is held over the decompression, against the rule: so the memory for
 * it is needed once, however many readers of however many bad frames come. It
 * is a matter of a moment, as there is nothing to wait for, and happens when a
 * source ends. */
int source_zstd_tail_make(struct source_zstd *zstd, uint64_t at, uint64_t from,
			  const uint8_t *bytes, size_t size)
{
	UTIL_LOCK_SCOPE(&zstd->tail_lock);
	if (source_zstd_in_tail(zstd, from)) /* this one, or one in front of it */
		return 0;
	return make(zstd, at, from, bytes, size);
}

int source_zstd_tail_lend(struct source_zstd *zstd, uint64_t offset, struct pktfs_loan *ret)
{
	uint64_t within;

	UTIL_LOCK_SCOPE(&zstd->lock);
	within = offset - atomic_load_explicit(&zstd->tail_from, memory_order_relaxed);
	if (within >= zstd->tail->size)
		return -EBADMSG;
	ret->hold = source_piece_ref(zstd->tail);
	ret->bytes = zstd->tail->bytes + within;
	ret->size = zstd->tail->size - (size_t)within;
	return 0;
}
