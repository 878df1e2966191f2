/*
 * A table written past the executor: rows are inserted and indexed directly,
 * as INSERT .. ON CONFLICT does it.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_collation_d.h"
#include "catalog/pg_opfamily_d.h"
#include "catalog/pg_type_d.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"

#include "direct_table.h"

void
direct_table_open(DirectTable *direct, Oid schema, const char *name,
				  int old_columns, int columns)
{
	Oid			table = get_relname_relid(name, schema);

	if (!OidIsValid(table))
		elog(ERROR, "table \"%s\" is missing", name);
	CommandCounterIncrement();
	direct->command = GetCurrentCommandId(true);
	direct->table = table_open(table, RowExclusiveLock);
	if (RelationGetNumberOfAttributes(direct->table) != columns &&
		RelationGetNumberOfAttributes(direct->table) != old_columns)
		elog(ERROR, "table \"%s\" is not as this library expects", name);
	direct->estate = CreateExecutorState();
	direct->result = makeNode(ResultRelInfo);
	InitResultRelInfo(direct->result, direct->table, 0, NULL, 0);
	ExecOpenIndices(direct->result, true);
	direct->arbiters = NIL;
	direct->token = 0;
	direct->row = MakeSingleTupleTableSlot(RelationGetDescr(direct->table),
										   &TTSOpsVirtual);
}

static void
release_token(DirectTable *direct)
{
	if (direct->token != 0)
		SpeculativeInsertionLockRelease(GetCurrentTransactionId());
	direct->token = 0;
}

void
direct_table_close(DirectTable *direct)
{
	release_token(direct);
	ExecDropSingleTupleTableSlot(direct->row);
	ExecCloseIndices(direct->result);
	FreeExecutorState(direct->estate);
	table_close(direct->table, NoLock);
}

bool
direct_table_is_old(const DirectTable *direct, int columns)
{
	return RelationGetNumberOfAttributes(direct->table) != columns;
}

/* Ascending, in bytes or times? */
static bool
orders_plainly(Relation index, int column)
{
	if (index->rd_indoption[column] != 0)
		return false;
	if (index->rd_opfamily[column] == TEXT_BTREE_FAM_OID)
		return index->rd_indcollation[column] == C_COLLATION_OID;
	return index->rd_opcintype[column] == TIMESTAMPTZOID;
}

/* Is it about the table's rows as they are, NULLs included? */
static bool
tells_rows_apart(Relation table, Relation index)
{
	int			i;

	for (i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		AttrNumber	column = index->rd_index->indkey.values[i];

		if (!orders_plainly(index, i) ||
			(!index->rd_index->indnullsnotdistinct &&
			 !TupleDescAttr(RelationGetDescr(table), column - 1)->attnotnull))
			return false;
	}
	return true;
}

Oid
direct_table_arbiters(DirectTable *direct, const AttrNumber *columns,
					  int count)
{
	Oid			valid = InvalidOid;
	int			i;

	for (i = 0; i < direct->result->ri_NumIndices; i++)
	{
		const IndexInfo *info = direct->result->ri_IndexRelationInfo[i];
		Relation	index = direct->result->ri_IndexRelationDescs[i];

		if (!info->ii_Unique || !info->ii_ReadyForInserts ||
			!index->rd_index->indimmediate || info->ii_Predicate != NIL ||
			info->ii_NumIndexKeyAttrs != count ||
			memcmp(info->ii_IndexAttrNumbers, columns,
				   count * sizeof(AttrNumber)) != 0 ||
			!tells_rows_apart(direct->table, index))
			continue;
		direct->arbiters = lappend_oid(direct->arbiters,
									   RelationGetRelid(index));
		if (index->rd_index->indisvalid)
			valid = RelationGetRelid(index);
	}
	if (!OidIsValid(valid))
		elog(ERROR, "table \"%s\" lacks a valid unique index",
			 RelationGetRelationName(direct->table));
	return valid;
}

bool
direct_table_insert(DirectTable *direct)
{
	bool		conflict = false;

	if (direct->token == 0)
		direct->token =
			SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
	direct->row->tts_tableOid = RelationGetRelid(direct->table);
	table_tuple_insert_speculative(direct->table, direct->row,
								   direct->command, 0, NULL,
								   direct->token);
	list_free(compat_insert_indexes(direct->result, direct->row,
									direct->estate, false, true, &conflict,
									direct->arbiters,
									COMPAT_UPDATE_INDEXES_INSERT));
	table_tuple_complete_speculative(direct->table, direct->row,
									 direct->token, !conflict);
	if (conflict)
		release_token(direct);
	ResetPerTupleExprContext(direct->estate);
	return !conflict;
}

bool
direct_table_await_rival(DirectTable *direct)
{
	ItemPointerData rival;
	bool		free;

	ItemPointerSetInvalid(&rival);
	free = compat_check_constraints(direct->result, direct->row,
									direct->estate, &rival,
									direct->arbiters);
	ResetPerTupleExprContext(direct->estate);
	return free;
}

void
direct_table_index_update(DirectTable *direct, CompatUpdateIndexes indexes)
{
	list_free(compat_insert_indexes(direct->result, direct->row,
									direct->estate, true, false, NULL, NIL,
									indexes));
	ResetPerTupleExprContext(direct->estate);
}
