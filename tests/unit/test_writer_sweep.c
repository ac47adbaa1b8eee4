/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures cut at every length, opened to append: accepted as they are, refused,
 * or repaired. Of a refused file no byte is changed; of a repaired one the cut
 * bytes are in FILE.torn, and all that the reader found before is there, in the
 * same bytes: "valid" is what the reader says is.
 */
#include "test_writer.h"

#include <zlib.h>
#include <zstd.h>

#define PACKETS 6

/* Every length; or some of them, others in each sample, where all is slow. */
#if defined(__SANITIZE_ADDRESS__)
#define STEP 5
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STEP 5
#endif
#endif
#ifndef STEP
#define STEP 1
#endif

/* A file, and what is in it. */
struct sample {
	struct text stored, decoded;
	size_t fixed_at; /* of a section whose length may be replaced; 0: none */
};

struct tally {
	unsigned whole, repaired, refused;
};

/* ---- samples */

static void pcap_sample(struct text *text, uint32_t magic, bool be)
{
	bool modified = magic == 0xa1b2cd34, nano = magic == 0xa1b23c4d;

	text_u32(text, magic, be);
	text_u16(text, 2, be);
	text_u16(text, 4, be);
	text_u64(text, 0, be);
	text_u32(text, 65535, be);
	text_u32(text, 1, be);
	for (uint32_t n = 1; n <= PACKETS; n++) {
		text_u32(text, 1000000000 + n, be);
		text_u32(text, nano ? n * 1000 : n, be);
		text_u32(text, n * 37, be);
		text_u32(text, n * 37, be);
		text_zeros(text, modified ? 8 : 0);
		build_data(text, n, n * 37);
	}
}

static void packets(struct text *text, bool be, uint32_t first, uint32_t last)
{
	for (uint64_t n = first; n <= last; n++)
		build_epb(text, be, 0, (1000000000 + n) * 1000000000 + n * 1000, (uint32_t)n * 37,
			  n, n & 1 ? "comment" : NULL);
}

/* Two sections of either order, with all that is no packet, too. */
static void pcapng_sample(struct text *text, bool be)
{
	build_shb(text, be);
	build_idb(text, be, 1, 9, 0, "eth0");
	build_block(text, be, BLOCK_NRB, "\0\0\0\0", 4);
	packets(text, be, 1, 3);
	build_isb(text, be, 0, 5);
	build_shb(text, !be);
	build_idb(text, !be, 1, 9, 0, "eth0");
	build_idb(text, !be, 1, 6, 0, NULL);
	packets(text, !be, 4, PACKETS);
	build_block(text, !be, 0x40000bad, "a custom block", 14);
}

static void fixed_sample(struct sample *sample, size_t before, bool be)
{
	build_fixed_section(&sample->decoded, before, be, PACKETS);
	sample->fixed_at = before + 16;
}

/* A frame of another program: `how` zstd's parameters, or flushes. */
static void zstd_frame(struct text *out, const char *bytes, size_t size, bool checksum,
		       bool flushes)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	size_t bound = ZSTD_compressBound(size) + 1024, step = flushes ? 100 : size;
	ZSTD_outBuffer room = {text_grow(out, bound), bound, 0};

	ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, checksum);
	if (!flushes)
		ZSTD_CCtx_setPledgedSrcSize(zstd, size);
	for (size_t at = 0; at < size; at += step) {
		ZSTD_inBuffer in = {bytes + at, MIN(step, size - at), 0};

		assert_int_equal(ZSTD_compressStream2(zstd, &room, &in,
						      at + step < size ? ZSTD_e_flush : ZSTD_e_end),
				 0);
	}
	out->size -= bound - room.pos;
	ZSTD_freeCCtx(zstd);
}

static void gzip_member(struct text *out, const char *bytes, size_t size, bool name, bool flushes)
{
	size_t bound = size + 4096, step = flushes ? 100 : size, at;
	gz_header header = {.name = name ? (Bytef *)(uintptr_t)"capture" : NULL};
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, 0), Z_OK);
	if (name)
		deflateSetHeader(&z, &header);
	z.next_out = text_grow(out, bound);
	z.avail_out = (uInt)bound;
	for (at = 0; at < size; at += step) {
		z.next_in = (Bytef *)(uintptr_t)(bytes + at);
		z.avail_in = (uInt)MIN(step, size - at);
		deflate(&z, at + step < size ? Z_SYNC_FLUSH : Z_FINISH);
	}
	out->size -= z.avail_out;
	deflateEnd(&z);
}

/* One frame around all of it; or several, that end anywhere, one of which says
 * nothing. */
static void pack_foreign(struct sample *sample, bool gzip, bool several, bool flushes)
{
	size_t size = sample->decoded.size, step = several ? 200 : size;
	struct text *out = &sample->stored;

	for (size_t at = 0; at < size; at += step) {
		size_t n = MIN(step, size - at);

		if (gzip)
			gzip_member(out, sample->decoded.bytes + at, n, several, flushes);
		else
			zstd_frame(out, sample->decoded.bytes + at, n, at % 400, flushes);
		if (several && !gzip)
			text_append(out, "\x5a\x2a\x4d\x18\5\0\0\0hello", 13);
	}
}

