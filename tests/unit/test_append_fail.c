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
	refuse(&rig, "long", NULL, NULL, 101, -EMSGSIZE,
	       "append/0/long: 101 bytes: not appended to ");
	refuse(&rig, "a b\n", "comment", "hi", 10, -EOPNOTSUPP, "append/0/a%20b%0A: 10 bytes: ");
	refuse(&rig, "t", "time", "1960-01-01", 10, -ERANGE, "append/0/t: ");
	refuse(&rig, "t", "time", "2107-01-01", 10, -ERANGE, "append/0/t: ");
	refuse(&rig, "f", "flags", "1", 10, -EOPNOTSUPP, "append/0/f: ");
	refuse(&rig, "l", "link_type", "RAW", 10, -EINVAL, "link type");
	assert_int_equal(append_create(rig.append, &blocks, "b", &(struct append_who){0}, &end,
				       &end), -EOPNOTSUPP);
	assert_int_equal(append_add_interface(rig.append, "lo", &end, &end), -EOPNOTSUPP);
	rig_said(&rig, "append/lo: no interface added to ");
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
	refuse(&rig, "p", NULL, NULL, 300, -EFBIG, "append/0/p: 300 bytes: not appended to ");
	assert_int_equal(flush(&rig, id, handle), 0);
	append_release(rig.append, id, handle);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(append_some(&rig, &first, "p", "efgh", 4), 5);
	has_packet(&rig, 4, 0, "abcd", 4);
	rig_close(&rig);
}

/* A write fails: whether its writer looks at that or not, nothing is appended. */
static void spoil(struct rig *rig, const char *name, uint64_t offset, const void *bytes,
		  size_t size, int want, const char *why)
{
	const struct append_who reader = {.flags = O_RDONLY};
	uint64_t handle, reading, found, id = create(rig, &first, name, &handle);

	put(rig, id, "abcd", 4);
	assert_int_equal(append_open_file(rig->append, id, &reader, &reading), 0);
	assert_int_equal(append_write(rig->append, id, offset, bytes, size), want);
	rig_said(rig, why);
	assert_int_equal(append_write(rig->append, id, 0, "x", 1), want);
	assert_int_equal(append_truncate(rig->append, id, 0), want);
	assert_int_equal(set(rig, id, "comment", "hi"), want);
	/* until it is closed it has its name, so that nothing else takes that */
	assert_int_equal(flush(rig, id, reading), 0);
	append_release(rig->append, id, reading);
	assert_int_equal(append_find(rig->append, &first, name, &found), 0);
	assert_int_equal(status_of(rig, id).size, 0);
	assert_int_equal(flush(rig, id, handle), want);
	assert_int_equal(append_find(rig->append, &first, name, &found), -ENOENT);
	assert_int_equal(flush(rig, id, handle), want);
	append_release(rig->append, id, handle);
	assert_int_equal(append_status_get(rig->append, id, &(struct append_status){0}), -ENOENT);
	rig_said(rig, NULL);
}

/* The other ways in which a file that is spoilt ends. */
static void spoilt(void **state)
{
	const struct append_who rsync = {.flags = O_RDWR | O_CREAT | O_EXCL, .mode = 0600};
	uint64_t handle, id, found, end;
	struct rig rig;

	(void)state;
	new_capture("spoilt.pcapng");
	rig_open(&rig, in_dir("spoilt.pcapng"));
	/* nobody flushes */
	id = create(&rig, &first, "p", &handle);
	assert_int_equal(append_write(rig.append, id, APPEND_FILE_BYTES, "x", 1), -EFBIG);
	append_release(rig.append, id, handle);
	assert_int_equal(append_find(rig.append, &first, "p", &found), -ENOENT);
	/* fsync, and then another file of that name */
	id = create(&rig, &first, "p", &handle);
	assert_int_equal(append_write(rig.append, id, APPEND_FILE_BYTES, "x", 1), -EFBIG);
	assert_int_equal(append_sync_begin(rig.append, id, &found, &end), -EFBIG);
	assert_int_equal(append_some(&rig, &first, "p", "efgh", 4), 4);
	assert_int_equal(flush(&rig, id, handle), -EFBIG);
	append_release(rig.append, id, handle);
	assert_int_equal(append_find(rig.append, &first, "p", &found), 0);
	/* rsync's; it does not come to a rename */
	assert_int_equal(append_create(rig.append, &first, ".p.Ab12Cd", &rsync, &id, &handle), 0);
	assert_int_equal(append_write(rig.append, id, APPEND_FILE_BYTES, "x", 1), -EFBIG);
	assert_int_equal(flush(&rig, id, handle), -EFBIG);
	append_release(rig.append, id, handle);
	assert_int_equal(append_rename(rig.append, &first, ".p.Ab12Cd", &first, "q", false, &end),
			 -ENOENT);
	/* renamed meanwhile */
	id = create(&rig, &first, "a", &handle);
	assert_int_equal(append_write(rig.append, id, APPEND_FILE_BYTES, "x", 1), -EFBIG);
	assert_int_equal(append_rename(rig.append, &first, "a", &first, "b", false, &end), 0);
	assert_int_equal(flush(&rig, id, handle), -EFBIG);
	append_release(rig.append, id, handle);
	assert_int_equal(append_next(rig.append, &first, id - 1, &found, (char[256]){0}), -ENOENT);
	/* what is committed is as it is, whoever writes to it */
	id = create(&rig, &first, "c", &handle);
	put(&rig, id, "ijkl", 4);
	assert_int_equal(flush(&rig, id, handle), 0);
	assert_int_equal(append_write(rig.append, id, APPEND_FILE_BYTES, "x", 1), -EROFS);
	assert_int_equal(flush(&rig, id, handle), 0);
	append_release(rig.append, id, handle);
	has_packet(&rig, 5, 0, "ijkl", 4);
	assert_int_equal(packets_of(&rig), 5);
	assert_int_equal(rig.append->pending_bytes, 0);
	rig_close(&rig);
}

