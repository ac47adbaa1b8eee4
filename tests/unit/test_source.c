/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain sources, what is refused, and waiting. */
#include <poll.h>
#include <sys/socket.h>

#include "source_fixture.h"

#define SIZE ((size_t)300000)

static uint8_t *bytes;

static void *feed(void *context)
{
	int fd = *(int *)context;
	size_t at, n;

	for (at = 0; at < SIZE; at += n) {
		n = MIN((size_t)7777, SIZE - at);
		assert_int_equal(write(fd, bytes + at, n), n);
	}
	close(fd);
	return NULL;
}

static void test_buffer(void **state)
{
	struct text file = {.bytes = (char *)bytes, .size = SIZE};

	fixture_expect(&file, bytes, SIZE, 0);
	(void)state;
}

static void test_file(void **state)
{
	const struct source_options options[] = {{0}, {.no_mmap = true}};
	int fd = fixture_file(bytes, SIZE);
	struct source *source;
	char path[40];
	size_t i;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	lseek(fd, 100, SEEK_SET);
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		assert_int_equal(source_open_path(path, &options[i], &source, NULL), 0);
		assert_int_equal(source_stored_size(source), SIZE);
		assert_true(source_stored_time(source).sec > 0);
		assert_int_equal(source_compression(source), SOURCE_PLAIN);
		fixture_compare(source, bytes, SIZE);
		source_close(source);
		assert_int_equal(source_open_fd(fd, &options[i], &source, NULL), 0);
		fixture_compare(source, bytes, SIZE);
		source_close(source);
	}
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 100);
	close(fd);
	(void)state;
}

static void test_pipe(void **state)
{
	struct source *source;
	pthread_t thread;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	pthread_create(&thread, NULL, feed, &fds[1]);
	assert_int_equal(source_open_fd(fds[0], NULL, &source, NULL), 0);
	close(fds[0]);
	fixture_compare(source, bytes, SIZE);
	assert_int_equal(source_stored_size(source), 0);
	assert_int_equal(source_problem(source, NULL), 0);
	source_close(source);
	pthread_join(thread, NULL);
	(void)state;
}

/* Before the end: what is there can be read, what is not is waited for. */
static void test_growing(void **state)
{
	struct pktfs_loan loan;
	struct source *source;
	bool final = true;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], bytes, 100), 100);
	assert_int_equal(source_open_fd(fds[0], NULL, &source, NULL), 0);
	assert_int_equal(source_wait(source, 100), 0);
	assert_int_equal(source_available(source, &final), 100);
	assert_false(final);
	assert_int_equal(source_borrow(source, 50, 51, &loan), -EAGAIN);
	assert_int_equal(source_borrow(source, 50, 50, &loan), 0);
	assert_int_equal(loan.size, 50);
	assert_int_equal(write(fds[1], bytes + 100, 100), 100);
	assert_int_equal(source_wait(source, 200), 0);
	assert_memory_equal(loan.bytes, bytes + 50, 50);
	assert_int_equal(source_return(&loan), 0);
	close(fds[1]);
	assert_int_equal(source_wait(source, 201), 0);
	assert_int_equal(source_borrow(source, 150, 51, &loan), -ENODATA);
	assert_int_equal(source_borrow(source, UINT64_MAX, 51, &loan), -ENODATA);
	source_close(source);
	close(fds[0]);
	(void)state;
}

static void *wait_long(void *context)
{
	return (void *)(intptr_t)source_wait(context, UINT64_MAX);
}

static void test_cancel(void **state)
{
	struct source *source;
	pthread_t threads[3];
	void *result;
	int fds[2];
	size_t i;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], bytes, 100), 100);
	assert_int_equal(source_open_fd(fds[0], NULL, &source, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, wait_long, source);
	poll(NULL, 0, 20);
	source_cancel(source);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &result);
		assert_int_equal((intptr_t)result, -ECANCELED);
	}
	assert_int_equal(source_wait(source, 101), -ECANCELED);
	source_close(source); /* the pipe is open: its reader must be woken */
	close(fds[0]);
	close(fds[1]);
	(void)state;
}

static void test_refused(void **state)
{
	static const struct {
		const char *start, *text;
	} formats[] = {
		{"\xfd"
		 "7zXZ",
		 "xz"},
		{"BZh91AY&", "bzip2"},
		{"\x04\x22\x4d\x18", "lz4"},
		{"\x1f\x9d\x90", "compress"},
		{"PK\x03\x04", "zip"},
	};
	struct pktfs_error error;
	struct source *source;
	char start[100];
	int fds[2];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		memset(start, 0, sizeof(start));
		memcpy(start, formats[i].start, strlen(formats[i].start));
		assert_int_equal(source_open_buffer(start, sizeof(start), NULL, &source, &error),
				 -ENOTSUP);
		assert_non_null(strstr(error.text, formats[i].text));
		assert_int_equal(error.code, -ENOTSUP);
	}
	assert_int_equal(source_open_path("/", NULL, &source, &error), -EISDIR);
	assert_int_equal(source_open_path("/nonexistent", NULL, &source, &error), -ENOENT);
	assert_int_equal(source_open_buffer("", 0, NULL, &source, &error), -ENODATA);
	assert_int_equal(source_open_path("/dev/null", NULL, &source, &error), -ENODATA);
	assert_int_equal(source_open_fd(-1, NULL, &source, &error), -EBADF);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(source_open_fd(fds[0], NULL, &source, &error), -ENOTSUP);
	close(fds[0]);
	close(fds[1]);
	source_close(NULL);
	(void)state;
}

static void test_empty_and_spoolless(void **state)
{
	const struct source_options options = {.spool_dir = "/nonexistent"};
	struct pktfs_error error;
	struct source *source;
	int fd, fds[2];

	fd = fixture_file("", 0);
	assert_int_equal(source_open_fd(fd, NULL, &source, &error), -ENODATA);
	close(fd);
	assert_int_equal(pipe(fds), 0);
	close(fds[1]);
	assert_int_equal(source_open_fd(fds[0], NULL, &source, &error), -ENODATA);
	assert_int_equal(source_open_fd(fds[0], &options, &source, &error), -ENOENT);
	assert_non_null(strstr(error.text, "/nonexistent"));
	close(fds[0]);
	assert_int_equal(source_open_buffer("\x1f\x8b\x08", 3, &options, &source, &error), -ENOENT);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_empty_and_spoolless),
	};
	int r;

	bytes = fixture_bytes(SIZE, 1);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(bytes);
	return r;
}
