/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attributes of a file in append/: a script of names and values, and then the
 * packet that has them, written to a pcapng in memory. What must hold: what was
 * taken is given back; the packet is refused with a reason, or is in the file
 * with the length, the time and the number of comments that were asked for.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "append/append_attribute.h"
#include "input.h"
#include "pktfs/capture.h"

static void set(struct append_attributes *attributes, struct input *input)
{
	static const char *const names[] = {"original_length", "comment", "flags", "time",
					    "link_type", "number", "frame", "interface"};
	_cleanup_(text_free) struct text text = {0};
	size_t which = (size_t)input_number(input, 1), size;
	char name[256], value[256];
	bool removes;
	int r;

	if (which < 240)
		strcpy(name, names[which % ARRAY_SIZE(names)]);
	else
		input_name(input, name);
	size = input_name(input, value);
	removes = size == 0 && (which & 8);
	r = append_attributes_set(attributes, name, removes ? NULL : value, size);
	assert(r == 0 || r == -EOPNOTSUPP || r == -EINVAL || (r == -ENODATA && removes));
	if (append_attributes_get(attributes, name, &text) == 0 && r == 0)
		assert(!removes && text.size == size && !memcmp(text.bytes, value, size));
	append_attributes_list(attributes, &text);
}

static unsigned comments_of(struct pktfs_options options)
{
	struct pktfs_option option;
	unsigned count = 0;

	while (pktfs_option_next(&options, &option) == 1)
		count += option.code == 1;
	return count;
}

/* The file has this packet, and nothing else. */
static void check(int fd, const struct pktfs_new_packet *want)
{
	struct pktfs_packet packet;
	pktfs_capture *capture;

	assert(pktfs_open_fd(fd, NULL, &capture, NULL) == 0);
	assert(pktfs_packet_get(capture, 1, &packet, NULL) == 0);
	assert(packet.captured_length == want->captured_length);
	assert(packet.original_length == (want->has & PKTFS_PACKET_ORIGINAL || want->original_length
						  ? want->original_length
						  : want->captured_length));
	assert(packet.time.sec == want->time.sec && packet.time.nsec == want->time.nsec);
	assert(comments_of(packet.options) == want->options.comment_count);
	pktfs_packet_release(&packet);
	assert(pktfs_packet_get(capture, 2, &packet, NULL) == -ENOENT);
	pktfs_close(capture);
}

static void write_packet(const struct pktfs_new_packet *packet)
{
	const struct pktfs_writer_options options = {.format = PKTFS_WRITER_PCAPNG,
						     .flags = PKTFS_WRITER_REPLACE};
	const struct pktfs_new_interface ethernet = {.link_type = 1};
	int fd = memfd_create("attribute", MFD_CLOEXEC), r;
	struct pktfs_error error = {0};
	pktfs_writer *writer;
	char path[32];

	assert(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = pktfs_writer_create(path, &options, &writer, &error);
	assert(r == 0 && pktfs_writer_interface(writer, &ethernet, NULL, &error) == 0);
	r = pktfs_writer_packet(writer, packet, NULL, &error);
	assert(r == 0 || (error.code == r && *error.text));
	assert(pktfs_writer_close(writer, NULL) == 0);
	if (r == 0)
		check(fd, packet);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	struct append_attributes attributes = {0};
	struct pktfs_new_packet packet = {.data = "four", .captured_length = 4};
	struct pktfs_error error = {0};
	_cleanup_free_ const char **comments = NULL;
	_cleanup_free_ char *text = NULL;
	unsigned steps = 0;
	int r;

	while (input.size && steps++ < 16)
		set(&attributes, &input);
	r = append_attributes_apply(&attributes, 1, true, &packet, &text, &comments, &error);
	if (r == 0)
		write_packet(&packet);
	else
		assert(r == -EINVAL || r == -ENOMEM);
	append_attributes_free(&attributes);
	return 0;
}
