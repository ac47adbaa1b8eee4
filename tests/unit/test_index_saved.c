/* SPDX-License-Identifier: BSD-2-Clause */
/* An index that was saved: everything is as without it; what is stale is not used;
 * what has grown is gone on with. */
#include "test_index_saved.h"

#include <time.h>

static void round_trip(const struct text *text)
{
	struct kept kept;

	kept_begin(&kept, text->bytes, text->size);
	kept_save(&kept);
	check_same(&kept, PKTFS_INDEX_TAKEN);
	kept_save(&kept); /* what was made of one is as good */
	check_same(&kept, PKTFS_INDEX_TAKEN);
	kept_end(&kept);
}

static void pcap(void **state)
{
	static const unsigned counts[] = {1, 2, 63, 64, 65, 127, 128, 1000, 20000};

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(counts); i++) {
		struct text text = {0};

		build_plain_pcap(&text, i & 1, counts[i / 2]);
		round_trip(&text);
		text_free(&text);
	}
}

static void pcapng(void **state)
{
	static const unsigned counts[] = {1, 2, 3, 64, 100, 128, 500, 1000, 20000};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		struct text text = {0};

		build_varied(&text, counts[i]);
		round_trip(&text);
		text_free(&text);
	}
}

/* Cut inside the last record, or damaged there: that is found again. */
static void bad_ends(void **state)
{
	struct text text = {0};
	struct kept kept;

	(void)state;
	build_varied(&text, 700);
	for (unsigned cut = 1; cut < 40; cut++) {
		kept_begin(&kept, text.bytes, text.size - cut);
		kept_save(&kept);
		check_same(&kept, PKTFS_INDEX_TAKEN);
		kept_end(&kept);
	}
	text_u32(&text, 0x1234, false);
	text_u32(&text, 7, false);
	text_zeros(&text, 100);
	round_trip(&text);
	text_free(&text);
}

/* Nothing is there yet. */
static void empty(void **state)
{
	struct text text = {0};
	pktfs_capture *capture;
	struct kept kept;
	int fd = new_file();

	(void)state;
	build_plain_pcap(&text, false, 0);
	kept_begin(&kept, text.bytes, text.size);
	capture = kept_open(&kept, 0);
	assert_int_equal(pktfs_index_save(capture, fd, NULL), -ENODATA);
	pktfs_close(capture);
	close(fd);
	kept_end(&kept);
	text_free(&text);
}

static void ignored(struct kept *kept, const char *word)
{
	pktfs_capture *capture = kept_open(kept, 0);
	struct pktfs_index_status status;

	pktfs_index_status_get(capture, &status);
	assert_int_equal(status.use, PKTFS_INDEX_IGNORED);
	if (!strstr(status.reason.text, word))
		fail_msg("'%s' in place of '%s'", status.reason.text, word);
	pktfs_close(capture);
	check_same(kept, PKTFS_INDEX_IGNORED);
}

/* The clock that files are given their times by. */
static void next_tick(void)
{
	struct timespec then, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &then);
	do {
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (now.tv_sec == then.tv_sec && now.tv_nsec == then.tv_nsec);
}

static void other_times(void **state)
{
	struct text text = {0};
	struct kept kept;
	struct stat st;

	(void)state;
	build_varied(&text, 5000);
	kept_begin(&kept, text.bytes, text.size);
	kept_save(&kept);
	check_same(&kept, PKTFS_INDEX_TAKEN);
	next_tick();
	assert_int_equal(fstat(kept.fd, &st), 0);
	assert_int_equal(pwrite(kept.fd, "xyz", 3, (off_t)text.size / 2), 3);
	ignored(&kept, "changed");
	/* the time of the change itself cannot be set back */
	assert_int_equal(futimens(kept.fd, (struct timespec[]){st.st_atim, st.st_mtim}), 0);
	ignored(&kept, "changed");
	kept_save(&kept);
	check_same(&kept, PKTFS_INDEX_TAKEN);
	kept_end(&kept);
	text_free(&text);
}

static void other_size(void **state)
{
	struct text text = {0};
	struct kept kept;

	(void)state;
	build_varied(&text, 5000);
	kept_begin(&kept, text.bytes, text.size);
	kept_save(&kept);
	assert_int_equal(ftruncate(kept.fd, (off_t)text.size - 1), 0);
	ignored(&kept, "shorter");
	kept_end(&kept);
	text_free(&text);
}

/* A copy has another inode. */
static void other_file(void **state)
{
	struct text text = {0};
	struct kept kept, copy;

	(void)state;
	build_varied(&text, 5000);
	kept_begin(&kept, text.bytes, text.size);
	kept_save(&kept);
	kept_begin(&copy, text.bytes, text.size);
	copy.index = kept.index;
	ignored(&copy, "another file");
	copy.index = -1;
	kept_end(&copy);
	kept_end(&kept);
	text_free(&text);
}

