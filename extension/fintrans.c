/*
 * The triggers of fintrans_transactions and its partitions: every statement
 * that changes rows is carried, in the same database transaction, into the
 * pairs' totals (laundering.c), the accounts' window states (accounts.c), the
 * volume (volume.c) and alerts (alerts.c).
 *
 * The rows come as transition tables.  deltas.c sums them up by pair and by
 * minute and sorts them; then each table is walked once in key order.  Lock
 * order of a statement: fintrans_rules (SHARE), pairs by key, accounts by key,
 * volume rows by key, alerts.  A database transaction with a single such statement
 * cannot deadlock with another of its kind.
 */
#include "postgres.h"

#include "catalog/partition.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "accounts.h"
#include "alerts.h"
#include "deltas.h"
#include "laundering.h"
#include "rules.h"
#include "volume.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(fintrans_transactions_changed);
PG_FUNCTION_INFO_V1(fintrans_transactions_truncated);
PG_FUNCTION_INFO_V1(fintrans_rules_changing);

/* The statement's trigger data, once it is known to be what we expect. */
static TriggerData *
check_trigger_call(FunctionCallInfo fcinfo, const char *name)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						name)));
	if (!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired for each statement",
						name)));
	return trigger;
}

/*
 * The schema of the extension: the function's own.  The trigger must stand on
 * fintrans_transactions or one of its partitions, or totals could be forged.
 */
static Oid
check_relation(FunctionCallInfo fcinfo, Relation relation)
{
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);
	Oid			parent = get_relname_relid("fintrans_transactions", schema);
	Oid			relid = RelationGetRelid(relation);

	if (relid != parent &&
		!(relation->rd_rel->relispartition &&
		  get_partition_parent(relid, true) == parent))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("table \"%s\" is no partition of \"fintrans_transactions\"",
						RelationGetRelationName(relation)),
				 errhint("A detached partition can be changed once its triggers are dropped.")));
	return schema;
}

/* What a statement needs from its beginning to its end. */
typedef struct Change
{
	Rules	   *rules;
	Deltas	   *deltas;
	Alerts	   *alerts;
} Change;

static void
change_begin(Change *change, Oid schema)
{
	change->rules = rules_load(schema);
	change->deltas = deltas_create(change->rules->pair_windows ||
								   change->rules->outgoing_windows ||
								   change->rules->incoming_windows);
	change->alerts = alerts_create(change->rules);
}

/* One round; what it allocates goes when it is over. */
static void
apply_deltas(Change *change)
{
	MemoryContext round = AllocSetContextCreate(CurrentMemoryContext,
												"fintrans round",
												ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(round);
	PairDelta **pairs;
	VolumeDelta **volumes;
	int			npairs;
	int			nvolumes;

	pairs = deltas_sorted_pairs(change->deltas, &npairs);
	if (npairs > 0)
	{
		volumes = deltas_sorted_volumes(change->deltas, &nvolumes);
		laundering_apply(change->rules, pairs, npairs, change->alerts);
		accounts_apply(change->rules, change->deltas, pairs, npairs,
					   change->alerts);
		volume_apply(change->rules->schema, volumes, nvolumes);
		alerts_raise(change->alerts);
		deltas_reset(change->deltas);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(round);
}

/* Sum up one transition table, applying whenever memory is used up. */
static void
collect_rows(Change *change, Relation relation, Tuplestorestate *rows,
			 bool removed)
{
	TupleTableSlot *slot;
	int			pointer;
	int64		n = 0;

	if (rows == NULL)
		return;
	slot = MakeSingleTupleTableSlot(RelationGetDescr(relation),
									&TTSOpsMinimalTuple);
	/* other triggers read the same table: keep a read position of our own */
	pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(rows, pointer);
	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		deltas_add_row(change->deltas, slot, removed);
		if (++n % 1024 == 0)
		{
			CHECK_FOR_INTERRUPTS();
			if (deltas_full(change->deltas))
				apply_deltas(change);
		}
	}
	ExecDropSingleTupleTableSlot(slot);
}

static bool
has_rows(Tuplestorestate *rows)
{
	return rows != NULL && tuplestore_tuple_count(rows) > 0;
}

/*
 * AFTER INSERT, UPDATE or DELETE, FOR EACH STATEMENT, with the transition
 * tables the event has.  Old rows go first, so that an UPDATE carried over in
 * several rounds never shows a total that is too high.
 */
Datum
fintrans_transactions_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger =
		check_trigger_call(fcinfo, "fintrans_transactions_changed");
	Oid			schema;
	Change		change;

	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired after INSERT, UPDATE or DELETE",
						"fintrans_transactions_changed")));
	if ((!TRIGGER_FIRED_BY_DELETE(trigger->tg_event) &&
		 trigger->tg_newtable == NULL) ||
		(!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) &&
		 trigger->tg_oldtable == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" lacks a transition table",
						trigger->tg_trigger->tgname)));
	schema = check_relation(fcinfo, trigger->tg_relation);
	if (!has_rows(trigger->tg_oldtable) && !has_rows(trigger->tg_newtable))
		return PointerGetDatum(NULL);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	change_begin(&change, schema);
	collect_rows(&change, trigger->tg_relation, trigger->tg_oldtable, true);
	collect_rows(&change, trigger->tg_relation, trigger->tg_newtable, false);
	apply_deltas(&change);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "could not finish SPI");
	return PointerGetDatum(NULL);
}

/* BEFORE TRUNCATE: its rows come in no transition table, so refuse it. */
Datum
fintrans_transactions_truncated(PG_FUNCTION_ARGS)
{
	TriggerData *trigger =
		check_trigger_call(fcinfo, "fintrans_transactions_truncated");

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot truncate table \"%s\"",
					RelationGetRelationName(trigger->tg_relation)),
			 errdetail("Totals would be left without the rows they are made of."),
			 errhint("Use DELETE, which the totals follow.")));
	return PointerGetDatum(NULL);
}

/*
 * BEFORE INSERT or UPDATE of fintrans_rules, FOR EACH STATEMENT: wait for the
 * batches in flight, and keep others from beginning until this has committed.
 */
Datum
fintrans_rules_changing(PG_FUNCTION_ARGS)
{
	(void) check_trigger_call(fcinfo, "fintrans_rules_changing");
	rules_lock(get_func_namespace(fcinfo->flinfo->fn_oid), ExclusiveLock);
	return PointerGetDatum(NULL);
}
