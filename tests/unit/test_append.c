/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of append/: their life, names, attributes. */
#include "test_append.h"

static void life(void **state)
{
	struct append_status status;
	uint64_t id, handle, other, again;
	char name[256], bytes[8];
	struct rig rig;

	(void)state;
	new_capture("life.pcapng");
	rig_open(&rig, in_dir("life.pcapng"));
	assert_int_equal(append_first_packet(rig.append), 3);
	assert_true(append_has_only(rig.append));
	assert_true(append_has_blocks(rig.append));
	id = create(&rig, &first, "p", &handle);
	assert_int_equal(id, 1);
	assert_int_equal(append_create(rig.append, &first, "p", &(struct append_who){0}, &other,
				       &again), -EEXIST);
	status = status_of(&rig, id);
	assert_false(status.committed);
	assert_true(status.named);
	assert_int_equal(status.size, 0);
	assert_int_equal(status.mode, 0644);
	assert_int_equal(status.uid, 7);
	assert_true(status.time.sec > 1600000000);
	/* closed without bytes: it stays */
	assert_int_equal(flush(&rig, id, handle), 0);
	append_release(rig.append, id, handle);
	assert_false(status_of(&rig, id).committed);
	assert_int_equal(
		append_set_time(rig.append, id, (struct pktfs_time){1234567890, 987654321}), 0);
	assert_int_equal(append_open_file(rig.append, id, &(struct append_who){.flags = O_WRONLY},
					  &handle), 0);
	/* a hole is zeros */
	assert_int_equal(append_write(rig.append, id, 4, "efgh", 4), 4);
	assert_int_equal(append_read(rig.append, id, 0, bytes, 8), 8);
	assert_memory_equal(bytes, "\0\0\0\0efgh", 8);
	assert_int_equal(append_truncate(rig.append, id, 6), 0);
	assert_int_equal(append_truncate(rig.append, id, 7), 0);
	assert_int_equal(append_read(rig.append, id, 3, bytes, 8), 4);
	assert_memory_equal(bytes, "\0ef\0", 4);
	assert_int_equal(append_read(rig.append, id, 7, bytes, 8), 0);
	assert_int_equal(flush(&rig, id, handle), 0);
	status = status_of(&rig, id);
	assert_true(status.committed && status.is_packet && status.named);
	assert_int_equal(status.packet, 4);
	assert_int_equal(status.time.sec, 1234567890);
	assert_int_equal(status.time.nsec, 987654321);
	has_packet(&rig, 4, 0, "\0\0\0\0ef\0", 7);
	/* no more of it */
	assert_int_equal(append_write(rig.append, id, 0, "x", 1), -EROFS);
	assert_int_equal(append_truncate(rig.append, id, 0), -EROFS);
	assert_int_equal(append_set_time(rig.append, id, status.time), -EROFS);
	assert_int_equal(append_set_mode(rig.append, id, 0777), 0);
	assert_int_equal(append_set_owner(rig.append, id, 1, 1), 0);
	assert_int_equal(append_read(rig.append, id, 0, bytes, 8), 0);
	assert_int_equal(append_open_file(rig.append, id, &(struct append_who){.flags = O_RDWR},
					  &other), -EROFS);
	assert_int_equal(flush(&rig, id, handle), 0);
	append_release(rig.append, id, handle);
	assert_int_equal(append_find(rig.append, &first, "p", &other), 0);
	assert_int_equal(other, id);
	assert_int_equal(append_next(rig.append, &first, 0, &other, name), 0);
	assert_string_equal(name, "p");
	assert_int_equal(append_next(rig.append, &first, id, &other, name), -ENOENT);
	assert_int_equal(packets_of(&rig), 4);
	rig_said(&rig, NULL);
	rig_close(&rig);
	assert_int_equal(append_open(in_dir("life.pcapng"), &(struct append_options){0},
				     &rig.append, NULL), 0);
	append_close(rig.append);
}

