/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "source_fault.h"
#include "source_impl.h"
#include "source_lease.h"
#include "source_piece.h"

/* What a loan by pread brings at least: whoever walks records asks for one
 * after the other. Stays below what source_piece_new maps. */
#define COPY_AHEAD ((size_t)32 << 10)

/* From this size on read(2) is faster than touching the pages of a map for the first
 * time. */
#define COPY_LARGE ((size_t)64 << 10)

struct source_file {
	struct source base;
	int fd;
	bool follows;               /* it was opened as one that grows */
	const uint8_t *map;         /* NULL: pread */
	uint64_t mapped;            /* bytes of address space */
	struct source_fault *fault; /* of the map; NULL: pread */
	struct source_lease lease;
	bool remote;                /* may be cut by whom no lease holds off */
	pthread_mutex_t grow_lock;  /* one look at the size at a time */
	pthread_mutex_t read_lock;  /* one reads ahead at a time */
};

static struct source_file *file_of(struct source *source)
{
	return (struct source_file *)source;
}

static bool is_mapped(const struct source_file *file)
{
	return file->fault && !source_fault_hit(file->fault);
}

int source_pread(int fd, uint64_t offset, void *bytes, size_t size, size_t *ret_done)
{
	size_t done = 0;
	ssize_t n;

	do {
		n = pread(fd, (uint8_t *)bytes + done, size - done, (off_t)(offset + done));
		if (n > 0)
			done += (size_t)n;
	} while (done < size && (n > 0 || (n < 0 && errno == EINTR)));
	if (ret_done)
		*ret_done = done;
	return done == size ? 0 : -EIO;
}

int source_lend_copy(int fd, uint64_t offset, size_t size, uint64_t limit, struct pktfs_loan *ret)
{
	size_t room = (size_t)MIN(MAX(size, COPY_AHEAD), limit - offset);
	struct source_piece *piece = source_piece_new(room);

	if (!piece)
		return -ENOMEM;
	source_pread(fd, offset, piece->bytes, room, &piece->size);
	if (piece->size < size) {
		source_piece_unref(piece);
		return -EIO;
	}
	ret->hold = piece;
	ret->bytes = piece->bytes;
	ret->size = piece->size;
	return 0;
}

static int file_borrow(struct source *source, uint64_t offset, size_t size, struct pktfs_loan *ret)
{
	struct source_file *file = file_of(source);
	uint64_t available = source->available;

	if (unlikely(offset + size > available)) /* taken back just now */
		return -ENODATA;
	if (unlikely(!is_mapped(file) || offset + size > file->mapped))
		return source_lend_copy(file->fd, offset, size, available, ret);
	ret->bytes = file->map + offset;
	ret->size = (size_t)(MIN(available, file->mapped) - offset);
	return 0;
}

static int file_read(struct source *source, uint64_t offset, void *bytes, size_t size, bool alone)
{
	struct source_file *file = file_of(source);

	if (is_mapped(file) && size < COPY_LARGE && !alone)
		return -EOPNOTSUPP;
	return source_pread(file->fd, offset, bytes, size, NULL);
}

/*
 * The handler sees a page that is gone. It does not see the rest of the page
 * in which a file ends now: that reads as zeros, so the size must be asked.
 */
static int file_verify(struct source *source, uint64_t offset, size_t size)
{
	struct source_file *file = file_of(source);
	struct stat st;

	if (unlikely(fstat(file->fd, &st) < 0 || (uint64_t)st.st_size < offset + size))
		source_fault_mark(file->fault);
	return likely(is_mapped(file)) ? 0 : -EIO;
}

/* ---- pinned bytes */

/* Is some of it not in memory? A look at a few pages tells; to whom the file does
 * not belong the system says that all is. */
static bool is_cold(const uint8_t *bytes, size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const unsigned looks = 4;
	unsigned char there;
	unsigned i;

	for (i = 1; i <= looks; i++) {
		uintptr_t at = (uintptr_t)bytes + size / looks * i - 1;

		if (mincore((void *)(at - at % page), 1, &there) == 0 && !(there & 1))
			return true;
	}
	return false;
}

/* What is not in memory is read in better order by read(2). Whether the map still is the
 * file's is asked when nobody can cut that any more: it may have been cut before, and be
 * as long again by now. */
