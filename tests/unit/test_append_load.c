/* SPDX-License-Identifier: BSD-2-Clause */
/* Many at once: each packet once, each thread's own in order; the disk. */
#include "test_append.h"

#define THREADS 8u
#define EACH	2000u

struct worker {
	struct rig *rig;
	unsigned number;
	pthread_t thread;
};

/* As a client does it: create, write, flush, see, release; some of them by
 * other ways. */
static void append_one(struct worker *worker, unsigned i)
{
	struct append *append = worker->rig->append;
	struct append_who who = somebody();
	uint32_t bytes[3] = {worker->number, i, ~i};
	uint64_t id, handle, end = 0;
	char name[32];

	snprintf(name, sizeof(name), "w%u-%u", worker->number, i);
	if (i % 16 == 5) {
		snprintf(name, sizeof(name), ".w.%03u%03u", worker->number, i % 1000);
		who.flags = O_RDWR | O_CREAT | O_EXCL;
	}
	assert_int_equal(append_create(append, &first, name, &who, &id, &handle), 0);
	assert_int_equal(append_write(append, id, 0, bytes, sizeof(bytes)), sizeof(bytes));
	if (i % 16 == 3)
		assert_int_equal(append_sync_begin(append, id, &(uint64_t){0}, &end), 0);
	else if (i % 16 != 7)
		assert_int_equal(append_flush(append, id, handle, getpid(), &end), 0);
	append_release(append, id, handle);
	if (i % 16 == 5)
		assert_int_equal(append_rename(append, &first, name, &first, name + 1, false,
					       &end), 0);
	if (end)
		see(worker->rig, end);
	if (i % 16 == 9)
		assert_int_equal(append_remove(append, &first, name), 0);
}

static void *work(void *context)
{
	struct worker *worker = context;

	for (unsigned i = 0; i < EACH; i++)
		append_one(worker, i);
	return NULL;
}

static void check_all(const char *path)
{
	unsigned next[THREADS] = {0};
	const struct pktfs_packet *packet;
	pktfs_iterator *iterator;
	pktfs_capture *capture;
	uint32_t bytes[3];

	OK(pktfs_open(path, NULL, &capture, error_));
	assert_int_equal(pktfs_iterator_open(capture, 4, &iterator), 0);
	while (pktfs_iterator_next(iterator, &packet, NULL) == 1) {
		assert_int_equal(packet->captured_length, sizeof(bytes));
		memcpy(bytes, packet->data, sizeof(bytes));
		assert_true(bytes[0] < THREADS);
		assert_int_equal(bytes[1], next[bytes[0]]);
		assert_int_equal(bytes[2], ~bytes[1]);
		next[bytes[0]]++;
	}
	pktfs_iterator_close(iterator);
	pktfs_close(capture);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(next[i], EACH);
}

static void load(const char *name)
{
	struct worker workers[THREADS];
	struct rig rig;
	unsigned i;

	make_capture(in_dir(name), NULL, 3);
	rig_open(&rig, in_dir(name));
	for (i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.rig = &rig, .number = i};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	assert_int_equal(packets_of(&rig), 3 + THREADS * EACH);
	rig_said(&rig, NULL);
	rig_close(&rig);
	check_all(in_dir(name));
}

static void plain(void **state)
{
	(void)state;
	load("load.pcapng");
}

static void compressed(void **state)
{
	(void)state;
	load("load.pcapng.zst");
}

/* ---- tickets */

static int wait_ticket(struct rig *rig, uint64_t ticket)
{
	int r;

	while ((r = append_sync_done(rig->append, ticket)) == -EAGAIN)
		sleep_ms(1);
	return r;
}

static void tickets(void **state)
{
	uint64_t id, handle, ticket, later, end;
	struct rig rig;

	(void)state;
	make_capture(in_dir("tickets.pcapng"), NULL, 3);
	rig_open(&rig, in_dir("tickets.pcapng"));
	assert_int_equal(append_sync_begin(rig.append, 0, &ticket, &end), 0);
	assert_int_equal(end, 0);
	assert_int_equal(wait_ticket(&rig, ticket), 0);
	assert_int_equal(append_sync_done(rig.append, ticket + 1), -EAGAIN);
	assert_int_equal(append_sync_begin(rig.append, 77, &ticket, &end), -ENOENT);
	/* of a file: it is committed, and its close says no more */
	id = create(&rig, &first, "p", &handle);
	put(&rig, id, "abcd", 4);
	assert_int_equal(append_sync_begin(rig.append, id, &ticket, &end), 0);
	see(&rig, end);
	assert_true(status_of(&rig, id).committed);
	assert_int_equal(wait_ticket(&rig, ticket), 0);
	assert_int_equal(flush(&rig, id, handle), 0);
	append_release(rig.append, id, handle);
	/* one that is refused */
	id = create(&rig, &first, "q", &handle);
	put(&rig, id, "abcd", 4);
	assert_int_equal(append_set_attribute(rig.append, id, "link_type", "RAW", 3), 0);
	assert_int_equal(append_sync_begin(rig.append, id, &later, &end), -EINVAL);
	append_release(rig.append, id, handle);
	assert_int_equal(append_sync_begin(rig.append, 0, &later, &end), 0);
	assert_int_equal(wait_ticket(&rig, later), 0);
	assert_int_equal(append_sync_done(rig.append, ticket), 0);
	rig_close(&rig);
}

/* Which tickets a failure is for. */
static void failures(void **state)
{
	struct rig rig;
	unsigned i;

	(void)state;
	make_capture(in_dir("gone.pcapng.gz"), NULL, 3);
	rig_open(&rig, in_dir("gone.pcapng.gz"));
	for (i = 0; i < 40; i++) {
		uint64_t ticket, end;

		assert_int_equal(append_sync_begin(rig.append, 0, &ticket, &end), 0);
		assert_int_equal(ticket, i + 1);
		assert_int_equal(wait_ticket(&rig, ticket), 0);
	}
	append_some(&rig, &first, "p", "abcd", 4);
	unlink(in_dir("gone.pcapng.gz"));
	for (; i < 42; i++) {
		uint64_t ticket, end;

		assert_int_equal(append_sync_begin(rig.append, 0, &ticket, &end), 0);
		assert_int_equal(wait_ticket(&rig, ticket), -ESTALE);
	}
	assert_int_equal(rig.append->failure_count, 1);
	assert_int_equal(append_sync_done(rig.append, 40), 0);
	assert_int_equal(append_sync_done(rig.append, 41), -ESTALE);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(compressed),
		cmocka_unit_test(tickets),
		cmocka_unit_test(failures),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
