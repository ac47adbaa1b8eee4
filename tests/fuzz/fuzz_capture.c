/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole library on a file: everything that can be asked of it is. */
#include "pktfs/capture.h"

#define MOST 2000 /* records looked at: a fuzzer wants many small runs */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void look_at_blocks(pktfs_capture *capture, const struct pktfs_status *status)
{
	struct pktfs_interface interface;
	struct pktfs_section section;
	struct pktfs_option option;
	struct pktfs_secret secret;
	struct pktfs_block block;
	struct pktfs_name name;
	uint64_t i, position;

	for (i = 0; i < status->metadata && i < MOST; i++) {
		if (pktfs_block_get(capture, i, &block, NULL) < 0)
			continue;
		position = 0;
		while (pktfs_block_next_name(&block, &position, &name) == 1)
			;
		pktfs_block_secret(&block, &secret);
		while (pktfs_option_next(&block.options, &option) == 1)
			;
		pktfs_block_release(&block);
	}
	for (i = 0; i < MOST && pktfs_section_get(capture, i, &section, NULL) == 0; i++)
		pktfs_section_release(&section);
	for (i = 0; i < MOST && pktfs_interface_get(capture, i, &interface, NULL) == 0; i++)
		pktfs_interface_release(&interface);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct pktfs_packet *packet;
	struct pktfs_packet single;
	struct pktfs_status status;
	struct pktfs_option option;
	pktfs_iterator *iterator;
	pktfs_capture *capture;
	uint64_t n;

	if (size == 0 || pktfs_open_buffer(bytes, size, NULL, &capture, NULL) < 0)
		return 0;
	pktfs_wait(capture, UINT64_MAX, -1);
	pktfs_status_get(capture, &status);
	look_at_blocks(capture, &status);
	if (pktfs_iterator_open(capture, 1, &iterator) == 0) {
		for (n = 0; n < MOST && pktfs_iterator_next(iterator, &packet, NULL) == 1; n++) {
			struct pktfs_options options = packet->options;

			while (pktfs_option_next(&options, &option) == 1)
				;
		}
		pktfs_iterator_close(iterator);
	}
	if (status.packets && pktfs_packet_get(capture, status.packets, &single, NULL) == 0)
		pktfs_packet_release(&single);
	pktfs_close(capture);
	return 0;
}
