/* SPDX-License-Identifier: BSD-2-Clause */
/* Several files as one capture, of which some are damaged, or no captures. */
#include "test_capture_files.h"

static void expect_problem(pktfs_capture *capture, unsigned number, int code, const char *text)
{
	struct pktfs_error error;

	assert_int_equal(pktfs_problem_get(capture, number, &error), 0);
	assert_int_equal(error.code, code);
	if (strncmp(error.text, text, strlen(text)))
		fail_msg("\"%s\" does not begin with \"%s\"", error.text, text);
}

static void check_damaged(const struct files *files, enum pktfs_state wanted, unsigned problems,
			  unsigned count)
{
	pktfs_capture *capture = open_files(files, 0);
	const struct pktfs_packet *packet;
	struct pktfs_status status;
	pktfs_iterator *iterator;
	struct pktfs_file file;
	uint64_t n = 1;

	wait_all(capture);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.state, wanted);
	assert_int_equal(status.problems, problems);
	assert_int_equal(status.packets, files->packets);
	assert_int_equal(pktfs_iterator_open(capture, 1, &iterator), 0);
	while (pktfs_iterator_next(iterator, &packet, NULL) == 1)
		check_bytes(packet, n++);
	assert_int_equal(n, files->packets + 1);
	pktfs_iterator_close(iterator);
	for (n = files->packets; n > 0; n--)
		check_packet(capture, n);
	for (n = 0; n < count; n++)
		assert_int_equal(pktfs_file_get(capture, n, &file), 0);
	assert_int_equal(pktfs_file_get(capture, count, &file), -ENOENT);
	pktfs_close(capture);
}

/* Cuts `bytes` off the end of the last file. */
static void cut_last(const struct files *files, unsigned bytes)
{
	_cleanup_close_ int fd = open(files->paths[files->count - 1], O_WRONLY | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);

	assert_int_equal(ftruncate(fd, size - bytes), 0);
}

static void cut_in_the_middle(void **state)
{
	struct files files;

	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		for (unsigned cut = 1; cut <= 16; cut += 5) {
			pktfs_capture *capture;

			files_start(&files);
			add(&files, PCAPNG, 70, 0);
			add(&files, kind, 64, 0);
			/* pcapng: the statistics go, pcap: the last packet */
			cut_last(&files, cut);
			files.packets -= kind == PCAP || kind == PCAP_BIG_NANO;
			add(&files, PCAP, 40, 0);
			add(&files, PCAPNG_BIG, 40, 1);
			check_damaged(&files, PKTFS_STATE_TRUNCATED, 1, 4);
			capture = open_files(&files, 0);
			wait_all(capture);
			expect_problem(capture, 0, -ENODATA, "file 2: record cut at the end");
			pktfs_close(capture);
			files_end(&files);
		}
	}
}

static void damaged_in_the_middle(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_error error;
	struct pktfs_status status;
	pktfs_capture *capture;
	struct files files;
	char wanted[64];
	size_t at;

	(void)state;
	files_start(&files);
	add(&files, PCAP, 100, 0);
	build_pcapng(&text, true, files.packets + 1, 20);
	at = text.size;
	files.packets += 20;
	build_block(&text, true, 0x1234, "abcd", 4);
	text.bytes[at + 7] |= 1; /* its length */
	build_pcapng(&text, true, 1, 20);             /* behind the damage */
	add_bytes(&files, text.bytes, text.size);
	add(&files, PCAPNG, 100, 2);
	check_damaged(&files, PKTFS_STATE_DAMAGED, 1, 3);
	capture = open_files(&files, 0);
	wait_all(capture);
	snprintf(wanted, sizeof(wanted), "file 2: block at offset %zu ", at);
	expect_problem(capture, 0, -EBADMSG, wanted);
	assert_int_equal(pktfs_problem_get(capture, 0, &error), 0);
	pktfs_status_get(capture, &status);
	assert_true(error.offset > at && error.offset < status.decoded_bytes);
	pktfs_close(capture);
	files_end(&files);
}

/* What is no capture, cannot be opened or is cut in its head is left out; the
 * others are there, and know which they were. */
static void left_out(void **state)
{
	pktfs_capture *capture;
	struct pktfs_file file;
	struct files files;

	(void)state;
	files_start(&files);
	add(&files, PCAP, 10, 0);
	add_bytes(&files, "no capture at all, but a text that is long enough", 49);
	add(&files, PCAPNG, 10, 0);
	add_bytes(&files, "", 0);
	add_bytes(&files, "\xd4\xc3\xb2\xa1\x02\x00", 6);
	add(&files, PCAP_BIG_NANO, 10, 0);
	add_bytes(&files, "nothing", 7);
	unlink(files.paths[6]);
	add(&files, PCAPNG, 10, 0);
	check_damaged(&files, PKTFS_STATE_DAMAGED, 4, 4);
	capture = open_files(&files, 0);
	wait_all(capture);
	expect_problem(capture, 0, -EBADMSG, "file 2: ");
	expect_problem(capture, 1, -ENODATA, "file 4: found an empty file");
	expect_problem(capture, 2, -ENODATA, "file 5: pcap header: found 6 bytes");
	expect_problem(capture, 3, -ENOENT, "file 7: ");
	assert_int_equal(pktfs_file_get(capture, 1, &file), 0);
	assert_int_equal(file.path, 2);
	assert_int_equal(pktfs_file_get(capture, 2, &file), 0);
	assert_int_equal(file.path, 5);
	assert_int_equal(pktfs_file_get(capture, 3, &file), 0);
	assert_int_equal(file.path, 7);
	pktfs_close(capture);
	files_end(&files);
}

static void the_first_must_be_one(void **state)
{
	struct pktfs_error error;
	pktfs_capture *capture;
	struct files files;

	(void)state;
	files_start(&files);
	add_bytes(&files, "no capture at all", 17);
	add(&files, PCAP, 10, 0);
	assert_int_equal(pktfs_open_files((const char *const *)files.paths, 2, NULL, &capture,
					  &error), -EBADMSG);
	assert_int_equal(pktfs_open_files((const char *const *)files.paths + 1, 0, NULL, &capture,
					  &error), -EINVAL);
	assert_int_equal(pktfs_open_files((const char *const *)files.paths + 1, 1, NULL, &capture,
					  &error), 0);
	wait_all(capture);
	check_packet(capture, 10);
	pktfs_close(capture);
	unlink(files.paths[0]);
	assert_int_equal(pktfs_open_files((const char *const *)files.paths, 2, NULL, &capture,
					  &error), -ENOENT);
	files_end(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_in_the_middle),
		cmocka_unit_test(damaged_in_the_middle),
		cmocka_unit_test(left_out),
		cmocka_unit_test(the_first_must_be_one),
	};

	return cmocka_run_group_tests_name("capture_files_bad", tests, NULL, NULL);
}
