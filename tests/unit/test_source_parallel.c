/* SPDX-License-Identifier: BSD-2-Clause */
/* What is decompressed by several threads is what one thread makes of it: the same
 * bytes, the same end, the same words about it. */
#include <stdatomic.h>

#include "source/source_pool.h"
#include "source_fixture.h"

#define SIZE ((size_t)1500000)
#define ROOM ((size_t)12 << 20)

static uint8_t *bytes, *given, *truth;

struct outcome {
	size_t size;
	int code;
	struct pktfs_error error;
};

static struct source *open_with(const struct text *file, const struct source_options *options)
{
	struct source *source = NULL;

	assert_int_equal(source_open_buffer(file->bytes, file->size, options, &source, NULL), 0);
	return source;
}

static void outcome(const struct text *file, const struct source_options *options, uint8_t *to,
		    struct outcome *ret)
{
	struct source *source = open_with(file, options);

	*ret = (struct outcome){0};
	ret->size = fixture_given(source, to, ROOM);
	ret->code = source_problem(source, &ret->error);
	source_close(source);
}

/* Of one thread in `truth`, and the same by many: how much it is. */
static size_t expect_same(const struct text *file)
{
	const struct source_options one = {.no_parallel = true};
	const struct source_options many[] = {{0}, {.frame_cache_bytes = 1 << 20}};
	struct outcome expected, found;
	size_t i;

	outcome(file, &one, truth, &expected);
	for (i = 0; i < ARRAY_SIZE(many); i++) {
		outcome(file, &many[i], given, &found);
		assert_int_equal(found.size, expected.size);
		assert_memory_equal(given, truth, found.size);
		assert_int_equal(found.code, expected.code);
		assert_string_equal(found.error.text, expected.error.text);
		assert_int_equal(found.error.offset, expected.error.offset);
	}
	return expected.size;
}

/* All of the bytes in frames of these sizes in turn; bit i of `declared`: those of
 * size i say it. at[i], if it is wanted: where frame i is in the file. */
struct plan {
	size_t sizes[4];
	unsigned count, declared;
	size_t skippable; /* one of so many bytes before each */
};

#define MOST 4000

static size_t make(struct text *file, const struct plan *plan, size_t size, size_t at[MOST + 1])
{
	size_t done = 0, i, n;

	for (i = 0; done < size && i < MOST; i++, done += n) {
		n = MIN(plan->sizes[i % plan->count], size - done);
		if (plan->skippable)
			fixture_skippable(file, 0x184D2A50 + i % 16, (uint32_t)plan->skippable);
		at[i] = file->size;
		fixture_frame(file, bytes + done, n, plan->declared >> i % plan->count & 1, 0);
	}
	assert_int_equal(done, size);
	at[i] = file->size;
	return i;
}

static const struct plan plans[] = {
	{{300000}, 1, 1, 0},
	{{300000}, 1, 0, 0},
	{{300000}, 1, 0, 4}, /* as pzstd does it */
	{{1000, 0, 24, 3000}, 4, 15, 0},
	{{1000, 0, 24, 3000}, 4, 0, 0},
	{{1000, 0, 24, 3000}, 4, 5, 9},
	{{200000, 300, 131072, 7}, 4, 0, 0},
	{{200000, 300, 131072, 7}, 4, 6, 100000},
	{{900000, 250000}, 2, 1, 0},
	{{900000, 250000}, 2, 2, 70},
};

static void test_shapes(void **state)
{
	size_t at[MOST + 1], i;

	for (i = 0; i < ARRAY_SIZE(plans); i++) {
		struct text file = {0};

		make(&file, &plans[i], SIZE, at);
		fixture_skippable(&file, 0x184D2A5E, 1000);
		assert_int_equal(expect_same(&file), SIZE);
		assert_memory_equal(given, bytes, SIZE);
		text_free(&file);
	}
	(void)state;
}

/* Larger than what is decompressed on demand, alone and among others; blocks of all
 * sizes, so that buffers are full in the middle of them. */
static void test_large(void **state)
{
	static const size_t flushes[] = {0, 999, 70000};
	size_t size = ROOM - (1 << 20), i;
	uint8_t *large = fixture_bytes(size, 9);

	for (i = 0; i < ARRAY_SIZE(flushes); i++) {
		struct text file = {0}, member = {0};

		fixture_frame(&file, large, 300000, false, 0);
		fixture_frame(&file, large + 300000, size - 800000, i == 1, flushes[i]);
		fixture_frame(&file, large + size - 500000, 250000, false, 0);
		fixture_frame(&file, large + size - 250000, 250000, false, 0);
		assert_int_equal(expect_same(&file), size);
		assert_memory_equal(given, large, size);
		fixture_member(&member, large, size, flushes[i]);
		assert_int_equal(expect_same(&member), size);
		assert_memory_equal(given, large, size);
		text_free(&file);
		text_free(&member);
	}
	free(large);
	(void)state;
}

/* Frames behind a damaged one are decompressed by the time that it is looked at. */
static void test_damage(void **state)
{
	size_t at[MOST + 1], i, k, count;

	for (i = 0; i < ARRAY_SIZE(plans); i++) {
		struct text file = {0};

		count = make(&file, &plans[i], SIZE, at);
		for (k = 0; k < count; k += 1 + count / 3) {
			file.bytes[(at[k] + at[k + 1]) / 2] ^= 0x55;
			expect_same(&file);
			file.bytes[at[k + 1] - 1] ^= 1; /* and the next one's checksum */
			expect_same(&file);
			file.bytes[at[k + 1] - 1] ^= 1;
			file.bytes[(at[k] + at[k + 1]) / 2] ^= 0x55;
		}
		text_free(&file);
	}
	(void)state;
}

