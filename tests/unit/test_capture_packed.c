/* SPDX-License-Identifier: BSD-2-Clause */
/* Compressed captures that grow by frames and by flushes. */
#include "test_capture_growing.h"

#include <stdatomic.h>
#include <zlib.h>
#include <zstd.h>

enum push {
	PUSH_FLUSH, /* what was put in can be had; the frame goes on */
	PUSH_END,
};

/* A compressed file that a writer appends to, by frames or by flushes. */
struct packer {
	bool gzip;
	ZSTD_CStream *zstd;
	z_stream deflate;
	size_t taken; /* bytes of the plan so far */
};

static void packer_start(struct packer *packer, bool gzip)
{
	*packer = (struct packer){.gzip = gzip, .zstd = ZSTD_createCStream()};
	assert_int_equal(deflateInit2(&packer->deflate, 6, Z_DEFLATED, 31, 8,
				      Z_DEFAULT_STRATEGY), Z_OK);
}

static void packer_end(struct packer *packer)
{
	ZSTD_freeCStream(packer->zstd);
	deflateEnd(&packer->deflate);
}

/* Appends the plan's bytes up to `size` to the file, compressed. */
static void pack(struct growing *g, struct packer *packer, size_t size, enum push push)
{
	const char *from = g->plan->text.bytes + packer->taken;
	static uint8_t out[1 << 18];
	size_t n = size - packer->taken, made;

	packer->taken = size;
	if (packer->gzip) {
		packer->deflate.next_in = (Bytef *)(uintptr_t)from;
		packer->deflate.avail_in = (uInt)n;
		packer->deflate.next_out = out;
		packer->deflate.avail_out = sizeof(out);
		deflate(&packer->deflate, push == PUSH_END ? Z_FINISH : Z_SYNC_FLUSH);
		made = sizeof(out) - packer->deflate.avail_out;
		if (push == PUSH_END)
			deflateReset(&packer->deflate);
	} else {
		ZSTD_inBuffer in = {from, n, 0};
		ZSTD_outBuffer to = {out, sizeof(out), 0};

		assert_int_equal(ZSTD_compressStream2(packer->zstd, &to, &in,
						      push == PUSH_END ? ZSTD_e_end : ZSTD_e_flush),
				 0);
		made = to.pos;
	}
	assert_int_equal(pwrite(g->fd, out, made, (off_t)g->size), (ssize_t)made);
	g->size += made;
}

static void packed_open(struct growing *g, const struct plan *plan, struct packer *packer,
			size_t size, enum push push)
{
	const struct pktfs_open_options options = {.flags = PKTFS_OPEN_GROWING};
	struct pktfs_error error;

	*g = (struct growing){.plan = plan};
	strcpy(g->path, "/tmp/pktfs-test-XXXXXX");
	g->fd = mkstemp(g->path);
	assert_true(g->fd >= 0);
	pack(g, packer, size, push);
	if (pktfs_open(g->path, &options, &g->capture, &error) < 0)
		fail_msg("open: %s", error.text);
}

static void check_packed(struct growing *g, size_t taken)
{
	const struct known *known = known_at(g->plan, taken);
	struct pktfs_status status;

	assert_int_equal(pktfs_wait_offset(g->capture, taken, 10000), 0);
	pktfs_status_get(g->capture, &status);
	assert_true(status.state == PKTFS_STATE_COMPLETE || status.state == PKTFS_STATE_TRUNCATED);
	assert_int_equal(status.packets, known->packets);
	assert_int_equal(status.metadata, known->metadata);
	assert_int_equal(status.indexed_bytes, known->end);
	assert_true(status.growing);
	assert_int_equal(status.file_size, g->size);
	if (known->packets)
		check_packet(g->capture, known->packets);
}

/* Frames and flushes of whole and of half records: each byte that was flushed
 * is there. */
static void compressed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
		enum push first = i & 1 ? PUSH_END : PUSH_FLUSH;
		struct packer packer;
		uint64_t seed = i;
		struct growing g;
		size_t size;

		packer_start(&packer, i & 4);
		if (i & 8)
			plan_pcap(plan, i & 1, i & 2, 200);
		else
			plan_pcapng(plan, i & 1, 200);
		packed_open(&g, plan, &packer, plan->at[i & 2 ? 0 : 20].end, first);
		assert_int_equal(pktfs_wait(g.capture, UINT64_MAX, 10000), 0);
		check_packed(&g, packer.taken);
		while (packer.taken < plan->text.size) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			size = MIN(plan->text.size, packer.taken + (seed >> 33) % 300 + 1);
			pack(&g, &packer, size, seed >> 60 & 1 ? PUSH_END : PUSH_FLUSH);
			assert_int_equal(pktfs_grow(g.capture), 1);
			check_packed(&g, packer.taken);
		}
		for (uint64_t n = 1; n <= plan->at[plan->records].packets; n++)
			check_packet(g.capture, n);
		growing_close(&g);
		packer_end(&packer);
		text_free(&plan->text);
	}
}

static void count_call(void *context)
{
	atomic_fetch_add((atomic_uint *)context, 1);
}

static void expect_state(pktfs_capture *capture, enum pktfs_state state)
{
	struct pktfs_status status;
	unsigned tries = 0;

	do {
		pktfs_status_get(capture, &status);
		usleep(100);
	} while (status.state != state && tries++ < 20000);
	assert_int_equal(status.state, state);
	assert_int_equal(status.problems, state != PKTFS_STATE_COMPLETE);
}

/* A frame that is not finished is a problem, until it ends: without a byte. */
static void frames_that_end(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));

	(void)state;
	plan_pcapng(plan, false, 40);
	for (unsigned i = 0; i < 2; i++) {
		struct packer packer;
		atomic_uint calls = 0;
		struct growing g;

		packer_start(&packer, i);
		packed_open(&g, plan, &packer, plan->at[0].end, PUSH_END);
		pktfs_listen(g.capture, count_call, &calls);
		expect_state(g.capture, PKTFS_STATE_COMPLETE);
		for (unsigned k = 1; k <= plan->records; k++) {
			unsigned before;

			pack(&g, &packer, plan->at[k].end, PUSH_FLUSH);
			assert_int_equal(pktfs_grow(g.capture), 1);
			expect_state(g.capture, PKTFS_STATE_TRUNCATED);
			check_packed(&g, packer.taken);
			before = atomic_load(&calls);
			pack(&g, &packer, packer.taken, PUSH_END);
			assert_int_equal(pktfs_grow(g.capture), 1);
			expect_state(g.capture, PKTFS_STATE_COMPLETE);
			for (unsigned tries = 0; atomic_load(&calls) == before; tries++) {
				assert_true(tries < 10000);
				usleep(100);
			}
		}
		check_packed(&g, packer.taken);
		growing_close(&g);
		packer_end(&packer);
	}
	text_free(&plan->text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compressed),
		cmocka_unit_test(frames_that_end),
	};

	return cmocka_run_group_tests_name("capture_packed", tests, NULL, NULL);
}
