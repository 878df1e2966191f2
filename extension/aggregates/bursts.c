/*
 * Bursts: the aggregates fintrans_velocity(), fintrans_peak() and
 * fintrans_just_below(), the most there is in any window of a given length.
 *
 * A window [t, t + length) begins at an event and is half-open: two events
 * exactly a length apart are not in one.  (With weights that are not negative
 * a window that begins elsewhere holds no more.)  Each event has a weight:
 * its amount, or 1 where events are counted.  The state is an array of them.
 * In the end they are sorted by time, unless they came so, and the window is
 * moved over them once.  States of several processes are merged in order.
 */
#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "aggregate.h"
#include "compat.h"
#include "exact_sum.h"

PG_FUNCTION_INFO_V1(fintrans_velocity_add);
PG_FUNCTION_INFO_V1(fintrans_peak_add);
PG_FUNCTION_INFO_V1(fintrans_just_below_add);
PG_FUNCTION_INFO_V1(fintrans_burst_combine);
PG_FUNCTION_INFO_V1(fintrans_burst_serialize);
PG_FUNCTION_INFO_V1(fintrans_burst_deserialize);
PG_FUNCTION_INFO_V1(fintrans_burst_number);
PG_FUNCTION_INFO_V1(fintrans_burst_total);

#define FIRST_ROOM 8

/* The share of a limit that is just below it, unless another one is given. */
#define DEFAULT_MARGIN {.units = 1000, .decimals = 1}

/*
 * The weight is the units of an Amount, or where they are not enough the
 * number of a big one, counted from the lowest integer there is.
 */
typedef struct Event
{
	TimestampTz time;			/* finite */
	int64		weight;			/* 1, units or BIG_WEIGHT() */
} Event;

#define MAX_BIGS PG_INT32_MAX
#define IS_BIG(weight) ((weight) < PG_INT64_MIN + MAX_BIGS)
#define BIG_WEIGHT(number) (PG_INT64_MIN + (number))
#define BIG_NUMBER(weight) ((weight) - PG_INT64_MIN)

typedef struct Burst
{
	MemoryContext context;		/* of all that follows */
	int64		length;			/* of the window, in microseconds */
	bool		banded;			/* only amounts of the band are events */
	Amount		limit;			/* the band: from <= amount < limit, where */
	Amount		margin;			/* from is limit * (1 - margin) */
	Amount		from;
	Datum		limit_given;	/* as they came first, for a quick look */
	Datum		margin_given;	/* 0 if there is no such argument */
	int			decimals;		/* most of any amount */
	bool		ordered;		/* events are in the order of their times */
	Event	   *events;
	int64		count;			/* of events */
	int64		room;			/* for so many */
	Numeric    *bigs;			/* with room up to the next power of two */
	int64		nbigs;			/* their number */
} Burst;

#define ST_SORT sort_events
#define ST_ELEMENT_TYPE Event
#define ST_COMPARE(a, b) \
	((a)->time < (b)->time ? -1 : (a)->time > (b)->time)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/* -------------------------------------------------------- arguments */

static void
check_not_null(bool isnull, const char *name)
{
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
}

static void
check_same(bool same, const char *name)
{
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be the same for all rows of a group",
						name)));
}

/* A day is 24 hours. */
static int64
window_length(const Interval *window)
{
	int64		length;

	if (window->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window must not be given in months or years"),
				 errhint("Months differ in length; days are 24 hours.")));
	if (pg_mul_s64_overflow(window->day, USECS_PER_DAY, &length) ||
		pg_add_s64_overflow(length, window->time, &length))
		ereport(ERROR,
				(errcode(ERRCODE_INTERVAL_FIELD_OVERFLOW),
				 errmsg("window is out of range")));
	if (length <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window must be longer than zero")));
	return length;
}

static bool
amount_is_finite(const Amount *amount)
{
	return amount->big == NULL ||
		!(numeric_is_nan(amount->big) || numeric_is_inf(amount->big));
}

static void
check_band(const Amount *limit, const Amount *margin)
{
	const Amount zero = {.units = 0};
	const Amount one = {.units = 10000};

	if (!amount_is_finite(limit) || amount_compare(limit, &zero) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("limit must be a number above zero")));
	if (amount_compare(margin, &zero) <= 0 || amount_compare(margin, &one) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("margin must be above 0 and at most 1")));
}

static void
set_band(Burst *burst, const Amount *limit, const Amount *margin)
{
	AmountBuffer buffers[2];
	Datum		whole = amount_to_datum(limit, &buffers[0]);
	Datum		share = amount_to_datum(margin, &buffers[1]);
	Amount		part;
	MemoryContext old;

	check_band(limit, margin);
	amount_from_datum(&part, DirectFunctionCall2(numeric_mul, whole, share));
	old = MemoryContextSwitchTo(burst->context);
	burst->banded = true;
	amount_copy(&burst->limit, limit);
	amount_copy(&burst->margin, margin);
	amount_copy(&burst->from, limit);
	amount_subtract(&burst->from, &part);
	MemoryContextSwitchTo(old);
}

