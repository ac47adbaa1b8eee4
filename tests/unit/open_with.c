/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the tests' programs open captures, as $PKTFS_TEST_OPENS says (tests/run --with):
 * the linker leads their calls of pktfs_open... here (--wrap, see Makefile).
 *
 *	noscouts noparallel   with these flags
 *	scouts                scouts go over captures of any size
 *	index                 with an index that is saved of the capture just then
 *
 * The same expectations must hold. Without the variable nothing is changed.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index/index_scout.h"
#include "pktfs/index.h"
#include "util/util_base.h"

int __real_pktfs_open(const char *path, const struct pktfs_open_options *options,
		      pktfs_capture **ret, struct pktfs_error *ret_error);
int __real_pktfs_open_fd(int fd, const struct pktfs_open_options *options, pktfs_capture **ret,
			 struct pktfs_error *ret_error);
int __real_pktfs_open_buffer(const void *bytes, size_t size,
			     const struct pktfs_open_options *options, pktfs_capture **ret,
			     struct pktfs_error *ret_error);
int __real_pktfs_open_files(const char *const *paths, size_t count,
			    const struct pktfs_open_options *options, pktfs_capture **ret,
			    struct pktfs_error *ret_error);
int __real_pktfs_open_inputs(const struct pktfs_input *inputs, size_t count,
			     const struct pktfs_open_options *options, pktfs_capture **ret,
			     struct pktfs_error *ret_error);
extern const struct index_scout_plan __real_index_scout_plan;

/* index_open takes it from here */
struct index_scout_plan __wrap_index_scout_plan;

static bool wants(const char *word)
{
	const char *words = getenv("PKTFS_TEST_OPENS");
	size_t length = strlen(word);

	for (; words && *words; words += strcspn(words, " ")) {
		words += strspn(words, " ");
		if (strcspn(words, " ") == length && !memcmp(words, word, length))
			return true;
	}
	return false;
}

__attribute__((constructor)) static void choose_plan(void)
{
	__wrap_index_scout_plan = __real_index_scout_plan;
	if (wants("scouts"))
		__wrap_index_scout_plan = (struct index_scout_plan){
			.threads = 2, .patience = 64, .stretch_min = 500, .stretch_max = 500};
}

static struct pktfs_open_options changed(const struct pktfs_open_options *options)
{
	struct pktfs_open_options to = options ? *options : (struct pktfs_open_options){0};

	if (wants("noscouts"))
		to.flags |= PKTFS_OPEN_NO_SCOUTS;
	if (wants("noparallel"))
		to.flags |= PKTFS_OPEN_NO_PARALLEL;
	return to;
}

/* The index of the capture as it is now; -1: none can be saved. */
static int saved_index(const char *path, const struct pktfs_open_options *options)
{
	struct pktfs_open_options once = *options;
	pktfs_capture *capture;
	struct stat st;
	int fd, r;

	if (!wants("index") || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	once.flags &= ~(unsigned)(PKTFS_OPEN_INDEX | PKTFS_OPEN_GROWING | PKTFS_OPEN_MORE);
	once.open_file = NULL;
	if (__real_pktfs_open(path, &once, &capture, NULL) < 0)
		return -1;
	fd = memfd_create("index", MFD_CLOEXEC);
	if (fd < 0)
		err(1, "memfd_create");
	r = pktfs_index_save(capture, fd, NULL);
	pktfs_close(capture);
	if (r == 0)
		return fd;
	close(fd);
	return -1;
}

int __wrap_pktfs_open(const char *path, const struct pktfs_open_options *options,
		      pktfs_capture **ret, struct pktfs_error *ret_error)
{
	struct pktfs_open_options to = changed(options);
	_cleanup_close_ int fd = to.flags & PKTFS_OPEN_INDEX ? -1 : saved_index(path, &to);

	if (fd >= 0) {
		to.flags |= PKTFS_OPEN_INDEX;
		to.index_fd = fd;
	}
	return __real_pktfs_open(path, &to, ret, ret_error);
}

int __wrap_pktfs_open_fd(int fd, const struct pktfs_open_options *options, pktfs_capture **ret,
			 struct pktfs_error *ret_error)
{
	struct pktfs_open_options to = changed(options);

	return __real_pktfs_open_fd(fd, &to, ret, ret_error);
}

int __wrap_pktfs_open_buffer(const void *bytes, size_t size,
			     const struct pktfs_open_options *options, pktfs_capture **ret,
			     struct pktfs_error *ret_error)
{
	struct pktfs_open_options to = changed(options);

	return __real_pktfs_open_buffer(bytes, size, &to, ret, ret_error);
}

int __wrap_pktfs_open_files(const char *const *paths, size_t count,
			    const struct pktfs_open_options *options, pktfs_capture **ret,
			    struct pktfs_error *ret_error)
{
	struct pktfs_open_options to = changed(options);

	return __real_pktfs_open_files(paths, count, &to, ret, ret_error);
}

int __wrap_pktfs_open_inputs(const struct pktfs_input *inputs, size_t count,
			     const struct pktfs_open_options *options, pktfs_capture **ret,
			     struct pktfs_error *ret_error)
{
	struct pktfs_open_options to = changed(options);

	return __real_pktfs_open_inputs(inputs, count, &to, ret, ret_error);
}
