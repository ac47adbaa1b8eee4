/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures that another program writes: the thread that follows, what is said of
 * the end of the file, and what is doubted there. */
#include "test_capture_growing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct pktfs_status status_of(pktfs_capture *capture)
{
	struct pktfs_status status;

	pktfs_status_get(capture, &status);
	return status;
}

/* No test says how fast it is: a machine may have much else to do. */
#define PATIENCE_MS 60000

/* Between two looks; false: it has taken too long. */
static bool nap(int64_t start)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	return now_ms() - start < PATIENCE_MS;
}

static void wait_packets(pktfs_capture *capture, uint64_t packets)
{
	int64_t start = now_ms();

	while (status_of(capture).packets != packets)
		if (!nap(start))
			fail_msg("%llu packets instead of %llu",
				 (unsigned long long)status_of(capture).packets,
				 (unsigned long long)packets);
}

static void wait_active(pktfs_capture *capture, int active)
{
	int64_t start = now_ms();

	while (status_of(capture).active != active)
		if (!nap(start))
			fail_msg("active: not %d", active);
}

/* Waits until the first problem has this code, 0: there is none. */
static void wait_problem(pktfs_capture *capture, int code)
{
	int64_t start = now_ms();
	struct pktfs_error error;

	for (;;) {
		error.code = 0;
		pktfs_problem_get(capture, 0, &error);
		if (error.code == code)
			break;
		if (!nap(start))
			fail_msg("problem %d instead of %d: %s", error.code, code,
				 error.code ? error.text : "");
	}
	assert_int_equal(status_of(capture).problems, code ? 1 : 0);
}

/* A file of `size` bytes of the plan; nobody has it open but the test, if it
 * keeps g->fd. */
static void make_file(struct growing *g, const struct plan *plan, size_t size)
{
	*g = (struct growing){.plan = plan};
	strcpy(g->path, "/tmp/pktfs-test-XXXXXX");
	g->fd = mkstemp(g->path);
	assert_true(g->fd >= 0);
	append(g, size);
}

static void let_go(struct growing *g)
{
	close(g->fd);
	g->fd = -1;
}

static void hold_again(struct growing *g)
{
	g->fd = open(g->path, O_WRONLY);
	assert_true(g->fd >= 0);
}

static void follow(struct growing *g, unsigned flags)
{
	const struct pktfs_open_options options = {.flags = PKTFS_OPEN_FOLLOW | flags};
	struct pktfs_error error;

	if (pktfs_open(g->path, &options, &g->capture, &error) < 0)
		fail_msg("open: %s", error.text);
	assert_int_equal(pktfs_wait(g->capture, UINT64_MAX, -1), 0);
	if (status_of(g->capture).state != PKTFS_STATE_DAMAGED)
		assert_true(status_of(g->capture).followed && status_of(g->capture).growing);
}

static void expect_state(struct growing *g, enum pktfs_state state, unsigned problems)
{
	struct pktfs_error error;

	assert_int_equal(status_of(g->capture).state, state);
	assert_int_equal(status_of(g->capture).problems, problems);
	assert_int_equal(pktfs_problem_get(g->capture, 0, &error), problems ? 0 : -ENOENT);
}

/* Each length in odd steps, without a call of ours. */
static void written_by_another(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
		struct growing g;

		if (i & 1)
			plan_pcapng(plan, false, 120);
		else
			plan_pcap(plan, false, false, 120);
		make_file(&g, plan, plan->at[0].end);
		follow(&g, i & 2 ? PKTFS_OPEN_NO_MMAP : 0);
		assert_true(status_of(g.capture).active);
		for (size_t size = g.size; size < plan->text.size;) {
			size = MIN(size + 1 + size * 7 % 400, plan->text.size);
			append(&g, size);
			wait_packets(g.capture, known_at(plan, size)->packets);
			assert_int_equal(status_of(g.capture).active, 1);
			expect_state(&g, PKTFS_STATE_COMPLETE, 0);
		}
		for (uint64_t n = 1; n <= status_of(g.capture).packets; n++)
			check_packet(g.capture, n);
		growing_close(&g);
		text_free(&plan->text);
	}
}

/* Half a record is a problem once nobody writes, and none again after that. */
static void cut_at_the_end(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
	struct growing g;

	(void)state;
	plan_pcap(plan, false, true, 20);
	make_file(&g, plan, plan->at[10].end - 3);
	let_go(&g);
	follow(&g, 0);
	if (status_of(g.capture).active) /* leases are not for all */
		wait_active(g.capture, 0);
	expect_state(&g, PKTFS_STATE_TRUNCATED, 1);
	hold_again(&g);
	append(&g, plan->at[12].end - 1);
	wait_packets(g.capture, 11);
	assert_int_equal(status_of(g.capture).active, 1);
	expect_state(&g, PKTFS_STATE_COMPLETE, 0);
	let_go(&g);
	wait_active(g.capture, 0);
	expect_state(&g, PKTFS_STATE_TRUNCATED, 1);
	growing_close(&g);
	text_free(&plan->text);
}

