/* SPDX-License-Identifier: BSD-2-Clause */
/* The writer when the world is against it: full disks, limits, another writer,
 * files that others change, and SIGKILL. */
#include "own_mounts.h"
#include "test_writer.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* ---- one writer */

static void lock_names_holder(void **state)
{
	const struct pktfs_writer_options replace = {.flags = PKTFS_WRITER_REPLACE};
	const char *path = in_dir("lock.pcapng");
	struct pktfs_error error;
	pktfs_writer *writer, *second;
	char wanted[64], byte;
	int ready[2], done[2], status;
	pid_t child;

	(void)state;
	make_capture(path, &replace, 3);
	assert_int_equal(pipe(ready) | pipe(done), 0);
	child = fork();
	if (child == 0) {
		close(done[1]);
		if (pktfs_writer_append(path, NULL, &writer, NULL) == 0 &&
		    write(ready[1], "", 1) == 1 && read(done[0], &byte, 1) == 0)
			_exit(pktfs_writer_close(writer, NULL) != 0);
		_exit(2);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	snprintf(wanted, sizeof(wanted), "process %d;", (int)child);
	assert_int_equal(pktfs_writer_append(path, NULL, &writer, &error), -EBUSY);
	assert_non_null(strstr(error.text, wanted));
	/* not even cut to nothing */
	assert_int_equal(pktfs_writer_create(path, &replace, &writer, &error), -EBUSY);
	assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), 3);
	close(done[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	OK(pktfs_writer_append(path, NULL, &writer, error_));
	/* the reader closes its own descriptor of the file: the lock stays */
	assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), 3);
	assert_int_equal(pktfs_writer_append(path, NULL, &second, &error), -EBUSY);
	snprintf(wanted, sizeof(wanted), "process %d;", (int)getpid());
	assert_non_null(strstr(error.text, wanted));
	OK(pktfs_writer_close(writer, error_));
	close(ready[0]), close(ready[1]), close(done[0]);
}

/* ---- others change the file */

static void changed_by_others(void **state)
{
	const struct pktfs_writer_options replace = {.flags = PKTFS_WRITER_REPLACE};
	struct pktfs_new_packet packet = some_packet(1, 60);
	char path[128];
	pktfs_writer *writer;
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s", in_dir("changed.pcapng"));
	make_capture(path, &replace, 3);
	OK(pktfs_writer_append(path, NULL, &writer, error_));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 10), 0);
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -ESTALE);
	assert_int_equal(truncate(path, st.st_size + 10), 0);
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -ESTALE);
	assert_int_equal(truncate(path, st.st_size), 0);
	OK(pktfs_writer_packet(writer, &packet, NULL, error_));
	assert_int_equal(unlink(path), 0);
	FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -ESTALE);
	OK(pktfs_writer_close(writer, error_));
}

/* ---- no room */

static const char *const names[] = {"full.pcap", "full.pcapng", "full.pcapng.zst", "full.pcap.gz"};

/* Writes until it fails with `code`; room is made; goes on. Packets are never
 * half there and never twice. */
static void fill(const char *path, unsigned flags, int code, void (*make_room)(void))
{
	const struct pktfs_writer_options options = {.flags = flags | PKTFS_WRITER_REPLACE};
	struct pktfs_error error = {0};
	struct pktfs_new_packet packet;
	pktfs_writer *writer;
	struct stat before, after;
	uint64_t seed = 1;
	int r = 0;

	OK(pktfs_writer_create(path, &options, &writer, error_));
	add_ethernet(writer);
	for (; r == 0 && seed < 100000; seed++) {
		assert_int_equal(stat(path, &before), 0);
		packet = some_packet(seed, (uint32_t)(seed * 37 % 1500));
		r = pktfs_writer_packet(writer, &packet, NULL, &error);
	}
	seed--;
	assert_int_equal(r, code);
	assert_int_equal(error.code, code);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(pktfs_writer_packet(writer, &packet, NULL, &error), code);
	make_room();
	add_packets(writer, seed, 20);
	OK(pktfs_writer_close(writer, error_));
	assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), seed + 19);
}

static char ballast[128];

