/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures that grow while they are open: what is published is right at each
 * length, and those who read, wait and listen meanwhile see it. */
#include "test_capture_growing.h"

#include <pthread.h>
#include <stdatomic.h>

static void check_statistics(struct growing *g)
{
	const struct known *known = known_at(g->plan, g->size);
	struct pktfs_interface interface;
	struct pktfs_section section;
	struct pktfs_option option;

	assert_int_equal(pktfs_section_get(g->capture, known->sections - 1, &section, NULL), 0);
	assert_int_equal(section.first_interface + section.interfaces, known->interfaces);
	pktfs_section_release(&section);
	if (!known->statistics || g->plan->at[0].interfaces)
		return;
	/* those of the section in which the last statistics were */
	for (uint64_t i = known->interfaces; i-- > 0;) {
		assert_int_equal(pktfs_interface_get(g->capture, i, &interface, NULL), 0);
		if (interface.has_statistics) {
			assert_int_equal(pktfs_option_find(interface.statistics, 4, 0, &option), 1);
			assert_int_equal(pktfs_option_u64(&interface.statistics, &option),
					 known->statistics);
			pktfs_interface_release(&interface);
			return;
		}
		pktfs_interface_release(&interface);
	}
	fail_msg("no statistics");
}

/* Not memcmp: times have padding. */
static bool equal_times(struct pktfs_time a, struct pktfs_time b)
{
	return a.sec == b.sec && a.nsec == b.nsec;
}

static void same_status(const struct pktfs_status *a, const struct pktfs_status *b)
{
	assert_int_equal(a->format, b->format);
	assert_int_equal(a->compression, b->compression);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->big_endian, b->big_endian);
	assert_int_equal(a->packets, b->packets);
	assert_int_equal(a->blocks, b->blocks);
	assert_int_equal(a->metadata, b->metadata);
	assert_int_equal(a->sections, b->sections);
	assert_int_equal(a->interfaces, b->interfaces);
	assert_int_equal(a->problems, b->problems);
	assert_int_equal(a->captured_bytes, b->captured_bytes);
	assert_int_equal(a->original_bytes, b->original_bytes);
	assert_int_equal(a->file_size, b->file_size);
	assert_int_equal(a->indexed_bytes, b->indexed_bytes);
	assert_int_equal(a->decoded_bytes, b->decoded_bytes);
	assert_int_equal(a->decoded_final, b->decoded_final);
	assert_int_equal(a->has_time, b->has_time);
	assert_true(equal_times(a->first_time, b->first_time));
	assert_true(equal_times(a->last_time, b->last_time));
	assert_true(equal_times(a->min_time, b->min_time));
	assert_true(equal_times(a->max_time, b->max_time));
	assert_true(equal_times(a->file_time, b->file_time));
}

/* The same numbers as one who opens the finished file. */
static void check_against_fresh(struct growing *g)
{
	struct pktfs_status grown, fresh;
	pktfs_capture *capture;

	assert_int_equal(pktfs_open(g->path, NULL, &capture, NULL), 0);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	pktfs_status_get(capture, &fresh);
	pktfs_status_get(g->capture, &grown);
	assert_false(fresh.growing);
	assert_true(grown.growing);
	same_status(&fresh, &grown);
	for (unsigned i = 0; i < 3; i++) {
		struct pktfs_link_type a = {0}, b = {0};

		assert_int_equal(pktfs_link_type_get(capture, i, &a),
				 pktfs_link_type_get(g->capture, i, &b));
		assert_int_equal(a.link_type, b.link_type);
		assert_int_equal(a.packets, b.packets);
		assert_int_equal(a.captured_bytes, b.captured_bytes);
		assert_int_equal(a.padded_bytes, b.padded_bytes);
		assert_int_equal(a.fine, b.fine);
		assert_int_equal(a.has_time, b.has_time);
		assert_int_equal(a.untimed, b.untimed);
		assert_true(equal_times(a.min_time, b.min_time));
		assert_true(equal_times(a.max_time, b.max_time));
	}
	for (uint64_t i = 0; i < fresh.interfaces; i++) {
		struct pktfs_interface a, b;

		assert_int_equal(pktfs_interface_get(capture, i, &a, NULL), 0);
		assert_int_equal(pktfs_interface_get(g->capture, i, &b, NULL), 0);
		assert_int_equal(a.packets, b.packets);
		assert_int_equal(a.captured_bytes, b.captured_bytes);
		assert_int_equal(a.original_bytes, b.original_bytes);
		assert_int_equal(a.link_type, b.link_type);
		pktfs_interface_release(&a);
		pktfs_interface_release(&b);
	}
	for (uint64_t n = 1; n <= fresh.packets; n++)
		check_packet(g->capture, n);
	pktfs_close(capture);
}

