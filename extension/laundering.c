/*
 * The running totals: one row of fintrans_laundering per account pair.
 *
 * Locking.  The pairs come in key order, and each row is locked (by updating
 * or inserting it) when its turn comes, so any two statements lock the rows
 * they share in the same order and cannot deadlock.  Old and new pairs must
 * not be handled in two passes: what is new to one writer is old to the next.
 *
 * Concurrency.  A pair is looked up with a snapshot; the version found may be
 * outdated by the time it is updated.  table_tuple_update() waits for a writer
 * in progress, and then
 *   TM_Updated: lock the newest version, add the delta to that one;
 *   TM_Deleted: the pair is gone, look again with a newer snapshot.
 * A pair not found is inserted speculatively; if another writer inserted it
 * meanwhile, wait until that one has ended and look again.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/stratnum.h"
#include "access/xact.h"
#include "catalog/pg_collation_d.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "direct_table.h"
#include "key_walk.h"
#include "laundering.h"
#include "magnitudes.h"
#include "tid_cache.h"

/* As many pairs give quantiles worth fitting the floor to. */
#define FIRST_TUNING_PAIRS 1000

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

static const AttrNumber key_columns[] = {
	LAUNDERING_SOURCE_ACCOUNT + 1, LAUNDERING_TARGET_ACCOUNT + 1
};

/* The table while deltas are being applied to it. */
typedef struct Laundering
{
	DirectTable direct;			/* its row is the pair's new one */
	Relation	table;			/* direct's */
	Relation	primary_key;
	Snapshot	snapshot;		/* registered */
	IndexScanDesc scan;			/* of the primary key, with snapshot */
	KeyWalk    *walk;			/* of the primary key; NULL if not to be used */
	IndexFetchTableData *fetch; /* of rows that walk or cache know of */
	ScanKeyData keys[2];
	StringInfoData accounts[2]; /* the pair's accounts as text datums */
	TupleTableSlot *old_row;
	ItemPointerData root;		/* what the index says of the pair's row */
	Magnitudes	magnitudes;
	const Rules *rules;
	MemoryContext pair;			/* of what one pair's windows take */
	int64		written;		/* rows inserted or updated */
	int64		high;			/* ... that are above the floor now */
} Laundering;

/* The row a pair should have, and what it had. */
typedef struct PairState
{
	Amount		before;
	Amount		after;
	int64		transactions;
	int16		magnitude;
	Windows		change;			/* if pairs have windows */
	Windows		windows;
} PairState;

/*
 * In READ COMMITTED look with the newest snapshot: the statement's own is as
 * old as its COPY, and each row it misses costs a second look.
 */
static void
begin_scan(Laundering *laundering)
{
	laundering->snapshot =
		RegisterSnapshot(IsolationUsesXactSnapshot() ?
						 GetTransactionSnapshot() : GetLatestSnapshot());
	laundering->scan = compat_index_beginscan(laundering->table,
											  laundering->primary_key,
											  laundering->snapshot, 2);
}

static void
end_scan(Laundering *laundering)
{
	index_endscan(laundering->scan);
	UnregisterSnapshot(laundering->snapshot);
}

static void
laundering_open(Laundering *laundering, const Rules *rules)
{
	Oid			primary_key;
	int			i;

	direct_table_open(&laundering->direct, rules->schema,
					  "fintrans_laundering", LAUNDERING_COLUMNS_0_1_0,
					  LAUNDERING_COLUMNS);
	laundering->table = laundering->direct.table;
	primary_key = direct_table_arbiters(&laundering->direct, key_columns, 2);
	laundering->primary_key = index_open(primary_key, RowExclusiveLock);

	for (i = 0; i < 2; i++)
	{
		initStringInfo(&laundering->accounts[i]);
		ScanKeyEntryInitialize(&laundering->keys[i], 0, i + 1,
							   BTEqualStrategyNumber, InvalidOid,
							   C_COLLATION_OID, F_TEXTEQ, (Datum) 0);
	}
	laundering->old_row = table_slot_create(laundering->table, NULL);
	laundering->fetch = table_index_fetch_begin(laundering->table);
	/* serializable transactions need the index to note what they have read */
	laundering->walk = IsolationIsSerializable() ? NULL :
		key_walk_begin(laundering->table, laundering->primary_key);
	tid_cache_open(laundering->table);
	begin_scan(laundering);
	magnitudes_load(&laundering->magnitudes, rules->schema,
					laundering->snapshot);
	laundering->rules = rules;
	laundering->pair = AllocSetContextCreate(CurrentMemoryContext,
											 "fintrans pair",
											 ALLOCSET_SMALL_SIZES);
	laundering->written = 0;
	laundering->high = 0;
}

