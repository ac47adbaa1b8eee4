/* SPDX-License-Identifier: BSD-2-Clause */
#include "util_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct timespec time_deadline(clockid_t clock, int64_t nsec)
{
	struct timespec when;

	clock_gettime(clock, &when);
	when.tv_sec += nsec / TIME_NSEC_PER_SEC;
	when.tv_nsec += nsec % TIME_NSEC_PER_SEC;
	if (when.tv_nsec >= (long)TIME_NSEC_PER_SEC) {
		when.tv_nsec -= (long)TIME_NSEC_PER_SEC;
		when.tv_sec++;
	}
	return when;
}

struct pktfs_time time_difference(struct pktfs_time later, struct pktfs_time earlier)
{
	struct pktfs_time ret;

	if (__builtin_sub_overflow(later.sec, earlier.sec, &ret.sec))
		return (struct pktfs_time){.sec = later.sec < 0 ? INT64_MIN : INT64_MAX};
	if (later.nsec >= earlier.nsec) {
		ret.nsec = later.nsec - earlier.nsec;
	} else {
		ret.nsec = later.nsec + TIME_NSEC_PER_SEC - earlier.nsec;
		ret.sec -= ret.sec != INT64_MIN;
	}
	return ret;
}

/* Days since the epoch to year, month and day of the Gregorian calendar,
 * in eras of 400 years that begin on 1 March. */
static void civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = yoe + era * 400 + (*month <= 2);
}

bool time_from_date(int64_t year, int64_t month, int64_t day, int64_t *ret)
{
	static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	int64_t y, era, yoe, doy;

	if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > lengths[month - 1] + (leap && month == 2))
		return false;
	y = year - (month <= 2);
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	*ret = (era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468) * 86400;
	return true;
}

static size_t put(char text[TIME_TEXT_ROOM], int length)
{
	(void)text;
	return (size_t)MIN(MAX(length, 0), TIME_TEXT_ROOM - 1);
}

static void put_digits(char *at, unsigned count, uint64_t number)
{
	while (count--) {
		at[count] = (char)('0' + number % 10);
		number /= 10;
	}
}

size_t time_format(struct pktfs_time time, char text[TIME_TEXT_ROOM])
{
	static const char form[] = "0000-00-00T00:00:00.000000000Z";
	int64_t days = time.sec / 86400, second = time.sec % 86400, year;
	int month, day;

	if (second < 0) {
		second += 86400;
		days--;
	}
	civil_from_days(days, &year, &month, &day);
	if (year < 0 || year > 9999)
		return time_format_seconds(time, text);
	memcpy(text, form, sizeof(form));
	put_digits(text, 4, (uint64_t)year);
	put_digits(text + 5, 2, (uint64_t)month);
	put_digits(text + 8, 2, (uint64_t)day);
	put_digits(text + 11, 2, (uint64_t)second / 3600);
	put_digits(text + 14, 2, (uint64_t)second / 60 % 60);
	put_digits(text + 17, 2, (uint64_t)second % 60);
	put_digits(text + 20, 9, time.nsec);
	return sizeof(form) - 1;
}

size_t time_format_seconds(struct pktfs_time time, char text[TIME_TEXT_ROOM])
{
	int64_t sec = time.sec;
	uint32_t nsec = time.nsec;
	bool negative = sec < 0;
	uint64_t magnitude = negative ? -(uint64_t)sec : (uint64_t)sec;

	if (negative && nsec) { /* -1 s + 0.25 s is written -0.75 */
		magnitude--;
		nsec = TIME_NSEC_PER_SEC - nsec;
	}
	return put(text, snprintf(text, TIME_TEXT_ROOM, "%s%" PRIu64 ".%09" PRIu32,
				  negative ? "-" : "", magnitude, nsec));
}
