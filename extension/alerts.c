/*
 * Alerts: what a statement has carried over a rule's threshold.
 *
 * Alerts about totals can be many and are written directly.  Those about
 * windows are rare, except that a subject may stay above its threshold in
 * batch after batch: fintrans_raise_window_alerts() tells the new ones.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_type_d.h"
#include "commands/async.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "alerts.h"
#include "direct_table.h"
#include "fintrans_record.h"
#include "statements.h"

/* The total of a pair; the pair belongs to the statement's deltas. */
typedef struct TotalAlert
{
	const Rule *rule;
	const PairDelta *pair;
	Amount		total;
	int64		transactions;
} TotalAlert;

/* A window of a pair or an account; both belong to the statement's deltas. */
typedef struct WindowAlert
{
	const PairDelta *pair;		/* or NULL */
	TextSpan	account;		/* if that is NULL */
	WindowHit  *hit;
} WindowAlert;

struct Alerts
{
	const Rules *rules;
	MemoryContext context;		/* of all that follows, until it is raised */
	List	   *totals;			/* of TotalAlert, in key order of their pairs */
	List	   *pair_windows;	/* of WindowAlert */
	List	   *account_windows;
};

/* Columns of fintrans_alerts, from 0; later ones are left to their defaults. */
typedef enum AlertColumn
{
	ALERT_ID,
	ALERT_RULE,
	ALERT_SOURCE_ACCOUNT,
	ALERT_TARGET_ACCOUNT,
	ALERT_TOTAL,
	ALERT_TRANSACTIONS,
	ALERT_THRESHOLD,
	ALERT_STATE,
	ALERT_RAISED_AT,
	ALERT_RAISED_XID,
	ALERT_COLUMNS_0_1_0,		/* of version 0.1.0 */
	ALERT_ACCOUNT = ALERT_COLUMNS_0_1_0,
	ALERT_WINDOW_START,
	ALERT_WINDOW_END,
	ALERT_LEVEL,
	ALERT_ESCALATED_AT,
	ALERT_ASSIGNED_TO,
	ALERT_QUIET_UNTIL,
	ALERT_EXEMPTION_ID,
	ALERT_COLUMNS
} AlertColumn;

static const AttrNumber key_columns[] = {
	ALERT_RULE + 1, ALERT_SOURCE_ACCOUNT + 1, ALERT_TARGET_ACCOUNT + 1,
	ALERT_ACCOUNT + 1, ALERT_WINDOW_START + 1
};

#define KEY_COLUMNS_0_1_0 3

/* Arguments of the statement that raises windows, from 0. */
typedef enum WindowArgument
{
	WINDOW_RULE,
	WINDOW_SOURCE_ACCOUNT,
	WINDOW_TARGET_ACCOUNT,
	WINDOW_ACCOUNT,
	WINDOW_TOTAL,
	WINDOW_TRANSACTIONS,
	WINDOW_THRESHOLD,
	WINDOW_LEVEL,
	WINDOW_START,
	WINDOW_END,
	WINDOW_ARGUMENTS
} WindowArgument;

static Statement raise_windows = {
	.text = "SELECT %s.fintrans_raise_window_alerts($1, $2, $3, $4, $5, $6,"
	" $7, $8, $9, $10)",
	.nargs = WINDOW_ARGUMENTS,
	.types = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		NUMERICARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, INT2ARRAYOID,
	TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID}
};

static Statement quiet_exempt = {
	.text = "SELECT %s.fintrans_quiet_exempt_alerts()"
};

Alerts *
alerts_create(const Rules *rules)
{
	Alerts	   *alerts = palloc0(sizeof(Alerts));

	alerts->rules = rules;
	alerts->context = AllocSetContextCreate(CurrentMemoryContext,
											"fintrans alerts",
											ALLOCSET_DEFAULT_SIZES);
	return alerts;
}

void
alerts_check_total(Alerts *alerts, const PairDelta *pair,
				   const Amount *before, const Amount *after,
				   int64 transactions)
{
	int			i;

	for (i = 0; i < alerts->rules->count; i++)
	{
		const Rule *rule = &alerts->rules->rules[i];
		MemoryContext caller;
		TotalAlert *alert;

		if (rule->generation != 0 ||
			amount_compare(after, &rule->threshold) <= 0 ||
			amount_compare(before, &rule->threshold) > 0)
			continue;
		caller = MemoryContextSwitchTo(alerts->context);
		alert = palloc0(sizeof(TotalAlert));
		alert->rule = rule;
		alert->pair = pair;
		amount_copy(&alert->total, after);
		alert->transactions = transactions;
		alerts->totals = lappend(alerts->totals, alert);
		MemoryContextSwitchTo(caller);
	}
}

