/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that are decompressed on demand and turn out to be damaged, or of
 * another length than they say: what they give stays readable. */
#include "source_fixture.h"

#define SIZE   ((size_t)3000000)
#define FRAME  ((size_t)300000) /* too large to be noted with another */
#define FRAMES (SIZE / FRAME)
#define BLOCK  ((size_t)20000)
#define ROOM   ((size_t)16 << 20)

static uint8_t *bytes, *given, *truth;

/* Ten frames with declared lengths; at[i]: where one starts, at[10]: the end. */
static void make_frames(struct text *file, size_t at[FRAMES + 1])
{
	size_t i;

	for (i = 0; i < FRAMES; i++) {
		at[i] = file->size;
		fixture_frame(file, bytes + i * FRAME, FRAME, true, BLOCK);
		assert_int_equal((uint8_t)file->bytes[at[i] + 4], 0xa4);
	}
	at[i] = file->size;
}

static void set_length(struct text *file, size_t frame_at, uint32_t length)
{
	/* behind the window, if there is more than one segment */
	size_t length_at = frame_at + (file->bytes[frame_at + 4] & 0x20 ? 5 : 6), i;

	for (i = 0; i < 4; i++)
		file->bytes[length_at + i] = (char)(length >> 8 * i);
}

static void expect_end(struct source *source, uint64_t end)
{
	struct pktfs_error error = {0};
	struct pktfs_loan loan;

	assert_int_equal(fixture_end(source), end);
	assert_int_equal(source_problem(source, &error), -EBADMSG);
	assert_true(error.has_offset && error.offset == end);
	assert_int_equal(source_borrow(source, end, 1, &loan), -EBADMSG);
	assert_int_equal(source_borrow(source, end - 1, 2, &loan), -EBADMSG);
}

/* `size` bytes are given, and are right; read forwards, and from the end. */
static void expect_right(const struct text *file, size_t size)
{
	struct source *source = fixture_open(file);
	uint64_t at;

	assert_int_equal(fixture_given(source, given, ROOM), size);
	assert_memory_equal(given, bytes, size);
	expect_end(source, size);
	source_close(source);

	source = fixture_open(file);
	for (at = fixture_end(source); at >= 1000; at -= 1000)
		source_read(source, at - 1000, given, 1000);
	fixture_compare(source, bytes, size);
	expect_end(source, size);
	source_close(source);
}

/* Four bytes in the middle of a frame are others: what libzstd gives of it. */
static void expect_truth(const struct text *file, size_t least)
{
	struct source *source = fixture_open(file);
	bool good;
	size_t size = fixture_truth(file, truth, ROOM, &good);

	assert_false(good);
	assert_true(size >= least);
	assert_int_equal(fixture_given(source, given, ROOM), size);
	assert_memory_equal(given, truth, size);
	expect_end(source, size);
	source_close(source);
}

static void test_middle(void **state)
{
	size_t at[FRAMES + 1], middle, i, k;
	struct text file = {0};

	make_frames(&file, at);
	for (i = 0; i < FRAMES; i += 3) {
		middle = (at[i] + at[i + 1]) / 2;
		for (k = 0; k < 4; k++)
			file.bytes[middle + k] ^= 0x55;
		expect_truth(&file, i * FRAME + FRAME / 3);
		for (k = 0; k < 4; k++)
			file.bytes[middle + k] ^= 0x55;
	}
	text_free(&file);
	(void)state;
}

/* One frame is the whole file, as `zstd FILE` makes it. */
static void test_single(void **state)
{
	struct text file = {0};
	size_t k;

	fixture_frame(&file, bytes, SIZE, true, 0);
	for (k = 0; k < 4; k++)
		file.bytes[file.size / 2 + k] ^= 0x55;
	expect_truth(&file, SIZE / 3);
	text_free(&file);
	(void)state;
}

static void test_checksum(void **state)
{
	size_t at[FRAMES + 1], i;
	struct text file = {0};

	make_frames(&file, at);
	for (i = 0; i < FRAMES; i += 3) {
		file.bytes[at[i + 1] - 1] ^= 1;
		expect_right(&file, (i + 1) * FRAME);
		file.bytes[at[i + 1] - 1] ^= 1;
	}
	text_free(&file);
	(void)state;
}

static void test_length(void **state)
{
	static const uint32_t lengths[] = {1,         BLOCK,         FRAME - 1, FRAME + 1,
					   FRAME * 2, FRAME * 2 + 1, 8 << 20};
	size_t at[FRAMES + 1], i, k;
	struct text file = {0};

	make_frames(&file, at);
	for (k = 0; k < ARRAY_SIZE(lengths); k++) {
		for (i = 0; i < FRAMES; i += 3) {
			set_length(&file, at[i], lengths[k]);
			expect_right(&file, (i + 1) * FRAME);
			set_length(&file, at[i], FRAME);
		}
	}
	text_free(&file);
	(void)state;
}

/* With garbage behind the frame, which ends the source before anybody has
 * looked into it. */
static void test_garbage_behind(void **state)
{
	struct text file = {0};
	size_t second;

	fixture_frame(&file, bytes, FRAME, true, 0);
	second = file.size;
	fixture_frame(&file, bytes + FRAME, FRAME, true, 0);
	text_append(&file, "hello", 5);
	set_length(&file, second, FRAME - 1000);
	expect_right(&file, 2 * FRAME);
	set_length(&file, second, FRAME + 1000);
	expect_right(&file, 2 * FRAME);
	text_free(&file);
	(void)state;
}

