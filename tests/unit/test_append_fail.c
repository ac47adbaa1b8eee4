/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of append/: what is refused and why, limits, the end. */
#include "test_append.h"

#include <sys/resource.h>

static void refuse(struct rig *rig, const char *name, const char *attribute, const char *value,
		   size_t size, int want, const char *why)
{
	static uint8_t bytes[70000];
	uint64_t handle, id = create(rig, &first, name, &handle), found;

	put(rig, id, bytes, size);
	if (attribute)
		assert_int_equal(set(rig, id, attribute, value), 0);
	assert_int_equal(flush(rig, id, handle), want);
	rig_said(rig, why);
	assert_int_equal(append_find(rig->append, &first, name, &found), -ENOENT);
	assert_int_equal(append_write(rig->append, id, 0, "x", 1), want);
	assert_int_equal(flush(rig, id, handle), want);
	assert_false(status_of(rig, id).committed);
	append_release(rig->append, id, handle);
	assert_int_equal(append_status_get(rig->append, id, &(struct append_status){0}), -ENOENT);
	rig_said(rig, NULL);
}

static void refused(void **state)
{
	struct pktfs_new_interface interface = {.link_type = 1, .snaplen = 100};
	const struct pktfs_writer_options micro = {.format = PKTFS_WRITER_PCAP};
	pktfs_writer *writer;
	struct rig rig;
	uint64_t end;

	(void)state;
	OK(pktfs_writer_create(in_dir("small.pcap"), &micro, &writer, error_));
	OK(pktfs_writer_interface(writer, &interface, NULL, error_));
	OK(pktfs_writer_close(writer, error_));
	rig_open(&rig, in_dir("small.pcap"));
	assert_false(append_has_blocks(rig.append));
	assert_true(append_has_only(rig.append));
	refuse(&rig, "long", NULL, NULL, 101, -EMSGSIZE, "append/0/long: 101 bytes: not appended: ");
	refuse(&rig, "a b\n", "comment", "hi", 10, -EOPNOTSUPP, "append/0/a%20b%0A: 10 bytes: ");
	refuse(&rig, "t", "time", "1960-01-01", 10, -ERANGE, "append/0/t: ");
	refuse(&rig, "t", "time", "2107-01-01", 10, -ERANGE, "append/0/t: ");
	refuse(&rig, "o", "original_length", "5", 10, -EINVAL, "original length");
	refuse(&rig, "l", "link_type", "RAW", 10, -EINVAL, "link type");
	assert_int_equal(append_create(rig.append, &blocks, "b", &(struct append_who){0}, &end,
				       &end), -EOPNOTSUPP);
	assert_int_equal(append_add_interface(rig.append, "lo", &end, &end), -EOPNOTSUPP);
	assert_int_equal(append_some(&rig, &only, "good", "abcd", 4), 1);
	assert_int_equal(status_of(&rig, 7).time.nsec % 1000, 0);
	rig_close(&rig);
}

/* The file cannot grow: what is refused is not in it, and others go on. */
static void no_room(void **state)
{
	struct rlimit limit, before;
	struct pktfs_writer_status status;
	struct rig rig;
	uint64_t id, handle;

	(void)state;
	new_capture("room.pcapng");
	rig_open(&rig, in_dir("room.pcapng"));
	pktfs_writer_status_get(rig.append->writer, &status);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = status.stored_end + 200;
	id = create(&rig, &first, "other", &handle);
	put(&rig, id, "abcd", 4);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	refuse(&rig, "p", NULL, NULL, 300, -EFBIG, "append/0/p: 300 bytes: not appended: ");
	assert_int_equal(flush(&rig, id, handle), 0);
	append_release(rig.append, id, handle);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(append_some(&rig, &first, "p", "efgh", 4), 5);
	has_packet(&rig, 4, 0, "abcd", 4);
	rig_close(&rig);
}

static void limits(void **state)
{
	static uint8_t bytes[1 << 20];
	uint64_t handle[5], id[5];
	struct rig rig;
	unsigned i;

	(void)state;
	new_capture("limits.pcapng");
	rig_open(&rig, in_dir("limits.pcapng"));
	for (i = 0; i < 5; i++)
		id[i] = create(&rig, &first, (char[]){(char)('a' + i), 0}, &handle[i]);
	assert_int_equal(append_write(rig.append, id[0], APPEND_FILE_BYTES, "x", 1), -EFBIG);
	assert_int_equal(append_write(rig.append, id[0], UINT64_MAX, "x", 1), -EFBIG);
	assert_int_equal(append_truncate(rig.append, id[0], APPEND_FILE_BYTES + 1), -EFBIG);
	for (i = 0; i < 4; i++)
		assert_int_equal(append_truncate(rig.append, id[i], APPEND_FILE_BYTES - 2048), 0);
	assert_int_equal(append_write(rig.append, id[4], 0, bytes, sizeof(bytes)), -ENOSPC);
	assert_int_equal(append_truncate(rig.append, id[1], 0), 0);
	assert_int_equal(append_write(rig.append, id[4], 0, bytes, sizeof(bytes)), sizeof(bytes));
	for (i = 0; i < 4; i++)
		assert_int_equal(append_remove(rig.append, &first, (char[]){(char)('a' + i), 0}),
				 0);
	for (i = 0; i < 5; i++)
		append_release(rig.append, id[i], handle[i]);
	see(&rig, rig.append->written);
	assert_int_equal(packets_of(&rig), 4);
	assert_int_equal(rig.append->pending_bytes, 0);
	rig_close(&rig);
}

/* What is open at the end is committed; what the disk says of it is told. */
static void stopped(void **state)
{
	uint64_t handle, id;
	struct rig rig;

	(void)state;
	new_capture("stopped.pcapng");
	rig_open(&rig, in_dir("stopped.pcapng"));
	create(&rig, &first, "empty", &handle);
	id = create(&rig, &first, "a", &handle);
	put(&rig, id, "abcd", 4);
	id = create(&rig, &first, "b", &handle);
	put(&rig, id, "efgh", 4);
	assert_int_equal(set(&rig, id, "original_length", "1"), 0);
	id = create(&rig, &first, "c", &handle);
	put(&rig, id, "ijkl", 4);
	assert_int_equal(append_stop(rig.append), -EINVAL);
	rig_said(&rig, "append/0/b");
	assert_int_equal(append_stop(rig.append), 0);
	see(&rig, rig.append->written);
	has_packet(&rig, 4, 0, "abcd", 4);
	has_packet(&rig, 5, 0, "ijkl", 4);
	assert_int_equal(packets_of(&rig), 5);
	pktfs_close(rig.capture);
	append_close(rig.append);
	append_close(NULL);
}

/* Somebody else has changed the file. */
static void stale(void **state)
{
	struct statvfs space;
	uint64_t handle, id;
	struct rig rig;
	int fd;

	(void)state;
	new_capture("stale.pcapng");
	rig_open(&rig, in_dir("stale.pcapng"));
	assert_int_equal(append_statvfs(rig.append, &space), 0);
	assert_true(space.f_blocks > 0);
	id = create(&rig, &first, "p", &handle);
	put(&rig, id, "abcd", 4);
	fd = open(in_dir("stale.pcapng"), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "garbage!", 8), 8);
	close(fd);
	assert_int_equal(flush(&rig, id, handle), -ESTALE);
	rig_said(&rig, "append/0/p: 4 bytes: not appended: was changed by another program");
	append_release(rig.append, id, handle);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused), cmocka_unit_test(no_room), cmocka_unit_test(limits),
		cmocka_unit_test(stopped), cmocka_unit_test(stale),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
