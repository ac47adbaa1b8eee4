/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources one behind the other. */
#include <poll.h>
#include <stdatomic.h>

#include "source_fixture.h"

#define SIZE  ((size_t)600000)
#define PARTS 8

static uint8_t *bytes;
static struct text files[PARTS];
static size_t starts[PARTS + 1];

static struct source *open_file(const void *file, size_t size, bool growing, int *ret_fd)
{
	const struct source_options options = {.growing = growing};
	struct source *source;

	*ret_fd = fixture_file(file, size);
	assert_int_equal(source_open_fd(*ret_fd, &options, &source, NULL), 0);
	return source;
}

static struct source *open_pipe(int *ret_fd)
{
	struct source *source;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], bytes, 10), 10);
	assert_int_equal(source_open_fd(fds[0], NULL, &source, NULL), 0);
	close(fds[0]);
	*ret_fd = fds[1];
	return source;
}

static struct source *chain(struct source **parts, size_t count)
{
	struct source *source;

	assert_int_equal(source_chain_open(parts, count, &source), 0);
	return source;
}

static void add(struct source **parts, size_t number, size_t size, struct source *source)
{
	parts[number] = source;
	starts[number + 1] = starts[number] + size;
}

/* One of each kind; together they have the first SIZE bytes. */
static struct source *open_mixed(int fds[PARTS])
{
	const struct source_options copies = {.no_mmap = true};
	struct source *parts[PARTS];
	struct text plain;
	size_t at, i;

	for (i = 0; i < PARTS; i++) {
		files[i] = (struct text){0};
		fds[i] = -1;
	}
	add(parts, 0, 70001, open_file(bytes, 70001, false, &fds[0]));
	for (at = starts[1]; at < starts[1] + 200000; at += 40000)
		fixture_frame(&files[1], bytes + at, 40000, at > 100000, 0);
	add(parts, 1, 200000, open_file(files[1].bytes, files[1].size, false, &fds[1]));
	plain = (struct text){.bytes = (char *)bytes + starts[2], .size = 1};
	add(parts, 2, 1, fixture_open(&plain));
	fixture_member(&files[3], bytes, 0, 0);
	add(parts, 3, 0, fixture_open(&files[3]));
	fixture_member(&files[4], bytes + starts[4], 100000, 5000);
	add(parts, 4, 100000, fixture_open(&files[4]));
	fds[5] = fixture_file(bytes + starts[5], 100000);
	assert_int_equal(source_open_fd(fds[5], &copies, &parts[5], NULL), 0);
	add(parts, 5, 100000, parts[5]);
	fixture_frame(&files[6], bytes, 0, true, 0);
	add(parts, 6, 0, fixture_open(&files[6]));
	add(parts, 7, SIZE - starts[7],
	    open_file(bytes + starts[7], SIZE - starts[7], true, &fds[7]));
	return chain(parts, PARTS);
}

static void close_mixed(struct source *source, int fds[PARTS])
{
	size_t i;

	source_close(source);
	for (i = 0; i < PARTS; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		text_free(&files[i]);
	}
}

static size_t part_of(uint64_t offset)
{
	size_t i = PARTS - 1;

	while (starts[i] > offset)
		i--;
	return i;
}

