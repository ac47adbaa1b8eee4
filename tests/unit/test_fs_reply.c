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
		{-ENODATA, EIO},        {-ENOTSUP, EIO},       {-EFBIG, EIO},     {-EAGAIN, EIO},
		{-ECANCELED, ENOTCONN}, {-ENOTCONN, ENOTCONN}, {-ENOSYS, EIO},    {-ERANGE, EIO},
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
	assert_true(param.attr_timeout == 0 && param.entry_timeout > 1e8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors),
		cmocka_unit_test(no_enosys),
		cmocka_unit_test(timeouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
