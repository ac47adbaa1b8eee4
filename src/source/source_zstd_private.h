/* SPDX-License-Identifier: BSD-2-Clause */
/* What the reading side (source_zstd.c) and the thread (source_zstd_scan.c,
 * source_zstd_stream.c) of a zstd source share. */
#ifndef SOURCE_ZSTD_PRIVATE_H
#define SOURCE_ZSTD_PRIVATE_H

#include <zstd.h>
#include <zstd_errors.h>

#include "source_ahead.h"
#include "source_cache.h"
#include "source_stream.h"
#include "source_zstd.h"
#include "util/util_cursor.h"
#include "util/util_table.h"

#define ZSTD_IDLE_DECODERS 4u

/* What decompresses a frame on demand, with room for its compressed form. */
struct zstd_decoder {
	ZSTD_DCtx *context;
	struct source_piece *packed;
};

/* Larger room is not kept with an idle one. */
#define ZSTD_IDLE_PACKED ((size_t)2 << 20)

/* Frames that are decompressed to find out their length: source_zstd_probe.c. */
#define ZSTD_PROBES (2 * SOURCE_POOL_THREADS)

struct zstd_probe {
	uint64_t packed_at;
	size_t packed, most; /* bytes in the file; decoded, at most */
	/* under the lock */
	bool done;
	int result;
	struct source_piece *piece;
};

struct zstd_probing {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct zstd_probe probes[ZSTD_PROBES]; /* a ring: number `first` up to `next` */
	/* all below is the stream's thread's own */
	uint64_t first, next;
	uint64_t most; /* of all of them */
	bool open;     /* the last one may get another frame; no thread has it yet */
	bool off;      /* one was bad */
};

struct source_zstd {
	struct source_stream stream;
	struct source_cache cache;
	struct source_pool pool;
	struct source_ahead ahead;
	struct table frames; /* of struct source_frame */

	pthread_mutex_t tail_lock; /* one tail is made at a time */
	pthread_mutex_t lock;      /* of the decoders not in use, and `tail` */
	struct zstd_decoder idle[ZSTD_IDLE_DECODERS];
	unsigned idle_count;
	struct source_piece *tail;  /* NULL: none */
	_Atomic uint64_t tail_from; /* written under the lock; UINT64_MAX: none */

	/* The thread's own: frames that will be noted together, from
	 * stream.decoded on; and the frame that is decompressed. */
	struct {
		uint64_t packed_at, packed_end;
		uint64_t length; /* 0: none */
	} group;
	pthread_rwlock_t look_lock; /* of the looker; held to read by those who look */
	struct source_looker looker;

	struct zstd_probing probing;
	ZSTD_DCtx *streaming;
	uint64_t frame_at;     /* in the file */
	uint64_t frame_output; /* bytes so far */
};

#define ZSTD_MAGIC            0xFD2FB528u
#define ZSTD_SKIPPABLE        0x184D2A50u /* to ..5F */
#define ZSTD_SKIPPABLE_MASK   (~15u)
#define ZSTD_SKIPPABLE_HEADER 8u

#define ZSTD_HEADER_MIN 5u /* tells how long it is */
#define ZSTD_HEADER_MAX 18u

/* A frame header (RFC 8878, section 3.1.1.1). */
struct zstd_header {
	unsigned size;
	bool has_checksum;
	bool has_length;
	uint64_t length;
	uint64_t window; /* bytes; 0: it is the length */
	uint32_t dictionary;

	/* What libzstd gets in its place: no length up to SOURCE_FRAME_LIMIT,
	 * because it keeps back bytes that do not fit to one. Who decompresses
	 * compares it. */
	unsigned open_size;
	uint8_t open[ZSTD_HEADER_MAX];
};

/* How long the header is that begins with these ZSTD_HEADER_MIN bytes. */
unsigned source_zstd_header_size(const uint8_t *bytes);
/* A whole one. */
struct zstd_header source_zstd_header(const uint8_t *bytes);

/* A block header (section 3.1.1.2). */
struct zstd_block {
	bool last, reserved;
	uint32_t stored; /* bytes that follow it */
	uint32_t most;   /* bytes that it gives, at most, if it is valid */
};

