/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of append/ share: a capture that grows, files in it, and what
 * becomes of them. */
#ifndef TEST_APPEND_H
#define TEST_APPEND_H

#include "test_writer.h"

#include <sys/statvfs.h>
#include <time.h>

#include "append/append_internal.h"

static const struct append_place only = {.kind = APPEND_ONLY};
static const struct append_place first = {.kind = APPEND_INTERFACE};
static const struct append_place blocks = {.kind = APPEND_BLOCKS};

struct rig {
	const char *path;
	struct append *append;
	pktfs_capture *capture;
	struct text log;
	pthread_mutex_t lock;
};

static void rig_log(void *context, const char *line)
{
	struct rig *rig = context;

	pthread_mutex_lock(&rig->lock);
	text_printf(&rig->log, "%s\n", line);
	pthread_mutex_unlock(&rig->lock);
}

static UNUSED void rig_open_over(struct rig *rig, const char *base, const char *path)
{
	const struct append_options options = {.separate = base != NULL};
	const struct pktfs_open_options growing = {.flags = PKTFS_OPEN_GROWING};
	const char *paths[] = {base, path};

	*rig = (struct rig){.path = path, .lock = PTHREAD_MUTEX_INITIALIZER};
	OK(append_open(path, &options, &rig->append, error_));
	if (base)
		OK(pktfs_open_files(paths, 2, &growing, &rig->capture, error_));
	else
		OK(pktfs_open(path, &growing, &rig->capture, error_));
	assert_int_equal(append_start(rig->append, rig->capture, 0, rig_log, rig), 0);
	assert_int_equal(pktfs_wait(rig->capture, UINT64_MAX, -1), 0);
}

static UNUSED void rig_open(struct rig *rig, const char *path)
{
	rig_open_over(rig, NULL, path);
}

static UNUSED void rig_close(struct rig *rig)
{
	append_stop(rig->append);
	pktfs_close(rig->capture);
	append_close(rig->append);
	text_free(&rig->log);
}

/* The log has this, and nothing else. NULL: nothing. */
static UNUSED void rig_said(struct rig *rig, const char *what)
{
	if (!what && rig->log.size)
		fail_msg("log: %s", rig->log.bytes);
	if (what && (!rig->log.size || !strstr(rig->log.bytes, what)))
		fail_msg("log: %s; not: %s", rig->log.size ? rig->log.bytes : "", what);
	text_free(&rig->log);
}

static UNUSED struct append_who somebody(void)
{
	return (struct append_who){
		.pid = getpid(), .flags = O_WRONLY | O_CREAT, .mode = 0644, .uid = 7, .gid = 8};
}

static UNUSED uint64_t create(struct rig *rig, const struct append_place *place, const char *name,
			      uint64_t *ret_handle)
{
	struct append_who who = somebody();
	uint64_t id = 0;

	assert_int_equal(append_create(rig->append, place, name, &who, &id, ret_handle), 0);
	return id;
}

static UNUSED void put(struct rig *rig, uint64_t id, const void *bytes, size_t size)
{
	assert_int_equal(append_write(rig->append, id, 0, bytes, size), size);
}

/* Waits until it is shown. */
static UNUSED void see(struct rig *rig, uint64_t end)
{
	int r;

	while ((r = append_seen(rig->append, end)) == -EAGAIN)
		;
	assert_int_equal(r, 0);
}

static UNUSED int flush(struct rig *rig, uint64_t id, uint64_t handle)
{
	uint64_t end = 12345;
	int r = append_flush(rig->append, id, handle, getpid(), &end);

	if (r == 0 && end)
		see(rig, end);
	return r;
}

static UNUSED struct append_status status_of(struct rig *rig, uint64_t id)
{
	struct append_status status;

	assert_int_equal(append_status_get(rig->append, id, &status), 0);
	return status;
}

/* Writes, closes, and waits: the number of the packet. */
static UNUSED uint64_t append_some(struct rig *rig, const struct append_place *place,
				   const char *name, const void *bytes, size_t size)
{
	uint64_t handle, id = create(rig, place, name, &handle);

	put(rig, id, bytes, size);
	assert_int_equal(flush(rig, id, handle), 0);
	append_release(rig->append, id, handle);
	assert_true(status_of(rig, id).committed);
	return status_of(rig, id).packet;
}

static UNUSED void new_capture(const char *name)
{
	unlink(in_dir(name));
	make_capture(in_dir(name), NULL, 3);
}

static UNUSED uint64_t packets_of(struct rig *rig)
{
	struct pktfs_status status;

	pktfs_status_get(rig->capture, &status);
	return status.packets;
}

/* Packet `number` has these bytes, and is of this interface. */
static UNUSED void has_packet(struct rig *rig, uint64_t number, uint64_t interface,
			      const void *bytes, size_t size)
{
	struct pktfs_packet packet;

	OK(pktfs_packet_get(rig->capture, number, &packet, error_));
	assert_int_equal(packet.captured_length, size);
	assert_memory_equal(packet.data, bytes, size);
	assert_int_equal(packet.interface, interface);
	assert_int_equal(pktfs_packet_release(&packet), 0);
}

static UNUSED int set(struct rig *rig, uint64_t id, const char *name, const char *value)
{
	return append_set_attribute(rig->append, id, name, value, value ? strlen(value) : 0);
}

static UNUSED void sleep_ms(unsigned ms)
{
	const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&time, NULL);
}

#endif
