/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening and closing a writer. */
#include "write_private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "write_check.h"
#include "write_lock.h"

#define MODE_DEFAULT       0666u
#define SECTION_LENGTH_AT  16u
#define SECTION_LENGTH_END 24u
/* The smallest unit that a disk writes whole. */
#define SECTOR_SIZE 512u

static const struct pktfs_writer_options defaults;

static void free_writer(struct pktfs_writer *writer)
{
	if (!writer)
		return;
	util_close(writer->file.directory);
	util_close(writer->file.fd); /* ends the lock */
	write_stream_close(&writer->stream);
	write_interfaces_free(&writer->interfaces);
	text_free(&writer->pending);
	text_free(&writer->packed);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

static struct pktfs_writer *new_writer(int fd, const struct pktfs_writer_options *options)
{
	struct pktfs_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	pthread_mutex_init(&writer->lock, NULL);
	writer->file.fd = fd;
	writer->file.directory = -1;
	writer->buffered = options->flags & PKTFS_WRITER_BUFFERED;
	writer->stream.level = options->level;
	writer->pending.limit = WRITE_TEXT_LIMIT;
	writer->packed.limit = WRITE_TEXT_LIMIT;
	return writer;
}

/* Opens, locks; a regular file. */
static int open_locked(const char *path, int flags, const struct pktfs_writer_options *options,
		       struct stat *ret_st, struct pktfs_error *ret_error)
{
	unsigned mode = options->mode ? options->mode : MODE_DEFAULT;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags, (mode_t)mode);
	int r;

	if (fd < 0)
		return error_set(ret_error, -errno, "cannot be opened for writing: %s",
				 strerror(errno));
	r = write_lock(fd, ret_error);
	if (r == 0 && fstat(fd, ret_st) < 0)
		r = error_set(ret_error, -errno, "%s", strerror(errno));
	if (r == 0 && !S_ISREG(ret_st->st_mode))
		r = error_set(ret_error, -ENOTSUP, "found no regular file; accepted one");
	if (r == 0)
		return fd;
	util_close(fd);
	return r;
}

static int check_options(const struct pktfs_writer_options *options, struct pktfs_error *ret_error)
{
	const unsigned known = PKTFS_WRITER_BUFFERED | PKTFS_WRITER_REPAIR | PKTFS_WRITER_REPLACE |
			       PKTFS_WRITER_MAKE | PKTFS_WRITER_BIG_ENDIAN;

	if (options->flags & ~known || (unsigned)options->format > PKTFS_WRITER_PCAPNG ||
	    (unsigned)options->compression > PKTFS_WRITER_GZIP || options->mode & ~07777u)
		return error_set(ret_error, -EINVAL, "options of the writer: found unknown ones");
	return 0;
}

/* ---- a new file */

static void start_new(struct pktfs_writer *writer, const char *path,
		      const struct pktfs_writer_options *options)
{
	static const enum pktfs_compression compressions[] = {
		[PKTFS_WRITER_PLAIN] = PKTFS_COMPRESSION_NONE,
		[PKTFS_WRITER_ZSTD] = PKTFS_COMPRESSION_ZSTD,
		[PKTFS_WRITER_GZIP] = PKTFS_COMPRESSION_GZIP,
	};
	enum pktfs_writer_compression compression;
	enum pktfs_writer_format format;

	writer_by_name(path, &format, &compression);
	if (options->format != PKTFS_WRITER_AUTO)
		format = options->format;
	if (options->compression != PKTFS_WRITER_COMPRESSION_AUTO)
		compression = options->compression;
	writer->stream.compression = compressions[compression];
	writer->pcapng = format == PKTFS_WRITER_PCAPNG;
	writer->section_follows = writer->pcapng;
	writer->header_missing = !writer->pcapng;
	writer->sections = !writer->pcapng;
	writer->big_endian = options->flags & PKTFS_WRITER_BIG_ENDIAN;
	writer->interfaces.big_endian = writer->big_endian;
	writer->format = (struct format){
		.kind = writer->pcapng ? FORMAT_PCAPNG : FORMAT_PCAP,
		.big_endian = writer->big_endian,
		.nanosecond = format == PKTFS_WRITER_PCAP_NANO,
		.record_header = 16,
		.fcs_length = -1,
	};
	/* without it (a directory that may be searched but not read), the name of
	 * the file reaches the disk when the system sees fit */
	writer->file.directory = write_open_directory(path);
}

