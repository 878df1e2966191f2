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
#include "find_row.h"

#define MAX_BYTES 4096
#define DAY_US INT64_C(86400000000)
#define NOW_MS INT64_C(1795508100123)
#define NOW_US (NOW_MS * 1000)

static const MessageMark none = {0};
static const DeadLetter bad_amount = {
	FINTRANS_REJECT_BAD_AMOUNT, "bad_amount", "a detail", {true, NOW_US}
};
static const DeadLetter field_count = {
	FINTRANS_REJECT_FIELD_COUNT, "field_count", "why", {true, NOW_US}
};
static const DeadLetter empty = {FINTRANS_REJECT_EMPTY, "empty", NULL, {0}};

/* a time that PostgreSQL cannot hold */
static const DeadLetter bad_time = {
	FINTRANS_REJECT_BAD_TIME, "bad_time", NULL, {true, INT64_MAX}
};

static Record
a_record(void)
{
	return (Record)
	{
		.source_account = "516",.source_bytes = 3,
		.target_account = "482",.target_bytes = 3,
		.amount = {"8644", "", 4, 0},
		.time = {true, NOW_US}
	};
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

	return batch_add_dead_letter(batch, slot, &message, &bad_amount);
}

static void
start(Batch *batch, int64_t max_messages, size_t max_bytes)
{
	assert_true(batch_init(batch, max_messages, max_bytes));
	assert_true(batch_start(batch, 2));
	batch_set_position(batch, 0, "London", 3, 100, &none, "");
	batch_set_position(batch, 1, "NYC", 0, 0, &none, "");
}