static void grow_by_records(const struct plan *plan, unsigned flags, unsigned step)
{
	const struct pktfs_packet *packet;
	pktfs_iterator *iterator;
	struct growing g;
	uint64_t next = 1;
	int r;

	growing_open(&g, plan, plan->at[0].end, flags);
	assert_int_equal(pktfs_wait(g.capture, UINT64_MAX, -1), 0);
	assert_int_equal(pktfs_iterator_open(g.capture, 1, &iterator), 0);
	for (unsigned i = 0; i <= plan->records; i += step) {
		if (i > 0)
			grow_to(&g, plan->at[i].end);
		assert_int_equal(pktfs_grow(g.capture), 0);
		check_status(&g, g.size);
		check_statistics(&g);
		while ((r = pktfs_iterator_next(iterator, &packet, NULL)) == 1)
			check_bytes(packet, next++);
		assert_int_equal(r, 0);
		assert_int_equal(next, plan->at[i].packets + 1);
	}
	pktfs_iterator_close(iterator);
	check_against_fresh(&g);
	growing_close(&g);
}

static void whole_records(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
		unsigned flags = i & 1 ? PKTFS_OPEN_NO_MMAP : 0;

		if (i < 8)
			plan_pcap(plan, i & 2, i & 4, 420);
		else
			plan_pcapng(plan, i & 2, 420);
		grow_by_records(plan, flags, 1);
		grow_by_records(plan, flags, 7);
		grow_by_records(plan, flags, 64);
		text_free(&plan->text);
	}
}

/* Each length from the shortest that opens to the whole: the state, the problem
 * and every count are right, and never is there a packet too many. */
static void byte_by_byte(void **state)
{
	unsigned lengths = 0;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
		struct growing g;

		if (i < 2)
			plan_pcap(plan, i & 1, false, 70);
		else
			plan_pcapng(plan, i & 1, 90);
		growing_open(&g, plan, plan->at[0].end, 0);
		assert_int_equal(pktfs_wait(g.capture, UINT64_MAX, -1), 0);
		while (g.size < plan->text.size) {
			grow_to(&g, g.size + 1);
			check_status(&g, g.size);
			lengths++;
		}
		check_against_fresh(&g);
		growing_close(&g);
		text_free(&plan->text);
	}
	print_message("%u lengths\n", lengths);
}

/* A section header that is cut when the file is opened. */
static void cut_section_header(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
	struct pktfs_status status;
	struct growing g;

	(void)state;
	plan_pcapng(plan, false, 20);
	growing_open(&g, plan, 12, 0);
	assert_int_equal(pktfs_wait(g.capture, UINT64_MAX, -1), 0);
	pktfs_status_get(g.capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_TRUNCATED);
	assert_int_equal(status.sections, 0);
	grow_to(&g, 28);
	check_status(&g, 28);
	grow_to(&g, plan->text.size);
	check_against_fresh(&g);
	growing_close(&g);
	text_free(&plan->text);
}

/* ---- readers while it grows */

struct readers {
	struct growing g;
	atomic_bool done;
	atomic_ulong read;
};

static void *read_in_order(void *arg)
{
	struct readers *readers = arg;
	const struct pktfs_packet *packet;
	pktfs_iterator *iterator;
	uint64_t number = 1;
	bool done;
	int r;

	assert_int_equal(pktfs_iterator_open(readers->g.capture, 1, &iterator), 0);
	do {
		done = atomic_load(&readers->done);
		while ((r = pktfs_iterator_next(iterator, &packet, NULL)) == 1) {
			check_bytes(packet, number++);
			atomic_fetch_add(&readers->read, 1);
		}
		assert_int_equal(r, 0);
	} while (!done);
	assert_int_equal(number, readers->g.plan->at[readers->g.plan->records].packets + 1);
	pktfs_iterator_close(iterator);
	return NULL;
}