/* By the writer itself: frames that end, and one that does not. */
static void pack_own(struct sample *sample, const char *name, unsigned flags)
{
	const struct pktfs_writer_options options = {.flags = flags | PKTFS_WRITER_REPLACE};
	pktfs_capture *capture;
	pktfs_writer *writer;
	struct pktfs_status status;

	OK(pktfs_writer_create(in_dir(name), &options, &writer, error_));
	add_ethernet(writer);
	OK(pktfs_writer_end_frame(writer, error_));
	add_packets(writer, 1, 3);
	OK(pktfs_writer_end_frame(writer, error_));
	add_packets(writer, 4, PACKETS - 3);
	OK(pktfs_writer_commit(writer, error_));
	get_file(in_dir(name), &sample->stored);
	OK(pktfs_writer_close(writer, error_));
	OK(pktfs_open(in_dir(name), NULL, &capture, error_));
	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	text_grow(&sample->decoded, status.decoded_bytes);
	assert_int_equal(pktfs_read(capture, 0, sample->decoded.bytes, sample->decoded.size),
			 sample->decoded.size);
	pktfs_close(capture);
}

static void free_sample(struct sample *sample)
{
	text_free(&sample->stored);
	text_free(&sample->decoded);
	*sample = (struct sample){0};
}

/* ---- one length */

/* How many packets the reader finds, or -1. */
static int64_t count_packets(const char *path)
{
	struct pktfs_status status;
	pktfs_capture *capture;

	if (pktfs_open(path, NULL, &capture, NULL) < 0)
		return -1;
	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	pktfs_close(capture);
	return (int64_t)status.packets;
}

static void is_stored(const char *path, const struct sample *sample, size_t size)
{
	struct text found;

	get_file(path, &found);
	assert_int_equal(found.size, size);
	assert_memory_equal(found.bytes, sample->stored.bytes, size);
	text_free(&found);
}

/* `size` bytes of the file, decoded, are those of the sample. */
static void is_decoded(const char *path, const struct sample *sample, uint64_t size)
{
	uint8_t *found = malloc(size + 1);
	pktfs_capture *capture;

	assert_non_null(found);
	OK(pktfs_open(path, NULL, &capture, error_));
	pktfs_wait(capture, UINT64_MAX, -1);
	assert_int_equal(pktfs_read(capture, 0, found, size), size);
	pktfs_close(capture);
	if (sample->fixed_at && size >= sample->fixed_at + 8)
		memcpy(found + sample->fixed_at, sample->decoded.bytes + sample->fixed_at, 8);
	assert_memory_equal(found, sample->decoded.bytes, size);
	free(found);
}

static void is_torn(const char *torn, const struct sample *sample, size_t size)
{
	struct text kept;

	if (access(torn, F_OK) < 0)
		return;
	get_file(torn, &kept);
	assert_true(kept.size <= size);
	assert_memory_equal(kept.bytes, sample->stored.bytes + size - kept.size, kept.size);
	text_free(&kept);
}

/* The status says what was cut off, which is all that is kept. */
static void is_told(pktfs_writer *writer, const char *torn, size_t size)
{
	struct pktfs_writer_status status;
	struct stat st = {0};

	pktfs_writer_status_get(writer, &status);
	assert_int_not_equal(status.repair, PKTFS_WRITER_REPAIR_NONE);
	assert_int_not_equal(status.repair, PKTFS_WRITER_REPAIR_RESUMED);
	assert_true(stat(torn, &st) == 0 || errno == ENOENT);
	assert_int_equal(status.repair_bytes, st.st_size);
	assert_int_equal(status.repair_offset + status.repair_bytes, size);
}

static pktfs_writer *open_cut(const char *path, const char *torn, const struct sample *sample,
			      size_t size, struct tally *tally)
{
	struct pktfs_writer_options options = {0};
	struct pktfs_error error;
	pktfs_writer *writer;
	int r = pktfs_writer_append(path, &options, &writer, &error);

	if (r == 0) {
		struct pktfs_writer_status status;

		pktfs_writer_status_get(writer, &status);
		assert_int_equal(status.repair, PKTFS_WRITER_REPAIR_NONE);
		tally->whole++;
		return writer;
	}
	assert_int_equal(error.code, r);
	is_stored(path, sample, size);
	assert_int_equal(access(torn, F_OK), -1);
	options.flags = PKTFS_WRITER_REPAIR;
	if (pktfs_writer_append(path, &options, &writer, &error) == 0) {
		assert_int_equal(r, -ENODATA);
		is_told(writer, torn, size);
		tally->repaired++;
		return writer;
	}
	is_stored(path, sample, size);
	assert_int_equal(access(torn, F_OK), -1);
	tally->refused++;
	return NULL;
}

