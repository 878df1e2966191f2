/*
 * Whether the message at the last offset is still the one that was loaded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "batch.h"
#include "in_range.h"
#include "message_mark.h"

#define NOW_MS INT64_C(1795508100123)

static const BatchMessage loaded = {41, "516 482 8644", 12, true, NOW_MS};

/* The loaded one has offset 41, and 42 held none. */
static MarkVerdict
judge(BatchMessage message, char *reason)
{
	MessageMark mark = message_mark_of(&loaded);

	memset(reason, 0, 200);
	return message_mark_judge(&mark, 43, &message, reason, 200);
}

static void
the_same_message_is_recognised(void **state)
{
	BatchMessage empty = {41, NULL, 0, false, -1};
	MessageMark mark = message_mark_of(&empty);
	char		reason[200];

	(void) state;
	assert_int_equal(judge(loaded, reason), MARK_SEEN);
	assert_true(mark.is_set);
	/* without a time there is none to differ */
	empty.event_time_ms = NOW_MS;
	assert_int_equal(message_mark_judge(&mark, 42, &empty, reason, 200),
					 MARK_SEEN);
}

static void
another_message_is_told_by_what_differs(void **state)
{
	char		reason[200];

	(void) state;
	assert_int_equal(judge((BatchMessage)
						   {41, "516 482 8645", 12, true, NOW_MS}, reason),
					 MARK_REPLACED);
	assert_non_null(strstr(reason, "offset 41 has another payload"));
	assert_null(strstr(reason, "482"));
	assert_int_equal(judge((BatchMessage)
						   {41, NULL, 0, true, NOW_MS}, reason),
					 MARK_REPLACED);
	assert_int_equal(judge((BatchMessage)
						   {41, "516 482 8644", 12, true, NOW_MS + 1}, reason),
					 MARK_REPLACED);
	assert_non_null(strstr(reason, "offset 41 has another timestamp"));
	assert_int_equal(judge((BatchMessage)
						   {41, "516 482 8644", 12, false, NOW_MS}, reason),
					 MARK_REPLACED);
}

static void
a_message_where_there_was_none_is_another(void **state)
{
	BatchMessage message = loaded;
	char		reason[200];

	(void) state;
	message.offset = 42;
	assert_int_equal(judge(message, reason), MARK_REPLACED);
	assert_non_null(strstr(reason, "offset 42 exists"));
}

static void
of_a_message_that_is_gone_nothing_is_said(void **state)
{
	BatchMessage message = loaded;
	char		reason[200];

	(void) state;
	message.offset = 43;
	assert_int_equal(judge(message, reason), MARK_PASSED);
	message.offset = INT64_MAX;
	assert_int_equal(judge(message, reason), MARK_PASSED);
}

/* Too short to tell a payload by, and yet not a constant. */
static void
the_checksum_has_16_bits(void **state)
{
	char		payload[] = "516 482 8640";
	BatchMessage message = {41, payload, 12, true, NOW_MS};
	int32_t		previous = -1;

	(void) state;
	for (; payload[11] <= '9'; payload[11]++)
	{
		MessageMark mark = message_mark_of(&message);

		assert_uint_in_range(mark.checksum, 0, 65535);
		assert_int_not_equal(mark.checksum, previous);
		previous = mark.checksum;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_message_is_recognised),
		cmocka_unit_test(another_message_is_told_by_what_differs),
		cmocka_unit_test(a_message_where_there_was_none_is_another),
		cmocka_unit_test(of_a_message_that_is_gone_nothing_is_said),
		cmocka_unit_test(the_checksum_has_16_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
