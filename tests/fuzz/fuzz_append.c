/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check before an append, over any bytes in a memfd. What must hold: it
 * ends; a file that it accepts has a packet or an interface more after an
 * append, and not a byte less before it; one that it wants repaired has as many
 * packets after the repair, and wants nothing more.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pktfs/writer.h"
#include "write/write_check.h"
#include "write/write_repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void same_prefix(int fd, const uint8_t *bytes, size_t size, uint64_t skip_at)
{
	uint8_t *found = malloc(size);
	size_t at = (size_t)MIN(skip_at, size), behind = MIN(at + 8, size);

	assert(found && pread(fd, found, size, 0) == (ssize_t)size);
	assert(memcmp(found, bytes, at) == 0);
	assert(memcmp(found + behind, bytes + behind, size - behind) == 0);
	free(found);
}

/* A section of a fixed length has that replaced: the eight bytes at `patch`. */
static void append(int fd, const uint8_t *bytes, size_t size, uint64_t patch)
{
	const struct pktfs_new_packet packet = {
		.time = {1000000000, 0}, .data = "x", .captured_length = 1};
	const struct pktfs_new_interface ethernet = {.link_type = 1};
	struct pktfs_writer_status before, after;
	struct pktfs_error error;
	pktfs_writer *writer;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = pktfs_writer_append(path, NULL, &writer, &error);
	assert(r == 0);
	pktfs_writer_status_get(writer, &before);
	r = pktfs_writer_interface(writer, &ethernet, NULL, &error);
	assert(r == 0 || r == -ENOTSUP);
	/* of an interface whose clock or snaplen does not allow it */
	r = pktfs_writer_packet(writer, &packet, NULL, &error);
	assert(r == 0 || r == -ERANGE || r == -EMSGSIZE);
	pktfs_writer_status_get(writer, &after);
	assert(after.packets == before.packets + (r == 0));
	r = pktfs_writer_close(writer, &error);
	assert(r == 0);
	same_prefix(fd, bytes, size, patch);
	r = pktfs_writer_append(path, NULL, &writer, &error);
	assert(r == 0);
	pktfs_writer_status_get(writer, &before);
	assert(before.packets == after.packets && before.end == after.end);
	pktfs_writer_close(writer, NULL);
}

/* What is cut off, and the log, go to files in memory. */
static void repair(int fd, const struct write_target *target)
{
	char path[64], torn[80];
	struct write_repaired repaired;
	struct write_target again;
	struct pktfs_error error;
	int r;

	assert(target->problem.code == -ENODATA && *target->problem.text);
	snprintf(path, sizeof(path), "/dev/shm/pktfs-fuzz-append-%d", (int)getpid());
	snprintf(torn, sizeof(torn), "%s.torn", path);
	r = write_repair(fd, path, target, &repaired, &error);
	unlink(torn);
	assert(r == 0 && repaired.how != PKTFS_WRITER_REPAIR_NONE);
	r = write_check(fd, &again, &error);
	assert(r == 0 && again.mend == WRITE_MEND_NONE);
	assert(again.packets == target->packets && again.end == target->end);
	write_target_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("append", MFD_CLOEXEC), r;
	struct write_target target;
	struct pktfs_error error;
	uint64_t patch;

	assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	r = write_check(fd, &target, &error);
	if (r < 0) {
		assert(error.code == r && memchr(error.text, 0, sizeof(error.text)));
		close(fd);
		return 0;
	}
	assert(target.cut_at <= size && target.cut_decoded <= target.end);
	patch = target.section_length == -1 || target.compression ? UINT64_MAX
								  : target.section_at + 16;
	if (target.mend == WRITE_MEND_NONE)
		append(fd, bytes, size, patch);
	else if (access("/dev/shm", W_OK) == 0)
		repair(fd, &target);
	write_target_free(&target);
	close(fd);
	return 0;
}