/* It is longer, so its times do not matter, but its bytes are not those. */
static void other_bytes(void **state)
{
	struct text text = {0};
	struct kept kept;
	size_t size;

	(void)state;
	build_plain_pcap(&text, false, 5000);
	size = text.size;
	build_plain_pcap(&text, false, 5000);
	for (unsigned i = 0; i < 4; i++) {
		const off_t places[] = {30, 65535, (off_t)size - 1, (off_t)size - 65536};

		kept_begin(&kept, text.bytes, size);
		kept_save(&kept);
		assert_int_equal(pwrite(kept.fd, text.bytes + size + 24, 1600, (off_t)size), 1600);
		assert_int_equal(pwrite(kept.fd, (char[]){(char)(text.bytes[places[i]] ^ 1)}, 1,
					places[i]), 1);
		ignored(&kept, "other bytes");
		kept_end(&kept);
	}
	text_free(&text);
}

/* Makes the file longer, to `size` bytes of `text`. */
static void grow(struct kept *kept, const struct text *text, size_t size)
{
	struct stat st;

	assert_int_equal(fstat(kept->fd, &st), 0);
	assert_true((size_t)st.st_size < size);
	assert_int_equal(pwrite(kept->fd, text->bytes + st.st_size, size - (size_t)st.st_size,
				st.st_size), (ssize_t)(size - (size_t)st.st_size));
}

/* Saved at some of many sizes, it is gone on with at the next ones. */
static void growth(bool varied)
{
	struct pktfs_index_status status;
	struct text text = {0};
	pktfs_capture *capture;
	struct kept kept;
	size_t size;

	if (varied)
		build_varied(&text, 3000);
	else
		build_plain_pcap(&text, true, 3000);
	kept_begin(&kept, text.bytes, text.size / 5);
	kept_save(&kept);
	for (size = text.size / 4; size < text.size; size += text.size / 17 + 1) {
		grow(&kept, &text, size);
		check_same(&kept, PKTFS_INDEX_TAKEN);
		if (size % 2)
			continue;
		capture = kept_open(&kept, 0);
		pktfs_index_status_get(capture, &status);
		assert_true(status.end > 0 && status.end < size);
		kept_save_of(&kept, capture);
		pktfs_close(capture);
	}
	grow(&kept, &text, text.size);
	check_same(&kept, PKTFS_INDEX_TAKEN);
	kept_end(&kept);
	text_free(&text);
}

static void growth_of_pcap(void **state)
{
	(void)state;
	growth(false);
}

static void growth_of_pcapng(void **state)
{
	(void)state;
	growth(true);
}

/* It grows while it is open, and is saved before, after, or only then. */
static void growth_while_open(void **state)
{
	struct text text = {0};
	pktfs_capture *capture;
	struct kept kept;

	(void)state;
	build_varied(&text, 3000);
	for (unsigned i = 0; i < 4; i++) {
		kept_begin(&kept, text.bytes, text.size / 3);
		if (i & 1)
			kept_save(&kept);
		capture = kept_open(&kept, PKTFS_OPEN_GROWING);
		assert_int_equal(use_of(capture), i & 1 ? PKTFS_INDEX_TAKEN : PKTFS_INDEX_NONE);
		if (!(i & 1))
			kept_save_of(&kept, capture);
		grow(&kept, &text, text.size);
		assert_int_equal(pktfs_grow(capture), 1);
		assert_int_equal(pktfs_wait_offset(capture, text.size, -1), 0);
		if (i & 2)
			kept_save_of(&kept, capture);
		pktfs_close(capture);
		check_same(&kept, PKTFS_INDEX_TAKEN);
		kept_end(&kept);
	}
	text_free(&text);
}

/* Cancelled at any time, it is saved as far as it has come, and gone on with. */
static void cancelled(void **state)
{
	struct text text = {0};
	const struct pktfs_open_options options = {0};
	pktfs_capture *capture;
	struct kept kept;
	int r;

	(void)state;
	build_varied(&text, 60000);
	kept_begin(&kept, text.bytes, text.size);
	/* each is compared whole, which is what takes its time */
	for (uint64_t number = 0; number <= 16000; number = number ? 2 * number : 1000) {
		int fd = new_file();

		assert_int_equal(pktfs_open(kept.path, &options, &capture, NULL), 0);
		if (number)
			assert_int_equal(pktfs_wait(capture, number, -1), 0);
		pktfs_cancel(capture);
		r = pktfs_index_save(capture, fd, NULL);
		assert_true(r == 0 || (number == 0 && r == -ENODATA));
		pktfs_close(capture);
		if (r < 0) {
			close(fd);
			continue;
		}
		kept.index = fd;
		check_same(&kept, PKTFS_INDEX_TAKEN);
		close(fd);
		kept.index = -1;
	}
	kept_end(&kept);
	text_free(&text);
}

struct reader {
	pktfs_capture *capture, *truth;
	unsigned number;
	const char *differs;
	pthread_t thread;
};

