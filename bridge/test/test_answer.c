/*
 * What a person may answer, and what is refused; times are computed by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "answer.h"

/* 2026-11-27T12:00:00Z */
#define NOW_MS INT64_C(1795780800000)

#define HOUR_MS INT64_C(3600000)

static const char *const words[] = {"[c]onfirm", "s[k]ip", "[q]uit"};

static void
a_word_is_meant_by_its_key_or_the_whole(void **state)
{
	(void) state;
	assert_int_equal(answer_word("c", words, 3), 0);
	assert_int_equal(answer_word(" C\t", words, 3), 0);
	assert_int_equal(answer_word("confirm", words, 3), 0);
	assert_int_equal(answer_word("k", words, 3), 1);
	assert_int_equal(answer_word("SKIP ", words, 3), 1);
	assert_int_equal(answer_word("quit", words, 3), 2);
}

static void
anything_else_is_no_word(void **state)
{
	const char *const others[] = {
		"", " ", "s", "con", "confirms", "[c]onfirm", "c c", "cq", "\xC3\xBC",
		"ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
	};

	(void) state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(answer_word(others[i], words, 3), 3);
}

static void
assert_until(const char *line, int64_t expected_ms)
{
	int64_t		until_ms = 0;
	char		errstr[128] = "";

	if (!answer_until(line, NOW_MS, &until_ms, errstr, sizeof(errstr)))
		fail_msg("\"%s\": %s", line, errstr);
	assert_true(until_ms == expected_ms);
}

static void
assert_no_time(const char *line, const char *why)
{
	int64_t		until_ms = 42;
	char		errstr[128] = "";

	assert_false(answer_until(line, NOW_MS, &until_ms, errstr,
							  sizeof(errstr)));
	assert_non_null(strstr(errstr, why));
	assert_int_equal(until_ms, 42);
}

static void
durations_count_from_now(void **state)
{
	(void) state;
	assert_until("2h", NOW_MS + 2 * HOUR_MS);
	assert_until(" 2 Hours ", NOW_MS + 2 * HOUR_MS);
	assert_until("3 days", NOW_MS + 72 * HOUR_MS);
	assert_until("3d", NOW_MS + 72 * HOUR_MS);
	assert_until("1 week", NOW_MS + 168 * HOUR_MS);
	assert_until("90 min", NOW_MS + 90 * HOUR_MS / 60);
	assert_until("+2h", NOW_MS + 2 * HOUR_MS);
}

static void
times_are_utc_unless_they_say_otherwise(void **state)
{
	(void) state;
	assert_until("2026-11-28", NOW_MS + 12 * HOUR_MS);
	assert_until("2026-11-27 14:30", NOW_MS + 5 * HOUR_MS / 2);
	assert_until("2026-11-27T14:30:00Z ", NOW_MS + 5 * HOUR_MS / 2);
	assert_until("2026-11-27T14:30+01:00", NOW_MS + 3 * HOUR_MS / 2);
}

static void
other_times_are_refused(void **state)
{
	(void) state;
	assert_no_time("", "is not 2h");
	assert_no_time("3", "is not 2h");
	assert_no_time("days", "is not 2h");
	assert_no_time("3 months", "is not 2h");
	assert_no_time("0 days", "is not 2h");
	assert_no_time("99999999999999999999 days", "is not 2h");
	assert_no_time("tomorrow", "is not 2h");
	assert_no_time("10:00", "is not 2h");
	assert_no_time("2026-02-30", "is not 2h");
	assert_no_time("now", "not in the future");
	assert_no_time("-1h", "not in the future");
	assert_no_time("2026-11-27T12:00:00Z", "not in the future");
	assert_no_time("9000000 days", "too far");
	assert_no_time("15000000000 weeks", "too far");
}

static void
notes_are_text(void **state)
{
	char		errstr[128];

	(void) state;
	assert_true(answer_is_note("", errstr, sizeof(errstr)));
	assert_true(answer_is_note("a payroll; J\xC3\xBCrgen's \"word\" \\",
							   errstr, sizeof(errstr)));
	assert_false(answer_is_note("J\xC3rgen", errstr, sizeof(errstr)));
	assert_non_null(strstr(errstr, "UTF-8"));
	assert_false(answer_is_note("a\x1B[A", errstr, sizeof(errstr)));
	assert_non_null(strstr(errstr, "control"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_meant_by_its_key_or_the_whole),
		cmocka_unit_test(anything_else_is_no_word),
		cmocka_unit_test(durations_count_from_now),
		cmocka_unit_test(times_are_utc_unless_they_say_otherwise),
		cmocka_unit_test(other_times_are_refused),
		cmocka_unit_test(notes_are_text)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
