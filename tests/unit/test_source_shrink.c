/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that are cut while they are mapped. */
#include <signal.h>
#include <sys/mman.h>

#include "source/source_fault.h"
#include "source_fixture.h"

#define PAGE ((size_t)4096)
#define SIZE (100 * PAGE)

static uint8_t *bytes;

static unsigned sum(const uint8_t *from, size_t size)
{
	unsigned total = 0;

	while (size-- > 0)
		total += from[size];
	return total;
}

static struct source *open_file(int *ret_fd)
{
	struct source *source;

	*ret_fd = fixture_file(bytes, SIZE);
	assert_int_equal(source_open_fd(*ret_fd, NULL, &source, NULL), 0);
	return source;
}

/* Pages that are gone: no crash, zeros, -EIO; and the truth ever after. */
static void test_pages(void **state)
{
	struct pktfs_loan whole, start;
	struct source *source;
	uint8_t copy[100];
	int fd;

	source = open_file(&fd);
	assert_int_equal(source_borrow(source, 0, SIZE, &whole), 0);
	assert_int_equal(source_borrow(source, 0, 10, &start), 0);
	assert_int_equal(start.size, SIZE);
	assert_int_equal(source_verify(&whole), 0);
	assert_int_equal(ftruncate(fd, 10 * PAGE), 0);
	/* nothing was touched: only what was asked for counts */
	assert_int_equal(source_verify(&start), 0);
	assert_int_equal(source_verify_to(&start, 10 * PAGE), 0);
	assert_memory_equal(whole.bytes, bytes, 10 * PAGE);
	assert_int_equal(sum(whole.bytes + 50 * PAGE, 50 * PAGE), 0);
	assert_int_equal(sum(whole.bytes + 10 * PAGE, 40 * PAGE), 0);
	assert_int_equal(source_return(&whole), -EIO);
	assert_int_equal(source_return(&start), -EIO);
	assert_int_equal(source_borrow(source, 10 * PAGE - 10, 10, &start), 0);
	assert_memory_equal(start.bytes, bytes + 10 * PAGE - 10, 10);
	assert_int_equal(source_return(&start), 0);
	assert_int_equal(source_borrow(source, 10 * PAGE - 10, 11, &start), -EIO);
	assert_int_equal(source_borrow(source, SIZE - 1, 1, &start), -EIO);
	assert_int_equal(source_borrow(source, SIZE, 1, &start), -ENODATA);
	assert_int_equal(source_read(source, 0, copy, 100), 100);
	assert_memory_equal(copy, bytes, 100);
	assert_int_equal(source_read(source, 10 * PAGE - 50, copy, 100), -EIO);
	source_close(source);
	close(fd);
	(void)state;
}

/* The rest of the page with the new end reads as zeros, without a signal. */
static void test_mid_page(void **state)
{
	struct pktfs_loan loan;
	struct source *source;
	int fd;

	source = open_file(&fd);
	assert_int_equal(source_borrow(source, 10 * PAGE, 1000, &loan), 0);
	assert_int_equal(ftruncate(fd, 10 * PAGE + 500), 0);
	assert_int_equal(sum(loan.bytes + 500, 500), 0);
	assert_int_equal(source_verify_to(&loan, 500), 0);
	assert_int_equal(source_verify_to(&loan, 501), -EIO);
	assert_int_equal(source_return(&loan), -EIO);
	assert_int_equal(source_borrow(source, 10 * PAGE, 501, &loan), -EIO);
	assert_int_equal(source_borrow(source, 10 * PAGE, 500, &loan), 0);
	assert_int_equal(source_return(&loan), 0);
	source_close(source);
	close(fd);
	(void)state;
}

/* source_read tries again: a cut elsewhere does not show. */
static void test_read_elsewhere(void **state)
{
	struct pktfs_loan loan;
	struct source *source;
	uint8_t copy[100];
	int fd;

	source = open_file(&fd);
	assert_int_equal(source_borrow(source, 90 * PAGE, 10, &loan), 0);
	assert_int_equal(ftruncate(fd, 50 * PAGE), 0);
	assert_int_equal(sum(loan.bytes, 10), 0);
	assert_int_equal(source_read(source, 3, copy, 100), 100);
	assert_memory_equal(copy, bytes + 3, 100);
	assert_int_equal(source_return(&loan), -EIO);
	source_close(source);
	close(fd);
	(void)state;
}

static atomic_bool was_cut;

struct reader {
	struct source *source;
	unsigned good, gone;
};

