/*
 * Batches: what each offset is counted as, when a batch is full, and that a
 * message is added whole or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "batch.h"

#define MAX_BYTES 4096
#define DAY_MS INT64_C(86400000)
#define NOW_MS INT64_C(1795508100123)

static Record
a_record(void)
{
	char		detail[RECORD_DETAIL_BYTES];
	Record		record;

	assert_int_equal(record_parse("516 482 8644", 12, NULL, &record, detail,
								  sizeof(detail)), FINTRANS_ACCEPTED);
	return record;
}

static BatchMessage
message_at(int64_t offset)
{
	return (BatchMessage)
	{
		.offset = offset,
		.payload = "junk",
		.payload_bytes = 4,
		.has_event_time = true,
		.event_time_ms = NOW_MS
	};
}

static BatchResult
add_row(Batch *batch, size_t slot, int64_t offset)
{
	Record		record = a_record();
	BatchMessage message = message_at(offset);

	return batch_add_row(batch, slot, &message, &record);
}

static BatchResult
add_dead_letter(Batch *batch, size_t slot, int64_t offset)
{
	BatchMessage message = message_at(offset);

	return batch_add_dead_letter(batch, slot, &message,
								 FINTRANS_REJECT_BAD_AMOUNT, "a detail");
}

static void
start(Batch *batch, int64_t max_messages, size_t max_bytes)
{
	assert_true(batch_init(batch, max_messages, max_bytes));
	assert_true(batch_start(batch, 2));
	batch_set_position(batch, 0, "London", 3, 100);
	batch_set_position(batch, 1, "NYC", 0, 0);
}

static void
assert_progress(const Batch *batch, size_t slot, int64_t expected_offset,
				int64_t next_offset, int64_t stored, int64_t dead_lettered,
				int64_t skipped)
{
	const BatchProgress *progress = &batch->progress[slot];

	assert_int_equal(progress->expected_offset, expected_offset);
	assert_int_equal(progress->next_offset, next_offset);
	assert_int_equal(progress->stored, stored);
	assert_int_equal(progress->dead_lettered, dead_lettered);
	assert_int_equal(progress->skipped, skipped);
	/* what the table's CHECK asks for */
	assert_int_equal(stored + dead_lettered + skipped,
					 next_offset - expected_offset);
}

static void
each_offset_is_counted_once(void **state)
{
	Batch		batch;

	(void) state;
	start(&batch, 100, MAX_BYTES);
	assert_true(batch_is_empty(&batch));
	assert_int_equal(add_row(&batch, 0, 100), BATCH_ADDED);
	assert_int_equal(add_row(&batch, 0, 101), BATCH_ADDED);
	/* 102 and 103 held no message, 105 is refused */
	assert_int_equal(add_row(&batch, 0, 104), BATCH_ADDED);
	assert_int_equal(add_dead_letter(&batch, 0, 105), BATCH_ADDED);
	/* transaction markers up to the end */
	assert_int_equal(batch_skip_to(&batch, 0, 108), BATCH_ADDED);
	assert_progress(&batch, 0, 100, 108, 3, 1, 4);
	assert_progress(&batch, 1, 0, 0, 0, 0, 0);
	assert_int_equal(batch_messages(&batch), 4);
	assert_false(batch_is_empty(&batch));
	batch_free(&batch);
}

static void
messages_delivered_twice_are_dropped(void **state)
{
	Batch		batch;

	(void) state;
	start(&batch, 100, MAX_BYTES);
	assert_int_equal(add_row(&batch, 0, 99), BATCH_STALE);
	assert_int_equal(add_row(&batch, 0, 100), BATCH_ADDED);
	assert_int_equal(add_row(&batch, 0, 100), BATCH_STALE);
	assert_int_equal(add_dead_letter(&batch, 0, 100), BATCH_STALE);
	assert_int_equal(batch_skip_to(&batch, 0, 101), BATCH_STALE);
	assert_int_equal(batch_skip_to(&batch, 0, 7), BATCH_STALE);
	assert_progress(&batch, 0, 100, 101, 1, 0, 0);
	assert_int_equal(batch.row_count, 1);
	batch_free(&batch);
}

static void
skipped_offsets_alone_are_content(void **state)
{
	Batch		batch;

	(void) state;
	start(&batch, 100, MAX_BYTES);
	assert_int_equal(batch_skip_to(&batch, 1, 5), BATCH_ADDED);
	assert_false(batch_is_empty(&batch));
	assert_int_equal(batch_messages(&batch), 0);
	batch_free(&batch);
}

