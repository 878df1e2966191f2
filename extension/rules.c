/*
 * Rules: which totals raise an alert; and the alerts raised.
 *
 * A lock is what makes "was not above, is above now" the right test.  Ingest
 * shares it until it commits; whoever changes a rule takes it for himself, so
 * waits for all batches in flight, and then alerts on every pair already above
 * (fintrans_rule_changed).  Hence, while ingest shares the lock, no pair is
 * above a threshold without having been alerted.
 *
 * It is a lock on fintrans_rules as an object, not as a relation: VACUUM and
 * ANALYZE of the table, which take the latter, are none of ingest's business.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_class_d.h"
#include "commands/async.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "direct_table.h"
#include "fintrans_record.h"
#include "rules.h"
#include "statements.h"

/* One alert to be raised; the pair belongs to the statement's deltas. */
typedef struct Alert
{
	const Rule *rule;
	const PairDelta *pair;
	Amount		total;
	int64		transactions;
} Alert;

static Statement select_rules = {
	.text = "SELECT r.name, r.threshold FROM %s.fintrans_rules r"
	" WHERE r.enabled AND r.kind OPERATOR(pg_catalog.=) 'pair_total'"
	" ORDER BY r.name"
};

/* Columns of fintrans_alerts, from 0. */
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
	ALERT_COLUMNS
} AlertColumn;

static const AttrNumber alert_key_columns[] = {
	ALERT_RULE + 1, ALERT_SOURCE_ACCOUNT + 1, ALERT_TARGET_ACCOUNT + 1
};

static void
read_rule(Rule *rule, HeapTuple tuple, TupleDesc descriptor)
{
	bool		isnull;			/* neither column can be NULL */

	rule->name = SPI_datumTransfer(SPI_getbinval(tuple, descriptor, 1, &isnull),
								   false, -1);
	rule->threshold_datum =
		SPI_datumTransfer(SPI_getbinval(tuple, descriptor, 2, &isnull),
						  false, -1);
	amount_from_datum(&rule->threshold, rule->threshold_datum);
}

void
rules_lock(Oid schema, LOCKMODE mode)
{
	Oid			table = get_relname_relid("fintrans_rules", schema);

	if (!OidIsValid(table))
		elog(ERROR, "table \"fintrans_rules\" is missing");
	LockDatabaseObject(RelationRelationId, table, 0, mode);
}

Rules *
rules_load(Oid schema)
{
	Rules	   *rules = palloc0(sizeof(Rules));
	uint64		i;

	rules_lock(schema, ShareLock);

	/* later than the lock, whatever the transaction's own snapshot */
	statement_execute(&select_rules, schema, NULL, GetLatestSnapshot(),
					  SPI_OK_SELECT);
	rules->schema = schema;
	rules->count = SPI_processed;
	rules->rules = palloc(Max(rules->count, 1) * sizeof(Rule));
	for (i = 0; i < SPI_processed; i++)
		read_rule(&rules->rules[i], SPI_tuptable->vals[i],
				  SPI_tuptable->tupdesc);
	SPI_freetuptable(SPI_tuptable);
	rules->context = AllocSetContextCreate(CurrentMemoryContext,
										   "fintrans alerts",
										   ALLOCSET_DEFAULT_SIZES);
	return rules;
}

void
rules_check_pair(Rules *rules, const PairDelta *pair, const Amount *before,
				 const Amount *after, int64 transactions)
{
	int			i;

	for (i = 0; i < rules->count; i++)
	{
		const Rule *rule = &rules->rules[i];
		MemoryContext caller;
		Alert	   *alert;

		if (amount_compare(after, &rule->threshold) <= 0 ||
			amount_compare(before, &rule->threshold) > 0)
			continue;
		caller = MemoryContextSwitchTo(rules->context);
		alert = palloc0(sizeof(Alert));
		alert->rule = rule;
		alert->pair = pair;
		amount_copy(&alert->total, after);
		alert->transactions = transactions;
		rules->alerts = lappend(rules->alerts, alert);
		MemoryContextSwitchTo(caller);
	}
}

/*
 * The row of an alert.  Every value anew: writing a row moves what the slot
 * points to into the slot, and clearing it frees that.
 */
static void
compose_alert(TupleTableSlot *row, const Alert *alert, Oid sequence,
			  Datum state, AmountBuffer *total)
{
	Datum	   *values = row->tts_values;

	ExecClearTuple(row);
	memset(row->tts_isnull, false, ALERT_COLUMNS * sizeof(bool));
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
	ExecStoreVirtualTuple(row);
}

/*
 * A pair that fell below the threshold and rose again has its alert already:
 * that is the conflict that is ignored.  No other writer can be inserting the
 * same alert, since it would have to hold the pair's row.
 */
void
rules_raise_alerts(Rules *rules)
{
	MemoryContext caller = MemoryContextSwitchTo(rules->context);
	DirectTable direct;
	AmountBuffer total;
	Oid			sequence;
	Datum		state;
	bool		raised = false;
	ListCell   *cell;

	if (rules->alerts != NIL)
	{
		direct_table_open(&direct, rules->schema, "fintrans_alerts",
						  ALERT_COLUMNS);
		(void) direct_table_arbiters(&direct, alert_key_columns, 3);
		sequence = compat_identity_sequence(direct.table, ALERT_ID + 1);
		state = CStringGetTextDatum("open");
		foreach(cell, rules->alerts)
		{
			CHECK_FOR_INTERRUPTS();
			compose_alert(direct.row, lfirst(cell), sequence, state, &total);
			raised |= direct_table_insert(&direct);
		}
		direct_table_close(&direct);
		/* equal notifications of one transaction are sent once */
		if (raised)
			Async_Notify(FINTRANS_ALERTS_CHANNEL, "");
	}
	MemoryContextSwitchTo(caller);
	rules->alerts = NIL;
	MemoryContextReset(rules->context);
}