static void *read_all(void *context)
{
	struct reader *reader = context;
	struct pktfs_loan loan;
	unsigned total, i, n = 0;
	uint64_t page;

	/* until the cut, and for a while after it */
	for (i = 0; i < 1000; i += was_cut) {
		page = n++ * 37 % (SIZE / PAGE);
		if (source_borrow(reader->source, page * PAGE, PAGE, &loan) < 0) {
			reader->gone++;
			continue;
		}
		total = sum(loan.bytes, PAGE);
		if (source_return(&loan) < 0) {
			reader->gone++;
		} else {
			reader->good++;
			if (total != sum(bytes + page * PAGE, PAGE))
				abort();
		}
	}
	return NULL;
}

/* Cut in the middle of the work of many. */
static void test_readers(void **state)
{
	struct reader readers[4] = {0};
	pthread_t threads[4];
	int fd, i;
	struct source *source = open_file(&fd);

	for (i = 0; i < 4; i++) {
		readers[i].source = source;
		pthread_create(&threads[i], NULL, read_all, &readers[i]);
	}
	usleep(2000);
	assert_int_equal(ftruncate(fd, 30 * PAGE + 7), 0);
	was_cut = true;
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_true(readers[i].good > 0 && readers[i].gone > 0);
	}
	source_close(source);
	close(fd);
	(void)state;
}

/* Compressed files are cut as well: on demand, and while they are decoded. */
static void test_compressed(void **state)
{
	struct text file = {0};
	struct pktfs_loan loan;
	struct source *source;
	int fd;

	fixture_frame(&file, bytes, SIZE / 2, true, 0);
	fixture_frame(&file, bytes, SIZE / 2, true, 0);
	fd = fixture_file(file.bytes, file.size);
	assert_int_equal(source_open_fd(fd, NULL, &source, NULL), 0);
	assert_int_equal(fixture_end(source), SIZE);
	assert_int_equal(ftruncate(fd, (off_t)file.size * 3 / 4), 0);
	assert_int_equal(source_borrow(source, SIZE / 2, 1, &loan), -EIO);
	assert_int_equal(source_borrow(source, 0, SIZE / 2, &loan), 0);
	assert_memory_equal(loan.bytes, bytes, SIZE / 2);
	assert_int_equal(source_return(&loan), 0);
	assert_int_equal(source_problem(source, NULL), 0);
	source_close(source);
	close(fd);
	text_free(&file);
	(void)state;
}

/* More files than the net has room for: those are read by pread. */
static void test_many(void **state)
{
	static struct source *sources[SOURCE_FAULT_MAPS + 5];
	struct pktfs_loan loan;
	int fd = fixture_file(bytes, SIZE);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sources); i++)
		assert_int_equal(source_open_fd(fd, NULL, &sources[i], NULL), 0);
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		assert_int_equal(source_borrow(sources[i], 10, 10, &loan), 0);
		assert_memory_equal(loan.bytes, bytes + 10, 10);
		assert_int_equal(loan.size == SIZE - 10, i < SOURCE_FAULT_MAPS);
		assert_int_equal(source_return(&loan), 0);
	}
	for (i = 0; i < ARRAY_SIZE(sources); i++)
		source_close(sources[i]);
	close(fd);
	(void)state;
}

static sigjmp_buf outside;
static volatile sig_atomic_t passed_on;

static void on_signal(int number)
{
	passed_on = number;
	siglongjmp(outside, 1);
}

/* A fault that is not ours goes to the handler that was there before us. */
static void test_chain(void **state)
{
	int fd = fixture_file(bytes, PAGE);
	volatile uint8_t *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	struct source *source;

	assert_true(map != MAP_FAILED);
	signal(SIGBUS, on_signal);
	assert_int_equal(source_open_fd(fd, NULL, &source, NULL), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	if (sigsetjmp(outside, 1) == 0)
		(void)map[0];
	assert_int_equal(passed_on, SIGBUS);
	passed_on = 0;
	if (sigsetjmp(outside, 1) == 0)
		raise(SIGBUS);
	assert_int_equal(passed_on, SIGBUS);
	munmap((void *)(uintptr_t)map, PAGE);
	source_close(source);
	close(fd);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),          cmocka_unit_test(test_mid_page),
		cmocka_unit_test(test_read_elsewhere), cmocka_unit_test(test_readers),
		cmocka_unit_test(test_compressed),     cmocka_unit_test(test_many),
		cmocka_unit_test(test_chain),
	};
	int r;

	bytes = fixture_bytes(SIZE, 2);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(bytes);
	return r;
}
