/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that are pinned: who would change the file waits. */
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>

#include "source_fixture.h"

#define SIZE ((size_t)400000)
#define CUT  ((size_t)123457)

/* The kernel breaks a lease after fs.lease-break-time, 45 s: on a machine that stood
 * still for so long a writer did not wait. */
#define TRY_SECONDS 20

static uint8_t *bytes;
static char path[64];

/* In memory, where there is such a place: what is not is not pinned. Nor is what lies on
 * an overlay, whose leases do not hold off who writes below it. */
static void make_file(void)
{
	bool memory = access("/dev/shm", W_OK) == 0;
	int fd;

	snprintf(path, sizeof(path), "%s/test_source_pin.XXXXXX", memory ? "/dev/shm" : "/tmp");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, SIZE), SIZE);
	close(fd);
}

static struct source *open_path(const struct source_options *options)
{
	struct source *source;

	assert_int_equal(source_open_path(path, options, &source, NULL), 0);
	return source;
}

static bool has_leases(void)
{
	int fd = open(path, O_RDONLY);
	bool has = fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
	struct statfs st;

	has = has && fstatfs(fd, &st) == 0 && st.f_type != OVERLAYFS_SUPER_MAGIC;
	close(fd);
	return has;
}

static int setup(void **state)
{
	size_t i;

	(void)state;
	bytes = malloc(SIZE);
	for (i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(1 + i % 251); /* no zeros */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(bytes);
	return 0;
}

static void skip_without_leases(void)
{
	make_file();
	if (has_leases())
		return;
	unlink(path);
	print_message("SKIP: no leases on %s, or they are worth nothing\n", path);
	skip();
}

static void test_bytes(void **state)
{
	const struct source_options no_mmap = {.no_mmap = true};
	struct source *source;
	const void *at, *other;

	skip_without_leases();
	source = open_path(NULL);
	assert_int_equal(source_pin(source, 0, SIZE, &at), 0);
	assert_memory_equal(at, bytes, SIZE);
	assert_int_equal(source_pin(source, 1000, 50, &other), 0);
	assert_memory_equal(other, bytes + 1000, 50);
	source_unpin(source);
	source_unpin(source);
	assert_int_equal(source_pin(source, SIZE - 1, 1, &at), 0);
	source_unpin(source);
	assert_int_equal(source_pin(source, 0, 0, &at), -EOPNOTSUPP);
	assert_int_equal(source_pin(source, SIZE - 1, 2, &at), -EOPNOTSUPP);
	assert_int_equal(source_pin(source, UINT64_MAX, 2, &at), -EOPNOTSUPP);
	source_close(source);

	source = open_path(&no_mmap);
	assert_int_equal(source_pin(source, 0, 1, &at), -EOPNOTSUPP);
	source_close(source);
	assert_int_equal(source_open_buffer(bytes, SIZE, NULL, &source, NULL), 0);
	assert_int_equal(source_pin(source, 0, 1, &at), -EOPNOTSUPP);
	source_close(source);
	unlink(path);
	(void)state;
}

static void test_writer(void **state)
{
	struct source *source;
	const void *at;
	int fd;

	skip_without_leases();
	source = open_path(NULL);
	assert_int_equal(source_written(source), 0);
	fd = open(path, O_WRONLY);
	assert_int_equal(source_written(source), 1);
	assert_int_equal(source_pin(source, 0, SIZE, &at), -EOPNOTSUPP);
	close(fd);
	assert_int_equal(source_written(source), 0);
	assert_int_equal(source_pin(source, 0, SIZE, &at), 0);
	source_unpin(source);
	source_close(source);

	/* opened for writing it is the writer itself: nothing is known */
	fd = open(path, O_RDWR);
	assert_int_equal(source_open_fd(fd, NULL, &source, NULL), 0);
	assert_int_equal(source_written(source), -1);
	assert_int_equal(source_pin(source, 0, SIZE, &at), -EOPNOTSUPP);
	source_close(source);
	close(fd);
	unlink(path);
	(void)state;
}

/* Whatever lies between says what the file says; none of it is pinned. */
static void check_above(struct source *source)
{
	const void *at;
	int fd;

	assert_int_equal(source_written(source), 0);
	fd = open(path, O_WRONLY);
	assert_int_equal(source_written(source), 1);
	close(fd);
	assert_int_equal(source_wait(source, 1), 0);
	assert_int_equal(source_pin(source, 0, 1, &at), -EOPNOTSUPP);
	source_close(source);
}

static void replace_file(const struct text *packed)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, packed->bytes, packed->size), packed->size);
	close(fd);
}

static void test_above(void **state)
{
	const struct source_options growing = {.growing = true};
	_cleanup_(text_free) struct text gzip = {0}, zstd = {0};
	struct source *part, *chain;

	skip_without_leases();
	part = open_path(&growing);
	assert_int_equal(source_chain_open(&part, 1, &chain), 0);
	check_above(chain);
	fixture_member(&gzip, bytes, SIZE, 0);
	replace_file(&gzip);
	check_above(open_path(&growing));
	fixture_frame(&zstd, bytes, SIZE, false, 0);
	replace_file(&zstd);
	check_above(open_path(&growing));
	unlink(path);
	(void)state;
}

static size_t size_now(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

static pid_t cut_elsewhere(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(truncate(path, (off_t)CUT) != 0);
	assert_true(pid > 0);
	return pid;
}

/* False: that took too long to tell. */
static bool try_cut(void)
{
	struct source *source = open_path(NULL);
	time_t start = seconds();
	const void *at, *more;
	bool told;
	pid_t pid;
	int status;

	assert_int_equal(source_pin(source, 0, SIZE, &at), 0);
	source_unpin(source);
	/* again: the signal that comes to us must not be the one that ends a program */
	assert_int_equal(source_pin(source, 0, SIZE, &at), 0);
	assert_int_equal(source_written(source), 0); /* and it is pinned still */
	pid = cut_elsewhere();
	/* until it waits for us: then nobody is let in any more */
	while (source_pin(source, 10, 10, &more) == 0) {
		source_unpin(source);
		sched_yield();
	}
	told = size_now() == SIZE && !memcmp(at, bytes, SIZE);
	if (seconds() - start < TRY_SECONDS)
		assert_true(told);
	source_unpin(source);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(size_now(), CUT);
	assert_int_equal(source_written(source), 0);
	assert_int_equal(source_pin(source, 0, CUT + 1, &more), -EOPNOTSUPP);
	source_close(source);
	return told;
}

static void test_cut(void **state)
{
	bool told;

	skip_without_leases();
	do {
		unlink(path);
		make_file();
		told = try_cut();
		unlink(path);
	} while (!told);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_above),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
