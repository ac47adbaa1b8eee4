/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small file with everything in it, cut at every length and with every byte
 * flipped. What can be read of a cut file is what libzstd and zlib make of it
 * when they are fed byte by byte.
 */
#include "source_fixture.h"

#define SIZE ((size_t)3000)

struct sample {
	struct text file;
	/* for each length of the file: the bytes to expect, and whether that
	 * is a proper end */
	uint64_t *there;
	bool *whole;
};

static uint8_t *bytes;

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
static void cut_everywhere(const struct sample *sample, size_t magic)
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
}

static void test_zstd_cut(void **state)
{
	struct sample sample;

	zstd_sample(&sample);
	cut_everywhere(&sample, 4);
	sample_free(&sample);
	(void)state;
}

static void test_gzip_cut(void **state)
{
	struct sample sample;

	gzip_sample(&sample);
	cut_everywhere(&sample, 2);
	sample_free(&sample);
	(void)state;
}

/* Reads all that can be read: how much; `good`: it is right. */
static uint64_t read_all(struct source *source, bool *ret_good)
{
	uint64_t at = 0, end = fixture_end(source);
	struct pktfs_loan loan;

	*ret_good = true;
	while (at < end && source_borrow(source, at, 1, &loan) == 0) {
		if (at >= SIZE || memcmp(loan.bytes, bytes + at, MIN(loan.size, SIZE - at)) != 0)
			*ret_good = false;
		at += loan.size;
		source_return(&loan);
	}
	assert_int_equal(at, fixture_end(source));
	return at;
}

/* Wrong bytes are given out only with a problem, never silently. */
static void flip_everywhere(struct sample *sample, size_t magic)
{
	unsigned rejected = 0, accepted = 0, i;
	static const char flips[] = {1, 0x40, (char)0xff};
	struct source *source;
	uint64_t size;
	bool good;
	size_t n;

	for (n = magic; n < sample->file.size * ARRAY_SIZE(flips); n++) {
		i = n % ARRAY_SIZE(flips);
		if (n / ARRAY_SIZE(flips) < magic)
			continue;
		sample->file.bytes[n / ARRAY_SIZE(flips)] ^= flips[i];
		source = fixture_open(&sample->file);
		size = read_all(source, &good);
		if (source_problem(source, NULL)) {
			rejected++;
		} else {
			assert_true(good && size == SIZE);
			accepted++;
		}
		source_close(source);
		sample->file.bytes[n / ARRAY_SIZE(flips)] ^= flips[i];
	}
	print_message("%u flips rejected, %u without harm\n", rejected, accepted);
	assert_true(rejected > 10 * accepted);
}

static void test_zstd_flip(void **state)
{
	struct sample sample;

	zstd_sample(&sample);
	flip_everywhere(&sample, 4);
	sample_free(&sample);
	(void)state;
}

static void test_gzip_flip(void **state)
{
	struct sample sample;

	gzip_sample(&sample);
	flip_everywhere(&sample, 2);
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