static void put(struct growing *g, size_t from, size_t to)
{
	assert_int_equal(pwrite(g->fd, g->plan->text.bytes + from, to - from, (off_t)from),
			 (ssize_t)(to - from));
}

/* The file is made longer, and filled record by record. */
static void preallocated(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
		struct growing g;
		unsigned n;

		if (i & 1)
			plan_pcapng(plan, i & 2, 60);
		else
			plan_pcap(plan, i & 2, false, 60);
		make_file(&g, plan, plan->at[20].end);
		assert_int_equal(ftruncate(g.fd, 1 << 20), 0);
		follow(&g, 0);
		assert_int_equal(status_of(g.capture).packets, plan->at[20].packets);
		for (n = 21; n <= plan->records; n++) {
			put(&g, plan->at[n - 1].end, plan->at[n].end);
			wait_packets(g.capture, plan->at[n].packets);
			expect_state(&g, PKTFS_STATE_COMPLETE, 0);
		}
		let_go(&g);
		if (i < 2) { /* some seconds */
			wait_active(g.capture, 0);
			expect_state(&g, PKTFS_STATE_TRUNCATED, 1);
			assert_true(status_of(g.capture).growing);
		}
		hold_again(&g);
		assert_int_equal(ftruncate(g.fd, (off_t)plan->text.size), 0);
		wait_problem(g.capture, 0);
		expect_state(&g, PKTFS_STATE_COMPLETE, 0);
		growing_close(&g);
		text_free(&plan->text);
	}
}

/* The same, and made as short as what is in it again and again, while the index
 * looks at the zeros: nothing of that is an error, nor a packet. */
static void cut_under_the_index(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));

	(void)state;
	plan_pcap(plan, false, false, 300);
	for (unsigned i = 0; i < 4; i++) {
		struct growing g;

		make_file(&g, plan, plan->at[20].end);
		assert_int_equal(ftruncate(g.fd, 1 << 20), 0);
		follow(&g, i & 1 ? PKTFS_OPEN_NO_MMAP : 0);
		for (unsigned n = 21; n <= plan->records; n++) {
			put(&g, plan->at[n - 1].end, plan->at[n].end);
			if (n % 16 == i)
				wait_packets(g.capture, n);
			assert_int_equal(ftruncate(g.fd, (off_t)plan->at[n].end), 0);
			if (n % 4 == i)
				nap(now_ms());
			assert_int_equal(ftruncate(g.fd, 1 << 20), 0);
		}
		assert_int_equal(ftruncate(g.fd, (off_t)plan->text.size), 0);
		wait_packets(g.capture, plan->records);
		wait_problem(g.capture, 0);
		expect_state(&g, PKTFS_STATE_COMPLETE, 0);
		for (uint64_t n = 1; n <= plan->records; n++)
			check_packet(g.capture, n);
		growing_close(&g);
	}
	text_free(&plan->text);
}

/* Zeros between records are an empty packet where nobody writes; damage is
 * damage. */
static void believed_at_once(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
	struct growing g;

	(void)state;
	plan_pcap(plan, false, false, 10);
	for (unsigned zeros = 16; zeros <= 64; zeros *= 2) {
		uint8_t none[64] = {0};

		make_file(&g, plan, plan->at[10].end);
		assert_int_equal(pwrite(g.fd, none, zeros, (off_t)g.size), zeros);
		assert_int_equal(pwrite(g.fd, plan->text.bytes + plan->at[0].end,
					plan->at[1].end - plan->at[0].end,
					(off_t)(g.size + zeros)),
				 (ssize_t)(plan->at[1].end - plan->at[0].end));
		let_go(&g);
		follow(&g, 0);
		wait_packets(g.capture, 11 + zeros / 16);
		expect_state(&g, PKTFS_STATE_COMPLETE, 0);
		growing_close(&g);
	}
	make_file(&g, plan, plan->at[10].end);
	assert_int_equal(pwrite(g.fd, "\1\2\3\4\1\2\3\4\xff\xff\xff\xff\1\2\3\4", 16,
				(off_t)g.size), 16);
	let_go(&g);
	follow(&g, 0);
	wait_problem(g.capture, -EFBIG);
	assert_int_equal(status_of(g.capture).state, PKTFS_STATE_DAMAGED);
	growing_close(&g);
	text_free(&plan->text);
}

/* So long is what may be damage doubted at least. */
#define DOUBT_MS 2900

/* The trailing length comes later than the rest of the block. False: it came so
 * late, as the machine had much else to do, that it may have been given up. */
static bool comes_late(struct growing *g, const struct plan *plan)
{
	struct pktfs_status status;
	int64_t start = now_ms();

	make_file(g, plan, plan->at[29].end);
	follow(g, 0);
	put(g, plan->at[29].end, plan->at[30].end - 4);
	assert_int_equal(ftruncate(g->fd, (off_t)plan->at[30].end), 0);
	nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	status = status_of(g->capture);
	put(g, plan->at[30].end - 4, plan->at[30].end);
	if (now_ms() - start >= DOUBT_MS)
		return false;
	assert_int_equal(status.packets, plan->at[29].packets);
	assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
	assert_int_equal(status.problems, 0);
	wait_packets(g->capture, plan->at[30].packets);
	return true;
}

