/* SPDX-License-Identifier: BSD-2-Clause */
/* Landlock: which files can still be opened. See landlock(7). */
#include "cli_sandbox.h"

#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rights that came after the headers of Debian 12 (Landlock 2). */
#define ACCESS_TRUNCATE	 (UINT64_C(1) << 14) /* Landlock 3 */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15) /* Landlock 5 */
#define NET_BIND_TCP	 (UINT64_C(1) << 0)  /* Landlock 4 */
#define NET_CONNECT_TCP	 (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT	 (UINT64_C(1) << 0)  /* Landlock 6 */
#define SCOPE_SIGNAL	 (UINT64_C(1) << 1)

#define ACCESS_FILE                                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                              \
	 LANDLOCK_ACCESS_FS_READ_FILE | ACCESS_TRUNCATE | ACCESS_IOCTL_DEV)
#define ACCESS_DIRECTORY                                                                           \
	(LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |                             \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |                           \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                               \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                             \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM |                             \
	 LANDLOCK_ACCESS_FS_REFER)

#define MAY_READ  LANDLOCK_ACCESS_FS_READ_FILE
#define MAY_WRITE (MAY_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)
#define MAY_LIST  LANDLOCK_ACCESS_FS_READ_DIR
#define MAY_MAKE  (MAY_WRITE | MAY_LIST | LANDLOCK_ACCESS_FS_MAKE_REG | \
		   LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* struct landlock_ruleset_attr of Landlock 6. */
struct ruleset {
	uint64_t files, net, scoped;
};

/* What libraries read by themselves: the names of ports, protocols and hosts in
 * filters, and how many processors there are. None of it is secret. */
static const char *const readable[] = {
	"/etc/services", "/etc/protocols", "/etc/nsswitch.conf", "/etc/hosts",
	"/etc/ethers",   "/etc/networks",  "/etc/host.conf",     "/sys/devices/system/cpu",
};

/* What this version of Landlock knows; returns the size of it. */
static size_t all_rights(int version, struct ruleset *ret)
{
	*ret = (struct ruleset){.files = ACCESS_FILE | ACCESS_DIRECTORY,
				.net = NET_BIND_TCP | NET_CONNECT_TCP,
				.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL};
	if (version < 2)
		ret->files &= ~(uint64_t)LANDLOCK_ACCESS_FS_REFER;
	if (version < 3)
		ret->files &= ~ACCESS_TRUNCATE;
	if (version < 5)
		ret->files &= ~ACCESS_IOCTL_DEV;
	return version < 4   ? offsetof(struct ruleset, net)
	       : version < 6 ? offsetof(struct ruleset, scoped)
			     : sizeof(*ret);
}

/* A path that is not there, or not for us, needs no rule. */
static int allow(int ruleset, const char *path, uint64_t access)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= ACCESS_FILE;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
		       ? -errno
		       : 0;
}

/* Who else has the lock is in /proc/locks. What a repair makes lies beside. */
static int allow_target(int ruleset, const struct cli_sandbox *sandbox, uint64_t rights)
{
	_cleanup_free_ char *copy = strdup(sandbox->target);
	int r;

	if (!copy)
		return -ENOMEM;
	r = allow(ruleset, "/proc/locks", MAY_READ);
	if (r == 0)
		r = allow(ruleset, sandbox->target, MAY_WRITE & rights);
	if (r == 0 && sandbox->repair)
		r = allow(ruleset, dirname(copy), MAY_MAKE & rights);
	return r;
}

int cli_sandbox_files(const struct cli_sandbox *sandbox, bool narrow)
{
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
				   LANDLOCK_CREATE_RULESET_VERSION);
	_cleanup_close_ int ruleset = -1;
	struct ruleset rights;
	size_t size, i;
	int r = 0;

	if (version < 1)
		return -EOPNOTSUPP;
	size = all_rights(version, &rights);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &rights, size, 0);
	if (ruleset < 0)
		return -errno;
	for (i = 0; i < ARRAY_SIZE(readable) && r == 0; i++)
		r = allow(ruleset, readable[i], MAY_READ | MAY_LIST);
	if (r == 0 && narrow && sandbox->target)
		r = allow_target(ruleset, sandbox, rights.files);
	if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		r = -errno;
	return r;
}
