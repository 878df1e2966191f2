/*
 * Versions of the extension that a program works with, and others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "extension_version.h"

static char errstr[256];

static bool
fits(const char *version)
{
	errstr[0] = '\0';
	return extension_version_fits(version, errstr, sizeof(errstr));
}

static void
takes_its_own_and_the_oldest(void **state)
{
	(void) state;
	assert_true(fits(FINTRANS_VERSION));
	assert_true(fits(EXTENSION_VERSION_OLDEST));
	assert_string_equal(errstr, "");
}

/* numbers are numbers: 10 is more than 2 */
static void
takes_later_ones_of_the_same_first_number(void **state)
{
	unsigned	first;
	char		version[32];

	(void) state;
	assert_int_equal(sscanf(FINTRANS_VERSION, "%u.", &first), 1);
	snprintf(version, sizeof(version), "%u.10.0", first);
	assert_true(fits(version));
	snprintf(version, sizeof(version), "%u.999.3.1", first);
	assert_true(fits(version));
	snprintf(version, sizeof(version), "%u.0.0", first + 1);
	assert_false(fits(version));
}

static void
refuses_others(void **state)
{
	static const char *const others[] = {
		"0.0.9", "0.0.99", "99.0.0", "", "0", "0.1", "unknown",
	};

	(void) state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(fits(others[i]));
}

static void
tells_all_versions(void **state)
{
	(void) state;
	assert_false(fits("99.1.0"));
	assert_non_null(strstr(errstr, "99.1.0"));
	assert_non_null(strstr(errstr, FINTRANS_VERSION));
	assert_non_null(strstr(errstr, EXTENSION_VERSION_OLDEST));
}

static void
tells_which_came_before(void **state)
{
	(void) state;
	assert_true(extension_version_is_before("0.1.0", "0.2.0"));
	assert_true(extension_version_is_before("0.1.99", "0.2.0"));
	assert_false(extension_version_is_before("0.2.0", "0.2.0"));
	assert_false(extension_version_is_before("0.10.0", "0.2.0"));
	assert_false(extension_version_is_before("1.0.0", "0.2.0"));
	assert_false(extension_version_is_before("unknown", "0.2.0"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_its_own_and_the_oldest),
		cmocka_unit_test(takes_later_ones_of_the_same_first_number),
		cmocka_unit_test(refuses_others),
		cmocka_unit_test(tells_all_versions),
		cmocka_unit_test(tells_which_came_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
