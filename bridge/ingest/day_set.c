/*
 * A sorted array with binary search.
 */
#include "day_set.h"

#include <string.h>

static size_t place_of(const DaySet *set, int32_t day);

void
day_set_clear(DaySet *set)
{
	set->count = 0;
}

bool
day_set_has(const DaySet *set, int32_t day)
{
	size_t		place = place_of(set, day);

	return place < set->count && set->days[place] == day;
}

void
day_set_add(DaySet *set, int32_t day)
{
	size_t		place;

	if (day_set_has(set, day))
		return;
	if (set->count == DAY_SET_MAX)
		day_set_clear(set);
	place = place_of(set, day);
	memmove(set->days + place + 1, set->days + place,
			(set->count - place) * sizeof(*set->days));
	set->days[place] = day;
	set->count++;
}

/* Index of the first day that is not earlier. */
static size_t
place_of(const DaySet *set, int32_t day)
{
	size_t		low = 0;
	size_t		high = set->count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (set->days[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
