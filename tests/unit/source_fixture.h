/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of sources share: bytes to compress, ways to compress them,
 * and the comparison of a source with the truth. */
#ifndef SOURCE_FIXTURE_H
#define SOURCE_FIXTURE_H

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* wants the headers above */
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "source/source.h"
#include "util/util_text.h"

#define UNUSED __attribute__((unused))

/* Bytes that look a little like packets: they compress, but not to nothing. */
static UNUSED uint8_t *fixture_bytes(size_t size, uint32_t seed)
{
	uint8_t *bytes = malloc(size ? size : 1);
	size_t i;

	assert_non_null(bytes);
	for (i = 0; i < size; i++) {
		if (i % 4 == 0)
			seed = seed * 1664525 + 1013904223;
		bytes[i] = i % 4 == 0 ? (uint8_t)(seed >> 24) : (uint8_t)(i >> 7);
	}
	return bytes;
}

/* Appends a frame; `flush` > 0: a block ends after as many bytes. */
static UNUSED void fixture_frame(struct text *file, const uint8_t *bytes, size_t size, bool length,
				 size_t flush)
{
	size_t room = ZSTD_compressBound(size) + 64 * (flush ? size / flush + 1 : 1), at = 0, r;
	ZSTD_CCtx *context = ZSTD_createCCtx();
	ZSTD_inBuffer in = {bytes, 0, 0};
	ZSTD_outBuffer out;

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, length);
	if (length)
		ZSTD_CCtx_setPledgedSrcSize(context, size);
	out = (ZSTD_outBuffer){text_grow(file, room), room, 0};
	while (flush && at + flush < size) {
		at += flush;
		in.size = at;
		r = ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
		assert_int_equal(r, 0);
	}
	in.size = size;
	r = ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
	assert_int_equal(r, 0);
	file->size -= room - out.pos;
	ZSTD_freeCCtx(context);
}

static UNUSED void fixture_skippable(struct text *file, uint32_t magic, uint32_t size)
{
	text_u32(file, magic, false);
	text_u32(file, size, false);
	text_zeros(file, size);
}

static UNUSED void fixture_member(struct text *file, const uint8_t *bytes, size_t size,
				  size_t flush)
{
	size_t room = compressBound(size) + 64 * (flush ? size / flush + 1 : 1) + 64, at = 0;
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = text_grow(file, room);
	z.avail_out = (uInt)room;
	z.next_in = (uint8_t *)(uintptr_t)bytes;
	while (flush && at + flush < size) {
		at += flush;
		z.avail_in = (uInt)flush;
		assert_int_equal(deflate(&z, Z_FULL_FLUSH), Z_OK);
	}
	z.avail_in = (uInt)(size - at);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	file->size -= z.avail_out;
	deflateEnd(&z);
}

/* A file without a name: its descriptor. */
static UNUSED int fixture_file(const void *bytes, size_t size)
{
	char path[] = "/tmp/pktfs-source-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(pwrite(fd, bytes, size, 0), size);
	return fd;
}

static UNUSED struct source *fixture_open(const struct text *file)
{
	struct pktfs_error error = {0};
	struct source *source = NULL;
	int r = source_open_buffer(file->bytes, file->size, NULL, &source, &error);

	if (r < 0)
		print_error("%s\n", error.text);
	assert_int_equal(r, 0);
	return source;
}

/* Waits for the end: how many bytes there are. */
static UNUSED uint64_t fixture_end(struct source *source)
{
	bool final;
	uint64_t end;

	assert_int_equal(source_wait(source, UINT64_MAX), 0);
	end = source_available(source, &final);
	assert_true(final);
	return end;
}

/* The source has the `size` bytes, by loans of different sizes at different
 * offsets and by reads. */
