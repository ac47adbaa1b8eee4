/* SPDX-License-Identifier: BSD-2-Clause */
/* Where packets go: formats, compressions, sections, interfaces, other files. */
#include "test_append.h"

#include <limits.h>
#include <zlib.h>

static struct append_place place_of(uint64_t interface)
{
	return (struct append_place){.kind = APPEND_INTERFACE, .interface = interface};
}

static uint64_t append_at(struct rig *rig, uint64_t interface, const char *name,
			  struct pktfs_time time)
{
	const struct append_place place = place_of(interface);
	uint64_t handle, id = create(rig, &place, name, &handle);

	put(rig, id, name, strlen(name));
	assert_int_equal(append_set_time(rig->append, id, time), 0);
	assert_int_equal(flush(rig, id, handle), 0);
	append_release(rig->append, id, handle);
	assert_int_equal(status_of(rig, id).packet, packets_of(rig));
	return id;
}

static void packet_is(struct rig *rig, uint64_t number, const char *bytes, struct pktfs_time time)
{
	struct pktfs_packet packet;

	OK(pktfs_packet_get(rig->capture, number, &packet, error_));
	assert_int_equal(packet.captured_length, strlen(bytes));
	assert_memory_equal(packet.data, bytes, strlen(bytes));
	assert_int_equal(packet.time.sec, time.sec);
	assert_int_equal(packet.time.nsec, time.nsec);
	pktfs_packet_release(&packet);
}

static uint64_t interface_of(struct rig *rig, uint64_t number)
{
	struct pktfs_packet packet;
	uint64_t interface;

	OK(pktfs_packet_get(rig->capture, number, &packet, error_));
	interface = packet.interface;
	pktfs_packet_release(&packet);
	return interface;
}

static bool frame_is_open(struct rig *rig)
{
	struct pktfs_writer_status status;

	pktfs_writer_status_get(rig->append->writer, &status);
	return status.frame_open;
}

/* The quiet thread ends it. */
static void wait_for_end(struct rig *rig)
{
	for (unsigned i = 0; i < 1000 && frame_is_open(rig); i++)
		sleep_ms(5);
	assert_false(frame_is_open(rig));
}

/* ---- formats */

static void one_format(const char *name, const struct pktfs_writer_options *options)
{
	const struct pktfs_time time = {1700000000, 123456789};
	struct pktfs_time want = time;
	struct pktfs_status status;
	struct rig rig;
	uint64_t id, i;
	char text[24];

	unlink(in_dir(name));
	make_capture(in_dir(name), options, 20);
	rig_open(&rig, in_dir(name));
	if (options->format == PKTFS_WRITER_PCAP)
		want.nsec = 123456000;
	for (i = 1; i <= 30; i++) {
		snprintf(text, sizeof(text), "packet-%u", (unsigned)i);
		id = append_at(&rig, 0, text, time);
		assert_int_equal(status_of(&rig, id).time.nsec, want.nsec);
		packet_is(&rig, 20 + i, text, want);
		if (i == 10 && options->compression != PKTFS_WRITER_PLAIN)
			wait_for_end(&rig);
	}
	rig_said(&rig, NULL);
	rig_close(&rig);
	/* and by itself */
	OK(pktfs_open(in_dir(name), NULL, &rig.capture, error_));
	assert_int_equal(pktfs_wait(rig.capture, UINT64_MAX, -1), 0);
	pktfs_status_get(rig.capture, &status);
	assert_int_equal(status.packets, 50);
	assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
	for (i = 1; i <= 30; i++) {
		snprintf(text, sizeof(text), "packet-%u", (unsigned)i);
		packet_is(&rig, 20 + i, text, want);
	}
	pktfs_close(rig.capture);
}

static void formats(void **state)
{
	static const char *const endings[] = {"", ".zst", ".gz"};
	struct pktfs_writer_options options = {0};
	unsigned format, compression, big;
	char name[32];

	(void)state;
	for (format = PKTFS_WRITER_PCAP; format <= PKTFS_WRITER_PCAPNG; format++) {
		for (compression = 0; compression < 3; compression++) {
			for (big = 0; big < 2; big++) {
				snprintf(name, sizeof(name), "f%u-%u%s", format, big,
					 endings[compression]);
				options.format = format;
				options.compression = PKTFS_WRITER_PLAIN + compression;
				options.flags = big ? PKTFS_WRITER_BIG_ENDIAN : 0;
				one_format(name, &options);
			}
		}
	}
}

