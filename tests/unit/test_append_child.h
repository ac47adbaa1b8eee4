/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real processes with real descriptors. The file is opened at DIR/append/0/p, so
 * that its links end as those of a mount do, and its inode number is taken for
 * that of the node.
 */
#ifndef TEST_APPEND_CHILD_H
#define TEST_APPEND_CHILD_H

#include "test_append.h"

#include <sys/wait.h>

static UNUSED const char *file_path(const char *folder)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/append", writer_dir);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/append/%s", writer_dir, folder);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/append/%s/p", writer_dir, folder);
	return path;
}

static UNUSED struct stat stat_of(const char *path)
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

static UNUSED void obey(char order, int *fd)
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

static UNUSED void run_child(int orders, int answers, int fd)
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
static UNUSED struct child begin(int fd)
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

static UNUSED void tell(struct child *child, char order)
{
	char answer;

	assert_int_equal(write(child->orders, &order, 1), 1);
	assert_int_equal(read(child->answers, &answer, 1), 1);
}

static UNUSED void end(struct child *child)
{
	/* others may have inherited its pipe: its end would not be enough */
	assert_int_equal(write(child->orders, "q", 1), 1);
	close(child->orders);
	close(child->answers);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

#endif
