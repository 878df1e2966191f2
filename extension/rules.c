/*
 * Rules: which totals raise an alert; and the alerts raised.
 *
 * The lock is what makes "was not above, is above now" the right test.
 * Ingest holds SHARE on fintrans_rules until it commits; whoever changes a
 * rule holds ROW EXCLUSIVE, so waits for all batches in flight, and then
 * alerts on every pair already above (fintrans_rule_changed).  Hence, while
 * the lock is held, no pair is above a threshold without having been alerted.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "commands/async.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

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

static Statement insert_alerts = {
	.text = "INSERT INTO %s.fintrans_alerts (rule, source_account, target_account,"
	" total, transactions, threshold)"
	" SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2),"
	" pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5),"
	" pg_catalog.unnest($6))"
	" ON CONFLICT (rule, source_account, target_account) DO NOTHING",
	.nargs = 6,
	.types = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, NUMERICARRAYOID, INT8ARRAYOID,
	NUMERICARRAYOID}
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

Rules *
rules_load(Oid schema)
{
	Rules	   *rules = palloc0(sizeof(Rules));
	Oid			table = get_relname_relid("fintrans_rules", schema);
	uint64		i;

	if (!OidIsValid(table))
		elog(ERROR, "table \"fintrans_rules\" is missing");
	LockRelationOid(table, ShareLock);

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
		alert = palloc(sizeof(Alert));
		alert->rule = rule;
		alert->pair = pair;
		amount_copy(&alert->total, after);
		alert->transactions = transactions;
		rules->alerts = lappend(rules->alerts, alert);
		MemoryContextSwitchTo(caller);
	}
}

void
rules_raise_alerts(Rules *rules)
{
	int			n = list_length(rules->alerts);
	MemoryContext caller = MemoryContextSwitchTo(rules->context);
	Datum	   *columns[6];
	Datum		arguments[6];
	AmountBuffer *totals;
	int			i;

	if (n > 0)
	{
		for (i = 0; i < 6; i++)
			columns[i] = MemoryContextAllocHuge(rules->context,
												n * sizeof(Datum));
		totals = MemoryContextAllocHuge(rules->context,
										n * sizeof(AmountBuffer));
		for (i = 0; i < n; i++)
		{
			const Alert *alert = list_nth(rules->alerts, i);

			columns[0][i] = alert->rule->name;
			columns[1][i] = span_text(&alert->pair->source_account);
			columns[2][i] = span_text(&alert->pair->target_account);
			columns[3][i] = amount_to_datum(&alert->total, &totals[i]);
			columns[4][i] = Int64GetDatum(alert->transactions);
			columns[5][i] = alert->rule->threshold_datum;
		}
		statement_arrays(&insert_alerts, arguments, columns, 6, n);
		statement_execute(&insert_alerts, rules->schema, arguments,
						  InvalidSnapshot, SPI_OK_INSERT);
		/* equal notifications of one transaction are sent once */
		if (SPI_processed > 0)
			Async_Notify(FINTRANS_ALERTS_CHANNEL, "");
	}
	MemoryContextSwitchTo(caller);
	rules->alerts = NIL;
	MemoryContextReset(rules->context);
}
