/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_fault.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct source_fault faults[SOURCE_FAULT_MAPS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of changes to all of these */
static uintptr_t page_mask;
static struct sigaction previous;
static atomic_uint passing; /* calls of `previous` that have not returned */

/* When we are installed over one who passes on to us, a fault goes round in a
 * circle. (One who jumps out of the handler is counted for ever.) */
#define FAULT_PASSING_MAX 32

/* ---- in the signal handler: nothing but atomics and system calls */

static bool covers(struct source_fault *fault, uintptr_t address, uintptr_t *ret_end)
{
	uint64_t sequence = atomic_load(&fault->sequence);
	uintptr_t start = atomic_load(&fault->start);

	*ret_end = atomic_load(&fault->end);
	return address >= start && address < *ret_end && !(sequence & 1) &&
	       sequence == atomic_load(&fault->sequence);
}

static bool catch_fault(uintptr_t address)
{
	uintptr_t page = address & page_mask, end;
	size_t i;
	void *map;

	for (i = 0; i < SOURCE_FAULT_MAPS; i++) {
		if (!covers(&faults[i], address, &end))
			continue;
		source_fault_mark(&faults[i]);
		map = mmap((void *)page, end - page, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
		return map != MAP_FAILED;
	}
	return false;
}

static void pass_on(int number, siginfo_t *info, void *context)
{
	bool handled = previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN;

	if (handled && atomic_fetch_add(&passing, 1) < FAULT_PASSING_MAX) {
		if (previous.sa_flags & SA_SIGINFO)
			previous.sa_sigaction(number, info, context);
		else
			previous.sa_handler(number);
		atomic_fetch_sub(&passing, 1);
		return;
	}
	if (previous.sa_handler == SIG_IGN && info->si_code <= 0)
		return;
	/* a fault comes again on return, and ends us as it would have without
	 * the handler; a signal that was sent must be sent again */
	signal(number, SIG_DFL);
	if (info->si_code <= 0)
		raise(number);
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	if (info->si_code <= 0 || !catch_fault((uintptr_t)info->si_addr))
		pass_on(number, info, context);
	errno = saved;
}

/* ---- outside */

/* Asked with each map: others install handlers too (cmocka does for each test),
 * and what they found there is not always what they leave. */
static bool install(void)
{
	struct sigaction action, now;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_bus_error;
	action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGBUS, NULL, &now) < 0)
		return false;
	if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_bus_error)
		return true;
	page_mask = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	previous = now;
	return sigaction(SIGBUS, &action, NULL) == 0;
}

static void change(struct source_fault *fault, uintptr_t start, uintptr_t end)
{
	atomic_fetch_add(&fault->sequence, 1);
	atomic_store(&fault->start, start);
	atomic_store(&fault->end, end);
	atomic_store(&fault->hit, false);
	atomic_fetch_add(&fault->sequence, 1);
}

struct source_fault *source_fault_watch(const void *start, size_t size)
{
	size_t i;

	UTIL_LOCK_SCOPE(&lock);
	if (!install())
		return NULL;
	for (i = 0; i < SOURCE_FAULT_MAPS; i++) {
		if (atomic_load(&faults[i].end) == 0) {
			change(&faults[i], (uintptr_t)start, (uintptr_t)start + size);
			return &faults[i];
		}
	}
	return NULL;
}

void source_fault_unwatch(struct source_fault *fault)
{
	if (!fault)
		return;
	UTIL_LOCK_SCOPE(&lock);
	change(fault, 0, 0);
}
