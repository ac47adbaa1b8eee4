/* SPDX-License-Identifier: BSD-2-Clause */
/* Compressed files that grow while they are read. */
#include <stdatomic.h>

#include "test_source_growth.h"
#include "write/write_stream.h"

/* A file as it grows: steps[i] are the sizes of the file after each write, and
 * of what can be read then. */
#define STEPS 20000
struct growth {
	struct text file;
	struct {
		size_t stored, decoded;
		int problem;
	} steps[STEPS];
	size_t count;
	/* of the writer */
	ZSTD_CCtx *zstd;
	z_stream z;
};

static struct growth growth;

static void begin(void)
{
	text_free(&growth.file);
	growth.file = (struct text){0};
	growth.count = 0;
}

static void step(size_t decoded, int problem)
{
	assert_true(growth.count < STEPS);
	growth.steps[growth.count].stored = growth.file.size;
	growth.steps[growth.count].decoded = decoded;
	growth.steps[growth.count++].problem = problem;
}

/* Writes the file step by step; each must be seen at once. */
static void run(void)
{
	size_t i, stored = growth.steps[0].stored, decoded = 0;
	int fd = fixture_file(growth.file.bytes, stored);
	struct source *source = open_growing(fd);

	for (i = 0; i < growth.count; i++) {
		size_t size = growth.steps[i].stored - stored;

		assert_int_equal(pwrite(fd, growth.file.bytes + stored, size, (off_t)stored), size);
		stored += size;
		assert_int_equal(source_grow(source, UINT64_MAX), i > 0);
		assert_int_equal(source_stored_size(source), stored);
		expect(source, growth.steps[i].decoded, growth.steps[i].problem);
		compare(source, decoded, growth.steps[i].decoded);
		decoded = growth.steps[i].decoded;
	}
	fixture_compare(source, bytes, decoded);
	assert_true(source_growing(source));
	source_close(source);
	close(fd);
}

/* ---- writers that end what they write */

static void test_frames(void **state)
{
	static const size_t sizes[] = {1, 100, 0, 20000, 3000, 200000, 17000};
	size_t at = 0, n, i;

	begin();
	for (i = 0; at < SIZE; i++) {
		n = MIN(sizes[i % ARRAY_SIZE(sizes)], SIZE - at);
		if (i % 5 == 3)
			fixture_skippable(&growth.file, 0x184D2A53, 10);
		fixture_frame(&growth.file, bytes + at, n, i % 3 > 0, 0);
		at += n;
		if (i % 4 != 2)
			step(at, 0);
	}
	run();
	(void)state;
}

static void test_many(void **state)
{
	size_t at = 0, i;

	begin();
	for (i = 0; i < 5000; i++, at += 60) {
		fixture_frame(&growth.file, bytes + at, 60, true, 0);
		step(at + 60, 0);
	}
	run();
	(void)state;
}

static void test_members(void **state)
{
	static const size_t sizes[] = {1, 100, 0, 20000, 3000, 200000, 17000};
	size_t at = 0, n, i;

	begin();
	for (i = 0; at < SIZE; i++) {
		n = MIN(sizes[i % ARRAY_SIZE(sizes)], SIZE - at);
		fixture_member(&growth.file, bytes + at, n, 0);
		at += n;
		if (i % 4 != 2)
			step(at, 0);
	}
	run();
	(void)state;
}

/* Zeros behind the last member may get more. */
static void test_padding(void **state)
{
	size_t i;

	begin();
	fixture_member(&growth.file, bytes, 5000, 0);
	step(5000, 0);
	for (i = 0; i < 20; i++) {
		text_zeros(&growth.file, i * 50 + 1);
		step(5000, 0);
	}
	run();
	(void)state;
}

/* ---- writers that flush */

static void zstd_flush(size_t from, size_t to, ZSTD_EndDirective end)
{
	size_t room = ZSTD_compressBound(to - from) + 100, r;
	ZSTD_inBuffer in = {bytes + from, to - from, 0};
	ZSTD_outBuffer out = {text_grow(&growth.file, room), room, 0};

	r = ZSTD_compressStream2(growth.zstd, &out, &in, end);
	assert_int_equal(r, 0);
	growth.file.size -= room - out.pos;
}