static int file_pin(struct source *source, uint64_t offset, size_t size, const void **ret)
{
	struct source_file *file = file_of(source);
	struct stat st;

	if (!is_mapped(file) || file->remote || offset + size > file->mapped ||
	    is_cold(file->map + offset, size) || source_lease_take(&file->lease) < 0)
		return -EOPNOTSUPP;
	if (fstat(file->fd, &st) < 0 || (uint64_t)st.st_size < offset + size ||
	    !is_mapped(file)) {
		source_lease_drop(&file->lease);
		return -EOPNOTSUPP;
	}
	*ret = file->map + offset;
	return 0;
}

static void file_unpin(struct source *source)
{
	source_lease_drop(&file_of(source)->lease);
}

static int file_written(struct source *source)
{
	struct source_lease *lease = &file_of(source)->lease;
	int r = source_lease_take(lease);

	if (r == 0)
		source_lease_drop(lease);
	return r == 0 ? 0 : r == -EAGAIN ? 1 : -1;
}

/* ---- preparation */

/* So much is read at a time from a file that is not in memory. */
#define READ_PIECE ((size_t)128 << 10)

/*
 * Reads and forgets it: in one go from front to back, one thread after the other,
 * as the system reads ahead best. Faults in a map would read it in no order, and
 * in smaller pieces.
 */
static void read_through(struct source_file *file, uint64_t offset, size_t size)
{
	_cleanup_free_ uint8_t *piece = malloc(READ_PIECE);
	size_t done, n;

	if (!piece)
		return;
	UTIL_LOCK_SCOPE(&file->read_lock);
	posix_fadvise(file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	for (done = 0; done < size && !source_cancelled(&file->base); done += n) {
		n = MIN(size - done, READ_PIECE);
		if (source_pread(file->fd, offset + done, piece, n, NULL) < 0)
			return;
	}
}

/* Reads what is not in memory; or maps the pages at once instead of by a fault for each
 * few of them: what cannot be is left to the faults. */
static bool file_prepare(struct source *source, uint64_t offset, const uint8_t *bytes, size_t size,
			 bool fetch)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), before = (uintptr_t)bytes % page;

	if (!fetch) {
		madvise((void *)((uintptr_t)bytes - before), size + before, MADV_POPULATE_READ);
		return false;
	}
	if (!is_cold(bytes, size))
		return false;
	read_through(file_of(source), offset, size);
	return true;
}

/* ---- growth */

static void set_stored(struct source *source, const struct stat *st, uint64_t size)
{
	UTIL_LOCK_SCOPE(&source->lock);
	source->stored_size = size;
	source->stored_time = (struct pktfs_time){.sec = st->st_mtim.tv_sec,
						  .nsec = (uint32_t)st->st_mtim.tv_nsec};
}

/* For good, as the bytes of a map that was hit. */
static int has_shrunk(struct source_file *file)
{
	atomic_store(&file->base.growing, false);
	if (file->fault)
		source_fault_mark(file->fault);
	return -EIO;
}

static int file_grow(struct source *source, uint64_t limit, uint64_t used)
{
	struct source_file *file = file_of(source);
	uint64_t before, size;
	struct stat st;

	if (!file->follows)
		return 0;
	UTIL_LOCK_SCOPE(&file->grow_lock);
	if (!source_growing(source) || fstat(file->fd, &st) < 0)
		return -EIO;
	before = source->available;
	if ((uint64_t)st.st_size < (used == UINT64_MAX ? before : used))
		return has_shrunk(file);
	size = MIN((uint64_t)st.st_size, limit);
	if (used == UINT64_MAX)
		size = MAX(size, before);
	set_stored(source, &st, size);
	if (size != before)
		source_extend(source, size);
	return size > before;
}

static int file_descriptor(const struct source *source)
{
	const struct source_file *file = (const struct source_file *)source;

	return file->follows ? file->fd : -1;
}

static int file_stat(struct source *source, struct stat *ret)
{
	return fstat(file_of(source)->fd, ret) < 0 ? -errno : 0;
}

static void file_stored(struct source *source, uint64_t *ret_size, struct pktfs_time *ret_time)
{
	pthread_mutex_t *lock = file_of(source)->follows ? &source->lock : NULL;

	if (lock)
		pthread_mutex_lock(lock);
	*ret_size = source->stored_size;
	*ret_time = source->stored_time;
	if (lock)
		pthread_mutex_unlock(lock);
}

/* ---- life */

/* What takes the file's place, under its number and at its address, is not
 * mistaken for it: it cannot be read, or was marked before. */
