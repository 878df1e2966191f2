/*
 * A table with one row for each key of one or two texts, whose rows are
 * replaced in key order: the pairs' totals, the accounts' window states.
 */
#ifndef FINTRANS_KEYED_TABLE_H
#define FINTRANS_KEYED_TABLE_H

#include "access/genam.h"
#include "access/skey.h"
#include "lib/stringinfo.h"
#include "storage/buf.h"
#include "storage/itemptr.h"
#include "utils/snapshot.h"

#include "deltas.h"
#include "direct_table.h"
#include "key_walk.h"
#include "tid_cache.h"

/* The table while rows are being replaced. */
typedef struct KeyedTable
{
	DirectTable direct;			/* its row is the new one */
	MemoryContext context;		/* of all that follows; scans allocate in it */
	MemoryContext caller;		/* of what rows are composed of */
	int			nkeys;			/* the key's columns are the first ones */
	Relation	primary_key;
	Snapshot	snapshot;		/* registered */
	IndexScanDesc scan;			/* of the primary key, with snapshot */
	KeyWalk    *walk;			/* of the primary key; NULL if not to be used */
	TidCache   *seen;			/* where rows were last seen */
	Buffer		page;			/* pinned: of the row walk or cache led to */
	Size		row_bytes;		/* of the largest row met */
	ScanKeyData keys[KEY_WALK_MAX_COLUMNS];
	StringInfoData texts[KEY_WALK_MAX_COLUMNS]; /* the key as text datums */
	TupleTableSlot *old_row;
	ItemPointerData root;		/* what the index says of the row */
} KeyedTable;

/*
 * Put the new row of a key into row, made of the old one, whose attributes are
 * there, or of nothing when old is NULL; the key's own columns are set.  False
 * if there is to be no row.  Called again when another writer was there first.
 */
typedef bool (*ComposeRow) (void *context, TupleTableSlot *row,
							TupleTableSlot *old);

/*
 * Open the table of that name, whose primary key is the first nkeys columns;
 * seen is its own.  The table lock stays until the database transaction ends.
 */
extern void keyed_table_open(KeyedTable *table, Oid schema, const char *name,
							 int old_columns, int columns, int nkeys,
							 TidCache *seen);

/*
 * Replace the row of the key, which must come in ascending order; hash is the
 * cache's.  The row stays locked.  Raises 40001 above READ COMMITTED when
 * another writer was there first.
 */
extern void keyed_table_replace(KeyedTable *table, const TextSpan *key,
								uint32 hash, ComposeRow compose,
								void *context);

/*
 * Tell the pairs that come next, and which of their hashes is the key's, by its
 * offset in PairDelta: what memory these and the rows lie in is fetched
 * meanwhile, in stages.
 */
extern void keyed_table_foresee(KeyedTable *table, PairDelta *const *pairs,
								int count, Size hash);

extern void keyed_table_close(KeyedTable *table);

#endif							/* FINTRANS_KEYED_TABLE_H */