static void
a_batch_goes_on_where_the_last_one_ended(void **state)
{
	Batch		batch;
	Batch		next;

	(void) state;
	start(&batch, 100, MAX_BYTES);
	assert_true(batch_init(&next, 100, MAX_BYTES));
	add_row(&batch, 0, 110);
	add_dead_letter(&batch, 1, 0);
	assert_true(batch_continue(&next, &batch));
	assert_int_equal(next.slots, 2);
	assert_progress(&next, 0, 111, 111, 0, 0, 0);
	assert_progress(&next, 1, 1, 1, 0, 0, 0);
	assert_string_equal(next.progress[0].topic, "London");
	assert_int_equal(next.progress[0].partition, 3);
	assert_true(batch_is_empty(&next));
	/* and with fewer slots than before */
	assert_true(batch_start(&batch, 0));
	assert_true(batch_is_empty(&batch));
	assert_true(batch_continue(&next, &batch));
	assert_int_equal(next.slots, 0);
	batch_free(&batch);
	batch_free(&next);
}

static void
full_by_messages(void **state)
{
	Batch		batch;

	(void) state;
	start(&batch, 3, MAX_BYTES);
	add_row(&batch, 0, 100);
	add_dead_letter(&batch, 0, 101);
	assert_false(batch_is_full(&batch));
	add_row(&batch, 0, 102);
	assert_true(batch_is_full(&batch));
	assert_int_equal(add_row(&batch, 0, 103), BATCH_FULL);
	assert_int_equal(add_dead_letter(&batch, 0, 103), BATCH_FULL);
	assert_progress(&batch, 0, 100, 103, 2, 1, 0);
	batch_free(&batch);
}

static void
full_by_bytes(void **state)
{
	Batch		batch;
	int64_t		offset = 100;
	CopyField	fields[8];

	(void) state;
	start(&batch, 1000000, MAX_BYTES);
	while (add_row(&batch, 0, offset) == BATCH_ADDED)
		offset++;
	assert_true(batch_is_full(&batch));
	assert_true(batch.rows.used >= MAX_BYTES);
	/* the bound is passed by less than one row, and every row is whole */
	assert_true(batch.rows.used < MAX_BYTES + 100);
	assert_true(copy_find_row(&batch.rows, batch.row_count, fields, 8));
	assert_false(copy_find_row(&batch.rows, batch.row_count + 1, fields, 8));
	assert_progress(&batch, 0, 100, offset, offset - 100, 0, 0);
	batch_free(&batch);
}

static void
full_by_days(void **state)
{
	Batch		batch;
	Record		record = a_record();
	BatchMessage message = message_at(100);

	(void) state;
	start(&batch, 1000000, 1 << 20);
	for (int round = 0; round < 2; round++)
	{
		for (int day = 0; day < BATCH_MAX_DAYS; day++)
		{
			message.event_time_ms = NOW_MS + day * DAY_MS;
			assert_int_equal(batch_add_row(&batch, 0, &message, &record),
							 BATCH_ADDED);
			message.offset++;
		}
		assert_int_equal(batch.day_count, BATCH_MAX_DAYS);
	}
	message.event_time_ms = NOW_MS - DAY_MS;
	assert_int_equal(batch_add_row(&batch, 0, &message, &record), BATCH_FULL);
	assert_int_equal(batch.row_count, 2 * BATCH_MAX_DAYS);
	/* 2026-11-24 is day 20781: SELECT date '2026-11-24' - date '1970-01-01' */
	assert_int_equal(batch.days[0], 20781);
	batch_free(&batch);
}

static void
dead_letters_do_not_count_as_days(void **state)
{
	Batch		batch;

	(void) state;
	start(&batch, 100, MAX_BYTES);
	add_dead_letter(&batch, 0, 100);
	assert_int_equal(batch.day_count, 0);
	add_row(&batch, 0, 101);
	assert_int_equal(batch.day_count, 1);
	batch_free(&batch);
}

