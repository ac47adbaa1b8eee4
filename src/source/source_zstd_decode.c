/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole frames, by any thread. */
#include "source_zstd_private.h"

int source_zstd_code(size_t error)
{
	switch (ZSTD_getErrorCode(error)) {
	case ZSTD_error_memory_allocation:
		return -ENOMEM;
	case ZSTD_error_frameParameter_windowTooLarge:
		return -EFBIG;
	default:
		return -EBADMSG;
	}
}

void source_zstd_decoder_free(struct zstd_decoder decoder)
{
	ZSTD_freeDCtx(decoder.context);
	source_piece_unref(decoder.packed);
}

int source_zstd_decoder_take(struct source_zstd *zstd, size_t size, struct zstd_decoder *ret)
{
	struct zstd_decoder decoder = {0};

	pthread_mutex_lock(&zstd->lock);
	if (zstd->idle_count > 0)
		decoder = zstd->idle[--zstd->idle_count];
	pthread_mutex_unlock(&zstd->lock);
	if (!decoder.context)
		decoder.context = ZSTD_createDCtx();
	if (!decoder.packed || decoder.packed->room < size) {
		source_piece_unref(decoder.packed);
		decoder.packed = source_piece_new(size + size / 8);
	}
	if (!decoder.context || !decoder.packed) {
		source_zstd_decoder_free(decoder);
		return -ENOMEM;
	}
	*ret = decoder;
	return 0;
}

void source_zstd_decoder_give(struct source_zstd *zstd, struct zstd_decoder decoder)
{
	if (decoder.packed->room > ZSTD_IDLE_PACKED) {
		source_piece_unref(decoder.packed);
		decoder.packed = NULL;
	}
	pthread_mutex_lock(&zstd->lock);
	if (zstd->idle_count < ZSTD_IDLE_DECODERS) {
		zstd->idle[zstd->idle_count++] = decoder;
		decoder = (struct zstd_decoder){0};
	}
	pthread_mutex_unlock(&zstd->lock);
	source_zstd_decoder_free(decoder);
}

/* One frame after the other, up to the first that is damaged. */
static int64_t decode_group(const struct zstd_decoder *decoder, struct source_piece *piece,
			    size_t length)
{
	const struct source_piece *packed = decoder->packed;
	size_t at, n, r;

	piece->size = 0;
	for (at = 0; at < packed->size; at += n) {
		n = ZSTD_findFrameCompressedSize(packed->bytes + at, packed->size - at);
		if (ZSTD_isError(n))
			break;
		r = ZSTD_decompressDCtx(decoder->context, piece->bytes + piece->size,
					length - piece->size, packed->bytes + at, n);
		if (ZSTD_isError(r) && source_zstd_code(r) == -ENOMEM)
			return -ENOMEM;
		if (ZSTD_isError(r))
			break;
		piece->size += r;
	}
	return (int64_t)at;
}

/* The compressed bytes are copied: they are checked and then used, and nobody
 * may change them in between. */
int64_t source_zstd_decode(struct source_zstd *zstd, const struct zstd_decoder *decoder,
			   uint64_t packed_at, size_t packed, struct source_piece *piece,
			   size_t length)
{
	int64_t n = source_read(zstd->stream.inner, packed_at, decoder->packed->bytes, packed);

	if (n != (int64_t)packed)
		return n < 0 ? n : -EIO;
	decoder->packed->size = packed;
	return decode_group(decoder, piece, length);
}