/* ----------------------------------------------------------- events */

#ifdef USE_ASSERT_CHECKING
static bool
burst_is_valid(const Burst *burst)
{
	int64		i;

	if (burst->length <= 0 || burst->count < 0 ||
		burst->count > burst->room || burst->nbigs > burst->count)
		return false;
	for (i = 0; i < burst->count; i++)
	{
		const Event *event = &burst->events[i];

		if (TIMESTAMP_NOT_FINITE(event->time) ||
			(burst->ordered && i > 0 && event->time < event[-1].time) ||
			(burst->banded && event->weight != 1) ||
			(IS_BIG(event->weight) &&
			 BIG_NUMBER(event->weight) >= burst->nbigs))
			return false;
	}
	return true;
}
#endif

/* In the current context. */
static Burst *
burst_open(int64 length)
{
	Burst	   *burst = palloc0(sizeof(Burst));

	burst->context = CurrentMemoryContext;
	burst->length = length;
	burst->ordered = true;
	burst->events = palloc(FIRST_ROOM * sizeof(Event));
	burst->room = FIRST_ROOM;
	return burst;
}

static void
reserve_events(Burst *burst, int64 count)
{
	if (count <= burst->room)
		return;
	burst->room = Max(2 * burst->room, count);
	burst->events = repalloc_huge(burst->events, burst->room * sizeof(Event));
}

static void
add_event(Burst *burst, TimestampTz time, int64 weight)
{
	if (TIMESTAMP_NOT_FINITE(time))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("event time must be finite")));
	reserve_events(burst, burst->count + 1);
	if (burst->count > 0 && time < burst->events[burst->count - 1].time)
		burst->ordered = false;
	burst->events[burst->count].time = time;
	burst->events[burst->count++].weight = weight;
}

