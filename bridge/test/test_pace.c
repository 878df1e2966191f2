/*
 * Tests of the pace: exact at one message in two seconds and at ten million a
 * second, after years too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pace.h"

#define START_NS INT64_C(5000000000123)
#define MS INT64_C(1000000)
#define YEAR_SECONDS INT64_C(31536000)

static void
the_first_message_is_due_at_once(void **state)
{
	const Pace	pace = {1, 2, START_NS};

	(void) state;
	assert_true(pace_due(&pace, START_NS) == 1);
	assert_int_equal(pace_wait_ms(&pace, 0, START_NS, 100), 0);
}

/* The demo's pause of two seconds. */
static void
slow_messages_are_evenly_spaced(void **state)
{
	const Pace	pace = {1, 2, START_NS};

	(void) state;
	assert_true(pace_due(&pace, START_NS + 1999 * MS) == 1);
	assert_true(pace_due(&pace, START_NS + 2000 * MS) == 2);
	assert_true(pace_due(&pace, START_NS + 5999 * MS) == 3);
	assert_int_equal(pace_wait_ms(&pace, 1, START_NS, 5000), 2000);
	assert_int_equal(pace_wait_ms(&pace, 1, START_NS + 1, 5000), 2000);
	assert_int_equal(pace_wait_ms(&pace, 1, START_NS + 1999 * MS, 5000), 1);
	assert_int_equal(pace_wait_ms(&pace, 3, START_NS, 100), 100);
}

static void
fast_messages_come_in_slices(void **state)
{
	const Pace	pace = {200000, 1, START_NS};

	(void) state;
	assert_true(pace_due(&pace, START_NS + MS) == 201);
	assert_true(pace_due(&pace, START_NS + 1000 * MS) == 200001);
	assert_int_equal(pace_wait_ms(&pace, 201, START_NS + MS, 100), 1);
	assert_int_equal(pace_wait_ms(&pace, 200, START_NS + MS, 100), 0);
}

static void
odd_rates_are_exact(void **state)
{
	const Pace	pace = {3, 1, START_NS};

	(void) state;
	assert_true(pace_due(&pace, START_NS + 333 * MS) == 1);
	assert_true(pace_due(&pace, START_NS + 334 * MS) == 2);
	assert_true(pace_due(&pace, START_NS + 667 * MS) == 3);
	assert_true(pace_due(&pace, START_NS + 3600 * 1000 * MS) == 10801);
}

/* The sanitizer watches for overflow. */
static void
years_do_not_overflow(void **state)
{
	const Pace	fast = {10000000, 1, START_NS};
	const Pace	slow = {1, 86400, START_NS};
	int64_t		later_ns = START_NS + 100 * YEAR_SECONDS * PACE_NS_PER_SECOND;

	(void) state;
	assert_true(pace_due(&fast, later_ns) ==
				(uint64_t) (100 * YEAR_SECONDS) * 10000000 + 1);
	assert_true(pace_due(&slow, later_ns) == 36501);
	assert_int_equal(pace_wait_ms(&fast, (uint64_t) (100 * YEAR_SECONDS) *
								  10000000 + 1, later_ns, 100), 1);
}

/* Whoever waits as told is not told to wait again, nor spins. */
static void
waiting_makes_the_next_message_due(void **state)
{
	static const int64_t rates[] = {1, 3, 7, 999, 1000, 1001, 200000};

	(void) state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
	{
		const Pace	pace = {rates[i], 1, START_NS};
		int64_t		now_ns = START_NS;

		for (uint64_t made = 1; made < 5000; made++)
		{
			int			wait_ms = pace_wait_ms(&pace, made, now_ns, 100000);

			if (wait_ms == 0)
				continue;
			now_ns += wait_ms * MS;
			assert_true(pace_due(&pace, now_ns) > made);
		}
	}
}

static void
without_a_rate_all_is_due(void **state)
{
	const Pace	pace = {0, 0, START_NS};

	(void) state;
	assert_true(pace_due(&pace, START_NS) == UINT64_MAX);
	assert_int_equal(pace_wait_ms(&pace, 1000000, START_NS, 100), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_message_is_due_at_once),
		cmocka_unit_test(slow_messages_are_evenly_spaced),
		cmocka_unit_test(fast_messages_come_in_slices),
		cmocka_unit_test(odd_rates_are_exact),
		cmocka_unit_test(years_do_not_overflow),
		cmocka_unit_test(waiting_makes_the_next_message_due),
		cmocka_unit_test(without_a_rate_all_is_due),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
