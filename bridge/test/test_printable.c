/*
 * Nothing that commands a terminal, or forges what it shows, gets through; the
 * rest is as it was, cut between characters.  The texts are written by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "printable.h"

static void
assert_written(const char *text, size_t columns, const char *expected,
			   size_t taken)
{
	char	   *written = NULL;
	size_t		bytes;
	FILE	   *out = open_memstream(&written, &bytes);

	assert_non_null(out);
	assert_int_equal(printable_write(out, text, columns), taken);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(written, expected);
	free(written);
}

static void
what_is_harmless_stays(void **state)
{
	(void) state;
	assert_written("", PRINTABLE_ALL, "", 0);
	assert_written("516 / \"~", PRINTABLE_ALL, "516 / \"~", 8);
	assert_written("J\xC3\xBCrgen", PRINTABLE_ALL, "J\xC3\xBCrgen", 6);
	assert_written("\xE2\x82\xAC\xF0\x9F\x92\xB0", PRINTABLE_ALL,
				   "\xE2\x82\xAC\xF0\x9F\x92\xB0", 2);
	/* the first character behind C1 */
	assert_written("\xC2\xA0", PRINTABLE_ALL, "\xC2\xA0", 1);
}

static void
controls_are_written_out(void **state)
{
	(void) state;
	assert_written("a\x1B[2Jb", PRINTABLE_ALL, "a\\x1B[2Jb", 9);
	assert_written("\a\t\n\r\x7F", PRINTABLE_ALL,
				   "\\x07\\x09\\x0A\\x0D\\x7F", 20);
	/* C1: CSI in one character, and the last of them */
	assert_written("\xC2\x9B" "2J", PRINTABLE_ALL, "\\u009B2J", 8);
	assert_written("\xC2\x9F", PRINTABLE_ALL, "\\u009F", 6);
}

static void
what_is_not_seen_is_written_out(void **state)
{
	(void) state;
	/* right-to-left override, zero width space, line separator, isolate */
	assert_written("\xE2\x80\xAE" "1", PRINTABLE_ALL, "\\u202E1", 7);
	assert_written("\xE2\x80\x8B", PRINTABLE_ALL, "\\u200B", 6);
	assert_written("\xE2\x80\xA8", PRINTABLE_ALL, "\\u2028", 6);
	assert_written("\xE2\x81\xA6", PRINTABLE_ALL, "\\u2066", 6);
	assert_written("\xEF\xBB\xBF", PRINTABLE_ALL, "\\uFEFF", 6);
	/* Hangul fillers, a joiner, a selector, an annotation's anchor */
	assert_written("\xE3\x85\xA4\xEF\xBE\xA0", PRINTABLE_ALL,
				   "\\u3164\\uFFA0", 12);
	assert_written("\xCD\x8F\xEF\xB8\x8F\xEF\xBF\xB9", PRINTABLE_ALL,
				   "\\u034F\\uFE0F\\uFFF9", 18);
	/* a tag */
	assert_written("\xF3\xA0\x81\x81", PRINTABLE_ALL, "\\U000E0041", 10);
}

static void
what_is_written_out_cannot_be_forged(void **state)
{
	(void) state;
	assert_written("\\x1B\x1B", PRINTABLE_ALL, "\\\\x1B\\x1B", 9);
	assert_written("12345\\7", 6, "123...", 6);
	assert_written("12\\4567", 6, "12...", 5);
}

static void
what_is_no_utf8_is_written_out(void **state)
{
	(void) state;
	assert_written("a\x80z", PRINTABLE_ALL, "a\\x80z", 6);
	assert_written("\xC3", PRINTABLE_ALL, "\\xC3", 4);
	/* overlong ESC, and a surrogate */
	assert_written("\xC0\x9B", PRINTABLE_ALL, "\\xC0\\x9B", 8);
	assert_written("\xED\xA0\x80", PRINTABLE_ALL, "\\xED\\xA0\\x80", 12);
}

static void
it_is_cut_between_characters(void **state)
{
	(void) state;
	assert_written("123456", 6, "123456", 6);
	assert_written("1234567", 6, "123...", 6);
	assert_written("\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC", 5,
				   "\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC", 5);
	assert_written("\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC", 4,
				   "\xC3\xBC...", 4);
	/* one written out is not cut either */
	assert_written("a\x1B" "bcdefg", 8, "a\\x1B...", 8);
	assert_written("a\x1B" "bcdefg", 7, "a...", 4);
	/* no room for dots */
	assert_written("1234", 3, "123", 3);
	assert_written("1", 0, "", 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_harmless_stays),
		cmocka_unit_test(controls_are_written_out),
		cmocka_unit_test(what_is_not_seen_is_written_out),
		cmocka_unit_test(what_is_written_out_cannot_be_forged),
		cmocka_unit_test(what_is_no_utf8_is_written_out),
		cmocka_unit_test(it_is_cut_between_characters)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
