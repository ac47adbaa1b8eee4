/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seccomp: which system calls are left. What is not in the list fails with
 * EPERM: a library that tries something new finds that it may not, and goes on.
 */
#include "cli_sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define CLONE_NEW                                                                                  \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)
/* O_TMPFILE without the bit of O_DIRECTORY that it contains. */
#define O_CHANGES (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

static const int calls[] = {
	/* bytes of descriptors */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(preadv2),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev),
	SCMP_SYS(pwritev2), SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(splice),
	SCMP_SYS(vmsplice), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range),
	SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate), SCMP_SYS(fadvise64),
	SCMP_SYS(fadvise64_64), SCMP_SYS(readahead), SCMP_SYS(flock),
	/* descriptors, and facts about files */
	SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
	SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(fstat), SCMP_SYS(fstat64),
	SCMP_SYS(stat), SCMP_SYS(stat64), SCMP_SYS(lstat), SCMP_SYS(lstat64),
	SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(statx), SCMP_SYS(fstatfs),
	SCMP_SYS(fstatfs64), SCMP_SYS(getdents64), SCMP_SYS(inotify_init1),
	SCMP_SYS(inotify_add_watch), SCMP_SYS(inotify_rm_watch),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(msync),
	SCMP_SYS(mincore), SCMP_SYS(membarrier),
	/* waiting */
	SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield),
	/* time and this process */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_getres_time64), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getrusage), SCMP_SYS(sysinfo),
	SCMP_SYS(uname), SCMP_SYS(getrandom), SCMP_SYS(getcpu), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(setsid), SCMP_SYS(chdir), SCMP_SYS(pidfd_open),
	/* signals and the end */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigreturn), SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sigaltstack), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	/* threads: clone itself is below */
	SCMP_SYS(set_robust_list), SCMP_SYS(set_tid_address), SCMP_SYS(rseq),
};

/* While what is appended to is still to be opened, and to get from there to the
 * list above. */
static const int calls_narrow[] = {
	SCMP_SYS(openat), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(capget),
	SCMP_SYS(capset), SCMP_SYS(prctl), SCMP_SYS(prlimit64), SCMP_SYS(setrlimit),
	SCMP_SYS(seccomp), SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self), SCMP_SYS(setgroups), SCMP_SYS(setgroups32),
	SCMP_SYS(setresgid), SCMP_SYS(setresgid32), SCMP_SYS(setresuid), SCMP_SYS(setresuid32),
};

static const int fcntls[] = {
	F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ, F_SETPIPE_SZ,
	F_GETLEASE, F_SETLEASE, F_SETSIG, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
};

/* A call, if all conditions on its arguments are met. */
struct allowed {
	int call;
	unsigned count;
	struct scmp_arg_cmp conditions[2];
};

#define IS(at, value)          SCMP_CMP(at, SCMP_CMP_EQ, value, 0)
#define AMONG(at, bits, value) SCMP_CMP(at, SCMP_CMP_MASKED_EQ, bits, value)
#define NONE_OF(at, bits)      AMONG(at, bits, 0)

static int allow(scmp_filter_ctx filter, int call, unsigned count,
		 const struct scmp_arg_cmp *conditions)
{
	int r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, count, conditions);

	return r == -EDOM ? 0 : r; /* not a call of this architecture */
}

static int allow_list(scmp_filter_ctx filter, const int *list, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = allow(filter, list[i], 0, NULL);
	return r;
}

/* Calls whose arguments matter. */
static int allow_some(scmp_filter_ctx filter, int keeper_fd)
{
	const scmp_datum_t self = (scmp_datum_t)getpid(), keeper = (scmp_datum_t)keeper_fd;
	const struct allowed some[] = {
		/* a thread, not a process */
		{SCMP_SYS(clone), 1, {AMONG(0, CLONE_THREAD | CLONE_NEW, CLONE_THREAD)}},
		/* no code from files: libraries are loaded by now. PCRE2 makes code
		 * in memory of its own */
		{SCMP_SYS(mmap), 1, {NONE_OF(2, PROT_EXEC)}},
		{SCMP_SYS(mmap), 1, {AMONG(3, MAP_ANONYMOUS, MAP_ANONYMOUS)}},
		{SCMP_SYS(mmap2), 1, {NONE_OF(2, PROT_EXEC)}},
		{SCMP_SYS(mmap2), 1, {AMONG(3, MAP_ANONYMOUS, MAP_ANONYMOUS)}},
		{SCMP_SYS(mprotect), 1, {NONE_OF(2, PROT_EXEC)}},
		/* what Landlock leaves, and never for writing */
		{SCMP_SYS(openat), 1, {NONE_OF(2, O_CHANGES)}},
		/* signals to its own threads */
		{SCMP_SYS(tgkill), 1, {IS(0, self)}},
		{SCMP_SYS(kill), 1, {IS(0, self)}},
		/* limits are read, not set */
		{SCMP_SYS(prlimit64), 1, {IS(2, 0)}},
		{SCMP_SYS(prctl), 1, {IS(0, PR_SET_NAME)}},
		/* the keeper, and nobody else by that socket */
		{SCMP_SYS(sendto), 2, {IS(0, keeper), IS(4, 0)}},
		{SCMP_SYS(recvmsg), 1, {IS(0, keeper)}},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(some) && r == 0; i++)
		r = allow(filter, some[i].call, some[i].count, some[i].conditions);
	for (size_t i = 0; i < ARRAY_SIZE(fcntls) && r == 0; i++) {
		const struct scmp_arg_cmp is = IS(1, (scmp_datum_t)fcntls[i]);

		r = allow(filter, SCMP_SYS(fcntl), 1, &is);
		if (r == 0)
			r = allow(filter, SCMP_SYS(fcntl64), 1, &is);
	}
	return r;
}

/* EFAULT: it would have read the filter that is not there. */
static bool kernel_has_filters(void)
{
	return prctl(PR_SET_SECCOMP, 2 /* SECCOMP_MODE_FILTER */, NULL) < 0 && errno == EFAULT;
}

int cli_sandbox_calls(const struct cli_sandbox *sandbox, bool narrow)
{
	scmp_filter_ctx filter;
	int r;

	if (!kernel_has_filters())
		return -EOPNOTSUPP;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return -ENOMEM;
	/* glibc falls back to clone from what is not there */
	r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (r == 0)
		r = allow_list(filter, calls, ARRAY_SIZE(calls));
	if (r == 0 && narrow)
		r = allow_list(filter, calls_narrow, ARRAY_SIZE(calls_narrow));
	if (r == 0)
		r = allow_some(filter, sandbox->keeper_fd);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}