/* After a while without appends the frame is ended. */
static void quiet(void **state)
{
	struct rig rig;
	int64_t since;

	(void)state;
	make_capture(in_dir("quiet.pcapng.zst"), NULL, 3);
	rig_open(&rig, in_dir("quiet.pcapng.zst"));
	append_some(&rig, &first, "p", "abcd", 4);
	sleep_ms(100);
	since = append_now_ms();
	append_some(&rig, &first, "q", "efgh", 4);
	sleep_ms(120);
	/* on a machine that is too slow for that it says nothing */
	assert_true(frame_is_open(&rig) || append_now_ms() - since >= APPEND_QUIET_MS);
	wait_for_end(&rig);
	assert_true(append_now_ms() - since >= APPEND_QUIET_MS);
	append_some(&rig, &first, "r", "ijkl", 4);
	assert_int_equal(append_stop(rig.append), 0);
	assert_false(frame_is_open(&rig));
	rig_close(&rig);
}

/* It cannot be ended: the log says so, once. */
static void quiet_fails(void **state)
{
	struct rig rig;
	char want[PATH_MAX];

	(void)state;
	snprintf(want, sizeof(want), "append: %s: the frame cannot be ended: was removed or "
		 "replaced by another program\n", in_dir("gone.pcapng.zst"));
	make_capture(in_dir("gone.pcapng.zst"), NULL, 3);
	rig_open(&rig, in_dir("gone.pcapng.zst"));
	append_some(&rig, &first, "p", "abcd", 4);
	unlink(in_dir("gone.pcapng.zst"));
	sleep_ms(700);
	pthread_mutex_lock(&rig.lock);
	assert_string_equal(rig.log.bytes, want);
	pthread_mutex_unlock(&rig.lock);
	rig_close(&rig);
}

/* ---- sections */

/* Interfaces of three sections, in the second byte order. */
static void make_sections(const char *path, bool fixed)
{
	struct text file = {0};
	size_t last;

	build_shb(&file, true);
	build_idb(&file, true, 1, 6, 0, "eth0");
	build_idb(&file, true, 101, 9, 100, "raw");
	build_shb(&file, false);
	build_idb(&file, false, 1, 0x8a, 0, "eth0"); /* 2^-10 s */
	last = file.size;
	build_shb(&file, true);
	build_idb(&file, true, 101, 9, 100, "raw");
	build_idb(&file, true, 1, 3, 0, NULL);
	build_idb(&file, true, 1, 3, 0, NULL);
	build_epb(&file, true, 2, 1700000000123, 10, 1, NULL);
	if (fixed) {
		uint64_t length = htobe64(file.size - last - 28);

		memcpy(file.bytes + last + 16, &length, 8);
	}
	put_file(path, file.bytes, file.size);
	text_free(&file);
}

static void sections(void **state)
{
	const struct pktfs_time time = {1700000001, 123456789};
	struct pktfs_status status;
	struct rig rig;

	(void)state;
	make_sections(in_dir("sections.pcapng"), false);
	rig_open(&rig, in_dir("sections.pcapng"));
	assert_false(append_has_only(rig.append));
	assert_int_equal(append_create(rig.append, &only, "p", &(struct append_who){0},
				       &(uint64_t){0}, &(uint64_t){0}), -EINVAL);
	rig_said(&rig, "append/p: found 6 interfaces; accepted append/I/NAME");
	/* 0 eth0 and 2 eth0 have none that is equal; 1 is 3; 4 and 5 are themselves */
	append_at(&rig, 5, "five", time);
	append_at(&rig, 4, "four", time);
	append_at(&rig, 3, "three", time);
	append_at(&rig, 1, "one", time);
	append_at(&rig, 0, "zero", time);
	append_at(&rig, 2, "two", time);
	append_at(&rig, 0, "zero again", time);
	append_at(&rig, 7, "two again", time);
	packet_is(&rig, 2, "five", (struct pktfs_time){time.sec, 123000000});
	packet_is(&rig, 4, "three", time);
	packet_is(&rig, 6, "zero", (struct pktfs_time){time.sec, 123456000});
	packet_is(&rig, 7, "two", (struct pktfs_time){time.sec, 123046875});
	assert_int_equal(interface_of(&rig, 2), 5);
	assert_int_equal(interface_of(&rig, 3), 4);
	assert_int_equal(interface_of(&rig, 4), 3);
	assert_int_equal(interface_of(&rig, 5), 3);
	assert_int_equal(interface_of(&rig, 6), 6);
	assert_int_equal(interface_of(&rig, 7), 7);
	assert_int_equal(interface_of(&rig, 8), 6);
	assert_int_equal(interface_of(&rig, 9), 7);
	pktfs_status_get(rig.capture, &status);
	assert_int_equal(status.interfaces, 8);
	assert_int_equal(status.sections, 3);
	rig_said(&rig, NULL);
	rig_close(&rig);
}