/* The weight that stands for a number. */
static int64
add_big(Burst *burst, Datum number)
{
	MemoryContext old = MemoryContextSwitchTo(burst->context);

	if (burst->nbigs == MAX_BIGS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many amounts of more than 18 digits")));
	if (burst->bigs == NULL)
		burst->bigs = palloc(FIRST_ROOM * sizeof(Numeric));
	else if (burst->nbigs >= FIRST_ROOM &&
			 (burst->nbigs & (burst->nbigs - 1)) == 0)
		burst->bigs = repalloc_huge(burst->bigs,
									2 * burst->nbigs * sizeof(Numeric));
	burst->bigs[burst->nbigs] = DatumGetNumericCopy(number);
	MemoryContextSwitchTo(old);
	return BIG_WEIGHT(burst->nbigs++);
}

static void
event_amount(const Burst *burst, const Event *event, Amount *amount)
{
	memset(amount, 0, sizeof(*amount));
	if (IS_BIG(event->weight))
	{
		Numeric		big = burst->bigs[BIG_NUMBER(event->weight)];

		amount_from_datum(amount, NumericGetDatum(big));
	}
	else
		amount->units = event->weight;
}

static void
order_events(Burst *burst)
{
	if (!burst->ordered)
		sort_events(burst->events, burst->count);
	burst->ordered = true;
	Assert(burst_is_valid(burst));
}

/* --------------------------------------------- transition functions */

/* The state, made if there is none, whose window is that argument. */
static Burst *
burst_state(FunctionCallInfo fcinfo, int window_argument)
{
	Burst	   *burst = AGGREGATE_STATE(0);
	int64		length;

	check_not_null(PG_ARGISNULL(window_argument), "window");
	length = window_length(PG_GETARG_INTERVAL_P(window_argument));
	if (burst == NULL)
	{
		MemoryContext context = aggregate_context(fcinfo);
		MemoryContext old = MemoryContextSwitchTo(context);

		burst = burst_open(length);
		MemoryContextSwitchTo(old);
	}
	check_same(length == burst->length, "window");
	return burst;
}

Datum
fintrans_velocity_add(PG_FUNCTION_ARGS)
{
	Burst	   *burst;

	if (PG_ARGISNULL(1))
		AGGREGATE_RETURN(AGGREGATE_STATE(0));
	burst = burst_state(fcinfo, 2);
	add_event(burst, PG_GETARG_TIMESTAMPTZ(1), 1);
	PG_RETURN_POINTER(burst);
}

Datum
fintrans_peak_add(PG_FUNCTION_ARGS)
{
	Burst	   *burst;
	Amount		amount;
	AmountBuffer buffer;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		AGGREGATE_RETURN(AGGREGATE_STATE(0));
	burst = burst_state(fcinfo, 3);
	amount_from_datum(&amount, PG_GETARG_DATUM(1));
	burst->decimals = Max(burst->decimals, amount.decimals);
	if (amount.big != NULL || IS_BIG(amount.units))
		amount.units = add_big(burst, amount_to_datum(&amount, &buffer));
	add_event(burst, PG_GETARG_TIMESTAMPTZ(2), amount.units);
	PG_RETURN_POINTER(burst);
}

/* Is this the value that was given before, to the last byte? */
static bool
is_given(Datum given, Datum value)
{
	return datumIsEqual(given, value, false, -1);
}

static void
remember_given(Burst *burst, Datum limit, Datum margin)
{
	MemoryContext old = MemoryContextSwitchTo(burst->context);

	burst->limit_given = datumCopy(limit, false, -1);
	if (margin != 0)
		burst->margin_given = datumCopy(margin, false, -1);
	MemoryContextSwitchTo(old);
}

/* The limit and, if there is such an argument, the margin. */
static void
check_band_arguments(FunctionCallInfo fcinfo, Burst *burst)
{
	bool		has_margin = PG_NARGS() > 5;
	Datum		limit_given = PG_GETARG_DATUM(3);
	Datum		margin_given = has_margin ? PG_GETARG_DATUM(5) : 0;
	Amount		limit;
	Amount		margin = DEFAULT_MARGIN;

	check_not_null(PG_ARGISNULL(3), "limit");
	check_not_null(has_margin && PG_ARGISNULL(5), "margin");
	if (burst->banded && is_given(burst->limit_given, limit_given) &&
		(!has_margin || is_given(burst->margin_given, margin_given)))
		return;
	amount_from_datum(&limit, limit_given);
	if (has_margin)
		amount_from_datum(&margin, margin_given);
	if (!burst->banded)
	{
		set_band(burst, &limit, &margin);
		remember_given(burst, limit_given, margin_given);
	}
	check_same(amount_compare(&limit, &burst->limit) == 0, "limit");
	check_same(amount_compare(&margin, &burst->margin) == 0, "margin");
}

Datum
fintrans_just_below_add(PG_FUNCTION_ARGS)
{
	Burst	   *burst;
	Amount		amount;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		AGGREGATE_RETURN(AGGREGATE_STATE(0));
	burst = burst_state(fcinfo, 4);
	check_band_arguments(fcinfo, burst);
	amount_from_datum(&amount, PG_GETARG_DATUM(1));
	if (amount_compare(&amount, &burst->from) >= 0 &&
		amount_compare(&amount, &burst->limit) < 0)
		add_event(burst, PG_GETARG_TIMESTAMPTZ(2), 1);
	PG_RETURN_POINTER(burst);
}

/* ------------------------------------------------------------ merging */

/* Both are ordered, and other's big ones were appended to burst's. */
static void
merge_events(Burst *burst, const Burst *other, int64 first_big)
{
	int64		mine = burst->count - 1;
	int64		theirs = other->count - 1;
	int64		place = mine + other->count;

	reserve_events(burst, place + 1);
	burst->count = place + 1;
	while (theirs >= 0)
	{
		Event	   *event = &burst->events[place--];

		CHECK_FOR_INTERRUPTS();
		if (mine >= 0 && burst->events[mine].time > other->events[theirs].time)
		{
			*event = burst->events[mine--];
			continue;
		}
		*event = other->events[theirs--];
		if (IS_BIG(event->weight))
			event->weight += first_big;
	}
}

static void
merge_burst(Burst *burst, Burst *other)
{
	int64		first_big = burst->nbigs;
	int64		i;

	check_same(burst->length == other->length, "window");
	check_same(amount_compare(&burst->limit, &other->limit) == 0, "limit");
	check_same(amount_compare(&burst->margin, &other->margin) == 0, "margin");
	order_events(burst);
	order_events(other);
	burst->decimals = Max(burst->decimals, other->decimals);
	for (i = 0; i < other->nbigs; i++)
		add_big(burst, NumericGetDatum(other->bigs[i]));
	merge_events(burst, other, first_big);
	Assert(burst_is_valid(burst));
}

Datum
fintrans_burst_combine(PG_FUNCTION_ARGS)
{
	Burst	   *burst = AGGREGATE_STATE(0);
	Burst	   *other = AGGREGATE_STATE(1);
	MemoryContext context = aggregate_context(fcinfo);
	MemoryContext old;

	if (other == NULL)
		AGGREGATE_RETURN(burst);
	old = MemoryContextSwitchTo(context);
	if (burst == NULL)
		burst = burst_open(other->length);
	MemoryContextSwitchTo(old);
	if (other->banded && !burst->banded)
		set_band(burst, &other->limit, &other->margin);
	merge_burst(burst, other);
	PG_RETURN_POINTER(burst);
}

static void
send_numeric(StringInfo message, Datum value)
{
	Size		size = VARSIZE_ANY(DatumGetPointer(value));

	pq_sendint32(message, size);
	pq_sendbytes(message, DatumGetPointer(value), size);
}

static Datum
receive_numeric(StringInfo message)
{
	int			size = pq_getmsgint(message, 4);
	void	   *value = palloc(size);

	memcpy(value, pq_getmsgbytes(message, size), size);
	return PointerGetDatum(value);
}

/* In order already, so that the process that combines need only merge. */
Datum
fintrans_burst_serialize(PG_FUNCTION_ARGS)
{
	Burst	   *burst = (Burst *) PG_GETARG_POINTER(0);
	StringInfoData message;
	AmountBuffer buffer;
	int64		i;

	aggregate_context(fcinfo);
	if (burst->count > MaxAllocSize / sizeof(Event))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows in a group for a parallel query"),
				 errhint("SET max_parallel_workers_per_gather = 0.")));
	order_events(burst);
	pq_begintypsend(&message);
	pq_sendint64(&message, burst->length);
	pq_sendint32(&message, burst->decimals);
	pq_sendbyte(&message, burst->banded);
	if (burst->banded)
	{
		send_numeric(&message, amount_to_datum(&burst->limit, &buffer));
		send_numeric(&message, amount_to_datum(&burst->margin, &buffer));
	}
	pq_sendint64(&message, burst->nbigs);
	for (i = 0; i < burst->nbigs; i++)
		send_numeric(&message, NumericGetDatum(burst->bigs[i]));
	pq_sendint64(&message, burst->count);
	pq_sendbytes(&message, (char *) burst->events,
				 burst->count * sizeof(Event));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

