/* SPDX-License-Identifier: BSD-2-Clause */
/* What the keeper does with the file of an index, whatever the daemon asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli_index_place.h"
#include "cli/cli_keeper.h"
#include "index/index_saved.h"

struct fixture {
	char dir[64];
	struct cli_index_place place;
	struct cli_keeper keeper;
};

static char *in(const struct fixture *fixture, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
	return path;
}

static void start_keeper(struct fixture *f)
{
	struct cli_keeper_task task = {
		.name = "/dev/null", .mount_options = "ro", .index = &f->place};

	assert_int_equal(cli_keeper_start(&f->keeper, &task), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/pktfs-index-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(cli_index_place_named(in(f, "x.index"), &f->place), 0);
	start_keeper(f);
	*state = f;
	return 0;
}

static unsigned count_files(const struct fixture *f)
{
	DIR *dir = opendir(f->dir);
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cli_keeper_stop(&f->keeper);
	unlink(in(f, "x.index"));
	unlink(in(f, "other"));
	assert_int_equal(count_files(f), 0);
	rmdir(f->dir);
	cli_index_place_free(&f->place);
	free(f);
	return 0;
}

/* What is told from other files by its first bytes. */
static void write_index(int fd, uint64_t number)
{
	const uint64_t words[] = {htole64(SAVED_MAGIC), number};

	assert_int_equal(write(fd, words, sizeof(words)), sizeof(words));
}

static uint64_t read_index(int fd)
{
	uint64_t words[2] = {0};

	assert_int_equal(pread(fd, words, sizeof(words), 0), sizeof(words));
	return words[1];
}

static void keep(struct fixture *f, uint64_t number, bool last)
{
	int fd = cli_keeper_index_make(&f->keeper);

	assert_return_code(fd, -fd);
	write_index(fd, number);
	close(fd);
	assert_int_equal(cli_keeper_index_finish(&f->keeper, last), 0);
}

static void expect_kept(struct fixture *f, uint64_t number)
{
	int fd = cli_keeper_index_open(&f->keeper);
	struct stat st;

	assert_return_code(fd, -fd);
	assert_int_equal(read_index(fd), number);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	close(fd);
	assert_int_equal(count_files(f), 1);
}

static void kept(void **state)
{
	struct fixture *f = *state;
	int fd;

	assert_int_equal(cli_keeper_index_open(&f->keeper), -ENOENT);
	assert_int_equal(cli_keeper_index_drop(&f->keeper), -ENOENT);
	keep(f, 1, true);
	expect_kept(f, 1);
	fd = cli_keeper_index_open(&f->keeper);
	keep(f, 2, true);
	expect_kept(f, 2);
	assert_int_equal(read_index(fd), 1); /* who has it open has all of it */
	close(fd);
	keep(f, 3, false);
	expect_kept(f, 2);
	assert_int_equal(cli_keeper_index_drop(&f->keeper), 0);
	assert_int_equal(cli_keeper_index_open(&f->keeper), -ENOENT);
}

/* One at a time; what was not finished goes with the keeper. */
static void unfinished(void **state)
{
	struct fixture *f = *state;
	int fd = cli_keeper_index_make(&f->keeper);

	assert_return_code(fd, -fd);
	assert_int_equal(cli_keeper_index_make(&f->keeper), -EBUSY);
	assert_int_equal(count_files(f), 1);
	assert_int_equal(cli_keeper_index_open(&f->keeper), -ENOENT);
	close(fd);
	cli_keeper_stop(&f->keeper);
	assert_int_equal(count_files(f), 0);
	start_keeper(f);
	assert_int_equal(cli_keeper_index_finish(&f->keeper, true), -ENOENT);
	assert_int_equal(cli_keeper_index_finish(&f->keeper, false), -ENOENT);
}

static void refused(struct fixture *f, int how_read)
{
	int fd;

	assert_int_equal(cli_keeper_index_open(&f->keeper), how_read);
	fd = cli_keeper_index_make(&f->keeper);
	assert_int_equal(fd, -EEXIST);
	assert_int_equal(cli_keeper_index_drop(&f->keeper), -EEXIST);
	assert_int_equal(access(in(f, "x.index"), F_OK) * access(in(f, "other"), F_OK), 0);
}

