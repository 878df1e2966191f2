/*
 * When a partition trips: on the dead letter that is one too many among its
 * latest offsets, counted again by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "breaker.h"

static Breaker breaker;

static int
tear_down(void **state)
{
	(void) state;
	breaker_free(&breaker);
	return 0;
}

/* Dead letters at all offsets from `from` on; where it trips, or `to`. */
static int64_t
note_until_tripped(size_t slot, int64_t from, int64_t to)
{
	for (int64_t offset = from; offset < to; offset++)
	{
		if (breaker_trips(&breaker, slot, offset))
			return offset;
		assert_true(breaker_note(&breaker, slot, offset));
	}
	return to;
}

static void
nothing_but_dead_letters_trips(void **state)
{
	(void) state;
	breaker_set(&breaker, 100, 20);
	assert_true(breaker_start(&breaker, 2));
	assert_int_equal(note_until_tripped(0, 7, 1000), 27);
	/* again and again on the same one, and not in another partition */
	assert_true(breaker_trips(&breaker, 0, 27));
	assert_false(breaker_trips(&breaker, 1, 27));
	assert_int_equal(note_until_tripped(1, 500, 1000), 520);
}

/* The window holds the present offset and the 99 before it. */
static void
old_dead_letters_do_not_count(void **state)
{
	(void) state;
	breaker_set(&breaker, 100, 2);
	assert_true(breaker_start(&breaker, 1));
	assert_true(breaker_note(&breaker, 0, 1000));
	assert_true(breaker_note(&breaker, 0, 1050));
	assert_true(breaker_trips(&breaker, 0, 1099));
	assert_false(breaker_trips(&breaker, 0, 1100));
	assert_true(breaker_note(&breaker, 0, 1100));
	assert_true(breaker_trips(&breaker, 0, 1149));
	assert_false(breaker_trips(&breaker, 0, 1150));
}

/* One in five is 20 % exactly, which is allowed. */
static void
as_many_as_are_allowed_never_trip(void **state)
{
	(void) state;
	breaker_set(&breaker, 100, 20);
	assert_true(breaker_start(&breaker, 1));
	for (int64_t offset = 0; offset < 10000; offset += 5)
	{
		assert_false(breaker_trips(&breaker, 0, offset));
		assert_true(breaker_note(&breaker, 0, offset));
	}
	assert_true(breaker_trips(&breaker, 0, 9996));
}

static void
the_bounds_are_all_and_none(void **state)
{
	(void) state;
	breaker_set(&breaker, 10, 100);
	assert_false(breaker_remembers(&breaker));
	assert_true(breaker_start(&breaker, 1));
	assert_int_equal(note_until_tripped(0, 0, 1000), 1000);
	breaker_set(&breaker, 10, 0);
	assert_false(breaker_remembers(&breaker));
	assert_true(breaker_start(&breaker, 1));
	assert_int_equal(note_until_tripped(0, 3, 1000), 3);
	/* 99 % of one offset is none */
	breaker_set(&breaker, 1, 99);
	assert_true(breaker_start(&breaker, 1));
	assert_int_equal(note_until_tripped(0, 3, 1000), 3);
}

static void
a_start_forgets(void **state)
{
	(void) state;
	breaker_set(&breaker, 10, 50);
	assert_true(breaker_start(&breaker, 1));
	assert_int_equal(note_until_tripped(0, 0, 1000), 5);
	assert_true(breaker_start(&breaker, 3));
	assert_int_equal(note_until_tripped(0, 5, 1000), 10);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_but_dead_letters_trips),
		TEST(old_dead_letters_do_not_count),
		TEST(as_many_as_are_allowed_never_trip),
		TEST(the_bounds_are_all_and_none),
		TEST(a_start_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
