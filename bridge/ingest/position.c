/*
 * The rules of position.h.  A gap is never passed over in silence: either the
 * operator has allowed it, or the partition halts and says what is lost.
 */
#include "position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool
position_is_known(const PositionBounds *bounds)
{
	return bounds->low_watermark >= 0 && bounds->high_watermark >= 0;
}

PositionVerdict
position_judge(int64_t next_offset, const PositionBounds *bounds,
			   bool skip_lost, char *reason, size_t reason_size)
{
	if (!position_is_known(bounds))
		return POSITION_UNKNOWN;
	if (next_offset > bounds->high_watermark)
	{
		snprintf(reason, reason_size,
				 "topic was re-created or truncated: loaded up to offset %" PRId64
				 ", but the partition ends at %" PRId64,
				 next_offset, bounds->high_watermark);
		return POSITION_AHEAD;
	}
	if (next_offset >= bounds->low_watermark)
		return POSITION_GO_ON;
	snprintf(reason, reason_size,
			 "offsets %" PRId64 " to %" PRId64 " (%" PRId64
			 ") were deleted before they were loaded",
			 next_offset, bounds->low_watermark - 1,
			 bounds->low_watermark - next_offset);
	return skip_lost ? POSITION_SKIP : POSITION_LOST;
}

bool
position_is_of_other_topic(const char *id_read, const char *id_now)
{
	return *id_read != '\0' && *id_now != '\0' &&
		strcmp(id_read, id_now) != 0;
}

bool
position_is_halt(PositionVerdict verdict)
{
	return verdict == POSITION_LOST || verdict == POSITION_AHEAD ||
		verdict == POSITION_REPLACED || verdict == POSITION_TRIPPED;
}

int64_t
position_fetch_from(PositionVerdict verdict, int64_t next_offset,
					const MessageMark *last, const PositionBounds *bounds)
{
	if (verdict == POSITION_SKIP)
		return bounds->low_watermark;
	/* somebody may have set the position back */
	if (last->is_set && last->offset >= bounds->low_watermark &&
		last->offset < next_offset)
		return last->offset;
	return next_offset;
}

int64_t
position_first(const StartPoint *start, bool topic_is_known,
			   const PositionBounds *bounds, int64_t offset_at_time)
{
	if (topic_is_known || start->kind == START_EARLIEST)
		return bounds->low_watermark;
	if (start->kind == START_LATEST || offset_at_time < 0)
		return bounds->high_watermark;
	return offset_at_time;
}
