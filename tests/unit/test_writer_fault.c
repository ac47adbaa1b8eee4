/* SPDX-License-Identifier: BSD-2-Clause */
/* The writer on a disk that fails in the middle of a record, takes fewer bytes
 * than it is given, cannot take back, or fails to synchronise. */
#include "test_writer_io.h"

static const int codes[] = {EIO, ENOSPC, EDQUOT, EFBIG};

#define FIXED_AT 200u

static void is_unchanged(const char *path, const struct text *before)
{
	struct text after;

	get_file(path, &after);
	assert_int_equal(after.size, before->size);
	assert_memory_equal(after.bytes, before->bytes, before->size);
	text_free(&after);
}

/* One failure after `takes` bytes; false: the record was shorter. What is
 * buffered stays so, and goes out by the next commit. */
static bool fail_once(pktfs_writer *writer, const char *path, uint64_t seed, size_t takes,
		      bool buffered)
{
	int code = codes[takes % ARRAY_SIZE(codes)], r;
	struct pktfs_error error = {0};
	struct text before;

	get_file(path, &before);
	io = (struct io){.on = true, .write_error = code, .write_takes = takes};
	r = put(writer, seed, &error);
	io.on = false;
	if (r < 0) {
		assert_int_equal(r, -code);
		assert_int_equal(error.code, -code);
		assert_true(*error.text);
		is_unchanged(path, &before);
		if (buffered)
			OK(pktfs_writer_commit(writer, error_));
		else
			OK(put(writer, seed, error_));
	}
	text_free(&before);
	return r < 0;
}

/* At every byte of a record the disk fails once; the record is written again. */
static void fails_at_each_byte(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(io_names) * 2; i++) {
		const char *path = in_dir(io_names[i / 2]);
		pktfs_writer *writer = begin(path, i & 1 ? PKTFS_WRITER_BUFFERED : 0);
		uint64_t seed = 4;
		unsigned failed = 0;

		for (size_t takes = 0; takes < 600; takes++)
			failed += fail_once(writer, path, seed++, takes, i & 1);
		assert_true(failed > 20);
		OK(pktfs_writer_close(writer, error_));
		assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), seed - 1);
		print_message("%s%s: %u of 600 records failed once\n", io_names[i / 2],
			      i & 1 ? ", buffered" : "", failed);
	}
}

/* What cannot be taken back now is, before anything else is written. */
static void cannot_take_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(io_names); i++) {
		const char *path = in_dir(io_names[i]);
		pktfs_writer *writer = begin(path, 0);
		struct pktfs_error error;

		for (size_t takes = 0; takes < 20; takes++) {
			io = (struct io){.on = true, .write_error = EIO, .write_takes = takes,
					 .cut_error = EIO};
			assert_int_equal(put(writer, 4 + takes, &error), -EIO);
			assert_int_equal(put(writer, 4 + takes, &error), -EIO);
			io.on = false;
			OK(put(writer, 4 + takes, error_));
		}
		OK(pktfs_writer_close(writer, error_));
		assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), 23);
	}
}

/* Few bytes at a time, and signals: the same file. */
static void short_writes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(io_names) * 2; i++) {
		const char *path = in_dir(io_names[i / 2]);
		struct text whole = {0};

		for (size_t most = 0; most < 20; most++) {
			pktfs_writer *writer = begin(path, i & 1 ? PKTFS_WRITER_BUFFERED : 0);

			io = (struct io){.on = true, .write_most = most,
					 .interrupts = (unsigned)most};
			add_packets(writer, 4, 5);
			OK(pktfs_writer_end_frame(writer, error_));
			io.on = false;
			OK(pktfs_writer_close(writer, error_));
			assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), 8);
			if (most == 0)
				get_file(path, &whole);
			is_unchanged(path, &whole);
		}
		text_free(&whole);
	}
}

/* The end of a frame fails: all packets are there, and it is ended later. */
static void end_of_frame_fails(void **state)
{
	(void)state;
	for (unsigned i = 2; i < ARRAY_SIZE(io_names); i++) {
		const char *path = in_dir(io_names[i]);
		pktfs_writer *writer = begin(path, 0);

		for (size_t takes = 0; takes < 10; takes++) {
			struct text before;
			int r;

			add_packets(writer, 4 + takes, 1);
			get_file(path, &before);
			io = (struct io){.on = true, .write_error = ENOSPC, .write_takes = takes};
			r = pktfs_writer_end_frame(writer, NULL);
			io.on = false;
			if (r < 0) {
				assert_int_equal(r, -ENOSPC);
				is_unchanged(path, &before);
			}
			assert_true(r < 0 || takes > 2);
			text_free(&before);
			if (takes & 1)
				OK(pktfs_writer_end_frame(writer, error_));
		}
		OK(pktfs_writer_close(writer, error_));
		assert_int_equal(check_capture(path, PKTFS_STATE_COMPLETE), 13);
	}
}

/* Nothing but the length has changed, and that all or not at all. */
static void is_valid_fixed(const char *path, const struct text *before)
{
	static const uint8_t not_given[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct text after;

	get_file(path, &after);
	assert_int_equal(after.size, before->size);
	if (memcmp(after.bytes, before->bytes, before->size) != 0) {
		assert_memory_equal(after.bytes + FIXED_AT + 16, not_given, 8);
		memcpy(after.bytes + FIXED_AT + 16, before->bytes + FIXED_AT + 16, 8);
	}
	assert_memory_equal(after.bytes, before->bytes, before->size);
	text_free(&after);
}

/* The first write into a section of a fixed length fails: at the replacement of
 * the length (which no disk divides), when that is brought to the disk, or
 * behind it. */
static void fixed_length_fails(void **state)
{
	const char *path = in_dir("fixed.pcapng");
	struct pktfs_new_packet packet = some_packet(77, 60);
	struct text text = {0};
	pktfs_writer *writer;

	(void)state;
	build_fixed_section(&text, FIXED_AT, false, 1);
	for (size_t takes = 7; takes < 90; takes++) {
		struct io sync = {.on = true, .sync_error = EIO};
		struct io write = {.on = true, .write_error = EIO,
				   .write_takes = takes == 7 ? 0 : takes};

		for (unsigned i = 0; i < 2; i++) {
			put_file(path, text.bytes, text.size);
			OK(pktfs_writer_append(path, NULL, &writer, error_));
			io = i ? sync : write;
			FAILS(pktfs_writer_packet(writer, &packet, NULL, error_), -EIO);
			io.on = false;
			is_valid_fixed(path, &text);
			OK(pktfs_writer_packet(writer, &packet, NULL, error_));
			OK(pktfs_writer_close(writer, error_));
			OK(pktfs_writer_append(path, NULL, &writer, error_));
			OK(pktfs_writer_close(writer, error_));
		}
	}
	text_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(fails_at_each_byte), CASE(cannot_take_back), CASE(short_writes),
		CASE(end_of_frame_fails), CASE(fixed_length_fails),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
