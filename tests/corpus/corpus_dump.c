/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * corpus_dump iterate|random|buffer FILE: what the library reads of a capture,
 * a line a packet, in the order of their numbers:
 *
 *	number section interface-in-section link-type sec nsec captured original bytes
 *
 * iterate goes through the iterator; random gets each packet by its number, in
 * random order; buffer reads the file into memory and opens that. Ends with 3
 * and one line on standard error when the file is refused.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pktfs/capture.h"

static char *line_of(pktfs_capture *capture, const struct pktfs_packet *p)
{
	struct pktfs_interface interface;
	size_t size = 200 + 2 * (size_t)p->captured_length;
	char *line = malloc(size);
	int at;

	if (!line)
		err(1, NULL);
	if (pktfs_interface_get(capture, p->interface, &interface, NULL) < 0)
		errx(1, "packet %lu: no interface %lu", p->number, p->interface);
	if (interface.section != p->section ||
	    interface.number_in_section != p->interface_in_section ||
	    interface.link_type != p->link_type)
		errx(1, "packet %lu and its interface contradict each other", p->number);
	pktfs_interface_release(&interface);
	at = snprintf(line, size, "%lu\t%lu\t%u\t%u\t%ld\t%u\t%u\t%u\t", p->number, p->section,
		      p->interface_in_section, p->link_type, p->time.sec, p->time.nsec,
		      p->captured_length, p->original_length);
	for (uint32_t i = 0; i < p->captured_length; i++) {
		line[at++] = "0123456789abcdef"[p->data[i] >> 4];
		line[at++] = "0123456789abcdef"[p->data[i] & 15];
	}
	line[at] = 0;
	return line;
}

static void dump_iterated(pktfs_capture *capture)
{
	const struct pktfs_packet *packet;
	struct pktfs_error error;
	pktfs_iterator *iterator;
	uint64_t last = 0;
	int r;

	if (pktfs_iterator_open(capture, 1, &iterator) < 0)
		errx(1, "pktfs_iterator_open");
	while ((r = pktfs_iterator_next(iterator, &packet, &error)) == 1) {
		char *line = line_of(capture, packet);

		if (packet->number != ++last)
			errx(1, "packet %lu follows %lu", packet->number, last - 1);
		puts(line);
		free(line);
	}
	if (r < 0)
		errx(1, "iterator: %s", error.text);
	pktfs_iterator_close(iterator);
}

static void dump_random(pktfs_capture *capture)
{
	struct pktfs_packet packet;
	struct pktfs_status status;
	struct pktfs_error error;
	uint64_t *order;
	char **lines;

	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	order = calloc(status.packets + 1, sizeof(*order));
	lines = calloc(status.packets + 1, sizeof(*lines));
	if (!order || !lines)
		err(1, NULL);
	srandom(1);
	for (uint64_t i = 0; i < status.packets; i++) {
		uint64_t j = (uint64_t)random() % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (uint64_t i = 0; i < status.packets; i++) {
		if (pktfs_packet_get(capture, order[i] + 1, &packet, &error) < 0)
			errx(1, "packet %lu: %s", order[i] + 1, error.text);
		if (packet.number != order[i] + 1)
			errx(1, "packet %lu instead of %lu", packet.number, order[i] + 1);
		lines[order[i]] = line_of(capture, &packet);
		if (pktfs_packet_release(&packet) < 0)
			errx(1, "packet %lu: release", order[i] + 1);
	}
	if (pktfs_packet_get(capture, status.packets + 1, &packet, &error) >= 0)
		errx(1, "there is a packet behind the last");
	for (uint64_t i = 0; i < status.packets; i++) {
		puts(lines[i]);
		free(lines[i]);
	}
	free(lines);
	free(order);
}

static void *read_whole(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	char *bytes = NULL;
	size_t size = 0;

	if (!file)
		err(1, "%s", path);
	do {
		bytes = realloc(bytes, size + 65536);
		if (!bytes)
			err(1, NULL);
		size += fread(bytes + size, 1, 65536, file);
	} while (!feof(file) && !ferror(file));
	fclose(file);
	*ret_size = size;
	/* exactly as long as the file, so that a byte too many is seen */
	bytes = realloc(bytes, size ? size : 1);
	return bytes;
}

int main(int argc, char **argv)
{
	struct pktfs_error error;
	pktfs_capture *capture;
	void *bytes = NULL;
	size_t size;
	int r;

	if (argc != 3)
		errx(2, "usage: corpus_dump iterate|random|buffer FILE");
	if (!strcmp(argv[1], "buffer")) {
		bytes = read_whole(argv[2], &size);
		r = pktfs_open_buffer(bytes, size, NULL, &capture, &error);
	} else {
		r = pktfs_open(argv[2], NULL, &capture, &error);
	}
	if (r < 0) {
		free(bytes);
		errx(3, "%s: %s", strerror(-r), error.text);
	}
	if (!strcmp(argv[1], "random"))
		dump_random(capture);
	else
		dump_iterated(capture);
	pktfs_close(capture);
	free(bytes);
	return 0;
}
