/* SPDX-License-Identifier: BSD-2-Clause */
/* Which close commits; what the kernel would send to the daemon is called by hand. */
#include "test_append_child.h"

#include <limits.h>

static uint64_t create_as(struct rig *rig, const struct append_place *place, pid_t pid,
			  uint64_t *ret_handle)
{
	const struct append_who who = {.pid = pid, .flags = O_WRONLY | O_CREAT};
	uint64_t id;

	assert_int_equal(append_create(rig->append, place, "p", &who, &id, ret_handle), 0);
	return id;
}

/* The next that is created is this file. */
static void is_file(struct rig *rig, const char *path)
{
	rig->append->node_base = stat_of(path).st_ino - (rig->append->table.last_id + 1);
}

static bool commits(struct rig *rig, uint64_t id, uint64_t handle, pid_t pid)
{
	uint64_t seen;

	assert_int_equal(append_flush(rig->append, id, handle, pid, &seen), 0);
	assert_int_equal(seen != 0, status_of(rig, id).committed);
	return seen != 0;
}

static void start(struct rig *rig)
{
	unlink(in_dir("c.pcapng"));
	make_capture(in_dir("c.pcapng"), NULL, 3);
	rig_open(rig, in_dir("c.pcapng"));
}

/* { cat a; cat b; } > p: the shell opens, its children write and end. */
static void a_group(void **state)
{
	struct child shell = begin(-1), cat;
	uint64_t id, handle;
	struct rig rig;
	int fd;

	(void)state;
	start(&rig);
	tell(&shell, 'o');
	is_file(&rig, file_path("0"));
	id = create_as(&rig, &first, shell.pid, &handle);
	tell(&shell, 'd');
	tell(&shell, 'c');
	assert_false(commits(&rig, id, handle, shell.pid)); /* nothing in it */
	fd = open(file_path("0"), O_WRONLY);
	cat = begin(fd);
	close(fd);
	assert_int_equal(append_write(rig.append, id, 0, "a", 1), 1);
	assert_false(commits(&rig, id, handle, cat.pid));
	end(&cat);
	assert_false(commits(&rig, id, handle, cat.pid));
	assert_int_equal(append_write(rig.append, id, 1, "b", 1), 1);
	tell(&shell, 'C');
	assert_true(commits(&rig, id, handle, shell.pid));
	append_release(rig.append, id, handle);
	see(&rig, rig.append->written);
	has_packet(&rig, 4, 0, "ab", 2);
	end(&shell);
	rig_close(&rig);
}

/* cat x > p: opened by the child of a shell, duplicated, closed by its end. */
static void a_command(void **state)
{
	struct child cat = begin(-1);
	uint64_t id, handle;
	struct rig rig;

	(void)state;
	start(&rig);
	tell(&cat, 'o');
	is_file(&rig, file_path("0"));
	id = create_as(&rig, &first, cat.pid, &handle);
	put(&rig, id, "abcd", 4);
	tell(&cat, 'd');
	tell(&cat, 'c');
	assert_false(commits(&rig, id, handle, cat.pid));
	end(&cat);
	assert_true(commits(&rig, id, handle, cat.pid));
	append_release(rig.append, id, handle);
	rig_close(&rig);
}

/* The opener ends first, and its child goes on. */
static void an_orphan(void **state)
{
	struct child opener = begin(-1), orphan;
	uint64_t id, handle;
	struct rig rig;
	int fd;

	(void)state;
	start(&rig);
	fd = open(file_path("0"), O_WRONLY | O_CREAT, 0666);
	is_file(&rig, file_path("0"));
	id = create_as(&rig, &first, opener.pid, &handle);
	end(&opener);
	assert_false(commits(&rig, id, handle, opener.pid)); /* nothing in it */
	orphan = begin(fd);
	close(fd);
	put(&rig, id, "abcd", 4);
	tell(&orphan, 'd');
	tell(&orphan, 'c');
	assert_false(commits(&rig, id, handle, orphan.pid));
	tell(&orphan, 'C');
	assert_true(commits(&rig, id, handle, orphan.pid));
	append_release(rig.append, id, handle);
	end(&orphan);
	rig_close(&rig);
}

static uint64_t open_as(struct rig *rig, uint64_t id, pid_t pid)
{
	const struct append_who who = {.pid = pid, .flags = O_WRONLY};
	uint64_t handle;

	assert_int_equal(append_open_file(rig->append, id, &who, &handle), 0);
	return handle;
}

