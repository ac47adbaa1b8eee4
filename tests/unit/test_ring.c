/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture to which files are added, and what is told of each. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "test_capture_files.h"

static void wait_packets(pktfs_capture *capture, uint64_t packets)
{
	struct pktfs_status status;

	for (unsigned i = 0; i < 120000; i++) {
		pktfs_status_get(capture, &status);
		if (status.packets == packets)
			return;
		assert_true(status.packets < packets);
		usleep(500);
	}
	fail_msg("%llu packets of %llu", (unsigned long long)status.packets,
		 (unsigned long long)packets);
}

static void add_file(pktfs_capture *capture, const struct files *files, unsigned number)
{
	const struct pktfs_input input = {.path = files->paths[number], .fd = -1};
	struct pktfs_error error;

	if (pktfs_add(capture, &input, &error) < 0)
		fail_msg("add: %s", error.text);
}

static void wait_state(pktfs_capture *capture, uint64_t path, enum pktfs_state state,
		       struct pktfs_file_status *ret)
{
	for (unsigned i = 0; i < 120000; i++) {
		assert_int_equal(pktfs_file_status_get(capture, path, ret), 0);
		if (ret->state == state)
			return;
		usleep(500);
	}
	fail_msg("state %d instead of %d", ret->state, state);
}

static void check_each(pktfs_capture *capture, const struct files *files)
{
	for (uint64_t n = 1; n <= files->packets; n++)
		check_packet(capture, n);
}

/* One by one, of all formats and compressions; each of them is told apart. */
static void one_by_one(void **state)
{
	struct pktfs_file_status status;
	struct pktfs_status whole;
	uint64_t before[MAX_FILES + 1] = {0};
	struct pktfs_file file;
	pktfs_capture *capture;
	struct files files;

	(void)state;
	for (unsigned flags = 0; flags <= PKTFS_OPEN_NO_MMAP; flags++) {
		files_start(&files);
		add(&files, PCAP, 100, 0);
		capture = open_files(&files, flags | PKTFS_OPEN_MORE);
		for (unsigned i = 1; i < 40; i++) {
			before[i] = files.packets;
			add(&files, i % KINDS, i * 53 % 200, i % 3);
			add_file(capture, &files, i);
			if (i % 2)
				wait_packets(capture, files.packets);
		}
		wait_packets(capture, files.packets);
		before[40] = files.packets;
		check_each(capture, &files);
		assert_int_equal(pktfs_files(capture), 40);
		for (unsigned i = 0; i < 40; i++) {
			wait_state(capture, i, PKTFS_STATE_COMPLETE, &status);
			assert_string_equal(status.path, files.paths[i]);
			assert_true(status.is_capture && status.opened);
			assert_int_equal(status.problem.code, 0);
			assert_int_equal(status.file.packets_before, before[i]);
			assert_int_equal(status.packets, before[i + 1] - before[i]);
			assert_int_equal(status.compression, i % 3);
		}
		for (uint64_t n = 1; n <= files.packets; n++) {
			assert_int_equal(pktfs_file_of_packet(capture, n, &file), 0);
			assert_true(n > before[file.path] && n <= before[file.path + 1]);
		}
		assert_int_equal(pktfs_file_of_packet(capture, files.packets + 1, &file), -ENOENT);
		assert_int_equal(pktfs_file_of_packet(capture, 0, &file), -ENOENT);
		assert_int_equal(pktfs_file_status_get(capture, 40, &status), -ENOENT);
		pktfs_status_get(capture, &whole);
		assert_true(whole.growing);
		assert_int_equal(whole.state, PKTFS_STATE_COMPLETE);
		assert_int_equal(whole.problems, 0);
		pktfs_close(capture);
		files_end(&files);
	}
}

/* What is wrong with the last one is no end: others come behind. */
static void behind_what_is_bad(void **state)
{
	struct pktfs_file_status status;
	_cleanup_(text_free) struct text text = {0};
	pktfs_capture *capture;
	struct files files;

	(void)state;
	files_start(&files);
	add(&files, PCAPNG, 10, 0);
	capture = open_files(&files, PKTFS_OPEN_MORE);
	wait_packets(capture, 10);
	add_bytes(&files, "no capture at all, but a text that is long enough", 49);
	add_file(capture, &files, 1);
	wait_state(capture, 1, PKTFS_STATE_DAMAGED, &status);
	assert_false(status.is_capture);
	assert_int_equal(status.problem.code, -EBADMSG);
	assert_null(strstr(status.problem.text, "file 2"));
	add_bytes(&files, "", 0);
	add_file(capture, &files, 2);
	wait_state(capture, 2, PKTFS_STATE_TRUNCATED, &status);
	assert_int_equal(status.problem.code, -ENODATA);
	build_pcapng(&text, false, files.packets + 1, 20);
	files.packets += 20;
	build_block(&text, false, 0x1234, "abcd", 4);
	text.bytes[text.size - 12] |= 1; /* its length */
	add_bytes(&files, text.bytes, text.size);
	add_file(capture, &files, 3);
	wait_packets(capture, files.packets);
	wait_state(capture, 3, PKTFS_STATE_DAMAGED, &status);
	assert_true(status.problem.has_offset && status.problem.offset < text.size);
	add(&files, PCAP, 10, 1);
	add_file(capture, &files, 4);
	unlink(files.paths[4]);
	wait_packets(capture, files.packets);
	add_file(capture, &files, 4); /* it is gone */
	wait_state(capture, 5, PKTFS_STATE_DAMAGED, &status);
	assert_int_equal(status.problem.code, -ENOENT);
	add(&files, PCAPNG_BIG, 10, 2);
	add_file(capture, &files, 5);
	wait_packets(capture, files.packets);
	check_each(capture, &files);
	pktfs_close(capture);
	files_end(&files);
}