/* Cut at every length, and with every third byte wrong, where the frames are small. */
static void test_small_sweep(void **state)
{
	const struct plan plan = {{400, 0, 300, 90}, 4, 1, 3};
	size_t at[MOST + 1], n;
	struct text file = {0}, cut;

	make(&file, &plan, 1000, at);
	for (n = 4; n < file.size; n++) {
		cut = (struct text){.bytes = file.bytes, .size = n};
		expect_same(&cut);
		if (n % 3)
			continue;
		file.bytes[n] ^= 0x41;
		expect_same(&file);
		file.bytes[n] ^= 0x41;
	}
	text_free(&file);
	(void)state;
}

/* Cut near the ends of frames, where they are large. */
static void test_cut(void **state)
{
	static const int where[] = {-5, -4, -1, 0, 1, 4, 5, 6, 9, 13, 1000};
	size_t at[MOST + 1], i, k, w, count;

	for (i = 0; i < ARRAY_SIZE(plans); i++) {
		struct text file = {0}, cut;

		count = make(&file, &plans[i], SIZE, at);
		for (k = 1; k < count; k += 1 + count / 2) {
			for (w = 0; w < ARRAY_SIZE(where); w++) {
				cut = (struct text){.bytes = file.bytes,
						    .size = at[k] + (size_t)where[w]};
				expect_same(&cut);
			}
		}
		text_free(&file);
	}
	(void)state;
}

/* ---- many readers */

/* Goes through all in steps of its own, some of them forwards. */
static void *read_through(void *context)
{
	struct fixture_reader *reader = context;
	size_t step = 5000 + 7777 * reader->number, at, n, place;
	struct pktfs_loan loan;
	int r;

	for (at = 0; at < SIZE; at += step) {
		n = MIN(step, SIZE - at);
		place = reader->number % 3 == 2 ? SIZE - at - n : at;
		r = source_wait(reader->source, place + n);
		if (r == 0)
			r = source_borrow(reader->source, place, n, &loan);
		if (r == 0 && memcmp(loan.bytes, bytes + place, n) != 0)
			r = -EILSEQ;
		if (r < 0) {
			reader->result = r;
			return NULL;
		}
		source_return(&loan);
	}
	return NULL;
}

static void test_readers(void **state)
{
	const struct source_options options[] = {
		{0}, {.frame_cache_bytes = 1 << 20}, {.frame_cache_bytes = 1}};
	size_t at[MOST + 1], i;

	for (i = 0; i < ARRAY_SIZE(plans) * ARRAY_SIZE(options); i++) {
		struct text file = {0};
		struct source *source;

		make(&file, &plans[i / ARRAY_SIZE(options)], SIZE, at);
		source = open_with(&file, &options[i % ARRAY_SIZE(options)]);
		fixture_read_by_many(source, read_through);
		assert_int_equal(source_problem(source, NULL), 0);
		source_close(source);
		text_free(&file);
	}
	(void)state;
}

/* Closed, or cancelled under a reader, in the middle of the work. */
static void test_close_early(void **state)
{
	struct source_options options = {.frame_cache_bytes = 2 << 20};
	size_t at[MOST + 1], i;

	for (i = 0; i < 20; i++) {
		struct fixture_reader reader = {.number = 1};
		struct text file = {0};
		pthread_t thread;

		make(&file, &plans[i % ARRAY_SIZE(plans)], SIZE, at);
		reader.source = open_with(&file, &options);
		pthread_create(&thread, NULL, read_through, &reader);
		usleep((useconds_t)(i * 100));
		source_cancel(reader.source);
		pthread_join(thread, NULL);
		assert_true(reader.result == 0 || reader.result == -ECANCELED);
		source_close(reader.source);
		text_free(&file);
	}
	(void)state;
}

/* ---- the pool */

static void count_up(void *context, uint64_t number)
{
	atomic_fetch_add((atomic_uint *)context + number, 1);
}

static void *add_tasks(void *context)
{
	void **both = context;
	uint64_t i;

	for (i = 0; i < 1000; i++) {
		struct source_task task = {.run = count_up, .context = both[1], .number = i};

		if (!source_pool_add(both[0], &task))
			count_up(both[1], i);
	}
	return NULL;
}

/* What was taken is done, once for each time, or for all of them. */
static void test_pool(void **state)
{
	static atomic_uint counts[1001];
	struct source_task last = {.run = count_up, .context = counts, .number = 1000};
	struct source_pool pool = {0};
	void *both[] = {&pool, counts};
	pthread_t threads[3];
	size_t i;

	source_pool_init(&pool, 0);
	assert_false(source_pool_add(&pool, &last));
	source_pool_fini(&pool);
	pool = (struct source_pool){0};
	source_pool_init(&pool, 100);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, add_tasks, both);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	while (!source_pool_add(&pool, &last))
		usleep(100);
	while (atomic_load(&counts[1000]) == 0)
		usleep(100);
	source_pool_fini(&pool); /* they are taken in order: all have been begun */
	for (i = 0; i < 1000; i++)
		assert_true(counts[i] >= 1 && counts[i] <= 3);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),      cmocka_unit_test(test_large),
		cmocka_unit_test(test_damage),      cmocka_unit_test(test_small_sweep),
		cmocka_unit_test(test_cut),         cmocka_unit_test(test_readers),
		cmocka_unit_test(test_close_early), cmocka_unit_test(test_pool),
	};
	int r;

	bytes = fixture_bytes(SIZE, 8);
	given = malloc(ROOM);
	truth = malloc(ROOM);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(bytes);
	free(given);
	free(truth);
	return r;
}
