/*
 * Offsets of a lane: never beyond what is committed and cleared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "influx_lane.h"

static void
begins_where_it_was_left(void **state)
{
	InfluxLane	lane;

	(void) state;
	assert_true(influx_lane_init(&lane, "London", 3, 100));
	/* kept in Kafka, first in PostgreSQL, and where to begin */
	const int64_t cases[][3] = {
		{-1, 0, 0}, {-1, 40, 40}, {70, 40, 70}, {10, 40, 40},
		{-1, -1, 100}, {100, 0, 100}, {130, 0, 130}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		influx_lane_begin(&lane, cases[i][0], cases[i][1]);
		assert_int_equal(lane.next, cases[i][2]);
		assert_int_equal(lane.sent, cases[i][2]);
		assert_true(lane.cleared <= lane.committed);
	}
	influx_lane_free(&lane);
}

static void
goes_no_further_than_committed(void **state)
{
	InfluxLane	lane;

	(void) state;
	assert_true(influx_lane_init(&lane, "London", 3, 100));
	influx_lane_begin(&lane, -1, 0);
	/* at first nothing is known of dead letters */
	assert_false(influx_lane_advance(&lane, 10));
	assert_true(influx_lane_wants_letters(&lane));
	lane.letters[0] = 3;
	lane.letters[1] = 5;
	influx_lane_take_letters(&lane, 2);
	assert_false(influx_lane_wants_letters(&lane));
	for (int64_t offset = 0; offset < 100; offset++)
	{
		assert_int_equal(influx_lane_is_letter(&lane, offset),
						 offset == 3 || offset == 5);
		assert_true(influx_lane_advance(&lane, offset + 1));
	}
	assert_false(influx_lane_advance(&lane, 101));
	assert_int_equal(lane.next, 100);

	/* a batch without dead letters, and one that may have some */
	influx_lane_commit(&lane, 110, false);
	assert_true(influx_lane_advance(&lane, 105));
	influx_lane_commit(&lane, 120, true);
	assert_false(influx_lane_wants_letters(&lane));
	assert_true(influx_lane_advance(&lane, 200));
	assert_int_equal(lane.next, 110);
	assert_true(influx_lane_wants_letters(&lane));
	/* still not known, though the next batch has none */
	influx_lane_commit(&lane, 130, false);
	assert_false(influx_lane_advance(&lane, 130));
	influx_lane_take_letters(&lane, 0);
	assert_true(influx_lane_advance(&lane, 200));
	assert_int_equal(lane.next, 130);
	influx_lane_free(&lane);
}

/* More dead letters than are asked for at a time. */
static void
takes_many_letters(void **state)
{
	InfluxLane	lane;
	int64_t		asked = 0;

	(void) state;
	assert_true(influx_lane_init(&lane, "London", 3, 30001));
	influx_lane_begin(&lane, -1, 0);
	while (influx_lane_wants_letters(&lane))
	{
		size_t		count = 0;

		/* all but the last are dead letters */
		for (int64_t offset = lane.next; offset < 30000 &&
			 count < INFLUX_LANE_LETTERS; offset++)
			lane.letters[count++] = offset;
		influx_lane_take_letters(&lane, count);
		asked++;
		while (lane.next < lane.cleared)
		{
			assert_int_equal(influx_lane_is_letter(&lane, lane.next),
							 lane.next < 30000);
			assert_true(influx_lane_advance(&lane, lane.next + 1));
		}
	}
	assert_int_equal(lane.next, 30001);
	assert_int_equal(asked, 4);
	influx_lane_free(&lane);
}

/* PostgreSQL is restored to an earlier time: nothing until it catches up. */
static void
waits_when_postgresql_goes_back(void **state)
{
	InfluxLane	lane;

	(void) state;
	assert_true(influx_lane_init(&lane, "London", 3, 100));
	influx_lane_begin(&lane, 100, 0);
	influx_lane_commit(&lane, 60, true);
	assert_false(influx_lane_wants_letters(&lane));
	assert_false(influx_lane_advance(&lane, 100));
	influx_lane_commit(&lane, 100, false);
	assert_false(influx_lane_wants_letters(&lane));
	influx_lane_commit(&lane, 101, false);
	assert_true(influx_lane_wants_letters(&lane));
	influx_lane_take_letters(&lane, 0);
	assert_true(influx_lane_advance(&lane, 101));
	influx_lane_free(&lane);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_where_it_was_left),
		cmocka_unit_test(goes_no_further_than_committed),
		cmocka_unit_test(takes_many_letters),
		cmocka_unit_test(waits_when_postgresql_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