/* The last one grows until another comes; all that it had by then is there. */
static void the_last_grows(void **state)
{
	int removed;
	uint64_t unseen;
	pktfs_capture *capture;
	struct files files;

	(void)state;
	files_start(&files);
	add(&files, PCAP, 10, 0);
	capture = open_files(&files, PKTFS_OPEN_MORE);
	for (unsigned i = 0; i < 6; i++) {
		_cleanup_(text_free) struct text text = {0};

		build_pcap(&text, false, files.packets + 1, 50);
		append_to(files.paths[i], text.bytes + 24, text.size - 24);
		files.packets += 50;
		if (i % 2) {                                   /* or pktfs_add finds it out */
			assert_true(pktfs_grow(capture) >= 0); /* 0: it was opened just now */
			wait_packets(capture, files.packets);
		}
		add(&files, PCAP, 10, 0);
		add_file(capture, &files, i + 1);
	}
	wait_packets(capture, files.packets);
	check_each(capture, &files);
	assert_int_equal(pktfs_file_look(capture, 0, &removed, &unseen), 0);
	assert_true(!removed && !unseen);
	append_to(files.paths[0], "more", 4);
	unlink(files.paths[1]);
	assert_int_equal(pktfs_file_look(capture, 0, &removed, &unseen), 0);
	assert_true(!removed && unseen == 4);
	assert_int_equal(pktfs_file_look(capture, 1, &removed, &unseen), 0);
	assert_true(removed);
	check_each(capture, &files);
	pktfs_close(capture);
	files_end(&files);
}

static void lost(void **state)
{
	struct pktfs_file_status status;
	struct pktfs_packet packet;
	pktfs_capture *capture;
	struct files files;

	(void)state;
	files_start(&files);
	for (unsigned i = 0; i < 3; i++)
		add(&files, PCAPNG, 100, 0);
	capture = open_files(&files, 0);
	wait_all(capture);
	assert_int_equal(pktfs_add(capture, &(struct pktfs_input){files.paths[0], -1}, NULL),
			 -EINVAL);
	assert_int_equal(pktfs_packet_get(capture, 150, &packet, NULL), 0);
	assert_int_equal(pktfs_file_lose(capture, 1), 0);
	assert_int_equal(pktfs_packet_release(&packet), -EIO);
	assert_int_equal(pktfs_file_lose(capture, 3), -ENOENT);
	for (uint64_t n = 1; n <= 300; n++) {
		if (n > 100 && n <= 200)
			assert_int_equal(pktfs_packet_get(capture, n, &packet, NULL), -EIO);
		else
			check_packet(capture, n);
	}
	assert_int_equal(pktfs_file_status_get(capture, 1, &status), 0);
	assert_true(status.lost);
	pktfs_close(capture);
	files_end(&files);
}

static void *read_all(void *context)
{
	pktfs_capture *capture = context;
	const struct pktfs_packet *packet;
	struct pktfs_file_status status;
	pktfs_iterator *iterator;
	uint64_t n = 1;

	assert_int_equal(pktfs_iterator_open(capture, 1, &iterator), 0);
	while (n < 2000 && pktfs_iterator_next(iterator, &packet, NULL) >= 0) {
		pktfs_file_status_get(capture, pktfs_files(capture) - 1, &status);
		if (packet && packet->number == n)
			check_bytes(packet, n++);
	}
	pktfs_iterator_close(iterator);
	return NULL;
}

/* Readers while files are added; and the end of a capture whose files were not
 * all opened. */
static void readers(void **state)
{
	pthread_t threads[3];
	pktfs_capture *capture;
	struct files files;

	(void)state;
	files_start(&files);
	add(&files, PCAPNG, 100, 1);
	capture = open_files(&files, PKTFS_OPEN_MORE);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, capture), 0);
	for (unsigned i = 1; i < 20; i++) {
		add(&files, i % KINDS, 100, i % 3);
		add_file(capture, &files, i);
	}
	for (unsigned i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < 20; i++)
		add_file(capture, &files, i);
	pktfs_close(capture);
	for (unsigned i = 0; i < 20; i++) {
		capture = open_files(&files, i % 2 ? PKTFS_OPEN_MORE : 0);
		usleep(i * 100);
		pktfs_cancel(capture);
		pktfs_close(capture);
	}
	files_end(&files);
}

static void probe(void **state)
{
	static const char *const texts[] = {"", "x", "no capture at all, but long enough for one"};
	struct pktfs_error error;
	struct files files;

	(void)state;
	files_start(&files);
	for (unsigned i = 0; i < 3 * KINDS; i++)
		add(&files, i % KINDS, 10, i / KINDS);
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		add_bytes(&files, texts[i], strlen(texts[i]));
	for (unsigned i = 0; i < files.count; i++) {
		_cleanup_close_ int fd = open(files.paths[i], O_RDONLY | O_CLOEXEC);

		if (i < 3 * KINDS)
			assert_int_equal(pktfs_probe(fd, NULL, &error), 0);
		else
			assert_true(pktfs_probe(fd, NULL, &error) < 0 && error.text[0]);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	}
	files_end(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_by_one),     cmocka_unit_test(behind_what_is_bad),
		cmocka_unit_test(the_last_grows), cmocka_unit_test(lost),
		cmocka_unit_test(readers),        cmocka_unit_test(probe),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
