/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libfuse before 3.16.2 takes FUSE_CAP_PARALLEL_DIROPS and never tells the
 * kernel (it is missing among the flags of its reply to INIT). Without it the
 * kernel holds a lock of the directory during a LOOKUP: one that waits for the
 * index would stop `ls` and every other lookup in that directory. So we sit
 * between libfuse and the device until INIT has its reply, and add the flag,
 * if the kernel offers it. Newer ones need no such help, and may be built without
 * a place between them and the device.
 */
#include "fs_internal.h"

#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17)

int fs_hello(struct fs *fs)
{
	(void)fs;
	return 0;
}

#else

#include <linux/fuse.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static void see_request(struct fs *fs, const void *bytes, size_t size)
{
	struct fuse_in_header header;
	struct fuse_init_in init;

	if (size < sizeof(header) + offsetof(struct fuse_init_in, flags2))
		return;
	memcpy(&header, bytes, sizeof(header));
	if (header.opcode != FUSE_INIT)
		return;
	memcpy(&init, (const char *)bytes + sizeof(header), offsetof(struct fuse_init_in, flags2));
	fs->hello_unique = header.unique;
	fs->hello_flags = init.flags & FUSE_PARALLEL_DIROPS;
}

/* The reply: a header, and what INIT gives. */
static bool is_reply(struct fs *fs, const struct iovec *iov, int count)
{
	struct fuse_out_header header;

	if (count != 2 || iov[0].iov_len != sizeof(header) ||
	    iov[1].iov_len < sizeof(struct fuse_init_out))
		return false;
	memcpy(&header, iov[0].iov_base, sizeof(header));
	return header.unique == fs->hello_unique && !header.error;
}

static ssize_t hello_read(int fd, void *bytes, size_t size, void *context)
{
	struct fs *fs = context;
	ssize_t n = read(fd, bytes, size);

	if (unlikely(!atomic_load_explicit(&fs->hello_done, memory_order_acquire)) && n > 0)
		see_request(fs, bytes, (size_t)n);
	return n;
}

static ssize_t hello_writev(int fd, struct iovec *iov, int count, void *context)
{
	struct fs *fs = context;
	struct fuse_init_out init;
	struct iovec patched[2];

	if (likely(atomic_load_explicit(&fs->hello_done, memory_order_acquire)) ||
	    !is_reply(fs, iov, count))
		return writev(fd, iov, count);
	/* before the reply: other requests come as soon as it is written */
	atomic_store_explicit(&fs->hello_done, true, memory_order_release);
	memcpy(&init, iov[1].iov_base, sizeof(init));
	init.flags |= fs->hello_flags;
	patched[0] = iov[0];
	patched[1] = (struct iovec){.iov_base = &init, .iov_len = sizeof(init)};
	return writev(fd, patched, 2);
}

int fs_hello(struct fs *fs)
{
	static const struct fuse_custom_io io = {.read = hello_read, .writev = hello_writev};

	return fuse_session_custom_io(fs->session, &io, fuse_session_fd(fs->session));
}

#endif
