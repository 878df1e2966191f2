/*
 * Arrays as text: what SELECT ARRAY[..]::text prints, with every text quoted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "array_text.h"

static void
writes_arrays(void **state)
{
	ArrayText	array = {0};

	(void) state;
	assert_string_equal(array_text_finish(&array), "{}");
	array_text_reset(&array);
	array_text_add_integer(&array, 0);
	array_text_add_integer(&array, INT64_MIN);
	array_text_add_null(&array);
	array_text_add_integer(&array, INT64_MAX);
	assert_string_equal(array_text_finish(&array),
						"{0,-9223372036854775808,NULL,9223372036854775807}");
	array_text_reset(&array);
	array_text_add_text(&array, "London");
	array_text_add_text(&array, "");
	array_text_add_text(&array, "NULL");
	array_text_add_text(&array, "a\"b\\c,{d}");
	assert_string_equal(array_text_finish(&array),
						"{\"London\",\"\",\"NULL\",\"a\\\"b\\\\c,{d}\"}");
	array_text_free(&array);
}

static void
grows(void **state)
{
	ArrayText	array = {0};

	(void) state;
	for (int i = 0; i < 10000; i++)
		array_text_add_integer(&array, 12345);
	assert_int_equal(strlen(array_text_finish(&array)), 10000 * 6 + 1);
	array_text_free(&array);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_arrays),
		cmocka_unit_test(grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
