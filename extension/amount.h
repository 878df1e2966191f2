/*
 * Exact sums of numeric amounts, in machine integers while they fit.
 *
 * Nearly every amount and total has at most four decimals and stays below
 * 9 * 10^14: such a value is held as an int64 of ten-thousandths.  All others
 * are held as numeric.  Both ways are exact; only the speed differs.
 */
#ifndef FINTRANS_AMOUNT_H
#define FINTRANS_AMOUNT_H

#include "utils/numeric.h"

#ifndef HAVE_INT128
#error "fintrans needs a compiler with 128-bit integers"
#endif

typedef struct Amount
{
	int64		units;			/* ten-thousandths; valid while big is NULL */
	int			decimals;		/* display scale, as numeric addition keeps it */
	bool		owned;			/* big was allocated for this Amount */
	Numeric		big;			/* the value where units cannot hold it */
} Amount;

/* Most decimals of an Amount without big. */
#define AMOUNT_MAX_DECIMALS 63

/* Room for the numeric form of any Amount without big. */
typedef union AmountBuffer
{
	int32		alignment;
	char		bytes[32];
} AmountBuffer;

/*
 * big, if any, may point into value: keep value as long as the Amount.  What
 * the Amount was before is forgotten.
 */
extern void amount_from_datum(Amount *amount, Datum value);

/* Likewise, of a whole number below 2^63 / 10^4. */
extern void amount_from_integer(Amount *amount, int64 value);

/* Give back what the Amount has allocated; it is 0 then. */
extern void amount_free(Amount *amount);

/*
 * copy = amount, with a big of its own in the current context.  The copy must
 * be an Amount already (all zeros will do).
 */
extern void amount_copy(Amount *copy, const Amount *amount);

/* sum += term or sum -= term; may allocate in the current context. */
extern void amount_add(Amount *sum, const Amount *term);
extern void amount_subtract(Amount *sum, const Amount *term);

/* Below, equal to or above zero, as a compares with b. */
extern int	amount_compare(const Amount *a, const Amount *b);

/* The numeric: in buffer, or big itself. */
extern Datum amount_to_datum(const Amount *amount, AmountBuffer *buffer);

/*
 * The same for what needs more room than an Amount: units of which a 1 is
 * 10000^-fraction.  Values of more digits are not read, nor those that are no
 * whole number of units: the result is false then.  Written are at most
 * AMOUNT_MAX_DECIMALS decimals.
 */
#define AMOUNT_WIDE_DIGITS 9	/* in base 10000; 10^36 is below 2^127 */

extern bool amount_wide_from_datum(int128 *units, int fraction, Datum value);
extern Datum amount_wide_to_datum(int128 units, int fraction, int decimals,
								  AmountBuffer *buffer);

/* The nearest double: to compare amounts, never to add them up. */
extern double amount_to_double(const Amount *amount);

#endif							/* FINTRANS_AMOUNT_H */
