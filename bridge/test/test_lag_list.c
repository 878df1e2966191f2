/*
 * Lag, and since when a partition has stood still.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lag_list.h"

/* List two partitions of a topic with these positions and ends. */
static void
list_two(LagList *list, int64_t next_0, int64_t end_0, int64_t next_1,
		 int64_t end_1, int64_t now_ms)
{
	assert_true(lag_list_begin(list, 2));
	lag_list_add(list, "London", 0, next_0, end_0, now_ms);
	lag_list_add(list, "London", 1, next_1, end_1, now_ms);
	assert_int_equal(list->count, 2);
}

static void
lag_is_what_is_not_stored(void **state)
{
	LagList		list = {0};

	(void) state;
	list_two(&list, 3, 10, 7, 7, 1);
	assert_int_equal(lag_of(&list.items[0]), 7);
	assert_int_equal(lag_of(&list.items[1]), 0);
	/* an end that is older than the position, or not known */
	list_two(&list, 3, 2, 3, -1, 2);
	assert_int_equal(lag_of(&list.items[0]), 0);
	assert_int_equal(lag_of(&list.items[1]), 0);
	lag_list_free(&list);
}

static void
standing_still_begins_with_the_last_step(void **state)
{
	LagList		list = {0};

	(void) state;
	list_two(&list, 0, 0, 0, 5, 100);
	assert_int_equal(list.items[0].since_ms, 0);
	assert_int_equal(list.items[1].since_ms, 100);
	list_two(&list, 0, 1, 0, 9, 200);
	assert_int_equal(list.items[0].since_ms, 200);
	assert_int_equal(list.items[1].since_ms, 100);
	/* a step; caught up */
	list_two(&list, 0, 1, 5, 9, 300);
	assert_int_equal(list.items[0].since_ms, 200);
	assert_int_equal(list.items[1].since_ms, 300);
	list_two(&list, 1, 1, 5, 9, 400);
	assert_int_equal(list.items[0].since_ms, 0);
	assert_int_equal(list.items[1].since_ms, 300);
	lag_list_free(&list);
}

static void
a_position_that_is_looked_up_stays(void **state)
{
	LagList		list = {0};

	(void) state;
	list_two(&list, 4, 9, -1, 9, 100);
	assert_int_equal(lag_of(&list.items[1]), 0);
	list_two(&list, -1, 9, -1, 9, 200);
	assert_int_equal(list.items[0].next_offset, 4);
	assert_int_equal(list.items[0].since_ms, 100);
	lag_list_free(&list);
}

static void
partitions_are_known_by_name(void **state)
{
	LagList		list = {0};

	(void) state;
	list_two(&list, 1, 2, 3, 4, 100);
	assert_true(lag_list_begin(&list, 3));
	lag_list_add(&list, "Berlin", 1, 3, 4, 200);
	lag_list_add(&list, "London", 1, 3, 4, 200);
	lag_list_add(&list, "London", 0, 1, 2, 200);
	assert_int_equal(list.items[0].since_ms, 200);
	assert_int_equal(list.items[1].since_ms, 100);
	assert_int_equal(list.items[2].since_ms, 100);
	/* what was not listed is forgotten */
	assert_true(lag_list_begin(&list, 0));
	list_two(&list, 1, 2, 3, 4, 300);
	assert_int_equal(list.items[0].since_ms, 300);
	lag_list_free(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lag_is_what_is_not_stored),
		cmocka_unit_test(standing_still_begins_with_the_last_step),
		cmocka_unit_test(a_position_that_is_looked_up_stays),
		cmocka_unit_test(partitions_are_known_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