/* touch(1) while somebody writes; both opened it. */
static void two_writers(void **state)
{
	struct child writer = begin(-1), toucher = begin(-1);
	uint64_t id, handle, other;
	struct rig rig;

	(void)state;
	start(&rig);
	tell(&writer, 'o');
	is_file(&rig, file_path("0"));
	id = create_as(&rig, &first, writer.pid, &handle);
	put(&rig, id, "abcd", 4);
	tell(&toucher, 'o');
	other = open_as(&rig, id, toucher.pid);
	tell(&toucher, 'c');
	assert_false(commits(&rig, id, other, toucher.pid));
	/* one descriptor of two is closed: it still is with the writer */
	tell(&writer, 'd');
	tell(&writer, 'c');
	assert_false(commits(&rig, id, handle, writer.pid));
	assert_false(commits(&rig, id, other, toucher.pid));
	tell(&writer, 'C');
	/* not released so far */
	assert_true(commits(&rig, id, handle, writer.pid));
	append_release(rig.append, id, other);
	append_release(rig.append, id, handle);
	end(&writer);
	end(&toucher);
	rig_close(&rig);
}

/* One that was never closed is open, whoever has it. */
static void never_flushed(void **state)
{
	uint64_t id, handle, others[2];
	struct rig rig;

	(void)state;
	start(&rig);
	id = create(&rig, &first, "p", &handle);
	put(&rig, id, "abcd", 4);
	others[0] = open_as(&rig, id, 0);
	others[1] = open_as(&rig, id, 0);
	assert_false(commits(&rig, id, handle, getpid()));
	append_release(rig.append, id, others[0]);
	assert_false(commits(&rig, id, handle, getpid()));
	assert_true(commits(&rig, id, others[1], getpid()));
	append_release(rig.append, id, others[1]);
	append_release(rig.append, id, handle);
	rig_close(&rig);
}

/* More than are looked at: then the last release does it. */
static void many_writers(void **state)
{
	uint64_t id, handles[10];
	struct rig rig;

	(void)state;
	start(&rig);
	id = create(&rig, &first, "p", &handles[0]);
	put(&rig, id, "abcd", 4);
	for (unsigned i = 1; i < 10; i++)
		handles[i] = open_as(&rig, id, INT_MAX - (pid_t)i);
	for (unsigned i = 0; i < 10; i++)
		assert_false(commits(&rig, id, handles[i], INT_MAX));
	for (unsigned i = 0; i < 9; i++)
		append_release(rig.append, id, handles[i]);
	assert_false(status_of(&rig, id).committed);
	append_release(rig.append, id, handles[9]);
	assert_true(status_of(&rig, id).committed);
	rig_close(&rig);
}

/* The thread that opened it has ended; a child of the process closes. */
static void *open_thread(void *context)
{
	struct rig *rig = context;
	uint64_t handle;

	create_as(rig, &first, gettid(), &handle);
	return (void *)(uintptr_t)handle;
}

static void a_thread_that_ended(void **state)
{
	struct child child;
	pthread_t thread;
	uint64_t id = 1;
	struct rig rig;
	void *handle;
	int fd;

	(void)state;
	start(&rig);
	fd = open(file_path("0"), O_WRONLY | O_CREAT, 0666);
	is_file(&rig, file_path("0"));
	assert_int_equal(pthread_create(&thread, NULL, open_thread, &rig), 0);
	assert_int_equal(pthread_join(thread, &handle), 0);
	put(&rig, id, "abcd", 4);
	child = begin(-1);
	assert_false(commits(&rig, id, (uintptr_t)handle, child.pid));
	close(fd);
	end(&child);
	assert_true(commits(&rig, id, (uintptr_t)handle, getpid()));
	append_release(rig.append, id, (uintptr_t)handle);
	rig_close(&rig);
}

/* By the name that an interface was added under. */
static void by_name(void **state)
{
	const struct append_place added = {.kind = APPEND_INTERFACE, .interface = 1};
	uint64_t id, handle, interface, seen;
	struct rig rig;
	int fd;

	(void)state;
	start(&rig);
	assert_int_equal(append_add_interface(rig.append, "tap0", &interface, &seen), 0);
	assert_int_equal(interface, 1);
	see(&rig, seen);
	fd = open(file_path("tap0"), O_WRONLY | O_CREAT, 0666);
	is_file(&rig, file_path("tap0"));
	id = create_as(&rig, &added, getpid(), &handle);
	put(&rig, id, "abcd", 4);
	assert_false(commits(&rig, id, handle, getpid()));
	close(fd);
	fd = open(file_path("0"), O_WRONLY | O_CREAT, 0666); /* another */
	assert_true(commits(&rig, id, handle, getpid()));
	close(fd);
	append_release(rig.append, id, handle);
	see(&rig, rig.append->written);
	has_packet(&rig, 4, 1, "abcd", 4);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group),
		cmocka_unit_test(a_command),
		cmocka_unit_test(an_orphan),
		cmocka_unit_test(two_writers),
		cmocka_unit_test(never_flushed),
		cmocka_unit_test(many_writers),
		cmocka_unit_test(a_thread_that_ended),
		cmocka_unit_test(by_name),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
