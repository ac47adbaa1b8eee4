/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is on the disk when pktfs_writer_sync has returned, and the machine then
 * loses its power: an ext4 file system on a loop device is written to, and the
 * image below the device (what had reached the "disk": nothing of the page cache
 * above it) is copied and mounted, as after a crash. Needs root, mkfs.ext4 and a
 * loop device.
 */
#include "own_mounts.h"
#include "test_writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mount.h>

#define DISK_BYTES ((off_t)16 << 20)
#define ROUNDS     8
#define FIXED_AT   200u

static char image[128], copy[128], disk[128], crashed[128];

/* ---- the disk */

__attribute__((format(printf, 1, 2))) static int shell(const char *format, ...)
{
	char command[400];
	va_list list;

	va_start(list, format);
	vsnprintf(command, sizeof(command), format, list);
	va_end(list);
	return system(command);
}

static void make_image(void)
{
	int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK_BYTES), 0);
	close(fd);
}

static bool ready; /* the disk is there */

static bool disk_begin(void)
{
	snprintf(image, sizeof(image), "%s", in_dir("image"));
	snprintf(disk, sizeof(disk), "%s", in_dir("disk"));
	snprintf(crashed, sizeof(crashed), "%s", in_dir("crashed"));
	if (geteuid() != 0 || !own_mounts())
		return false;
	make_image();
	mkdir(disk, 0700);
	mkdir(crashed, 0700);
	return shell("mkfs.ext4 -q -F -b 4096 -J size=4 -E lazy_itable_init=0,lazy_journal_init=0 "
		     "%s >/dev/null 2>&1", image) == 0 &&
	       shell("mount -t ext4 -o loop %s %s 2>/dev/null", image, disk) == 0;
}

static void copy_image(void)
{
	static uint8_t bytes[1 << 20];
	int from = open(image, O_RDONLY | O_CLOEXEC);
	int to = open(copy, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n;

	assert_true(from >= 0 && to >= 0);
	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(to, bytes, (size_t)n), n);
	assert_int_equal(n, 0);
	close(from);
	close(to);
}

/* Has the journal written, with the sizes of all files, but not their data. */
static void commit_journal(void)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/other", disk);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(fsync(fd), 0);
	close(fd);
	assert_int_equal(unlink(path), 0);
}

/* Has the data written, but not the size. */
static void write_back(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE), 0);
	close(fd);
}

/* What the machine does between a sync and the crash. */
static void disturb(unsigned how, const char *path)
{
	if (how & 1)
		commit_journal();
	if (how & 2)
		write_back(path);
	if (how == 3)
		commit_journal();
}

/* ---- after the crash */

struct tally {
	unsigned crashes, whole, repaired, more;
};

/* The path of the file as it is after a crash now. */
static const char *crash(const char *name)
{
	static char path[200];
	static unsigned number;

	/* another name each time: mount(8) knows loop devices by them */
	snprintf(copy, sizeof(copy), "%s/copy-%u", writer_dir, ++number);
	copy_image();
	assert_int_equal(shell("mount -t ext4 -o loop %s %s", copy, crashed), 0);
	assert_int_equal(unlink(copy), 0);
	snprintf(path, sizeof(path), "%s/%s", crashed, name);
	return path;
}

/* Opens it, with a repair if it wants one. */
static pktfs_writer *open_crashed(const char *path, struct tally *tally)
{
	struct pktfs_writer_options options = {0};
	struct pktfs_error error = {0};
	pktfs_writer *writer;
	int r = pktfs_writer_append(path, &options, &writer, &error);

	tally->crashes++;
	if (r == 0) {
		tally->whole++;
		return writer;
	}
	if (r != -ENODATA)
		fail_msg("%s: cannot be repaired: %s", path, error.text);
	options.flags = PKTFS_WRITER_REPAIR;
	OK(pktfs_writer_append(path, &options, &writer, error_));
	tally->repaired++;
	return writer;
}

/* All that was synchronised is there; what is behind it was written, too. */
static void check_crashed(const char *name, uint64_t synced, struct tally *tally)
{
	const char *path = crash(name);
	pktfs_writer *writer = open_crashed(path, tally);
	struct pktfs_writer_status status;

	pktfs_writer_status_get(writer, &status);
	assert_true(status.packets >= synced);
	tally->more += status.packets > synced;
	OK(pktfs_writer_close(writer, error_));
	assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), status.packets);
	assert_int_equal(umount(crashed), 0);
}

static void needs_disk(void)
{
	if (ready)
		return;
	print_message("SKIP: needs root, mkfs.ext4 and a loop device\n");
	skip();
}