/* The table lock stays until the database transaction ends. */
static void
laundering_close(Laundering *laundering)
{
	if (laundering->walk != NULL)
		key_walk_end(laundering->walk);
	end_scan(laundering);
	table_index_fetch_end(laundering->fetch);
	ExecDropSingleTupleTableSlot(laundering->old_row);
	MemoryContextDelete(laundering->pair);
	index_close(laundering->primary_key, NoLock);
	direct_table_close(&laundering->direct);
}

/* Take a newer snapshot, where the isolation level has one to offer. */
static void
laundering_look_again(Laundering *laundering)
{
	ExecClearTuple(laundering->old_row);
	if (laundering->walk != NULL)
		key_walk_leave(laundering->walk);
	end_scan(laundering);
	begin_scan(laundering);
}

/* Above READ COMMITTED a row changed since our snapshot is a conflict. */
static void
refuse_serialization_conflict(void)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update")));
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

/* The span as a text datum, in a buffer that is used again and again. */
static Datum
text_in(StringInfo buffer, const TextSpan *span)
{
	resetStringInfo(buffer);
	enlargeStringInfo(buffer, VARHDRSZ + span->length);
	memcpy(VARDATA(buffer->data), span->data, span->length);
	SET_VARSIZE(buffer->data, VARHDRSZ + span->length);
	return PointerGetDatum(buffer->data);
}

static bool
same_text(Datum value, const TextSpan *span)
{
	struct varlena *text = (struct varlena *) DatumGetPointer(value);

	return VARSIZE_ANY_EXHDR(text) == span->length &&
		memcmp(VARDATA_ANY(text), span->data, span->length) == 0;
}

/* The row that an index entry with this identifier leads to, if visible. */
static bool
fetch_row(Laundering *laundering, const ItemPointerData *root)
{
	ItemPointerData tid = *root;
	bool		again = false;

	laundering->root = *root;
	return table_index_fetch_tuple(laundering->fetch, &tid,
								   laundering->snapshot, laundering->old_row,
								   &again, NULL);
}

/* The row where the cache says it is, unless it is another pair's by now. */
static bool
find_cached_row(Laundering *laundering, const PairDelta *delta)
{
	TupleTableSlot *row = laundering->old_row;
	ItemPointerData root;

	if (!tid_cache_get(delta->hash, &root) || !fetch_row(laundering, &root))
		return false;
	slot_getsomeattrs(row, LAUNDERING_TARGET_ACCOUNT + 1);
	return same_text(row->tts_values[LAUNDERING_SOURCE_ACCOUNT],
					 &delta->source_account) &&
		same_text(row->tts_values[LAUNDERING_TARGET_ACCOUNT],
				  &delta->target_account);
}

/* Look the pair up by an index scan of its own. */
static bool
scan_for_row(Laundering *laundering)
{
	ItemPointer tid;

	index_rescan(laundering->scan, laundering->keys, 2, NULL, 0);
	while ((tid = index_getnext_tid(laundering->scan,
									ForwardScanDirection)) != NULL)
	{
		laundering->root = *tid;
		if (index_fetch_heap(laundering->scan, laundering->old_row))
			return true;
	}
	return false;
}

/* Bring the pair's row into old_row, if the snapshot sees it. */
static bool
find_pair_row(Laundering *laundering, const PairDelta *delta)
{
	ItemPointerData tids[KEY_WALK_MAX_TIDS];
	int			count;
	int			i;

	laundering->keys[0].sk_argument =
		text_in(&laundering->accounts[0], &delta->source_account);
	laundering->keys[1].sk_argument =
		text_in(&laundering->accounts[1], &delta->target_account);
	if (laundering->walk == NULL)
		return scan_for_row(laundering);
	if (find_cached_row(laundering, delta))
		return true;
	if (key_walk_find(laundering->walk, delta,
					  laundering->keys[0].sk_argument,
					  laundering->keys[1].sk_argument,
					  tids, &count) == KEY_WALK_UNSURE)
		return scan_for_row(laundering);
	for (i = 0; i < count; i++)
	{
		if (fetch_row(laundering, &tids[i]))
			return true;
	}
	return false;
}