/* Larger than the whole batch: taken alone, and the memory is given back. */
static void
a_huge_payload_is_kept_whole(void **state)
{
	const size_t huge = 3 * 1024 * 1024;
	char	   *payload = malloc(huge);
	Batch		batch;
	BatchMessage message = message_at(100);
	CopyField	fields[7];
	size_t		size_before;

	(void) state;
	assert_non_null(payload);
	memset(payload, 'j', huge);
	message.payload = payload;
	message.payload_bytes = huge;
	start(&batch, 100, MAX_BYTES);
	size_before = batch.dead_letters.size;
	add_dead_letter(&batch, 1, 0);
	assert_int_equal(batch_add_dead_letter(&batch, 0, &message,
										   FINTRANS_REJECT_TOO_LONG, NULL),
					 BATCH_FULL);
	batch_start(&batch, 2);
	batch_set_position(&batch, 0, "London", 3, 100);
	assert_int_equal(batch_add_dead_letter(&batch, 0, &message,
										   FINTRANS_REJECT_TOO_LONG, NULL),
					 BATCH_ADDED);
	assert_true(copy_find_row(&batch.dead_letters, 1, fields, 7));
	assert_int_equal(fields[3].length, huge);
	assert_memory_equal(fields[3].data, payload, huge);
	assert_true(batch_is_full(&batch));
	batch_start(&batch, 2);
	batch_set_position(&batch, 0, "London", 3, 101);
	assert_int_equal(add_dead_letter(&batch, 0, 101), BATCH_ADDED);
	assert_true(batch.dead_letters.size <= size_before);
	batch_free(&batch);
	free(payload);
}

static void
dead_letters_hold_what_was_there(void **state)
{
	Batch		batch;
	BatchMessage message = message_at(100);
	CopyField	fields[7];
	int64_t		offset;
	int32_t		partition;

	(void) state;
	start(&batch, 100, MAX_BYTES);
	batch_add_dead_letter(&batch, 0, &message, FINTRANS_REJECT_FIELD_COUNT,
						  "why");
	message.offset = 101;
	message.payload = NULL;
	message.payload_bytes = 0;
	message.has_event_time = false;
	batch_add_dead_letter(&batch, 0, &message, FINTRANS_REJECT_EMPTY, NULL);
	message.offset = 102;
	message.has_event_time = true;
	message.event_time_ms = INT64_MAX;
	batch_add_dead_letter(&batch, 0, &message, FINTRANS_REJECT_BAD_TIME, NULL);

	assert_true(copy_find_row(&batch.dead_letters, 1, fields, 7));
	assert_memory_equal(fields[0].data, "London", 6);
	assert_true(copy_get_int4(&fields[1], &partition));
	assert_int_equal(partition, 3);
	assert_true(copy_get_int8(&fields[2], &offset));
	assert_int_equal(offset, 100);
	assert_memory_equal(fields[3].data, "junk", 4);
	assert_memory_equal(fields[4].data, "field_count", 11);
	assert_memory_equal(fields[5].data, "why", 3);
	assert_int_equal(fields[6].length, 8);
	assert_true(copy_find_row(&batch.dead_letters, 2, fields, 7));
	assert_null(fields[3].data);
	assert_memory_equal(fields[4].data, "empty", 5);
	assert_null(fields[5].data);
	assert_null(fields[6].data);
	/* a time that PostgreSQL cannot hold */
	assert_true(copy_find_row(&batch.dead_letters, 3, fields, 7));
	assert_null(fields[6].data);
	batch_free(&batch);
}

static void
a_row_tells_where_it_came_from(void **state)
{
	Batch		batch;
	const char *topic;
	int32_t		partition;
	int64_t		offset;

	(void) state;
	start(&batch, 100, MAX_BYTES);
	add_row(&batch, 0, 100);
	add_dead_letter(&batch, 0, 101);
	add_row(&batch, 1, 17);
	add_row(&batch, 0, 102);
	assert_true(batch_find_row(&batch, 2, &topic, &partition, &offset));
	assert_string_equal(topic, "NYC");
	assert_int_equal(partition, 0);
	assert_int_equal(offset, 17);
	assert_true(batch_find_row(&batch, 3, &topic, &partition, &offset));
	assert_string_equal(topic, "London");
	assert_int_equal(partition, 3);
	assert_int_equal(offset, 102);
	assert_false(batch_find_row(&batch, 4, &topic, &partition, &offset));
	assert_false(batch_find_row(&batch, 0, &topic, &partition, &offset));
	batch_free(&batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_offset_is_counted_once),
		cmocka_unit_test(messages_delivered_twice_are_dropped),
		cmocka_unit_test(skipped_offsets_alone_are_content),
		cmocka_unit_test(a_batch_goes_on_where_the_last_one_ended),
		cmocka_unit_test(full_by_messages),
		cmocka_unit_test(full_by_bytes),
		cmocka_unit_test(full_by_days),
		cmocka_unit_test(dead_letters_do_not_count_as_days),
		cmocka_unit_test(a_huge_payload_is_kept_whole),
		cmocka_unit_test(dead_letters_hold_what_was_there),
		cmocka_unit_test(a_row_tells_where_it_came_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