static List *
add_hits(List *windows, List *hits, const PairDelta *pair,
		 const TextSpan *account)
{
	ListCell   *cell;

	foreach(cell, hits)
	{
		WindowAlert *alert = palloc0(sizeof(WindowAlert));

		alert->pair = pair;
		if (account != NULL)
			alert->account = *account;
		alert->hit = lfirst(cell);
		windows = lappend(windows, alert);
	}
	return windows;
}

void
alerts_check_pair_windows(Alerts *alerts, const PairDelta *pair,
						  const Windows *state, const Windows *change)
{
	MemoryContext caller = MemoryContextSwitchTo(alerts->context);

	alerts->pair_windows =
		add_hits(alerts->pair_windows,
				 measures_hits(alerts->rules, RULE_PAIR, state, change),
				 pair, NULL);
	MemoryContextSwitchTo(caller);
}

void
alerts_check_account_windows(Alerts *alerts, const TextSpan *account,
							 const Windows *state, const Windows *change)
{
	MemoryContext caller = MemoryContextSwitchTo(alerts->context);

	alerts->account_windows =
		add_hits(alerts->account_windows,
				 measures_hits(alerts->rules, RULE_ACCOUNT, state, change),
				 NULL, account);
	MemoryContextSwitchTo(caller);
}

/* ------------------------------------------------------------- raising */

/*
 * The row of an alert.  Every value anew: writing a row moves what the slot
 * points to into the slot, and clearing it frees that.
 */
static void
compose_total(TupleTableSlot *row, const TotalAlert *alert, Oid sequence,
			  Datum state, AmountBuffer *total)
{
	Datum	   *values = row->tts_values;

	ExecClearTuple(row);
	memset(row->tts_isnull, true,
		   row->tts_tupleDescriptor->natts * sizeof(bool));
	memset(row->tts_isnull, false, ALERT_COLUMNS_0_1_0 * sizeof(bool));
	values[ALERT_ID] = Int64GetDatum(nextval_internal(sequence, false));
	values[ALERT_RULE] = alert->rule->name;
	values[ALERT_SOURCE_ACCOUNT] = span_text(&alert->pair->source_account);
	values[ALERT_TARGET_ACCOUNT] = span_text(&alert->pair->target_account);
	values[ALERT_TOTAL] = amount_to_datum(&alert->total, total);
	values[ALERT_TRANSACTIONS] = Int64GetDatum(alert->transactions);
	values[ALERT_THRESHOLD] = alert->rule->threshold_datum;
	values[ALERT_STATE] = state;
	values[ALERT_RAISED_AT] =
		TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	values[ALERT_RAISED_XID] =
		FullTransactionIdGetDatum(GetTopFullTransactionId());
	if (row->tts_tupleDescriptor->natts > ALERT_LEVEL)
	{
		values[ALERT_LEVEL] = Int16GetDatum(0);
		row->tts_isnull[ALERT_LEVEL] = false;
	}
	ExecStoreVirtualTuple(row);
}

/*
 * A pair that fell below the threshold and rose again has its alert already:
 * that is the conflict that is ignored.  No other writer can be inserting the
 * same alert, since it would have to hold the pair's row.
 */
static bool
raise_totals(Alerts *alerts)
{
	DirectTable direct;
	AmountBuffer total;
	Oid			sequence;
	Datum		state;
	bool		raised = false;
	ListCell   *cell;

	if (alerts->totals == NIL)
		return false;
	direct_table_open(&direct, alerts->rules->schema, "fintrans_alerts",
					  ALERT_COLUMNS_0_1_0, ALERT_COLUMNS);
	(void) direct_table_arbiters(&direct, key_columns,
								 direct_table_is_old(&direct, ALERT_COLUMNS) ?
								 KEY_COLUMNS_0_1_0 : lengthof(key_columns));
	sequence = compat_identity_sequence(direct.table, ALERT_ID + 1);
	state = CStringGetTextDatum("open");
	foreach(cell, alerts->totals)
	{
		CHECK_FOR_INTERRUPTS();
		compose_total(direct.row, lfirst(cell), sequence, state, &total);
		raised |= direct_table_insert(&direct);
	}
	direct_table_close(&direct);
	return raised;
}

