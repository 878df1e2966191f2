/*
 * A table with one row for each key of one or two texts, whose rows are
 * replaced in key order: the pairs' totals, the accounts' window states.
 *
 * Locking.  The keys come in order, and each row is locked (by updating or
 * inserting it) when its turn comes, so any two statements lock the rows they
 * share in the same order and cannot deadlock.  Old and new keys must not be
 * handled in two passes: what is new to one writer is old to the next.
 *
 * Concurrency.  A row is looked up with a snapshot; the version found may be
 * outdated by the time it is updated.  table_tuple_update() waits for a writer
 * in progress, and then
 *   TM_Updated: lock the newest version, compose the new row from that one;
 *   TM_Deleted: the row is gone, look again with a newer snapshot.
 * A row not found is inserted speculatively; if another writer inserted it
 * meanwhile, wait until that one has ended and look again.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/stratnum.h"
#include "access/xact.h"
#include "catalog/pg_collation_d.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "keyed_table.h"

/* Bytes for some versions of a row, so that pages are pruned but seldom. */
#define LITTLE_ROOM (BLCKSZ / 10)

/* How far ahead memory is fetched, and how many pairs from stage to stage. */
#define FORESEEN_STAGES 4
#define FORESEEN_STEP 4

static const AttrNumber key_columns[KEY_WALK_MAX_COLUMNS] = {1, 2};

/*
 * In READ COMMITTED look with the newest snapshot: the statement's own is as
 * old as its COPY, and each row it misses costs a second look.
 */
static void
begin_scan(KeyedTable *table)
{
	table->snapshot =
		RegisterSnapshot(IsolationUsesXactSnapshot() ?
						 GetTransactionSnapshot() : GetLatestSnapshot());
	table->scan = compat_index_beginscan(table->direct.table,
										 table->primary_key, table->snapshot,
										 table->nkeys);
}

static void
end_scan(KeyedTable *table)
{
	index_endscan(table->scan);
	UnregisterSnapshot(table->snapshot);
}

static void
leave_page(KeyedTable *table)
{
	if (BufferIsValid(table->page))
		ReleaseBuffer(table->page);
	table->page = InvalidBuffer;
}

void
keyed_table_open(KeyedTable *table, Oid schema, const char *name,
				 int old_columns, int columns, int nkeys, TidCache *seen)
{
	Relation	relation;
	int			i;

	direct_table_open(&table->direct, schema, name, old_columns, columns);
	relation = table->direct.table;
	table->context = CurrentMemoryContext;
	table->nkeys = nkeys;
	table->primary_key =
		index_open(direct_table_arbiters(&table->direct, key_columns, nkeys),
				   RowExclusiveLock);
	for (i = 0; i < nkeys; i++)
	{
		initStringInfo(&table->texts[i]);
		ScanKeyEntryInitialize(&table->keys[i], 0, i + 1,
							   BTEqualStrategyNumber, InvalidOid,
							   C_COLLATION_OID, F_TEXTEQ, (Datum) 0);
	}
	table->old_row = table_slot_create(relation, NULL);
	table->page = InvalidBuffer;
	table->row_bytes = 0;
	/* serializable transactions need the index to note what they have read */
	table->walk = IsolationIsSerializable() ? NULL :
		key_walk_begin(relation, table->primary_key, nkeys);
	table->seen = seen;
	tid_cache_open(seen, relation);
	begin_scan(table);
}

void
keyed_table_close(KeyedTable *table)
{
	int			i;

	if (table->walk != NULL)
		key_walk_end(table->walk);
	end_scan(table);
	leave_page(table);
	ExecDropSingleTupleTableSlot(table->old_row);
	for (i = 0; i < table->nkeys; i++)
		pfree(table->texts[i].data);
	index_close(table->primary_key, NoLock);
	direct_table_close(&table->direct);
}

