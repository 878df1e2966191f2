/*
 * Times, durations and ranges.  Milliseconds come from PostgreSQL 15:
 * SELECT extract(epoch FROM timestamptz '..') * 1000.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "time_spec.h"

#define NOW_MS INT64_C(1795508100123)	/* 2026-11-24 08:15:00.123 */
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

static char errstr[256];

static int64_t
moment(const char *text)
{
	TimeSpec	spec;

	if (!time_spec_parse(text, &spec, errstr, sizeof(errstr)))
		fail_msg("\"%s\": %s", text, errstr);
	return time_spec_resolve(&spec, NOW_MS);
}

static void
reads_moments(void **state)
{
	(void) state;
	assert_int_equal(moment("1970-01-01"), 0);
	assert_int_equal(moment("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(moment("2026-11-24"), INT64_C(1795478400000));
	assert_int_equal(moment("2026-11-24T08:15"), INT64_C(1795508100000));
	assert_int_equal(moment("2026-11-24 08:15:00"), INT64_C(1795508100000));
	assert_int_equal(moment("2026-11-24T08:15:00.123Z"), NOW_MS);
	assert_int_equal(moment("2026-11-24T09:15:00.123+01:00"), NOW_MS);
	assert_int_equal(moment("2026-11-24T02:45:00.123-05:30"), NOW_MS);
	assert_int_equal(moment("2026-11-24T08:15:00.1"),
					 INT64_C(1795508100100));
	assert_int_equal(moment("2000-02-29"), INT64_C(951782400000));
	assert_int_equal(moment("2024-02-29"), INT64_C(1709164800000));
	assert_int_equal(moment("1969-12-31T23:59:59.999"), -1);
	assert_int_equal(moment("1900-03-01"), INT64_C(-2203891200000));
	assert_int_equal(moment("0001-01-01"), INT64_C(-62135596800000));
	assert_int_equal(moment("9999-12-31T23:59:59.999"),
					 INT64_C(253402300799999));
}

static void
reads_relative_moments(void **state)
{
	(void) state;
	assert_int_equal(moment("now"), NOW_MS);
	assert_int_equal(moment("-7d"), NOW_MS - 7 * DAY_MS);
	assert_int_equal(moment("+1h"), NOW_MS + HOUR_MS);
	assert_int_equal(moment("-90s"), NOW_MS - 90000);
	assert_int_equal(moment("-2w"), NOW_MS - 14 * DAY_MS);
	assert_int_equal(moment("+250ms"), NOW_MS + 250);
	assert_int_equal(moment("-15m"), NOW_MS - 15 * 60000);
}

static void
refuses_what_is_no_time(void **state)
{
	static const char *const texts[] = {
		"", " ", "yesterday", "2026", "2026-11", "2026-13-01", "2026-00-01",
		"2026-11-31", "2026-11-00", "2023-02-29", "1900-02-29", "0000-01-01",
		"26-11-24", "2026-11-24T", "2026-11-24T8:15", "2026-11-24T24:00",
		"2026-11-24T08:60", "2026-11-24T08:15:60", "2026-11-24T08:15:00.",
		"2026-11-24T08:15:00.1234", "2026-11-24T08:15Zx",
		"2026-11-24T08:15+01", "2026-11-24T08:15+19:00", "2026-11-24x",
		"-", "+", "-7", "7d", "-0d", "-7y", "-d", "- 7d", "-7dd", "--7d",
		"-99999999999999999999d", "-9223372036854775807w", "earliest",
		"1795508100123", "now ", "-1.5h"
	};

	(void) state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		TimeSpec	spec = {true, 42};

		errstr[0] = '\0';
		if (time_spec_parse(texts[i], &spec, errstr, sizeof(errstr)))
			fail_msg("\"%s\" is taken for a time", texts[i]);
		assert_non_null(strstr(errstr, texts[i]));
		assert_int_equal(spec.ms, 42);
	}
}

static void
reads_durations(void **state)
{
	int64_t		ms;

	(void) state;
	assert_true(time_spec_parse_duration("250ms", &ms, errstr, 256));
	assert_int_equal(ms, 250);
	assert_true(time_spec_parse_duration("1d", &ms, errstr, 256));
	assert_int_equal(ms, DAY_MS);
	assert_false(time_spec_parse_duration("-1d", &ms, errstr, 256));
	assert_false(time_spec_parse_duration("1", &ms, errstr, 256));
	assert_false(time_spec_parse_duration("0s", &ms, errstr, 256));
	assert_false(time_spec_parse_duration("", &ms, errstr, 256));
}

static void
reads_ranges(void **state)
{
	TimeRange	range;

	(void) state;
	assert_true(time_spec_parse_range("-7d..+1h", &range, errstr, 256));
	assert_int_equal(time_spec_resolve(&range.from, NOW_MS),
					 NOW_MS - 7 * DAY_MS);
	assert_int_equal(time_spec_resolve(&range.to, NOW_MS), NOW_MS + HOUR_MS);
	assert_true(time_spec_parse_range("2020-01-01..", &range, errstr, 256));
	assert_int_equal(range.from.ms, INT64_C(1577836800000));
	assert_int_equal(range.to.ms, INT64_MAX);
	assert_true(time_spec_parse_range("..now", &range, errstr, 256));
	assert_int_equal(time_spec_resolve(&range.from, NOW_MS), INT64_MIN);
	assert_int_equal(time_spec_resolve(&range.to, NOW_MS), NOW_MS);
	assert_true(time_spec_parse_range("..", &range, errstr, 256));
	assert_true(time_spec_parse_range("2020-01-01..2020-01-01", &range,
									  errstr, 256));
}

static void
refuses_what_is_no_range(void **state)
{
	static const char *const texts[] = {
		"", "-7d", "-7d...+1h", "-7d.+1h", "x..y", "-7d..y", "x..+1h",
		"2021-01-01..2020-01-01", "-1d..-2d"
	};

	(void) state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		TimeRange	range;

		if (time_spec_parse_range(texts[i], &range, errstr, sizeof(errstr)))
			fail_msg("\"%s\" is taken for a range", texts[i]);
	}
}