static void *read_here_and_there(void *arg)
{
	struct readers *readers = arg;
	pktfs_capture *capture = readers->g.capture;
	struct pktfs_interface interface;
	struct pktfs_status status;
	struct pktfs_block block;
	uint64_t number = 1, last = 0, i;

	while (!atomic_load(&readers->done)) {
		pktfs_status_get(capture, &status);
		assert_true(status.packets >= last);
		assert_true(status.state != PKTFS_STATE_DAMAGED);
		last = status.packets;
		if (last == 0)
			continue;
		number = (number * 7919 + 13) % last + 1;
		check_packet(capture, number);
		check_packet(capture, last);
		atomic_fetch_add(&readers->read, 2);
		i = status.metadata ? number % status.metadata : 0;
		if (status.metadata) {
			assert_int_equal(pktfs_block_get(capture, i, &block, NULL), 0);
			assert_memory_equal(block.bytes, readers->g.plan->text.bytes + block.offset,
					    block.length);
			pktfs_block_release(&block);
		}
		if (status.interfaces) {
			i = number % status.interfaces;
			assert_int_equal(pktfs_interface_get(capture, i, &interface, NULL), 0);
			pktfs_interface_release(&interface);
		}
	}
	return NULL;
}

static void readers_meanwhile(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
		struct readers readers = {0};
		pthread_t threads[4];
		uint64_t seed = 1;

		if (i < 2)
			plan_pcap(plan, i, false, 4000);
		else
			plan_pcapng(plan, i & 1, 4000);
		growing_open(&readers.g, plan, plan->at[0].end, i & 1 ? PKTFS_OPEN_NO_MMAP : 0);
		for (unsigned t = 0; t < 4; t++)
			pthread_create(&threads[t], NULL,
				       t < 2 ? read_in_order : read_here_and_there, &readers);
		while (readers.g.size < plan->text.size) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			append(&readers.g, MIN(plan->text.size,
					       readers.g.size + (seed >> 33) % 400 + 1));
			assert_int_equal(pktfs_grow(readers.g.capture), 1);
			if (seed >> 40 & 1)
				assert_int_equal(pktfs_wait_offset(readers.g.capture,
								   readers.g.size, 10000), 0);
		}
		assert_int_equal(pktfs_wait_offset(readers.g.capture, readers.g.size, 10000), 0);
		atomic_store(&readers.done, true);
		for (unsigned t = 0; t < 4; t++)
			pthread_join(threads[t], NULL);
		print_message("%lu packets read meanwhile\n", atomic_load(&readers.read));
		check_against_fresh(&readers.g);
		growing_close(&readers.g);
		text_free(&plan->text);
	}
}

/* ---- waiting, listening, the end */

static void waiting(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
	struct growing g;
	size_t middle, end;

	(void)state;
	plan_pcap(plan, false, false, 20);
	end = plan->text.size;
	growing_open(&g, plan, plan->at[10].end, 0);
	middle = g.size;
	assert_int_equal(pktfs_wait_offset(g.capture, middle, -1), 0);
	assert_int_equal(pktfs_wait_offset(g.capture, middle + 1, 20), -EAGAIN);
	assert_int_equal(pktfs_wait_offset(g.capture, end, 0), -EAGAIN);
	append(&g, middle + 5);
	assert_int_equal(pktfs_wait_offset(g.capture, middle + 5, 20), -EAGAIN); /* not looked */
	assert_int_equal(pktfs_grow(g.capture), 1);
	assert_int_equal(pktfs_wait_offset(g.capture, middle + 5, -1), 0); /* nothing ends there */
	assert_int_equal(pktfs_wait_offset(g.capture, plan->at[11].end, 20), -EAGAIN);
	grow_to(&g, end);
	assert_int_equal(ftruncate(g.fd, (off_t)middle), 0);
	assert_int_equal(pktfs_grow(g.capture), -EIO);
	assert_int_equal(pktfs_wait_offset(g.capture, end + 1, -1), -EIO);
	assert_int_equal(pktfs_wait_offset(g.capture, end, -1), 0);
	check_packet(g.capture, 10);
	growing_close(&g);

	growing_open(&g, plan, plan->at[10].end, 0);
	assert_int_equal(pktfs_wait(g.capture, UINT64_MAX, -1), 0);
	pktfs_cancel(g.capture);
	assert_int_equal(pktfs_wait_offset(g.capture, end, -1), -ECANCELED);
	assert_int_equal(pktfs_wait_offset(g.capture, middle, -1), 0);
	growing_close(&g);
	text_free(&plan->text);
}

static void *wait_for_end(void *arg)
{
	struct growing *g = arg;

	return (void *)(intptr_t)pktfs_wait_offset(g->capture, g->plan->text.size, -1);
}