/*
 * The pair's windows after its events.  A rule that is no longer in force has
 * its window left out; without any there is none to be kept.
 */
static void
compose_windows(Laundering *laundering, const PairDelta *delta, bool found,
				PairState *state)
{
	TupleTableSlot *row = laundering->direct.row;
	TupleTableSlot *old = laundering->old_row;
	MemoryContext caller;
	Windows		before;
	Windows		kept;

	if (laundering->rules->pair_windows == 0)
		return;
	MemoryContextReset(laundering->pair);
	caller = MemoryContextSwitchTo(laundering->pair);
	measures_change(laundering->rules, RULE_PAIR, delta->events,
					&state->change);
	if (found && !old->tts_isnull[LAUNDERING_WINDOWS])
		windows_decode(&before,
					   DatumGetByteaPP(old->tts_values[LAUNDERING_WINDOWS]));
	else
		windows_create(&before, 0);
	windows_merge(&state->windows, &before, &state->change);
	windows_trim(&kept, &state->windows);
	row->tts_values[LAUNDERING_WINDOWS] =
		PointerGetDatum(windows_encode(&kept));
	row->tts_isnull[LAUNDERING_WINDOWS] = windows_empty(&kept);
	MemoryContextSwitchTo(caller);
}

/* Fill the new row and state from the delta alone, or from it and old_row. */
static void
compose_row(Laundering *laundering, const PairDelta *delta, bool found,
			PairState *state, AmountBuffer *total)
{
	TupleTableSlot *row = laundering->direct.row;
	TimestampTz first_time = delta->first_time;
	TimestampTz last_time = delta->last_time;
	int16		old_magnitude = MAGNITUDE_NONE;

	memset(state, 0, sizeof(*state));
	if (found)
	{
		Datum	   *old;

		slot_getallattrs(laundering->old_row);
		old = laundering->old_row->tts_values;
		amount_from_datum(&state->before, old[LAUNDERING_TOTAL]);
		state->transactions = DatumGetInt64(old[LAUNDERING_TRANSACTIONS]);
		first_time = Min(first_time,
						 DatumGetTimestampTz(old[LAUNDERING_FIRST_TIME]));
		last_time = Max(last_time,
						DatumGetTimestampTz(old[LAUNDERING_LAST_TIME]));
		old_magnitude = DatumGetInt16(old[LAUNDERING_MAGNITUDE]);
	}
	amount_copy(&state->after, &state->before);
	amount_add(&state->after, &delta->amount);
	state->transactions += delta->transactions;
	if (state->transactions < 0 || (!found && state->transactions == 0))
		report_missing_total();
	state->magnitude = magnitudes_renew(&laundering->magnitudes,
										old_magnitude, &state->after);

	ExecClearTuple(row);
	row->tts_values[LAUNDERING_SOURCE_ACCOUNT] =
		PointerGetDatum(laundering->accounts[0].data);
	row->tts_values[LAUNDERING_TARGET_ACCOUNT] =
		PointerGetDatum(laundering->accounts[1].data);
	row->tts_values[LAUNDERING_TOTAL] = amount_to_datum(&state->after, total);
	row->tts_values[LAUNDERING_TRANSACTIONS] =
		Int64GetDatum(state->transactions);
	row->tts_values[LAUNDERING_FIRST_TIME] = TimestampTzGetDatum(first_time);
	row->tts_values[LAUNDERING_LAST_TIME] = TimestampTzGetDatum(last_time);
	row->tts_values[LAUNDERING_MAGNITUDE] = Int16GetDatum(state->magnitude);
	memset(row->tts_isnull, false, LAUNDERING_COLUMNS_0_1_0 * sizeof(bool));
	if (!direct_table_is_old(&laundering->direct, LAUNDERING_COLUMNS))
		row->tts_isnull[LAUNDERING_WINDOWS] = true;
	compose_windows(laundering, delta, found, state);
	ExecStoreVirtualTuple(row);
}

