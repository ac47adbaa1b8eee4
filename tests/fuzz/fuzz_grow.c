/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole library on a file that grows. The input: how many steps (two bits),
 * their places (two bytes each), and the file. What must hold: what was once
 * seen stays as it was; in the end the same packets, blocks, sections and
 * interfaces are there as in the file opened when it was whole, unless the
 * growth ended at damage, and then nothing is there that is not in the file.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "input.h"
#include "pktfs/capture.h"

#define STEPS_MAX 4u
#define PACKETS_MAX 500u
#define WAIT_MS 9000

struct growth {
	const uint8_t *bytes;
	size_t size, written;
	int fd;
	pktfs_capture *whole, *growing;
	uint64_t seen; /* packets */
};

static void same_packet(struct growth *growth, uint64_t number)
{
	struct pktfs_packet a, b;
	int r = pktfs_packet_get(growth->growing, number, &a, NULL);

	if (r == -EBADMSG) /* of a frame that turned out damaged */
		return;
	assert(r == 0 && pktfs_packet_get(growth->whole, number, &b, NULL) == 0);
	assert(a.number == b.number && a.offset == b.offset && a.interface == b.interface);
	assert(a.captured_length == b.captured_length && a.has_time == b.has_time);
	assert(!a.has_time || (a.time.sec == b.time.sec && a.time.nsec == b.time.nsec));
	assert(a.frame == b.frame && a.section == b.section && a.block_number == b.block_number);
	assert(!a.captured_length || !memcmp(a.data, b.data, a.captured_length));
	r = pktfs_packet_release(&a) | pktfs_packet_release(&b);
	assert(r == 0);
}

/* As in the file that is whole, as far as it has come. */
static void look(struct growth *growth, struct pktfs_status *ret)
{
	struct pktfs_status whole;
	uint64_t number;

	pktfs_status_get(growth->whole, &whole);
	pktfs_status_get(growth->growing, ret);
	assert(ret->packets <= whole.packets && ret->packets >= growth->seen);
	assert(ret->metadata <= whole.metadata && ret->sections <= whole.sections);
	assert(ret->interfaces <= whole.interfaces && ret->indexed_bytes <= whole.indexed_bytes);
	growth->seen = ret->packets;
	for (number = 1; number <= MIN(ret->packets, PACKETS_MAX); number++)
		same_packet(growth, number);
}

static void write_to(struct growth *growth, size_t end)
{
	ssize_t count = (ssize_t)(end - growth->written);

	if (count <= 0)
		return;
	assert(pwrite(growth->fd, growth->bytes + growth->written, (size_t)count,
		      (off_t)growth->written) == count);
	growth->written = end;
}

/* Opens what there is by now, or looks at what has come. */
static void step(struct growth *growth)
{
	const struct pktfs_open_options options = {.flags = PKTFS_OPEN_GROWING};
	struct pktfs_status status;
	int r;

	if (!growth->growing) {
		r = pktfs_open_fd(growth->fd, &options, &growth->growing, NULL);
		if (r < 0)
			return;
		pktfs_wait(growth->growing, UINT64_MAX, WAIT_MS);
	} else {
		r = pktfs_grow(growth->growing);
		assert(r == 0 || r == 1);
	}
	look(growth, &status);
}

static void finish(struct growth *growth)
{
	struct pktfs_status whole, status;
	int r;

	pktfs_status_get(growth->whole, &whole);
	r = pktfs_wait_offset(growth->growing, whole.indexed_bytes, WAIT_MS);
	assert(r == 0 || r == -EIO);
	look(growth, &status);
	if (r < 0) { /* it ended before, at damage: what that hid is not there */
		assert(whole.state == PKTFS_STATE_DAMAGED || whole.compression);
		return;
	}
	assert(status.packets == whole.packets && status.metadata == whole.metadata);
	assert(status.sections == whole.sections && status.interfaces == whole.interfaces);
	assert(status.captured_bytes == whole.captured_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	unsigned steps = (unsigned)input_number(&input, 1) % STEPS_MAX, i;
	uint16_t places[STEPS_MAX];
	struct growth growth = {.fd = -1};

	for (i = 0; i < steps; i++)
		places[i] = (uint16_t)input_number(&input, 2);
	growth.bytes = input.bytes;
	growth.size = input.size;
	if (!input.size ||
	    pktfs_open_buffer(input.bytes, input.size, NULL, &growth.whole, NULL) < 0)
		return 0;
	pktfs_wait(growth.whole, UINT64_MAX, -1);
	growth.fd = memfd_create("grow", MFD_CLOEXEC);
	for (i = 0; i < steps; i++) {
		write_to(&growth, places[i] % input.size);
		step(&growth);
	}
	write_to(&growth, input.size);
	step(&growth);
	if (growth.growing)
		finish(&growth);
	pktfs_close(growth.growing);
	pktfs_close(growth.whole);
	close(growth.fd);
	return 0;
}
