/* SPDX-License-Identifier: BSD-2-Clause */
/* What the keeper does for a daemon, and what it does not, whoever asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "append/append_holder.h"
#include "cli/cli_keeper.h"
#include "cli/cli_keeper_talk.h"
#include "util/util_base.h"

struct fixture {
	char dir[64];
	char given[96], other[96], folder[96];
	const char *files[1], *directories[1];
	struct cli_keeper keeper;
};

static void put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_return_code(fd, errno);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static char *in(const struct fixture *fixture, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
	return path;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct cli_keeper_task task = {.name = "/dev/null", .mount_options = "ro"};

	strcpy(f->dir, "/tmp/pktfs-keeper-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->given, sizeof(f->given), "%s/given", f->dir);
	snprintf(f->other, sizeof(f->other), "%s/other", f->dir);
	snprintf(f->folder, sizeof(f->folder), "%s/folder", f->dir);
	put(f->given);
	put(f->other);
	assert_int_equal(mkdir(f->folder, 0700), 0);
	put(in(f, "folder/a"));
	assert_int_equal(mkdir(in(f, "folder/b"), 0700), 0);
	put(in(f, "folder/b/c"));
	assert_int_equal(symlink(f->other, in(f, "folder/link")), 0);
	assert_int_equal(mkfifo(in(f, "folder/pipe"), 0600), 0);
	put(in(f, "made"));
	f->files[0] = f->given;
	f->directories[0] = f->folder;
	task.files = f->files;
	task.file_count = 1;
	task.directories = f->directories;
	task.directory_count = 1;
	task.spool = f->dir;
	task.made = in(f, "made");
	assert_int_equal(cli_keeper_start(&f->keeper, &task), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"given", "other", "folder/a", "folder/b/c",
					    "folder/link", "folder/pipe", "made"};
	struct fixture *f = *state;

	cli_keeper_stop(&f->keeper);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(in(f, names[i]));
	rmdir(in(f, "folder/b"));
	rmdir(f->folder);
	rmdir(f->dir);
	free(f);
	return 0;
}

static int opened(struct fixture *f, const char *path)
{
	int fd = cli_keeper_open(&f->keeper, path, O_RDONLY), r = fd;
	char byte;

	if (fd < 0)
		return r;
	r = read(fd, &byte, 1) == 1 && byte == 'x' && write(fd, "y", 1) < 0 &&
			    fcntl(fd, F_GETFD) == FD_CLOEXEC
		    ? 0
		    : -EIO;
	close(fd);
	return r;
}

static void files(void **state)
{
	static const struct {
		const char *name; /* in the directory of the test; or a whole path */
		int result;
	} cases[] = {
		{"given", 0},
		{"folder/a", 0},
		{"other", -EACCES},
		{"folder", -EACCES},
		{"folder/", -EACCES},
		{"folder/.", -EACCES},
		{"folder/..", -EACCES},
		{"folder/../other", -EACCES},
		{"folder/b", -EACCES},
		{"folder/b/c", -EACCES},
		{"folder/link", -ELOOP},
		{"folder/pipe", -EACCES},
		{"folder/none", -ENOENT},
		{"folder//a", -EACCES},
		{"folderx", -EACCES},
		{"/etc/passwd", -EACCES},
		{"", -EACCES},
	};
	struct fixture *f = *state;
	char path[PATH_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = cases[i].name;
		int r = opened(f, *name && *name != '/' ? in(f, name) : name);

		if (r != cases[i].result)
			fail_msg("'%s': %d instead of %d", name, r, cases[i].result);
	}
	memset(path, '/', PATH_MAX);
	path[PATH_MAX] = '\0';
	assert_int_equal(opened(f, path), -ENAMETOOLONG);
}

/* Wherever it is asked for, it is where the task says. */
static void spools(void **state)
{
	struct fixture *f = *state;
	int fd = cli_keeper_open(&f->keeper, "/etc", O_TMPFILE | O_RDWR);
	struct stat st, dir;

	assert_return_code(fd, -fd);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(stat(f->dir, &dir), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_dev, dir.st_dev);
	close(fd);
}

static void processes(void **state)
{
	static const struct append_paths nowhere = {.count = 1, .text = {"/append/0/nothing"}};
	static const struct append_paths elsewhere = {.count = 1, .text = {"/other"}};
	struct append_paths many = nowhere;
	struct fixture *f = *state;
	char text[16] = "";
	int fd;

	fd = cli_keeper_open_status(&f->keeper, getpid());
	assert_return_code(fd, -fd);
	assert_int_equal(read(fd, text, 5), 5);
	assert_string_equal(text, "Name:");
	close(fd);
	assert_int_equal(cli_keeper_open_status(&f->keeper, -5), -ENOENT);
	assert_true(cli_keeper_was_last(&f->keeper, getpid(), getpid(), &nowhere));
	/* no answer about what is not in a mount, and none that does harm */
	fd = open(f->other, O_WRONLY | O_CLOEXEC);
	assert_true(cli_keeper_was_last(&f->keeper, getpid(), getpid(), &elsewhere));
	close(fd);
	many.count = 1000000;
	memset(many.text, '/', sizeof(many.text));
	assert_true(cli_keeper_was_last(&f->keeper, getpid(), getpid(), &many));
}

/* What is no question ends it, or is refused. */
static void nonsense(void **state)
{
	struct keeper_question question = {.verb = (enum keeper_verb)77};
	struct fixture *f = *state;
	struct keeper_answer answer;
	dev_t device;
	int fd;

	assert_int_equal(keeper_send(f->keeper.fd, &question), 0);
	assert_int_equal(keeper_receive_answer(f->keeper.fd, &answer, &fd), 0);
	assert_int_equal(answer.result, -EINVAL);
	assert_int_equal(fd, -1);
	assert_int_equal(write(f->keeper.fd, "short", 5), 5);
	assert_int_equal(cli_keeper_ready(&f->keeper, &device), -EIO);
	assert_int_equal(opened(f, f->given), -EIO);
	assert_int_equal(cli_keeper_unmount(&f->keeper, NULL), -EIO);
}

/* Nothing was mounted: what was made goes. A second try is none. */
static void taken_back(void **state)
{
	struct fixture *f = *state;
	int fd;

	assert_int_equal(cli_keeper_mount(&f->keeper, &fd), -EIO);
	assert_int_equal(cli_keeper_mount(&f->keeper, &fd), -EBUSY);
	cli_keeper_stop(&f->keeper);
	assert_int_equal(access(in(f, "made"), F_OK), -1);
}

/* What has ended does not begin again. */
static void ended(void **state)
{
	struct fixture *f = *state;
	dev_t device;
	int fd;

	assert_int_equal(cli_keeper_ready(&f->keeper, &device), -ENOTCONN);
	assert_int_equal(cli_keeper_unmount(&f->keeper, NULL), 0);
	assert_int_equal(cli_keeper_unmount(&f->keeper, NULL), 0);
	assert_int_equal(cli_keeper_mount(&f->keeper, &fd), -EBUSY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {TEST(files),    TEST(spools),     TEST(processes),
					   TEST(nonsense), TEST(taken_back), TEST(ended)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