static void places(void **state)
{
	uint64_t id, handle;
	struct append_who who = somebody();
	const struct append_place far = {.kind = APPEND_INTERFACE, .interface = 7};
	const struct append_place farthest = {.kind = APPEND_INTERFACE, .interface = UINT64_MAX};
	char name[258];
	struct rig rig;

	(void)state;
	new_capture("places.pcapng");
	rig_open(&rig, in_dir("places.pcapng"));
	assert_int_equal(append_create(rig.append, &far, "p", &who, &id, &handle), -ENXIO);
	assert_int_equal(append_create(rig.append, &farthest, "p", &who, &id, &handle), -ENXIO);
	assert_int_equal(append_find(rig.append, &farthest, "p", &id), -ENOENT);
	assert_int_equal(append_next(rig.append, &farthest, 0, &id, name), -ENOENT);
	memset(name, 'x', 256);
	name[256] = '\0';
	assert_int_equal(append_create(rig.append, &first, name, &who, &id, &handle),
			 -ENAMETOOLONG);
	assert_int_equal(append_some(&rig, &only, name + 1, "abcd", 4), 4);
	has_packet(&rig, 4, 0, "abcd", 4);
	assert_int_equal(append_status_get(rig.append, 99, &(struct append_status){0}), -ENOENT);
	assert_int_equal(append_write(rig.append, 99, 0, "", 0), -ENOENT);
	assert_int_equal(append_flush(rig.append, 99, 1, 0, &id), -ENOENT);
	append_release(rig.append, 99, 1);
	rig_close(&rig);
}

static void removed(void **state)
{
	uint64_t id, handle, end;
	struct rig rig;

	(void)state;
	new_capture("removed.pcapng");
	rig_open(&rig, in_dir("removed.pcapng"));
	id = create(&rig, &first, "p", &handle);
	put(&rig, id, "abcd", 4);
	assert_int_equal(append_remove(rig.append, &first, "p"), 0);
	assert_int_equal(append_remove(rig.append, &first, "p"), -ENOENT);
	assert_false(status_of(&rig, id).named);
	/* a new one of that name is another */
	assert_int_equal(append_some(&rig, &first, "p", "new", 3), 4);
	put(&rig, id, "ef", 2);
	assert_int_equal(append_flush(rig.append, id, handle, getpid(), &end), 0);
	assert_int_equal(end, 0);
	assert_int_equal(append_sync_begin(rig.append, id, &(uint64_t){0}, &end), 0);
	append_release(rig.append, id, handle);
	assert_int_equal(append_status_get(rig.append, id, &(struct append_status){0}), -ENOENT);
	/* a committed one: its record stays */
	assert_int_equal(append_remove(rig.append, &first, "p"), 0);
	assert_int_equal(append_find(rig.append, &first, "p", &id), -ENOENT);
	assert_int_equal(packets_of(&rig), 4);
	rig_close(&rig);
}

/* Handles: the last one that writes commits, those that read do not count. */
static void releases(void **state)
{
	uint64_t id, handle, reader, writer;
	struct rig rig;

	(void)state;
	new_capture("releases.pcapng");
	rig_open(&rig, in_dir("releases.pcapng"));
	id = create(&rig, &first, "p", &handle);
	assert_int_equal(append_open_file(rig.append, id, &(struct append_who){.flags = O_RDONLY},
					  &reader), 0);
	assert_int_equal(append_open_file(rig.append, id, &(struct append_who){.flags = O_APPEND |
					  O_WRONLY}, &writer), 0);
	put(&rig, id, "abcd", 4);
	assert_int_equal(flush(&rig, id, reader), 0);
	assert_false(status_of(&rig, id).committed);
	append_release(rig.append, id, handle);
	assert_false(status_of(&rig, id).committed);
	append_release(rig.append, id, handle); /* nothing */
	append_release(rig.append, id, writer);
	assert_true(status_of(&rig, id).committed);
	append_release(rig.append, id, reader);
	/* of which nobody knows the process */
	id = create(&rig, &first, "q", &handle);
	put(&rig, id, "abcd", 4);
	assert_int_equal(append_flush(rig.append, id, handle, 0, &writer), 0);
	see(&rig, writer);
	assert_int_equal(packets_of(&rig), 5);
	append_release(rig.append, id, handle);
	rig_close(&rig);
}

