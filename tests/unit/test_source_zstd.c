/* SPDX-License-Identifier: BSD-2-Clause */
/* zstd and gzip: every shape of a valid file, and files that lie. */
#include "source_fixture.h"

#define SIZE ((size_t)3000000)

static uint8_t *bytes;

static void test_single(void **state)
{
	struct text with = {0}, without = {0};

	fixture_frame(&with, bytes, SIZE, true, 0);
	fixture_frame(&without, bytes, SIZE, false, 0);
	fixture_expect(&with, bytes, SIZE, 0);
	fixture_expect(&without, bytes, SIZE, 0);
	text_free(&with);
	text_free(&without);
	(void)state;
}

/* Frames of all sizes, with and without a declared length, and between them
 * what the seekable format and pzstd put there. */
static void test_mixed(void **state)
{
	static const size_t sizes[] = {1, 200000, 24, 0, 70000, 3, 131072, 500000, 10, 0, 90};
	struct text file = {0};
	size_t at, n, i;

	fixture_skippable(&file, 0x184D2A50, 4);
	for (at = 0, i = 0; at < SIZE; at += n, i++) {
		n = MIN(sizes[i % ARRAY_SIZE(sizes)], SIZE - at);
		fixture_frame(&file, bytes + at, n, i % 5 != 1, 0);
		if (i % 7 == 3)
			fixture_skippable(&file, 0x184D2A50 + i % 16, 4 + 100000 * (i % 3));
	}
	fixture_skippable(&file, 0x184D2A5E, 1000); /* the seek table */
	fixture_expect(&file, bytes, SIZE, 0);
	text_free(&file);
	(void)state;
}

/* The same by a pipe: the compressed bytes come one by one. */
static void *feed(void *context)
{
	const struct text *file = ((void **)context)[0];
	int fd = *(int *)((void **)context)[1];
	size_t at;

	for (at = 0; at < file->size; at += 1000)
		assert_true(write(fd, file->bytes + at, MIN((size_t)1000, file->size - at)) > 0);
	close(fd);
	return NULL;
}

static void expect_by_pipe(const struct text *file)
{
	struct source *source;
	pthread_t thread;
	int fds[2];
	const void *context[] = {file, &fds[1]};

	assert_int_equal(pipe(fds), 0);
	pthread_create(&thread, NULL, feed, context);
	assert_int_equal(source_open_fd(fds[0], NULL, &source, NULL), 0);
	fixture_compare(source, bytes, SIZE);
	assert_int_equal(source_problem(source, NULL), 0);
	source_close(source);
	pthread_join(thread, NULL);
	close(fds[0]);
}

static void test_pipe(void **state)
{
	struct text frames = {0}, one = {0}, members = {0};

	fixture_frame(&frames, bytes, SIZE / 3, true, 0);
	fixture_frame(&frames, bytes + SIZE / 3, SIZE / 3, false, 0);
	fixture_frame(&frames, bytes + 2 * (SIZE / 3), SIZE - 2 * (SIZE / 3), true, 0);
	fixture_frame(&one, bytes, SIZE, false, 0);
	fixture_member(&members, bytes, SIZE, 0);
	expect_by_pipe(&frames);
	expect_by_pipe(&one);
	expect_by_pipe(&members);
	text_free(&frames);
	text_free(&one);
	text_free(&members);
	(void)state;
}

/* What came by the pipe can be read, though no more comes. */
static void test_slow_pipe(void **state)
{
	struct text file = {0};
	struct source *source;
	int fds[2], i;

	for (i = 0; i < 4; i++) {
		text_free(&file);
		if (i == 3)
			fixture_member(&file, bytes, 10000, 5000);
		else
			fixture_frame(&file, bytes, 10000, i == 1, i == 2 ? 5000 : 0);
		assert_int_equal(pipe(fds), 0);
		/* whole frames; or all but the end of one */
		assert_true(write(fds[1], file.bytes, file.size - (i >= 2 ? 100 : 0)) > 0);
		assert_int_equal(source_open_fd(fds[0], NULL, &source, NULL), 0);
		assert_int_equal(source_wait(source, i >= 2 ? 5000 : 10000), 0);
		assert_true(source_available(source, NULL) >= (i >= 2 ? 5000 : 10000));
		source_close(source);
		close(fds[0]);
		close(fds[1]);
	}
	text_free(&file);
	(void)state;
}

static void test_empty(void **state)
{
	struct text file = {0};

	fixture_frame(&file, bytes, 0, true, 0);
	fixture_expect(&file, bytes, 0, 0);
	fixture_frame(&file, bytes, 0, false, 0);
	fixture_frame(&file, bytes, 7, true, 0);
	fixture_frame(&file, bytes, 0, true, 0);
	fixture_expect(&file, bytes, 7, 0);
	text_free(&file);
	(void)state;
}

/* Ten frames of 1000 bytes with four-byte lengths in the headers; the one at
 * `index` says `length`. *ret_at: where it starts. */
static void lying(struct text *file, unsigned index, uint8_t length, size_t *ret_at)
{
	unsigned i;

	for (i = 0; i < 10; i++) {
		if (i == index)
			*ret_at = file->size;
		fixture_frame(file, bytes + 1000 * i, 1000, true, 0);
	}
	/* descriptor 0x64: single segment, two bytes of length (256 is added),
	 * a checksum */
	assert_int_equal((uint8_t)file->bytes[*ret_at + 4], 0x64);
	file->bytes[*ret_at + 5] = (char)length;
}

