/*
 * The list of refused rows: found by all three coordinates, forgotten once
 * stored, and bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "refusals.h"

static Refusals refusals;

static int
set_up(void **state)
{
	(void) state;
	memset(&refusals, 0, sizeof(refusals));
	return 0;
}

static void
found_by_its_coordinates(void **state)
{
	(void) state;
	assert_true(refusals_add(&refusals, "London", 1, 10, "why"));
	assert_string_equal(refusals_find(&refusals, "London", 1, 10), "why");
	assert_null(refusals_find(&refusals, "London", 1, 11));
	assert_null(refusals_find(&refusals, "London", 2, 10));
	assert_null(refusals_find(&refusals, "NYC", 1, 10));
}

static void
forgotten_below_a_stored_position(void **state)
{
	(void) state;
	refusals_add(&refusals, "London", 1, 10, "a");
	refusals_add(&refusals, "London", 1, 20, "b");
	refusals_add(&refusals, "London", 2, 10, "c");
	refusals_add(&refusals, "NYC", 1, 10, "d");
	refusals_forget(&refusals, "London", 1, 20);
	assert_null(refusals_find(&refusals, "London", 1, 10));
	assert_non_null(refusals_find(&refusals, "London", 1, 20));
	assert_non_null(refusals_find(&refusals, "London", 2, 10));
	assert_non_null(refusals_find(&refusals, "NYC", 1, 10));
	refusals_forget(&refusals, "London", 1, 21);
	assert_int_equal(refusals.count, 2);
}

static void
bounded_in_number_and_length(void **state)
{
	char		detail[2 * REFUSAL_DETAIL_BYTES];

	(void) state;
	memset(detail, 'd', sizeof(detail));
	detail[sizeof(detail) - 1] = '\0';
	for (int64_t i = 0; i < REFUSALS_MAX; i++)
		assert_true(refusals_add(&refusals, "London", 0, i, detail));
	assert_false(refusals_add(&refusals, "London", 0, REFUSALS_MAX, detail));
	assert_int_equal(strlen(refusals_find(&refusals, "London", 0, 0)),
					 REFUSAL_DETAIL_BYTES - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(found_by_its_coordinates, set_up),
		cmocka_unit_test_setup(forgotten_below_a_stored_position, set_up),
		cmocka_unit_test_setup(bounded_in_number_and_length, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
