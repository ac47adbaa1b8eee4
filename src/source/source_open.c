/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens: what kind of thing it is, and what its first bytes say. */
#include "source_impl.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source_file.h"
#include "source_gzip.h"
#include "source_pipe.h"
#include "source_zstd.h"

#define ACCEPTED "accepted a capture: pcap or pcapng, plain or compressed with zstd or gzip"

/* Descriptors 0 to 2 are left to those who print. */
#define OPEN_FIRST_FD 3

/* ---- by content */

#define OPEN_PEEK 8

struct magic {
	uint8_t size;
	uint8_t bytes[OPEN_PEEK];
	const char *name; /* NULL: read by us */
	enum source_compression compression;
};

static const struct magic magics[] = {
	{4, {0x28, 0xb5, 0x2f, 0xfd}, NULL, SOURCE_ZSTD},
	{2, {0x1f, 0x8b}, NULL, SOURCE_GZIP},
	{6, {0xfd, '7', 'z', 'X', 'Z', 0}, "xz", SOURCE_PLAIN},
	{3, {'B', 'Z', 'h'}, "bzip2", SOURCE_PLAIN},
	{4, {0x04, 0x22, 0x4d, 0x18}, "lz4", SOURCE_PLAIN},
	{4, {0x02, 0x21, 0x4c, 0x18}, "lz4", SOURCE_PLAIN},
	{4, {'L', 'Z', 'I', 'P'}, "lzip", SOURCE_PLAIN},
	{5, {0x89, 'L', 'Z', 'O', 0}, "lzop", SOURCE_PLAIN},
	{2, {0x1f, 0x9d}, "compress", SOURCE_PLAIN},
	{2, {0x1f, 0x1e}, "pack", SOURCE_PLAIN},
	{4, {'P', 'K', 3, 4}, "zip", SOURCE_PLAIN},
	{6, {'7', 'z', 0xbc, 0xaf, 0x27, 0x1c}, "7-Zip", SOURCE_PLAIN},
};

/* A skippable frame may come first (pzstd writes one before each frame). */
static bool is_skippable(const uint8_t *bytes, size_t size)
{
	static const uint8_t skip[] = {0x2a, 0x4d, 0x18};

	return size >= 4 && (bytes[0] & 0xf0) == 0x50 && memcmp(bytes + 1, skip, 3) == 0;
}

static int recognise(const uint8_t *bytes, size_t size, enum source_compression *ret,
		     struct pktfs_error *ret_error)
{
	size_t i;

	*ret = is_skippable(bytes, size) ? SOURCE_ZSTD : SOURCE_PLAIN;
	for (i = 0; i < ARRAY_SIZE(magics); i++) {
		const struct magic *magic = &magics[i];

		if (size < magic->size || memcmp(bytes, magic->bytes, magic->size) != 0)
			continue;
		if (magic->name)
			return error_set(ret_error, -ENOTSUP,
					 "compressed with %s; pktfs reads zstd and gzip",
					 magic->name);
		*ret = magic->compression;
	}
	return 0;
}

/* Lays a decoder over `inner` if its bytes want one. Closes it on failure. */
static int decode(struct source *inner, const struct source_options *options, struct source **ret,
		  struct pktfs_error *ret_error)
{
	enum source_compression compression = SOURCE_PLAIN;
	uint8_t bytes[OPEN_PEEK];
	int64_t n;
	int r;

	source_wait(inner, sizeof(bytes));
	n = source_read(inner, 0, bytes, sizeof(bytes));
	if (n > 0)
		r = recognise(bytes, (size_t)n, &compression, ret_error);
	else if (n < 0)
		r = error_set(ret_error, (int)n, "cannot be read: %s", strerror((int)-n));
	else if ((r = source_problem(inner, ret_error)) == 0)
		r = error_set(ret_error, -ENODATA, "found an empty file; " ACCEPTED);
	if (r == 0 && compression == SOURCE_PLAIN)
		*ret = inner;
	else if (r == 0 && compression == SOURCE_ZSTD)
		r = source_zstd_open(inner, options, ret, ret_error);
	else if (r == 0)
		r = source_gzip_open(inner, options, ret, ret_error);
	if (r < 0)
		source_close(inner);
	return r;
}

