/* SPDX-License-Identifier: BSD-2-Clause */
#include "write_repair.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/util_cursor.h"
#include "write_file.h"
#include "write_input.h"
#include "write_stream.h"

#define COPY_SIZE ((size_t)256 << 10)
#define LOG_SIZE  48u
static const char log_magic[] = "pktfsrep";

struct log {
	uint64_t inode, size_before, cut_at, payload;
	uint32_t crc;
};

static int failed(int code, const char *what, struct pktfs_error *ret_error)
{
	return error_set(ret_error, code, "repair: %s: %s", what, strerror(-code));
}

static char *beside(const char *path, const char *suffix)
{
	char *name;

	return asprintf(&name, "%s%s", path, suffix) < 0 ? NULL : name;
}

static int sync_directory(const char *path)
{
	_cleanup_close_ int fd = write_open_directory(path);

	if (fd < 0)
		return fd;
	return fsync(fd) < 0 ? -errno : 0;
}

static int copy(int from, uint64_t at, uint64_t end, int to, uint64_t to_at, uint32_t *crc)
{
	_cleanup_free_ uint8_t *bytes = malloc(COPY_SIZE);
	int64_t n;
	int r = bytes ? 0 : -ENOMEM;

	for (; r == 0 && at < end; at += (uint64_t)n, to_at += (uint64_t)n) {
		n = write_pread(from, at, bytes, (size_t)MIN(end - at, COPY_SIZE));
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		if (crc)
			*crc = (uint32_t)crc32_z(*crc, bytes, (size_t)n);
		if (to >= 0)
			r = write_pwrite(to, to_at, bytes, (size_t)n);
	}
	return r;
}

/* ---- PATH.torn */

static int keep_in(int torn, int fd, uint64_t from, uint64_t end)
{
	struct stat st;
	uint64_t before;
	int r;

	if (fstat(torn, &st) < 0)
		return -errno;
	before = (uint64_t)st.st_size;
	r = copy(fd, from, end, torn, before, NULL);
	if (r == 0 && fsync(torn) < 0)
		r = -errno;
	if (r < 0 && ftruncate(torn, (off_t)before) < 0)
		return r;
	return r;
}

static int keep(int fd, const char *path, uint64_t from, uint64_t end,
		struct pktfs_error *ret_error)
{
	_cleanup_free_ char *name = beside(path, ".torn");
	_cleanup_close_ int torn = -1;
	int r;

	if (from == end)
		return 0;
	if (!name)
		return failed(-ENOMEM, "PATH.torn", ret_error);
	torn = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = torn < 0 ? -errno : keep_in(torn, fd, from, end);
	if (r == 0)
		r = sync_directory(path);
	return r < 0 ? failed(r, name, ret_error) : 0;
}

