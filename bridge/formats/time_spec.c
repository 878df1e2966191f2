/*
 * Reads times, durations and ranges; the forms stand in time_spec.h.  Dates
 * are proleptic Gregorian, which is what PostgreSQL and Kafka's clients use.
 */
#include "time_spec.h"

#include <stdio.h>
#include <string.h>

#define US_PER_MS		INT64_C(1000)
#define MS_PER_SECOND	INT64_C(1000)
#define MS_PER_MINUTE	(60 * MS_PER_SECOND)
#define MS_PER_HOUR		(60 * MS_PER_MINUTE)
#define MS_PER_DAY		(24 * MS_PER_HOUR)

/* The days of 400 years, after which the calendar repeats. */
#define DAYS_PER_ERA	146097
/* Days from 0000-03-01, where an era begins, to 1970-01-01. */
#define DAYS_TO_EPOCH	719468

/* Decimals of a second that are read; those of microseconds count. */
#define CLOCK_DECIMALS	9

#define TIME_FORMS "a time like 2026-11-24T08:15:00Z, now, -7d or +1h"

static const struct
{
	const char *unit;
	int64_t		ms;
}			units[] = {
	{"ms", 1},
	{"s", MS_PER_SECOND},
	{"m", MS_PER_MINUTE},
	{"h", MS_PER_HOUR},
	{"d", MS_PER_DAY},
	{"w", 7 * MS_PER_DAY},
};

static bool read_duration(const char *text, size_t length, int64_t *ms);
static bool read_time(const char *text, size_t length, TimeSpec *spec);
static bool read_clock(const char **cursor, const char *end, int64_t *us);
static bool read_zone(const char **cursor, const char *end, int64_t *ms);
static bool read_number(const char **cursor, const char *end, int digits,
						int *value);
static bool take(const char **cursor, const char *end, char expected);
static bool is_date(int year, int month, int day_of_month);
static int64_t day_of_date(int year, int month, int day_of_month);

bool
time_spec_parse_duration(const char *text, int64_t *ms,
						 char *errstr, size_t errstr_size)
{
	if (read_duration(text, strlen(text), ms))
		return true;
	snprintf(errstr, errstr_size,
			 "\"%s\" is not a duration like 250ms, 90s, 15m, 1h, 7d or 2w",
			 text);
	return false;
}

bool
time_spec_parse(const char *text, TimeSpec *spec,
				char *errstr, size_t errstr_size)
{
	if (read_time(text, strlen(text), spec))
		return true;
	snprintf(errstr, errstr_size, "\"%s\" is not " TIME_FORMS, text);
	return false;
}

bool
time_spec_parse_range(const char *text, TimeRange *range,
					  char *errstr, size_t errstr_size)
{
	const char *dots = strstr(text, "..");
	TimeRange	parsed = {{false, INT64_MIN}, {false, INT64_MAX}};
	const char *to;

	if (dots == NULL)
	{
		snprintf(errstr, errstr_size, "\"%s\" is not a range FROM..TO", text);
		return false;
	}
	to = dots + 2;
	if ((dots > text &&
		 !read_time(text, (size_t) (dots - text), &parsed.from)) ||
		(*to != '\0' && !read_time(to, strlen(to), &parsed.to)))
	{
		snprintf(errstr, errstr_size,
				 "an end of \"%s\" is not " TIME_FORMS, text);
		return false;
	}
	if (parsed.from.relative == parsed.to.relative &&
		parsed.from.ms > parsed.to.ms)
	{
		snprintf(errstr, errstr_size, "\"%s\" ends before it begins", text);
		return false;
	}
	*range = parsed;
	return true;
}

bool
time_spec_parse_start(const char *text, StartPoint *start,
					  char *errstr, size_t errstr_size)
{
	StartPoint	parsed = {START_AT_TIME, {false, 0}};

	if (strcmp(text, "earliest") == 0)
		parsed.kind = START_EARLIEST;
	else if (strcmp(text, "latest") == 0)
		parsed.kind = START_LATEST;
	else if (!read_time(text, strlen(text), &parsed.time))
	{
		snprintf(errstr, errstr_size,
				 "\"%s\" is not earliest, latest or " TIME_FORMS, text);
		return false;
	}
	*start = parsed;
	return true;
}

int64_t
time_spec_resolve(const TimeSpec *spec, int64_t now_ms)
{
	int64_t		moment;

	if (!spec->relative)
		return spec->ms;
	if (__builtin_add_overflow(now_ms, spec->ms, &moment))
		return spec->ms < 0 ? INT64_MIN : INT64_MAX;
	return moment;
}

int32_t
time_spec_day(int64_t ms)
{
	int64_t		day = ms / MS_PER_DAY;

	if (ms % MS_PER_DAY < 0)
		day--;
	if (day < INT32_MIN)
		return INT32_MIN;
	return day > INT32_MAX ? INT32_MAX : (int32_t) day;
}

/*
 * Years are counted from March, so that the leap day is the last of a year
 * and the lengths of the months before it follow 153 days per five months.
 */
void
time_spec_civil(int32_t day, int *year, int *month, int *day_of_month)
{
	int64_t		shifted = (int64_t) day + DAYS_TO_EPOCH;
	int64_t		era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) /
		DAYS_PER_ERA;
	int			day_of_era = (int) (shifted - era * DAYS_PER_ERA);
	int			year_of_era = (day_of_era - day_of_era / 1460 +
							   day_of_era / 36524 - day_of_era / 146096) / 365;
	int			day_of_year = day_of_era -
		(365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int			month_from_march = (5 * day_of_year + 2) / 153;

	*day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	*month = month_from_march < 10 ? month_from_march + 3 :
		month_from_march - 9;
	*year = (int) (era * 400) + year_of_era + (*month <= 2 ? 1 : 0);
}

