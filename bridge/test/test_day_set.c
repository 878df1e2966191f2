/*
 * The set of days whose partition is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "day_set.h"

static DaySet set;

static void
holds_what_was_added(void **state)
{
	(void) state;
	day_set_clear(&set);
	assert_false(day_set_has(&set, 0));
	day_set_add(&set, 20781);
	day_set_add(&set, -5);
	day_set_add(&set, 20780);
	day_set_add(&set, 20781);
	assert_int_equal(set.count, 3);
	assert_true(day_set_has(&set, -5));
	assert_true(day_set_has(&set, 20780));
	assert_true(day_set_has(&set, 20781));
	assert_false(day_set_has(&set, 20779));
	assert_false(day_set_has(&set, 20782));
	day_set_clear(&set);
	assert_false(day_set_has(&set, 20781));
}

static void
forgets_all_when_full(void **state)
{
	(void) state;
	day_set_clear(&set);
	for (int32_t day = DAY_SET_MAX; day > 0; day--)
		day_set_add(&set, day);
	assert_int_equal(set.count, DAY_SET_MAX);
	for (int32_t day = 1; day <= DAY_SET_MAX; day++)
		assert_true(day_set_has(&set, day));
	/* no room is needed for what is there */
	day_set_add(&set, 7);
	assert_int_equal(set.count, DAY_SET_MAX);
	day_set_add(&set, 0);
	assert_int_equal(set.count, 1);
	assert_true(day_set_has(&set, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_what_was_added),
		cmocka_unit_test(forgets_all_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
