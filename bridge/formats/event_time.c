/*
 * Counts are read digit by digit: whole units, then as many decimals as make
 * microseconds.
 */
#include "event_time.h"

#include <assert.h>
#include <string.h>

#include "time_spec.h"

static const struct
{
	const char *name;
	int64_t		us;				/* 0 for what is no count */
}			units[TIME_UNITS] = {
	[TIME_UNIT_ISO] = {"iso", 0},
	[TIME_UNIT_SECONDS] = {"s", 1000000},
	[TIME_UNIT_MS] = {"ms", 1000},
	[TIME_UNIT_US] = {"us", 1}
};

static bool read_count(const char *text, size_t length, int64_t unit_us,
					   int64_t *us, const char **fault);
static bool is_digit(const char *text, size_t length, size_t at);

TimeUnit
time_unit_of(const char *name)
{
	int			unit = 0;

	while (unit < TIME_UNITS - 1 && strcmp(units[unit].name, name) != 0)
		unit++;
	assert(strcmp(units[unit].name, name) == 0);
	return (TimeUnit) unit;
}

bool
event_time_read(TimeUnit unit, const char *text, size_t length, int64_t *us,
				const char **fault)
{
	if (unit != TIME_UNIT_ISO)
		return read_count(text, length, units[unit].us, us, fault);
	*fault = "the time is not a date or time of ISO 8601, such as 2026-11-24T08:15:30.250Z";
	return time_spec_parse_moment(text, length, us);
}

int64_t
event_time_ms(const EventTime *time)
{
	return time->us / 1000 - (time->us % 1000 < 0);
}

static bool
read_count(const char *text, size_t length, int64_t unit_us, int64_t *us,
		   const char **fault)
{
	int64_t		sign = length > 0 && text[0] == '-' ? -1 : 1;
	size_t		start = sign < 0 ? 1 : 0;
	size_t		at = start;
	int64_t		count = 0;

	*fault = "the time is too far from 1970";
	for (; is_digit(text, length, at); at++)
		if (__builtin_mul_overflow(count, 10, &count) ||
			__builtin_add_overflow(count, sign * (text[at] - '0'), &count))
			return false;
	if (__builtin_mul_overflow(count, unit_us, &count))
		return false;
	*fault = "the time is not a number with or without decimals";
	if (at == start)
		return false;
	if (at < length && text[at] == '.')
	{
		if (!is_digit(text, length, ++at))
			return false;
		for (; is_digit(text, length, at); at++)
		{
			unit_us /= 10;
			if (__builtin_add_overflow(count,
									   sign * unit_us * (text[at] - '0'),
									   &count))
				return false;
		}
	}
	if (at < length && (text[at] == 'e' || text[at] == 'E'))
		*fault = "the time has an exponent";
	*us = count;
	return at == length;
}

static bool
is_digit(const char *text, size_t length, size_t at)
{
	return at < length && text[at] >= '0' && text[at] <= '9';
}