/* Of a compressed file with a fixed length: a section is begun, in which the
 * interfaces have the same numbers, and others are counted on. */
static void section_follows(void **state)
{
	const struct pktfs_time time = {1700000001, 123456789};
	struct text file = {0};
	pktfs_writer *writer;
	struct rig rig;
	uint64_t interface, end;
	gzFile gz;

	(void)state;
	make_sections(in_dir("fixed.pcapng"), true);
	get_file(in_dir("fixed.pcapng"), &file);
	gz = gzopen(in_dir("fixed.pcapng.gz"), "wb");
	assert_int_equal(gzwrite(gz, file.bytes, (unsigned)file.size), file.size);
	gzclose(gz);
	text_free(&file);
	rig_open(&rig, in_dir("fixed.pcapng.gz"));
	assert_int_equal(append_add_interface(rig.append, "new@RAW", &interface, &end), 0);
	assert_int_equal(interface, 9); /* 0 to 5, 6 to 8 in the new section */
	see(&rig, end);
	append_at(&rig, 5, "five", time);
	append_at(&rig, 3, "three", time);
	append_at(&rig, 8, "eight", time);
	append_at(&rig, 9, "nine", time);
	append_at(&rig, 0, "zero", time);
	assert_int_equal(interface_of(&rig, 2), 8);
	assert_int_equal(interface_of(&rig, 3), 6);
	assert_int_equal(interface_of(&rig, 4), 8);
	assert_int_equal(interface_of(&rig, 5), 9);
	assert_int_equal(interface_of(&rig, 6), 10);
	packet_is(&rig, 5, "nine", time);
	rig_close(&rig);
	OK(pktfs_writer_append(in_dir("fixed.pcapng.gz"), NULL, &writer, error_));
	OK(pktfs_writer_close(writer, error_));
}

/* ---- interfaces by name */

static void added(void **state)
{
	static const char *const wrong[] = {"12", "", "@RAW", "x@NOSUCH", "x@", "x@70000"};
	struct pktfs_interface got;
	uint64_t interface, end;
	char name[256];
	struct rig rig;
	unsigned i;

	(void)state;
	make_capture(in_dir("added.pcapng"), NULL, 3);
	rig_open(&rig, in_dir("added.pcapng"));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(append_add_interface(rig.append, wrong[i], &interface, &end),
				 -EINVAL);
		rig_said(&rig, "no interface added");
	}
	assert_true(append_has_only(rig.append));
	append_some(&rig, &only, "taken", "abcd", 4);
	assert_int_equal(append_add_interface(rig.append, "taken", &interface, &end), -EEXIST);
	assert_int_equal(append_add_interface(rig.append, "blocks", &interface, &end), -EEXIST);
	assert_int_equal(append_add_interface(rig.append, "lo", &interface, &end), 0);
	assert_int_equal(interface, 1);
	see(&rig, end);
	assert_false(append_has_only(rig.append));
	assert_int_equal(append_add_interface(rig.append, "lo", &interface, &end), -EEXIST);
	assert_int_equal(append_add_interface(rig.append, "a@b@linktype_raw", &interface, &end),
			 0);
	assert_int_equal(interface, 2);
	see(&rig, end);
	OK(pktfs_interface_get(rig.capture, 1, &got, error_));
	assert_int_equal(got.link_type, 1);
	assert_int_equal(got.resolution, 9);
	assert_int_equal(got.snaplen, 0);
	pktfs_interface_release(&got);
	OK(pktfs_interface_get(rig.capture, 2, &got, error_));
	assert_int_equal(got.link_type, 101);
	pktfs_interface_release(&got);
	assert_int_equal(append_named_interface(rig.append, "lo", &interface), 0);
	assert_int_equal(interface, 1);
	assert_int_equal(append_named_interface(rig.append, "raw", &interface), -ENOENT);
	assert_int_equal(append_named_at(rig.append, 1, &interface, name), 0);
	assert_string_equal(name, "a@b@linktype_raw");
	assert_int_equal(append_named_at(rig.append, 2, &interface, name), -ENOENT);
	append_at(&rig, 2, "two", (struct pktfs_time){1, 2});
	assert_int_equal(interface_of(&rig, 5), 2);
	packet_is(&rig, 5, "two", (struct pktfs_time){1, 2});
	rig_close(&rig);
}

