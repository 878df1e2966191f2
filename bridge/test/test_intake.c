/*
 * What becomes of a message: row, dead letter by the codec, or by its time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "intake.h"
#include "find_row.h"

#define NOW_MS INT64_C(1795508100123)
#define HOUR_MS INT64_C(3600000)

static const MessageMark none = {0};
static Batch batch;
static Intake intake;

static void
open_codec(const CodecSettings *settings)
{
	char		errstr[256];

	codec_close(intake.codec);
	intake.codec = codec_open(settings, errstr, sizeof(errstr));
	assert_non_null(intake.codec);
}

static int
set_up(void **state)
{
	(void) state;
	memset(&intake, 0, sizeof(intake));
	open_codec(&(CodecSettings) {.format = "text"});
	intake.time_from_ms = NOW_MS - HOUR_MS;
	intake.time_to_ms = NOW_MS + HOUR_MS;
	if (!batch_init(&batch, 100, 65536) || !batch_start(&batch, 1))
		return -1;
	batch_set_position(&batch, 0, "London", 3, 0, &none, "");
	return 0;
}

static int
tear_down(void **state)
{
	(void) state;
	batch_free(&batch);
	codec_close(intake.codec);
	return 0;
}

static void
take(const char *payload, bool has_event_time, int64_t ms)
{
	BatchMessage message = {
		.offset = batch.progress[0].next_offset,
		.payload = payload,
		.payload_bytes = payload != NULL ? strlen(payload) : 0,
		.has_event_time = has_event_time,
		.event_time_ms = ms
	};

	RecordVerdict verdict;

	assert_int_equal(intake_add(&intake, &batch, 0, &message, &verdict),
					 BATCH_ADDED);
}

static void
assert_last_reason(const char *reason)
{
	CopyField	fields[7];

	assert_true(find_row(&batch.dead_letters, batch.dead_letter_count,
							  fields, 7));
	assert_int_equal(fields[4].length, strlen(reason));
	assert_memory_equal(fields[4].data, reason, strlen(reason));
}

static void
good_messages_become_rows(void **state)
{
	(void) state;
	take("516 482 8644", true, NOW_MS);
	take("516 482 8644", true, NOW_MS - HOUR_MS);
	take("516 482 8644", true, NOW_MS + HOUR_MS);
	assert_int_equal(batch.row_count, 3);
	assert_int_equal(batch.dead_letter_count, 0);
}

static void
bad_messages_become_dead_letters(void **state)
{
	(void) state;
	take("516 482", true, NOW_MS);
	assert_last_reason("field_count");
	take(NULL, true, NOW_MS);
	assert_last_reason("empty");
	take("516 482 -1", false, 0);
	assert_last_reason("bad_amount");
	assert_int_equal(batch.row_count, 0);
}

static void
bad_times_become_dead_letters(void **state)
{
	static const int64_t times[] = {
		0, -1, 1, NOW_MS / 1000, NOW_MS - HOUR_MS - 1, NOW_MS + HOUR_MS + 1,
		INT64_MIN, INT64_MAX
	};

	(void) state;
	take("516 482 8644", false, NOW_MS);
	assert_last_reason("bad_time");
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
	{
		take("516 482 8644", true, times[i]);
		assert_last_reason("bad_time");
	}
	assert_int_equal(batch.row_count, 0);
}

/* Partitions are named by a year of four digits. */
static void
an_open_range_has_limits(void **state)
{
	(void) state;
	intake.time_from_ms = INT64_MIN;
	intake.time_to_ms = INT64_MAX;
	take("1 2 3", true, INT64_C(-62135596800000));
	take("1 2 3", true, INT64_C(253402300799999));
	assert_int_equal(batch.row_count, 2);
	take("1 2 3", true, INT64_C(-62135596800001));
	assert_last_reason("bad_time");
	take("1 2 3", true, INT64_C(253402300800000));
	assert_last_reason("bad_time");
}

static void
the_currency_is_the_installations(void **state)
{
	(void) state;
	take("1 2 3 EUR", true, NOW_MS);
	assert_last_reason("field_count");
	assert_true(codec_set_currency(intake.codec, "USD", NULL, 0));
	take("1 2 3 EUR", true, NOW_MS);
	assert_last_reason("wrong_currency");
	take("1 2 3 USD", true, NOW_MS);
	assert_int_equal(batch.row_count, 1);
}

