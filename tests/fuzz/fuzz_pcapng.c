/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a pcapng file: opened, walked, and every block decoded. */
#include "format/format.h"
#include "pktfs/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sink;

static void use_options(struct pktfs_options options)
{
	struct pktfs_option option;

	while (pktfs_option_next(&options, &option) > 0)
		for (size_t i = 0; i < option.length; i++)
			sink += option.value[i];
}

static void use_block(struct cursor block, const struct format_record *record)
{
	struct format_section section;
	struct format_interface interface;
	struct format_statistics statistics;
	struct pktfs_error error;

	use_options(format_block_options(block, record->type));
	if (format_section(block, &section, &error) == 0)
		use_options(section.options);
	if (format_interface(block, &interface) == 0) {
		use_options(interface.options);
		sink += (uint64_t)pktfs_time_from_ticks(record->ticks, interface.resolution,
							interface.offset_seconds)
				.sec;
	}
	if (format_statistics(block, &statistics) == 0)
		use_options(statistics.options);
	sink += pktfs_block_type_name(record->type) != NULL;
	if (!record->options_size)
		return;
	use_options((struct pktfs_options){
		.bytes = block.bytes + record->options_at,
		.size = record->options_size,
		.big_endian = record->big_endian,
	});
}

static void check(const struct format_record *record, uint64_t left)
{
	if (record->length < 12 || record->length % 4 || record->length > left)
		abort();
	if (record->class == RECORD_PACKET &&
	    record->data_at + (uint64_t)record->captured > record->length - 4)
		abort();
	if (record->options_size &&
	    (uint64_t)record->options_at + record->options_size != record->length - 4)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct format format;
	struct format_walk walk;
	struct format_record record;
	struct pktfs_error error;
	uint64_t offset;

	if (format_open(&format, cursor_over(data, MIN(size, FORMAT_HEAD_SIZE), false), &error) < 0)
		return 0;
	if (format.kind != FORMAT_PCAPNG)
		return 0;
	format_walk_start(&walk, &format);
	for (offset = 0; offset < size; offset += record.length) {
		struct cursor window = cursor_over(data + offset, size - offset, false);

		if (format_step(&walk, window, offset, &record, NULL, &error) < 0)
			break;
		check(&record, window.left);
		use_block(cursor_over(window.bytes, (size_t)record.length, record.big_endian),
			  &record);
		if (record.class == RECORD_PACKET && record.captured)
			sink += window.bytes[record.data_at + record.captured - 1];
	}
	return 0;
}
