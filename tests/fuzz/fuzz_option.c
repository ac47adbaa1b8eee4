/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options, and names of link types. The first byte chooses the byte order and
 * a code, the rest is the list.
 */
#include "format/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sink;

static uint64_t numbers(const struct pktfs_options *options, const struct pktfs_option *option)
{
	uint64_t sum = 0;

	if (option->length >= 2)
		sum += pktfs_option_u16(options, option);
	if (option->length >= 4)
		sum += pktfs_option_u32(options, option);
	if (option->length >= 8)
		sum += pktfs_option_u64(options, option);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pktfs_options options, rest;
	struct pktfs_option option;
	char name[64] = "";

	if (!size)
		return 0;
	options = (struct pktfs_options){
		.bytes = data + 1,
		.size = size - 1,
		.big_endian = data[0] & 1,
	};
	rest = options;
	while (pktfs_option_next(&rest, &option) > 0) {
		if (option.value < data + 1 || option.length > size ||
		    option.value + option.length > data + size)
			abort();
		for (size_t i = 0; i < option.length; i++)
			sink += option.value[i];
		sink += numbers(&options, &option);
	}
	if (rest.size || pktfs_option_next(&rest, &option) != 0)
		abort();
	for (unsigned index = 0; index < 3; index++)
		sink += (uint64_t)pktfs_option_find(options, data[0] >> 1, index, &option);
	memcpy(name, data, MIN(size, sizeof(name) - 1));
	sink += (uint64_t)pktfs_linktype_by_name(name);
	return 0;
}