static void report(const char *name, const struct tally *tally)
{
	print_message("%s: %u crashes: %u whole, %u repaired; %u with more than was "
		      "synchronised\n",
		      name, tally->crashes, tally->whole, tally->repaired, tally->more);
}

/* Some packets that are synchronised, and some behind them that are not. */
static void crash_rounds(const char *name, unsigned flags)
{
	const struct pktfs_writer_options options = {.flags = flags};
	struct tally tally = {0};
	pktfs_writer *writer;
	uint64_t next = 1;
	char path[200];

	needs_disk();
	snprintf(path, sizeof(path), "%s/%s", disk, name);
	OK(pktfs_writer_create(path, &options, &writer, error_));
	add_ethernet(writer);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t synced = next + round % 5, more = round / 4 * 5;

		add_packets(writer, next, synced - next + 1);
		OK(pktfs_writer_sync(writer, error_));
		add_packets(writer, synced + 1, more);
		OK(pktfs_writer_commit(writer, error_));
		next = synced + more + 1;
		disturb(round % 4, path);
		check_crashed(name, synced, &tally);
	}
	OK(pktfs_writer_close(writer, error_));
	assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), next - 1);
	assert_int_equal(unlink(path), 0);
	report(name, &tally);
}

static void crash_pcap(void **state)
{
	(void)state;
	crash_rounds("a.pcap", 0);
	crash_rounds("b.pcap", PKTFS_WRITER_BUFFERED);
}

static void crash_pcapng(void **state)
{
	(void)state;
	crash_rounds("a.pcapng", 0);
	crash_rounds("b.pcapng", PKTFS_WRITER_BUFFERED);
}

static void crash_zstd(void **state)
{
	(void)state;
	crash_rounds("a.pcapng.zst", 0);
	crash_rounds("b.pcap.zst", PKTFS_WRITER_BUFFERED);
}

static void crash_gzip(void **state)
{
	(void)state;
	crash_rounds("a.pcapng.gz", 0);
	crash_rounds("b.pcap.gz", PKTFS_WRITER_BUFFERED);
}

/* ---- a section of a fixed length */

/* The length says "not given", or where the file ends. */
static void check_length(const char *path, const struct text *before)
{
	static const uint8_t not_given[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct text after;

	get_file(path, &after);
	assert_true(after.size >= before->size);
	assert_memory_equal(after.bytes, before->bytes, FIXED_AT + 16);
	assert_memory_equal(after.bytes + FIXED_AT + 24, before->bytes + FIXED_AT + 24,
			    before->size - FIXED_AT - 24);
	if (memcmp(after.bytes + FIXED_AT + 16, before->bytes + FIXED_AT + 16, 8) == 0)
		assert_int_equal(after.size, before->size);
	else
		assert_memory_equal(after.bytes + FIXED_AT + 16, not_given, 8);
	text_free(&after);
}

/* Appends two packets, with a crash before, in between and after. */
static void crash_fixed(const char *name, unsigned how, struct tally *tally)
{
	_cleanup_(text_free) struct text text = {0};
	pktfs_writer *writer;
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", disk, name);
	build_fixed_section(&text, FIXED_AT, how & 1, 3);
	put_file(path, text.bytes, text.size);
	sync();
	OK(pktfs_writer_append(path, NULL, &writer, error_));
	for (unsigned n = 0; n < 3; n++) {
		if (n > 0)
			add_packets(writer, 3 + n, 1);
		if (n > 1 && how & 4)
			OK(pktfs_writer_sync(writer, error_));
		disturb(how & 3, path);
		check_length(crash(name), &text);
		assert_int_equal(umount(crashed), 0);
		check_crashed(name, n > 1 && how & 4 ? 5 : 3, tally);
	}
	OK(pktfs_writer_close(writer, error_));
	assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), 5);
}

static void crash_fixed_length(void **state)
{
	struct tally tally = {0};

	(void)state;
	needs_disk();
	for (unsigned how = 0; how < 8; how++)
		crash_fixed("fixed.pcapng", how, &tally);
	report("fixed length", &tally);
}

/* ---- */

static int setup(void **state)
{
	int r = writer_setup(state);

	ready = r == 0 && disk_begin();
	return r;
}

/* Whatever a case that failed has left. The mounts are in a namespace of this
 * process, and go with it at the latest. */
static int after_each(void **state)
{
	(void)state;
	umount2(crashed, MNT_DETACH);
	return 0;
}

static int teardown(void **state)
{
	umount2(in_dir("disk"), MNT_DETACH);
	return writer_teardown(state);
}

#define CASE(name) cmocka_unit_test_teardown(name, after_each)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(crash_pcap), CASE(crash_pcapng),	    CASE(crash_zstd),
		CASE(crash_gzip), CASE(crash_fixed_length),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