static void drop_ballast(void)
{
	assert_int_equal(unlink(ballast), 0);
}

/* A tmpfs of our own, in a namespace of mounts of our own. */
static void full_disk(void **state)
{
	static char zeros[200 << 10];
	const char *folder = in_dir("small");
	char path[160];

	(void)state;
	assert_int_equal(mkdir(folder, 0700), 0);
	if (!own_mounts() ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=600k") < 0) {
		print_message("SKIP: mount(2) is not permitted: %s\n", strerror(errno));
		skip();
	}
	for (unsigned i = 0; i < ARRAY_SIZE(names) * 2; i++) {
		snprintf(ballast, sizeof(ballast), "%s/ballast", folder);
		put_file(ballast, zeros, sizeof(zeros));
		snprintf(path, sizeof(path), "%s/%s", folder, names[i / 2]);
		fill(path, i & 1 ? PKTFS_WRITER_BUFFERED : 0, -ENOSPC, drop_ballast);
		unlink(path);
	}
	assert_int_equal(umount(folder), 0);
}

static void raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* SIGXFSZ has its default action here. */
static void file_size_limit(void **state)
{
	struct rlimit limit;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names) * 2; i++) {
		getrlimit(RLIMIT_FSIZE, &limit);
		limit.rlim_cur = 123457;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		fill(in_dir(names[i / 2]), i & 1 ? PKTFS_WRITER_BUFFERED : 0, -EFBIG, raise_limit);
	}
}

/* ---- SIGKILL */

#define KILL_RUNS 200

static const char *const kinds[] = {"kill.pcap", "kill.pcapng", "kill.pcapng.zst", "kill.pcap.gz"};

/* Appends, and says the number of each packet once its call has returned. */
static void append_for_ever(const char *path, const struct pktfs_writer_options *options,
			    int report)
{
	struct pktfs_writer_status status;
	struct pktfs_new_packet packet;
	pktfs_writer *writer;
	uint64_t seed;

	if (pktfs_writer_append(path, options, &writer, NULL) < 0)
		_exit(1);
	pktfs_writer_status_get(writer, &status);
	for (seed = status.packets + 1;; seed++) {
		packet = some_packet(seed, (uint32_t)(seed * 37 % 1500));
		if (pktfs_writer_packet(writer, &packet, NULL, NULL) < 0)
			_exit(2);
		if (options->flags & PKTFS_WRITER_BUFFERED && seed % 8)
			continue;
		if (seed % 8 == 0 && pktfs_writer_commit(writer, NULL) < 0)
			_exit(3);
		if (seed % 64 == 0 && pktfs_writer_end_frame(writer, NULL) < 0)
			_exit(4);
		if (write(report, &seed, sizeof(seed)) != sizeof(seed))
			_exit(0);
	}
}

/* The last number that was reported. */
static uint64_t run_and_kill(const char *path, const struct pktfs_writer_options *options,
			     unsigned run)
{
	uint64_t seed, last = 0;
	int report[2], status;
	pid_t child;

	assert_int_equal(pipe(report), 0);
	child = fork();
	if (child == 0) {
		close(report[0]);
		append_for_ever(path, options, report[1]);
	}
	close(report[1]);
	for (unsigned n = 0; n < run * 7 % 40 + 1; n++)
		if (read(report[0], &seed, sizeof(seed)) == sizeof(seed))
			last = seed;
	usleep((unsigned)random() % 2000);
	kill(child, SIGKILL);
	while (read(report[0], &seed, sizeof(seed)) == sizeof(seed))
		last = seed;
	close(report[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return last;
}

/* A repair that is killed, too: whether it was. */
static bool repair_and_kill(const char *path)
{
	const struct pktfs_writer_options options = {.flags = PKTFS_WRITER_REPAIR};
	pktfs_writer *writer;
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (pktfs_writer_append(path, &options, &writer, NULL) < 0)
			_exit(1);
		_exit(0);
	}
	usleep((unsigned)random() % 1000);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) || status == 0);
	return WIFSIGNALED(status);
}

