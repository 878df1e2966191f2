/*
 * Where a partition is read from, and when it is halted instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "position.h"

static const PositionBounds bounds = {100, 200};

static PositionVerdict
judge(int64_t next_offset, bool skip_lost, char *reason)
{
	reason[0] = '\0';
	return position_judge(next_offset, &bounds, skip_lost, reason, 200);
}

static void
what_kafka_holds_is_read_on(void **state)
{
	static const int64_t offsets[] = {100, 101, 199, 200};
	char		reason[200];

	(void) state;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
	{
		assert_int_equal(judge(offsets[i], false, reason), POSITION_GO_ON);
		assert_int_equal(judge(offsets[i], true, reason), POSITION_GO_ON);
	}
}

/* Kafka itself refuses a position that it does not have. */
static void
without_an_answer_the_position_is_tried(void **state)
{
	static const PositionBounds unknown[] = {
		{INT64_MIN, INT64_MIN}, {100, -1}, {-1, 200}, {-1001, 0}
	};
	char		reason[200];

	(void) state;
	assert_true(position_is_known(&bounds));
	assert_false(position_is_halt(POSITION_UNKNOWN));
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
	{
		assert_false(position_is_known(&unknown[i]));
		for (int64_t offset = 0; offset <= 300; offset += 150)
			assert_int_equal(position_judge(offset, &unknown[i], true, reason,
											sizeof(reason)),
							 POSITION_UNKNOWN);
	}
}

static void
deleted_messages_halt(void **state)
{
	char		reason[200];

	(void) state;
	assert_int_equal(judge(40, false, reason), POSITION_LOST);
	/* exactly which, and how many */
	assert_non_null(strstr(reason, "offsets 40 to 99 (60)"));
	assert_int_equal(judge(99, false, reason), POSITION_LOST);
	assert_non_null(strstr(reason, "offsets 99 to 99 (1)"));
	assert_true(position_is_halt(POSITION_LOST));
}

static void
deleted_messages_are_skipped_if_allowed(void **state)
{
	char		reason[200];

	(void) state;
	assert_int_equal(judge(40, true, reason), POSITION_SKIP);
	assert_non_null(strstr(reason, "offsets 40 to 99 (60)"));
	assert_false(position_is_halt(POSITION_SKIP));
	assert_false(position_is_halt(POSITION_GO_ON));
}

static void
a_shorter_partition_halts_always(void **state)
{
	char		reason[200];

	(void) state;
	assert_int_equal(judge(201, false, reason), POSITION_AHEAD);
	assert_non_null(strstr(reason, "re-created"));
	assert_int_equal(judge(201, true, reason), POSITION_AHEAD);
	assert_true(position_is_halt(POSITION_AHEAD));
	assert_true(position_is_halt(POSITION_REPLACED));
}

static void
an_emptied_partition_is_read_on_or_halts(void **state)
{
	const PositionBounds empty = {200, 200};
	char		reason[200];

	(void) state;
	assert_int_equal(position_judge(200, &empty, false, reason,
									sizeof(reason)), POSITION_GO_ON);
	assert_int_equal(position_judge(199, &empty, false, reason,
									sizeof(reason)), POSITION_LOST);
	assert_int_equal(position_judge(201, &empty, false, reason,
									sizeof(reason)), POSITION_AHEAD);
}

static void
a_fetch_begins_with_the_last_message_handled(void **state)
{
	const PositionBounds unknown = {INT64_MIN, INT64_MIN};
	const MessageMark none = {0};
	MessageMark last = {.is_set = true, .offset = 150};

	(void) state;
	assert_int_equal(position_fetch_from(POSITION_GO_ON, 151, &none, &bounds),
					 151);
	assert_int_equal(position_fetch_from(POSITION_GO_ON, 151, &last, &bounds),
					 150);
	/* offsets without a message follow it */
	assert_int_equal(position_fetch_from(POSITION_GO_ON, 190, &last, &bounds),
					 150);
	assert_int_equal(position_fetch_from(POSITION_UNKNOWN, 151, &last,
										 &unknown), 150);
	/* it will be read anyway */
	assert_int_equal(position_fetch_from(POSITION_GO_ON, 120, &last, &bounds),
					 120);
	/* Kafka has deleted it */
	last.offset = 99;
	assert_int_equal(position_fetch_from(POSITION_GO_ON, 100, &last, &bounds),
					 100);
	last.offset = 50;
	assert_int_equal(position_fetch_from(POSITION_SKIP, 51, &last, &bounds),
					 100);
}

static void
a_new_topic_follows_the_start_point(void **state)
{
	const StartPoint earliest = {START_EARLIEST, {false, 0}};
	const StartPoint latest = {START_LATEST, {false, 0}};
	const StartPoint at_time = {START_AT_TIME, {false, 5}};

	(void) state;
	assert_int_equal(position_first(&earliest, false, &bounds, -1), 100);
	assert_int_equal(position_first(&latest, false, &bounds, -1), 200);
	assert_int_equal(position_first(&at_time, false, &bounds, 150), 150);
	/* no message is that young */
	assert_int_equal(position_first(&at_time, false, &bounds, -1), 200);
}

static void
a_partition_added_later_is_read_from_its_start(void **state)
{
	const StartPoint latest = {START_LATEST, {false, 0}};
	const StartPoint at_time = {START_AT_TIME, {false, 5}};

	(void) state;
	assert_int_equal(position_first(&latest, true, &bounds, -1), 100);
	assert_int_equal(position_first(&at_time, true, &bounds, 150), 100);
}

static void
another_id_is_another_topic(void **state)
{
	(void) state;
	assert_true(position_is_of_other_topic("KUcmI4xVQvupp2HIXo1jKQ",
										   "KUcmI4xVQvupp2HIXo1jKw"));
	assert_false(position_is_of_other_topic("KUcmI4xVQvupp2HIXo1jKQ",
											"KUcmI4xVQvupp2HIXo1jKQ"));
	/* not known */
	assert_false(position_is_of_other_topic("", "KUcmI4xVQvupp2HIXo1jKQ"));
	assert_false(position_is_of_other_topic("KUcmI4xVQvupp2HIXo1jKQ", ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_kafka_holds_is_read_on),
		cmocka_unit_test(without_an_answer_the_position_is_tried),
		cmocka_unit_test(deleted_messages_halt),
		cmocka_unit_test(deleted_messages_are_skipped_if_allowed),
		cmocka_unit_test(a_shorter_partition_halts_always),
		cmocka_unit_test(an_emptied_partition_is_read_on_or_halts),
		cmocka_unit_test(a_fetch_begins_with_the_last_message_handled),
		cmocka_unit_test(a_new_topic_follows_the_start_point),
		cmocka_unit_test(a_partition_added_later_is_read_from_its_start),
		cmocka_unit_test(another_id_is_another_topic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
