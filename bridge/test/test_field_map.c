/*
 * Mappings as users write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "field_map.h"

static void
reads_mappings(void **state)
{
	FieldMap	map;
	char		errstr[256];

	(void) state;
	assert_true(field_map_parse(&map, "amount=c,source=a,target=b", errstr,
								sizeof(errstr)));
	assert_string_equal(map.places[FIELD_SOURCE], "a");
	assert_string_equal(map.places[FIELD_TARGET], "b");
	assert_string_equal(map.places[FIELD_AMOUNT], "c");
	assert_null(map.places[FIELD_TIME]);
	assert_null(map.places[FIELD_CURRENCY]);
	assert_null(map.places[FIELD_REFERENCE]);
	field_map_free(&map);

	assert_true(field_map_parse(&map, "source=x=y,target=a\\,b,amount=\\\\,"
								"time=t\\=,reference=r r,currency=.\\",
								errstr, sizeof(errstr)));
	assert_string_equal(map.places[FIELD_SOURCE], "x=y");
	assert_string_equal(map.places[FIELD_TARGET], "a\\,b");
	assert_string_equal(map.places[FIELD_AMOUNT], "\\\\");
	assert_string_equal(map.places[FIELD_TIME], "t\\=");
	assert_string_equal(map.places[FIELD_REFERENCE], "r r");
	field_map_unescape(map.places[FIELD_TARGET]);
	assert_string_equal(map.places[FIELD_TARGET], "a,b");
	field_map_unescape(map.places[FIELD_AMOUNT]);
	assert_string_equal(map.places[FIELD_AMOUNT], "\\");
	/* nothing is behind it to be taken apart */
	field_map_unescape(map.places[FIELD_CURRENCY]);
	assert_string_equal(map.places[FIELD_CURRENCY], ".\\");
	field_map_free(&map);
}

static void
refuses_what_is_no_mapping(void **state)
{
	static const char *const cases[][2] = {
		{"", "\"\""},
		{"source", "\"source\""},
		{"source=", "\"source\""},
		{"source=a,target=b", "lacks the place of amount"},
		{"target=a,amount=b", "lacks the place of source"},
		{"source=a,target=b,amount=c,", "\"\""},
		{"source=a,target=b,amount=c,source=d", "source twice"},
		{"source=a,target=b,amount=c,city=d", "\"city\""},
		{"Source=a,target=b,amount=c", "\"Source\""},
		{" source=a,target=b,amount=c", "\" source\""},
		{"source=a\\,target=b,amount=c", "lacks the place of target"},
	};
	char		errstr[256];

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		FieldMap	map;

		assert_false(field_map_parse(&map, cases[i][0], errstr,
									 sizeof(errstr)));
		if (strstr(errstr, cases[i][1]) == NULL)
			fail_msg("\"%s\": %s", cases[i][0], errstr);
		field_map_free(&map);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_mappings),
		cmocka_unit_test(refuses_what_is_no_mapping),
	};

	return cmocka_run_group_tests_name("field_map", tests, NULL, NULL);
}