/* With a length and a checksum; or without, and ended as our writer does it. */
static void flushed_frames(bool length, size_t frame)
{
	size_t at = 0, start, n;

	begin();
	growth.zstd = ZSTD_createCCtx();
	while (at < SIZE) {
		ZSTD_CCtx_reset(growth.zstd, ZSTD_reset_session_and_parameters);
		ZSTD_CCtx_setParameter(growth.zstd, ZSTD_c_checksumFlag, length);
		start = at;
		if (length)
			ZSTD_CCtx_setPledgedSrcSize(growth.zstd, MIN(frame, SIZE - start));
		for (; at < start + frame && at < SIZE; at += n) {
			n = MIN(MIN(at % 7001 + 50, SIZE - at), start + frame - at);
			zstd_flush(at, at + n, ZSTD_e_flush);
			step(at + n, -ENODATA);
		}
		if (length)
			zstd_flush(at, at, ZSTD_e_end);
		else
			text_append(&growth.file, "\1\0\0", 3);
		step(at, 0);
	}
	ZSTD_freeCCtx(growth.zstd);
	run();
}

static void test_flushed_frames(void **state)
{
	flushed_frames(false, 300000);
	flushed_frames(false, SIZE);
	flushed_frames(true, 300000);
	flushed_frames(true, SIZE);
	flushed_frames(true, 5000);
	(void)state;
}

static void gzip_flush(size_t from, size_t to, int flush)
{
	z_stream *z = &growth.z;
	size_t room = compressBound(to - from) + 100;

	z->next_out = text_grow(&growth.file, room);
	z->avail_out = (uInt)room;
	z->next_in = bytes + from;
	z->avail_in = (uInt)(to - from);
	assert_true(deflate(z, flush) >= 0);
	assert_true(z->avail_in == 0 && z->avail_out > 0);
	growth.file.size -= z->avail_out;
}

static void flushed_members(int flush, size_t member)
{
	size_t at = 0, start, n;

	begin();
	while (at < SIZE) {
		growth.z = (z_stream){0};
		assert_int_equal(deflateInit2(&growth.z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY),
				 Z_OK);
		for (start = at; at < start + member && at < SIZE; at += n) {
			n = MIN(MIN(at % 7001 + 50, SIZE - at), start + member - at);
			gzip_flush(at, at + n, flush);
			step(at + n, -ENODATA);
		}
		gzip_flush(at, at, Z_FINISH);
		deflateEnd(&growth.z);
		step(at, 0);
	}
	run();
}

static void test_flushed_members(void **state)
{
	flushed_members(Z_SYNC_FLUSH, 300000);
	flushed_members(Z_FULL_FLUSH, SIZE);
	flushed_members(Z_SYNC_FLUSH, 5000);
	(void)state;
}

/* As pktfs appends: flushes, marks by which somebody else ends a frame, whole
 * frames. */
static void own_writer(enum pktfs_compression compression)
{
	struct write_stream stream = {.compression = compression};
	size_t at = 0, n, i;

	begin();
	assert_int_equal(write_stream_whole(&stream, bytes, 1000, &growth.file), 0);
	step(1000, 0);
	for (at = 1000, i = 0; at < SIZE; at += n, i++) {
		n = MIN(i % 1500 + 1, SIZE - at);
		assert_int_equal(write_stream_flush(&stream, bytes + at, n, &growth.file), 0);
		write_stream_done(&stream);
		step(at + n, -ENODATA);
		if (i % 100 == 0) {
			write_stream_end(&stream, &growth.file);
			write_stream_ended(&stream);
			step(at + n, 0);
		}
	}
	write_stream_close(&stream);
	run();
}

static void test_own_writer(void **state)
{
	own_writer(PKTFS_COMPRESSION_ZSTD);
	own_writer(PKTFS_COMPRESSION_GZIP);
	(void)state;
}

/* ---- in the middle of anything: as if the file were no longer */

