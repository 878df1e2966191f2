/*
 * Exact sums of any amounts and of their squares, from which amounts can be
 * taken away again.
 *
 * What is a number of units is summed in a 128-bit integer; should that
 * overflow, it is emptied into a numeric, where everything that has too many
 * digits for units is summed as well.  The sum is what both hold together.
 * NaN and infinities could not be taken away again, so they are counted.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "exact_sum.h"

void
exact_sum_init(ExactSum *sum)
{
	memset(sum, 0, sizeof(*sum));
	sum->fraction = 1;			/* the units of an Amount */
}

void
exact_sum_init_squares(ExactSum *sum)
{
	exact_sum_init(sum);
	sum->fraction = 2;			/* and their squares */
}

bool
exact_sum_is_special(const ExactSum *sum)
{
	return sum->nans > 0 || sum->infinities > 0 ||
		sum->negative_infinities > 0;
}

bool
exact_sum_is_valid(const ExactSum *sum, int64 terms)
{
	return (sum->fraction == 1 || sum->fraction == 2) &&
		sum->nans >= 0 && sum->infinities >= 0 &&
		sum->negative_infinities >= 0 &&
		sum->nans + sum->infinities + sum->negative_infinities <= terms &&
		(terms > 0 || sum->big != NULL || sum->units == 0);
}

/* Allocated in the current context. */
static Numeric
units_to_numeric(const ExactSum *sum, int decimals)
{
	AmountBuffer buffer;

	return DatumGetNumericCopy(amount_wide_to_datum(sum->units, sum->fraction,
													decimals, &buffer));
}

static void
add_big(ExactSum *sum, Numeric term, int sign)
{
	Numeric		old = sum->big != NULL ? sum->big : int64_to_numeric(0);

	sum->big = sign > 0 ? numeric_add_opt_error(old, term, NULL) :
		numeric_sub_opt_error(old, term, NULL);
	pfree(old);
}

static void
add_units(ExactSum *sum, int128 units)
{
	int128		result;

	if (__builtin_add_overflow(sum->units, units, &result))
	{
		Numeric		full = units_to_numeric(sum, 4 * sum->fraction);

		add_big(sum, full, 1);
		pfree(full);
		result = units;
	}
	sum->units = result;
}

static void
count_special(ExactSum *sum, Numeric special, int sign)
{
	Numeric		zero;

	if (numeric_is_nan(special))
	{
		sum->nans += sign;
		return;
	}
	zero = int64_to_numeric(0);
	if (DatumGetBool(DirectFunctionCall2(numeric_gt,
										 NumericGetDatum(special),
										 NumericGetDatum(zero))))
		sum->infinities += sign;
	else
		sum->negative_infinities += sign;
	pfree(zero);
}

static void
check_decimals(int decimals)
{
	if (decimals > EXACT_SUM_MAX_DECIMALS)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("amount has %d decimals, more than %d",
						decimals, EXACT_SUM_MAX_DECIMALS)));
}

static inline bool
is_special(Numeric value)
{
	return numeric_is_nan(value) || numeric_is_inf(value);
}

void
exact_sum_amount(ExactSum *sum, const Amount *amount, int sign)
{
	if (amount->big == NULL)
	{
		add_units(sum, sign * (int128) amount->units);
		return;
	}
	check_decimals(amount->decimals);
	if (is_special(amount->big))
		count_special(sum, amount->big, sign);
	else
		add_big(sum, amount->big, sign);
}

/* The square of a special value is of no use to anybody, so it is NaN. */
void
exact_sum_square(ExactSum *sum, const Amount *amount, int sign)
{
	Numeric		square;

	if (amount->big == NULL)
	{
		add_units(sum, sign * ((int128) amount->units * amount->units));
		return;
	}
	if (is_special(amount->big))
	{
		sum->nans += sign;
		return;
	}
	square = numeric_mul_opt_error(amount->big, amount->big, NULL);
	add_big(sum, square, sign);
	pfree(square);
}

void
exact_sum_add(ExactSum *sum, Numeric other)
{
	int128		units;

	if (amount_wide_from_datum(&units, sum->fraction, NumericGetDatum(other)))
		add_units(sum, units);
	else if (is_special(other))
		count_special(sum, other, 1);
	else
		add_big(sum, other, 1);
}

static Numeric
special_value(const ExactSum *sum)
{
	const char *text = sum->negative_infinities > 0 ? "-Infinity" : "Infinity";

	if (sum->nans > 0 ||
		(sum->infinities > 0 && sum->negative_infinities > 0))
		text = "NaN";
	return DatumGetNumeric(DirectFunctionCall3(numeric_in,
											   CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid),
											   Int32GetDatum(-1)));
}

/* Its display scale is of no meaning. */
static Numeric
exact_value(const ExactSum *sum)
{
	Numeric		units;
	Numeric		value;

	if (exact_sum_is_special(sum))
		return special_value(sum);
	units = units_to_numeric(sum, 4 * sum->fraction);
	if (sum->big == NULL)
		return units;
	value = numeric_add_opt_error(units, sum->big, NULL);
	pfree(units);
	return value;
}

/* numeric_round() only sets the decimals: what it cuts off are zeros. */
Numeric
exact_sum_value(const ExactSum *sum, int decimals)
{
	Datum		exact;

	if (sum->big == NULL && decimals <= AMOUNT_MAX_DECIMALS &&
		!exact_sum_is_special(sum))
		return units_to_numeric(sum, decimals);
	exact = NumericGetDatum(exact_value(sum));
	return DatumGetNumeric(DirectFunctionCall2(numeric_round, exact,
											   Int32GetDatum(decimals)));
}

int
exact_sum_compare(const ExactSum *a, const ExactSum *b)
{
	Numeric		left;
	Numeric		right;
	int			order;

	if (a->big == NULL && b->big == NULL &&
		!exact_sum_is_special(a) && !exact_sum_is_special(b))
		return (a->units > b->units) - (a->units < b->units);
	left = exact_value(a);
	right = exact_value(b);
	order = DatumGetInt32(DirectFunctionCall2(numeric_cmp,
											  NumericGetDatum(left),
											  NumericGetDatum(right)));
	pfree(left);
	pfree(right);
	return order;
}

void
exact_sum_copy(ExactSum *copy, const ExactSum *sum)
{
	if (copy->big != NULL)
		pfree(copy->big);
	*copy = *sum;
	if (sum->big != NULL)
		copy->big = DatumGetNumericCopy(NumericGetDatum(sum->big));
}
