/*
 * Text in pieces: cut where the buffer ends, counted to the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "text_buffer.h"

static void
pieces_are_joined(void **state)
{
	char		text[64];
	TextBuffer	buffer = text_buffer_of(text, sizeof(text));

	(void) state;
	assert_string_equal(text, "");
	text_buffer_add(&buffer, "%s %d", "one", 2);
	text_buffer_add(&buffer, " three");
	assert_string_equal(text, "one 2 three");
	assert_int_equal(buffer.used, 11);
	assert_true(text_buffer_is_whole(&buffer));
}

static void
what_does_not_fit_is_counted(void **state)
{
	char		text[8] = "xxxxxxx";
	TextBuffer	buffer = text_buffer_of(text, 6);

	(void) state;
	text_buffer_add(&buffer, "12345");
	assert_true(text_buffer_is_whole(&buffer));
	text_buffer_add(&buffer, "6");
	assert_false(text_buffer_is_whole(&buffer));
	text_buffer_add(&buffer, "789");
	text_buffer_add_quoted(&buffer, "\n");
	assert_string_equal(text, "12345");
	assert_int_equal(text[6], 'x');
	assert_int_equal(buffer.used, 13);
}

static void
quotes_are_escaped(void **state)
{
	char		text[64];
	TextBuffer	buffer = text_buffer_of(text, sizeof(text));

	(void) state;
	text_buffer_add_quoted(&buffer, "");
	text_buffer_add_quoted(&buffer, "a\"b\\c\nd %s");
	assert_string_equal(text, "\"\"\"a\\\"b\\\\c\\nd %s\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_joined),
		cmocka_unit_test(what_does_not_fit_is_counted),
		cmocka_unit_test(quotes_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