static void expect_loan(struct source *source, uint64_t offset, size_t size)
{
	size_t part = part_of(offset);
	struct pktfs_loan loan = {0};
	int r = source_borrow(source, offset, size, &loan);

	if (offset + size > starts[part + 1]) {
		assert_int_equal(r, -ENODATA);
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(loan.offset, offset);
	assert_int_equal(loan.requested, size);
	assert_true(loan.size >= size && loan.size <= starts[part + 1] - offset);
	assert_memory_equal(loan.bytes, bytes + offset, loan.size);
	assert_int_equal(source_verify(&loan), 0);
	assert_int_equal(source_return(&loan), 0);
}

static void test_sweep(void **state)
{
	static const size_t sizes[] = {1, 2, 24, 1000, 100000};
	uint8_t *copy = malloc(SIZE + 1);
	uint64_t at, stored = 0;
	struct source *source;
	int fds[PARTS];
	size_t i, k;

	source = open_mixed(fds);
	assert_int_equal(fixture_end(source), SIZE);
	assert_int_equal(source_parts(source), PARTS);
	assert_int_equal(source_compression(source), SOURCE_PLAIN);
	for (i = 0; i < PARTS; i++) {
		assert_int_equal(source_part_start(source, i), starts[i]);
		assert_int_equal(source_part_problem(source, i, NULL), 0);
		stored += files[i].size ? files[i].size : starts[i + 1] - starts[i];
	}
	assert_int_equal(source_stored_size(source), stored);
	assert_true(source_stored_time(source).sec > 0);
	for (k = 0; k < ARRAY_SIZE(sizes); k++) {
		for (at = 0; at < SIZE; at += 611)
			expect_loan(source, at, sizes[k]);
		for (i = 1; i <= PARTS; i++)
			for (at = starts[i] - MIN(starts[i], 30); at < starts[i] + 30; at++)
				if (at < SIZE)
					expect_loan(source, at, sizes[k]);
	}
	assert_int_equal(source_read(source, 0, copy, SIZE + 1), SIZE);
	assert_memory_equal(copy, bytes, SIZE);
	for (at = 0; at < SIZE; at += 9973) {
		assert_int_equal(source_read(source, at, copy, 90000), MIN(90000, SIZE - at));
		assert_memory_equal(copy, bytes + at, MIN(90000, SIZE - at));
	}
	assert_int_equal(source_read(source, SIZE, copy, 1), 0);
	close_mixed(source, fds);
	free(copy);
	(void)state;
}

/* The last part grows. */
static void test_growth(void **state)
{
	size_t at = SIZE, n;
	struct source *source;
	int fds[PARTS];

	source = open_mixed(fds);
	assert_true(source_growing(source));
	assert_int_equal(fixture_end(source), SIZE);
	assert_int_equal(source_grow(source, UINT64_MAX), 0);
	for (n = 1; n < 70000; n *= 3, at = starts[PARTS]) {
		assert_int_equal(pwrite(fds[7], bytes + at, n, (off_t)(at - starts[7])), n);
		assert_int_equal(source_grow(source, UINT64_MAX), 1);
		starts[PARTS] += n;
		assert_int_equal(source_wait_growth(source, at), 0);
		assert_int_equal(fixture_end(source), at + n);
		expect_loan(source, at, 1);
		expect_loan(source, at, n);
		expect_loan(source, at, n + 1);
		expect_loan(source, at - 1, n + 1);
	}
	assert_int_equal(ftruncate(fds[7], 10), 0);
	assert_int_equal(source_grow(source, UINT64_MAX), -EIO);
	assert_false(source_growing(source));
	close_mixed(source, fds);
	(void)state;
}

/* A compressed one grows: not final until it is decoded, and so for the chain. */
static void test_growth_zstd(void **state)
{
	struct source *parts[2], *source;
	struct text file = {0};
	size_t at = 1000, stored, i;
	uint8_t *copy;
	int fds[2];

	fixture_frame(&file, bytes + 500, 500, false, 0);
	parts[0] = open_file(bytes, 500, false, &fds[0]);
	parts[1] = open_file(file.bytes, file.size, true, &fds[1]);
	source = chain(parts, 2);
	assert_int_equal(fixture_end(source), 1000);
	for (i = 0; i < 300; i++, at += 500) {
		stored = file.size;
		fixture_frame(&file, bytes + at, 500, i % 2, i % 3 ? 100 : 0);
		assert_int_equal(
			pwrite(fds[1], file.bytes + stored, file.size - stored, (off_t)stored),
			file.size - stored);
		assert_int_equal(source_grow(source, UINT64_MAX), 1);
		assert_int_equal(fixture_end(source), at + 500);
		assert_int_equal(source_problem(source, NULL), 0);
	}
	copy = malloc(at);
	assert_int_equal(source_read(source, 0, copy, at), at);
	assert_memory_equal(copy, bytes, at);
	free(copy);
	source_close(source);
	text_free(&file);
	close(fds[0]);
	close(fds[1]);
	(void)state;
}

static void *wait_end(void *context)
{
	return (void *)(intptr_t)source_wait(context, UINT64_MAX);
}

/* A part whose end is not known yet hides those behind it. */
static void test_advance(void **state)
{
	struct source *parts[3], *source;
	struct pktfs_loan loan;
	pthread_t thread;
	bool final = true;
	void *result;
	int fds[3];

	parts[0] = open_file(bytes, 1000, false, &fds[0]);
	parts[1] = open_pipe(&fds[1]);
	parts[2] = open_file(bytes + 1100, 1000, false, &fds[2]);
	source = chain(parts, 3);
	assert_int_equal(source_wait(source, 1010), 0);
	assert_int_equal(source_available(source, &final), 1010);
	assert_false(final);
	assert_int_equal(source_parts(source), 2);
	assert_int_equal(source_borrow(source, 990, 11, &loan), -ENODATA);
	assert_int_equal(source_borrow(source, 990, 1000, &loan), -ENODATA);
	assert_int_equal(source_borrow(source, 1000, 11, &loan), -EAGAIN);
	assert_int_equal(source_borrow(source, 1000, 10, &loan), 0);
	pthread_create(&thread, NULL, wait_end, source);
	assert_int_equal(write(fds[1], bytes + 10, 90), 90);
	assert_int_equal(source_wait(source, 1100), 0);
	close(fds[1]);
	pthread_join(thread, &result);
	assert_int_equal((intptr_t)result, 0);
	assert_int_equal(fixture_end(source), 2100);
	assert_int_equal(source_parts(source), 3);
	assert_int_equal(source_part_start(source, 2), 1100);
	assert_memory_equal(loan.bytes, bytes, 10);
	assert_int_equal(source_return(&loan), 0);
	assert_int_equal(source_borrow(source, 1099, 2, &loan), -ENODATA);
	assert_int_equal(source_borrow(source, 2099, 2, &loan), -ENODATA);
	assert_int_equal(source_borrow(source, 2099, 1, &loan), 0);
	assert_int_equal(loan.bytes[0], bytes[2099]);
	assert_int_equal(source_return(&loan), 0);
	source_close(source);
	close(fds[0]);
	close(fds[2]);
	(void)state;
}

/* Changes bytes from `at` on until libzstd sees it before the checksum. */
static void make_damage(struct text *file, size_t at)
{
	uint8_t *truth = malloc(SIZE);
	bool good;

	do {
		assert_true(at + 5 < file->size);
		file->bytes[at] ^= 0x55;
		file->bytes[at + 1] ^= 0x55;
		at += 2;
	} while (fixture_truth(file, truth, SIZE, &good) == 200000);
	free(truth);
}

/* A part is damaged, which shows when somebody reads it. Nothing shifts. */
static void test_damage(void **state)
{
	struct source *parts[3], *source;
	struct pktfs_error error;
	struct text file = {0};
	struct pktfs_loan loan;
	uint8_t *copy = malloc(SIZE);
	size_t cut;
	int fds[3];

	fixture_frame(&file, bytes, 100000, true, 0);
	fixture_frame(&file, bytes + 100000, 100000, true, 1000);
	cut = file.size;
	make_damage(&file, cut - 9000);
	parts[0] = open_file(bytes, 1000, false, &fds[0]);
	parts[1] = open_file(file.bytes, cut, false, &fds[1]);
	parts[2] = open_file(bytes, 1000, true, &fds[2]);
	source = chain(parts, 3);
	assert_int_equal(fixture_end(source), 202000);
	assert_int_equal(source_part_problem(source, 1, NULL), 0);
	assert_int_equal(source_borrow(source, 200999, 1, &loan), -EBADMSG);
	assert_int_equal(source_part_problem(source, 1, &error), -EBADMSG);
	assert_true(error.offset > 101000 && error.offset < 201000);
	assert_int_equal(source_part_start(source, 2), 201000);
	assert_int_equal(fixture_end(source), 202000);
	assert_int_equal(source_problem(source, NULL), 0);
	assert_int_equal(source_borrow(source, error.offset, 1, &loan), -EBADMSG);
	assert_int_equal(source_borrow(source, error.offset - 1, 2, &loan), -EBADMSG);
	assert_int_equal(source_borrow(source, error.offset - 1, 200000, &loan), -EBADMSG);
	assert_int_equal(source_borrow(source, error.offset - 1, 1, &loan), 0);
	assert_int_equal(source_return(&loan), 0);
	assert_int_equal(source_read(source, 0, copy, 202000), -EBADMSG);
	assert_int_equal(source_read(source, 201000, copy, 2000), 1000);
	assert_memory_equal(copy, bytes, 1000);
	assert_int_equal(source_borrow(source, 201999, 2, &loan), -ENODATA);
	assert_int_equal(pwrite(fds[2], bytes + 1000, 1000, 1000), 1000);
	assert_int_equal(source_grow(source, UINT64_MAX), 1);
	assert_int_equal(source_read(source, 201000, copy, 3000), 2000);
	assert_memory_equal(copy, bytes, 2000);
	source_close(source);
	text_free(&file);
	free(copy);
	for (cut = 0; cut < 3; cut++)
		close(fds[cut]);
	(void)state;
}

/* What was cut is told by the part alone. */
static void test_cut(void **state)
{
	struct source *parts[3], *source;
	struct pktfs_loan loans[3];
	int fds[3], i;

	for (i = 0; i < 3; i++)
		parts[i] = open_file(bytes, 100000, false, &fds[i]);
	source = chain(parts, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(source_borrow(source, (uint64_t)i * 100000, 100000, &loans[i]), 0);
	assert_int_equal(ftruncate(fds[1], 50000), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(source_verify_to(&loans[i], 50000), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(loans[i].bytes[99000], i == 1 ? 0 : bytes[99000]);
		assert_int_equal(source_return(&loans[i]), i == 1 ? -EIO : 0);
	}
	assert_int_equal(source_borrow(source, 199999, 1, &loans[0]), -EIO);
	assert_int_equal(source_borrow(source, 149999, 1, &loans[0]), 0);
	assert_int_equal(source_return(&loans[0]), 0);
	assert_int_equal(source_borrow(source, 200000, 1, &loans[0]), 0);
	assert_int_equal(loans[0].size, 100000);
	assert_int_equal(source_return(&loans[0]), 0);
	source_close(source);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	(void)state;
}

static void test_cancel(void **state)
{
	struct source *parts[2], *source;
	pthread_t threads[3];
	void *result;
	int fds[2];
	size_t i;

	parts[0] = open_pipe(&fds[0]);
	parts[1] = open_pipe(&fds[1]);
	source = chain(parts, 2);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, wait_end, source);
	poll(NULL, 0, 20);
	source_cancel(source);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &result);
		assert_int_equal((intptr_t)result, -ECANCELED);
	}
	source_close(source);
	close(fds[0]);
	close(fds[1]);
	(void)state;
}

