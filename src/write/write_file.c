/* SPDX-License-Identifier: BSD-2-Clause */
#include "write_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t write_pread(int fd, uint64_t offset, void *bytes, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = pread(fd, (uint8_t *)bytes + done, size - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

/* Behind the limit the kernel would send SIGXFSZ, which ends a program that is
 * not prepared for it. */
static int check_limit(uint64_t end)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    end > limit.rlim_cur)
		return -EFBIG;
	return end > INT64_MAX ? -EFBIG : 0;
}

/* More than one write(2) only to learn why the first was short. */
int write_pwrite(int fd, uint64_t offset, const void *bytes, size_t size)
{
	size_t done = 0;
	ssize_t n;
	int r;

	while (done < size) {
		r = check_limit(offset + size);
		if (r < 0)
			return r;
		n = pwrite(fd, (const uint8_t *)bytes + done, size - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int take_back(struct write_file *file)
{
	while (ftruncate(file->fd, (off_t)file->end) < 0)
		if (errno != EINTR)
			return -errno;
	file->dirty = false;
	return 0;
}

static int check_same(struct write_file *file, struct pktfs_error *ret_error)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return error_set(ret_error, -errno, "cannot be looked at: %s", strerror(errno));
	if (file->had_name && st.st_nlink == 0)
		return error_set(ret_error, -ESTALE, "was removed or replaced by another program");
	if ((uint64_t)st.st_size != file->end)
		return error_at(ret_error, -ESTALE, file->end,
				"was changed by another program: found %" PRIu64
				" bytes; accepted %" PRIu64,
				(uint64_t)st.st_size, file->end);
	return 0;
}

int write_file_settle(struct write_file *file, struct pktfs_error *ret_error)
{
	int r = file->dirty ? take_back(file) : 0;

	if (r < 0)
		return error_at(ret_error, r, file->end,
				"an incomplete record at offset %" PRIu64
				" cannot be taken back: %s",
				file->end, strerror(-r));
	return 0;
}

int write_file_put(struct write_file *file, const void *bytes, size_t size,
		   struct pktfs_error *ret_error)
{
	int r = write_file_settle(file, ret_error);

	if (r == 0)
		r = check_same(file, ret_error);
	if (r < 0)
		return r;
	r = write_pwrite(file->fd, file->end, bytes, size);
	if (r < 0) {
		file->dirty = true;
		take_back(file);
		return error_at(ret_error, r, file->end,
				"%zu bytes at offset %" PRIu64 " cannot be written: %s", size,
				file->end, strerror(-r));
	}
	file->end += size;
	return 0;
}

int write_file_patch(struct write_file *file, uint64_t offset, const void *bytes, size_t size,
		     struct pktfs_error *ret_error)
{
	int r = check_same(file, ret_error);

	if (r < 0)
		return r;
	r = write_pwrite(file->fd, offset, bytes, size);
	/* what follows must not be on the disk before this is */
	if (r == 0 && fdatasync(file->fd) < 0)
		r = -errno;
	if (r < 0)
		return error_at(ret_error, r, offset,
				"%zu bytes at offset %" PRIu64 " cannot be written: %s", size,
				offset, strerror(-r));
	return 0;
}

int write_open_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *name = NULL;
	int fd;

	if (!slash)
		name = strdup(".");
	else
		name = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	if (!name)
		return -ENOMEM;
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
