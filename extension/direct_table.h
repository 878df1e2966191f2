/*
 * A table written past the executor: rows are inserted and indexed directly,
 * as INSERT .. ON CONFLICT does it, because per-row executor overhead would
 * otherwise be most of the cost of ingest.
 *
 * Triggers, row security, generated columns and CHECK constraints are not
 * looked at; all indexes are maintained.
 */
#ifndef FINTRANS_DIRECT_TABLE_H
#define FINTRANS_DIRECT_TABLE_H

#include "compat.h"
#include "nodes/execnodes.h"

typedef struct DirectTable
{
	Relation	table;
	CommandId	command;		/* that writes */
	EState	   *estate;			/* for index maintenance */
	ResultRelInfo *result;
	List	   *arbiters;		/* the unique indexes conflicts are about */
	TupleTableSlot *row;		/* virtual: the row to be written */
	uint32		token;			/* of speculative insertions, or 0 */
} DirectTable;

/*
 * Open the table of that name for writing under a new command id, so that
 * what the database transaction did to it before is visible.  The table has
 * as many columns as the caller believes, or, before the extension has been
 * updated, old_columns; the table lock stays until the transaction ends.
 */
extern void direct_table_open(DirectTable *direct, Oid schema,
							  const char *name, int old_columns, int columns);

/* Whether the table still is as it was before the update. */
extern bool direct_table_is_old(const DirectTable *direct, int columns);

/*
 * Make all unique indexes over exactly these columns (numbered from 1) the
 * arbiters, if they order texts by bytes and take NULLs for equal: REINDEX CONCURRENTLY has two for a while,
 * and leaves two behind when it fails.  Returns one that is valid, for looking
 * rows up.  Other unique indexes have their say as in any INSERT: by an error.
 */
extern Oid	direct_table_arbiters(DirectTable *direct,
								  const AttrNumber *columns, int count);

/*
 * Insert row, unless another row has its key under the arbiters.  The token
 * of a speculative insertion lets a rival wait for the end of this attempt
 * rather than of this database transaction.  One token serves until there is a
 * conflict, or the table is closed: a rival that meets it in that moment waits
 * longer than it has to, but never longer than for the database transaction,
 * which is what it would wait for next.
 */
extern bool direct_table_insert(DirectTable *direct);

/*
 * After a conflict: wait for whoever inserted the rival row to commit or not.
 * True if there is no rival left.
 */
extern bool direct_table_await_rival(DirectTable *direct);

/* Index entries of row, which has replaced another version. */
extern void direct_table_index_update(DirectTable *direct,
									  CompatUpdateIndexes indexes);

extern void direct_table_close(DirectTable *direct);

#endif							/* FINTRANS_DIRECT_TABLE_H */