/* Sparse files whose sizes add up to more than 64 bits can count. */
static void test_sums(void **state)
{
	struct source *parts[40], *source;
	int fd = fixture_file(bytes, 1000);
	off_t size = INT64_MAX & ~(off_t)4095;
	struct pktfs_loan loan;
	size_t i;

	while (ftruncate(fd, size) < 0)
		size /= 2;
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		assert_int_equal(source_open_fd(fd, NULL, &parts[i], NULL), 0);
	source = chain(parts, ARRAY_SIZE(parts));
	assert_int_equal(source_parts(source), ARRAY_SIZE(parts));
	assert_true(fixture_end(source) >= (uint64_t)size);
	assert_int_equal(source_borrow(source, (uint64_t)size, 1000, &loan), 0);
	assert_memory_equal(loan.bytes, bytes, 1000);
	assert_int_equal(source_return(&loan), 0);
	source_close(source);
	close(fd);
	(void)state;
}

struct reader {
	struct source *source;
	pthread_t thread;
	uint64_t from;
};

static void *read_on(void *context)
{
	struct reader *reader = context;
	struct pktfs_loan loan;
	uint64_t at = reader->from;
	size_t n;

	while (at < SIZE) {
		if (source_wait(reader->source, at + 1) < 0)
			abort();
		if (source_borrow(reader->source, at, 1, &loan) < 0)
			abort();
		n = loan.requested = MIN(loan.size, (size_t)20000);
		if (memcmp(loan.bytes, bytes + at, n) != 0 || source_return(&loan) < 0)
			abort();
		at += n;
	}
	return NULL;
}

