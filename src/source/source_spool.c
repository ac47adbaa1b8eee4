/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "source_fault.h"
#include "source_file.h"
#include "source_piece.h"

/* ---- open and close */

void source_spool_init(struct source_spool *spool)
{
	memset(spool, 0, sizeof(*spool));
	spool->fd = -1;
}

static const char *directory(const char *dir)
{
	if (!dir)
		dir = getenv("TMPDIR");
	return dir && *dir ? dir : "/var/tmp";
}

/* O_TMPFILE is not known to every file system (NFS, older overlayfs). */
int source_spool_make(const char *dir)
{
	_cleanup_free_ char *path = NULL;
	int fd = open(directory(dir), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd < 0 ? -errno : fd;
	if (asprintf(&path, "%s/pktfs-XXXXXX", directory(dir)) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int make_file(const struct source_opener *opener, const char *dir)
{
	if (opener->open)
		return opener->open(opener->context, directory(dir), O_TMPFILE | O_RDWR);
	return source_spool_make(dir);
}

static bool map_step(struct source_spool *spool, unsigned step)
{
	uint64_t size = UINT64_C(1) << spool->step_shift;
	struct source_fault *fault;
	void *map;

	if (size > SIZE_MAX / 2)
		return false;
	map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED | MAP_NORESERVE, spool->fd,
		   (off_t)((uint64_t)step << spool->step_shift));
	if (map == MAP_FAILED)
		return false;
	fault = source_fault_watch(map, (size_t)size);
	if (!fault) {
		munmap(map, (size_t)size);
		return false;
	}
	spool->steps[step].fault = fault;
	atomic_store_explicit(&spool->steps[step].map, map, memory_order_release);
	return true;
}

/* 64 GiB, or what a limit of the address space (RLIMIT_AS) leaves. */
static void reserve(struct source_spool *spool)
{
	static const unsigned shifts[] = {36, 34, 32, 30, 28};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		spool->step_shift = shifts[i];
		if (map_step(spool, 0))
			return;
	}
	spool->step_shift = 0;
}

int source_spool_open(struct source_spool *spool, const char *dir, struct pktfs_error *ret_error)
{
	int fd = make_file(&spool->opener, dir);

	if (fd < 0)
		return error_set(ret_error, fd,
				 "spool directory %.100s: found %s; accepted a directory that can "
				 "be written (-o spool=DIR)",
				 directory(dir), strerror(-fd));
	spool->fd = fd;
	reserve(spool);
	return 0;
}

void source_spool_close(struct source_spool *spool)
{
	unsigned i;

	for (i = 0; i < SOURCE_SPOOL_STEPS && spool->steps[i].map; i++) {
		source_fault_unwatch(spool->steps[i].fault);
		munmap(spool->steps[i].map, (size_t)(UINT64_C(1) << spool->step_shift));
	}
	util_close(spool->fd);
	source_spool_init(spool);
}

/* ---- the writer */

static int check_room(struct source_spool *spool, uint64_t end)
{
	struct statvfs fs;
	uint64_t size, keep;

	if (end < spool->checked + SOURCE_SPOOL_CHECK)
		return 0;
	spool->checked = end;
	if (fstatvfs(spool->fd, &fs) < 0 || fs.f_blocks == 0)
		return 0;
	size = (uint64_t)fs.f_blocks * fs.f_frsize;
	keep = MIN(size / SOURCE_SPOOL_KEEP_FREE_PART, SOURCE_SPOOL_KEEP_FREE);
	return (uint64_t)fs.f_bavail * fs.f_frsize < keep ? -EFBIG : 0;
}

static int write_all(int fd, uint64_t offset, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	while (size > 0) {
		n = pwrite(fd, bytes, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		offset += (uint64_t)n;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Maps the step that bytes up to `end` reach, once: the bytes of a step that
 * could not be mapped are published, and stay without. */
static void map_for(struct source_spool *spool, uint64_t end)
{
	uint64_t step = end >> spool->step_shift;

	if (spool->no_more_maps || step == spool->written >> spool->step_shift)
		return;
	if (step >= SOURCE_SPOOL_STEPS || !map_step(spool, (unsigned)step))
		spool->no_more_maps = true;
}

int source_spool_write(struct source_spool *spool, const void *bytes, size_t size)
{
	uint64_t end = spool->written + size;
	int r;

	r = check_room(spool, end);
	if (r == 0)
		r = write_all(spool->fd, spool->written, bytes, size);
	if (r < 0)
		return r;
	if (spool->step_shift)
		map_for(spool, end);
	spool->written = end;
	return 0;
}

/* ---- readers */

int source_spool_borrow(struct source_spool *spool, uint64_t offset, size_t size, uint64_t limit,
			struct pktfs_loan *ret)
{
	struct source_spool_step *step;
	uint64_t step_size, within;

	if (unlikely(!spool->step_shift || offset >> spool->step_shift >= SOURCE_SPOOL_STEPS))
		return source_lend_copy(spool->fd, offset, size, limit, ret);
	step = &spool->steps[offset >> spool->step_shift];
	step_size = UINT64_C(1) << spool->step_shift;
	within = offset & (step_size - 1);
	if (unlikely(size > step_size - within || !step->map || source_fault_hit(step->fault)))
		return source_lend_copy(spool->fd, offset, size, limit, ret);
	ret->bytes = step->map + within;
	ret->size = (size_t)MIN(limit - offset, step_size - within);
	return 0;
}

int source_spool_verify(const struct source_spool *spool)
{
	unsigned i;

	for (i = 0; i < SOURCE_SPOOL_STEPS && spool->steps[i].map; i++)
		if (source_fault_hit(spool->steps[i].fault))
			return -EIO;
	return 0;
}