static int cut(int fd, uint64_t at)
{
	while (ftruncate(fd, (off_t)at) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* ---- PATH.repair */

static void encode_log(const struct log *log, struct text *text)
{
	text_append(text, log_magic, 8);
	text_u64(text, log->inode, false);
	text_u64(text, log->size_before, false);
	text_u64(text, log->cut_at, false);
	text_u64(text, log->payload, false);
	text_u32(text, log->crc, false);
	if (!text->failed)
		text_u32(text, (uint32_t)crc32_z(0, (uint8_t *)text->bytes, text->size), false);
}

static bool decode_log(const uint8_t *bytes, struct log *ret)
{
	if (memcmp(bytes, log_magic, 8) != 0 ||
	    bytes_u32(bytes + LOG_SIZE - 4, false) != (uint32_t)crc32_z(0, bytes, LOG_SIZE - 4))
		return false;
	ret->inode = bytes_u64(bytes + 8, false);
	ret->size_before = bytes_u64(bytes + 16, false);
	ret->cut_at = bytes_u64(bytes + 24, false);
	ret->payload = bytes_u64(bytes + 32, false);
	ret->crc = bytes_u32(bytes + 40, false);
	return true;
}

/* The payload: the decoded bytes from the start of the torn frame to the end of
 * the last whole record, as frames of their own. */
static int recode_into(int log_fd, struct write_input *input, struct write_stream *stream,
		       uint64_t end, struct log *log, struct pktfs_error *ret_error)
{
	_cleanup_(text_free) struct text window = {.limit = FORMAT_MAX_BLOCK};
	_cleanup_(text_free) struct text out = {.limit = FORMAT_MAX_BLOCK};
	uint64_t given = input->decoded;
	size_t size;
	int r;

	while (given < end) {
		window.size = out.size = 0;
		/* no further: what follows may be why the file is repaired */
		do
			r = write_input_more(input, &window, ret_error);
		while (r == 1 && window.size < MIN(WRITE_FRAME_BYTES, end - given));
		if (r < 0)
			return r;
		size = (size_t)MIN(window.size, end - given);
		if (size == 0)
			return error_set(ret_error, -EIO, "repair: the file has changed");
		r = write_stream_whole(stream, window.bytes, size, &out);
		if (r == 0)
			r = write_pwrite(log_fd, LOG_SIZE + log->payload, out.bytes, out.size);
		if (r < 0)
			return failed(r, "PATH.repair", ret_error);
		log->crc = (uint32_t)crc32_z(log->crc, (uint8_t *)out.bytes, out.size);
		log->payload += out.size;
		given += size;
	}
	return 0;
}

static int finish_log(int log_fd, const struct log *log, const char *path)
{
	_cleanup_(text_free) struct text head = {0};
	int r;

	/* the head says that the payload is there */
	if (fsync(log_fd) < 0)
		return -errno;
	encode_log(log, &head);
	r = head.failed ? head.failed : write_pwrite(log_fd, 0, head.bytes, head.size);
	if (r == 0 && fsync(log_fd) < 0)
		r = -errno;
	return r < 0 ? r : sync_directory(path);
}

static int make_log(int fd, const char *path, const char *name, const struct write_target *target,
		    struct pktfs_error *ret_error)
{
	_cleanup_close_ int log_fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	_cleanup_(write_stream_close) struct write_stream stream = {0};
	_cleanup_(write_input_close) struct write_input input = {.fd = -1};
	struct log log = {.cut_at = target->cut_at, .size_before = target->stored_end};
	struct stat st;
	int r;

	if (log_fd < 0 || fstat(fd, &st) < 0)
		return failed(-errno, name, ret_error);
	log.inode = st.st_ino;
	stream.compression = target->compression;
	r = write_input_open(&input, fd, target->cut_at, target->cut_decoded, ret_error);
	if (r == 0)
		r = recode_into(log_fd, &input, &stream, target->end, &log, ret_error);
	if (r < 0)
		return r;
	r = finish_log(log_fd, &log, path);
	return r < 0 ? failed(r, name, ret_error) : 0;
}

static int do_log(int fd, int log_fd, const struct log *log, const char *path, const char *name)
{
	int r = cut(fd, log->cut_at);

	if (r == 0)
		r = copy(log_fd, LOG_SIZE, LOG_SIZE + log->payload, fd, log->cut_at, NULL);
	if (r == 0 && (fsync(fd) < 0 || unlink(name) < 0))
		r = -errno;
	return r < 0 ? r : sync_directory(path);
}

/* Is it whole? One that is not was never begun to be done. */
static bool read_log(int log_fd, struct log *ret)
{
	uint8_t head[LOG_SIZE];
	uint32_t crc = 0;
	uint64_t end;

	return write_pread(log_fd, 0, head, sizeof(head)) == sizeof(head) &&
	       decode_log(head, ret) && add_ok(ret->payload, (uint64_t)LOG_SIZE, &end) &&
	       copy(log_fd, LOG_SIZE, end, -1, 0, &crc) == 0 && crc == ret->crc;
}

/* The file is as it was before, or anywhere between the cut and the end. */
static bool fits(const struct log *log, const struct stat *st)
{
	uint64_t size = (uint64_t)st->st_size, end;

	return log->inode == st->st_ino && add_ok(log->cut_at, log->payload, &end) &&
	       (size == log->size_before || (size >= log->cut_at && size <= end));
}

static int resume(int fd, int log_fd, const char *path, const char *name, bool repair,
		  struct write_repaired *ret, struct pktfs_error *ret_error)
{
	struct stat st;
	struct log log;
	int r;

	if (!read_log(log_fd, &log))
		return repair && unlink(name) < 0 ? failed(-errno, name, ret_error) : 0;
	if (fstat(fd, &st) < 0)
		return failed(-errno, "the file", ret_error);
	if (!fits(&log, &st))
		return error_set(ret_error, -ESTALE,
				 "%s is of a repair of another file, or one that was changed "
				 "since; accepted after it was moved away",
				 name);
	if (!repair)
		return error_at(ret_error, -ENODATA, log.cut_at,
				"a repair at offset %" PRIu64
				" of the file was interrupted; accepted after it is repaired",
				log.cut_at);
	r = do_log(fd, log_fd, &log, path, name);
	if (r < 0)
		return failed(r, name, ret_error);
	*ret = (struct write_repaired){.how = PKTFS_WRITER_REPAIR_RESUMED,
				       .offset = log.cut_at,
				       .bytes = log.size_before - log.cut_at};
	return 0;
}

int write_repair_resume(int fd, const char *path, bool repair, struct write_repaired *ret,
			struct pktfs_error *ret_error)
{
	_cleanup_free_ char *name = beside(path, ".repair");
	_cleanup_close_ int log_fd = -1;

	if (!name)
		return failed(-ENOMEM, "PATH.repair", ret_error);
	log_fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (log_fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : failed(-errno, name, ret_error);
	return resume(fd, log_fd, path, name, repair, ret, ret_error);
}

static int recode(int fd, const char *path, const struct write_target *target,
		  struct pktfs_error *ret_error)
{
	_cleanup_free_ char *name = beside(path, ".repair");
	struct write_repaired resumed;
	int r;

	if (!name)
		return failed(-ENOMEM, "PATH.repair", ret_error);
	r = make_log(fd, path, name, target, ret_error);
	if (r < 0) {
		unlink(name);
		return r;
	}
	return write_repair_resume(fd, path, true, &resumed, ret_error);
}

static int cut_and_end(int fd, const struct write_target *target, struct pktfs_error *ret_error)
{
	_cleanup_(text_free) struct text mark = {0};
	int r = target->cut_at < target->stored_end ? cut(fd, target->cut_at) : 0;

	if (r == 0 && target->mend == WRITE_MEND_END) {
		write_stream_mark(target->compression, target->crc, target->frame_decoded, &mark);
		r = mark.failed ? mark.failed
				: write_pwrite(fd, target->cut_at, mark.bytes, mark.size);
	}
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r < 0 ? failed(r, "the file", ret_error) : 0;
}

int write_repair(int fd, const char *path, const struct write_target *target,
		 struct write_repaired *ret, struct pktfs_error *ret_error)
{
	static const enum pktfs_writer_repair how[] = {
		[WRITE_MEND_CUT] = PKTFS_WRITER_REPAIR_CUT,
		[WRITE_MEND_END] = PKTFS_WRITER_REPAIR_ENDED,
		[WRITE_MEND_RECODE] = PKTFS_WRITER_REPAIR_REWRITTEN,
	};
	int r = keep(fd, path, target->cut_at, target->stored_end, ret_error);

	if (r == 0)
		r = target->mend == WRITE_MEND_RECODE ? recode(fd, path, target, ret_error)
						      : cut_and_end(fd, target, ret_error);
	if (r == 0)
		*ret = (struct write_repaired){.how = how[target->mend],
					       .offset = target->cut_at,
					       .bytes = target->stored_end - target->cut_at};
	return r;
}
