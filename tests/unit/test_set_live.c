/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of a capture that comes through a pipe: they have what is there so far,
 * and nothing is looked at twice.
 */
#include "test_set_grow.h"

#define PACKETS	 (SET_CHUNK + 3000)
#define PATIENCE 5000 /* ms */

struct live {
	struct world world;
	int pipe;
	size_t written; /* records */
	struct sets sets;
};

static void feed(struct live *live, size_t records)
{
	const struct world *world = &live->world;
	size_t from = live->written ? world->ends[live->written - 1] : 0;

	records = MIN(records, world->count);
	while (from < world->ends[records - 1]) {
		ssize_t r = write(live->pipe, world->text.bytes + from,
				  world->ends[records - 1] - from);

		assert_true(r > 0);
		from += (size_t)r;
	}
	live->written = records;
}

static void live_open(struct live *live)
{
	int pipes[2];

	*live = (struct live){0};
	world_pcap(&live->world, PACKETS, 1);
	assert_int_equal(pipe(pipes), 0);
	live->pipe = pipes[1];
	feed(live, 2); /* what opening waits for: the header and a packet */
	assert_int_equal(pktfs_open_fd(pipes[0], NULL, &live->sets.capture, NULL), 0);
	close(pipes[0]);
	assert_int_equal(set_pool_open(live->sets.capture, 2, 0, &live->sets.pool), 0);
}

static void live_close(struct live *live)
{
	if (live->pipe >= 0)
		close(live->pipe);
	pktfs_cancel(live->sets.capture);
	sets_close(&live->sets);
	world_free(&live->world);
}

/* Asks, as somebody who lists a set does, until `passed` packets were looked at. */
static void ask_until(struct set *set, uint64_t passed)
{
	struct set_status status;
	uint64_t number, at = 0;
	unsigned i;
	int r;

	for (i = 0; i < PATIENCE; i++) {
		while ((r = set_next(set, at + 1, &number)) == 0)
			at = number;
		set_status(set, &status);
		if (status.passed >= passed)
			break;
		assert_int_equal(r, -EAGAIN);
		usleep(1000);
	}
	assert_true(status.passed >= passed);
	assert_false(status.complete);
}

static void check_odd(struct set *set, uint64_t packets)
{
	struct set_status status;
	uint64_t n, at = 0;

	for (n = 1; n <= packets; n += 2) {
		assert_int_equal(set_next(set, at + 1, &at), 0);
		assert_int_equal(at, n);
	}
	set_status(set, &status);
	assert_int_equal(status.packets, (packets + 1) / 2);
}

static void what_is_there_is_listed(void **state)
{
	static const unsigned steps[] = {1, 2, 5, 10, 500, SET_CHUNK - 1, SET_CHUNK, SET_CHUNK + 1,
					 SET_CHUNK + 2000};
	struct set_status status;
	struct set *arp, *late;
	struct live live;
	uint64_t n;
	unsigned i;

	(void)state;
	live_open(&live);
	arp = sets_open(&live.sets, SET_FILTER, "arp");
	assert_int_equal(set_open(live.sets.pool, arp, SET_MATCH, "packet", &late, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		feed(&live, steps[i] + 1);
		if (i % 2)
			ask_until(late, steps[i]);
		ask_until(arp, steps[i]);
		check_odd(arp, steps[i]);
		assert_int_equal(set_next(arp, steps[i] + 1, &n), -EAGAIN);
		assert_int_equal(set_export_size(arp, EXPORT_PCAP, 0, &n, NULL), -EAGAIN);
	}
	close(live.pipe);
	live.pipe = -1;
	assert_int_equal(set_wait(late), 0);
	assert_int_equal(set_wait(arp), 0);
	check_odd(arp, SET_CHUNK + 2000);
	check_odd(late, SET_CHUNK + 2000);
	set_status(arp, &status);
	assert_true(status.complete);
	live_close(&live);
}

/* A set and its child are asked by several while the capture comes: each sees
 * members in order, once, and all of them in the end. */
static void *ask(void *context)
{
	struct set *set = context;
	uint64_t number, at = 0;
	int r;

	while ((r = set_next(set, at + 1, &number)) != -ENOENT) {
		if (r == -EAGAIN) {
			usleep(300);
			continue;
		}
		if (r < 0 || number != at + (at ? 2 : 1))
			return (void *)1;
		at = number;
	}
	return at + 2 > PACKETS ? NULL : (void *)1;
}

static void many_ask_at_once(void **state)
{
	pthread_t threads[4];
	struct set *sets[4];
	struct live live;
	void *wrong;
	unsigned i;

	(void)state;
	live_open(&live);
	sets[0] = sets_open(&live.sets, SET_FILTER, "arp");
	assert_int_equal(set_open(live.sets.pool, sets[0], SET_MATCH, "packet", &sets[1], NULL), 0);
	assert_int_equal(set_open(live.sets.pool, sets[1], SET_RANGE, "1-", &sets[2], NULL), 0);
	sets[3] = sets[1];
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, ask, sets[i]);
	for (i = 100; i <= PACKETS + 500; i += i < 5000 ? 100 : 2000) {
		feed(&live, i + 1);
		usleep(500);
	}
	close(live.pipe);
	live.pipe = -1;
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	live_close(&live);
}

/* ---- a file that grows while it is asked */

#define GROWN	  4000u
#define GROW_SETS 4u

struct grown {
	struct growing growing;
	struct set *sets[GROW_SETS];
	_Atomic bool over;
	_Atomic unsigned exports, followed, wrong;
};

