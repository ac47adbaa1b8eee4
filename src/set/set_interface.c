/* SPDX-License-Identifier: BSD-2-Clause */
/* The packets of one interface, by its number over the whole capture. */
#include "set_predicate.h"

#include "util/util_number.h"

static int interface_open(pktfs_capture *capture, const char *expression, void **ret_state,
			  struct pktfs_error *ret_error)
{
	struct pktfs_status status;
	uint64_t *state, number;

	if (!number_parse(expression, &number))
		return error_set(ret_error, -EINVAL, "interface: found '%.40s'; accepted a number",
				 expression);
	pktfs_status_get(capture, &status);
	if (number >= status.interfaces)
		return error_set(ret_error,
				 status.state == PKTFS_STATE_INDEXING ? -EAGAIN : -ENOENT,
				 "interface %.40s: there are %llu", expression,
				 (unsigned long long)status.interfaces);
	state = malloc(sizeof(*state));
	if (!state)
		return error_set(ret_error, -ENOMEM, "no memory");
	*state = number;
	*ret_state = state;
	return 0;
}

static int interface_matches(void *state, void *scratch, const struct pktfs_packet *packet)
{
	(void)scratch;
	return packet->interface == *(const uint64_t *)state;
}

const struct set_predicate set_interface_predicate = {
	.open = interface_open,
	.close = free,
	.matches = interface_matches,
};
