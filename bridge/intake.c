/*
 * Judges a message: the parser first, then its time.
 */
#include "intake.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "record.h"

/* Event times are kept within years of four digits, 0001 to 9999. */
#define EVENT_TIME_FIRST_MS (-INT64_C(62135596800000))
#define EVENT_TIME_LAST_MS INT64_C(253402300799999)

static bool check_time(const Intake *intake, const BatchMessage *message,
					   char *detail, size_t detail_size);

BatchResult
intake_add(const Intake *intake, Batch *batch, size_t slot,
		   const BatchMessage *message)
{
	Record		record;
	char		detail[RECORD_DETAIL_BYTES];
	RecordVerdict verdict = record_parse(message->payload,
										 message->payload_bytes,
										 intake->currency, &record, detail,
										 sizeof(detail));

	if (verdict == FINTRANS_ACCEPTED &&
		!check_time(intake, message, detail, sizeof(detail)))
		verdict = FINTRANS_REJECT_BAD_TIME;
	if (verdict != FINTRANS_ACCEPTED)
		return batch_add_dead_letter(batch, slot, message, verdict, detail);
	return batch_add_row(batch, slot, message, &record);
}

static bool
check_time(const Intake *intake, const BatchMessage *message, char *detail,
		   size_t detail_size)
{
	int64_t		ms = message->event_time_ms;

	if (!message->has_event_time)
	{
		snprintf(detail, detail_size, "the message has no timestamp");
		return false;
	}
	if (ms < intake->time_from_ms || ms < EVENT_TIME_FIRST_MS ||
		ms > intake->time_to_ms || ms > EVENT_TIME_LAST_MS)
	{
		snprintf(detail, detail_size,
				 "timestamp %" PRId64 " ms is outside the accepted range",
				 ms);
		return false;
	}
	return true;
}