bool source_is_packed(int fd)
{
	enum source_compression compression = SOURCE_PLAIN;
	uint8_t bytes[OPEN_PEEK];
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

	return n < 0 || recognise(bytes, (size_t)n, &compression, NULL) < 0 ||
	       compression != SOURCE_PLAIN;
}

/* ---- by kind */

static int device_size(int fd, uint64_t *ret)
{
	off_t before = lseek(fd, 0, SEEK_CUR), end = lseek(fd, 0, SEEK_END);

	if (before < 0 || end < 0)
		return -errno;
	lseek(fd, before, SEEK_SET); /* the position may be shared */
	*ret = (uint64_t)end;
	return 0;
}

static int refuse(mode_t mode, struct pktfs_error *ret_error)
{
	if (S_ISDIR(mode))
		return error_set(ret_error, -EISDIR, "found a directory; " ACCEPTED);
	if (S_ISSOCK(mode))
		return error_set(ret_error, -ENOTSUP, "found a socket; " ACCEPTED);
	return error_set(ret_error, -ENOTSUP, "found no file of bytes; " ACCEPTED);
}

/* The bytes as they are stored. Takes over `fd` when it returns 0. */
static int open_stored(int fd, const struct stat *st, const struct source_options *options,
		       struct source **ret, struct pktfs_error *ret_error)
{
	uint64_t size = (uint64_t)st->st_size;
	bool block = S_ISBLK(st->st_mode);
	int r = 0;

	if (S_ISFIFO(st->st_mode) || S_ISCHR(st->st_mode))
		return source_pipe_open(fd, options, ret, ret_error);
	if (!S_ISREG(st->st_mode) && !block)
		return refuse(st->st_mode, ret_error);
	if (block)
		r = device_size(fd, &size);
	if (r == 0 && size == 0)
		return error_set(ret_error, -ENODATA, "found an empty file; " ACCEPTED);
	if (r == 0)
		r = source_file_open(fd, size, block || options->no_mmap,
				     options->growing && !block, ret);
	if (r < 0)
		return error_set(ret_error, r, "cannot be read: %s", strerror(-r));
	(*ret)->stored_size = size;
	return 0;
}

/* Takes over `fd`, always. */
static int open_taken(int fd, const struct source_options *options, struct source **ret,
		      struct pktfs_error *ret_error)
{
	struct source *inner;
	struct stat st;
	int r = fstat(fd, &st) < 0 ? error_set(ret_error, -errno, "%s", strerror(errno)) : 0;

	if (r == 0)
		r = open_stored(fd, &st, options, &inner, ret_error);
	if (r < 0) {
		util_close(fd);
		return r;
	}
	inner->stored_time =
		(struct pktfs_time){.sec = st.st_mtim.tv_sec, .nsec = (uint32_t)st.st_mtim.tv_nsec};
	return decode(inner, options, ret, ret_error);
}

static const struct source_options defaults;

int source_open_file(const char *path, const struct source_opener *opener)
{
	int fd;

	if (opener->open)
		return opener->open(opener->context, path, O_RDONLY);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

int source_open_path(const char *path, const struct source_options *options, struct source **ret,
		     struct pktfs_error *ret_error)
{
	int fd;

	options = options ? options : &defaults;
	fd = source_open_file(path, &options->opener);
	if (fd < 0)
		return error_set(ret_error, fd, "%s", strerror(-fd));
	return open_taken(fd, options, ret, ret_error);
}

int source_open_fd(int fd, const struct source_options *options, struct source **ret,
		   struct pktfs_error *ret_error)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, OPEN_FIRST_FD);

	if (copy < 0)
		return error_set(ret_error, -errno, "%s", strerror(errno));
	return open_taken(copy, options ? options : &defaults, ret, ret_error);
}

int source_open_buffer(const void *bytes, size_t size, const struct source_options *options,
		       struct source **ret, struct pktfs_error *ret_error)
{
	struct source *inner;
	int r;

	if (size == 0)
		return error_set(ret_error, -ENODATA, "found no bytes; " ACCEPTED);
	r = source_memory_open(bytes, size, &inner);
	if (r < 0)
		return error_set(ret_error, r, "out of memory");
	inner->stored_size = size;
	return decode(inner, options ? options : &defaults, ret, ret_error);
}