Datum
fintrans_burst_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *serial = PG_GETARG_BYTEA_PP(0);
	StringInfoData message;
	Burst	   *burst;
	int64		n;

	aggregate_context(fcinfo);
	initStringInfo(&message);
	appendBinaryStringInfo(&message, VARDATA_ANY(serial),
						   VARSIZE_ANY_EXHDR(serial));
	burst = burst_open(pq_getmsgint64(&message));
	burst->decimals = pq_getmsgint(&message, 4);
	if (pq_getmsgbyte(&message))
	{
		Amount		limit;
		Amount		margin;

		amount_from_datum(&limit, receive_numeric(&message));
		amount_from_datum(&margin, receive_numeric(&message));
		set_band(burst, &limit, &margin);
	}
	for (n = pq_getmsgint64(&message); n > 0; n--)
		add_big(burst, receive_numeric(&message));
	burst->count = pq_getmsgint64(&message);
	reserve_events(burst, burst->count);
	pq_copymsgbytes(&message, (char *) burst->events,
					burst->count * sizeof(Event));
	pq_getmsgend(&message);
	Assert(burst_is_valid(burst));
	PG_RETURN_POINTER(burst);
}

/* ------------------------------------------------------------ results */

/* The largest sum of weights in any window. */
static void
heaviest_window(Burst *burst, ExactSum *heaviest)
{
	ExactSum	sum;
	Amount		amount;
	int64		first = 0;
	int64		end = 0;

	order_events(burst);
	exact_sum_init(&sum);
	exact_sum_init(heaviest);
	while (first < burst->count)
	{
		TimestampTz start = burst->events[first].time;
		bool		none = first == 0;

		CHECK_FOR_INTERRUPTS();
		for (; end < burst->count &&
			 (uint64) burst->events[end].time - (uint64) start < burst->length;
			 end++)
		{
			event_amount(burst, &burst->events[end], &amount);
			exact_sum_amount(&sum, &amount, 1);
		}
		if (none || exact_sum_compare(&sum, heaviest) > 0)
			exact_sum_copy(heaviest, &sum);
		for (; first < end && burst->events[first].time == start; first++)
		{
			event_amount(burst, &burst->events[first], &amount);
			exact_sum_amount(&sum, &amount, -1);
		}
	}
}

/*
 * These may be called again after more events were added: though they sort,
 * the state they leave means the same.
 */
Datum
fintrans_burst_number(PG_FUNCTION_ARGS)
{
	Burst	   *burst = AGGREGATE_STATE(0);
	ExactSum	heaviest;

	if (burst == NULL)
		PG_RETURN_INT64(0);
	heaviest_window(burst, &heaviest);
	PG_RETURN_INT64((int64) heaviest.units);
}

Datum
fintrans_burst_total(PG_FUNCTION_ARGS)
{
	Burst	   *burst = AGGREGATE_STATE(0);
	ExactSum	heaviest;

	if (burst == NULL)
		PG_RETURN_NULL();
	heaviest_window(burst, &heaviest);
	PG_RETURN_NUMERIC(exact_sum_value(&heaviest, burst->decimals));
}
