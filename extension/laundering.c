/*
 * The running totals: one row of fintrans_laundering per account pair.
 */
#include "postgres.h"

#include "access/xact.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "keyed_table.h"
#include "laundering.h"
#include "magnitudes.h"
#include "window_form.h"

/* As many pairs give quantiles worth fitting the floor to. */
#define FIRST_TUNING_PAIRS 1000

static TidCache pairs_seen = {.name = "fintrans pairs last seen"};

/* Columns of fintrans_laundering, from 0. */
typedef enum LaunderingColumn
{
	LAUNDERING_SOURCE_ACCOUNT,
	LAUNDERING_TARGET_ACCOUNT,
	LAUNDERING_TOTAL,
	LAUNDERING_TRANSACTIONS,
	LAUNDERING_FIRST_TIME,
	LAUNDERING_LAST_TIME,
	LAUNDERING_MAGNITUDE,
	LAUNDERING_COLUMNS_0_1_0,	/* of version 0.1.0 */
	LAUNDERING_WINDOWS = LAUNDERING_COLUMNS_0_1_0,
	LAUNDERING_COLUMNS
} LaunderingColumn;

/* The table while deltas are being applied to it. */
typedef struct Laundering
{
	KeyedTable	table;
	Magnitudes	magnitudes;
	const Rules *rules;
	MemoryContext pair;			/* of what one pair's windows take */
	int64		written;		/* rows inserted or updated */
	int64		high;			/* ... that are above the floor now */

	/* the pair at hand: what its row had and should have */
	const PairDelta *delta;
	Amount		before;
	Amount		after;
	AmountBuffer total;			/* after, as the row has it */
	int64		transactions;
	int16		magnitude;
	Windows		change;			/* if pairs have windows */
	Windows		windows;
} Laundering;

static void
laundering_open(Laundering *laundering, const Rules *rules)
{
	memset(laundering, 0, sizeof(*laundering));
	laundering->rules = rules;
	keyed_table_open(&laundering->table, rules->schema, "fintrans_laundering",
					 LAUNDERING_COLUMNS_0_1_0, LAUNDERING_COLUMNS, 2,
					 &pairs_seen);
	magnitudes_load(&laundering->magnitudes, rules->schema,
					laundering->table.snapshot);
	laundering->pair = AllocSetContextCreate(CurrentMemoryContext,
											 "fintrans pair",
											 ALLOCSET_SMALL_SIZES);
}

static void
laundering_close(Laundering *laundering)
{
	MemoryContextDelete(laundering->pair);
	keyed_table_close(&laundering->table);
}

/*
 * Totals and rows disagree: no writer can mend that.  Which pair it is would
 * put accounts into the server's log.
 */
static void
report_missing_total(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("totals do not account for the rows being removed"),
			 errhint("SELECT * FROM fintrans_verify() lists all differences.")));
}

/* Before and after; also what else the new row takes from the old one. */
static void
add_delta(Laundering *laundering, const Datum *old, TimestampTz *first_time,
		  TimestampTz *last_time)
{
	const PairDelta *delta = laundering->delta;
	int16		old_magnitude = MAGNITUDE_NONE;

	*first_time = delta->first_time;
	*last_time = delta->last_time;
	memset(&laundering->before, 0, sizeof(Amount));
	laundering->transactions = delta->transactions;
	if (old != NULL)
	{
		amount_from_datum(&laundering->before, old[LAUNDERING_TOTAL]);
		laundering->transactions +=
			DatumGetInt64(old[LAUNDERING_TRANSACTIONS]);
		*first_time = Min(*first_time,
						  DatumGetTimestampTz(old[LAUNDERING_FIRST_TIME]));
		*last_time = Max(*last_time,
						 DatumGetTimestampTz(old[LAUNDERING_LAST_TIME]));
		old_magnitude = DatumGetInt16(old[LAUNDERING_MAGNITUDE]);
	}
	memset(&laundering->after, 0, sizeof(Amount));
	amount_copy(&laundering->after, &laundering->before);
	amount_add(&laundering->after, &delta->amount);
	laundering->magnitude = magnitudes_renew(&laundering->magnitudes,
											 old_magnitude,
											 &laundering->after);
	/* version 0.1.0 knows other magnitudes, and looks at these always */
	if (direct_table_is_old(&laundering->table.direct, LAUNDERING_COLUMNS) &&
		laundering->magnitude > 0)
		laundering->magnitude = PG_INT16_MAX;
}

/*
 * The pair's windows after its events.  A rule that is no longer in force has
 * its window left out; without any there is none to be kept.
 */