int pktfs_writer_create(const char *path, const struct pktfs_writer_options *options,
			pktfs_writer **ret, struct pktfs_error *ret_error)
{
	int r = check_options(options ? options : &defaults, ret_error), fd, flags;
	struct pktfs_writer *writer;
	struct stat st;

	options = options ? options : &defaults;
	if (r < 0)
		return r;
	if (options->flags & (PKTFS_WRITER_REPAIR | PKTFS_WRITER_MAKE))
		return error_set(ret_error, -EINVAL,
				 "options of the writer: found some that are for appending");
	flags = O_CREAT | (options->flags & PKTFS_WRITER_REPLACE ? 0 : O_EXCL);
	fd = open_locked(path, flags, options, &st, ret_error);
	if (fd < 0)
		return fd;
	writer = new_writer(fd, options);
	if (!writer || (st.st_size > 0 && ftruncate(fd, 0) < 0)) {
		r = error_set(ret_error, writer ? -errno : -ENOMEM, "cannot be begun: %s",
			      strerror(writer ? errno : ENOMEM));
		if (writer)
			free_writer(writer);
		else
			util_close(fd);
		return r;
	}
	writer->file.had_name = st.st_nlink > 0;
	start_new(writer, path, options);
	*ret = writer;
	return 0;
}

/* ---- more in a file */

/*
 * A section that says how long it is has to be told that it grows. Where its
 * length lies in one sector, it becomes "not given" by one write, before
 * anything is appended: valid before, in between and after. Elsewhere (or in a
 * compressed file, where nothing can be changed) a new section is begun, which
 * leaves the one before as it is.
 */
static void open_section(struct pktfs_writer *writer, const struct write_target *target)
{
	uint64_t at = target->section_at + SECTION_LENGTH_AT;
	bool whole =
		at / SECTOR_SIZE == (target->section_at + SECTION_LENGTH_END - 1) / SECTOR_SIZE;

	if (target->skipped || target->malformed)
		writer->section_follows = true;
	else if (target->section_length == -1)
		return;
	else if (target->compression == PKTFS_COMPRESSION_NONE && whole)
		writer->patch_at = at;
	else
		writer->section_follows = true;
}

/* Takes over the interfaces. */
static void start_append(struct pktfs_writer *writer, struct write_target *target)
{
	writer->stream.compression = target->compression;
	writer->format = target->format;
	writer->pcapng = target->format.kind == FORMAT_PCAPNG;
	writer->big_endian = target->big_endian;
	writer->interfaces = target->interfaces;
	target->interfaces = (struct write_interfaces){0};
	writer->base = target->end;
	writer->file.end = target->stored_end;
	writer->packets = writer->packets_before = target->packets;
	writer->sections = target->sections;
	writer->interfaces_before = target->interfaces_before;
	if (writer->pcapng)
		open_section(writer, target);
}

