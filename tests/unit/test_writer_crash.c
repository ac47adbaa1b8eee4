/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every file that a crash can leave behind, made from what the writer did: its
 * writes, cuts and syncs are recorded, and done again on a copy, up to any
 * place. Three machines crash:
 *
 *	in order   what was written reaches the disk in order, and ends anywhere
 *	zeros      the size, but not the last bytes (ext4 with delayed allocation:
 *		   test_writer_disk.c does it really)
 *	any order  of what was not synchronised, any 512-byte sectors are missing,
 *		   and the size is anything that it has been
 *
 * All that was written before the last sync that had returned is there, once and
 * in order; what follows can be repaired. Only on the third machine, where a
 * record may have a hole that looks like damage, the writer may refuse: then the
 * reader has all up to the hole.
 */
#include "test_writer_io.h"

#include <stdlib.h>

#define SECTOR	  512u
#define MAX_STEPS 256

struct step {
	enum io_kind kind;
	uint64_t offset;
	size_t size;
	uint8_t *bytes;
	uint64_t synced; /* packets that are on the disk after it */
};

static struct step steps[MAX_STEPS];
static unsigned step_count;
static struct text start; /* the file before the first step */

struct tally {
	unsigned crashes, whole, repaired, refused;
};

/* ---- recording */

static void record(int fd, enum io_kind kind, uint64_t offset, const void *bytes, size_t size)
{
	struct step *step = &steps[step_count++];

	(void)fd;
	assert_true(step_count < MAX_STEPS);
	*step = (struct step){
		.kind = kind, .offset = offset, .size = size, .bytes = malloc(size + 1)};
	assert_non_null(step->bytes);
	if (size)
		memcpy(step->bytes, bytes, size);
}

static void forget(void)
{
	while (step_count > 0)
		free(steps[--step_count].bytes);
	text_free(&start);
}

/* Packets that are written, and now and then synchronised. */
static uint64_t record_packets(pktfs_writer *writer, uint64_t next, bool buffered)
{
	for (unsigned i = 0; i < 10; i++, next++) {
		add_packets(writer, next, 1);
		if (buffered && i % 2)
			OK(pktfs_writer_commit(writer, error_));
		if (i % 4 != 2)
			continue;
		OK(pktfs_writer_sync(writer, error_));
		steps[step_count - 1].synced = next;
	}
	return next;
}

static void record_append(const char *path, unsigned flags)
{
	const struct pktfs_writer_options options = {.flags = flags};
	pktfs_writer *writer;

	get_file(path, &start);
	OK(pktfs_writer_append(path, &options, &writer, error_));
	io = (struct io){.on = true, .watch = record};
	record_packets(writer, 4, flags & PKTFS_WRITER_BUFFERED);
	OK(pktfs_writer_end_frame(writer, error_));
	io.on = false;
	OK(pktfs_writer_close(writer, error_));
}

/* ---- replaying */

struct image {
	uint8_t *bytes;
	size_t size, room;
};

static struct image image_new(void)
{
	struct image image = {.room = start.size, .size = start.size};

	for (unsigned i = 0; i < step_count; i++)
		image.room += steps[i].size;
	image.bytes = calloc(1, image.room);
	assert_non_null(image.bytes);
	memcpy(image.bytes, start.bytes, start.size);
	return image;
}

/* Does a step, or the first `size` bytes of it. */
static void replay(struct image *image, const struct step *step, size_t size)
{
	if (step->kind == IO_CUT) {
		if (step->offset < image->size)
			memset(image->bytes + step->offset, 0, image->size - step->offset);
		image->size = step->offset;
	}
	if (step->kind != IO_WRITE)
		return;
	memcpy(image->bytes + step->offset, step->bytes, size);
	image->size = MAX(image->size, step->offset + size);
}

/* The last sync at or before `step`: how many steps it covers, how many packets. */
static unsigned last_sync(unsigned step, uint64_t *ret_packets)
{
	*ret_packets = 3;
	for (unsigned i = step; i-- > 0;) {
		if (steps[i].kind != IO_SYNC || !steps[i].synced)
			continue;
		*ret_packets = steps[i].synced;
		return i + 1;
	}
	return 0;
}

/* ---- checking */

/* The reader has at least `synced` of the packets, and they are right. */
static void check_read(const char *path, uint64_t synced)
{
	pktfs_capture *capture;
	struct pktfs_packet packet;

	OK(pktfs_open(path, NULL, &capture, error_));
	for (uint64_t n = 1; n <= synced; n++) {
		OK(pktfs_packet_get(capture, n, &packet, error_));
		assert_int_equal(packet.captured_length, n * 37 % 1500);
		for (uint32_t i = 0; i < packet.captured_length; i++)
			assert_int_equal(packet.data[i], build_byte(n, i));
		pktfs_packet_release(&packet);
	}
	pktfs_close(capture);
}

/* `holes`: anything may follow what was synchronised. */
static void check_image(const char *name, const struct image *image, uint64_t synced, bool holes,
			struct tally *tally)
{
	const char *path = in_dir(name);
	struct pktfs_writer_options options = {0};
	struct pktfs_writer_status status;
	struct pktfs_error error;
	pktfs_writer *writer;
	int r;