static void *ask_grown(void *context)
{
	struct grown *grown = context;
	uint64_t number, at[GROW_SETS] = {0}, random = (uintptr_t)&number;
	struct set_status status, before[GROW_SETS] = {0};
	bool over;
	int64_t minute;

	do {
		unsigned i = random_next(&random) % GROW_SETS;

		over = grown->over;
		while (set_next(grown->sets[i], at[i] + 1, &number) == 0) {
			if (number <= at[i] || set_contains(grown->sets[i], number) != 1)
				grown->wrong++;
			at[i] = number;
		}
		set_next_minute(grown->sets[i], 0, &minute);
		set_status(grown->sets[i], &status);
		if (status.packets < before[i].packets || status.passed < before[i].passed)
			grown->wrong++;
		before[i] = status;
		usleep(50);
	} while (!over);
	return NULL;
}

/* All of it at once: does it open, and has it so many packets as are of the set? */
static void read_and_check(struct grown *grown, struct export *export, struct set *set)
{
	_cleanup_(text_free) struct text text = {.limit = (size_t)1 << 28};
	uint64_t number = 0, members, packets = 0;
	struct pktfs_status status;
	pktfs_capture *capture;
	uint8_t bytes[5000];
	int64_t r;

	while ((r = patient_read(export, text.size, bytes, sizeof(bytes))) > 0)
		text_append(&text, bytes, (size_t)r);
	if (r < 0 || pktfs_open_buffer(text.bytes, text.size, NULL, &capture, NULL) < 0) {
		grown->wrong++;
		return;
	}
	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	grown->wrong += status.state != PKTFS_STATE_COMPLETE;
	for (members = status.packets; packets < members; packets++)
		if (set_next(set, number + 1, &number) < 0)
			break;
	grown->wrong += packets != members;
	pktfs_close(capture);
	grown->exports++;
}

static void *export_grown(void *context)
{
	struct grown *grown = context;
	struct export *export = NULL, *next;
	struct set *set = grown->sets[1];
	bool over;

	do {
		over = grown->over;
		if (export && !export_outgrown(export))
			continue;
		next = patient_open(set, EXPORT_PCAPNG, 0);
		if (export) {
			export_follow(next, export);
			grown->followed++;
		}
		export_close(export);
		export = next;
		read_and_check(grown, export, set);
	} while (!over);
	export_close(export);
	return NULL;
}

static void grown_and_asked_at_once(void **state)
{
	struct grown grown = {0};
	pthread_t threads[4];
	struct world world = {0};
	struct text prefix;
	struct sets fresh;
	uint64_t n, a = 0, b = 0;
	unsigned i;
	int r;

	(void)state;
	world_pcapng(&world, GROWN, 5);
	growing_open(&grown.growing, &world, 300, 0);
	grown.sets[0] = sets_open(&grown.growing.sets, SET_FILTER, "greater 55");
	grown.sets[1] = sets_open(&grown.growing.sets, SET_MATCH, "[37]");
	assert_int_equal(set_open(grown.growing.sets.pool, grown.sets[1], SET_FILTER, "greater 55",
				  &grown.sets[2], NULL), 0);
	grown.sets[3] = sets_open(&grown.growing.sets, SET_TIME, "..");
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, i < 3 ? ask_grown : export_grown, &grown);
	for (n = 1; grown.growing.records < world.count; n++) {
		growing_more(&grown.growing, n % 40, n % 3 ? NULL : &a);
		usleep(n % 10 ? 300 : 3000);
	}
	grown.over = true;
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(grown.wrong, 0);
	assert_true(grown.exports > 3 && grown.followed > 2);
	prefix = (struct text){.bytes = world.text.bytes, .size = world.text.size};
	fresh = sets_over(&prefix, 0);
	assert_int_equal(set_wait(grown.sets[0]), 0);
	assert_int_equal(set_wait(sets_open(&fresh, SET_FILTER, "greater 55")), 0);
	for (a = b = 0, r = 0; r == 0;) {
		r = set_next(sets_open(&fresh, SET_FILTER, "greater 55"), b + 1, &b);
		assert_int_equal(set_next(grown.sets[0], a + 1, &a), r);
		assert_int_equal(a, b);
	}
	print_message("%u exports read while it grew\n", grown.exports);
	sets_close(&fresh);
	growing_close(&grown.growing);
	world_free(&world);
}

/* Who follows the end of a large export walks over nothing again. */
static void the_end_is_followed(void **state)
{
	struct world world = {0};
	struct growing growing;
	struct export *export, *next;
	uint8_t byte;
	uint64_t size;
	unsigned i;

	(void)state;
	world_pcap(&world, SET_CHUNK * 2, 7);
	growing_open(&growing, &world, SET_CHUNK * 2 - 100, 0);
	export = patient_open(set_all(growing.sets.pool), EXPORT_PCAPNG, 0);
	assert_int_equal(patient_size(set_all(growing.sets.pool), EXPORT_PCAPNG, 0, &size), 0);
	assert_int_equal(patient_read(export, size - 1, &byte, 1), 1);
	for (i = 0; i < 50; i++) {
		assert_false(export_outgrown(export));
		growing_more(&growing, 2, NULL);
		assert_true(export_outgrown(export));
		next = patient_open(set_all(growing.sets.pool), EXPORT_PCAPNG, 0);
		export_follow(next, export);
		export_close(export);
		export = next;
		assert_int_equal(export_read(export, size, &byte, 1), 1); /* never -EAGAIN */
		assert_int_equal(patient_size(set_all(growing.sets.pool), EXPORT_PCAPNG, 0, &size),
				 0);
		assert_int_equal(export_read(export, size - 1, &byte, 1), 1);
	}
	export_close(export);
	growing_close(&growing);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_listed),
		cmocka_unit_test(many_ask_at_once),
		cmocka_unit_test(grown_and_asked_at_once),
		cmocka_unit_test(the_end_is_followed),
	};

	return cmocka_run_group_tests_name("set_live", tests, NULL, NULL);
}
