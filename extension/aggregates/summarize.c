/*
 * The aggregates fintrans_summary() and fintrans_rollup(), which make
 * summaries of amounts and of other summaries.
 *
 * The moving form of the first, for window functions, takes amounts away again
 * in the order they came.  The sums subtract them; what is largest or smallest
 * of the rest is found by extreme.c, so no window is ever summed up anew.
 */
#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"

#include "aggregate.h"
#include "exact_sum.h"
#include "extreme.h"
#include "summary.h"

PG_FUNCTION_INFO_V1(fintrans_summary_add);
PG_FUNCTION_INFO_V1(fintrans_rollup_add);
PG_FUNCTION_INFO_V1(fintrans_summary_combine);
PG_FUNCTION_INFO_V1(fintrans_summary_serialize);
PG_FUNCTION_INFO_V1(fintrans_summary_deserialize);
PG_FUNCTION_INFO_V1(fintrans_summary_final);
PG_FUNCTION_INFO_V1(fintrans_summary_enter);
PG_FUNCTION_INFO_V1(fintrans_summary_leave);
PG_FUNCTION_INFO_V1(fintrans_summary_moving_final);

typedef struct Sums
{
	int64		count;			/* of amounts */
	ExactSum	total;			/* of the amounts */
	ExactSum	squares;		/* of their squares */
} Sums;

typedef struct SummaryState
{
	MemoryContext context;		/* of all that follows */
	Sums		sums;			/* of all amounts so far */
	int			decimals;		/* most of any amount */
	Amount		minimum;		/* these two if there is an amount, */
	Amount		maximum;		/* with bigs of their own */
} SummaryState;

typedef struct MovingState
{
	MemoryContext context;		/* of all that follows */
	Sums		sums;			/* of the rows now in the window */
	int64		rows;			/* that ever came */
	Extreme		decimals;		/* the amount that has most */
	Extreme		minimum;		/* the smallest */
	Extreme		maximum;		/* the largest */
} MovingState;

/*
 * Equal amounts with different decimals have an order as well, so that the
 * result does not depend on the order of rows.
 */
static bool
is_finer(const Amount *amount, const Amount *other)
{
	return amount->decimals > other->decimals;
}

static bool
is_lower(const Amount *amount, const Amount *other)
{
	int			order = amount_compare(amount, other);

	return order < 0 || (order == 0 && is_finer(amount, other));
}

static bool
is_higher(const Amount *amount, const Amount *other)
{
	int			order = amount_compare(amount, other);

	return order > 0 || (order == 0 && is_finer(amount, other));
}

/* ------------------------------------------------------------- sums */

static void
sums_init(Sums *sums)
{
	sums->count = 0;
	exact_sum_init(&sums->total);
	exact_sum_init_squares(&sums->squares);
}

#ifdef USE_ASSERT_CHECKING
static bool
sums_are_valid(const Sums *sums)
{
	return sums->count >= 0 &&
		exact_sum_is_valid(&sums->total, sums->count) &&
		exact_sum_is_valid(&sums->squares, sums->count) &&
		exact_sum_is_special(&sums->total) ==
		exact_sum_is_special(&sums->squares);
}
#endif

/* sign is 1 for an amount that comes and -1 for one that goes. */
static void
sums_move(Sums *sums, const Amount *amount, int sign)
{
	sums->count += sign;
	exact_sum_amount(&sums->total, amount, sign);
	exact_sum_square(&sums->squares, amount, sign);
}

static Datum
make_summary(const Sums *sums, int decimals, const Amount *minimum,
			 const Amount *maximum)
{
	AmountBuffer buffers[2];
	Summary		summary;

	summary.count = sums->count;
	summary.parts[SUMMARY_TOTAL] = exact_sum_value(&sums->total, decimals);
	summary.parts[SUMMARY_SQUARES] = exact_sum_value(&sums->squares,
													 2 * decimals);
	summary.parts[SUMMARY_MINIMUM] =
		DatumGetNumeric(amount_to_datum(minimum, &buffers[0]));
	summary.parts[SUMMARY_MAXIMUM] =
		DatumGetNumeric(amount_to_datum(maximum, &buffers[1]));
	return summary_store(&summary);
}

