/*
 * Alerts as lines: the demo's, JSON and CSV, which are written by hand here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "alert_format.h"

static const Alert pair = {
	.values = {
		[ALERT_ID] = "7",
		[ALERT_RULE] = "default",
		[ALERT_STATE] = "open",
		[ALERT_SOURCE_ACCOUNT] = "a\"b,\\\x1B",
		[ALERT_TARGET_ACCOUNT] = "J\xC3\xBCrgen\n",
		/* no double has all of these digits */
		[ALERT_TOTAL] = "12345678901234567890.123456789",
		[ALERT_TRANSACTIONS] = "9007199254740993",
		[ALERT_THRESHOLD] = "8000.00",
		[ALERT_RAISED_AT] = "2025-03-05T15:00:00Z",
	}
};

static const Alert account = {
	.values = {
		[ALERT_ID] = "8",
		[ALERT_RULE] = "spent, \"a day\"",
		[ALERT_STATE] = "open",
		[ALERT_ACCOUNT] = "516",
		[ALERT_TOTAL] = "0.9874",
		[ALERT_TRANSACTIONS] = "10",
		[ALERT_THRESHOLD] = "0.9",
		[ALERT_LEVEL] = "0",
		[ALERT_WINDOW_START] = "2025-03-04T15:00:00Z",
		[ALERT_WINDOW_END] = "2025-03-05T15:00:00Z",
		[ALERT_RAISED_AT] = "2025-03-05T15:00:00.25Z",
		[ALERT_ESCALATED_AT] = "2025-03-05T16:00:00Z",
		[ALERT_ASSIGNED_TO] = "",
	}
};

/* With what comes before it, if wanted. */
static void
assert_written(const char *name, bool begin, const Alert *alert,
			   bool coloured, const char *expected)
{
	const AlertFormat *format = alert_format_of(name);
	char	   *written = NULL;
	size_t		bytes;
	FILE	   *out = open_memstream(&written, &bytes);

	assert_non_null(format);
	assert_non_null(out);
	if (begin)
		alert_format_begin(format, out);
	assert_true(alert_format_write(format, alert, coloured, out));
	assert_int_equal(fclose(out), 0);
	assert_string_equal(written, expected);
	free(written);
}

static void
text_is_the_line_of_the_demo(void **state)
{
	(void) state;
	assert_written("text", true, &account, false, "POTENTIAL MONEY "
				   "LAUNDERING: 516 totalling 0.9874 now \n");
	assert_written("text", true, &account, true, "\033[31;1mPOTENTIAL MONEY "
				   "LAUNDERING:\033[0m 516 totalling 0.9874 now \n");
	assert_written("text", true, &pair, false, "POTENTIAL MONEY LAUNDERING: "
				   "a\"b,\\\\\\x1B -> J\xC3\xBCrgen\\x0A totalling "
				   "12345678901234567890.123456789 now \n");
}

static void
json_is_an_object_with_exact_numbers(void **state)
{
	(void) state;
	assert_written("json", true, &pair, true,
				   "{\"alert_id\":7,\"rule\":\"default\",\"state\":\"open\","
				   "\"source_account\":\"a\\\"b,\\\\\\u001B\","
				   "\"target_account\":\"J\xC3\xBCrgen\\n\","
				   "\"account\":null,"
				   "\"total\":12345678901234567890.123456789,"
				   "\"transactions\":9007199254740993,"
				   "\"threshold\":8000.00,\"level\":null,"
				   "\"window_start\":null,\"window_end\":null,"
				   "\"raised_at\":\"2025-03-05T15:00:00Z\","
				   "\"escalated_at\":null,\"assigned_to\":null}\n");
}

static void
csv_has_a_header_and_quotes_what_is_there(void **state)
{
	(void) state;
	assert_written("csv", true, &account, true,
				   "\"alert_id\",\"rule\",\"state\",\"source_account\","
				   "\"target_account\",\"account\",\"total\","
				   "\"transactions\",\"threshold\",\"level\","
				   "\"window_start\",\"window_end\",\"raised_at\","
				   "\"escalated_at\",\"assigned_to\"\n"
				   "\"8\",\"spent, \"\"a day\"\"\",\"open\",,,\"516\","
				   "\"0.9874\",\"10\",\"0.9\",\"0\","
				   "\"2025-03-04T15:00:00Z\","
				   "\"2025-03-05T15:00:00Z\","
				   "\"2025-03-05T15:00:00.25Z\","
				   "\"2025-03-05T16:00:00Z\",\"\"\n");
}

static void
there_are_no_other_formats(void **state)
{
	(void) state;
	assert_null(alert_format_of("xml"));
	assert_null(alert_format_of(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_the_line_of_the_demo),
		cmocka_unit_test(json_is_an_object_with_exact_numbers),
		cmocka_unit_test(csv_has_a_header_and_quotes_what_is_there),
		cmocka_unit_test(there_are_no_other_formats)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
