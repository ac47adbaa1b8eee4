/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * corpus_append FILE: appends packets to each interface of the last section and,
 * to a pcapng, statistics, names, secrets and a custom block. Says what it did:
 *
 *	opened PACKETS SECTIONS INTERFACES repaired|whole
 *	packet NUMBER INTERFACE LINK-TYPE SEC NSEC CAPTURED ORIGINAL BYTES COMMENT
 *
 * with the time as the file can hold it. Ends with 3 and one line on standard
 * error when the file is refused, repair or not.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pktfs/writer.h"

#define PACKETS_EACH 3
#define ORIGINAL     1234

static const char *const comments[] = {"appended"};

static void must(int r, const char *what, const struct pktfs_error *error)
{
	if (r < 0)
		errx(1, "%s: %d: %s", what, r, error->text);
}

static pktfs_writer *open_it(const char *path)
{
	struct pktfs_writer_options options = {0};
	struct pktfs_writer_status status;
	struct pktfs_error error;
	pktfs_writer *writer;
	int r = pktfs_writer_append(path, &options, &writer, &error);

	if (r == -ENODATA) {
		options.flags = PKTFS_WRITER_REPAIR;
		r = pktfs_writer_append(path, &options, &writer, &error);
	}
	if (r < 0)
		errx(3, "%s", error.text);
	pktfs_writer_status_get(writer, &status);
	printf("opened\t%" PRIu64 "\t%" PRIu64 "\t%u\t%s\n", status.packets, status.sections,
	       status.interfaces, options.flags ? "repaired" : "whole");
	return writer;
}

/* The fraction as 10^-n or 2^-n of a second rounds it down. */
static uint32_t rounded(uint32_t nsec, uint8_t resolution)
{
	uint64_t unit = 1000000000, ticks;

	if (resolution & 0x80) {
		resolution &= 0x7f;
		if (resolution >= 30)
			return nsec;
		ticks = ((uint64_t)nsec << resolution) / unit;
		return (uint32_t)(ticks * unit >> resolution);
	}
	for (; resolution > 0 && unit > 1; resolution--)
		unit /= 10;
	return (uint32_t)(nsec / unit * unit);
}

static void put_packet(pktfs_writer *writer, uint32_t number, unsigned n, int pcapng)
{
	struct pktfs_writer_interface interface;
	struct pktfs_new_packet packet = {.interface = number};
	struct pktfs_written written;
	struct pktfs_error error;
	uint8_t bytes[64];

	must(pktfs_writer_interface_get(writer, number, &interface), "interface", &error);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number * 31 + n * 7 + i);
	packet.data = bytes;
	packet.captured_length = 40 + n;
	if (interface.snaplen && interface.snaplen < packet.captured_length)
		packet.captured_length = interface.snaplen;
	packet.original_length = ORIGINAL;
	/* what 32 bits can hold, and behind the offset of the interface */
	packet.time.sec = 1700000000 + number;
	if (packet.time.sec < interface.offset_seconds)
		packet.time.sec = interface.offset_seconds + number;
	packet.time.nsec = 123456789 + n;
	if (pcapng && n == 0)
		packet.options =
			(struct pktfs_new_options){.comments = comments, .comment_count = 1};
	must(pktfs_writer_packet(writer, &packet, &written, &error), "packet", &error);
	printf("packet\t%" PRIu64 "\t%u\t%u\t%" PRId64 "\t%u\t%u\t%u\t", written.packet, number,
	       interface.link_type, packet.time.sec,
	       rounded(packet.time.nsec, interface.resolution), packet.captured_length, ORIGINAL);
	for (uint32_t i = 0; i < packet.captured_length; i++)
		printf("%02x", bytes[i]);
	printf("\t%s\n", packet.options.comment_count ? comments[0] : "");
}

/* The custom block last: it is a frame for Wireshark. */
static void put_metadata(pktfs_writer *writer, uint32_t interfaces)
{
	const struct pktfs_name name = {1, (const uint8_t *)"\xc0\0\2\1", "appended.example", 16};
	const struct pktfs_secret secret = {0x544c534b, (const uint8_t *)"# appended\n", 11};
	struct pktfs_new_statistics statistics = {.has = PKTFS_STATISTICS_RECEIVED, .received = 77};
	struct pktfs_writer_interface interface;
	struct pktfs_error error;

	if (interfaces > 0) {
		pktfs_writer_interface_get(writer, interfaces - 1, &interface);
		statistics.interface = interfaces - 1;
		statistics.time.sec = interface.offset_seconds > 0 ? interface.offset_seconds : 9;
		must(pktfs_writer_statistics(writer, &statistics, NULL, &error), "ISB", &error);
	}
	must(pktfs_writer_names(writer, &name, 1, NULL, NULL, &error), "NRB", &error);
	must(pktfs_writer_secrets(writer, &secret, NULL, NULL, &error), "DSB", &error);
	must(pktfs_writer_custom(writer, 32473, 1, "appended", 8, NULL, &error), "CB", &error);
}

int main(int argc, char **argv)
{
	struct pktfs_writer_status status;
	struct pktfs_error error;
	pktfs_writer *writer;
	int pcapng;

	if (argc != 2)
		errx(2, "usage: corpus_append FILE");
	writer = open_it(argv[1]);
	pktfs_writer_status_get(writer, &status);
	pcapng = status.format == PKTFS_FORMAT_PCAPNG;
	for (unsigned n = 0; n < PACKETS_EACH; n++)
		for (uint32_t i = 0; i < status.interfaces; i++)
			put_packet(writer, i, n, pcapng);
	if (pcapng)
		put_metadata(writer, status.interfaces);
	must(pktfs_writer_close(writer, &error), "close", &error);
	return 0;
}