static void
reads_start_points(void **state)
{
	StartPoint	start;

	(void) state;
	assert_true(time_spec_parse_start("earliest", &start, errstr, 256));
	assert_int_equal(start.kind, START_EARLIEST);
	assert_true(time_spec_parse_start("latest", &start, errstr, 256));
	assert_int_equal(start.kind, START_LATEST);
	assert_true(time_spec_parse_start("-1h", &start, errstr, 256));
	assert_int_equal(start.kind, START_AT_TIME);
	assert_int_equal(time_spec_resolve(&start.time, NOW_MS),
					 NOW_MS - HOUR_MS);
	assert_false(time_spec_parse_start("newest", &start, errstr, 256));
	assert_false(time_spec_parse_start("", &start, errstr, 256));
}

static void
relative_moments_saturate(void **state)
{
	const TimeSpec past = {true, -DAY_MS};
	const TimeSpec future = {true, DAY_MS};

	(void) state;
	assert_int_equal(time_spec_resolve(&past, INT64_MIN + 5), INT64_MIN);
	assert_int_equal(time_spec_resolve(&future, INT64_MAX - 5), INT64_MAX);
}

static void
days_are_rounded_down(void **state)
{
	(void) state;
	assert_int_equal(time_spec_day(0), 0);
	assert_int_equal(time_spec_day(DAY_MS - 1), 0);
	assert_int_equal(time_spec_day(DAY_MS), 1);
	assert_int_equal(time_spec_day(-1), -1);
	assert_int_equal(time_spec_day(-DAY_MS), -1);
	assert_int_equal(time_spec_day(-DAY_MS - 1), -2);
	assert_int_equal(time_spec_day(NOW_MS), 20781);
}

/* From 0001-01-01 to 9999-12-31, each day follows the one before. */
static void
days_have_dates(void **state)
{
	static const int lengths[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	int			year = 1,
				month = 1,
				day_of_month = 1;

	(void) state;
	for (int32_t day = -719162; day <= 2932896; day++)
	{
		int			y,
					m,
					d;
		bool		is_leap = (year % 4 == 0 && year % 100 != 0) ||
			year % 400 == 0;

		time_spec_civil(day, &y, &m, &d);
		if (y != year || m != month || d != day_of_month)
			fail_msg("day %d is %04d-%02d-%02d, not %04d-%02d-%02d", day,
					 y, m, d, year, month, day_of_month);
		if (++day_of_month >
			lengths[month - 1] + (month == 2 && is_leap ? 1 : 0))
		{
			day_of_month = 1;
			month = month == 12 ? 1 : month + 1;
			year += month == 1 ? 1 : 0;
		}
	}
	assert_int_equal(year, 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_moments),
		cmocka_unit_test(reads_relative_moments),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(reads_ranges),
		cmocka_unit_test(refuses_what_is_no_range),
		cmocka_unit_test(reads_start_points),
		cmocka_unit_test(relative_moments_saturate),
		cmocka_unit_test(days_are_rounded_down),
		cmocka_unit_test(days_have_dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
