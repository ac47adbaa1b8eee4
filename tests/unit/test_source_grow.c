/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain files that grow while they are read. */
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "source/source_file.h"
#include "source_fixture.h"

#ifndef __has_feature /* gcc */
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define SIZE ((size_t)1000003)
#define PAGE ((size_t)4096)

static uint8_t *bytes;

static const struct source_options maps[] = {{.growing = true}, {.growing = true, .no_mmap = true}};

static struct source *open_growing(int fd, const struct source_options *options)
{
	struct source *source;

	assert_int_equal(source_open_fd(fd, options, &source, NULL), 0);
	assert_true(source_growing(source));
	return source;
}

static void append(int fd, size_t from, size_t to)
{
	assert_int_equal(pwrite(fd, bytes + from, to - from, (off_t)from), to - from);
}

static void expect_end(struct source *source, uint64_t end)
{
	struct pktfs_loan loan;
	uint8_t byte;

	assert_int_equal(fixture_end(source), end);
	assert_int_equal(source_stored_size(source), end);
	assert_int_equal(source_borrow(source, end, 1, &loan), -ENODATA);
	assert_int_equal(source_borrow(source, end - 1, 2, &loan), -ENODATA);
	assert_int_equal(source_read(source, end, &byte, 1), 0);
	assert_int_equal(source_problem(source, NULL), 0);
}

/* In steps of all kinds; what was lent first stays where it is. */
static void test_steps(void **state)
{
	static const size_t steps[] = {1, 100, PAGE - 101, 1, PAGE, 3 * PAGE + 5, 100000};
	struct pktfs_loan first;
	struct source *source;
	size_t size, next, i, k;
	int fd;

	for (k = 0; k < ARRAY_SIZE(maps); k++) {
		fd = fixture_file(bytes, 10);
		source = open_growing(fd, &maps[k]);
		assert_int_equal(source_borrow(source, 3, 7, &first), 0);
		assert_int_equal(source_grow(source, UINT64_MAX), 0);
		for (size = 10, i = 0; size < SIZE; size = next, i++) {
			expect_end(source, size);
			next = MIN(size + steps[i % ARRAY_SIZE(steps)], SIZE);
			append(fd, size, next);
			expect_end(source, size);
			assert_int_equal(source_grow(source, UINT64_MAX), 1);
			assert_int_equal(source_grow(source, UINT64_MAX), 0);
			assert_int_equal(source_wait_growth(source, size), 0);
			fixture_compare(source, bytes, next);
		}
		assert_memory_equal(first.bytes, bytes + 3, 7);
		assert_int_equal(source_return(&first), 0);
		source_close(source);
		close(fd);
	}
	(void)state;
}

/* What was not opened as one that grows does not. */
static void test_fixed(void **state)
{
	int fd = fixture_file(bytes, 10);
	struct source *source;

	assert_int_equal(source_open_fd(fd, NULL, &source, NULL), 0);
	append(fd, 10, 20);
	assert_false(source_growing(source));
	assert_int_equal(source_grow(source, UINT64_MAX), 0);
	expect_end(source, 10);
	source_close(source);
	close(fd);
	assert_int_equal(source_open_buffer(bytes, 10, maps, &source, NULL), 0);
	assert_false(source_growing(source));
	assert_int_equal(source_grow(source, UINT64_MAX), 0);
	source_close(source);
	(void)state;
}

static void test_time(void **state)
{
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000, .tv_nsec = 7}};
	int fd = fixture_file(bytes, 10);
	struct source *source = open_growing(fd, maps);

	append(fd, 10, 20);
	assert_int_equal(futimens(fd, times), 0);
	assert_true(source_stored_time(source).sec > 2000);
	assert_int_equal(source_grow(source, UINT64_MAX), 1);
	assert_int_equal(source_stored_time(source).sec, 2000);
	assert_int_equal(source_stored_time(source).nsec, 7);
	source_close(source);
	close(fd);
	(void)state;
}

