/*
 * Repeated transfers: several similar amounts between one pair of accounts
 * within a window.
 */
#ifndef FINTRANS_REPEATS_H
#define FINTRANS_REPEATS_H

#include "transfers.h"

typedef struct RepeatRule
{
	int			minimum;		/* transfers; at least 2 */
	int64		window;			/* microseconds that last - first is below */
	double		spread;			/* the largest amount exceeds the smallest by
								 * at most this share of it */
} RepeatRule;

typedef struct Repeat
{
	Transfer  **items;			/* sorted by time */
	int			count;
	double		low;			/* smallest and largest amount */
	double		high;
} Repeat;

/*
 * Find the repeats among the transfers of one pair, which are sorted by time
 * and whose order this changes.  Fills repeats, which has room for half as
 * many as there are transfers; returns their number.
 */
extern int	repeats_find(Transfer **items, int count, const RepeatRule *rule,
						 Repeat *repeats);

/* How many transfers from the first on lie within the window it begins. */
extern int	repeats_window(Transfer *const *items, int count, int64 window);

#endif							/* FINTRANS_REPEATS_H */