static void file_drop(struct source *source)
{
	_cleanup_close_ int nothing = eventfd(0, EFD_CLOEXEC);
	struct source_file *file = file_of(source);

	UTIL_LOCK_SCOPE(&file->grow_lock);
	atomic_store(&source->growing, false);
	if (file->fault) {
		source_fault_mark(file->fault);
		mmap((void *)(uintptr_t)file->map, (size_t)file->mapped, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
	}
	if (nothing >= 0)
		dup3(nothing, file->fd, O_CLOEXEC);
}

static void file_close(struct source *source)
{
	struct source_file *file = file_of(source);

	source_fault_unwatch(file->fault);
	source_lease_fini(&file->lease);
	if (file->fault)
		munmap((void *)(uintptr_t)file->map, (size_t)file->mapped);
	util_close(file->fd);
	pthread_mutex_destroy(&file->grow_lock);
	pthread_mutex_destroy(&file->read_lock);
	source_fini(source);
	free(file);
}

static const struct source_ops file_ops = {
	.name = "file",
	.borrow = file_borrow,
	.read = file_read,
	.verify = file_verify,
	.pin = file_pin,
	.unpin = file_unpin,
	.prepare = file_prepare,
	.grow = file_grow,
	.descriptor = file_descriptor,
	.written = file_written,
	.stat = file_stat,
	.stored = file_stored,
	.drop = file_drop,
	.close = file_close,
};

/* Most file systems of others refuse leases. These give one of which those do not know who
 * have the same bytes elsewhere: in the layer below, or on another machine. */
static bool is_remote(int fd)
{
	static const uint32_t kinds[] = {FUSE_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,
					 ECRYPTFS_SUPER_MAGIC, V9FS_MAGIC, AFS_FS_MAGIC};
	struct statfs st;
	size_t i;

	if (fstatfs(fd, &st) < 0)
		return true;
	for (i = 0; i < ARRAY_SIZE(kinds) && (uint32_t)st.f_type != kinds[i]; i++)
		;
	return i < ARRAY_SIZE(kinds);
}

static bool map_file(struct source_file *file, uint64_t size)
{
	void *map;

	if (size > SIZE_MAX / 2)
		return false;
	map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED | MAP_NORESERVE, file->fd, 0);
	if (map == MAP_FAILED)
		return false;
	file->fault = source_fault_watch(map, (size_t)size);
	if (!file->fault) {
		munmap(map, (size_t)size);
		return false;
	}
	file->map = map;
	file->mapped = size;
	return true;
}

static void map_with_room(struct source_file *file, uint64_t size)
{
	uint64_t room = file->follows ? SOURCE_FILE_ROOM : 0, end;

	for (; room >= (uint64_t)1 << 20; room /= 4)
		if (add_ok(size, room, &end) && map_file(file, end))
			return;
	map_file(file, size);
}

int source_file_open(int fd, uint64_t size, bool no_mmap, bool growing, struct source **ret)
{
	struct source_file *file = calloc(1, sizeof(*file));

	if (!file)
		return -ENOMEM;
	source_init(&file->base, &file_ops);
	pthread_mutex_init(&file->grow_lock, NULL);
	pthread_mutex_init(&file->read_lock, NULL);
	file->fd = fd;
	source_lease_init(&file->lease, fd);
	file->remote = is_remote(fd);
	file->follows = growing;
	atomic_init(&file->base.growing, growing);
	if (!no_mmap)
		map_with_room(file, size);
	source_publish(&file->base, size);
	source_finish(&file->base);
	*ret = &file->base;
	return 0;
}

/* ---- memory */

struct source_memory {
	struct source base;
	const uint8_t *bytes;
};

static int memory_borrow(struct source *source, uint64_t offset, size_t size,
			 struct pktfs_loan *ret)
{
	struct source_memory *memory = (struct source_memory *)source;

	(void)size;
	ret->bytes = memory->bytes + offset;
	ret->size = (size_t)(source->available - offset);
	return 0;
}

static void memory_close(struct source *source)
{
	source_fini(source);
	free(source);
}

static const struct source_ops memory_ops = {
	.name = "memory",
	.borrow = memory_borrow,
	.close = memory_close,
};

int source_memory_open(const void *bytes, size_t size, struct source **ret)
{
	struct source_memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	source_init(&memory->base, &memory_ops);
	memory->bytes = bytes;
	source_publish(&memory->base, size);
	source_finish(&memory->base);
	*ret = &memory->base;
	return 0;
}