static void test_readers(void **state)
{
	struct reader readers[4];
	int fds[PARTS], k;
	size_t i;

	for (k = 0; k < 20; k++) {
		struct source *source = open_mixed(fds);

		for (i = 0; i < 4; i++) {
			readers[i] = (struct reader){.source = source, .from = i * 50000};
			pthread_create(&readers[i].thread, NULL, read_on, &readers[i]);
		}
		for (i = 0; i < 4; i++)
			pthread_join(readers[i].thread, NULL);
		close_mixed(source, fds);
	}
	/* closed while its parts are at work */
	for (k = 0; k < 50; k++)
		close_mixed(open_mixed(fds), fds);
	(void)state;
}

/* Every other source is a chain of one. */
static void test_single(void **state)
{
	struct text file = {.bytes = (char *)bytes, .size = 1000};
	struct source *source = fixture_open(&file), *one;

	assert_int_equal(source_parts(source), 1);
	assert_int_equal(source_part_start(source, 0), 0);
	assert_int_equal(source_part_problem(source, 0, NULL), 0);
	one = chain(&source, 1);
	fixture_compare(one, bytes, 1000);
	assert_int_equal(source_parts(one), 1);
	source_close(one);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sweep),   cmocka_unit_test(test_growth),
		cmocka_unit_test(test_advance), cmocka_unit_test(test_growth_zstd),
		cmocka_unit_test(test_damage),  cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cancel),  cmocka_unit_test(test_sums),
		cmocka_unit_test(test_readers), cmocka_unit_test(test_single),
	};
	int r;

	bytes = fixture_bytes(SIZE + 200000, 6);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(bytes);
	return r;
}
