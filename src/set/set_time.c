/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packets of a span of time: FROM..TO, either end optional, in UTC, as
 * `editcap -A FROM -B TO` selects them: FROM <= time < TO. One point alone is
 * the day, hour, minute or second that it names. Packets without a time are in
 * no span.
 *
 * A point in time is ISO 8601, extended or basic, as short as one likes:
 *	2026-11-21T10:32:07.5  2026-11-21 10:32  20261121T1040  2026-11-21
 * or seconds since 1970 with an @: @1795257127.25
 */
#include <ctype.h>
#include <string.h>

#include "set_predicate.h"
#include "util/util_time.h"

struct span {
	struct pktfs_time from, to;
};

/* A point, and how long what it names is: a day, ... a second; 0: a fraction. */
struct point {
	struct pktfs_time time;
	int64_t seconds;
};

static bool digits(const char **at, unsigned count, int64_t *ret)
{
	*ret = 0;
	while (count--) {
		if (!isdigit((unsigned char)**at))
			return false;
		*ret = *ret * 10 + (*(*at)++ - '0');
	}
	return true;
}

/* ".5", up to nine digits; none is right, too. */
static bool fraction(const char **at, uint32_t *ret)
{
	uint32_t unit = TIME_NSEC_PER_SEC;

	*ret = 0;
	if (**at != '.' && **at != ',')
		return true;
	if ((*at)[0] == '.' && ((*at)[1] == '.' || !(*at)[1])) /* the dots of a span */
		return true;
	for ((*at)++; isdigit((unsigned char)**at); (*at)++) {
		unit /= 10;
		*ret += unit * (uint32_t)(**at - '0');
	}
	return unit < TIME_NSEC_PER_SEC;
}

/* `mark` where the extended form has it; the basic form goes without. */
static void skip(const char **at, char mark)
{
	if (**at == mark)
		(*at)++;
}

static bool clock_time(const char **at, struct point *point)
{
	int64_t hour, minute = 0, second = 0;

	if (!digits(at, 2, &hour))
		return false;
	point->seconds = 3600;
	if (**at == ':' || isdigit((unsigned char)**at)) {
		skip(at, ':');
		if (!digits(at, 2, &minute))
			return false;
		point->seconds = 60;
		if (**at == ':' || isdigit((unsigned char)**at)) {
			skip(at, ':');
			if (!digits(at, 2, &second) || !fraction(at, &point->time.nsec))
				return false;
			point->seconds = point->time.nsec ? 0 : 1;
		}
	}
	point->time.sec += hour * 3600 + minute * 60 + second;
	return hour < 24 && minute < 60 && second < 61;
}

static bool seconds(const char **at, struct pktfs_time *ret)
{
	bool negative = **at == '-';
	const char *start;

	skip(at, '-');
	for (start = *at; isdigit((unsigned char)**at); (*at)++)
		if (!mul_ok(ret->sec, (int64_t)10, &ret->sec) ||
		    !add_ok(ret->sec, (int64_t)(**at - '0'), &ret->sec))
			return false;
	if (*at == start || !fraction(at, &ret->nsec))
		return false;
	if (negative)
		ret->sec = -ret->sec;
	if (negative && ret->nsec) {
		ret->sec--;
		ret->nsec = TIME_NSEC_PER_SEC - ret->nsec;
	}
	return true;
}

static bool point(const char **at, struct point *ret)
{
	int64_t year, month = 1, day = 1;

	*ret = (struct point){.seconds = 86400};
	if (**at == '@') {
		(*at)++;
		ret->seconds = 1;
		return seconds(at, &ret->time);
	}
	if (!digits(at, 4, &year))
		return false;
	skip(at, '-');
	if (!digits(at, 2, &month))
		return false;
	skip(at, '-');
	if (!digits(at, 2, &day) || !time_from_date(year, month, day, &ret->time.sec))
		return false;
	if (**at == 'T' || **at == 't' || **at == ' ' || **at == '_') {
		(*at)++;
		if (!clock_time(at, ret))
			return false;
	}
	skip(at, 'Z');
	return true;
}

/* False: *at is where it is wrong. */
static bool parse(const char **at, struct span *ret)
{
	struct point from = {.time.sec = INT64_MIN}, to;

	ret->to = (struct pktfs_time){.sec = INT64_MAX, .nsec = TIME_NSEC_PER_SEC};
	if (**at != '.' && !point(at, &from))
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
		if (!point(at, &to) || **at)
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
