/* SPDX-License-Identifier: BSD-2-Clause */
/* Compressed files that stop growing: damaged, cut, cancelled. */
#include "test_source_growth.h"

#define ROOM ((size_t)16 << 20) /* for what becomes of a flipped byte */

/* What a growing source gives in the end, grown in steps of about `by`. */
static size_t grown(const struct text *file, size_t by, uint8_t *given, size_t room)
{
	size_t size = 10, next;
	int fd = fixture_file(file->bytes, size);
	struct source *source = open_growing(fd);

	for (; size < file->size; size = next) {
		next = MIN(size + 1 + size * 7 % by, file->size);
		assert_int_equal(pwrite(fd, file->bytes + size, next - size, (off_t)size),
				 next - size);
		source_grow(source, UINT64_MAX);
		if (size % 3 == 0) /* or the decoder sees several steps as one */
			fixture_given(source, given, room);
	}
	size = fixture_given(source, given, room);
	source_close(source);
	close(fd);
	return size;
}

/* Bytes that are flipped: what is there in the end is what is there of the same
 * file that does not grow, in whatever steps it came. */
static void test_flips(void **state)
{
	uint8_t *given = malloc(ROOM), *truth = malloc(ROOM);
	struct text file = {0};
	unsigned rejected = 0;
	struct source *source;
	size_t at, size;

	fixture_frame(&file, bytes, 1000, true, 0);
	fixture_frame(&file, bytes + 1000, 700, false, 100);
	fixture_frame(&file, bytes + 1700, 500, true, 100);
	fixture_frame(&file, bytes + 2200, 30000, true, 0);
	for (at = 5; at < file.size; at += at < 2000 ? 1 : 101) {
		file.bytes[at] ^= (char)(1 << at % 8);
		source = fixture_open(&file);
		size = fixture_given(source, truth, ROOM);
		rejected += source_problem(source, NULL) < 0;
		source_close(source);
		assert_int_equal(grown(&file, at % 2 ? 40 : 3000, given, ROOM), size);
		assert_memory_equal(given, truth, size);
		file.bytes[at] ^= (char)(1 << at % 8);
	}
	print_message("%u flips rejected\n", rejected);
	assert_true(rejected > 1000);
	text_free(&file);
	free(given);
	free(truth);
	(void)state;
}

/* Damage that is appended, or that is found by a reader later. */
static void test_damage(void **state)
{
	struct text file = {0};
	size_t at, i;
	int fd;

	for (i = 0; i < 3; i++) {
		struct pktfs_loan loan;
		struct source *source;
		uint8_t byte;

		file.size = 0;
		fixture_frame(&file, bytes, 100000, true, 0);
		fixture_frame(&file, bytes + 100000, 100000, true, 0);
		at = file.size;
		fd = fixture_file(file.bytes, at);
		source = open_growing(fd);
		expect(source, 200000, 0);
		if (i == 0) {
			assert_int_equal(pwrite(fd, "garbage", 7, (off_t)at), 7);
			assert_int_equal(source_grow(source, UINT64_MAX), 1);
			assert_int_equal(fixture_end(source), 200000);
		} else {
			byte = (uint8_t)(file.bytes[at - 30] ^ 0x55);
			assert_int_equal(pwrite(fd, &byte, 1, (off_t)at - 30), 1);
			if (i == 2) { /* while the end is not a proper one */
				assert_int_equal(pwrite(fd, "\x28", 1, (off_t)at), 1);
				assert_int_equal(source_grow(source, UINT64_MAX), 1);
				expect(source, 200000, -ENODATA);
			}
			source_borrow(source, 150000, 1, &loan);
			source_return(&loan);
		}
		assert_int_equal(source_problem(source, NULL), -EBADMSG);
		assert_int_equal(source_borrow(source, 200000, 1, &loan), -EBADMSG);
		assert_false(source_growing(source));
		file.size = 0;
		fixture_frame(&file, bytes, 100, true, 0);
		assert_int_equal(pwrite(fd, file.bytes, file.size, (off_t)at + 10), file.size);
		assert_int_equal(source_grow(source, UINT64_MAX), 0);
		compare(source, 0, 100000);
		source_close(source);
		close(fd);
	}
	text_free(&file);
	(void)state;
}

static void test_cut(void **state)
{
	struct text file = {0};
	struct pktfs_loan loan;
	struct source *source;
	int fd;

	fixture_frame(&file, bytes, 100000, true, 0);
	fixture_frame(&file, bytes + 100000, 100000, true, 0);
	fd = fixture_file(file.bytes, file.size);
	source = open_growing(fd);
	expect(source, 200000, 0);
	assert_int_equal(ftruncate(fd, (off_t)file.size * 3 / 4), 0);
	assert_int_equal(source_grow(source, UINT64_MAX), -EIO);
	assert_false(source_growing(source));
	compare(source, 0, 100000);
	assert_int_equal(source_borrow(source, 100000, 1, &loan), -EIO);
	assert_int_equal(source_grow(source, UINT64_MAX), -EIO);
	source_close(source);
	close(fd);
	text_free(&file);
	(void)state;
}

static void *wait_long(void *context)
{
	return (void *)(intptr_t)source_wait_growth(context, SIZE);
}

static void test_cancel(void **state)
{
	struct text file = {0};
	struct source *source;
	pthread_t thread;
	void *result;
	int fd;

	fixture_frame(&file, bytes, 1000, false, 100);
	fd = fixture_file(file.bytes, file.size - 3);
	source = open_growing(fd);
	expect(source, 1000, -ENODATA);
	pthread_create(&thread, NULL, wait_long, source);
	source_cancel(source);
	pthread_join(thread, &result);
	assert_int_equal((intptr_t)result, -ECANCELED);
	source_close(source);
	close(fd);
	text_free(&file);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_cancel),
	};
	int r;

	bytes = fixture_bytes(SIZE, 5);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(bytes);
	return r;
}
