/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a pcap file: opened, and walked to where it ends. */
#include "format/format.h"
#include "pktfs/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	volatile uint8_t last;
	struct format format;
	struct format_walk walk;
	struct format_record record;
	struct pktfs_error error;
	uint64_t offset;

	if (format_open(&format, cursor_over(data, MIN(size, FORMAT_HEAD_SIZE), false), &error) < 0)
		return 0;
	if (format.kind == FORMAT_PCAPNG)
		return 0;
	format_walk_start(&walk, &format);
	for (offset = format.first_record; offset < size; offset += record.length) {
		struct cursor window = cursor_over(data + offset, size - offset, false);

		if (format_step(&walk, window, offset, &record, NULL, &error) < 0)
			break;
		if (!record.length || record.length > window.left ||
		    record.data_at + (uint64_t)record.captured != record.length)
			abort();
		pktfs_time_from_ticks(record.ticks, record.nanosecond ? 9 : 6, 0);
		if (record.captured)
			last = window.bytes[record.data_at + record.captured - 1];
	}
	(void)last;
	return 0;
}