/* Insert the row unless the pair exists by now. */
static bool
insert_pair_row(Laundering *laundering)
{
	if (!direct_table_insert(&laundering->direct))
	{
		if (!direct_table_await_rival(&laundering->direct))
			refuse_serialization_conflict();
		return false;
	}
	laundering->root = laundering->direct.row->tts_tid;
	return true;
}

/* Replace old_row by the new one, or remove it when no transaction is left. */
static TM_Result
write_pair_row(Laundering *laundering, const PairState *state)
{
	ItemPointer tid = &laundering->old_row->tts_tid;
	TM_FailureData failure;
	TM_Result	result;
	LockTupleMode lock_mode;
	CompatUpdateIndexes indexes;

	if (state->transactions == 0)
		return table_tuple_delete(laundering->table, tid, laundering->direct.command,
								  laundering->snapshot, InvalidSnapshot, true,
								  &failure, false);
	result = table_tuple_update(laundering->table, tid, laundering->direct.row,
								laundering->direct.command, laundering->snapshot,
								InvalidSnapshot, true, &failure, &lock_mode,
								&indexes);
	if (result == TM_Ok && compat_update_needs_indexes(indexes))
	{
		direct_table_index_update(&laundering->direct, indexes);
		laundering->root = laundering->direct.row->tts_tid;
	}
	return result;
}

/* Bring the newest version of old_row into old_row, locked. */
static TM_Result
lock_newest_version(Laundering *laundering)
{
	ItemPointerData tid = laundering->old_row->tts_tid;
	TM_FailureData failure;

	return table_tuple_lock(laundering->table, &tid, laundering->snapshot,
							laundering->old_row, laundering->direct.command,
							LockTupleNoKeyExclusive, LockWaitBlock,
							TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
}

/*
 * One attempt to add the delta to the row found, following it to its newest
 * version.  False if the row was deleted meanwhile.
 */
static bool
update_pair_row(Laundering *laundering, const PairDelta *delta,
				PairState *state, AmountBuffer *total)
{
	TM_Result	result;

	compose_row(laundering, delta, true, state, total);
	result = write_pair_row(laundering, state);
	if (result == TM_Updated)
	{
		refuse_serialization_conflict();
		result = lock_newest_version(laundering);
		if (result == TM_Ok)
		{
			compose_row(laundering, delta, true, state, total);
			result = write_pair_row(laundering, state);
		}
	}
	if (result == TM_Deleted)
	{
		refuse_serialization_conflict();
		return false;
	}
	if (result != TM_Ok)
		elog(ERROR, "unexpected result %d of updating a total", (int) result);
	return true;
}

static void
apply_pair(Laundering *laundering, const PairDelta *delta, Alerts *alerts)
{
	PairState	state;
	AmountBuffer total;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (find_pair_row(laundering, delta))
		{
			if (update_pair_row(laundering, delta, &state, &total))
				break;
		}
		else
		{
			compose_row(laundering, delta, false, &state, &total);
			if (insert_pair_row(laundering))
				break;
		}
		laundering_look_again(laundering);
	}
	tid_cache_put(delta->hash, &laundering->root);
	laundering->written++;
	laundering->high += state.magnitude > 0;
	alerts_check_total(alerts, delta, &state.before, &state.after,
					   state.transactions);
	if (laundering->rules->pair_windows > 0)
		alerts_check_pair_windows(alerts, delta, &state.windows,
								  &state.change);
}

/*
 * The floor of magnitudes is out of date when many rows lie above it, which
 * was fit to one in sixteen.  Finding that out again and again is no use until
 * a good part of the rows may have changed.  Without any floor, it takes some
 * rows to fit the first one to.
 */
static bool
wants_tuning(const Laundering *laundering)
{
	static int64 written = 0;	/* by this backend since it last tuned */
	int64		pairs;

	pairs = (int64) RelationGetNumberOfBlocks(laundering->table) * 50;
	/* older snapshots would take tuning for a conflict */
	if (IsolationUsesXactSnapshot())
		return false;
	if (!laundering->magnitudes.tuned)
		return pairs >= FIRST_TUNING_PAIRS;
	written += laundering->written;
	if (laundering->high < laundering->written / 8 ||
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
		apply_pair(&laundering, pairs[i], alerts);
	}
	tune = wants_tuning(&laundering);
	laundering_close(&laundering);
	if (tune)
		magnitudes_tune(rules->schema);
}
