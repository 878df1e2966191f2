/*
 * Exact sums of any amounts and of their squares, from which amounts can be
 * taken away again.
 */
#ifndef FINTRANS_EXACT_SUM_H
#define FINTRANS_EXACT_SUM_H

#include "amount.h"

/* As many as a column can be declared with. */
#define EXACT_SUM_MAX_DECIMALS 1000

typedef struct ExactSum
{
	int			fraction;		/* a unit is 10000^-fraction */
	int128		units;			/* the sum of what is a number of units */
	Numeric		big;			/* the sum of all else; NULL is 0 */
	int64		nans;			/* terms that have no finite value */
	int64		infinities;
	int64		negative_infinities;
} ExactSum;

extern void exact_sum_init(ExactSum *sum);
extern void exact_sum_init_squares(ExactSum *sum);

/*
 * Add an amount (sign 1) or take it away (sign -1); may allocate in the
 * current context.  The second is for sums of squares.
 */
extern void exact_sum_amount(ExactSum *sum, const Amount *amount, int sign);
extern void exact_sum_square(ExactSum *sum, const Amount *amount, int sign);

/* Is this the sum of so many terms? */
extern bool exact_sum_is_valid(const ExactSum *sum, int64 terms);

/* Has a term, and so the sum, no finite value? */
extern bool exact_sum_is_special(const ExactSum *sum);

/* Add what exact_sum_value() has made of another sum of the same kind. */
extern void exact_sum_add(ExactSum *sum, Numeric other);

/* Below, equal to or above zero, as a compares with b. */
extern int	exact_sum_compare(const ExactSum *a, const ExactSum *b);

/* copy = sum, in the current context; the copy must be a sum already. */
extern void exact_sum_copy(ExactSum *copy, const ExactSum *sum);

/*
 * The sum, allocated in the current context, with so many decimals; it must
 * not have more.  As with PostgreSQL's sum(), an infinity prevails over finite
 * terms, and NaN, also for infinities of both signs, over all.
 */
extern Numeric exact_sum_value(const ExactSum *sum, int decimals);

#endif							/* FINTRANS_EXACT_SUM_H */