static void attributes(void **state)
{
	static const char *const wrong[][2] = {
		{"original_length", ""},   {"original_length", "4294967296"},
		{"original_length", "-1"}, {"flags", "0x"},
		{"flags", "0x100000000"},  {"flags", "7z"},
		{"time", "yesterday"},	   {"time", "2026-02-30T00:00:00Z"},
		{"link_type", "NOSUCH"},   {"comment", "\xff"},
	};
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_packet packet;
	struct pktfs_option option;
	uint64_t id, handle;
	struct rig rig;
	unsigned i;

	(void)state;
	new_capture("attributes.pcapng");
	rig_open(&rig, in_dir("attributes.pcapng"));
	id = create(&rig, &first, "p", &handle);
	put(&rig, id, "abcd", 4);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		if (set(&rig, id, wrong[i][0], wrong[i][1]) != -EINVAL)
			fail_msg("%s=%s", wrong[i][0], wrong[i][1]);
	assert_int_equal(append_set_attribute(rig.append, id, "comment", "a\0b", 3), -EINVAL);
	assert_int_equal(set(&rig, id, "colour", "red"), -EOPNOTSUPP);
	assert_int_equal(set(&rig, id, "number", "12"), 0);
	assert_int_equal(set(&rig, id, "number", NULL), -ENODATA);
	assert_int_equal(set(&rig, id, "comment", NULL), -ENODATA);
	assert_int_equal(append_attribute(rig.append, id, "comment", &text), -ENODATA);
	assert_int_equal(set(&rig, id, "comment", "one\n\ntwo \xc3\xa4"), 0);
	assert_int_equal(set(&rig, id, "flags", "0x1"), 0);
	assert_int_equal(set(&rig, id, "flags", "2"), 0);
	assert_int_equal(set(&rig, id, "original_length", "1500"), 0);
	assert_int_equal(set(&rig, id, "link_type", "ethernet"), 0);
	assert_int_equal(set(&rig, id, "time", "2026-11-21T10:32:07.123456789Z"), 0);
	assert_int_equal(append_attribute(rig.append, id, "comment", &text), 0);
	assert_string_equal(text.bytes, "one\n\ntwo \xc3\xa4");
	text.size = 0;
	assert_int_equal(append_attributes(rig.append, id, &text), 0);
	assert_int_equal(text.size, 45);
	assert_memory_equal(text.bytes, "comment\0flags\0link_type\0original_length\0time", 45);
	assert_int_equal(flush(&rig, id, handle), 0);
	assert_int_equal(set(&rig, id, "flags", "2"), -EROFS);
	assert_int_equal(append_attribute(rig.append, id, "comment", &text), -ENODATA);
	append_release(rig.append, id, handle);
	OK(pktfs_packet_get(rig.capture, 4, &packet, error_));
	assert_int_equal(packet.original_length, 1500);
	assert_int_equal(packet.time.sec, 1795257127);
	assert_int_equal(packet.time.nsec, 123456789);
	for (i = 0; i < 3; i++) {
		assert_int_equal(pktfs_option_find(packet.options, 1, i, &option), 1);
		assert_int_equal(option.length, i == 0 ? 3 : i == 1 ? 0 : 6);
	}
	assert_int_equal(pktfs_option_find(packet.options, 1, 3, &option), 0);
	assert_int_equal(pktfs_option_find(packet.options, 2, 0, &option), 1);
	assert_int_equal(pktfs_option_u32(&packet.options, &option), 2);
	pktfs_packet_release(&packet);
	/* seconds where there is no date; what is set by utimens wins */
	id = create(&rig, &first, "q", &handle);
	put(&rig, id, "abcd", 4);
	assert_int_equal(set(&rig, id, "time", "4734231571822.539464000"), 0);
	assert_int_equal(append_set_time(rig.append, id, (struct pktfs_time){77, 5}), 0);
	assert_int_equal(flush(&rig, id, handle), 0);
	assert_int_equal(status_of(&rig, id).time.sec, 77);
	append_release(rig.append, id, handle);
	rig_said(&rig, NULL);
	rig_close(&rig);
}

/* An original length that is below the captured one in some files. */
static void lesser_lengths(void **state)
{
	static const char *const lengths[] = {"0", "2"};
	struct pktfs_packet packet;
	uint64_t id, handle;
	struct rig rig;

	(void)state;
	new_capture("lesser.pcapng");
	rig_open(&rig, in_dir("lesser.pcapng"));
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		id = create(&rig, &first, lengths[i], &handle);
		put(&rig, id, "abcd", 4);
		assert_int_equal(set(&rig, id, "original_length", lengths[i]), 0);
		assert_int_equal(flush(&rig, id, handle), 0);
		append_release(rig.append, id, handle);
		OK(pktfs_packet_get(rig.capture, 4 + i, &packet, error_));
		assert_int_equal(packet.original_length, atoi(lengths[i]));
		assert_int_equal(packet.captured_length, 4);
		pktfs_packet_release(&packet);
	}
	rig_close(&rig);
}

static int renames(struct rig *rig, const char *from, const char *to)
{
	uint64_t end;
	int r = append_rename(rig->append, &first, from, &first, to, false, &end);

	if (r == 0 && end)
		see(rig, end);
	return r;
}