static void
assert_progress(const Batch *batch, size_t slot, int64_t expected_offset,
				int64_t next_offset, int64_t stored, int64_t dead_lettered,
				int64_t skipped)
{
	const BatchProgress *progress = &batch->progress[slot];
	int64_t		refused = 0;

	for (int verdict = 0; verdict < FINTRANS_VERDICTS; verdict++)
		refused += progress->refused[verdict];
	assert_int_equal(refused, dead_lettered);
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
reasons_and_times_are_kept(void **state)
{
	Batch		batch;
	BatchMessage message = message_at(103);

	(void) state;
	start(&batch, 100, MAX_BYTES);
	assert_int_equal(add_row(&batch, 0, 100), BATCH_ADDED);
	assert_int_equal(add_dead_letter(&batch, 0, 101), BATCH_ADDED);
	assert_int_equal(add_dead_letter(&batch, 0, 102), BATCH_ADDED);
	message.has_event_time = false;
	assert_int_equal(batch_add_dead_letter(&batch, 0, &message, &bad_time),
					 BATCH_ADDED);
	assert_int_equal(add_row(&batch, 0, 100), BATCH_STALE);
	assert_int_equal(batch.progress[0].refused[FINTRANS_REJECT_BAD_AMOUNT], 2);
	assert_int_equal(batch.progress[0].refused[FINTRANS_REJECT_BAD_TIME], 1);
	assert_progress(&batch, 0, 100, 104, 1, 3, 0);
	assert_int_equal(batch_messages(&batch), 4);
	for (int i = 0; i < 3; i++)
		assert_int_equal(batch.times[i], NOW_MS);
	assert_int_equal(batch.times[3], BATCH_NO_TIME);
	batch_free(&batch);
}

static void
the_last_message_is_kept_from_batch_to_batch(void **state)
{
	Batch		batch;
	Batch		next;

	(void) state;
	start(&batch, 100, MAX_BYTES);
	assert_true(batch_init(&next, 100, MAX_BYTES));
	assert_int_equal(batch_skip_to(&batch, 1, 7), BATCH_ADDED);
	assert_false(batch.progress[1].last.is_set);
	assert_int_equal(add_row(&batch, 0, 100), BATCH_ADDED);
	assert_int_equal(batch.progress[0].last.offset, 100);
	assert_int_equal(add_dead_letter(&batch, 0, 105), BATCH_ADDED);
	assert_true(batch.progress[0].last.is_set);
	assert_int_equal(batch.progress[0].last.offset, 105);
	assert_int_equal(batch.progress[0].last.event_time_ms, NOW_MS);
	assert_int_equal(add_row(&batch, 0, 104), BATCH_STALE);
	assert_int_equal(batch_skip_to(&batch, 0, 108), BATCH_ADDED);
	assert_int_equal(batch.progress[0].last.offset, 105);
	assert_true(batch_continue(&next, &batch));
	assert_true(next.progress[0].last.is_set);
	assert_int_equal(next.progress[0].last.offset, 105);
	batch_free(&next);
	batch_free(&batch);
}

/* Whether a row or a dead letter, and whatever is refused later. */
static void
the_last_messages_mark_is_whole(void **state)
{
	Batch		batch;
	Batch		next;
	Record		record = a_record();
	BatchMessage message = message_at(100);
	MessageMark mark;
	BatchSieve	sieve;

	(void) state;
	start(&batch, 100, MAX_BYTES);
	assert_true(batch_init(&next, 100, MAX_BYTES));
	assert_int_equal(add_row(&batch, 0, 100), BATCH_ADDED);
	assert_int_equal(add_row(&batch, 1, 3), BATCH_ADDED);
	message.offset = 101;
	message.payload = "the last one";
	message.payload_bytes = 12;
	mark = message_mark_of(&message);
	assert_int_equal(batch_add_row(&batch, 0, &message, &record), BATCH_ADDED);
	batch_sieve_begin(&sieve, &batch);
	assert_true(batch_sieve_refuse(&sieve, "why"));
	batch_sieve_end(&sieve);
	assert_true(batch_continue(&next, &batch));
	assert_int_equal(batch.progress[0].last.checksum, mark.checksum);
	assert_int_equal(next.progress[0].last.checksum, mark.checksum);
	assert_int_equal(next.progress[0].last.offset, 101);
	message = message_at(3);
	assert_int_equal(next.progress[1].last.checksum,
					 message_mark_of(&message).checksum);

	/* it goes on being whole in a batch that adds nothing */
	assert_true(batch_continue(&batch, &next));
	assert_int_equal(batch.progress[0].last.checksum, mark.checksum);
	assert_int_equal(add_row(&batch, 0, 102), BATCH_ADDED);
	assert_int_equal(add_dead_letter(&batch, 0, 103), BATCH_ADDED);
	message = message_at(103);
	batch_seal(&batch);
	assert_int_equal(batch.progress[0].last.checksum,
					 message_mark_of(&message).checksum);
	batch_free(&next);
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
	assert_true(batch.rows.used + batch.payloads.used >= MAX_BYTES);
	/* the bound is passed by less than one row, and every row is whole */
	assert_true(batch.rows.used + batch.payloads.used < MAX_BYTES + 120);
	assert_true(find_row(&batch.rows, batch.row_count, fields, 8));
	assert_false(find_row(&batch.rows, batch.row_count + 1, fields, 8));
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
			record.time.us = NOW_US + day * DAY_US;
			assert_int_equal(batch_add_row(&batch, 0, &message, &record),
							 BATCH_ADDED);
			message.offset++;
		}
		assert_int_equal(batch.day_count, BATCH_MAX_DAYS);
	}
	record.time.us = NOW_US - DAY_US;
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
	assert_int_equal(batch_add_dead_letter(&batch, 0, &message, &field_count),
					 BATCH_FULL);
	batch_start(&batch, 2);
	batch_set_position(&batch, 0, "London", 3, 100, &none, "");
	assert_int_equal(batch_add_dead_letter(&batch, 0, &message, &field_count),
					 BATCH_ADDED);
	assert_true(find_row(&batch.dead_letters, 1, fields, 7));
	assert_int_equal(fields[3].length, huge);
	assert_memory_equal(fields[3].data, payload, huge);
	assert_true(batch_is_full(&batch));
	batch_start(&batch, 2);
	batch_set_position(&batch, 0, "London", 3, 101, &none, "");
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
	batch_add_dead_letter(&batch, 0, &message, &field_count);
	message.offset = 101;
	message.payload = NULL;
	message.payload_bytes = 0;
	batch_add_dead_letter(&batch, 0, &message, &empty);
	message.offset = 102;
	batch_add_dead_letter(&batch, 0, &message, &bad_time);

	assert_true(find_row(&batch.dead_letters, 1, fields, 7));
	assert_memory_equal(fields[0].data, "London", 6);
	assert_true(copy_get_int4(&fields[1], &partition));
	assert_int_equal(partition, 3);
	assert_true(copy_get_int8(&fields[2], &offset));
	assert_int_equal(offset, 100);
	assert_memory_equal(fields[3].data, "junk", 4);
	assert_memory_equal(fields[4].data, "field_count", 11);
	assert_memory_equal(fields[5].data, "why", 3);
	assert_int_equal(fields[6].length, 8);
	assert_true(find_row(&batch.dead_letters, 2, fields, 7));
	assert_null(fields[3].data);
	assert_memory_equal(fields[4].data, "empty", 5);
	assert_null(fields[5].data);
	assert_null(fields[6].data);
	assert_true(find_row(&batch.dead_letters, 3, fields, 7));
	assert_null(fields[6].data);
	batch_free(&batch);
}