/* -------------------------------------------------- amounts that stay */

static SummaryState *
state_open(MemoryContext context)
{
	SummaryState *state = MemoryContextAllocZero(context,
												 sizeof(SummaryState));

	state->context = context;
	sums_init(&state->sums);
	return state;
}

#ifdef USE_ASSERT_CHECKING
static bool
state_is_valid(const SummaryState *state)
{
	return sums_are_valid(&state->sums) && state->sums.count > 0 &&
		state->decimals >= 0 &&
		amount_compare(&state->minimum, &state->maximum) <= 0;
}
#endif

/* In the state's context, and before they are counted. */
static void
state_compare(SummaryState *state, const Amount *minimum,
			  const Amount *maximum)
{
	if (state->sums.count == 0 || is_lower(minimum, &state->minimum))
		amount_copy(&state->minimum, minimum);
	if (state->sums.count == 0 || is_higher(maximum, &state->maximum))
		amount_copy(&state->maximum, maximum);
}

static void
state_add_amount(SummaryState *state, const Amount *amount)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);

	state_compare(state, amount, amount);
	state->decimals = Max(state->decimals, amount->decimals);
	sums_move(&state->sums, amount, 1);
	MemoryContextSwitchTo(old);
	Assert(state_is_valid(state));
}

static void
state_add_summary(SummaryState *state, const Summary *summary)
{
	Amount		total;
	Amount		minimum;
	Amount		maximum;
	MemoryContext old;

	amount_from_datum(&total, NumericGetDatum(summary->parts[SUMMARY_TOTAL]));
	amount_from_datum(&minimum,
					  NumericGetDatum(summary->parts[SUMMARY_MINIMUM]));
	amount_from_datum(&maximum,
					  NumericGetDatum(summary->parts[SUMMARY_MAXIMUM]));
	old = MemoryContextSwitchTo(state->context);
	state_compare(state, &minimum, &maximum);
	state->decimals = Max(state->decimals, total.decimals);
	if (pg_add_s64_overflow(state->sums.count, summary->count,
							&state->sums.count))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("count of amounts is out of range")));
	exact_sum_add(&state->sums.total, summary->parts[SUMMARY_TOTAL]);
	exact_sum_add(&state->sums.squares, summary->parts[SUMMARY_SQUARES]);
	MemoryContextSwitchTo(old);
	Assert(state_is_valid(state));
}

static Datum
state_summary(const SummaryState *state)
{
	return make_summary(&state->sums, state->decimals, &state->minimum,
						&state->maximum);
}

Datum
fintrans_summary_add(PG_FUNCTION_ARGS)
{
	SummaryState *state = AGGREGATE_STATE(0);
	Amount		amount;

	if (PG_ARGISNULL(1))
		AGGREGATE_RETURN(state);
	if (state == NULL)
		state = state_open(aggregate_context(fcinfo));
	amount_from_datum(&amount, PG_GETARG_DATUM(1));
	state_add_amount(state, &amount);
	PG_RETURN_POINTER(state);
}

Datum
fintrans_rollup_add(PG_FUNCTION_ARGS)
{
	SummaryState *state = AGGREGATE_STATE(0);
	Summary		summary;

	if (PG_ARGISNULL(1))
		AGGREGATE_RETURN(state);
	if (state == NULL)
		state = state_open(aggregate_context(fcinfo));
	summary_load(&summary, PG_GETARG_DATUM(1));
	state_add_summary(state, &summary);
	PG_RETURN_POINTER(state);
}