	put_file(path, image->bytes, image->size);
	tally->crashes++;
	r = pktfs_writer_append(path, &options, &writer, &error);
	if (r == 0) {
		tally->whole++;
	} else if (r == -ENODATA) {
		options.flags = PKTFS_WRITER_REPAIR;
		OK(pktfs_writer_append(path, &options, &writer, error_));
		tally->repaired++;
	} else if (holes && (r == -EBADMSG || r == -EFBIG || r == -ENOTSUP)) {
		check_read(path, synced);
		tally->refused++;
		return;
	} else {
		fail_msg("%s, %zu bytes: %s", name, image->size, error.text);
	}
	pktfs_writer_status_get(writer, &status);
	OK(pktfs_writer_close(writer, error_));
	if (status.packets < synced)
		fail_msg("%s: %d of %d packets", name, (int)status.packets, (int)synced);
	if (holes)
		check_read(path, synced);
	else
		assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), status.packets);
}

/* Every byte of each write is once the last. */
static void crash_in_order(const char *name, struct tally *tally)
{
	struct image image = image_new(), cut;

	cut.bytes = malloc(image.room);
	assert_non_null(cut.bytes);
	for (unsigned i = 0; i < step_count; i++) {
		uint64_t synced;

		last_sync(i, &synced);
		for (size_t size = 0; size < steps[i].size; size += size < 64 ? 1 : 7) {
			cut = (struct image){cut.bytes, image.size, image.room};
			memcpy(cut.bytes, image.bytes, image.room);
				if (steps[i].offset < image.size && size > 0)
				break;
			cut = (struct image){cut.bytes, image.size, image.room};
			memcpy(cut.bytes, image.bytes, image.room);
			replay(&cut, &steps[i], size);
			check_image(name, &cut, synced, false, tally);
		}
		replay(&image, &steps[i], steps[i].size);
	}
	free(cut.bytes);
	free(image.bytes);
}

/* The bytes of one step, the size of a later one. */
static void crash_zeros(const char *name, struct tally *tally)
{
	for (unsigned last = 1; last < step_count; last++) {
		uint64_t synced;
		unsigned covered = last_sync(last, &synced);

		for (unsigned bytes = covered; bytes < last; bytes++) {
			struct image image = image_new(), later = image_new();

			for (unsigned i = 0; i < last; i++) {
				if (i < bytes)
					replay(&image, &steps[i], steps[i].size);
				replay(&later, &steps[i], steps[i].size);
			}
			if (later.size > image.size) {
				image.size = later.size;
				check_image(name, &image, synced, false, tally);
			}
			free(image.bytes);
			free(later.bytes);
		}
	}
}

/* Sectors as they were after any step since the sync; the size, too. */
static void crash_any_order(const char *name, struct tally *tally)
{
	for (unsigned run = 0; run < 300; run++) {
		unsigned last = (unsigned)random() % step_count + 1, now = 0, covered;
		struct image image = image_new(), result = image_new();
		size_t count = image.room / SECTOR + 1;
		unsigned *when = calloc(count, sizeof(*when)), size_at;
		uint64_t synced;

		assert_non_null(when);
		covered = last_sync(last, &synced);
		for (size_t i = 0; i < count; i++)
			when[i] = covered + (unsigned)random() % (last - covered + 1);
		size_at = covered + (unsigned)random() % (last - covered + 1);
		for (now = 0; now <= last; now++) {
			for (size_t i = 0; i < count; i++)
				if (when[i] == now)
					memcpy(result.bytes + i * SECTOR, image.bytes + i * SECTOR,
					       MIN(SECTOR, image.room - i * SECTOR));
			if (size_at == now)
				result.size = image.size;
			if (now < last)
				replay(&image, &steps[now], steps[now].size);
		}
		check_image(name, &result, synced, true, tally);
		free(when);
		free(image.bytes);
		free(result.bytes);
	}
}

/* ---- cases */

static void report(const char *name, const char *machine, const struct tally *tally)
{
	print_message("%s, %s: %u crashes: %u whole, %u repaired, %u refused\n", name, machine,
		      tally->crashes, tally->whole, tally->repaired, tally->refused);
}

typedef void crash_machine(const char *name, struct tally *tally);

static void make_fixed(const char *path)
{
	_cleanup_(text_free) struct text text = {0};

	build_fixed_section(&text, 200, false, 3);
	put_file(path, text.bytes, text.size);
}

/* Every kind of file, with and without a buffer; and a section of a fixed
 * length, which is replaced before the first record. */
static void crash_all(crash_machine *machine, const char *word)
{
	const struct pktfs_writer_options replace = {.flags = PKTFS_WRITER_REPLACE};

	for (unsigned i = 0; i < (ARRAY_SIZE(io_names) + 1) * 2; i++) {
		bool fixed = i / 2 == ARRAY_SIZE(io_names);
		const char *name = fixed ? "fixed.pcapng" : io_names[i / 2];
		struct tally tally = {0};

		unlink(in_dir(name)); /* and the lock of a case that failed */
		if (fixed)
			make_fixed(in_dir(name));
		else
			make_capture(in_dir(name), &replace, 3);
		record_append(in_dir(name), i & 1 ? PKTFS_WRITER_BUFFERED : 0);
		machine(name, &tally);
		report(name, word, &tally);
		forget();
	}
}

static void in_order(void **state)
{
	(void)state;
	crash_all(crash_in_order, "in order");
}

static void any_order(void **state)
{
	(void)state;
	crash_all(crash_any_order, "any order");
}

static void zeros(void **state)
{
	(void)state;
	crash_all(crash_zeros, "zeros");
}

static int recorder_is_empty(void **state)
{
	forget();
	return disk_is_well(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(in_order, recorder_is_empty),
		cmocka_unit_test_teardown(any_order, recorder_is_empty),
		cmocka_unit_test_teardown(zeros, recorder_is_empty),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