static void sweep(const struct text *file, size_t by)
{
	struct text prefix = *file;
	size_t size = 10, end = 0;
	int fd = fixture_file(file->bytes, size), code;
	struct source *source = open_growing(fd), *fixed;

	for (; size <= file->size; size += by) {
		prefix.size = size;
		assert_int_equal(pwrite(fd, file->bytes, size, 0), size);
		assert_int_equal(source_grow(source, UINT64_MAX), size > 10);
		fixed = fixture_open(&prefix);
		end = fixture_end(fixed);
		code = source_problem(fixed, NULL);
		expect(source, end, code);
		source_close(fixed);
	}
	fixture_compare(source, bytes, end);
	source_close(source);
	close(fd);
}

static void test_sweep(void **state)
{
	struct text file = {0};
	size_t i;

	fixture_frame(&file, bytes, 1000, true, 0);
	fixture_skippable(&file, 0x184D2A51, 20);
	fixture_frame(&file, bytes + 1000, 1000, false, 100);
	fixture_frame(&file, bytes + 2000, 500, true, 100);
	for (i = 0; i < 5; i++)
		fixture_frame(&file, bytes + 2500 + i * 10, 10, i % 2, 0);
	sweep(&file, 1);
	fixture_frame(&file, bytes + 2550, 400000, true, 0);
	sweep(&file, 101);
	sweep(&file, 70001);
	file.size = 0;
	fixture_member(&file, bytes, 1000, 100);
	fixture_member(&file, bytes + 1000, 0, 0);
	fixture_member(&file, bytes + 1000, 500, 0);
	text_zeros(&file, 20);
	sweep(&file, 1);
	text_free(&file);
	(void)state;
}

/* ---- many at once */

static atomic_bool writer_done;

static void *write_all(void *context)
{
	size_t at = growth.steps[0].stored, n;
	int fd = *(int *)context;

	for (; at < growth.file.size; at += n) {
		n = MIN(at % 3001 + 1, growth.file.size - at);
		if (pwrite(fd, growth.file.bytes + at, n, (off_t)at) != (ssize_t)n)
			abort();
	}
	writer_done = true;
	return NULL;
}

/* Looks, waits for the decoder, and compares; *ret: how far it came. */
static void *follow(void *context)
{
	struct source *source = context;
	uint64_t at = 0;
	bool last;

	do {
		last = writer_done;
		if (source_grow(source, UINT64_MAX) < 0 || source_wait(source, UINT64_MAX) < 0)
			abort();
		at = fixture_follow(source, bytes, at);
	} while (!last);
	return (void *)(uintptr_t)at;
}

static void *wait_all(void *context)
{
	uint64_t end = 0;

	while (end < SIZE && source_wait_growth(context, end) == 0)
		end = source_available(context, NULL);
	return (void *)(uintptr_t)end;
}

static void concurrent(void)
{
	pthread_t writer, readers[3];
	struct source *source;
	void *result;
	size_t i;
	int fd;

	fd = fixture_file(growth.file.bytes, growth.steps[0].stored);
	source = open_growing(fd);
	writer_done = false;
	pthread_create(&writer, NULL, write_all, &fd);
	for (i = 0; i < 3; i++)
		pthread_create(&readers[i], NULL, i < 2 ? follow : wait_all, source);
	pthread_join(writer, NULL);
	for (i = 0; i < 3; i++) {
		pthread_join(readers[i], &result);
		assert_int_equal((uintptr_t)result, SIZE);
	}
	expect(source, SIZE, 0);
	source_close(source);
	close(fd);
}

/* Once the writer is done, a look brings all of it: nothing may stay behind. */
static void test_concurrent(void **state)
{
	size_t i, at;

	begin();
	for (at = 0, i = 0; at < SIZE; at += 20000, i++) {
		fixture_frame(&growth.file, bytes + at, 20000, i % 3 > 0, i % 2 ? 1000 : 0);
		step(at, 0);
	}
	concurrent();
	begin();
	for (at = 0; at < SIZE; at += 20000) {
		fixture_member(&growth.file, bytes + at, 20000, 3000);
		step(at, 0);
	}
	concurrent();
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),         cmocka_unit_test(test_many),
		cmocka_unit_test(test_members),        cmocka_unit_test(test_padding),
		cmocka_unit_test(test_flushed_frames), cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_own_writer),     cmocka_unit_test(test_flushed_members),
		cmocka_unit_test(test_concurrent),
	};
	int r;

	bytes = fixture_bytes(SIZE + 1, 5);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	text_free(&growth.file);
	free(bytes);
	return r;
}
