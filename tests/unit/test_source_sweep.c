/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small file with everything in it, cut at every length and with every byte
 * flipped. What can be read of a cut file, or of one with a flipped byte, is
 * what libzstd and zlib make of it when they are fed byte by byte.
 */
#include "source_fixture.h"

#define SIZE ((size_t)3000)
#define ROOM ((size_t)4 << 20) /* for what becomes of a flipped byte */

typedef size_t truth_function(const struct text *file, uint8_t *bytes, size_t room, bool *ret_good);

struct sample {
	struct text file;
	/* for each length of the file: the bytes to expect, and whether that
	 * is a proper end */
	uint64_t *there;
	bool *whole;
};

static uint8_t *bytes;
static uint8_t given[ROOM], expected[ROOM];

static void sample_free(struct sample *sample)
{
	text_free(&sample->file);
	free(sample->there);
	free(sample->whole);
}

static void sample_room(struct sample *sample)
{
	sample->there = calloc(sample->file.size + 1, sizeof(*sample->there));
	sample->whole = calloc(sample->file.size + 1, sizeof(*sample->whole));
	assert_true(sample->there && sample->whole);
}

static void zstd_sample(struct sample *sample)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	uint8_t output[SIZE];
	ZSTD_outBuffer out = {output, SIZE, 0};
	size_t n, r;

	*sample = (struct sample){0};
	fixture_frame(&sample->file, bytes, 300, true, 0);
	fixture_skippable(&sample->file, 0x184D2A55, 20);
	fixture_frame(&sample->file, bytes + 300, 600, false, 150);
	fixture_frame(&sample->file, bytes + 900, 1500, true, 400);
	fixture_frame(&sample->file, bytes + 2400, 100, true, 0);
	fixture_frame(&sample->file, bytes, 0, true, 0);
	fixture_frame(&sample->file, bytes + 2500, 500, false, 0);
	fixture_skippable(&sample->file, 0x184D2A5E, 26);
	sample_room(sample);
	for (n = 1; n <= sample->file.size; n++) {
		ZSTD_inBuffer in = {sample->file.bytes + n - 1, 1, 0};

		r = ZSTD_decompressStream(context, &out, &in);
		assert_false(ZSTD_isError(r));
		sample->there[n] = out.pos;
		sample->whole[n] = r == 0;
	}
	assert_int_equal(out.pos, SIZE);
	ZSTD_freeDCtx(context);
}

static void gzip_sample(struct sample *sample)
{
	z_stream z = {0};
	uint8_t output[SIZE];
	size_t n;
	int r;

	*sample = (struct sample){0};
	fixture_member(&sample->file, bytes, 1000, 300);
	fixture_member(&sample->file, bytes, 0, 0);
	fixture_member(&sample->file, bytes + 1000, 2000, 0);
	sample_room(sample);
	assert_int_equal(inflateInit2(&z, 31), Z_OK);
	z.next_out = output;
	z.avail_out = SIZE;
	for (n = 1; n <= sample->file.size; n++) {
		z.next_in = (uint8_t *)sample->file.bytes + n - 1;
		z.avail_in = 1;
		r = inflate(&z, Z_SYNC_FLUSH);
		assert_true(r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR);
		sample->there[n] = SIZE - z.avail_out;
		sample->whole[n] = r == Z_STREAM_END;
		if (r == Z_STREAM_END)
			inflateReset(&z);
	}
	assert_int_equal(z.avail_out, 0);
	inflateEnd(&z);
}

/* Cuts shorter than a magic number are plain files of a few bytes. */
static void cut_everywhere(const char *name, const struct sample *sample, size_t magic)
{
	struct text cut = sample->file;
	size_t n;

	for (n = magic; n <= sample->file.size; n++) {
		cut.bytes = malloc(n); /* for the address sanitizer */
		memcpy(cut.bytes, sample->file.bytes, n);
		cut.size = n;
		fixture_expect(&cut, bytes, sample->there[n], sample->whole[n] ? 0 : -ENODATA);
		free(cut.bytes);
	}
	print_message("COUNT %zu valid files cut: %s\n", n - magic, name);
}

static void test_zstd_cut(void **state)
{
	struct sample sample;

	zstd_sample(&sample);
	cut_everywhere("zstd", &sample, 4);
	sample_free(&sample);
	(void)state;
}

static void test_gzip_cut(void **state)
{
	struct sample sample;

	gzip_sample(&sample);
	cut_everywhere("gzip", &sample, 2);
	sample_free(&sample);
	(void)state;
}

/* Compares what a source gives of a file with what the library gives, fed byte
 * by byte: no less, and the same. `truth` may be NULL. */
static bool is_rejected(const struct text *file, truth_function *truth)
{
	struct source *source = fixture_open(file);
	bool good = false, rejected;
	size_t size = fixture_given(source, given, ROOM), least;

	rejected = source_problem(source, NULL) < 0;
	source_close(source);
	if (truth) {
		least = truth(file, expected, ROOM, &good);
		assert_true(size >= least && memcmp(given, expected, least) == 0);
		assert_true(good || rejected);
	}
	assert_true(rejected || (size == SIZE && memcmp(given, bytes, SIZE) == 0));
	return rejected;
}

/* Wrong bytes are given out only with a problem, never silently; right ones
 * before the damage always. */
static void flip_everywhere(const char *name, struct sample *sample, size_t magic,
			    truth_function *truth)
{
	static const char flips[] = {1, 0x40, (char)0xff};
	unsigned rejected = 0, accepted = 0;
	size_t n, i;

	for (n = magic; n < sample->file.size; n++) {
		for (i = 0; i < ARRAY_SIZE(flips); i++) {
			sample->file.bytes[n] ^= flips[i];
			if (is_rejected(&sample->file, truth))
				rejected++;
			else
				accepted++;
			sample->file.bytes[n] ^= flips[i];
		}
	}
	print_message("%u flips rejected, %u without harm\n", rejected, accepted);
	print_message("COUNT %u valid files with a byte changed: %s\n", rejected + accepted, name);
	assert_true(rejected > 10 * accepted);
}

static void test_zstd_flip(void **state)
{
	struct sample sample;

	zstd_sample(&sample);
	flip_everywhere("zstd", &sample, 4, fixture_truth);
	sample_free(&sample);
	(void)state;
}

static void test_gzip_flip(void **state)
{
	struct sample sample;

	gzip_sample(&sample);
	flip_everywhere("gzip", &sample, 2, NULL);
	sample_free(&sample);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zstd_cut),
		cmocka_unit_test(test_gzip_cut),
		cmocka_unit_test(test_zstd_flip),
		cmocka_unit_test(test_gzip_flip),
	};
	int r;

	bytes = fixture_bytes(SIZE, 4);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(bytes);
	return r;
}
