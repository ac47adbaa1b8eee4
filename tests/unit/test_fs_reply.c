/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel gets to see. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "fs/fs_internal.h"

static void errors(void **state)
{
	static const struct {
		int ours, kernel;
	} cases[] = {
		{-ENOENT, ENOENT},      {-ENOTDIR, ENOTDIR},   {-EISDIR, EISDIR}, {-EINTR, EINTR},
		{-ENOMEM, ENOMEM},      {-EROFS, EROFS},       {-EIO, EIO},       {-EBADMSG, EIO},
		{-ENODATA, EIO},        {-EAGAIN, EIO},        {-ENOSYS, EIO},    {-EPERM, EPERM},
		{-ECANCELED, ENOTCONN}, {-ENOTCONN, ENOTCONN}, {-EFBIG, EFBIG},   {-ENXIO, ENXIO},
		{-EMSGSIZE, EMSGSIZE},  {-ENOSPC, ENOSPC},     {-EDQUOT, EDQUOT}, {-ESTALE, ESTALE},
		{-ERANGE, ERANGE},      {-EINVAL, EINVAL},     {-EEXIST, EEXIST}, {-EXDEV, EXDEV},
		{-ENOTSUP, EOPNOTSUPP},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(fs_errno(cases[i].ours), cases[i].kernel);
}

/* Whatever a module invents, ENOSYS never gets through: the kernel would stop
 * asking for the whole mount. */
static void no_enosys(void **state)
{
	(void)state;
	for (int code = 1; code < 4096; code++) {
		assert_int_not_equal(fs_errno(-code), ENOSYS);
		assert_int_not_equal(fs_errno(-code), 0);
	}
}

static void timeouts(void **state)
{
	struct view_entry entry = {.st = {.st_ino = 42, .st_mode = S_IFREG | 0444}};
	struct fuse_entry_param param;

	(void)state;
	fs_entry(&entry, &param);
	assert_int_equal(param.ino, 42);
	assert_int_equal(param.generation, 0);
	assert_true(param.attr_timeout > 1e8 && param.entry_timeout > 1e8);
	entry.live = true;
	fs_entry(&entry, &param);
	assert_true(param.attr_timeout == 0 && param.entry_timeout == 0);
	/* directories do not go away */
	entry.st.st_mode = S_IFDIR | 0555;
	fs_entry(&entry, &param);
	assert_true(param.attr_timeout <= FS_LIVE_DIRECTORY_SEC && param.entry_timeout > 1e8);
	/* unless users made them */
	entry.fleeting = true;
	fs_entry(&entry, &param);
	assert_true(param.entry_timeout == 0);
}

static unsigned worked, told;

static void tell(const struct fs_request *request)
{
	(void)request;
	told++;
}

/* Done, but not to be seen yet. */
static int work_once(struct fs_request *request)
{
	worked++;
	request->done = tell;
	return -EAGAIN;
}

/* What was done and cannot wait any longer is a success. */
static void done_at_the_end(void **state)
{
	static struct fs fs;
	struct fs_request request = {.fs = &fs, .answer = work_once};

	(void)state;
	assert_int_equal(fs_park_open(&fs.park), 0);
	fs_park_stop(&fs.park); /* takes no more */
	fs_run(&request);
	assert_int_equal(worked, 1);
	assert_int_equal(told, 1);
	fs_park_close(&fs.park);
}

static void seen_at_once(void **state)
{
	struct fs fs = {0};
	struct fs_request request = {.fs = &fs};

	(void)state;
	told = 0;
	assert_int_equal(fs_wait_seen(&request, 0, tell), 0);
	assert_int_equal(told, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors),
		cmocka_unit_test(no_enosys),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(done_at_the_end),
		cmocka_unit_test(seen_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