static void *reader_main(void *context)
{
	struct reader *reader = context;
	struct pktfs_interface interface;
	struct pktfs_status status;
	struct pktfs_span span;
	uint64_t n, count;

	pktfs_status_get(reader->truth, &status);
	count = status.packets;
	for (n = 0; n < 2000 && !reader->differs; n++) {
		uint64_t number = (n * 7919 + reader->number * 104729) % count + 1;

		reader->differs = same_packet_at(reader->truth, reader->capture, number);
		if (pktfs_span_get(reader->capture, number, &span) == 0 &&
		    (span.first > number || span.last < number))
			reader->differs = "span";
		pktfs_status_get(reader->capture, &status);
		if (status.interfaces && pktfs_interface_get(reader->capture, n % status.interfaces,
							     &interface, NULL) == 0)
			pktfs_interface_release(&interface);
	}
	return NULL;
}

/* While it is taken, and the first look at each part of it is made. */
static void readers(void **state)
{
	struct reader readers[4] = {0};
	struct text text = {0};
	pktfs_capture *truth;
	struct kept kept;

	(void)state;
	build_varied(&text, 30000);
	kept_begin(&kept, text.bytes, text.size);
	truth = kept_open(&kept, 0);
	kept_save_of(&kept, truth);
	for (unsigned round = 0; round < 5; round++) {
		const struct pktfs_open_options options = {.flags = PKTFS_OPEN_INDEX,
							   .index_fd = kept.index};
		pktfs_capture *capture;

		assert_int_equal(pktfs_open(kept.path, &options, &capture, NULL), 0);
		for (unsigned i = 0; i < ARRAY_SIZE(readers); i++) {
			readers[i] =
				(struct reader){.capture = capture, .truth = truth, .number = i};
			assert_int_equal(pthread_create(&readers[i].thread, NULL, reader_main,
							&readers[i]), 0);
		}
		for (unsigned i = 0; i < ARRAY_SIZE(readers); i++) {
			pthread_join(readers[i].thread, NULL);
			if (readers[i].differs)
				fail_msg("differs: %s", readers[i].differs);
		}
		assert_int_equal(use_of(capture), PKTFS_INDEX_TAKEN);
		pktfs_close(capture);
	}
	pktfs_close(truth);
	kept_end(&kept);
	text_free(&text);
}

/* What was changed under a mount is not saved. */
static void changed_while_open(void **state)
{
	struct text text = {0};
	struct pktfs_error error;
	pktfs_capture *capture;
	struct kept kept;
	int fd = new_file();

	(void)state;
	build_plain_pcap(&text, false, 2000);
	kept_begin(&kept, text.bytes, text.size);
	next_tick();
	capture = kept_open(&kept, 0);
	assert_int_equal(pwrite(kept.fd, "x", 1, 1000), 1);
	assert_int_equal(pktfs_index_save(capture, fd, &error), -ESTALE);
	pktfs_close(capture);
	kept.index = fd; /* empty */
	ignored(&kept, "cut");
	kept_end(&kept);
	text_free(&text);
}

static void not_of_others(void **state)
{
	struct text text = {0};
	const char *paths[2];
	pktfs_capture *capture;
	struct pktfs_error error;
	struct kept kept;
	int fd = new_file();

	(void)state;
	build_plain_pcap(&text, false, 2000);
	kept_begin(&kept, text.bytes, text.size);
	paths[0] = paths[1] = kept.path;
	assert_int_equal(pktfs_open_files(paths, 2, NULL, &capture, NULL), 0);
	assert_int_equal(pktfs_index_save(capture, fd, &error), -EOPNOTSUPP);
	pktfs_close(capture);
	assert_int_equal(pktfs_open_buffer(text.bytes, text.size, NULL, &capture, NULL), 0);
	assert_int_equal(pktfs_index_save(capture, fd, &error), -EOPNOTSUPP);
	pktfs_close(capture);
	close(fd);
	kept_end(&kept);
	text_free(&text);
}

/* A full disk, a descriptor that is none, a limit. */
static void failures(void **state)
{
	struct text text = {0};
	const struct pktfs_open_options options = {.flags = PKTFS_OPEN_INDEX, .index_fd = -1};
	struct pktfs_error error;
	pktfs_capture *capture;
	struct kept kept;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	build_plain_pcap(&text, false, 20000);
	kept_begin(&kept, text.bytes, text.size);
	capture = kept_open(&kept, 0);
	assert_int_equal(pktfs_index_save(capture, full, &error), -ENOSPC);
	assert_int_equal(pktfs_index_save(capture, -1, &error), -EBADF);
	pktfs_close(capture);
	assert_int_equal(pktfs_open(kept.path, &options, &capture, &error), -EBADF);
	close(full);
	kept_end(&kept);
	text_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap),
		cmocka_unit_test(pcapng),
		cmocka_unit_test(bad_ends),
		cmocka_unit_test(empty),
		cmocka_unit_test(other_times),
		cmocka_unit_test(other_size),
		cmocka_unit_test(other_file),
		cmocka_unit_test(other_bytes),
		cmocka_unit_test(growth_of_pcap),
		cmocka_unit_test(growth_of_pcapng),
		cmocka_unit_test(growth_while_open),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(readers),
		cmocka_unit_test(changed_while_open),
		cmocka_unit_test(not_of_others),
		cmocka_unit_test(failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
