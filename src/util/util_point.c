/* SPDX-License-Identifier: BSD-2-Clause */
#include "util_point.h"

#include <ctype.h>
#include <string.h>

#include "util_time.h"

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

static bool clock_time(const char **at, struct time_point *point)
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

bool time_point_take(const char **at, struct time_point *ret)
{
	int64_t year, month = 1, day = 1;

	*ret = (struct time_point){.seconds = 86400};
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
