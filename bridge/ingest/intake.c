/*
 * Judges a message: the codec first, then its time.
 */
#include "intake.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

/* Event times are kept within years of four digits, 0001 to 9999. */
#define EVENT_TIME_FIRST_MS (-INT64_C(62135596800000))
#define EVENT_TIME_LAST_MS INT64_C(253402300799999)

static BatchResult add_refused(const Intake *intake, Batch *batch, size_t slot,
							   const BatchMessage *message,
							   const DeadLetter *letter);
static EventTime time_of(const BatchMessage *message);
static RecordVerdict check_time(const Intake *intake,
								const BatchMessage *message,
								const EventTime *time,
								const RecordDetail *detail);

RecordVerdict
intake_judge(const Intake *intake, const BatchMessage *message,
			 Record *record, const RecordDetail *detail)
{
	RecordVerdict verdict = codec_decode(intake->codec, message->payload,
										 message->payload_bytes, record,
										 detail);

	if (!codec_tells_time(intake->codec))
		record->time = time_of(message);
	if (verdict == FINTRANS_ACCEPTED)
		verdict = check_time(intake, message, &record->time, detail);
	return verdict;
}

BatchResult
intake_add(const Intake *intake, Batch *batch, size_t slot,
		   const BatchMessage *message, RecordVerdict *verdict)
{
	Record		record;
	char		text[RECORD_DETAIL_BYTES];
	const RecordDetail detail = {text, sizeof(text)};
	DeadLetter	letter = {.detail = text};

	*verdict = intake_judge(intake, message, &record, &detail);
	if (*verdict == FINTRANS_ACCEPTED)
		return batch_add_row(batch, slot, message, &record);
	letter.verdict = *verdict;
	letter.reason = intake->older_reasons ? record_older_reason(*verdict) :
		record_reason(*verdict);
	letter.time = record.time;
	return add_refused(intake, batch, slot, message, &letter);
}

static BatchResult
add_refused(const Intake *intake, Batch *batch, size_t slot,
			const BatchMessage *message, const DeadLetter *letter)
{
	BatchResult result;

	if (intake->breaker != NULL &&
		message->offset >= batch->progress[slot].next_offset &&
		breaker_trips(intake->breaker, slot, message->offset))
		return BATCH_TRIPPED;
	result = batch_add_dead_letter(batch, slot, message, letter);
	if (result == BATCH_ADDED && intake->breaker != NULL &&
		!breaker_note(intake->breaker, slot, message->offset))
		return BATCH_NO_MEMORY;
	return result;
}

/* Kafka's timestamp; one too far for microseconds is as far as can be. */
static EventTime
time_of(const BatchMessage *message)
{
	EventTime	time = {.is_set = message->has_event_time};

	if (__builtin_mul_overflow(message->event_time_ms, 1000, &time.us))
		time.us = message->event_time_ms < 0 ? INT64_MIN : INT64_MAX;
	return time;
}

static RecordVerdict
check_time(const Intake *intake, const BatchMessage *message,
		   const EventTime *time, const RecordDetail *detail)
{
	bool		is_told = codec_tells_time(intake->codec);
	int64_t		ms = is_told ? event_time_ms(time) : message->event_time_ms;

	if (!time->is_set)
		return record_refuse(detail, FINTRANS_REJECT_BAD_TIME,
							 "the message has no timestamp");
	if (ms >= intake->time_from_ms && ms >= EVENT_TIME_FIRST_MS &&
		ms <= intake->time_to_ms && ms <= EVENT_TIME_LAST_MS)
		return FINTRANS_ACCEPTED;
	return record_refuse(detail, FINTRANS_REJECT_BAD_TIME,
						 "%s %" PRId64 " ms is outside the accepted range",
						 is_told ? "time" : "timestamp", ms);
}