/* Take a newer snapshot, where the isolation level has one to offer. */
static void
look_again(KeyedTable *table)
{
	ExecClearTuple(table->old_row);
	if (table->walk != NULL)
		key_walk_leave(table->walk);
	end_scan(table);
	begin_scan(table);
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

/* The span as a text datum, in a buffer that is used again and again. */
static void
put_text(StringInfo buffer, const TextSpan *span)
{
	resetStringInfo(buffer);
	enlargeStringInfo(buffer, VARHDRSZ + span->length);
	memcpy(VARDATA(buffer->data), span->data, span->length);
	SET_VARSIZE(buffer->data, VARHDRSZ + span->length);
}

static bool
same_text(Datum value, const TextSpan *span)
{
	struct varlena *text = (struct varlena *) DatumGetPointer(value);

	return VARSIZE_ANY_EXHDR(text) == span->length &&
		memcmp(VARDATA_ANY(text), span->data, span->length) == 0;
}

/* Pin the block, without looking it up if it is where the hint says. */
static void
pin_block(KeyedTable *table, BlockNumber block, Buffer hint)
{
	Relation	relation = table->direct.table;

	if (BufferIsValid(table->page) &&
		BufferGetBlockNumber(table->page) == block)
		return;
	leave_page(table);
	if (BufferIsValid(hint) &&
		ReadRecentBuffer(relation->compat_rd_file, MAIN_FORKNUM, block, hint))
		table->page = hint;
	else
		table->page = ReadBuffer(relation, block);
}

/*
 * Pin the page of that row, and prune it if the next version of a row may not
 * fit: it would go to another page, and into every index.  Index fetches prune
 * whenever a page is fuller than its fillfactor, which is with nearly every
 * update, each time for the sake of one row.
 */
static void
enter_page(KeyedTable *table, const ItemPointerData *tid, Buffer hint)
{
	Relation	relation = table->direct.table;

	/* its pin would keep the page from being pruned */
	ExecClearTuple(table->old_row);
	pin_block(table, ItemPointerGetBlockNumber(tid), hint);
	/* without a lock, as the pruning itself looks first */
	if (PageGetHeapFreeSpace(BufferGetPage(table->page)) <
		Max(table->row_bytes, LITTLE_ROOM))
		heap_page_prune_opt(relation, table->page);
}

/* The row that an index entry with this identifier leads to, if visible. */
static bool
fetch_row(KeyedTable *table, const ItemPointerData *root, Buffer hint)
{
	TupleTableSlot *row = table->old_row;
	HeapTuple	tuple = &((BufferHeapTupleTableSlot *) row)->base.tupdata;
	ItemPointerData tid = *root;
	bool		found;

	table->root = *root;
	enter_page(table, root, hint);
	LockBuffer(table->page, BUFFER_LOCK_SHARE);
	found = heap_hot_search_buffer(&tid, table->direct.table, table->page,
								   table->snapshot, tuple, NULL, true);
	LockBuffer(table->page, BUFFER_LOCK_UNLOCK);
	if (!found)
		return false;
	row->tts_tableOid = tuple->t_tableOid =
		RelationGetRelid(table->direct.table);
	table->row_bytes = Max(table->row_bytes, MAXALIGN(tuple->t_len));
	ExecStoreBufferHeapTuple(tuple, row, table->page);
	return true;
}

/* The row where the cache says it is, unless it is another key's by now. */
static bool
find_cached_row(KeyedTable *table, const TextSpan *key, uint32 hash)
{
	const TidCacheEntry *seen = tid_cache_get(table->seen, hash);
	TupleTableSlot *row = table->old_row;
	int			i;

	if (seen == NULL || !fetch_row(table, &seen->tid, seen->buffer))
		return false;
	slot_getsomeattrs(row, table->nkeys);
	for (i = 0; i < table->nkeys; i++)
	{
		if (!same_text(row->tts_values[i], &key[i]))
			return false;
	}
	return true;
}

/* Look the key up by an index scan of its own. */
static bool
scan_for_row(KeyedTable *table)
{
	ItemPointer tid;

	index_rescan(table->scan, table->keys, table->nkeys, NULL, 0);
	while ((tid = index_getnext_tid(table->scan,
									ForwardScanDirection)) != NULL)
	{
		table->root = *tid;
		if (index_fetch_heap(table->scan, table->old_row))
			return true;
	}
	return false;
}

/* Bring the key's row into old_row, if the snapshot sees it. */
static bool
find_row(KeyedTable *table, const TextSpan *key, uint32 hash)
{
	ItemPointerData tids[KEY_WALK_MAX_TIDS];
	Datum		values[KEY_WALK_MAX_COLUMNS];
	int			count;
	int			i;

	for (i = 0; i < table->nkeys; i++)
		values[i] = table->keys[i].sk_argument =
			PointerGetDatum(table->texts[i].data);
	if (table->walk == NULL)
		return scan_for_row(table);
	if (find_cached_row(table, key, hash))
		return true;
	if (key_walk_find(table->walk, key, values, tids,
					  &count) == KEY_WALK_UNSURE)
		return scan_for_row(table);
	for (i = 0; i < count; i++)
	{
		if (fetch_row(table, &tids[i], InvalidBuffer))
			return true;
	}
	return false;
}

/* The new row, made of the old one or of nothing; false if there is none. */
static bool
compose_row(KeyedTable *table, ComposeRow compose, void *context, bool found)
{
	TupleTableSlot *row = table->direct.row;
	bool		wanted;
	int			i;

	if (found)
		slot_getallattrs(table->old_row);
	ExecClearTuple(row);
	for (i = 0; i < table->nkeys; i++)
	{
		row->tts_values[i] = PointerGetDatum(table->texts[i].data);
		row->tts_isnull[i] = false;
	}
	MemoryContextSwitchTo(table->caller);
	wanted = compose(context, row, found ? table->old_row : NULL);
	MemoryContextSwitchTo(table->context);
	if (wanted)
		ExecStoreVirtualTuple(row);
	return wanted;
}

/* Insert the row unless the key has one by now. */
static bool
insert_row(KeyedTable *table)
{
	if (!direct_table_insert(&table->direct))
	{
		if (!direct_table_await_rival(&table->direct))
			refuse_serialization_conflict();
		return false;
	}
	table->root = table->direct.row->tts_tid;
	return true;
}

/* Replace old_row by the new one, or remove it. */
static TM_Result
write_row(KeyedTable *table, bool wanted)
{
	DirectTable *direct = &table->direct;
	ItemPointer tid = &table->old_row->tts_tid;
	TM_FailureData failure;
	TM_Result	result;
	LockTupleMode lock_mode;
	CompatUpdateIndexes indexes;

	if (!wanted)
		return table_tuple_delete(direct->table, tid, direct->command,
								  table->snapshot, InvalidSnapshot, true,
								  &failure, false);
	result = table_tuple_update(direct->table, tid, direct->row,
								direct->command, table->snapshot,
								InvalidSnapshot, true, &failure, &lock_mode,
								&indexes);
	if (result == TM_Ok && compat_update_needs_indexes(indexes))
	{
		direct_table_index_update(direct, indexes);
		table->root = direct->row->tts_tid;
	}
	return result;
}

/* Bring the newest version of old_row into old_row, locked. */
static TM_Result
lock_newest_version(KeyedTable *table)
{
	ItemPointerData tid = table->old_row->tts_tid;
	TM_FailureData failure;

	return table_tuple_lock(table->direct.table, &tid, table->snapshot,
							table->old_row, table->direct.command,
							LockTupleNoKeyExclusive, LockWaitBlock,
							TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
}

/*
 * One attempt to replace the row found, following it to its newest version.
 * False if it was deleted meanwhile.
 */
static bool
update_row(KeyedTable *table, ComposeRow compose, void *context)
{
	TM_Result	result;

	result = write_row(table, compose_row(table, compose, context, true));
	if (result == TM_Updated)
	{
		refuse_serialization_conflict();
		result = lock_newest_version(table);
		if (result == TM_Ok)
			result = write_row(table,
							   compose_row(table, compose, context, true));
	}
	if (result == TM_Deleted)
	{
		refuse_serialization_conflict();
		return false;
	}
	if (result != TM_Ok)
		elog(ERROR, "unexpected result %d of updating a row", (int) result);
	return true;
}

/* False if there was no row and is to be none. */
static bool
replace_row(KeyedTable *table, const TextSpan *key, uint32 hash,
			ComposeRow compose, void *context)
{
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (find_row(table, key, hash))
		{
			if (update_row(table, compose, context))
				return true;
		}
		else if (!compose_row(table, compose, context, false))
			return false;
		else if (insert_row(table))
			return true;
		look_again(table);
	}
}

/* What holds the block of root, if it is at hand. */
static Buffer
root_buffer(const KeyedTable *table)
{
	return BufferIsValid(table->page) &&
		BufferGetBlockNumber(table->page) ==
		ItemPointerGetBlockNumber(&table->root) ? table->page : InvalidBuffer;
}

void
keyed_table_replace(KeyedTable *table, const TextSpan *key, uint32 hash,
					ComposeRow compose, void *context)
{
	int			i;

	table->caller = MemoryContextSwitchTo(table->context);
	for (i = 0; i < table->nkeys; i++)
		put_text(&table->texts[i], &key[i]);
	if (replace_row(table, key, hash, compose, context))
		tid_cache_put(table->seen, hash, &table->root, root_buffer(table));
	MemoryContextSwitchTo(table->caller);
}

/* The hash of the pair that comes so many stages later. */
static inline uint32
hash_ahead(PairDelta *const *pairs, int stages, Size hash)
{
	const char *pair = (const char *) pairs[stages * FORESEEN_STEP - 1];

	return *(const uint32 *) (pair + hash);
}

/*
 * Of the farthest pair what is kept of it, of the next the entry that says where
 * its row was seen, then the page's header and its pointer to the row, then the
 * row.  The page is not pinned, so what is read of it may be anything: it is no
 * more than a hint.
 */
void
keyed_table_foresee(KeyedTable *table, PairDelta *const *pairs, int count,
					Size hash)
{
	const TidCacheEntry *seen;

	if (count <= FORESEEN_STAGES * FORESEEN_STEP)
		return;
	pair_prefetch(pairs[FORESEEN_STAGES * FORESEEN_STEP - 1]);
	tid_cache_prefetch(table->seen, hash_ahead(pairs, 3, hash));
	seen = tid_cache_get(table->seen, hash_ahead(pairs, 2, hash));
	if (seen != NULL && BufferIsValid(seen->buffer))
	{
		Page		page = BufferGetPage(seen->buffer);

		compat_prefetch(page);
		compat_prefetch(PageGetItemId(page,
									  ItemPointerGetOffsetNumber(&seen->tid)));
	}
	seen = tid_cache_get(table->seen, hash_ahead(pairs, 1, hash));
	if (seen != NULL && BufferIsValid(seen->buffer))
	{
		Page		page = BufferGetPage(seen->buffer);
		ItemId		item =
			PageGetItemId(page, ItemPointerGetOffsetNumber(&seen->tid));

		compat_prefetch((char *) page + ItemIdGetOffset(item));
	}
}
