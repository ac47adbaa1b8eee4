/* SPDX-License-Identifier: BSD-2-Clause */
/* What the writer may say of a disk that has failed. */
#include "test_writer_io.h"

#include <pthread.h>
#include <stdatomic.h>

/* The bytes that were written while this was set, and whether a directory was
 * synchronised. */
static uint64_t written;
static bool directory_synced;

static void watch_sync(int fd, enum io_kind kind, uint64_t offset, const void *bytes, size_t size)
{
	struct stat st;

	(void)offset, (void)bytes;
	if (kind == IO_WRITE)
		written += size;
	if (kind == IO_SYNC && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		directory_synced = true;
}

/* A sync that failed has dropped the kernel's dirty pages: the next one says 0
 * of itself, but the bytes are not on the disk. So the writer either goes on to
 * fail, or writes them once more. */
static void sync_fails(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(io_names); i++) {
		const char *path = in_dir(io_names[i]);
		pktfs_writer *writer = begin(path, 0);
		struct stat before, after;
		int r;

		OK(pktfs_writer_sync(writer, error_));
		assert_int_equal(stat(path, &before), 0);
		add_packets(writer, 4, 3);
		io = (struct io){.on = true, .sync_error = EIO};
		FAILS(pktfs_writer_sync(writer, error_), -EIO);
		io = (struct io){.on = true, .watch = watch_sync};
		written = 0;
		r = pktfs_writer_sync(writer, NULL);
		io.on = false;
		assert_int_equal(stat(path, &after), 0);
		if (r == 0)
			assert_true(written >= (uint64_t)(after.st_size - before.st_size));
		else
			assert_int_equal(r, -EIO);
		pktfs_writer_close(writer, NULL);
		assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), 6);
	}
}

/* The name of a new file is brought to the disk by the sync after one that
 * failed, too. */
static void sync_of_the_name(void **state)
{
	const struct pktfs_writer_options options = {.flags = PKTFS_WRITER_REPLACE};
	pktfs_writer *writer;
	int r;

	(void)state;
	OK(pktfs_writer_create(in_dir("name.pcapng"), &options, &writer, error_));
	add_ethernet(writer);
	io = (struct io){.on = true, .sync_error = EIO};
	FAILS(pktfs_writer_sync(writer, error_), -EIO);
	io = (struct io){.on = true, .watch = watch_sync};
	directory_synced = false;
	r = pktfs_writer_sync(writer, NULL);
	io.on = false;
	assert_true(r < 0 || directory_synced);
	pktfs_writer_close(writer, NULL);
}

/* Half a record could not be taken back; then the disk is well again, and
 * nothing more is written: the file ends where it did. */
static void taken_back_at_last(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(io_names) * 2; i++) {
		const char *path = in_dir(io_names[i / 2]);
		pktfs_writer *writer = begin(path, 0);
		struct pktfs_error error;

		io = (struct io){.on = true, .write_error = EIO, .write_takes = 9,
				 .cut_error = EIO};
		assert_int_equal(put(writer, 4, &error), -EIO);
		io.on = false;
		if (i & 1)
			OK(pktfs_writer_sync(writer, error_));
		else
			OK(pktfs_writer_close(writer, error_));
		assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), 3);
		if (i & 1)
			OK(pktfs_writer_close(writer, error_));
	}
}

/* ---- two at once */

static pktfs_writer *shared;
static int second_result;
static atomic_bool second_done;
static atomic_uint directory_syncs;

static void *second_sync(void *context)
{
	(void)context;
	second_result = pktfs_writer_sync(shared, NULL);
	second_done = true;
	return NULL;
}

/* When the first is about to synchronise the directory: the second one has time
 * to return, but not with success unless it has synchronised it by itself. */
static void watch_race(int fd, enum io_kind kind, uint64_t offset, const void *bytes, size_t size)
{
	pthread_t thread;
	struct stat st;

	(void)offset, (void)bytes, (void)size;
	if (kind != IO_SYNC || fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
		return;
	if (directory_syncs++ > 0)
		return;
	assert_int_equal(pthread_create(&thread, NULL, second_sync, NULL), 0);
	pthread_detach(thread);
	for (unsigned i = 0; i < 100 && !second_done; i++)
		usleep(1000);
	if (second_done && second_result == 0)
		assert_int_equal(directory_syncs, 2);
}

/* Both return after the name of the new file is on the disk. */
static void syncs_at_once(void **state)
{
	const struct pktfs_writer_options options = {.flags = PKTFS_WRITER_REPLACE};

	(void)state;
	OK(pktfs_writer_create(in_dir("race.pcapng"), &options, &shared, error_));
	add_ethernet(shared);
	io = (struct io){.on = true, .watch = watch_race};
	OK(pktfs_writer_sync(shared, error_));
	for (unsigned i = 0; i < 5000 && !second_done; i++)
		usleep(1000);
	io.on = false;
	assert_true(second_done);
	OK(pktfs_writer_close(shared, error_));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(sync_fails), CASE(sync_of_the_name), CASE(taken_back_at_last),
		CASE(syncs_at_once),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