/* Opens it, with a repair if it wants one, which may be killed first. */
static pktfs_writer *open_killed(const char *path, unsigned *repaired, unsigned *killed_again)
{
	struct pktfs_writer_options options = {0};
	struct pktfs_error error;
	pktfs_writer *writer;
	int r = pktfs_writer_append(path, &options, &writer, &error);

	if (r == 0)
		return writer;
	assert_int_equal(r, -ENODATA);
	++*repaired;
	if (random() % 2)
		*killed_again += repair_and_kill(path);
	options.flags = PKTFS_WRITER_REPAIR;
	OK(pktfs_writer_append(path, &options, &writer, error_));
	return writer;
}

static void kill_once(unsigned run, unsigned *repaired, unsigned *killed_again)
{
	const struct pktfs_writer_options replace = {.flags = PKTFS_WRITER_REPLACE};
	const struct pktfs_writer_options options = {.flags = run & 4 ? PKTFS_WRITER_BUFFERED : 0};
	const char *path = in_dir(kinds[run % ARRAY_SIZE(kinds)]);
	struct pktfs_writer_status status;
	pktfs_writer *writer;
	uint64_t last;

	if (run < ARRAY_SIZE(kinds))
		make_capture(path, &replace, 0);
	last = run_and_kill(path, &options, run);
	writer = open_killed(path, repaired, killed_again);
	/* all that was reported is there, in order, once */
	pktfs_writer_status_get(writer, &status);
	assert_true(status.packets >= last);
	OK(pktfs_writer_close(writer, error_));
	assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), status.packets);
	if (status.packets > 5000)
		make_capture(path, &replace, 0);
}

static void killed(void **state)
{
	unsigned repaired = 0, killed_again = 0;

	(void)state;
	srandom(1);
	for (unsigned run = 0; run < KILL_RUNS; run++)
		kill_once(run, &repaired, &killed_again);
	print_message("%u runs: %u repaired, the repair was killed, too, in %u\n", KILL_RUNS,
		      repaired, killed_again);
	assert_true(repaired > KILL_RUNS / 8); /* unfinished frames */
}

/* ---- threads */

struct many {
	pktfs_writer *writer;
	uint32_t thread;
};

static void *write_many(void *context)
{
	struct many *many = context;
	struct pktfs_new_packet packet;
	uint32_t bytes[2] = {many->thread, 0};

	for (; bytes[1] < 2000; bytes[1]++) {
		packet = (struct pktfs_new_packet){
			.time = {1, 0}, .data = bytes, .captured_length = sizeof(bytes)};
		if (pktfs_writer_packet(many->writer, &packet, NULL, NULL) < 0)
			return many;
	}
	return NULL;
}

static void threads(void **state)
{
	const struct pktfs_packet *packet;
	uint32_t next[4] = {0}, bytes[2];
	pktfs_iterator *iterator;
	pktfs_capture *capture;
	pktfs_writer *writer;
	struct many many[4];
	pthread_t ids[4];
	void *failed;

	(void)state;
	OK(pktfs_writer_create(in_dir("threads.pcapng"), NULL, &writer, error_));
	add_ethernet(writer);
	for (uint32_t i = 0; i < 4; i++) {
		many[i] = (struct many){writer, i};
		assert_int_equal(pthread_create(&ids[i], NULL, write_many, &many[i]), 0);
	}
	for (uint32_t i = 0; i < 4; i++) {
		pthread_join(ids[i], &failed);
		assert_null(failed);
	}
	OK(pktfs_writer_close(writer, error_));
	OK(pktfs_open(in_dir("threads.pcapng"), NULL, &capture, error_));
	assert_int_equal(pktfs_iterator_open(capture, 1, &iterator), 0);
	while (pktfs_iterator_next(iterator, &packet, NULL) == 1) {
		memcpy(bytes, packet->data, sizeof(bytes));
		assert_true(bytes[0] < 4);
		assert_int_equal(bytes[1], next[bytes[0]]++);
	}
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(next[i], 2000);
	pktfs_iterator_close(iterator);
	pktfs_close(capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lock_names_holder), cmocka_unit_test(changed_by_others),
		cmocka_unit_test(file_size_limit),   cmocka_unit_test(killed),
		cmocka_unit_test(threads),	     cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
