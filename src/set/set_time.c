/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packets of a span of time: FROM..TO, either end optional, in UTC, as
 * `editcap -A FROM -B TO` selects them: FROM <= time < TO. One point alone is
 * the day, hour, minute or second that it names. Packets without a time are in
 * no span. util_point.h says how a point is written.
 */
#include "set_predicate.h"
#include "util/util_point.h"
#include "util/util_time.h"

struct span {
	struct pktfs_time from, to;
};

/* False: *at is where it is wrong. */
static bool parse(const char **at, struct span *ret)
{
	struct time_point from = {.time.sec = INT64_MIN}, to;

	ret->to = (struct pktfs_time){.sec = INT64_MAX, .nsec = TIME_NSEC_PER_SEC};
	if (**at != '.' && !time_point_take(at, &from))
		return false;
	ret->from = from.time;
	if (!**at && from.seconds) { /* a period */
		ret->to = from.time;
		return add_ok(from.time.sec, from.seconds, &ret->to.sec);
	}
	if ((*at)[0] != '.' || (*at)[1] != '.')
		return false;
	*at += 2;
	if (**at) {
		if (!time_point_take(at, &to) || **at)
			return false;
		ret->to = to.time;
	}
	return true;
}

static int time_open(pktfs_capture *capture, const char *expression, void **ret_state,
		     struct pktfs_error *ret_error)
{
	const char *at = expression;
	struct span *span = malloc(sizeof(*span));

	(void)capture;
	if (!span)
		return error_set(ret_error, -ENOMEM, "no memory");
	if (!parse(&at, span)) {
		free(span);
		return error_at(ret_error, -EINVAL, (uint64_t)(at - expression),
				"time: found '%.40s'; accepted FROM..TO with times such as "
				"2026-11-21T10:32:07.5 or 20261121T1032, either end optional", at);
	}
	*ret_state = span;
	return 0;
}

static int time_matches(void *state, void *scratch, const struct pktfs_packet *packet)
{
	const struct span *span = state;

	(void)scratch;
	return packet->has_time && time_compare(packet->time, span->from) >= 0 &&
	       time_compare(packet->time, span->to) < 0;
}

/* The times of a capture need not be in order, but those of a checkpoint are
 * known. They are saturated, and so is the comparison. */
static enum set_bound time_bound(void *state, const struct pktfs_span *packets)
{
	const struct span *span = state;

	if (!packets->has_time || packets->max_ns < time_to_ns(span->from) ||
	    packets->min_ns > time_to_ns(span->to))
		return BOUND_NONE;
	return BOUND_SOME;
}

const struct set_predicate set_time_predicate = {
	.open = time_open,
	.close = free,
	.matches = time_matches,
	.bound = time_bound,
};