/* The arguments of one alert; columns of accounts it has none of stay short. */
static void
add_window(const WindowAlert *alert, Datum **columns, int i,
		   AmountBuffer *total)
{
	const WindowHit *hit = alert->hit;

	columns[WINDOW_RULE][i] = hit->rule->name;
	if (alert->pair != NULL)
	{
		columns[WINDOW_SOURCE_ACCOUNT][i] =
			span_text(&alert->pair->source_account);
		columns[WINDOW_TARGET_ACCOUNT][i] =
			span_text(&alert->pair->target_account);
	}
	else
		columns[WINDOW_ACCOUNT][i] = span_text(&alert->account);
	columns[WINDOW_TOTAL][i] = amount_to_datum(&hit->value, total);
	columns[WINDOW_TRANSACTIONS][i] = Int64GetDatum(hit->transactions);
	columns[WINDOW_THRESHOLD][i] = hit->rule->threshold_datum;
	columns[WINDOW_LEVEL][i] =
		Int16GetDatum(measures_level(hit->rule, &hit->value));
	columns[WINDOW_START][i] = TimestampTzGetDatum(measures_window_start(hit));
	columns[WINDOW_END][i] = TimestampTzGetDatum(measures_window_end(hit));
}

/* All of pairs, or all of accounts: the others' arrays are empty then. */
static bool
raise_window_list(Alerts *alerts, List *windows, bool pairs)
{
	int			count = list_length(windows);
	Datum	   *columns[WINDOW_ARGUMENTS];
	int			counts[WINDOW_ARGUMENTS];
	Datum		arguments[WINDOW_ARGUMENTS];
	AmountBuffer *totals;
	bool		isnull;
	bool		raised;
	int			i;

	if (count == 0)
		return false;
	totals = palloc(count * sizeof(AmountBuffer));
	for (i = 0; i < WINDOW_ARGUMENTS; i++)
	{
		columns[i] = palloc(count * sizeof(Datum));
		counts[i] = count;
	}
	counts[WINDOW_ACCOUNT] = pairs ? 0 : count;
	counts[WINDOW_SOURCE_ACCOUNT] = pairs ? count : 0;
	counts[WINDOW_TARGET_ACCOUNT] = counts[WINDOW_SOURCE_ACCOUNT];
	for (i = 0; i < count; i++)
		add_window(list_nth(windows, i), columns, i, &totals[i]);
	for (i = 0; i < WINDOW_ARGUMENTS; i++)
		arguments[i] = statement_array(raise_windows.types[i], columns[i],
									   counts[i]);
	statement_execute(&raise_windows, alerts->rules->schema, arguments,
					  InvalidSnapshot, SPI_OK_SELECT);
	raised = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, 1,
										 &isnull)) > 0;
	SPI_freetuptable(SPI_tuptable);
	return raised;
}

/* True when any alert of this database transaction is left that is not quiet. */
static bool
quiet_exempt_alerts(const Alerts *alerts)
{
	bool		isnull;
	bool		left;

	if (!OidIsValid(get_relname_relid("fintrans_exemptions",
									  alerts->rules->schema)))
		return true;
	statement_execute(&quiet_exempt, alerts->rules->schema, NULL,
					  InvalidSnapshot, SPI_OK_SELECT);
	left = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0],
									  SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return left;
}

void
alerts_raise(Alerts *alerts)
{
	MemoryContext caller = MemoryContextSwitchTo(alerts->context);
	bool		raised;

	raised = raise_totals(alerts);
	raised |= raise_window_list(alerts, alerts->pair_windows, true);
	raised |= raise_window_list(alerts, alerts->account_windows, false);
	/* equal notifications of one transaction are sent once */
	if (raised && quiet_exempt_alerts(alerts))
		Async_Notify(FINTRANS_ALERTS_CHANNEL, "");
	MemoryContextSwitchTo(caller);
	alerts->totals = NIL;
	alerts->pair_windows = NIL;
	alerts->account_windows = NIL;
	MemoryContextReset(alerts->context);
}
