/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the payload of a packet is: the first two bytes are its link type, in
 * little-endian, the rest is the packet. The pieces must lie inside, in order,
 * and add up; and a shorter capture of the packet must not give more.
 */
#include <stdint.h>
#include <stdlib.h>

#include "set/set_payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct payload *payload, bool found, size_t captured)
{
	uint64_t sum = 0, end = 0;

	if (found != (payload->size > 0) || payload->count > PAYLOAD_PIECES)
		abort();
	for (unsigned i = 0; i < payload->count; i++) {
		const struct payload_piece *piece = &payload->pieces[i];

		if (!piece->size || piece->offset < end)
			abort();
		end = (uint64_t)piece->offset + piece->size;
		sum += piece->size;
	}
	if (end > captured || sum != payload->size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct payload whole, half;
	uint16_t link_type;
	bool found;

	if (size < 2 || size > UINT32_MAX)
		return 0;
	link_type = (uint16_t)(data[0] | data[1] << 8);
	data += 2;
	size -= 2;
	found = payload_find(link_type, data, (uint32_t)size, &whole);
	check(&whole, found, size);
	if (found && !payload_knows(link_type))
		abort();
	found = payload_find(link_type, data, (uint32_t)(size / 2), &half);
	check(&half, found, size / 2);
	if (half.size > whole.size)
		abort();
	return 0;
}
