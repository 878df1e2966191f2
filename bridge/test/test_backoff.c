/*
 * Delays between attempts, and how often the same trouble is reported.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backoff.h"
#include "in_range.h"

static void
delays_double_up_to_the_longest(void **state)
{
	static const int64_t delays[] = {
		100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000
	};
	Backoff		backoff;

	(void) state;
	for (uint64_t seed = 0; seed < 100; seed++)
	{
		backoff_init(&backoff, seed);
		for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++)
		{
			int64_t		delay = backoff_next(&backoff);

			assert_uint_in_range(delay, delays[i] / 2, delays[i]);
			assert_int_equal(backoff.attempts, i + 1);
		}
		backoff_reset(&backoff);
		assert_uint_in_range(backoff_next(&backoff), 50, 100);
	}
}

static void
seeds_give_other_delays(void **state)
{
	Backoff		one;
	Backoff		two;
	int			equal = 0;

	(void) state;
	backoff_init(&one, 1);
	backoff_init(&two, 2);
	for (int i = 0; i < 50; i++)
		equal += backoff_next(&one) == backoff_next(&two);
	assert_uint_in_range(equal, 0, 25);
}

static void
trouble_is_reported_on_change_and_every_minute(void **state)
{
	Backoff		backoff;

	(void) state;
	backoff_init(&backoff, 1);
	assert_true(backoff_is_news(&backoff, "a", 1000));
	assert_false(backoff_is_news(&backoff, "a", 1001));
	assert_false(backoff_is_news(&backoff, "a", 60999));
	assert_true(backoff_is_news(&backoff, "a", 61000));
	assert_false(backoff_is_news(&backoff, "a", 61001));
	assert_true(backoff_is_news(&backoff, "b", 61002));
	backoff_reset(&backoff);
	assert_true(backoff_is_news(&backoff, "b", 61003));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_double_up_to_the_longest),
		cmocka_unit_test(seeds_give_other_delays),
		cmocka_unit_test(trouble_is_reported_on_change_and_every_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