static uint64_t temporary(struct rig *rig, const char *name, uint64_t *ret_handle)
{
	struct append_who who = {.pid = getpid(), .flags = O_RDWR | O_CREAT | O_EXCL};
	uint64_t id;

	assert_int_equal(append_create(rig->append, &first, name, &who, &id, ret_handle), 0);
	return id;
}

static void temporaries(void **state)
{
	uint64_t handle, id, other, end, ticket;
	struct rig rig;

	(void)state;
	assert_true(append_name_is_temporary(".p.AbC012"));
	assert_false(append_name_is_temporary("p.AbC012"));
	assert_false(append_name_is_temporary("..AbC012"));
	assert_false(append_name_is_temporary(".p.AbC01-"));
	assert_false(append_name_is_temporary(".AbC012"));
	new_capture("rsync.pcapng");
	rig_open(&rig, in_dir("rsync.pcapng"));
	id = temporary(&rig, ".p.AbC012", &handle);
	put(&rig, id, "abcd", 4);
	assert_int_equal(flush(&rig, id, handle), 0);
	append_release(rig.append, id, handle);
	assert_int_equal(append_set_time(rig.append, id, (struct pktfs_time){1000, 1}), 0);
	assert_false(status_of(&rig, id).committed);
	assert_int_equal(packets_of(&rig), 3);
	assert_int_equal(renames(&rig, ".p.AbC012", "p"), 0);
	assert_true(status_of(&rig, id).committed);
	assert_int_equal(status_of(&rig, id).time.sec, 1000);
	assert_int_equal(append_find(rig.append, &first, "p", &other), 0);
	assert_int_equal(other, id);
	/* once more: the new one takes the name; fsync goes with it */
	id = temporary(&rig, ".p.AbC013", &handle);
	put(&rig, id, "efgh", 4);
	assert_int_equal(append_sync_begin(rig.append, id, &ticket, &end), 0);
	assert_int_equal(end, 0);
	assert_int_equal(flush(&rig, id, handle), 0);
	append_release(rig.append, id, handle);
	assert_int_equal(append_rename(rig.append, &first, ".p.AbC013", &first, "p", true, &end),
			 -EEXIST);
	assert_false(status_of(&rig, id).committed);
	assert_int_equal(renames(&rig, ".p.AbC013", "p"), 0);
	has_packet(&rig, 5, 0, "efgh", 4);
	/* one that is refused */
	id = temporary(&rig, ".q.AbC013", &handle);
	put(&rig, id, "efgh", 4);
	assert_int_equal(set(&rig, id, "link_type", "RAW"), 0);
	append_release(rig.append, id, handle);
	assert_int_equal(renames(&rig, ".q.AbC013", "q"), -EINVAL);
	rig_said(&rig, "append/0/.q.AbC013: 4 bytes: not appended");
	assert_int_equal(append_find(rig.append, &first, "q", &other), -ENOENT);
	assert_int_equal(append_find(rig.append, &first, ".q.AbC013", &other), -ENOENT);
	/* one that nobody renames: after a while, and at the end */
	id = temporary(&rig, ".r.AbC013", &handle);
	put(&rig, id, "ijkl", 4);
	append_release(rig.append, id, handle);
	pthread_mutex_lock(&rig.append->lock);
	rig.append->waiting->deadline_ms = append_now_ms() + 50;
	append_threads_wake(rig.append);
	pthread_mutex_unlock(&rig.append->lock);
	for (unsigned i = 0; i < 1000 && !status_of(&rig, id).committed; i++)
		sleep_ms(5);
	assert_true(status_of(&rig, id).committed);
	id = temporary(&rig, ".s.AbC013", &handle);
	put(&rig, id, "mnop", 4);
	append_release(rig.append, id, handle);
	assert_int_equal(append_stop(rig.append), 0);
	assert_true(status_of(&rig, id).committed);
	rig_close(&rig);
}

