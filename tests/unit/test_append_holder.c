/* SPDX-License-Identifier: BSD-2-Clause */
/* Which process has a file open, and which file it is. */
#include "test_append_child.h"

#include <sys/resource.h>

static struct append_paths paths = {.count = 1, .text = {"/append/0/p"}};

/* The file is there, and is the one that is asked for. */
static void make_file(void)
{
	close(open(file_path("0"), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	paths.node = stat_of(file_path("0")).st_ino;
}

static void holders(void **state)
{
	struct child child = begin(-1);

	(void)state;
	make_file();
	assert_int_equal(append_holder(child.pid, &paths), APPEND_HOLDS_NOT);
	tell(&child, 'o');
	assert_int_equal(append_holder(child.pid, &paths), APPEND_HOLDS);
	assert_int_equal(unlink(file_path("0")), 0);
	assert_int_equal(append_holder(child.pid, &paths), APPEND_HOLDS);
	tell(&child, 'c');
	assert_int_equal(append_holder(child.pid, &paths), APPEND_HOLDS_NOT);
	make_file();
	tell(&child, 'o');
	tell(&child, 'd');
	tell(&child, 'c');
	assert_int_equal(append_holder(child.pid, &paths), APPEND_HOLDS);
	tell(&child, 'C');
	assert_int_equal(append_holder(child.pid, &paths), APPEND_HOLDS_NOT);
	/* for reading only */
	tell(&child, 'r');
	assert_int_equal(append_holder(child.pid, &paths), APPEND_HOLDS_NOT);
	end(&child);
	assert_int_equal(append_holder(child.pid, &paths), APPEND_HOLDS_NOT);
}

/* Which file it is. */
static void identity(void **state)
{
	struct append_paths other;
	int fd;

	(void)state;
	make_file();
	fd = open(file_path("0"), O_WRONLY | O_CLOEXEC);
	/* another directory, as in a bind mount */
	other = paths;
	strcpy(other.text[0], "/append/1/p");
	assert_int_equal(append_holder(getpid(), &other), APPEND_HOLDS);
	strcpy(other.text[0], "/append/0/q");
	assert_int_equal(append_holder(getpid(), &other), APPEND_HOLDS_NOT);
	/* "0/p" is no name */
	strcpy(other.text[0], "/append/0/0p");
	assert_int_equal(append_holder(getpid(), &other), APPEND_HOLDS_NOT);
	other = paths;
	other.node++;
	assert_int_equal(append_holder(getpid(), &other), APPEND_HOLDS_NOT);
	other = paths;
	other.device = stat_of(file_path("0")).st_dev;
	assert_int_equal(append_holder(getpid(), &other), APPEND_HOLDS);
	other.device++;
	assert_int_equal(append_holder(getpid(), &other), APPEND_HOLDS_NOT);
	/* a removed one, and another that has its name */
	assert_int_equal(unlink(file_path("0")), 0);
	assert_int_equal(append_holder(getpid(), &paths), APPEND_HOLDS);
	other = paths;
	make_file();
	assert_int_equal(append_holder(getpid(), &other), APPEND_HOLDS);
	assert_int_equal(append_holder(getpid(), &paths), APPEND_HOLDS_NOT);
	close(fd);
}

/* More descriptors than one call lists. */
static void many_descriptors(void **state)
{
	int fds[600], i, fd;

	(void)state;
	make_file();
	for (i = 0; i < 600; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd = open(file_path("0"), O_WRONLY | O_CREAT, 0666);
	assert_int_equal(append_holder(getpid(), &paths), APPEND_HOLDS);
	close(fd);
	assert_int_equal(append_holder(getpid(), &paths), APPEND_HOLDS_NOT);
	for (i = 0; i < 600; i++)
		close(fds[i]);
}

/* What lies above the limit is not looked at. */
static void too_many_descriptors(void **state)
{
	const rlim_t room = APPEND_HOLDER_LIMIT + 100;
	struct rlimit limit;
	int null, low, high;

	(void)state;
	make_file();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < room)
		skip();
	limit.rlim_cur = MAX(limit.rlim_cur, room);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	low = open(file_path("0"), O_WRONLY | O_CLOEXEC);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int fd = null + 1; fd < (int)APPEND_HOLDER_LIMIT; fd++)
		assert_int_equal(dup3(null, fd, O_CLOEXEC), fd);
	assert_int_equal(append_holder(getpid(), &paths), APPEND_HOLDS);
	high = dup3(low, (int)room - 1, O_CLOEXEC);
	assert_int_equal(high, room - 1);
	dup3(null, low, O_CLOEXEC);
	assert_int_equal(append_holder(getpid(), &paths), APPEND_HOLDS_NOT);
	assert_int_equal(close_range((unsigned)low, ~0u, 0), 0);
}

static void last(void **state)
{
	struct child opener = begin(-1), other = begin(-1);

	(void)state;
	make_file();
	tell(&opener, 'o');
	assert_false(append_holder_was_last(opener.pid, opener.pid, &paths));
	assert_false(append_holder_was_last(opener.pid, other.pid, &paths));
	assert_false(append_holder_was_last(opener.pid, 0, &paths));
	assert_true(append_holder_was_last(0, other.pid, &paths));
	assert_true(append_holder_was_last(0, 0, &paths));
	assert_false(append_holder_was_last(0, opener.pid, &paths));
	/* the one that closes has it, too */
	assert_false(append_holder_was_last(other.pid, opener.pid, &paths));
	tell(&opener, 'c');
	assert_true(append_holder_was_last(opener.pid, opener.pid, &paths));
	assert_true(append_holder_was_last(opener.pid, other.pid, &paths));
	end(&opener);
	assert_true(append_holder_was_last(opener.pid, other.pid, &paths));
	end(&other);
}

static _Atomic pid_t tid;

static void *hold_thread(void *context)
{
	tid = gettid();
	sleep_ms(300);
	return context;
}

static int open_nothing(void *context, pid_t pid)
{
	(void)context;
	(void)pid;
	return -EACCES;
}

/* Threads share their descriptors. */
static void threads(void **state)
{
	pthread_t thread;
	int fd;

	(void)state;
	make_file();
	fd = open(file_path("0"), O_WRONLY);
	assert_int_equal(append_holder_process(getpid(), NULL, NULL), getpid());
	assert_int_equal(append_holder_process(0, NULL, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, hold_thread, NULL), 0);
	while (!tid)
		sleep_ms(1);
	assert_int_equal(append_holder_process(tid, NULL, NULL), getpid());
	assert_int_equal(append_holder_process(tid, open_nothing, NULL), tid);
	assert_false(append_holder_was_last(tid, getpid(), &paths));
	assert_false(append_holder_was_last(getpid(), tid, &paths));
	close(fd);
	assert_true(append_holder_was_last(tid, getpid(), &paths));
	assert_true(append_holder_was_last(getpid(), tid, &paths));
	pthread_join(thread, NULL);
	assert_true(append_holder_was_last(tid, getpid(), &paths));
	assert_int_equal(append_holder_process(tid, NULL, NULL), tid);
}

/* What another user's process has cannot be seen. */
static void not_allowed(void **state)
{
	struct child opener = begin(-1), other = begin(-1);
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		end(&opener);
		end(&other);
		skip();
	}
	pid = fork();
	if (pid == 0) {
		if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
			_exit(1);
		if (append_holder(opener.pid, &paths) != APPEND_HOLDS_UNKNOWN)
			_exit(2);
		/* its own close is believed; that of another is not */
		if (!append_holder_was_last(opener.pid, opener.pid, &paths))
			_exit(3);
		if (append_holder_was_last(opener.pid, other.pid, &paths))
			_exit(4);
		if (append_holder_was_last(opener.pid, getpid(), &paths))
			_exit(5);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	end(&opener);
	end(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holders),
		cmocka_unit_test(identity),
		cmocka_unit_test(many_descriptors),
		cmocka_unit_test(too_many_descriptors),
		cmocka_unit_test(last),
		cmocka_unit_test(threads),
		cmocka_unit_test(not_allowed),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