static void
assert_last_time(bool is_set, int64_t us)
{
	CopyField	fields[7];
	int64_t		found;

	assert_true(find_row(&batch.dead_letters, batch.dead_letter_count,
						 fields, 7));
	assert_int_equal(fields[6].data != NULL, is_set);
	if (is_set)
	{
		assert_true(copy_get_timestamptz(&fields[6], &found));
		assert_int_equal(found, us);
	}
}

/* Of the message if it tells one, and then of nothing else. */
static void
times_are_the_messages_or_kafkas(void **state)
{
	static const char good[] =
		"{\"source\":1,\"target\":2,\"amount\":3,\"at\":1795508100123456}";
	static const char bad_amount[] =
		"{\"source\":1,\"target\":2,\"amount\":-3,\"at\":1795508100123456}";
	static const char early[] =
		"{\"source\":1,\"target\":2,\"amount\":3,\"at\":1795504500122999}";
	CopyField	fields[8];
	int64_t		us;

	(void) state;
	open_codec(&(CodecSettings) {.format = "json"});
	take(good, true, NOW_MS - 5);
	assert_true(find_row(&batch.rows, 1, fields, 8));
	assert_true(copy_get_timestamptz(&fields[0], &us));
	assert_int_equal(us, (NOW_MS - 5) * 1000);
	take(bad_amount, true, NOW_MS - 5);
	assert_last_time(true, (NOW_MS - 5) * 1000);
	take(bad_amount, false, 0);
	assert_last_time(false, 0);
	take(bad_amount, true, INT64_MAX);
	assert_last_time(false, 0);

	open_codec(&(CodecSettings) {.format = "json",.time_unit = "us",
			.fields = "source=source,target=target,amount=amount,time=at"});
	/* the mark is that of Kafka's message all the same */
	take(good, true, 77);
	assert_true(find_row(&batch.rows, 2, fields, 8));
	assert_true(copy_get_timestamptz(&fields[0], &us));
	assert_int_equal(us, NOW_MS * 1000 + 456);
	assert_int_equal(batch.progress[0].last.event_time_ms, 77);
	take(bad_amount, true, 77);
	assert_last_reason("bad_amount");
	assert_last_time(true, NOW_MS * 1000 + 456);
	take("{\"source\":1", true, 77);
	assert_last_reason("bad_syntax");
	assert_last_time(false, 0);
	/* a microsecond before what is accepted, and so is its millisecond */
	take(early, true, NOW_MS);
	assert_last_reason("bad_time");
	assert_last_time(true, INT64_C(1795504500122999));
	assert_int_equal(batch.row_count, 2);
}

static void
older_tables_get_older_reasons(void **state)
{
	(void) state;
	open_codec(&(CodecSettings) {.format = "json"});
	intake.older_reasons = true;
	take("{}", true, NOW_MS);
	assert_last_reason("field_count");
	take("[", true, NOW_MS);
	assert_last_reason("field_count");
	take("{\"source\":1,\"target\":2,\"amount\":\"x\"}", true, NOW_MS);
	assert_last_reason("bad_amount");
	intake.older_reasons = false;
	take("{}", true, NOW_MS);
	assert_last_reason("missing_field");
}

/* What trips is not taken; what was handled already is stale, not too much. */
static void
the_breaker_holds_dead_letters_up(void **state)
{
	Breaker		breaker = {0};
	RecordVerdict verdict;
	BatchMessage message = {.payload = "1 2", .payload_bytes = 3};

	(void) state;
	breaker_set(&breaker, 10, 20);
	assert_true(breaker_start(&breaker, 1));
	intake.breaker = &breaker;
	take("1 2", true, NOW_MS);
	take("1 2 3", true, NOW_MS);
	take("1 2", true, NOW_MS);
	message.offset = 3;
	assert_int_equal(intake_add(&intake, &batch, 0, &message, &verdict),
					 BATCH_TRIPPED);
	assert_int_equal(verdict, FINTRANS_REJECT_FIELD_COUNT);
	message.offset = 2;
	assert_int_equal(intake_add(&intake, &batch, 0, &message, &verdict),
					 BATCH_STALE);
	assert_int_equal(batch.progress[0].next_offset, 3);
	assert_int_equal(batch.dead_letter_count, 2);
	take("1 2 3", true, NOW_MS);
	breaker_free(&breaker);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_messages_become_rows),
		TEST(bad_messages_become_dead_letters),
		TEST(bad_times_become_dead_letters),
		TEST(an_open_range_has_limits),
		TEST(the_currency_is_the_installations),
		TEST(times_are_the_messages_or_kafkas),
		TEST(older_tables_get_older_reasons),
		TEST(the_breaker_holds_dead_letters_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