Datum
fintrans_summary_combine(PG_FUNCTION_ARGS)
{
	SummaryState *state = AGGREGATE_STATE(0);
	SummaryState *other = AGGREGATE_STATE(1);
	Summary		summary;

	if (other == NULL)
		AGGREGATE_RETURN(state);
	if (state == NULL)
		state = state_open(aggregate_context(fcinfo));
	summary_load(&summary, state_summary(other));
	state_add_summary(state, &summary);
	PG_RETURN_POINTER(state);
}

/* A summary says all that is in a state. */
Datum
fintrans_summary_serialize(PG_FUNCTION_ARGS)
{
	aggregate_context(fcinfo);
	PG_RETURN_DATUM(state_summary((SummaryState *) PG_GETARG_POINTER(0)));
}

Datum
fintrans_summary_deserialize(PG_FUNCTION_ARGS)
{
	Datum		aligned = PointerGetDatum(PG_GETARG_BYTEA_P_COPY(0));
	SummaryState *state;
	Summary		summary;

	aggregate_context(fcinfo);
	state = state_open(CurrentMemoryContext);
	summary_load(&summary, aligned);
	state_add_summary(state, &summary);
	PG_RETURN_POINTER(state);
}

Datum
fintrans_summary_final(PG_FUNCTION_ARGS)
{
	SummaryState *state = AGGREGATE_STATE(0);

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(state_summary(state));
}

/* ----------------------------------------------- amounts that go again */

static MovingState *
moving_open(MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	MovingState *state = palloc0(sizeof(MovingState));

	state->context = context;
	sums_init(&state->sums);
	extreme_init(&state->decimals, is_finer);
	extreme_init(&state->minimum, is_lower);
	extreme_init(&state->maximum, is_higher);
	MemoryContextSwitchTo(old);
	return state;
}

#ifdef USE_ASSERT_CHECKING
static bool
moving_is_valid(const MovingState *state)
{
	int64		count = state->sums.count;

	return sums_are_valid(&state->sums) && state->rows >= count &&
		extreme_is_valid(&state->decimals, count) &&
		extreme_is_valid(&state->minimum, count) &&
		extreme_is_valid(&state->maximum, count);
}
#endif

static void
moving_enter(MovingState *state, const Amount *amount)
{
	extreme_add(&state->decimals, state->rows, amount);
	extreme_add(&state->minimum, state->rows, amount);
	extreme_add(&state->maximum, state->rows, amount);
	state->rows++;
	sums_move(&state->sums, amount, 1);
	Assert(moving_is_valid(state));
}

static void
moving_leave(MovingState *state, const Amount *amount)
{
	int64		oldest;

	sums_move(&state->sums, amount, -1);
	oldest = state->rows - state->sums.count;
	extreme_forget(&state->decimals, oldest);
	extreme_forget(&state->minimum, oldest);
	extreme_forget(&state->maximum, oldest);
	Assert(moving_is_valid(state));
}

/* A moving state must not be NULL, even before the first amount. */
static Datum
moving_change(FunctionCallInfo fcinfo,
			  void (*change) (MovingState *, const Amount *))
{
	MovingState *state = AGGREGATE_STATE(0);
	MemoryContext old;
	Amount		amount;

	if (state == NULL)
		state = moving_open(aggregate_context(fcinfo));
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	amount_from_datum(&amount, PG_GETARG_DATUM(1));
	old = MemoryContextSwitchTo(state->context);
	change(state, &amount);
	MemoryContextSwitchTo(old);
	PG_RETURN_POINTER(state);
}

Datum
fintrans_summary_enter(PG_FUNCTION_ARGS)
{
	return moving_change(fcinfo, moving_enter);
}

Datum
fintrans_summary_leave(PG_FUNCTION_ARGS)
{
	return moving_change(fcinfo, moving_leave);
}

Datum
fintrans_summary_moving_final(PG_FUNCTION_ARGS)
{
	MovingState *state = AGGREGATE_STATE(0);

	if (state == NULL || state->sums.count == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(make_summary(&state->sums,
								 extreme_best(&state->decimals)->decimals,
								 extreme_best(&state->minimum),
								 extreme_best(&state->maximum)));
}
