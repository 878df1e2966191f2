/*
 * The steps of eight bytes see what single bytes would, wherever it lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "utf8.h"

#define LENGTH 20

static uint8_t *
text_with(size_t place, int byte)
{
	/* at its exact size, so that a sanitizer sees a read beyond it */
	uint8_t    *text = malloc(LENGTH);

	assert_non_null(text);
	memset(text, 'a', LENGTH);
	text[place] = (uint8_t) byte;
	return text;
}

static void
any_byte_anywhere_is_seen(void **state)
{
	(void) state;
	for (size_t place = 0; place < LENGTH; place++)
	{
		for (int byte = 0; byte < 256; byte++)
		{
			uint8_t    *text = text_with(place, byte);
			bool		is_valid = byte > 0 && byte < 0x80;

			assert_int_equal(utf8_valid_bytes(text, LENGTH),
							 is_valid ? LENGTH : place);
			if (byte != 0xC2)
				assert_int_equal(utf8_has_control(text, LENGTH),
								 byte < 0x20 || byte == 0x7F);
			free(text);
		}
	}
}

static void
controls_of_two_bytes_are_seen(void **state)
{
	(void) state;
	for (size_t place = 0; place + 1 < LENGTH; place++)
	{
		for (int second = 0x80; second < 0xC0; second++)
		{
			uint8_t    *text = text_with(place, 0xC2);

			text[place + 1] = (uint8_t) second;
			assert_int_equal(utf8_valid_bytes(text, LENGTH), LENGTH);
			assert_int_equal(utf8_has_control(text, LENGTH), second < 0xA0);
			free(text);
		}
	}
	assert_false(utf8_has_control((const uint8_t *) "", 0));
	assert_int_equal(utf8_valid_bytes((const uint8_t *) "", 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_byte_anywhere_is_seen),
		cmocka_unit_test(controls_of_two_bytes_are_seen),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
