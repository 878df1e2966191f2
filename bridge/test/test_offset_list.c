/*
 * Lists of partitions with an offset.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "offset_list.h"

static void
finds_and_sorts(void **state)
{
	OffsetList	list = {0};
	OffsetList	copy = {0};

	(void) state;
	assert_null(offset_list_find(&list, "NYC", 0));
	offset_list_sort(&list);
	assert_true(offset_list_add(&list, "NYC", 10, 1));
	assert_true(offset_list_add(&list, "NYC", 9, 2));
	assert_true(offset_list_add(&list, "London", 10, 3));
	/* bytewise, as COLLATE "C": capitals first */
	assert_true(offset_list_add(&list, "amsterdam", 0, 4));
	offset_list_sort(&list);
	assert_int_equal(list.items[0].offset, 3);
	assert_int_equal(list.items[1].offset, 2);
	assert_int_equal(list.items[2].offset, 1);
	assert_int_equal(list.items[3].offset, 4);
	assert_int_equal(offset_list_find(&list, "NYC", 9)->offset, 2);
	assert_null(offset_list_find(&list, "NYC", 8));
	assert_null(offset_list_find(&list, "London", 9));
	assert_true(offset_list_has_topic(&list, "London"));
	assert_false(offset_list_has_topic(&list, "Tokyo"));
	memcpy(list.items[3].topic_id, "KUcmI4xVQvupp2HIXo1jKQ", TOPIC_ID_BYTES - 1);
	assert_true(offset_list_copy(&copy, &list));
	offset_list_clear(&list);
	assert_int_equal(list.count, 0);
	assert_int_equal(copy.count, 4);
	assert_int_equal(copy.items[3].offset, 4);
	assert_string_equal(copy.items[3].topic_id, "KUcmI4xVQvupp2HIXo1jKQ");
	assert_string_equal(copy.items[2].topic_id, "");
	offset_list_free(&list);
	offset_list_free(&copy);
}

static void
grows(void **state)
{
	OffsetList	list = {0};

	(void) state;
	for (int32_t i = 0; i < 1000; i++)
		assert_true(offset_list_add(&list, "London", 999 - i, i));
	offset_list_sort(&list);
	for (int32_t i = 0; i < 1000; i++)
		assert_int_equal(list.items[i].partition, i);
	offset_list_free(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_and_sorts),
		cmocka_unit_test(grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