/* Five rows of two partitions at two times, and a dead letter among them. */
static void
start_sieve(Batch *batch, BatchSieve *sieve)
{
	static const char *const payloads[] = {"1 2 3", "4 5 6", "7 8 9", "", "0"};
	static const int64_t offsets[] = {100, 101, 17, 103, 104};
	Record		record = a_record();

	start(batch, 100, MAX_BYTES);
	for (int i = 0; i < 5; i++)
	{
		BatchMessage message = message_at(offsets[i]);

		message.payload = payloads[i];
		message.payload_bytes = strlen(payloads[i]);
		record.time.us = NOW_US + i;
		assert_int_equal(batch_add_row(batch, offsets[i] < 100, &message,
									   &record), BATCH_ADDED);
		if (i == 1)
			add_dead_letter(batch, 0, 102);
	}
	batch_sieve_begin(sieve, batch);
	assert_int_equal(sieve->left, 5);
}

static void
assert_row(const Batch *batch, int64_t row, int64_t offset)
{
	CopyField	fields[8];
	int64_t		found;

	assert_true(find_row(&batch->rows, row, fields, 8));
	assert_true(copy_get_int8(&fields[7], &found));
	assert_int_equal(found, offset);
}

static void
assert_dead_letter(const Batch *batch, int64_t number, const char *topic,
				   int64_t offset, const char *payload, int64_t us)
{
	CopyField	fields[7];
	int64_t		found;

	assert_true(find_row(&batch->dead_letters, number, fields, 7));
	assert_int_equal(fields[0].length, strlen(topic));
	assert_memory_equal(fields[0].data, topic, strlen(topic));
	assert_true(copy_get_int8(&fields[2], &found));
	assert_int_equal(found, offset);
	assert_int_equal(fields[3].length, strlen(payload));
	assert_memory_equal(fields[3].data, payload, strlen(payload));
	assert_memory_equal(fields[4].data, "refused", 7);
	assert_memory_equal(fields[5].data, "why", 3);
	assert_true(copy_get_timestamptz(&fields[6], &found));
	assert_int_equal(found, us);
}

static void
refused_rows_become_dead_letters(void **state)
{
	Batch		batch;
	BatchSieve	sieve;
	CopyBuffer	rows;

	(void) state;
	start_sieve(&batch, &sieve);
	batch_sieve_keep(&sieve, 1);
	assert_true(batch_sieve_refuse(&sieve, "why"));
	assert_true(batch_sieve_refuse(&sieve, "why"));
	/* what is tried next is what is left, without a header */
	assert_int_equal(batch_sieve_peek(&sieve, 1, &rows), 1);
	assert_int_equal(batch_sieve_peek(&sieve, 9, &rows), 2);
	assert_int_equal(rows.used, batch.rows.used - sieve.row_at);
	batch_sieve_keep(&sieve, 1);
	assert_true(batch_sieve_refuse(&sieve, "why"));
	assert_int_equal(batch_sieve_peek(&sieve, 1, &rows), 0);
	batch_sieve_end(&sieve);

	assert_int_equal(batch.row_count, 2);
	assert_row(&batch, 1, 100);
	assert_row(&batch, 2, 103);
	assert_false(find_row(&batch.rows, 3, (CopyField[8]) {{0}}, 8));
	assert_int_equal(batch.dead_letter_count, 4);
	assert_dead_letter(&batch, 2, "London", 101, "4 5 6", NOW_US + 1);
	assert_dead_letter(&batch, 3, "NYC", 17, "7 8 9", NOW_US + 2);
	assert_dead_letter(&batch, 4, "London", 104, "0", NOW_US + 4);
	assert_progress(&batch, 0, 100, 105, 2, 3, 0);
	assert_progress(&batch, 1, 0, 18, 0, 1, 17);
	assert_int_equal(batch_messages(&batch), 6);
	batch_free(&batch);
}

/* A connection lost on the way: what was refused stays so, once. */
static void
a_sieve_that_ends_early_leaves_a_whole_batch(void **state)
{
	Batch		batch;
	BatchSieve	sieve;

	(void) state;
	start_sieve(&batch, &sieve);
	assert_true(batch_sieve_refuse(&sieve, "why"));
	batch_sieve_keep(&sieve, 1);
	batch_sieve_end(&sieve);
	assert_int_equal(sieve.kept, 4);
	assert_int_equal(batch.row_count, 4);
	assert_row(&batch, 1, 101);
	assert_row(&batch, 4, 104);
	assert_progress(&batch, 0, 100, 105, 3, 2, 0);

	/* the payloads are still those of the rows */
	batch_sieve_begin(&sieve, &batch);
	batch_sieve_keep(&sieve, 1);
	assert_true(batch_sieve_refuse(&sieve, "why"));
	batch_sieve_end(&sieve);
	assert_row(&batch, 2, 103);
	assert_dead_letter(&batch, 2, "London", 100, "1 2 3", NOW_US);
	assert_dead_letter(&batch, 3, "NYC", 17, "7 8 9", NOW_US + 2);
	batch_free(&batch);
}