bool
time_spec_parse_moment(const char *text, size_t length, int64_t *us)
{
	const char *cursor = text;
	const char *end = text + length;
	int64_t		clock_us = 0;
	int64_t		zone_ms = 0;
	int			year,
				month,
				day_of_month;

	if (!read_number(&cursor, end, 4, &year) || !take(&cursor, end, '-') ||
		!read_number(&cursor, end, 2, &month) || !take(&cursor, end, '-') ||
		!read_number(&cursor, end, 2, &day_of_month) ||
		!is_date(year, month, day_of_month))
		return false;
	if (cursor < end &&
		((!take(&cursor, end, 'T') && !take(&cursor, end, ' ')) ||
		 !read_clock(&cursor, end, &clock_us) ||
		 !read_zone(&cursor, end, &zone_ms)))
		return false;
	if (cursor != end)
		return false;
	*us = (day_of_date(year, month, day_of_month) * MS_PER_DAY - zone_ms) *
		US_PER_MS + clock_us;
	return true;
}

static bool
read_duration(const char *text, size_t length, int64_t *ms)
{
	int64_t		count = 0;
	size_t		digits = 0;

	while (digits < length && text[digits] >= '0' && text[digits] <= '9')
	{
		if (__builtin_mul_overflow(count, 10, &count) ||
			__builtin_add_overflow(count, text[digits] - '0', &count))
			return false;
		digits++;
	}
	if (digits == 0 || count == 0)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].unit) == length - digits &&
			memcmp(units[i].unit, text + digits, length - digits) == 0)
			return !__builtin_mul_overflow(count, units[i].ms, ms);
	return false;
}

static bool
read_time(const char *text, size_t length, TimeSpec *spec)
{
	TimeSpec	parsed = {true, 0};

	if (length == 3 && memcmp(text, "now", 3) == 0)
		;						/* now is relative by nothing */
	else if (length > 0 && (text[0] == '-' || text[0] == '+'))
	{
		if (!read_duration(text + 1, length - 1, &parsed.ms))
			return false;
		if (text[0] == '-')
			parsed.ms = -parsed.ms;
	}
	else
	{
		int64_t		us;

		parsed.relative = false;
		if (!time_spec_parse_moment(text, length, &us) ||
			us % US_PER_MS != 0)
			return false;
		parsed.ms = us / US_PER_MS;
	}
	*spec = parsed;
	return true;
}

/* HH:MM, HH:MM:SS or HH:MM:SS.uuuuuunnn (one to nine decimals). */
static bool
read_clock(const char **cursor, const char *end, int64_t *us)
{
	int			hour,
				minute,
				second = 0,
				digit,
				weight = 100000;

	if (!read_number(cursor, end, 2, &hour) || !take(cursor, end, ':') ||
		!read_number(cursor, end, 2, &minute))
		return false;
	if (take(cursor, end, ':') && !read_number(cursor, end, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*us = (hour * MS_PER_HOUR + minute * MS_PER_MINUTE +
		   second * MS_PER_SECOND) * US_PER_MS;
	if (!take(cursor, end, '.'))
		return true;
	if (!read_number(cursor, end, 1, &digit))
		return false;
	for (int digits = 1;; digits++)
	{
		*us += digit * weight;
		weight /= 10;
		if (digits == CLOCK_DECIMALS || !read_number(cursor, end, 1, &digit))
			return true;
	}
}

/* Z, +HH:MM, -HHMM, or nothing for UTC; ms is what to subtract. */
static bool
read_zone(const char **cursor, const char *end, int64_t *ms)
{
	int			hour,
				minute;
	bool		west;

	if (*cursor == end || take(cursor, end, 'Z'))
		return true;
	west = take(cursor, end, '-');
	if ((!west && !take(cursor, end, '+')) ||
		!read_number(cursor, end, 2, &hour))
		return false;
	take(cursor, end, ':');
	if (!read_number(cursor, end, 2, &minute) || hour > 18 || minute > 59)
		return false;
	*ms = hour * MS_PER_HOUR + minute * MS_PER_MINUTE;
	if (west)
		*ms = -*ms;
	return true;
}

static bool
read_number(const char **cursor, const char *end, int digits, int *value)
{
	int			number = 0;

	if (end - *cursor < digits)
		return false;
	for (int i = 0; i < digits; i++)
	{
		char		digit = (*cursor)[i];

		if (digit < '0' || digit > '9')
			return false;
		number = number * 10 + (digit - '0');
	}
	*cursor += digits;
	*value = number;
	return true;
}

static bool
take(const char **cursor, const char *end, char expected)
{
	if (*cursor == end || **cursor != expected)
		return false;
	(*cursor)++;
	return true;
}

static bool
is_date(int year, int month, int day_of_month)
{
	static const int lengths[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	bool		is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (year < 1 || month < 1 || month > 12 || day_of_month < 1)
		return false;
	return day_of_month <= lengths[month - 1] + (month == 2 && is_leap);
}

/* Inverse of time_spec_civil, for years from 1 on. */
static int64_t
day_of_date(int year, int month, int day_of_month)
{
	int64_t		march_year = month <= 2 ? year - 1 : year;
	int64_t		era = march_year / 400;
	int64_t		year_of_era = march_year - era * 400;
	int64_t		month_from_march = month > 2 ? month - 3 : month + 9;
	int64_t		day_of_year = (153 * month_from_march + 2) / 5 +
		day_of_month - 1;

	return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 -
		year_of_era / 100 + day_of_year - DAYS_TO_EPOCH;
}