static UNUSED void fixture_compare(struct source *source, const uint8_t *bytes, size_t size)
{
	static const size_t sizes[] = {1, 24, 1500, 70000};
	uint8_t *copy = malloc(size + 1);
	struct pktfs_loan loan;
	size_t at, n, i;

	for (at = 0, i = 0; at < size; at += n, i++) {
		n = MIN(sizes[i % 4], size - at);
		assert_int_equal(source_wait(source, at + n), 0);
		assert_int_equal(source_borrow(source, at, n, &loan), 0);
		assert_true(loan.size >= n && loan.size <= size - at);
		assert_memory_equal(loan.bytes, bytes + at, n);
		assert_int_equal(source_return(&loan), 0);
	}
	assert_int_equal(source_wait(source, size + 1), 0);
	assert_int_equal(source_read(source, 0, copy, size + 1), size);
	assert_memory_equal(copy, bytes, size);
	free(copy);
}

/*
 * What libzstd makes of a file when it is fed byte by byte, up to its first
 * error: how many bytes. *ret_good: none, and a frame has ended. (It does not
 * compare the length when the last block is an empty one: that is done here.)
 */
static UNUSED size_t fixture_truth(const struct text *file, uint8_t *bytes, size_t room,
				   bool *ret_good)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_outBuffer out = {bytes, room, 0};
	unsigned long long length = 0;
	size_t at, start = 0, r = 0;

	for (at = 0; at < file->size && !ZSTD_isError(r); at++) {
		ZSTD_inBuffer in = {file->bytes + at, 1, 0};

		if (r == 0) {
			start = out.pos;
			length = ZSTD_getFrameContentSize(file->bytes + at, file->size - at);
		}
		r = ZSTD_decompressStream(context, &out, &in);
		assert_true(out.pos < room);
		if (r == 0 && length < ZSTD_CONTENTSIZE_ERROR && out.pos - start != length)
			break;
	}
	ZSTD_freeDCtx(context);
	*ret_good = r == 0 && at == file->size;
	return out.pos;
}

/* Reads loan by loan all that can be read: how much. */
static UNUSED size_t fixture_given(struct source *source, uint8_t *bytes, size_t room)
{
	struct pktfs_loan loan;
	uint64_t at = 0;

	while (at < fixture_end(source) && source_borrow(source, at, 1, &loan) == 0) {
		assert_true(loan.size <= room - at);
		memcpy(bytes + at, loan.bytes, loan.size);
		at += loan.size;
		source_return(&loan);
	}
	assert_int_equal(at, fixture_end(source));
	return at;
}

/* One of several who read at once; `result` is what went wrong. */
struct fixture_reader {
	struct source *source;
	unsigned number; /* from 0 */
	int result;
};

static UNUSED void fixture_read_by_many(struct source *source, void *(*reader)(void *context))
{
	struct fixture_reader readers[6];
	pthread_t threads[ARRAY_SIZE(readers)];

	for (unsigned i = 0; i < ARRAY_SIZE(readers); i++) {
		readers[i] = (struct fixture_reader){.source = source, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, reader, &readers[i]), 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(readers); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(readers[i].result, 0);
	}
}

/* Compares what has come beyond `at`: how far that is. For threads: aborts. */
static UNUSED uint64_t fixture_follow(struct source *source, const uint8_t *bytes, uint64_t at)
{
	uint64_t end = source_available(source, NULL);
	struct pktfs_loan loan;
	size_t n;

	for (; at < end; at += n) {
		if (source_borrow(source, at, 1, &loan) < 0)
			abort();
		n = loan.requested = (size_t)MIN(loan.size, end - at);
		if (memcmp(loan.bytes, bytes + at, n) != 0 || source_return(&loan) < 0)
			abort();
	}
	return at;
}

static UNUSED void fixture_expect(const struct text *file, const uint8_t *bytes, size_t size,
				  int code)
{
	struct source *source = fixture_open(file);

	fixture_compare(source, bytes, size);
	assert_int_equal(fixture_end(source), size);
	assert_int_equal(source_problem(source, NULL), code);
	source_close(source);
}

#endif