static void try_length(const struct sample *sample, size_t size, struct tally *tally)
{
	const char *path = in_dir("cut"), *torn = in_dir("cut.torn");
	struct pktfs_writer_status status;
	pktfs_writer *writer;
	int64_t before;

	unlink(torn);
	put_file(path, sample->stored.bytes, size);
	before = count_packets(path);
	writer = open_cut(path, torn, sample, size, tally);
	if (!writer) {
		assert_true(before <= 0); /* nothing that could be lost */
		return;
	}
	is_torn(torn, sample, size);
	pktfs_writer_status_get(writer, &status);
	if ((int64_t)status.packets != before)
		fail_msg("%zu of %zu bytes: the writer finds %d packets, the reader %d", size,
			 sample->stored.size, (int)status.packets, (int)before);
	if (status.interfaces == 0)
		add_ethernet(writer);
	add_packets(writer, status.packets + 1, 1);
	OK(pktfs_writer_close(writer, error_));
	is_decoded(path, sample, status.end);
	assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), before + 1);
	assert_int_equal(access(in_dir("cut.repair"), F_OK), -1);
}

static void sweep(struct sample *sample, const char *name)
{
	static size_t first;
	struct tally tally = {0};

	if (!sample->stored.size)
		text_append(&sample->stored, sample->decoded.bytes, sample->decoded.size);
	unlink(in_dir("cut")); /* and the lock of a case that failed */
	for (size_t size = first++ % STEP; size < sample->stored.size; size += STEP)
		try_length(sample, size, &tally);
	try_length(sample, sample->stored.size, &tally);
	print_message("%s: %zu lengths, every %d.: %u whole, %u repaired, %u refused\n", name,
		      sample->stored.size + 1, STEP, tally.whole, tally.repaired, tally.refused);
	print_message("COUNT %u valid files cut: before an append\n",
		      tally.whole + tally.repaired + tally.refused);
	assert_true(tally.whole + tally.repaired > 0);
	assert_true(tally.repaired + tally.refused > tally.whole);
	free_sample(sample);
}

/* ---- cases */

static void plain_pcap(void **state)
{
	static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};
	struct sample sample = {0};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(magics) * 2; i++) {
		pcap_sample(&sample.decoded, magics[i / 2], i & 1);
		sweep(&sample, "pcap");
	}
}

static void plain_pcapng(void **state)
{
	struct sample sample = {0};

	(void)state;
	for (unsigned be = 0; be < 2; be++) {
		pcapng_sample(&sample.decoded, be);
		sweep(&sample, "pcapng, two sections");
	}
}

/* The length lies in one sector, and in two. */
static void fixed_length(void **state)
{
	struct sample sample = {0};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		fixed_sample(&sample, i & 2 ? 492 : 200, i & 1);
		sweep(&sample, "pcapng, fixed length");
	}
}

static void own_frames(void **state)
{
	static const char *const names[] = {"own.pcapng.zst", "own.pcap.zst", "own.pcapng.gz",
					    "own.pcap.gz"};
	struct sample sample = {0};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names) * 2; i++) {
		pack_own(&sample, names[i / 2], i & 1 ? PKTFS_WRITER_BUFFERED : 0);
		sweep(&sample, names[i / 2]);
	}
}

static void foreign_frames(void **state)
{
	struct sample sample = {0};
	char name[64];

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		if (i & 8)
			pcap_sample(&sample.decoded, 0xa1b2c3d4, false);
		else
			pcapng_sample(&sample.decoded, false);
		pack_foreign(&sample, i & 1, i & 2, i & 4);
		snprintf(name, sizeof(name), "%s, %s%s%s", i & 8 ? "pcap" : "pcapng",
			 i & 1 ? "gzip" : "zstd", i & 2 ? ", many frames" : ", one frame",
			 i & 4 ? ", flushed" : "");
		sweep(&sample, name);
	}
}

/* One frame around many blocks, by another program, cut here and there: what is
 * before the cut is saved. */
static void large_frame(void **state)
{
	const struct pktfs_writer_options options = {.flags = PKTFS_WRITER_REPLACE};
	struct sample sample = {0};
	struct tally tally = {0};

	(void)state;
	make_capture(in_dir("large.pcapng"), &options, 3000);
	get_file(in_dir("large.pcapng"), &sample.decoded);
	zstd_frame(&sample.stored, sample.decoded.bytes, sample.decoded.size, true, false);
	for (size_t i = 1; i < 10; i++)
		try_length(&sample, sample.stored.size * i / 10, &tally);
	assert_int_equal(tally.repaired, 9);
	free_sample(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_pcap),	  cmocka_unit_test(plain_pcapng),
		cmocka_unit_test(fixed_length),	  cmocka_unit_test(own_frames),
		cmocka_unit_test(foreign_frames), cmocka_unit_test(large_frame),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
