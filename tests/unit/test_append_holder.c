/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which close commits: real processes with real descriptors. The file is
 * opened at DIR/append/0/p, so that its links end as those of a mount do, and its
 * inode number is taken for that of the node; what the kernel would send to the
 * daemon is called by hand.
 */
#include "test_append.h"

#include <sys/resource.h>
#include <sys/wait.h>

static const char *file_path(const char *folder)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/append", writer_dir);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/append/%s", writer_dir, folder);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/append/%s/p", writer_dir, folder);
	return path;
}

static struct stat stat_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st;
}

/* A child that does what it is told, a letter each, and answers with one. */
struct child {
	pid_t pid;
	int orders, answers;
};

static void obey(char order, int *fd)
{
	switch (order) {
	case 'o':
		*fd = open(file_path("0"), O_WRONLY | O_CREAT, 0666);
		break;
	case 'r':
		*fd = open(file_path("0"), O_RDONLY);
		break;
	case 'd':
		if (dup2(*fd, 77) < 0)
			_exit(1);
		break;
	case 'c':
		close(*fd);
		break;
	case 'C':
		close(77);
		break;
	default:
		_exit(0);
	}
}

static void run_child(int orders, int answers, int fd)
{
	char order;

	while (read(orders, &order, 1) == 1) {
		obey(order, &fd);
		if (write(answers, &order, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

/* `fd`: what it inherits. */
static struct child begin(int fd)
{
	int orders[2], answers[2];
	struct child child;

	assert_int_equal(pipe2(orders, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
	child.pid = fork();
	if (child.pid == 0)
		run_child(orders[0], answers[1], fd);
	close(orders[0]);
	close(answers[1]);
	child.orders = orders[1];
	child.answers = answers[0];
	return child;
}

static void tell(struct child *child, char order)
{
	char answer;

	assert_int_equal(write(child->orders, &order, 1), 1);
	assert_int_equal(read(child->answers, &answer, 1), 1);
}

static void end(struct child *child)
{
	/* others may have inherited its pipe: its end would not be enough */
	assert_int_equal(write(child->orders, "q", 1), 1);
	close(child->orders);
	close(child->answers);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

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

/* ---- with files of append/ */

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
		cmocka_unit_test(holders),     cmocka_unit_test(identity),
		cmocka_unit_test(many_descriptors), cmocka_unit_test(too_many_descriptors),
		cmocka_unit_test(last),	       cmocka_unit_test(threads),
		cmocka_unit_test(not_allowed), cmocka_unit_test(a_group),
		cmocka_unit_test(a_command),   cmocka_unit_test(an_orphan),
		cmocka_unit_test(by_name),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
