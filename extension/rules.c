/*
 * Rules: what raises an alert.
 *
 * A lock is what makes "was not above, is above now" the right test.  Ingest
 * shares it until it commits; whoever changes a rule takes it for himself, so
 * waits for all batches in flight, and then alerts on all that is already
 * above (fintrans_rule_changed).  Hence, while ingest shares the lock, no pair
 * is above a threshold without having been alerted.
 *
 * It is a lock on fintrans_rules as an object, not as a relation: VACUUM and
 * ANALYZE of the table, which take the latter, are none of ingest's business.
 */
#include "postgres.h"

#include "catalog/pg_class_d.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "rules.h"
#include "statements.h"
#include "windows.h"

static const RuleKind kinds[] = {
	{"pair_total", RULE_PAIR, RULE_TOTAL, false, false},
	{"outgoing_total", RULE_ACCOUNT, RULE_TOTAL, true, false},
	{"incoming_total", RULE_ACCOUNT, RULE_TOTAL, false, true},
	{"velocity", RULE_ACCOUNT, RULE_COUNT, true, false},
	{"structuring", RULE_ACCOUNT, RULE_COUNT, true, false},
	{"fan_out", RULE_ACCOUNT, RULE_COUNTERPARTIES, true, false},
	{"fan_in", RULE_ACCOUNT, RULE_COUNTERPARTIES, false, true},
	{"pass_through", RULE_ACCOUNT, RULE_SHARE_PASSED_ON, true, true},
};

/* Columns of the statement that reads the rules, from 1. */
typedef enum RuleColumn
{
	COLUMN_NAME = 1,
	COLUMN_KIND,
	COLUMN_THRESHOLD,
	COLUMN_GENERATION,
	COLUMN_TIME_WINDOW,
	COLUMN_AMOUNT_FROM,
	COLUMN_AMOUNT_BELOW
} RuleColumn;

static Statement select_rules = {
	.text = "SELECT r.name, r.kind, r.threshold, r.generation, r.time_window,"
	" r.amount_from, r.amount_below"
	" FROM %s.fintrans_rules r WHERE r.enabled ORDER BY r.name"
};

/* version 0.1.0, when the database has not been updated yet */
static Statement select_rules_0_1_0 = {
	.text = "SELECT r.name, r.kind, r.threshold,"
	" NULL::pg_catalog.int4, NULL::pg_catalog.interval,"
	" NULL::pg_catalog.numeric, NULL::pg_catalog.numeric"
	" FROM %s.fintrans_rules r WHERE r.enabled ORDER BY r.name"
};

void
rules_lock(Oid schema, LOCKMODE mode)
{
	Oid			table = get_relname_relid("fintrans_rules", schema);

	if (!OidIsValid(table))
		elog(ERROR, "table \"fintrans_rules\" is missing");
	LockDatabaseObject(RelationRelationId, table, 0, mode);
}

const RuleKind *
rules_find_kind(const char *name)
{
	int			i;

	for (i = 0; i < lengthof(kinds); i++)
	{
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("this library does not know rules of kind \"%s\"", name),
			 errhint("It is older than the extension's version in this database.")));
}

/* The value in the current memory context, *isnull if there is none. */
static Datum
read_column(HeapTuple tuple, TupleDesc descriptor, RuleColumn column,
			bool *isnull)
{
	Form_pg_attribute attribute = TupleDescAttr(descriptor, column - 1);
	Datum		value = SPI_getbinval(tuple, descriptor, column, isnull);

	return *isnull ? (Datum) 0 :
		SPI_datumTransfer(value, attribute->attbyval, attribute->attlen);
}

static Amount *
read_bound(HeapTuple tuple, TupleDesc descriptor, RuleColumn column)
{
	bool		isnull;
	Datum		value = read_column(tuple, descriptor, column, &isnull);
	Amount	   *bound = NULL;

	if (!isnull)
	{
		bound = palloc(sizeof(Amount));
		amount_from_datum(bound, value);
	}
	return bound;
}

/* A window has no months: CHECK fintrans_rules_time_window. */
static int64
bucket_width(const Interval *window)
{
	return (window->day * USECS_PER_DAY + window->time) / WINDOW_BUCKETS;
}

/* No more counterparties than it takes to decide. */
static int
rule_cap(const Rule *rule)
{
	if (rule->kind->measure != RULE_COUNTERPARTIES)
		return 0;
	return 1 + DatumGetInt32(DirectFunctionCall1(numeric_int4,
												 DirectFunctionCall1(numeric_floor,
																	 rule->threshold_datum)));
}

/* False if the rule is not in force. */
static bool
read_rule(Rule *rule, HeapTuple tuple, TupleDesc descriptor)
{
	bool		isnull;
	Datum		value;

	memset(rule, 0, sizeof(*rule));
	rule->name = read_column(tuple, descriptor, COLUMN_NAME, &isnull);
	value = read_column(tuple, descriptor, COLUMN_KIND, &isnull);
	rule->kind = rules_find_kind(TextDatumGetCString(value));
	rule->threshold_datum =
		read_column(tuple, descriptor, COLUMN_THRESHOLD, &isnull);
	amount_from_datum(&rule->threshold, rule->threshold_datum);
	value = read_column(tuple, descriptor, COLUMN_TIME_WINDOW, &isnull);
	if (isnull)
		return true;
	rule->bucket_width = bucket_width(DatumGetIntervalP(value));
	value = read_column(tuple, descriptor, COLUMN_GENERATION, &isnull);
	/* written past the triggers: it has no states, which verify() sees */
	if (isnull)
		return false;
	rule->generation = DatumGetInt32(value);
	rule->cap = rule_cap(rule);
	rule->amount_from = read_bound(tuple, descriptor, COLUMN_AMOUNT_FROM);
	rule->amount_below = read_bound(tuple, descriptor, COLUMN_AMOUNT_BELOW);
	return true;
}

static void
note_windows(Rules *rules)
{
	int			i;

	for (i = 0; i < rules->count; i++)
	{
		const RuleKind *kind = rules->rules[i].kind;

		if (rules->rules[i].generation == 0)
			continue;
		rules->pair_windows |= kind->subject == RULE_PAIR;
		rules->outgoing_windows |= kind->outgoing;
		rules->incoming_windows |= kind->incoming;
	}
}

Rules *
rules_load(Oid schema)
{
	Rules	   *rules = palloc0(sizeof(Rules));
	bool		windows =
		OidIsValid(get_relname_relid("fintrans_accounts", schema));
	uint64		i;

	rules_lock(schema, ShareLock);

	/* later than the lock, whatever the transaction's own snapshot */
	statement_execute(windows ? &select_rules : &select_rules_0_1_0, schema,
					  NULL, GetLatestSnapshot(), SPI_OK_SELECT);
	rules->schema = schema;
	rules->rules = palloc0(Max(SPI_processed, 1) * sizeof(Rule));
	for (i = 0; i < SPI_processed; i++)
	{
		if (read_rule(&rules->rules[rules->count], SPI_tuptable->vals[i],
					  SPI_tuptable->tupdesc))
			rules->count++;
	}
	SPI_freetuptable(SPI_tuptable);
	note_windows(rules);
	return rules;
}