/* Shorter: what is gone is -EIO, the rest is there, and nothing grows. */
static void test_cut(void **state)
{
	struct pktfs_loan loan;
	struct source *source;
	size_t k;
	int fd;

	for (k = 0; k < ARRAY_SIZE(maps); k++) {
		fd = fixture_file(bytes, 10 * PAGE);
		source = open_growing(fd, &maps[k]);
		append(fd, 10 * PAGE, 20 * PAGE);
		assert_int_equal(source_grow(source, UINT64_MAX), 1);
		assert_int_equal(ftruncate(fd, 15 * PAGE + 1), 0);
		assert_int_equal(source_grow(source, UINT64_MAX), -EIO);
		assert_false(source_growing(source));
		assert_int_equal(source_borrow(source, 15 * PAGE, 2, &loan), -EIO);
		assert_int_equal(source_borrow(source, 15 * PAGE, 1, &loan), 0);
		assert_int_equal(loan.bytes[0], bytes[15 * PAGE]);
		assert_int_equal(source_return(&loan), 0);
		append(fd, 15 * PAGE, 30 * PAGE);
		assert_int_equal(source_grow(source, UINT64_MAX), -EIO);
		fixture_compare(source, bytes, 20 * PAGE);
		source_close(source);
		close(fd);
	}
	(void)state;
}

/* The same found by a reader, before anybody looked at the size. */
static void test_cut_unseen(void **state)
{
	int fd = fixture_file(bytes, 10 * PAGE);
	struct source *source = open_growing(fd, maps);
	struct pktfs_loan loan;

	append(fd, 10 * PAGE, 20 * PAGE);
	assert_int_equal(source_grow(source, UINT64_MAX), 1);
	assert_int_equal(source_borrow(source, 0, 20 * PAGE, &loan), 0);
	assert_int_equal(ftruncate(fd, 5 * PAGE), 0);
	assert_int_equal(loan.bytes[12 * PAGE], 0);
	assert_memory_equal(loan.bytes, bytes, 5 * PAGE);
	assert_int_equal(source_return(&loan), -EIO);
	assert_int_equal(source_borrow(source, 5 * PAGE - 1, 1, &loan), 0);
	assert_int_equal(source_return(&loan), 0);
	assert_int_equal(source_borrow(source, 5 * PAGE, 1, &loan), -EIO);
	assert_int_equal(source_grow(source, UINT64_MAX), -EIO);
	source_close(source);
	close(fd);
	(void)state;
}

/* Over the end of the address space that was reserved. */
static void expect_beyond_room(uint64_t size, uint64_t room)
{
	int fd = fixture_file(bytes, size);
	struct source *source = open_growing(fd, maps);
	uint64_t end = size + room;
	struct pktfs_loan loan;
	uint8_t copy[200];

	assert_int_equal(pwrite(fd, bytes, 200, (off_t)end - 100), 200);
	assert_int_equal(source_grow(source, UINT64_MAX), 1);
	assert_int_equal(fixture_end(source), end + 100);
	assert_int_equal(source_borrow(source, end - 100, 50, &loan), 0);
	assert_int_equal(loan.size, 100);
	assert_memory_equal(loan.bytes, bytes, 100);
	assert_int_equal(source_return(&loan), 0);
	assert_int_equal(source_borrow(source, end - 100, 150, &loan), 0);
	assert_memory_equal(loan.bytes, bytes, 150);
	assert_int_equal(source_return(&loan), 0);
	assert_int_equal(source_borrow(source, end, 1, &loan), 0);
	assert_memory_equal(loan.bytes, bytes + 100, 100);
	assert_int_equal(source_return(&loan), 0);
	assert_int_equal(source_read(source, end - 100, copy, 200), 200);
	assert_memory_equal(copy, bytes, 200);
	assert_int_equal(ftruncate(fd, (off_t)end), 0);
	assert_int_equal(source_borrow(source, end, 1, &loan), -EIO);
	source_close(source);
	close(fd);
}