static void
compose_windows(Laundering *laundering, TupleTableSlot *row,
				TupleTableSlot *old)
{
	MemoryContext caller;
	Windows		before;
	Windows		kept;

	if (!laundering->rules->pair_windows)
		return;
	MemoryContextReset(laundering->pair);
	caller = MemoryContextSwitchTo(laundering->pair);
	measures_change_pair(laundering->rules, laundering->delta,
						 &laundering->change);
	if (old != NULL && !old->tts_isnull[LAUNDERING_WINDOWS])
		window_form_decode(&before,
						   DatumGetByteaPP(old->tts_values[LAUNDERING_WINDOWS]));
	else
		windows_create(&before, 0);
	windows_merge(&laundering->windows, &before, &laundering->change);
	windows_trim(&kept, &laundering->windows);
	row->tts_values[LAUNDERING_WINDOWS] =
		PointerGetDatum(window_form_encode(&kept));
	row->tts_isnull[LAUNDERING_WINDOWS] = windows_empty(&kept);
	MemoryContextSwitchTo(caller);
}

/* ComposeRow: no row when no transaction is left. */
static bool
compose_pair(void *context, TupleTableSlot *row, TupleTableSlot *old)
{
	Laundering *laundering = context;
	Datum	   *values = row->tts_values;
	TimestampTz first_time;
	TimestampTz last_time;

	add_delta(laundering, old != NULL ? old->tts_values : NULL, &first_time,
			  &last_time);
	if (laundering->transactions < 0 ||
		(old == NULL && laundering->transactions == 0))
		report_missing_total();
	values[LAUNDERING_TOTAL] =
		amount_to_datum(&laundering->after, &laundering->total);
	values[LAUNDERING_TRANSACTIONS] = Int64GetDatum(laundering->transactions);
	values[LAUNDERING_FIRST_TIME] = TimestampTzGetDatum(first_time);
	values[LAUNDERING_LAST_TIME] = TimestampTzGetDatum(last_time);
	values[LAUNDERING_MAGNITUDE] = Int16GetDatum(laundering->magnitude);
	memset(row->tts_isnull, false, LAUNDERING_COLUMNS_0_1_0 * sizeof(bool));
	if (!direct_table_is_old(&laundering->table.direct, LAUNDERING_COLUMNS))
		row->tts_isnull[LAUNDERING_WINDOWS] = true;
	compose_windows(laundering, row, old);
	return laundering->transactions > 0;
}

static void
apply_pair(Laundering *laundering, const PairDelta *delta, Alerts *alerts)
{
	TextSpan	key[] = {delta->source_account, delta->target_account};

	laundering->delta = delta;
	keyed_table_replace(&laundering->table, key, delta->hash, compose_pair,
						laundering);
	laundering->written++;
	laundering->high += laundering->magnitude > 0;
	alerts_check_total(alerts, delta, &laundering->before, &laundering->after,
					   laundering->transactions);
	if (laundering->rules->pair_windows)
		alerts_check_pair_windows(alerts, delta, &laundering->windows,
								  &laundering->change);
}

/*
 * The floor of magnitudes is out of date when many rows lie above it, which
 * was fit to one in 256.  Finding that out again and again is of no use
 * until a good part of the rows may have changed.  Without any floor, it takes
 * some rows to fit the first one to.
 */
static bool
wants_tuning(const Laundering *laundering)
{
	static int64 written = 0;	/* by this backend since it last tuned */
	int64		pairs;

	pairs = 50 * (int64)
		RelationGetNumberOfBlocks(laundering->table.direct.table);
	/* older snapshots would take tuning for a conflict */
	if (IsolationUsesXactSnapshot())
		return false;
	if (!laundering->magnitudes.tuned)
		return pairs >= FIRST_TUNING_PAIRS;
	written += laundering->written;
	if (laundering->high < laundering->written / 64 ||
		written < Max(FIRST_TUNING_PAIRS, pairs / 8))
		return false;
	written = 0;
	return true;
}

void
laundering_apply(const Rules *rules, PairDelta **pairs, int count,
				 Alerts *alerts)
{
	Laundering	laundering;
	bool		tune;
	int			i;

	laundering_open(&laundering, rules);
	for (i = 0; i < count; i++)
	{
		if (i == FIRST_TUNING_PAIRS && !laundering.magnitudes.tuned &&
			!IsolationUsesXactSnapshot())
		{
			/* rather now than after a large first batch */
			laundering_close(&laundering);
			magnitudes_tune(rules->schema);
			laundering_open(&laundering, rules);
		}
		keyed_table_foresee(&laundering.table, pairs + i, count - i,
							offsetof(PairDelta, hash));
		apply_pair(&laundering, pairs[i], alerts);
	}
	tune = wants_tuning(&laundering);
	laundering_close(&laundering);
	if (tune)
		magnitudes_tune(rules->schema);
}
