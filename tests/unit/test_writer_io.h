/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that fails when it is told to: the system calls by which the writer
 * changes a file, defined here, come before those of the C library. For one
 * test_*.c to include.
 *
 *	io = (struct io){.on = true, .write_error = EIO, .write_takes = 7};
 *	... the next 7 bytes are written, then EIO ...
 *	io.on = false;
 */
#ifndef TEST_WRITER_IO_H
#define TEST_WRITER_IO_H

#include <errno.h>
#include <sys/syscall.h>

#include "test_writer.h"

enum io_kind { IO_WRITE, IO_CUT, IO_SYNC };

static struct io {
	bool on;
	int write_error;    /* 0: none; after ... */
	size_t write_takes; /* ... so many bytes that are written before */
	size_t write_most;  /* by one call; 0: all */
	int cut_error, sync_error;
	unsigned interrupts; /* so many calls are interrupted first */
	unsigned calls[3];
	/* sees what is done, before it is */
	void (*watch)(int fd, enum io_kind kind, uint64_t offset, const void *bytes, size_t size);
} io;

/* -1 and errno: the call fails. */
static int io_call(int fd, enum io_kind kind, uint64_t offset, const void *bytes, size_t size,
		   int code)
{
	if (io.interrupts > 0) {
		io.interrupts--;
		code = EINTR;
	}
	io.calls[kind]++;
	if (code == 0 && io.watch)
		io.watch(fd, kind, offset, bytes, size);
	errno = code;
	return code ? -1 : 0;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	int code = 0;

	if (io.on && io.write_error) {
		size = size < io.write_takes ? size : io.write_takes;
		io.write_takes -= size;
		code = size ? 0 : io.write_error;
	}
	if (io.on && io.write_most && size > io.write_most)
		size = io.write_most;
	if (io.on && io_call(fd, IO_WRITE, (uint64_t)offset, bytes, size, code) < 0)
		return -1;
	return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

int ftruncate(int fd, off_t length)
{
	if (io.on && io_call(fd, IO_CUT, (uint64_t)length, NULL, 0, io.cut_error) < 0)
		return -1;
	return (int)syscall(SYS_ftruncate, fd, length);
}

int fdatasync(int fd)
{
	if (io.on && io_call(fd, IO_SYNC, 0, NULL, 0, io.sync_error) < 0)
		return -1;
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	if (io.on && io_call(fd, IO_SYNC, 0, NULL, 0, io.sync_error) < 0)
		return -1;
	return (int)syscall(SYS_fsync, fd);
}

static const char *const io_names[] = {"f.pcap", "f.pcapng", "f.pcapng.zst", "f.pcap.gz"};

/* A capture of three packets, opened to append. */
static UNUSED pktfs_writer *begin(const char *path, unsigned flags)
{
	struct pktfs_writer_options options = {.flags = PKTFS_WRITER_REPLACE};
	pktfs_writer *writer;

	unlink(path); /* and the lock of a case that failed */
	make_capture(path, &options, 3);
	options.flags = flags;
	OK(pktfs_writer_append(path, &options, &writer, error_));
	return writer;
}

/* Packet `seed`, into the file. */
static UNUSED int put(pktfs_writer *writer, uint64_t seed, struct pktfs_error *error)
{
	struct pktfs_new_packet packet = some_packet(seed, (uint32_t)(seed * 37 % 1500));
	int r = pktfs_writer_packet(writer, &packet, NULL, error);

	return r < 0 ? r : pktfs_writer_commit(writer, error);
}

/* After each case, however it ended. */
static UNUSED int disk_is_well(void **state)
{
	(void)state;
	io.on = false;
	return 0;
}

#define CASE(name) cmocka_unit_test_teardown(name, disk_is_well)

#endif
