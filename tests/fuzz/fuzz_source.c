/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zstd framing and gzip: opens the input, reads all that it says to have, and
 * some of it twice. What must hold: it ends, the bytes below the end can be
 * read, and a source without a problem gives the same bytes again.
 */
#include <assert.h>
#include <string.h>

#include "source/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A small input becomes large by right; that is no news. */
#define READ_MAX ((uint64_t)4 << 20)

static uint64_t checksum(uint64_t sum, const uint8_t *bytes, size_t size)
{
	while (size-- > 0)
		sum = sum * 31 + *bytes++;
	return sum;
}

/* Loan by loan, as the index does. */
static uint64_t walk(struct source *source, uint64_t *ret_sum)
{
	struct pktfs_loan loan;
	uint64_t at = 0;
	int r;

	*ret_sum = 0;
	while (at < READ_MAX && source_wait(source, at + 1) == 0) {
		r = source_borrow(source, at, 1, &loan);
		if (r < 0) {
			assert(r == -ENODATA || r == -EBADMSG);
			break;
		}
		*ret_sum = checksum(*ret_sum, loan.bytes, loan.size);
		at += loan.size;
		r = source_return(&loan);
		assert(r == 0);
	}
	return at;
}

/* In pieces that lie across the ends of frames. */
static void read_across(struct source *source, uint64_t end, uint64_t expected)
{
	uint8_t piece[997];
	uint64_t at = 0, sum = 0;
	int64_t n;

	while (at < end) {
		n = source_read(source, at, piece, (size_t)MIN(sizeof(piece), end - at));
		assert(n > 0);
		sum = checksum(sum, piece, (size_t)n);
		at += (uint64_t)n;
	}
	assert(sum == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	/* three frames of the smallest size that zstd likes to make */
	const struct source_options options = {.frame_cache_bytes = 400000};
	struct pktfs_error error;
	struct source *source;
	uint64_t end, sum;
	bool final;

	if (source_open_buffer(bytes, size, &options, &source, &error) < 0) {
		assert(error.code < 0 && memchr(error.text, 0, sizeof(error.text)));
		return 0;
	}
	end = walk(source, &sum);
	if (end < READ_MAX) {
		assert(source_available(source, &final) == end && final);
		if (source_problem(source, &error))
			assert(error.has_offset && error.offset == end && *error.text);
	}
	read_across(source, MIN(end, source_available(source, NULL)), sum);
	source_close(source);
	return 0;
}