static void limits(void **state)
{
	static uint8_t bytes[1 << 20];
	uint64_t handle[5], id[5], late;
	struct rig rig;
	unsigned i;

	(void)state;
	new_capture("limits.pcapng");
	rig_open(&rig, in_dir("limits.pcapng"));
	for (i = 0; i < 5; i++)
		id[i] = create(&rig, &first, (char[]){(char)('a' + i), 0}, &handle[i]);
	assert_int_equal(append_truncate(rig.append, id[0], APPEND_FILE_BYTES + 1), -EFBIG);
	for (i = 0; i < 4; i++)
		assert_int_equal(append_truncate(rig.append, id[i], APPEND_FILE_BYTES - 2048), 0);
	spoil(&rig, "p", 0, bytes, sizeof(bytes), -ENOSPC,
	      "append/0/p: 1048576 bytes: not appended to ");
	assert_int_equal(append_truncate(rig.append, id[4], sizeof(bytes)), -ENOSPC);
	assert_int_equal(append_truncate(rig.append, id[1], 0), 0);
	assert_int_equal(append_write(rig.append, id[4], 0, bytes, sizeof(bytes)), sizeof(bytes));
	spoil(&rig, "p", APPEND_FILE_BYTES, bytes, 1, -EFBIG,
	      "append/0/p: 268435457 bytes: not appended to ");
	spoil(&rig, "p", UINT64_MAX, bytes, 1, -EFBIG, "append/0/p: ");
	late = create(&rig, &first, "late", &(uint64_t){0});
	assert_int_equal(append_write(rig.append, late, APPEND_FILE_BYTES, "x", 1), -EFBIG);
	rig_said(&rig, "accepted up to 268435456 in a file");
	for (i = 0; i < 4; i++)
		assert_int_equal(append_remove(rig.append, &first, (char[]){(char)('a' + i), 0}),
				 0);
	for (i = 0; i < 5; i++)
		append_release(rig.append, id[i], handle[i]);
	see(&rig, rig.append->written);
	assert_int_equal(packets_of(&rig), 4);
	assert_int_equal(rig.append->pending_bytes, 0);
	assert_int_equal(append_stop(rig.append), 0);
	assert_int_equal(packets_of(&rig), 4);
	rig_close(&rig);
}

/* A file of rsync's that nobody has open any more. */
static uint64_t waiting(struct rig *rig, const char *name, const char *bytes)
{
	const struct append_who who = {.pid = getpid(), .flags = O_RDWR | O_CREAT | O_EXCL};
	uint64_t handle, id;

	assert_int_equal(append_create(rig->append, &first, name, &who, &id, &handle), 0);
	put(rig, id, bytes, 4);
	append_release(rig->append, id, handle);
	return id;
}

/* What is closed is committed, and what the disk says of it is told. */
static void stopped(void **state)
{
	uint64_t handle, id;
	struct rig rig;

	(void)state;
	new_capture("stopped.pcapng");
	rig_open(&rig, in_dir("stopped.pcapng"));
	create(&rig, &first, "empty", &handle);
	waiting(&rig, ".a.AbC013", "abcd");
	id = waiting(&rig, ".b.AbC013", "efgh");
	assert_int_equal(set(&rig, id, "link_type", "RAW"), 0);
	/* its RELEASE does not come any more */
	id = create(&rig, &first, "c", &handle);
	assert_int_equal(flush(&rig, id, handle), 0);
	put(&rig, id, "ijkl", 4);
	assert_int_equal(append_stop(rig.append), -EINVAL);
	rig_said(&rig, "append/0/.b.AbC013");
	assert_int_equal(append_stop(rig.append), 0);
	see(&rig, rig.append->written);
	has_packet(&rig, 4, 0, "abcd", 4);
	has_packet(&rig, 5, 0, "ijkl", 4);
	assert_int_equal(packets_of(&rig), 5);
	rig_close(&rig);
}

/* What is still written to is not. */
static void stopped_open(void **state)
{
	uint64_t handle, id;
	struct rig rig;

	(void)state;
	new_capture("open.pcapng");
	rig_open(&rig, in_dir("open.pcapng"));
	id = create(&rig, &first, "p", &handle);
	put(&rig, id, "abcd", 4);
	assert_int_equal(append_stop(rig.append), 0);
	rig_said(&rig, "append/0/p: 4 bytes: not appended to ");
	assert_int_equal(append_find(rig.append, &first, "p", &id), -ENOENT);
	assert_int_equal(packets_of(&rig), 3);
	rig_close(&rig);
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
	rig_said(&rig, "append/0/p: 4 bytes: not appended to ");
	append_release(rig.append, id, handle);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused), cmocka_unit_test(no_room), cmocka_unit_test(limits),
		cmocka_unit_test(stopped),
		cmocka_unit_test(stopped_open), cmocka_unit_test(stale),   cmocka_unit_test(spoilt),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
