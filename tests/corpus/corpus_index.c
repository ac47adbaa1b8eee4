/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * corpus_index FILE...: opens each with the index that it has saved of it, and
 * without, and compares everything. A line each: "same", "differs: what", "none: why"
 * (there is nothing to be saved), or "refused" (not a capture).
 *
 * corpus_index --keep ARGUMENT...: keeps an index of each argument that is a plain file,
 * where pktfs looks for it, without a word.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pktfs/index.h"
#include "same_capture.h"

static pktfs_capture *open_whole(const char *path, unsigned flags, int index_fd)
{
	const struct pktfs_open_options options = {
		.flags = flags | (index_fd >= 0 ? PKTFS_OPEN_INDEX : 0), .index_fd = index_fd};
	pktfs_capture *capture;

	if (pktfs_open(path, &options, &capture, NULL) < 0)
		return NULL;
	pktfs_wait(capture, UINT64_MAX, -1);
	return capture;
}

static const char *compare(const char *path, pktfs_capture *without, int index_fd)
{
	static char text[400];
	struct pktfs_index_status status;
	pktfs_capture *with = open_whole(path, 0, index_fd);
	const char *differs;

	pktfs_index_status_get(with, &status);
	if (status.use == PKTFS_INDEX_TAKEN)
		differs = same_capture(with, without);
	else
		differs = status.reason.text;
	snprintf(text, sizeof(text), differs ? "differs: %s" : "same", differs);
	pktfs_close(with);
	return text;
}

static void check(const char *path)
{
	int fd = memfd_create("index", MFD_CLOEXEC), r;
	pktfs_capture *without = open_whole(path, 0, -1);
	struct pktfs_error error;

	if (fd < 0)
		err(1, "memfd_create");
	r = without ? pktfs_index_save(without, fd, &error) : 0;
	if (!without)
		puts("refused");
	else if (r < 0)
		printf("none: %s\n", error.text);
	else
		puts(compare(path, without, fd));
	pktfs_close(without);
	close(fd);
}

static int make_in_cache(const struct stat *st, char *ret_path, size_t room)
{
	const char *cache = getenv("XDG_CACHE_HOME");

	if (!cache)
		errx(1, "there is no $XDG_CACHE_HOME");
	mkdir(cache, 0700); /* what is there is well */
	snprintf(ret_path, room, "%s/pktfs", cache);
	mkdir(ret_path, 0700);
	snprintf(ret_path, room, "%s/pktfs/%lx-%lx.index", cache, st->st_dev, st->st_ino);
	unlink(ret_path);
	return open(ret_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static void keep(const char *path)
{
	struct stat st;
	pktfs_capture *capture;
	char kept[4096];
	int fd;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	capture = open_whole(path, PKTFS_OPEN_FOLLOW, -1);
	if (!capture)
		return;
	fd = make_in_cache(&st, kept, sizeof(kept));
	if (fd >= 0 && pktfs_index_save(capture, fd, NULL) < 0)
		unlink(kept);
	if (fd >= 0)
		close(fd);
	pktfs_close(capture);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--keep")) {
		for (int i = 2; i < argc; i++)
			keep(argv[i]);
		return 0;
	}
	for (int i = 1; i < argc; i++)
		check(argv[i]);
	return fflush(stdout) ? 1 : 0;
}