/* ---- another file */

static void separate(void **state)
{
	const struct pktfs_time time = {1700000001, 123456789};
	struct append *append;
	_cleanup_(text_free) struct text before = {0}, after = {0};
	struct rig rig;
	uint64_t interface, end, id;

	(void)state;
	make_capture(in_dir("own.pcap"), NULL, 3);
	get_file(in_dir("own.pcap"), &before);
	FAILS(append_open(in_dir("own.pcap"), &(struct append_options){.separate = true}, &append,
			  error_), -EINVAL);
	rig_open_over(&rig, in_dir("own.pcap"), in_dir("more.pcapng.zst"));
	assert_int_equal(append_first_packet(rig.append), 3);
	assert_true(append_has_only(rig.append));
	assert_true(append_has_blocks(rig.append));
	id = append_at(&rig, 0, "four", time);
	assert_int_equal(status_of(&rig, id).packet, 4);
	/* of the copy that was made */
	packet_is(&rig, 4, "four", (struct pktfs_time){time.sec, 123456000});
	assert_int_equal(interface_of(&rig, 4), 1);
	assert_true(append_has_only(rig.append));
	assert_int_equal(append_some(&rig, &only, "five", "five", 4), 5);
	assert_int_equal(append_add_interface(rig.append, "lo@RAW", &interface, &end), 0);
	assert_int_equal(interface, 2);
	see(&rig, end);
	append_at(&rig, 2, "six", time);
	assert_int_equal(interface_of(&rig, 6), 2);
	rig_close(&rig);
	/* again */
	rig_open_over(&rig, in_dir("own.pcap"), in_dir("more.pcapng.zst"));
	assert_int_equal(append_first_packet(rig.append), 6);
	assert_false(append_has_only(rig.append));
	append_at(&rig, 0, "seven", time);
	append_at(&rig, 1, "eight", time);
	append_at(&rig, 2, "nine", time);
	assert_int_equal(interface_of(&rig, 7), 1);
	assert_int_equal(interface_of(&rig, 8), 1);
	assert_int_equal(interface_of(&rig, 9), 2);
	rig_close(&rig);
	get_file(in_dir("own.pcap"), &after);
	assert_int_equal(before.size, after.size);
	assert_memory_equal(before.bytes, after.bytes, before.size);
}

/* Its second session has one interface, the copy. */
static void separate_again(void **state)
{
	struct rig rig;

	(void)state;
	make_capture(in_dir("base.pcapng"), NULL, 3);
	rig_open_over(&rig, in_dir("base.pcapng"), in_dir("again.pcapng"));
	append_some(&rig, &only, "p", "abcd", 4);
	rig_close(&rig);
	rig_open_over(&rig, in_dir("base.pcapng"), in_dir("again.pcapng"));
	assert_true(append_has_only(rig.append));
	assert_int_equal(append_some(&rig, &only, "p", "abcd", 4), 5);
	assert_int_equal(interface_of(&rig, 5), 1);
	rig_close(&rig);
	/* over another capture it is not */
	make_sections(in_dir("one.pcapng"), false);
	rig_open_over(&rig, in_dir("one.pcapng"), in_dir("again.pcapng"));
	assert_false(append_has_only(rig.append));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),	   cmocka_unit_test(quiet),
		cmocka_unit_test(quiet_fails),	   cmocka_unit_test(sections),
		cmocka_unit_test(section_follows), cmocka_unit_test(added),
		cmocka_unit_test(separate),	   cmocka_unit_test(separate_again),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
