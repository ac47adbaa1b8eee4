/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_thread.h"

#include <sched.h>
#include <signal.h>

static void mask_signals(sigset_t *ret_old)
{
	static const int faults[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t set;
	size_t i;

	sigfillset(&set);
	for (i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(&set, faults[i]);
	pthread_sigmask(SIG_BLOCK, &set, ret_old);
}

int source_thread_start(pthread_t *ret, void *(*run)(void *context), void *context,
			const char *name)
{
	sigset_t old;
	int r;

	mask_signals(&old);
	r = pthread_create(ret, NULL, run, context);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r == 0)
		pthread_setname_np(*ret, name);
	return -r;
}

unsigned source_thread_processors(void)
{
	cpu_set_t set;

	/* fails where there are more of them than fit: certainly not one */
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return CPU_SETSIZE;
	return (unsigned)MAX(CPU_COUNT(&set), 1);
}