/* Who waits when the capture is cancelled, or the file cut, is told. */
static void waiters_are_woken(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));

	(void)state;
	plan_pcap(plan, false, false, 20);
	for (unsigned i = 0; i < 2; i++) {
		struct growing g;
		pthread_t thread;
		void *result;

		growing_open(&g, plan, plan->at[10].end, 0);
		pthread_create(&thread, NULL, wait_for_end, &g);
		usleep(20000);
		if (i == 0) {
			pktfs_cancel(g.capture);
		} else {
			assert_int_equal(ftruncate(g.fd, 30), 0);
			assert_int_equal(pktfs_grow(g.capture), -EIO);
		}
		pthread_join(thread, &result);
		assert_int_equal((intptr_t)result, i == 0 ? -ECANCELED : -EIO);
		growing_close(&g);
	}
	text_free(&plan->text);
}

static void count_call(void *context)
{
	atomic_fetch_add((atomic_uint *)context, 1);
}

/* The listener is told of each growth, without the 20 ms. */
static void listening(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
	atomic_uint calls = 0;
	unsigned before, tries;
	struct growing g;

	(void)state;
	plan_pcapng(plan, false, 100);
	growing_open(&g, plan, plan->at[0].end, 0);
	assert_int_equal(pktfs_wait(g.capture, UINT64_MAX, -1), 0);
	usleep(10000); /* the call for the first completeness */
	pktfs_listen(g.capture, count_call, &calls);
	for (unsigned i = 1; i <= plan->records; i++) {
		before = atomic_load(&calls);
		grow_to(&g, plan->at[i].end);
		for (tries = 0; atomic_load(&calls) == before && tries < 10000; tries++)
			usleep(100);
		assert_int_equal(atomic_load(&calls), before + 1);
	}
	growing_close(&g);
	text_free(&plan->text);
}

/* Damage ends the growth for good; what was there before stays. */
static void damage_at_the_end(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
	struct pktfs_status status;
	struct pktfs_error error;
	struct growing g;
	size_t at;

	(void)state;
	plan_pcapng(plan, false, 30);
	at = plan->text.size;
	build_block(&plan->text, false, 0x1234, "abcd", 4);
	plan->text.bytes[at + 4] = 17; /* its length */
	build_epb(&plan->text, false, 0, 1, 1, 1, NULL);
	growing_open(&g, plan, at, 0);
	assert_int_equal(pktfs_wait_offset(g.capture, at, -1), 0);
	check_status(&g, at);
	append(&g, plan->text.size);
	assert_int_equal(pktfs_grow(g.capture), 1);
	assert_int_equal(pktfs_wait_offset(g.capture, plan->text.size, -1), -EIO);
	pktfs_status_get(g.capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_DAMAGED);
	assert_false(status.growing);
	assert_int_equal(status.problems, 1);
	assert_int_equal(pktfs_problem_get(g.capture, 0, &error), 0);
	assert_int_equal(error.offset, at);
	assert_int_equal(status.packets, known_at(plan, at)->packets);
	check_packet(g.capture, status.packets);
	growing_close(&g);
	text_free(&plan->text);
}

/* A malformed block is a problem that stays; the capture goes on growing. */
static void malformed_in_between(void **state)
{
	_cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
	struct pktfs_status status;
	struct pktfs_error error;
	struct growing g;
	size_t at;

	(void)state;
	plan_pcapng(plan, false, 30);
	at = plan->text.size;
	build_epb(&plan->text, false, 77, 1, 1, 1, NULL); /* no such interface */
	mark(plan, 0, 1, 0, 0);
	build_epb(&plan->text, false, 0, 1, 4, 1, NULL);
	mark(plan, 1, 0, 0, 0);
	growing_open(&g, plan, at, 0);
	grow_to(&g, plan->text.size - 3);
	pktfs_status_get(g.capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_TRUNCATED);
	assert_int_equal(status.problems, 2);
	assert_int_equal(pktfs_problem_get(g.capture, 1, &error), 0);
	assert_int_equal(error.code, -ENODATA);
	grow_to(&g, plan->text.size);
	pktfs_status_get(g.capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_DAMAGED);
	assert_true(status.growing);
	assert_int_equal(status.problems, 1);
	assert_int_equal(pktfs_problem_get(g.capture, 0, &error), 0);
	assert_int_equal(error.offset, at);
	assert_int_equal(status.packets, known_at(plan, at)->packets + 1);
	growing_close(&g);
	text_free(&plan->text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_records),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(cut_section_header),
		cmocka_unit_test(readers_meanwhile),
		cmocka_unit_test(waiting),
		cmocka_unit_test(waiters_are_woken),
		cmocka_unit_test(listening),
		cmocka_unit_test(damage_at_the_end),
		cmocka_unit_test(malformed_in_between),
	};

	return cmocka_run_group_tests_name("capture_grow", tests, NULL, NULL);
}
