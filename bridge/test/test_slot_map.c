/*
 * From topic handle and partition to the slot that is being fetched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "slot_map.h"

static char london_handle;
static char nyc_handle;

static void
numbers_what_is_fetched(void **state)
{
	SlotMap		map = {0};
	OffsetList	list = {0};
	const char *london;
	const char *nyc;

	(void) state;
	london = slot_map_topic(&map, "London")->name;
	nyc = slot_map_topic(&map, "NYC")->name;
	slot_map_topic(&map, "London")->handle = &london_handle;
	slot_map_topic(&map, "NYC")->handle = &nyc_handle;
	assert_int_equal(map.topic_count, 2);
	assert_int_equal(slot_map_find(&map, &london_handle, 0), SLOT_MAP_NONE);

	offset_list_add(&list, london, 2, 0);
	offset_list_add(&list, nyc, 0, 0);
	offset_list_add(&list, nyc, 7, 0);
	assert_true(slot_map_assign(&map, &list));
	for (int round = 0; round < 2; round++)
	{
		assert_int_equal(slot_map_find(&map, &london_handle, 2), 0);
		assert_int_equal(slot_map_find(&map, &nyc_handle, 0), 1);
		assert_int_equal(slot_map_find(&map, &nyc_handle, 7), 2);
		assert_int_equal(slot_map_find(&map, &nyc_handle, 7), 2);
		/* not fetched, unheard of, nonsense */
		assert_int_equal(slot_map_find(&map, &nyc_handle, 2), SLOT_MAP_NONE);
		assert_int_equal(slot_map_find(&map, &nyc_handle, 8), SLOT_MAP_NONE);
		assert_int_equal(slot_map_find(&map, &london_handle, 0),
						 SLOT_MAP_NONE);
		assert_int_equal(slot_map_find(&map, &map, 0), SLOT_MAP_NONE);
		assert_int_equal(slot_map_find(&map, NULL, 0), SLOT_MAP_NONE);
		assert_int_equal(slot_map_find(&map, &nyc_handle, -1), SLOT_MAP_NONE);
	}

	/* the next assignment: the latest answer no longer holds */
	assert_int_equal(slot_map_find(&map, &nyc_handle, 7), 2);
	offset_list_clear(&list);
	offset_list_add(&list, nyc, 7, 0);
	assert_true(slot_map_assign(&map, &list));
	assert_int_equal(slot_map_find(&map, &nyc_handle, 7), 0);
	assert_int_equal(slot_map_find(&map, &nyc_handle, 0), SLOT_MAP_NONE);
	assert_int_equal(slot_map_find(&map, &london_handle, 2), SLOT_MAP_NONE);

	offset_list_add(&list, "a topic that is not in the map", 0, 0);
	assert_false(slot_map_assign(&map, &list));
	offset_list_free(&list);
	slot_map_free(&map);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_what_is_fetched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