/* The length and the checksum of an empty frame behind others in a group. */
static void test_empty(void **state)
{
	struct text file = {0};
	size_t second, third;

	fixture_frame(&file, bytes, 1000, true, 0);
	second = file.size;
	fixture_frame(&file, bytes, 0, true, 0);
	file.bytes[file.size - 1] ^= 1;
	expect_right(&file, 1000);
	file.size = second;
	fixture_frame(&file, bytes + 1000, 200, true, 0);
	file.bytes[second + 5] = 0;
	third = file.size;
	fixture_frame(&file, bytes, 1000, true, 0);
	expect_right(&file, 1200);
	file.size = third; /* and garbage at once behind it */
	text_append(&file, "hello", 5);
	expect_right(&file, 1200);
	text_free(&file);
	(void)state;
}

/* A frame that says five bytes: more than the limit is not kept in memory. */
static void test_limit(void **state)
{
	static const size_t sizes[] = {SOURCE_FRAME_LIMIT - 1, SOURCE_FRAME_LIMIT,
				       SOURCE_FRAME_LIMIT + 1, SOURCE_FRAME_LIMIT * 3 / 2};
	uint8_t *zeros = calloc(1, ROOM);
	struct source *source;
	struct text file = {0};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		file.size = 0;
		fixture_frame(&file, zeros, sizes[i], true, 0);
		set_length(&file, 0, 5);
		source = fixture_open(&file);
		assert_int_equal(fixture_given(source, given, ROOM),
				 MIN(sizes[i], SOURCE_FRAME_LIMIT));
		assert_memory_equal(given, zeros, MIN(sizes[i], SOURCE_FRAME_LIMIT));
		expect_end(source, MIN(sizes[i], SOURCE_FRAME_LIMIT));
		source_close(source);
	}
	free(zeros);
	text_free(&file);
	(void)state;
}

/* The damage that is found later may be the one in front. */
static void test_two(void **state)
{
	size_t at[FRAMES + 1];
	struct text file = {0};
	struct source *source;
	struct pktfs_loan loan, kept;

	make_frames(&file, at);
	file.bytes[at[3] - 1] ^= 1;
	file.bytes[at[7] - 1] ^= 1;
	source = fixture_open(&file);
	fixture_end(source);
	assert_int_equal(source_borrow(source, 7 * FRAME - 100, 100, &kept), 0);
	assert_memory_equal(kept.bytes, bytes + 7 * FRAME - 100, 100);
	expect_end(source, 7 * FRAME);
	assert_int_equal(source_borrow(source, 3 * FRAME - 100, 100, &loan), 0);
	expect_end(source, 3 * FRAME);
	assert_memory_equal(kept.bytes, bytes + 7 * FRAME - 100, 100);
	assert_int_equal(source_return(&kept), 0);
	assert_int_equal(source_return(&loan), 0);
	fixture_compare(source, bytes, 3 * FRAME);
	source_close(source);
	text_free(&file);
	(void)state;
}

/* Reads below `SIZE`; above the end there is nothing. */
static void *read_random(void *context)
{
	struct fixture_reader *reader = context;
	struct pktfs_loan loan;
	uint32_t seed = reader->number + 1;
	uint64_t at;
	size_t size;
	int i, r;

	for (i = 0; i < 200; i++) {
		seed = seed * 1664525 + 1013904223;
		at = seed % (SIZE - 5000);
		size = 1 + (seed >> 3) % 5000;
		r = source_wait(reader->source, at + size);
		if (r == 0)
			r = source_borrow(reader->source, at, size, &loan);
		if (r == -EBADMSG && source_problem(reader->source, NULL) == -EBADMSG)
			continue;
		if (r == 0 && memcmp(loan.bytes, bytes + at, size) != 0)
			r = -EILSEQ;
		if (r < 0) {
			reader->result = r;
			return NULL;
		}
		source_return(&loan);
	}
	return NULL;
}

static void read_by_many(const struct text *file, const struct source_options *options,
			 uint64_t end)
{
	struct source *source;

	assert_int_equal(source_open_buffer(file->bytes, file->size, options, &source, NULL), 0);
	fixture_read_by_many(source, read_random);
	fixture_compare(source, bytes, end);
	expect_end(source, end);
	source_close(source);
}

/* Several bad frames; all that any of them gives is right. */
static void test_readers(void **state)
{
	const struct source_options options[] = {
		{0}, {.frame_cache_bytes = 1 << 20}, {.frame_cache_bytes = 1}};
	size_t at[FRAMES + 1], i;
	struct text file = {0};

	make_frames(&file, at);
	file.bytes[at[9] - 1] ^= 1;
	file.bytes[at[6] - 1] ^= 1;
	file.bytes[at[4] - 1] ^= 1;
	for (i = 0; i < ARRAY_SIZE(options); i++)
		read_by_many(&file, &options[i], 4 * FRAME);
	text_free(&file);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_middle),         cmocka_unit_test(test_single),
		cmocka_unit_test(test_checksum),       cmocka_unit_test(test_length),
		cmocka_unit_test(test_garbage_behind), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_limit),          cmocka_unit_test(test_two),
		cmocka_unit_test(test_readers),
	};
	int r;

	bytes = fixture_bytes(SIZE, 6);
	given = malloc(ROOM);
	truth = malloc(ROOM);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(bytes);
	free(given);
	free(truth);
	return r;
}
