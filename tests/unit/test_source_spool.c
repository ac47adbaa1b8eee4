/* SPDX-License-Identifier: BSD-2-Clause */
/* Spools without room, and many readers of everything. */
#include <sys/mount.h>
#include <sys/resource.h>

#include "source/source_spool.h"
#include "source_fixture.h"

#define SIZE ((size_t)6 << 20)

#ifndef __has_feature /* gcc */
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static uint8_t *bytes;

/* Decompresses `file` onto a tmpfs of `size`; *ret: how much there is then. */
static int on_small_disk(const struct text *file, const char *size, bool no_parallel, uint64_t *ret)
{
	char dir[] = "/tmp/pktfs-spool-XXXXXX";
	const struct source_options options = {.spool_dir = dir, .no_parallel = no_parallel};
	struct pktfs_error error = {0};
	struct source *source;
	uint8_t *copy = malloc(SIZE);
	size_t there;

	assert_non_null(mkdtemp(dir));
	if (mount("tmpfs", dir, "tmpfs", 0, size) < 0) {
		print_message("SKIP: a tmpfs cannot be mounted: %s\n", strerror(errno));
		rmdir(dir);
		free(copy);
		return 0;
	}
	assert_int_equal(source_open_buffer(file->bytes, file->size, &options, &source, NULL), 0);
	*ret = fixture_end(source);
	there = MIN(SIZE, *ret);
	assert_int_equal(source_read(source, 0, copy, there), there);
	assert_memory_equal(copy, bytes, there);
	source_problem(source, &error);
	assert_int_equal(error.offset, *ret);
	assert_non_null(strstr(error.text, "-o spool="));
	source_close(source);
	assert_int_equal(umount(dir), 0);
	rmdir(dir);
	free(copy);
	return error.code;
}

/* By the thread that decompresses, and by the one that only writes. */
static int full_disks(const struct text *file, bool no_parallel)
{
	uint64_t end;
	int r = on_small_disk(file, "size=2m", no_parallel, &end);

	if (r == 0)
		return 0;
	assert_int_equal(r, -ENOSPC);
	assert_true(end > 1 << 20 && end <= 2 << 20);
	/* room for another piece, but then less than 5% would be left */
	assert_int_equal(on_small_disk(file, "size=16640k", no_parallel, &end), -EFBIG);
	assert_true(end > 15 << 20 && end <= 16 << 20);
	return r;
}

static void test_full_disk(void **state)
{
	struct text file = {0}, all = {0};
	int r, i;

	for (i = 0; i < 4; i++)
		text_append(&all, bytes, SIZE);
	fixture_frame(&file, (const uint8_t *)all.bytes, all.size, false, 0);
	r = full_disks(&file, false);
	if (r != 0)
		full_disks(&file, true);
	text_free(&file);
	text_free(&all);
	if (r == 0)
		skip();
	(void)state;
}

/* No address space for 64 GiB; or for nothing at all. */
static void limited(rlim_t limit)
{
	struct rlimit before, now;
	struct text file = {0};

	fixture_member(&file, bytes, SIZE, 0);
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	now = before;
	now.rlim_cur = limit;
	assert_int_equal(setrlimit(RLIMIT_AS, &now), 0);
	fixture_expect(&file, bytes, SIZE, 0);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	text_free(&file);
}

static void test_address_space(void **state)
{
	if (SANITIZED) {
		print_message("SKIP: a sanitizer needs its address space\n");
		skip();
	}
	limited((rlim_t)2 << 30);
	limited((rlim_t)200 << 20);
	(void)state;
}

/* Bytes behind the first step of maps: as if it were of 1 MiB. */
static void test_steps(void **state)
{
	struct source_spool spool;
	struct pktfs_loan loan;
	size_t at, n = 100000;

	source_spool_init(&spool);
	assert_int_equal(source_spool_open(&spool, "/tmp", NULL), 0);
	assert_true(spool.step_shift > 0);
	spool.step_shift = 20; /* what is mapped behind it stays until the exit */
	for (at = 0; at < SIZE; at += n)
		assert_int_equal(source_spool_write(&spool, bytes + at, MIN(n, SIZE - at)), 0);
	for (at = 0; at + n < SIZE; at += 33333) {
		loan = (struct pktfs_loan){0};
		assert_int_equal(source_spool_borrow(&spool, at, n, SIZE, &loan), 0);
		assert_true(loan.size >= n && at + loan.size <= SIZE);
		assert_memory_equal(loan.bytes, bytes + at, loan.size);
		source_return(&loan);
	}
	assert_int_equal(source_spool_verify(&spool), 0);
	source_spool_close(&spool);
	(void)state;
}

static void *read_random(void *context)
{
	struct fixture_reader *reader = context;
	struct pktfs_loan loans[2];
	uint64_t at[2];
	uint32_t seed = reader->number + 1;
	size_t size[2];
	int i, k, r;

	for (i = 0; i < 300; i++) {
		for (k = 0; k < 2; k++) {
			seed = seed * 1664525 + 1013904223;
			at[k] = seed % SIZE;
			size[k] = MIN(1 + (seed >> 3) % 5000, SIZE - at[k]);
			r = source_wait(reader->source, at[k] + size[k]);
			if (r == 0)
				r = source_borrow(reader->source, at[k], size[k], &loans[k]);
			if (r < 0)
				reader->result = r;
			if (r < 0)
				return NULL;
		}
		for (k = 0; k < 2; k++) {
			if (memcmp(loans[k].bytes, bytes + at[k], size[k]) != 0)
				reader->result = -EILSEQ;
			if (source_return(&loans[k]) < 0)
				reader->result = -EIO;
		}
	}
	return NULL;
}

static void read_by_many(const struct text *file, const struct source_options *options)
{
	struct source *source;
	int fd = fixture_file(file->bytes, file->size);

	assert_int_equal(source_open_fd(fd, options, &source, NULL), 0);
	fixture_read_by_many(source, read_random);
	source_close(source);
	close(fd);
}

/* With a cache of three frames, and one that holds none. */
static void test_readers(void **state)
{
	const struct source_options options[] = {
		{0}, {.frame_cache_bytes = 1 << 20}, {.frame_cache_bytes = 1}, {.no_mmap = true}};
	struct text files[3] = {0};
	size_t at, n, i, k;

	for (at = 0, i = 0; at < SIZE; at += n, i++) {
		n = MIN((size_t)300000, SIZE - at);
		fixture_frame(&files[0], bytes + at, n, i % 4 != 3, 0);
	}
	fixture_frame(&files[1], bytes, SIZE, false, 0);
	fixture_member(&files[2], bytes, SIZE, 0);
	for (i = 0; i < ARRAY_SIZE(options); i++)
		for (k = 0; k < (i == 0 ? 3 : 1); k++)
			read_by_many(&files[k], &options[i]);
	for (i = 0; i < 3; i++)
		text_free(&files[i]);
	(void)state;
}

/* Closed in the middle of its work. */
static void test_close_early(void **state)
{
	struct source *source;
	struct text file = {0};
	int i;

	fixture_frame(&file, bytes, SIZE, false, 0);
	for (i = 0; i < 20; i++) {
		source = fixture_open(&file);
		usleep(i * 200);
		source_close(source);
	}
	text_free(&file);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_disk),   cmocka_unit_test(test_address_space),
		cmocka_unit_test(test_steps),       cmocka_unit_test(test_readers),
		cmocka_unit_test(test_close_early),
	};
	int r;

	bytes = fixture_bytes(SIZE, 5);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(bytes);
	return r;
}
