/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox_without landlock|seccomp PROGRAM [ARGUMENT...]: as if the kernel had
 * no such thing. Needs root, as it would otherwise take away from the program
 * what it is to be tested with (set-user-id programs).
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define IS(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise)
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)

static struct sock_filter no_landlock[] = {
	LOAD(nr),
	IS(SYS_landlock_create_ruleset, 0, 1),
	RETURN(SECCOMP_RET_ERRNO | EOPNOTSUPP),
	RETURN(SECCOMP_RET_ALLOW),
};

static struct sock_filter no_seccomp[] = {
	LOAD(nr),
	IS(SYS_seccomp, 3, 0),
	IS(SYS_prctl, 0, 3),
	LOAD(args[0]),
	IS(PR_SET_SECCOMP, 0, 1),
	RETURN(SECCOMP_RET_ERRNO | EINVAL),
	RETURN(SECCOMP_RET_ALLOW),
};

int main(int argc, char *argv[])
{
	struct sock_fprog program = {sizeof(no_landlock) / sizeof(*no_landlock), no_landlock};

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "seccomp"))
		program = (struct sock_fprog){sizeof(no_seccomp) / sizeof(*no_seccomp), no_seccomp};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("sandbox_without");
		return 77;
	}
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 1;
}
