/*
 * The best amount of rows that come and go in the same order.
 *
 * A row that is followed by a better one will never be the best again, so only
 * those that are not are kept: best first, and oldest first.  Each row comes
 * once and goes once, hence a row costs constant time on average.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "extreme.h"

#define FIRST_ROOM 16

void
extreme_init(Extreme *extreme, ExtremeBeats beats)
{
	extreme->beats = beats;
	extreme->ring = palloc0(FIRST_ROOM * sizeof(ExtremeCandidate));
	extreme->room = FIRST_ROOM;
	extreme->first = 0;
	extreme->count = 0;
}

static inline ExtremeCandidate *
candidate(const Extreme *extreme, uint32 place)
{
	return &extreme->ring[(extreme->first + place) & (extreme->room - 1)];
}

bool
extreme_is_valid(const Extreme *extreme, int64 rows)
{
	const ExtremeCandidate *last;
	const ExtremeCandidate *before;

	if ((extreme->room & (extreme->room - 1)) != 0 ||
		extreme->count > extreme->room || extreme->first >= extreme->room ||
		extreme->count > rows || (extreme->count == 0) != (rows == 0))
		return false;
	if (extreme->count < 2)
		return true;
	/* of the others this was found when they were the last ones */
	last = candidate(extreme, extreme->count - 1);
	before = candidate(extreme, extreme->count - 2);
	return before->row < last->row &&
		extreme->beats(&before->amount, &last->amount);
}

static void
grow(Extreme *extreme)
{
	Size		half = extreme->room * sizeof(ExtremeCandidate);
	ExtremeCandidate *ring = MemoryContextAllocHuge(CurrentMemoryContext,
													2 * half);
	uint32		tail = extreme->room - extreme->first;

	memcpy(ring, extreme->ring + extreme->first,
		   tail * sizeof(ExtremeCandidate));
	memcpy(ring + tail, extreme->ring,
		   extreme->first * sizeof(ExtremeCandidate));
	memset((char *) ring + half, 0, half);
	pfree(extreme->ring);
	extreme->ring = ring;
	extreme->room *= 2;
	extreme->first = 0;
}

void
extreme_add(Extreme *extreme, int64 row, const Amount *amount)
{
	ExtremeCandidate *place;

	while (extreme->count > 0)
	{
		place = candidate(extreme, extreme->count - 1);
		if (extreme->beats(&place->amount, amount))
			break;
		amount_free(&place->amount);
		extreme->count--;
	}
	if (extreme->count == extreme->room)
		grow(extreme);
	place = candidate(extreme, extreme->count++);
	place->row = row;
	amount_copy(&place->amount, amount);
}

void
extreme_forget(Extreme *extreme, int64 oldest)
{
	while (extreme->count > 0 && candidate(extreme, 0)->row < oldest)
	{
		amount_free(&candidate(extreme, 0)->amount);
		extreme->first = (extreme->first + 1) & (extreme->room - 1);
		extreme->count--;
	}
}

const Amount *
extreme_best(const Extreme *extreme)
{
	Assert(extreme->count > 0);
	return &candidate(extreme, 0)->amount;
}
