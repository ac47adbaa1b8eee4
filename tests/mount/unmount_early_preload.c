/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whoever looks into the table of mounts waits for a while before, so that an
 * unmount comes in between. To be preloaded into pktfs.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DELAY_US 300000

/* What fopen is called where files have 64-bit offsets. */
__attribute__((visibility("default"))) FILE *fopen64(const char *path, const char *mode)
{
	FILE *(*next)(const char *, const char *) =
		(FILE *(*)(const char *, const char *))dlsym(RTLD_NEXT, "fopen64");

	if (!strcmp(path, "/proc/self/mountinfo"))
		usleep(DELAY_US);
	return next(path, mode);
}