/* What has its name and is no index of ours stays as it is. */
static void others(void **state)
{
	struct fixture *f = *state;
	int fd = open(in(f, "other"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char other[128];

	strcpy(other, in(f, "other"));
	write_index(fd, 7);
	assert_int_equal(symlink("other", in(f, "x.index")), 0);
	refused(f, -ELOOP);
	unlink(in(f, "x.index"));
	assert_int_equal(mkfifo(in(f, "x.index"), 0600), 0);
	refused(f, -EPERM);
	unlink(in(f, "x.index"));
	assert_int_equal(link(other, in(f, "x.index")), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, "a letter to somebody", 20, 0), 20);
	close(fd);
	fd = cli_keeper_index_open(&f->keeper); /* its bytes are not looked at */
	assert_return_code(fd, -fd);
	close(fd);
	assert_int_equal(cli_keeper_index_make(&f->keeper), -EEXIST);
	assert_int_equal(cli_keeper_index_drop(&f->keeper), -EEXIST);
	unlink(in(f, "x.index"));
	keep(f, 5, true);
	assert_int_equal(chmod(in(f, "x.index"), 0640), 0);
	assert_int_equal(cli_keeper_index_open(&f->keeper), -EPERM);
	keep(f, 6, true); /* it is ours */
	unlink(in(f, "other"));
	expect_kept(f, 6);
	if (geteuid() == 0) {
		assert_int_equal(chown(in(f, "x.index"), 65534, 65534), 0);
		refused(f, -EPERM);
	}
}

/* One that comes between the make and the end is not replaced either. */
static void meanwhile(void **state)
{
	struct fixture *f = *state;
	int fd = cli_keeper_index_make(&f->keeper);

	assert_return_code(fd, -fd);
	write_index(fd, 1);
	close(fd);
	fd = open(in(f, "x.index"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "a letter to somebody", 20), 20);
	close(fd);
	assert_int_equal(cli_keeper_index_finish(&f->keeper, true), -EEXIST);
	assert_int_equal(count_files(f), 1);
}

static void no_place(void **state)
{
	struct fixture *f = *state;
	struct cli_keeper_task task = {.name = "/dev/null", .mount_options = "ro"};

	cli_keeper_stop(&f->keeper);
	assert_int_equal(cli_keeper_start(&f->keeper, &task), 0);
	assert_int_equal(cli_keeper_index_open(&f->keeper), -ENOENT);
	assert_int_equal(cli_keeper_index_make(&f->keeper), -ENOENT);
	assert_int_equal(cli_keeper_index_finish(&f->keeper, true), -ENOENT);
	assert_int_equal(cli_keeper_index_drop(&f->keeper), -ENOENT);
}

static void names(void **state)
{
	struct cli_index_place place;
	struct stat st = {.st_dev = 0x1f, .st_ino = 0xabc};
	struct fixture *f = *state;

	assert_int_equal(cli_index_place_named("/not/there/x", &place), -ENOENT);
	assert_int_equal(cli_index_place_named(f->dir, &place), -EISDIR);
	assert_int_equal(cli_index_place_named("/x.index", &place), 0);
	assert_string_equal(place.directory, "/");
	assert_string_equal(place.name, "x.index");
	cli_index_place_free(&place);
	setenv("XDG_CACHE_HOME", "/somewhere", 1);
	assert_int_equal(cli_index_place_in_cache(&st, &place), 0);
	assert_string_equal(place.directory, "/somewhere");
	assert_string_equal(place.name, "1f-abc.index");
	cli_index_place_free(&place);
	setenv("XDG_CACHE_HOME", "somewhere", 1);
	setenv("HOME", "/home/me", 1);
	assert_int_equal(cli_index_place_in_cache(&st, &place), 0);
	assert_string_equal(place.directory, "/home/me/.cache");
	cli_index_place_free(&place);
	unsetenv("HOME");
	assert_int_equal(cli_index_place_in_cache(&st, &place), -ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {TEST(kept),      TEST(unfinished), TEST(others),
					   TEST(meanwhile), TEST(no_place),   TEST(names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