#define ZSTD_BLOCK_HEADER 3u
#define ZSTD_BLOCK_MAX    (128u << 10)
#define ZSTD_CHECKSUM     4u

static inline struct zstd_block zstd_block_parse(const uint8_t *bytes)
{
	uint32_t word = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
	uint32_t type = word >> 1 & 3;

	/* type 1: one byte, repeated */
	return (struct zstd_block){
		.last = word & 1,
		.reserved = type == 3,
		.stored = type == 1 ? 1 : word >> 3,
		.most = type == 2 ? ZSTD_BLOCK_MAX : word >> 3,
	};
}

/* Where a frame ends that is in the file by now, and how many bytes it gives at
 * most. */
struct zstd_extent {
	uint64_t end;
	uint64_t most;
};

/* The thread. */
int source_zstd_scan(struct source_stream *stream);
/* Of the frame at stream.at: 1; 0 when it has no end that we can tell (cut, invalid,
 * or too long to be decompressed on demand), or an error. */
int source_zstd_find_end(struct source_stream *stream, const struct zstd_header *header,
			 struct zstd_extent *ret);
/* Adds an entry to the frame table, and `piece` (NULL: none) with its bytes to the
 * cache: the reference is taken when it returns 0. */
int source_zstd_note(struct source_zstd *zstd, const struct source_frame *frame,
		     struct source_piece *piece, size_t reserved);
/* What comes at stream.at, as a probe: 1, something was taken, or given up: look
 * there again; 0, that is not for this, and no probe is left; or an error. */
int source_zstd_probe(struct source_zstd *zstd);
/* Waits for all probes: 0; 1, one was bad, and the stream goes on there; or an
 * error. */
int source_zstd_probe_end(struct source_zstd *zstd);
/* The source was cancelled. */
void source_zstd_probe_wake(struct source_zstd *zstd);
/* Publishes what is noted or decompressed so far. */
int source_zstd_idle(struct source_stream *stream);
/* Passes what is decompressed, a full buffer, on to the spool. */
int source_zstd_pass(struct source_zstd *zstd);
/* Decompresses the frame at stream.at into the spool. */
int source_zstd_stream(struct source_zstd *zstd, const struct zstd_header *header);

/* Whole frames were decompressed, at `offset` (or SOURCE_AHEAD): has them looked at. */
void source_zstd_look(struct source_zstd *zstd, uint64_t offset, struct source_piece *piece);

/*
 * The end of a source by a frame that is decompressed on demand, is at `at` of
 * the file and gives bytes from `from` on: decompresses as much of it as can be
 * had, and says so. 0 or -ENOMEM.
 */
int source_zstd_tail_make(struct source_zstd *zstd, uint64_t at, uint64_t from,
			  const uint8_t *bytes, size_t size);

/* Is `offset` in the tail, or behind it? */
static inline bool source_zstd_in_tail(struct source_zstd *zstd, uint64_t offset)
{
	return offset >= atomic_load_explicit(&zstd->tail_from, memory_order_acquire);
}

/* Lends what there is at such an offset: 0, or -EBADMSG behind its end. */
int source_zstd_tail_lend(struct source_zstd *zstd, uint64_t offset, struct pktfs_loan *ret);

/* A decoder with room for `size` compressed bytes: 0 or -ENOMEM. */
int source_zstd_decoder_take(struct source_zstd *zstd, size_t size, struct zstd_decoder *ret);
void source_zstd_decoder_give(struct source_zstd *zstd, struct zstd_decoder decoder);
void source_zstd_decoder_free(struct zstd_decoder decoder);

/*
 * Decompresses the frames in the `packed` bytes at `packed_at` of the file, one after
 * the other, up to the first that is damaged or gives more than `length` bytes in
 * all: how many of these bytes are good, or an error. They are decoder.packed.
 */
int64_t source_zstd_decode(struct source_zstd *zstd, const struct zstd_decoder *decoder,
			   uint64_t packed_at, size_t packed, struct source_piece *piece,
			   size_t length);

/* The code for an error of libzstd. */
int source_zstd_code(size_t error);

#endif