static void test_room(void **state)
{
	expect_beyond_room(PAGE, SOURCE_FILE_ROOM);
	expect_beyond_room(PAGE + 10, SOURCE_FILE_ROOM);
	(void)state;
}

/* A quarter of the room, or a 16th, is what the limit leaves; or none. */
static void test_address_space(void **state)
{
	struct rlimit before, now;

	if (SANITIZED) {
		print_message("SKIP: a sanitizer needs its address space\n");
		skip();
	}
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	now = before;
	now.rlim_cur = (rlim_t)30 << 30;
	assert_int_equal(setrlimit(RLIMIT_AS, &now), 0);
	expect_beyond_room(PAGE, SOURCE_FILE_ROOM / 4);
	now.rlim_cur = (rlim_t)5 << 30;
	assert_int_equal(setrlimit(RLIMIT_AS, &now), 0);
	expect_beyond_room(PAGE, SOURCE_FILE_ROOM / 16);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	(void)state;
}

static void *wait_all(void *context)
{
	uint64_t end = 0;

	while (end < SIZE && source_wait_growth(context, end) == 0)
		end = source_available(context, NULL);
	return (void *)(uintptr_t)(end == SIZE);
}

static void *wait_long(void *context)
{
	return (void *)(intptr_t)source_wait_growth(context, SIZE);
}

static void test_waiting(void **state)
{
	int fd = fixture_file(bytes, 10);
	struct source *source = open_growing(fd, maps);
	pthread_t threads[4];
	void *result;
	size_t i, size;

	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, i ? wait_all : wait_long, source);
	for (size = 10; size < SIZE;) {
		append(fd, size, MIN(size + 10001, SIZE));
		size = MIN(size + 10001, SIZE);
		assert_int_equal(source_grow(source, UINT64_MAX), 1);
	}
	for (i = 1; i < 4; i++) {
		pthread_join(threads[i], &result);
		assert_int_equal((uintptr_t)result, 1);
	}
	source_cancel(source);
	pthread_join(threads[0], &result);
	assert_int_equal((intptr_t)result, -ECANCELED);
	source_close(source);
	close(fd);
	(void)state;
}

static atomic_bool writer_done;

static void *write_all(void *context)
{
	int fd = *(int *)context;
	size_t size, n;

	for (size = 10; size < SIZE; size += n) {
		n = MIN(size % 977 + 1, SIZE - size);
		append(fd, size, size + n);
	}
	writer_done = true;
	return NULL;
}

/* Two who look and compare while another writes. */
static void *follow(void *context)
{
	struct source *source = context;
	uint64_t at = 0;
	bool last;

	do {
		last = writer_done;
		if (source_grow(source, UINT64_MAX) < 0)
			abort();
		at = fixture_follow(source, bytes, at);
	} while (!last);
	return (void *)(uintptr_t)at;
}

static void test_concurrent(void **state)
{
	pthread_t writer, readers[2];
	struct source *source;
	void *result;
	size_t i, k;
	int fd;

	for (k = 0; k < ARRAY_SIZE(maps); k++) {
		fd = fixture_file(bytes, 10);
		source = open_growing(fd, &maps[k]);
		writer_done = false;
		pthread_create(&writer, NULL, write_all, &fd);
		for (i = 0; i < 2; i++)
			pthread_create(&readers[i], NULL, follow, source);
		pthread_join(writer, NULL);
		for (i = 0; i < 2; i++) {
			pthread_join(readers[i], &result);
			assert_int_equal((uintptr_t)result, SIZE);
		}
		source_close(source);
		close(fd);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),         cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_time),          cmocka_unit_test(test_cut),
		cmocka_unit_test(test_room),          cmocka_unit_test(test_cut_unseen),
		cmocka_unit_test(test_waiting),       cmocka_unit_test(test_concurrent),
		cmocka_unit_test(test_address_space),
	};
	int r;

	bytes = fixture_bytes(SIZE, 4);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(bytes);
	return r;
}