static void renamed(void **state)
{
	uint64_t handle, id, other, end;
	struct rig rig;

	(void)state;
	new_capture("renamed.pcapng");
	rig_open(&rig, in_dir("renamed.pcapng"));
	append_some(&rig, &first, "a", "abcd", 4);
	assert_int_equal(renames(&rig, "x", "b"), -ENOENT);
	assert_int_equal(renames(&rig, "a", "a"), 0);
	assert_int_equal(renames(&rig, "a", "b"), 0);
	assert_int_equal(append_find(rig.append, &first, "a", &id), -ENOENT);
	assert_int_equal(append_find(rig.append, &first, "b", &id), 0);
	assert_int_equal(append_rename(rig.append, &first, "b", &only, "b", false, &end), -EXDEV);
	/* a pending one may go anywhere, and is not committed by that */
	id = create(&rig, &first, "c", &handle);
	put(&rig, id, "efgh", 4);
	assert_int_equal(append_rename(rig.append, &first, "c", &only, "c", true, &end), 0);
	assert_int_equal(end, 0);
	assert_int_equal(append_find(rig.append, &first, "c", &other), -ENOENT);
	assert_int_equal(append_rename(rig.append, &only, "c", &first, "b", true, &end), -EEXIST);
	assert_int_equal(append_rename(rig.append, &only, "c", &first, "b", false, &end), 0);
	assert_int_equal(append_find(rig.append, &first, "b", &other), 0);
	assert_int_equal(other, id);
	assert_false(status_of(&rig, id).committed);
	assert_int_equal(flush(&rig, id, handle), 0);
	append_release(rig.append, id, handle);
	has_packet(&rig, 5, 0, "efgh", 4);
	rig_close(&rig);
}

static void listed(void **state)
{
	_cleanup_(text_free) struct text text = {0}, want = {0};
	static const uint8_t block[] = {0xad, 0x0b, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0};
	struct rig rig;
	unsigned i;
	char name[32];

	(void)state;
	new_capture("listed.pcapng");
	rig_open(&rig, in_dir("listed.pcapng"));
	append_list_text(rig.append, &text);
	assert_int_equal(text.size, 0);
	append_some(&rig, &first, "a b", "abcd", 4);
	append_some(&rig, &only, "x", "abcd", 4);
	text_printf(&want, "0/a%%20b\t4\t%lu\n", (unsigned long)status_of(&rig, 1).offset);
	text_printf(&want, "x\t5\t%lu\n", (unsigned long)status_of(&rig, 2).offset);
	append_some(&rig, &blocks, "cb", block, sizeof(block));
	assert_false(status_of(&rig, 3).is_packet);
	text_printf(&want, "blocks/cb\t-\t%lu\n", (unsigned long)status_of(&rig, 3).offset);
	assert_int_equal(append_remove(rig.append, &only, "x"), 0);
	append_list_text(rig.append, &text);
	assert_string_equal(text.bytes, want.bytes);
	/* more than are made at once, more than are kept */
	rig.append->table.list_max = 3000;
	for (i = 0; i < 3500; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		append_some(&rig, &first, name, "abcd", 4);
		if (i % 3 == 0)
			append_remove(rig.append, &first, name);
	}
	text.size = 0;
	append_list_text(rig.append, &text);
	for (i = 0; text.size; i += text.bytes[--text.size] == '\n')
		;
	assert_int_equal(i, 3000);
	rig_close(&rig);
}

static void raw_blocks(void **state)
{
	static const uint8_t bad[] = {0xad, 0x0b, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0};
	static const uint8_t secrets[] = {10, 0, 0, 0, 24, 0, 0, 0, 'K', 'S', 'L', 'T',
					  4,  0, 0, 0, 'k', 'e', 'y', '\n', 24, 0, 0, 0};
	struct pktfs_block block;
	uint64_t id, handle, index;
	struct rig rig;

	(void)state;
	new_capture("blocks.pcapng");
	rig_open(&rig, in_dir("blocks.pcapng"));
	id = create(&rig, &blocks, "bad", &handle);
	put(&rig, id, bad, sizeof(bad));
	assert_int_equal(flush(&rig, id, handle), -EBADMSG);
	rig_said(&rig, "append/blocks/bad: 16 bytes");
	append_release(rig.append, id, handle);
	append_some(&rig, &blocks, "dsb", secrets, sizeof(secrets));
	assert_int_equal(append_find(rig.append, &blocks, "dsb", &id), 0);
	assert_int_equal(pktfs_block_at(rig.capture, status_of(&rig, id).block_offset, &index), 0);
	OK(pktfs_block_get(rig.capture, index, &block, error_));
	assert_int_equal(block.length, sizeof(secrets));
	assert_memory_equal(block.bytes, secrets, sizeof(secrets));
	pktfs_block_release(&block);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life),	       cmocka_unit_test(places),
		cmocka_unit_test(removed),     cmocka_unit_test(releases),
		cmocka_unit_test(attributes),
		cmocka_unit_test(lesser_lengths),  cmocka_unit_test(temporaries),
		cmocka_unit_test(renamed),     cmocka_unit_test(listed),
		cmocka_unit_test(raw_blocks),
	};

	return cmocka_run_group_tests(tests, writer_setup, writer_teardown);
}