/* While somebody writes, damage may be bytes that have not come yet: for a
 * while. */
static void doubted_for_a_while(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
	struct growing g;
	int64_t start;

	(void)state;
	plan_pcapng(plan, false, 30);
	while (!comes_late(&g, plan))
		growing_close(&g);
	/* what stays wrong is believed, also while it is written */
	start = now_ms();
	assert_int_equal(pwrite(g.fd, "\6\0\0\0\1\0\0\0\1\1\1\1", 12, (off_t)plan->at[30].end), 12);
	wait_problem(g.capture, -EBADMSG);
	assert_true(now_ms() - start >= DOUBT_MS);
	assert_int_equal(status_of(g.capture).state, PKTFS_STATE_DAMAGED);
	assert_int_equal(status_of(g.capture).growing, 0);
	growing_close(&g);
	text_free(&plan->text);
}

/* Bytes that no record was made of may go again; others may not. */
static void taken_back(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
	struct pktfs_packet packet;
	struct growing g;
	unsigned n;

	(void)state;
	plan_pcap(plan, false, false, 60);
	make_file(&g, plan, plan->at[1].end);
	follow(&g, 0);
	for (n = 2; n <= 50; n++) {
		put(&g, plan->at[n - 1].end, plan->at[n].end - 1 - n % 15);
		if (n % 3)
			nanosleep(&(struct timespec){.tv_nsec = 25000000}, NULL);
		assert_int_equal(ftruncate(g.fd, (off_t)plan->at[n - 1].end), 0);
		if (n % 4)
			nanosleep(&(struct timespec){.tv_nsec = 25000000}, NULL);
		put(&g, plan->at[n - 1].end, plan->at[n].end);
		wait_packets(g.capture, n);
		expect_state(&g, PKTFS_STATE_COMPLETE, 0);
		check_packet(g.capture, n);
	}
	assert_int_equal(ftruncate(g.fd, (off_t)plan->at[30].end), 0);
	wait_problem(g.capture, -EIO);
	assert_int_equal(status_of(g.capture).state, PKTFS_STATE_TRUNCATED);
	assert_int_equal(status_of(g.capture).growing, 0);
	check_packet(g.capture, 30);
	assert_int_equal(pktfs_packet_try(g.capture, 45, &packet, NULL), -EIO);
	growing_close(&g);
	text_free(&plan->text);
}

static void renamed(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
	char other[40];
	struct growing g;
	int fd;

	(void)state;
	plan_pcap(plan, false, false, 30);
	make_file(&g, plan, plan->at[10].end);
	follow(&g, 0);
	snprintf(other, sizeof(other), "%s.1", g.path);
	assert_int_equal(rename(g.path, other), 0);
	wait_problem(g.capture, -ENOENT);
	fd = open(g.path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	wait_problem(g.capture, -ESTALE);
	append(&g, plan->at[20].end);
	wait_packets(g.capture, 20);
	assert_int_equal(rename(other, g.path), 0);
	wait_problem(g.capture, 0);
	assert_int_equal(unlink(g.path), 0);
	wait_problem(g.capture, -ENOENT);
	append(&g, plan->at[30].end);
	wait_packets(g.capture, 30);
	expect_state(&g, PKTFS_STATE_COMPLETE, 1);
	growing_close(&g);
	text_free(&plan->text);
}

/* What cannot be followed is opened as ever. */
static void not_a_file(void **state)
{
	const struct pktfs_open_options options = {.flags = PKTFS_OPEN_FOLLOW};
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
	pktfs_capture *capture;
	int ends[2];

	(void)state;
	plan_pcap(plan, false, false, 3);
	assert_int_equal(pktfs_open_buffer(plan->text.bytes, plan->text.size, &options, &capture,
					   NULL), 0);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	assert_false(status_of(capture).growing || status_of(capture).followed);
	pktfs_close(capture);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], plan->text.bytes, plan->text.size), plan->text.size);
	close(ends[1]);
	assert_int_equal(pktfs_open_fd(ends[0], &options, &capture, NULL), 0);
	close(ends[0]);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	assert_int_equal(status_of(capture).packets, 3);
	assert_false(status_of(capture).growing || status_of(capture).followed);
	pktfs_close(capture);
	text_free(&plan->text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_by_another), cmocka_unit_test(cut_at_the_end),
		cmocka_unit_test(preallocated),	      cmocka_unit_test(believed_at_once),
		cmocka_unit_test(doubted_for_a_while), cmocka_unit_test(taken_back),
		cmocka_unit_test(renamed),	      cmocka_unit_test(not_a_file),
		cmocka_unit_test(cut_under_the_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
