/*
 * The best amount of rows that come and go in the same order.
 */
#ifndef FINTRANS_EXTREME_H
#define FINTRANS_EXTREME_H

#include "amount.h"

typedef bool (*ExtremeBeats) (const Amount *amount, const Amount *other);

typedef struct ExtremeCandidate
{
	int64		row;			/* its number */
	Amount		amount;			/* with a big of its own */
} ExtremeCandidate;

typedef struct Extreme
{
	ExtremeBeats beats;			/* is an amount better than another? */
	ExtremeCandidate *ring;		/* each beaten by the ones before it */
	uint32		room;			/* of ring: a power of two */
	uint32		first;			/* where in ring the best one is */
	uint32		count;			/* of candidates */
} Extreme;

/* In the current context, which must be that of all later calls as well. */
extern void extreme_init(Extreme *extreme, ExtremeBeats beats);

/* Rows come with rising numbers, and go by saying which one is the oldest. */
extern void extreme_add(Extreme *extreme, int64 row, const Amount *amount);
extern void extreme_forget(Extreme *extreme, int64 oldest);

/* Is this the best of so many rows? */
extern bool extreme_is_valid(const Extreme *extreme, int64 rows);

/* The best of the rows there are; there must be one. */
extern const Amount *extreme_best(const Extreme *extreme);

#endif							/* FINTRANS_EXTREME_H */
