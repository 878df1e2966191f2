/*
 * Times of fields, exact to the microsecond.  Expected numbers are what
 * `date -d TIME +%s` says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "event_time.h"

typedef struct Case
{
	TimeUnit	unit;
	const char *text;
	int64_t		us;
} Case;

static void
reads_times(void **state)
{
	static const Case cases[] = {
		{TIME_UNIT_SECONDS, "0", 0},
		{TIME_UNIT_SECONDS, "-0", 0},
		{TIME_UNIT_SECONDS, "1795508100", INT64_C(1795508100000000)},
		{TIME_UNIT_SECONDS, "1795508100.5", INT64_C(1795508100500000)},
		{TIME_UNIT_SECONDS, "1795508100.1234567", INT64_C(1795508100123456)},
		{TIME_UNIT_SECONDS, "001.000001", 1000001},
		{TIME_UNIT_SECONDS, "-1.5", -1500000},
		{TIME_UNIT_SECONDS, "9223372036854", INT64_C(9223372036854000000)},
		{TIME_UNIT_MS, "1795508100123", INT64_C(1795508100123000)},
		{TIME_UNIT_MS, "1795508100123.4569", INT64_C(1795508100123456)},
		{TIME_UNIT_US, "1795508100123456", INT64_C(1795508100123456)},
		{TIME_UNIT_US, "-9223372036854775808", INT64_MIN},
		{TIME_UNIT_US, "1.9", 1},
		{TIME_UNIT_ISO, "1970-01-01", 0},
		{TIME_UNIT_ISO, "1969-12-31T23:59:59.999999Z", -1},
		{TIME_UNIT_ISO, "2026-11-24T08:15", INT64_C(1795508100000000)},
		{TIME_UNIT_ISO, "2026-11-24 08:15:00.123456", INT64_C(1795508100123456)},
		{TIME_UNIT_ISO, "2026-11-24T08:15:00.123456789Z", INT64_C(1795508100123456)},
		{TIME_UNIT_ISO, "2026-11-24T08:15:00.1Z", INT64_C(1795508100100000)},
		{TIME_UNIT_ISO, "2026-11-24T09:45:00+01:30", INT64_C(1795508100000000)},
		{TIME_UNIT_ISO, "2026-11-24T03:15:00-0500", INT64_C(1795508100000000)},
		{TIME_UNIT_ISO, "2028-02-29T00:00:00Z", INT64_C(1835395200000000)},
	};
	const char *fault;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int64_t		us;

		if (!event_time_read(cases[i].unit, cases[i].text,
							 strlen(cases[i].text), &us, &fault))
			fail_msg("%s: %s", cases[i].text, fault);
		if (us != cases[i].us)
			fail_msg("%s: %lld", cases[i].text, (long long) us);
	}
}

static void
refuses_what_is_no_time(void **state)
{
	static const struct
	{
		TimeUnit	unit;
		const char *text;
		const char *fault;
	}			cases[] = {
		{TIME_UNIT_SECONDS, "", "not a number"},
		{TIME_UNIT_SECONDS, "-", "not a number"},
		{TIME_UNIT_SECONDS, "+5", "not a number"},
		{TIME_UNIT_SECONDS, "5.", "not a number"},
		{TIME_UNIT_SECONDS, ".5", "not a number"},
		{TIME_UNIT_SECONDS, "5 ", "not a number"},
		{TIME_UNIT_SECONDS, "1.5e9", "exponent"},
		{TIME_UNIT_SECONDS, "2E9", "exponent"},
		{TIME_UNIT_SECONDS, "1,5", "not a number"},
		{TIME_UNIT_SECONDS, "NaN", "not a number"},
		{TIME_UNIT_SECONDS, "2026-11-24", "not a number"},
		{TIME_UNIT_SECONDS, "9223372036855", "too far"},
		{TIME_UNIT_SECONDS, "99999999999999999999999999", "too far"},
		{TIME_UNIT_US, "9223372036854775808", "too far"},
		{TIME_UNIT_ISO, "1795508100", "ISO 8601"},
		{TIME_UNIT_ISO, "now", "ISO 8601"},
		{TIME_UNIT_ISO, "-1d", "ISO 8601"},
		{TIME_UNIT_ISO, "2026-02-29", "ISO 8601"},
		{TIME_UNIT_ISO, "2026-11-24T08:15:60Z", "ISO 8601"},
		{TIME_UNIT_ISO, "2026-11-24T24:00:00Z", "ISO 8601"},
		{TIME_UNIT_ISO, "2026-11-24T08:15:00.1234567890Z", "ISO 8601"},
		{TIME_UNIT_ISO, "24.11.2026", "ISO 8601"},
		{TIME_UNIT_ISO, "", "ISO 8601"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const char *fault = "";
		int64_t		us;

		if (event_time_read(cases[i].unit, cases[i].text,
							strlen(cases[i].text), &us, &fault))
			fail_msg("\"%s\" is taken for a time", cases[i].text);
		if (strstr(fault, cases[i].fault) == NULL)
			fail_msg("\"%s\": %s", cases[i].text, fault);
	}
}

static void
units_have_names(void **state)
{
	(void) state;
	assert_int_equal(time_unit_of("iso"), TIME_UNIT_ISO);
	assert_int_equal(time_unit_of("s"), TIME_UNIT_SECONDS);
	assert_int_equal(time_unit_of("ms"), TIME_UNIT_MS);
	assert_int_equal(time_unit_of("us"), TIME_UNIT_US);
	assert_string_equal(TIME_UNIT_NAMES, "iso|s|ms|us");
}

static void
milliseconds_are_rounded_down(void **state)
{
	(void) state;
	assert_int_equal(event_time_ms(&(EventTime) {true, 1999}), 1);
	assert_int_equal(event_time_ms(&(EventTime) {true, 0}), 0);
	assert_int_equal(event_time_ms(&(EventTime) {true, -1}), -1);
	assert_int_equal(event_time_ms(&(EventTime) {true, -1000}), -1);
	assert_int_equal(event_time_ms(&(EventTime) {true, -1001}), -2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_times),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(units_have_names),
		cmocka_unit_test(milliseconds_are_rounded_down),
	};

	return cmocka_run_group_tests_name("event_time", tests, NULL, NULL);
}