static int check_wanted(const struct write_target *target,
			const struct pktfs_writer_options *options, struct pktfs_error *ret_error)
{
	static const char *const formats[] = {"", "pcap (microseconds)", "pcap (nanoseconds)",
					      "pcapng"};
	static const char *const compressions[] = {"", "not compressed", "zstd", "gzip"};
	enum pktfs_writer_format format = target->format.kind == FORMAT_PCAPNG ? PKTFS_WRITER_PCAPNG
					  : target->format.nanosecond ? PKTFS_WRITER_PCAP_NANO
								      : PKTFS_WRITER_PCAP;
	enum pktfs_writer_compression compression =
		target->compression == PKTFS_COMPRESSION_ZSTD   ? PKTFS_WRITER_ZSTD
		: target->compression == PKTFS_COMPRESSION_GZIP ? PKTFS_WRITER_GZIP
								: PKTFS_WRITER_PLAIN;

	if (options->format != PKTFS_WRITER_AUTO &&
	    (options->format != format || target->format.kind == FORMAT_PCAP_MODIFIED))
		return error_set(ret_error, -EINVAL, "found %s; accepted %s",
				 target->format.kind == FORMAT_PCAP_MODIFIED ? "modified pcap"
									     : formats[format],
				 formats[options->format]);
	if (options->compression != PKTFS_WRITER_COMPRESSION_AUTO &&
	    options->compression != compression)
		return error_set(ret_error, -EINVAL, "found %s; accepted %s",
				 compressions[compression], compressions[options->compression]);
	return 0;
}

/* The file as it can be appended to. */
static int check_file(int fd, const char *path, const struct pktfs_writer_options *options,
		      struct write_target *target, struct write_repaired *repaired,
		      struct pktfs_error *ret_error)
{
	bool repair = options->flags & PKTFS_WRITER_REPAIR;
	int r = write_check(fd, target, ret_error);

	if (r < 0)
		return r;
	r = check_wanted(target, options, ret_error);
	if (r == 0 && target->mend != WRITE_MEND_NONE && repair) {
		r = write_repair(fd, path, target, repaired, ret_error);
		write_target_free(target);
		if (r == 0)
			r = write_check(fd, target, ret_error);
		if (r < 0)
			return r;
	}
	if (r == 0 && target->mend != WRITE_MEND_NONE) {
		if (ret_error)
			*ret_error = target->problem;
		r = -ENODATA;
	}
	if (r < 0)
		write_target_free(target);
	return r;
}

static int append_to(struct pktfs_writer *writer, const char *path,
		     const struct pktfs_writer_options *options, const struct stat *st,
		     struct pktfs_error *ret_error)
{
	bool repair = options->flags & PKTFS_WRITER_REPAIR;
	struct write_target target;
	int r = write_repair_resume(writer->file.fd, path, repair, &writer->repaired, ret_error);

	writer->file.had_name = st->st_nlink > 0;
	if (r < 0)
		return r;
	if (st->st_size == 0 && options->flags & PKTFS_WRITER_MAKE) {
		start_new(writer, path, options);
		return 0;
	}
	r = check_file(writer->file.fd, path, options, &target, &writer->repaired, ret_error);
	if (r < 0)
		return r;
	start_append(writer, &target);
	write_target_free(&target);
	return 0;
}

int pktfs_writer_append(const char *path, const struct pktfs_writer_options *options,
			pktfs_writer **ret, struct pktfs_error *ret_error)
{
	int r = check_options(options ? options : &defaults, ret_error), fd;
	struct pktfs_writer *writer;
	struct stat st;

	options = options ? options : &defaults;
	if (r < 0)
		return r;
	if (options->flags & PKTFS_WRITER_REPLACE)
		return error_set(ret_error, -EINVAL,
				 "options of the writer: found some that are for a new file");
	fd = open_locked(path, options->flags & PKTFS_WRITER_MAKE ? O_CREAT : 0, options, &st,
			 ret_error);
	if (fd < 0)
		return fd;
	writer = new_writer(fd, options);
	if (!writer) {
		util_close(fd);
		return error_set(ret_error, -ENOMEM, "out of memory");
	}
	r = append_to(writer, path, options, &st, ret_error);
	if (r < 0)
		free_writer(writer);
	else
		*ret = writer;
	return r;
}

int pktfs_writer_close(pktfs_writer *writer, struct pktfs_error *ret_error)
{
	int r;

	if (!writer)
		return 0;
	r = writer_finish(writer, ret_error);
	free_writer(writer);
	return r;
}
