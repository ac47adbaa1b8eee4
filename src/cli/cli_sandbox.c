/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITY(number) (UINT64_C(1) << (number))

/* For narrow: to open what root is to append to, whoever owns it, and to give
 * away the rest after that. */
#define CAPABILITIES_NARROW                                                                        \
	(CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_DAC_READ_SEARCH) |                          \
	 CAPABILITY(CAP_SETUID) | CAPABILITY(CAP_SETGID) | CAPABILITY(CAP_SETPCAP))

int cli_sandbox_become(const struct cli_sandbox *sandbox)
{
	const uid_t uid = sandbox->uid;
	const gid_t gid = sandbox->gid;

	if (!sandbox->change_user)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	return 0;
}

/* Only root can shrink the bounding set, and only it has to. */
static int bound_capabilities(uint64_t keep)
{
	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(keep & CAPABILITY(i)) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 &&
		    errno != EPERM)
			return -errno;
	return 0;
}

/* Of those that there are, `keep` stay. None comes back. */
static int keep_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets[i].permitted &= (uint32_t)(keep >> 32 * i);
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}

static int no_dumps(void)
{
	const struct rlimit none = {0};

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int missing(struct text *text, int r, const char *what)
{
	if (r != -EOPNOTSUPP)
		return r;
	text_printf(text, "sandbox: this kernel has no %s; going on without\n", what);
	return 0;
}

static int enter(const struct cli_sandbox *sandbox, bool narrow, struct text *ret_missing)
{
	const uint64_t keep = narrow ? CAPABILITIES_NARROW : 0;
	int r = bound_capabilities(keep); /* another user cannot */
	struct text words = {0};

	if (r == 0 && !narrow)
		r = cli_sandbox_become(sandbox);
	if (r == 0)
		r = keep_capabilities(keep);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0)
		r = no_dumps();
	if (r == 0)
		r = missing(&words, cli_sandbox_files(sandbox, narrow), "Landlock");
	if (r == 0)
		r = missing(&words, cli_sandbox_calls(sandbox, narrow), "seccomp filters");
	if (r == 0 && !ret_missing->size && words.size)
		text_append(ret_missing, words.bytes, words.size);
	text_free(&words);
	return r;
}

int cli_sandbox_narrow(const struct cli_sandbox *sandbox, struct text *ret_missing)
{
	return enter(sandbox, true, ret_missing);
}

int cli_sandbox_enter(const struct cli_sandbox *sandbox, struct text *ret_missing)
{
	return enter(sandbox, false, ret_missing);
}
