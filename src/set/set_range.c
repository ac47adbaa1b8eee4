/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet numbers as `editcap -r` takes them: A-B, A-, -B, A, and lists with
 * commas. An end above the last packet is no error.
 */
#include <string.h>

#include "set_predicate.h"

struct interval {
	uint64_t first, last;
};

struct range {
	size_t count;
	struct interval intervals[];
};

/* Digits at *at, which is moved behind them; false when there are none or
 * they are no number of 64 bits. */
static bool number(const char **at, uint64_t *ret)
{
	const char *start = *at;

	for (*ret = 0; **at >= '0' && **at <= '9'; (*at)++)
		if (!mul_ok(*ret, (uint64_t)10, ret) ||
		    !add_ok(*ret, (uint64_t)(**at - '0'), ret))
			return false;
	return *at > start;
}

static bool interval(const char **at, struct interval *ret)
{
	bool first = number(at, &ret->first), last;

	if (**at != '-') {
		ret->last = ret->first;
		return first && ret->first > 0;
	}
	(*at)++;
	last = number(at, &ret->last);
	if (!first)
		ret->first = 1;
	if (!last)
		ret->last = UINT64_MAX;
	return (first || last) && ret->first > 0 && ret->first <= ret->last;
}

static int refuse(const char *expression, const char *at, struct pktfs_error *ret_error)
{
	return error_at(ret_error, -EINVAL, (uint64_t)(at - expression),
			"range: found '%.40s'; accepted A-B, A-, -B or A, from 1 on, A not above "
			"B, and lists of them with commas", expression);
}

static int range_open(pktfs_capture *capture, const char *expression, void **ret_state,
		      struct pktfs_error *ret_error)
{
	const char *at = expression, *comma;
	size_t room = 1;
	struct range *range;

	(void)capture;
	for (comma = expression; (comma = strchr(comma, ',')); comma++)
		room++;
	range = calloc(1, sizeof(*range) + room * sizeof(range->intervals[0]));
	if (!range)
		return error_set(ret_error, -ENOMEM, "no memory");
	do {
		if (!interval(&at, &range->intervals[range->count++]) || (*at && *at != ',')) {
			free(range);
			return refuse(expression, at, ret_error);
		}
	} while (*at++ == ',');
	*ret_state = range;
	return 0;
}

static int range_matches(void *state, void *scratch, const struct pktfs_packet *packet)
{
	const struct range *range = state;
	size_t i;

	(void)scratch;
	for (i = 0; i < range->count; i++)
		if (packet->number >= range->intervals[i].first &&
		    packet->number <= range->intervals[i].last)
			return 1;
	return 0;
}

static enum set_bound range_bound(void *state, const struct pktfs_span *span)
{
	const struct range *range = state;
	size_t i;

	for (i = 0; i < range->count; i++)
		if (span->last >= range->intervals[i].first &&
		    span->first <= range->intervals[i].last)
			return BOUND_SOME;
	return BOUND_NONE;
}

const struct set_predicate set_range_predicate = {
	.open = range_open,
	.close = free,
	.matches = range_matches,
	.bound = range_bound,
};