static void expect_damage(const struct text *file, uint64_t good)
{
	struct source *source = fixture_open(file);
	struct pktfs_error error;
	struct pktfs_loan loan;
	uint8_t copy[1000];
	uint64_t at;
	size_t n;

	source_wait(source, UINT64_MAX);
	for (at = 0; at < good; at += n) {
		n = MIN((size_t)500, good - at);
		assert_int_equal(source_borrow(source, at, n, &loan), 0);
		assert_memory_equal(loan.bytes, bytes + at, n);
		assert_int_equal(source_return(&loan), 0);
	}
	assert_int_equal(source_borrow(source, good, 1, &loan), -EBADMSG);
	assert_int_equal(source_borrow(source, good + 2000, 1, &loan), -EBADMSG);
	assert_int_equal(source_borrow(source, good - 1, 2, &loan), -EBADMSG);
	assert_int_equal(source_read(source, good, copy, 1000), -EBADMSG);
	assert_int_equal(source_read(source, good - 10, copy, 1000), 10);
	assert_int_equal(source_problem(source, &error), -EBADMSG);
	assert_true(error.has_offset && error.offset == good);
	assert_int_equal(fixture_end(source), good);
	source_close(source);
}

static void test_lying_length(void **state)
{
	const uint8_t honest = (1000 - 256) & 0xff;
	struct text file = {0};
	size_t at;

	lying(&file, 3, honest + 1, &at);
	expect_damage(&file, 4000);
	text_free(&file);
	lying(&file, 3, honest - 1, &at);
	expect_damage(&file, 4000);
	text_free(&file);
	(void)state;
}

/* All bytes are there before it is known that something is wrong with them. */
static void test_bad_checksum(void **state)
{
	struct text file = {0};
	unsigned i;
	size_t end = 0;

	for (i = 0; i < 10; i++) { /* too large to be read as one */
		fixture_frame(&file, bytes + 200000 * i, 200000, true, 0);
		if (i == 4)
			end = file.size;
	}
	file.bytes[end - 1] ^= 1;
	expect_damage(&file, 1000000);
	text_free(&file);
	/* to the spool */
	fixture_frame(&file, bytes, 2000, false, 0);
	file.bytes[file.size - 1] ^= 1;
	fixture_frame(&file, bytes + 2000, 2000, false, 0);
	expect_damage(&file, 2000);
	text_free(&file);
	(void)state;
}

/* An empty frame that is not: nobody would ever look into it on demand. */
static void test_lying_empty(void **state)
{
	struct text file = {0};
	size_t second;

	fixture_frame(&file, bytes, 200000, true, 0);
	second = file.size;
	fixture_frame(&file, bytes + 200000, 100, true, 0);
	file.bytes[second + 5] = 0;
	fixture_frame(&file, bytes + 200100, 10, true, 0);
	expect_damage(&file, 200100);
	text_free(&file);
	(void)state;
}

static void expect_garbage(struct text *file, const char *garbage, size_t size, uint64_t good,
			   int code)
{
	size_t before = file->size;

	text_append(file, garbage, size);
	fixture_expect(file, bytes, good, code);
	file->size = before;
}

static void test_garbage(void **state)
{
	struct text file = {0};

	fixture_frame(&file, bytes, 5000, true, 0);
	expect_garbage(&file, "hello", 5, 5000, -EBADMSG);
	expect_garbage(&file, "\0", 1, 5000, -EBADMSG);
	expect_garbage(&file, "\x28\xb5\x2f", 3, 5000, -ENODATA);
	expect_garbage(&file, "\x53\x2a", 2, 5000, -ENODATA);
	expect_garbage(&file, "\x53\x2a\x4d\x18\xff\xff\xff\xff", 8, 5000, -ENODATA);
	/* a dictionary (number 5); a window of 2^31 bytes */
	expect_garbage(&file, "\x28\xb5\x2f\xfd\x01\x00\x05\x01\x00\x00", 10, 5000, -ENOTSUP);
	expect_garbage(&file, "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9, 5000, -EFBIG);
	text_free(&file);
	fixture_member(&file, bytes, 5000, 0);
	expect_garbage(&file, "hello", 5, 5000, -EBADMSG);
	expect_garbage(&file, "\0\0\0", 3, 5000, 0);
	expect_garbage(&file, "\0\0x", 3, 5000, -EBADMSG);
	expect_garbage(&file, "\x1f", 1, 5000, -ENODATA);
	expect_garbage(&file, "\x1f\x8b\x08", 3, 5000, -ENODATA);
	text_free(&file);
	(void)state;
}

static void test_gzip(void **state)
{
	struct text file = {0};

	fixture_member(&file, bytes, 1000000, 0);
	fixture_member(&file, bytes, 0, 0);
	fixture_member(&file, bytes + 1000000, SIZE - 1000000, 0);
	fixture_expect(&file, bytes, SIZE, 0);
	text_free(&file);
	fixture_member(&file, bytes, 2000, 0);
	file.bytes[file.size - 5] ^= 1;
	expect_damage(&file, 2000);
	text_free(&file);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single),       cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_pipe),         cmocka_unit_test(test_slow_pipe),
		cmocka_unit_test(test_empty),        cmocka_unit_test(test_lying_length),
		cmocka_unit_test(test_bad_checksum), cmocka_unit_test(test_lying_empty),
		cmocka_unit_test(test_garbage),      cmocka_unit_test(test_gzip),
	};
	int r;

	bytes = fixture_bytes(SIZE, 3);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(bytes);
	return r;
}
