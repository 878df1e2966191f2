/*
 * Each kind of trouble is reported once in a while, and what was kept back is
 * counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "trouble.h"

static void
reports_each_kind_once_in_a_while(void **state)
{
	Trouble		trouble = {0};
	int64_t		suppressed = -1;

	(void) state;
	assert_true(trouble_is_due(&trouble, 1, 1000, &suppressed));
	assert_int_equal(suppressed, 0);
	assert_false(trouble_is_due(&trouble, 1, 1001, &suppressed));
	assert_true(trouble_is_due(&trouble, -2, 1001, &suppressed));
	assert_false(trouble_is_due(&trouble, 1, 1000 + TROUBLE_REPORT_MS - 1,
								&suppressed));
	assert_true(trouble_is_due(&trouble, 1, 1000 + TROUBLE_REPORT_MS,
							   &suppressed));
	assert_int_equal(suppressed, 2);
	assert_false(trouble_is_due(&trouble, -2, 1000 + TROUBLE_REPORT_MS,
								&suppressed));
}

static void
texts_have_codes_of_their_own(void **state)
{
	(void) state;
	assert_int_equal(trouble_code("a"), trouble_code("a"));
	assert_int_not_equal(trouble_code("a"), trouble_code("b"));
	assert_int_not_equal(trouble_code(""), trouble_code("a"));
}

static void
more_kinds_than_places_share_one(void **state)
{
	Trouble		trouble = {0};
	int64_t		suppressed;

	(void) state;
	for (int code = 0; code < 2 * TROUBLE_KINDS; code++)
		assert_true(trouble_is_due(&trouble, code, 1000, &suppressed));
	assert_int_equal(trouble.count, TROUBLE_KINDS);
	assert_false(trouble_is_due(&trouble, 0, 1001, &suppressed));
}

static void
what_is_over_is_news_again(void **state)
{
	Trouble		trouble = {0};
	int64_t		suppressed;

	(void) state;
	trouble_forget(&trouble, 1);
	assert_true(trouble_is_due(&trouble, 1, 1000, &suppressed));
	assert_true(trouble_is_due(&trouble, 2, 1000, &suppressed));
	trouble_forget(&trouble, 1);
	assert_true(trouble_is_due(&trouble, 1, 1001, &suppressed));
	assert_false(trouble_is_due(&trouble, 2, 1001, &suppressed));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_each_kind_once_in_a_while),
		cmocka_unit_test(texts_have_codes_of_their_own),
		cmocka_unit_test(more_kinds_than_places_share_one),
		cmocka_unit_test(what_is_over_is_news_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