static void
rows_refused_in_succession_are_counted(void **state)
{
	Batch		batch;
	BatchSieve	sieve;

	(void) state;
	start_sieve(&batch, &sieve);
	assert_int_equal(batch.refused_run, 0);
	batch_sieve_refuse(&sieve, "why");
	batch_sieve_keep(&sieve, 0);
	batch_sieve_refuse(&sieve, "why");
	assert_int_equal(sieve.refused_run, 2);
	batch_sieve_keep(&sieve, 1);
	assert_int_equal(sieve.refused_run, 0);
	batch_sieve_refuse(&sieve, "why");
	assert_int_equal(sieve.refused_run, 1);
	batch_sieve_end(&sieve);
	/* the last row was not refused */
	assert_int_equal(batch.refused_run, 0);
	batch_start(&batch, 0);
	assert_int_equal(batch.refused_run, 0);
	batch_free(&batch);
}

/* Each round over a batch begins at its first row again. */
static void
a_run_does_not_go_on_in_the_next_round(void **state)
{
	Batch		batch;
	BatchSieve	sieve;

	(void) state;
	start_sieve(&batch, &sieve);
	batch_sieve_keep(&sieve, 2);
	while (sieve.left > 0)
		batch_sieve_refuse(&sieve, "why");
	batch_sieve_end(&sieve);
	assert_int_equal(batch.refused_run, 3);
	batch_sieve_begin(&sieve, &batch);
	batch_sieve_refuse(&sieve, "why");
	assert_int_equal(sieve.refused_run, 1);
	batch_sieve_end(&sieve);
	assert_int_equal(batch.refused_run, 0);
	batch_free(&batch);
}

/* All rows of a full batch, which is more than the bound of dead letters. */
static void
a_whole_batch_can_be_refused(void **state)
{
	Batch		batch;
	BatchSieve	sieve;
	int64_t		offset = 100;

	(void) state;
	start(&batch, 1000000, MAX_BYTES);
	while (batch.dead_letters.used < MAX_BYTES - 200)
		assert_int_equal(add_dead_letter(&batch, 0, offset++), BATCH_ADDED);
	while (add_row(&batch, 0, offset) == BATCH_ADDED)
		offset++;
	assert_true(batch.row_count > 20);
	batch_sieve_begin(&sieve, &batch);
	while (sieve.left > 0)
		assert_true(batch_sieve_refuse(&sieve, "why"));
	batch_sieve_end(&sieve);
	assert_int_equal(batch.row_count, 0);
	assert_int_equal(batch.rows.used, COPY_HEADER_BYTES);
	assert_true(batch.dead_letters.used > MAX_BYTES);
	assert_progress(&batch, 0, 100, offset, 0, offset - 100, 0);
	assert_dead_letter(&batch, batch.dead_letter_count, "London", offset - 1,
					   "junk", NOW_US);
	batch_free(&batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_offset_is_counted_once),
		cmocka_unit_test(reasons_and_times_are_kept),
		cmocka_unit_test(the_last_message_is_kept_from_batch_to_batch),
		cmocka_unit_test(the_last_messages_mark_is_whole),
		cmocka_unit_test(messages_delivered_twice_are_dropped),
		cmocka_unit_test(skipped_offsets_alone_are_content),
		cmocka_unit_test(a_batch_goes_on_where_the_last_one_ended),
		cmocka_unit_test(full_by_messages),
		cmocka_unit_test(full_by_bytes),
		cmocka_unit_test(full_by_days),
		cmocka_unit_test(dead_letters_do_not_count_as_days),
		cmocka_unit_test(a_huge_payload_is_kept_whole),
		cmocka_unit_test(dead_letters_hold_what_was_there),
		cmocka_unit_test(refused_rows_become_dead_letters),
		cmocka_unit_test(a_sieve_that_ends_early_leaves_a_whole_batch),
		cmocka_unit_test(rows_refused_in_succession_are_counted),
		cmocka_unit_test(a_run_does_not_go_on_in_the_next_round),
		cmocka_unit_test(a_whole_batch_can_be_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
