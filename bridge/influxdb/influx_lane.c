/*
 * Moves the offsets of a lane.
 */
#include "influx_lane.h"

#include <stdlib.h>
#include <string.h>

bool
influx_lane_init(InfluxLane *lane, const char *topic, int32_t partition,
				 int64_t committed)
{
	memset(lane, 0, sizeof(*lane));
	lane->topic = strdup(topic);
	lane->letters = malloc(INFLUX_LANE_LETTERS * sizeof(*lane->letters));
	lane->partition = partition;
	lane->committed = committed;
	lane->may_have_letters = true;
	lane->kept = -1;
	return lane->topic != NULL && lane->letters != NULL;
}

void
influx_lane_free(InfluxLane *lane)
{
	free(lane->topic);
	free(lane->letters);
}

void
influx_lane_begin(InfluxLane *lane, int64_t kept, int64_t first)
{
	int64_t		from = first >= 0 ? first : lane->committed;

	if (kept > from)
		from = kept;
	lane->kept = kept;
	lane->next = from;
	lane->sent = from;
	lane->cleared = from < lane->committed ? from : lane->committed;
}

void
influx_lane_commit(InfluxLane *lane, int64_t committed, bool may_have_letters)
{
	lane->may_have_letters = lane->may_have_letters || may_have_letters;
	lane->committed = committed;
	/* a standby that was promoted may have gone back */
	if (!lane->may_have_letters || committed < lane->cleared)
		lane->cleared = committed;
}

bool
influx_lane_wants_letters(const InfluxLane *lane)
{
	return lane->may_have_letters && lane->next >= lane->cleared &&
		lane->next < lane->committed;
}

void
influx_lane_take_letters(InfluxLane *lane, size_t count)
{
	lane->letter_count = count;
	lane->letter_at = 0;
	lane->may_have_letters = count == INFLUX_LANE_LETTERS;
	lane->cleared = lane->committed;
	if (lane->may_have_letters && lane->letters[count - 1] < lane->committed)
		lane->cleared = lane->letters[count - 1] + 1;
}

bool
influx_lane_is_letter(InfluxLane *lane, int64_t offset)
{
	while (lane->letter_at < lane->letter_count &&
		   lane->letters[lane->letter_at] < offset)
		lane->letter_at++;
	return lane->letter_at < lane->letter_count &&
		lane->letters[lane->letter_at] == offset;
}

bool
influx_lane_advance(InfluxLane *lane, int64_t offset)
{
	if (offset > lane->cleared)
		offset = lane->cleared;
	if (offset <= lane->next)
		return false;
	lane->next = offset;
	return true;
}
