/*
 * Timestamp and checksum decide.  The checksum is short on purpose: one in
 * 65536 other messages of the same millisecond goes unnoticed, and whoever may
 * read it cannot tell which of the many payloads it could stand for was there.
 */
#include "message_mark.h"

#include <inttypes.h>
#include <stdio.h>
#include <zlib.h>

#include "batch.h"

#define CHECKSUM_MASK 0xffff

MessageMark
message_mark_of(const BatchMessage *message)
{
	MessageMark mark = message_mark_begin(message);

	mark.checksum = message_mark_checksum(message->payload,
										  message->payload_bytes);
	return mark;
}

MessageMark
message_mark_begin(const BatchMessage *message)
{
	return (MessageMark)
	{
		.is_set = true,
		.has_event_time = message->has_event_time,
		.offset = message->offset,
		.event_time_ms = message->has_event_time ? message->event_time_ms : 0
	};
}

int32_t
message_mark_checksum(const void *payload, size_t bytes)
{
	return (int32_t) (crc32_z(0, payload, bytes) & CHECKSUM_MASK);
}

MarkVerdict
message_mark_judge(const MessageMark *mark, int64_t next_offset,
				   const BatchMessage *message, char *reason,
				   size_t reason_size)
{
	MessageMark found = message_mark_of(message);
	const char *what = NULL;

	/* compaction or retention has taken the marked one: nothing can be said */
	if (message->offset >= next_offset)
		return MARK_PASSED;
	if (message->offset != mark->offset)
		what = "exists, and did not when it was passed over";
	else if (found.has_event_time != mark->has_event_time ||
			 found.event_time_ms != mark->event_time_ms)
		what = "has another timestamp than the one that was loaded";
	else if (found.checksum != mark->checksum)
		what = "has another payload than the one that was loaded";
	if (what == NULL)
		return MARK_SEEN;
	snprintf(reason, reason_size,
			 "topic was made anew: the message at offset %" PRId64 " %s",
			 message->offset, what);
	return MARK_REPLACED;
}
