/*
 * Tests of the random messages: the sequence POSIX fixes, and the limits of
 * what is made of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "in_range.h"
#include "synthetic.h"

static void
assert_messages(int64_t seed, int64_t accounts, int64_t max_amount,
				const char *const *expected)
{
	Synthetic	synthetic;
	SyntheticMessage message;

	synthetic_init(&synthetic, seed, accounts, max_amount);
	for (; *expected != NULL; expected++)
	{
		synthetic_next(&synthetic, &message);
		assert_string_equal(message.text, *expected);
		assert_int_equal(message.bytes, strlen(*expected));
		assert_int_equal(message.key_bytes, strcspn(*expected, " "));
	}
}

/*
 * Computed in Python from the generator's definition in POSIX,
 * X' = (0x5DEECE66D X + 0xB) mod 2^48, with the seed as X.
 */
static void
same_seed_same_messages(void **state)
{
	(void) state;
	assert_messages(1, 1000, 9999, (const char *const[])
					{"872 375 7943", "364 309 9453", "156 525 5602",
					"931 352 215", NULL});
	assert_messages(42, SYNTHETIC_MAXIMUM, SYNTHETIC_MAXIMUM - 1,
					(const char *const[])
					{"1977330696 1139605636 885000658",
					"1180189117 507957255 1565667426", NULL});
	assert_messages(-1, 2, 0, (const char *const[])
					{"0 1 0", "1 0 0", "1 0 0", "1 0 0", NULL});
}

static void
seeds_differ(void **state)
{
	SyntheticMessage first;
	SyntheticMessage other;
	Synthetic	synthetic;

	(void) state;
	synthetic_init(&synthetic, 7, 1000000, 999999);
	synthetic_next(&synthetic, &first);
	/* by a low bit, and by one above the 48 of the generator's state */
	synthetic_init(&synthetic, 8, 1000000, 999999);
	synthetic_next(&synthetic, &other);
	assert_string_not_equal(first.text, other.text);
	synthetic_init(&synthetic, 7 + (INT64_C(1) << 60), 1000000, 999999);
	synthetic_next(&synthetic, &other);
	assert_string_not_equal(first.text, other.text);
}

/* The demo's limits: accounts 0 to 999, amounts 0 to 9999, never to itself. */
static void
all_values_occur_and_no_others(void **state)
{
	Synthetic	synthetic;
	SyntheticMessage message;
	unsigned	sources[1000] = {0};
	unsigned	targets[1000] = {0};
	unsigned	amounts[10000] = {0};

	(void) state;
	synthetic_init(&synthetic, 3, 1000, 9999);
	for (int i = 0; i < 400000; i++)
	{
		unsigned	source;
		unsigned	target;
		unsigned	amount;
		char		rest;

		synthetic_next(&synthetic, &message);
		assert_int_equal(sscanf(message.text, "%u %u %u%c", &source, &target,
								&amount, &rest), 3);
		assert_true(source < 1000 && target < 1000 && amount < 10000);
		assert_int_not_equal(source, target);
		sources[source]++;
		targets[target]++;
		amounts[amount]++;
	}
	/* 400 expected, 20 is the standard deviation */
	for (int i = 0; i < 1000; i++)
	{
		assert_uint_in_range(sources[i], 280, 520);
		assert_uint_in_range(targets[i], 280, 520);
	}
	for (int i = 0; i < 10000; i++)
		assert_uint_in_range(amounts[i], 5, 90);
}

static void
picks_stay_below_their_count(void **state)
{
	Synthetic	synthetic;
	unsigned	picks[5] = {0};

	(void) state;
	synthetic_init(&synthetic, 5, 2, 0);
	for (int i = 0; i < 5000; i++)
	{
		assert_int_equal(synthetic_pick(&synthetic, 1), 0);
		picks[synthetic_pick(&synthetic, 5)]++;
	}
	for (int i = 0; i < 5; i++)
		assert_uint_in_range(picks[i], 800, 1200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_same_messages),
		cmocka_unit_test(seeds_differ),
		cmocka_unit_test(all_values_occur_and_no_others),
		cmocka_unit_test(picks_stay_below_their_count),
	};

	return cmocka_run_group_tests_name("synthetic", tests, NULL, NULL);
}
