/*
 * Magnitudes: upper bounds of totals, by which fintrans_suspects() finds the
 * large ones.
 *
 * An index on the totals themselves would turn every update into a new row
 * version in every index.  Instead each row of fintrans_laundering carries an
 * indexed magnitude, and fintrans_magnitudes gives each magnitude a ceiling
 * that no row of it exceeds.  A query for totals above t reads the magnitudes
 * whose ceiling is above t.
 *
 * What makes this cheap is that ceilings follow the quantiles of the totals
 * (fintrans_tune_magnitudes): most pairs lie below the first, half of the rest
 * below the second, and so on, with fine steps for the top thousandth.
 * A query that returns n rows so reads a small multiple of n; and while all
 * totals grow together, the ceilings rise with them and hardly any row has to
 * change its magnitude.
 *
 * Ceilings only ever rise.  So a writer that still uses the ceilings of an
 * older snapshot leaves rows that are correct under the newer ones as well,
 * and a reader always knows ceilings at least as new as the rows it sees.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "magnitudes.h"
#include "statements.h"

/* Columns of fintrans_magnitudes, from 1. */
#define COLUMN_MAGNITUDE 1
#define COLUMN_CEILING 2

static Statement tune = {
	.text = "SELECT %s.fintrans_tune_magnitudes()"
};

static Oid
magnitudes_table(Oid schema)
{
	Oid			table = get_relname_relid("fintrans_magnitudes", schema);

	if (!OidIsValid(table))
		elog(ERROR, "table \"fintrans_magnitudes\" is missing");
	return table;
}

/* The table holds magnitudes 0 to n - 1; anything else bounds nothing. */
void
magnitudes_load(Magnitudes *magnitudes, Oid schema, Snapshot snapshot)
{
	Relation	table = table_open(magnitudes_table(schema), AccessShareLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TableScanDesc scan = table_beginscan(table, snapshot, 0, NULL);
	int			room = 512;
	bool	   *known = palloc0(room * sizeof(bool));

	magnitudes->ceilings = palloc0(room * sizeof(Amount));
	magnitudes->count = 0;
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;		/* neither column can be NULL */
		int			i = DatumGetInt16(slot_getattr(slot, COLUMN_MAGNITUDE,
												   &isnull));
		Amount		ceiling;

		if (i < 0 || i >= room)
			continue;
		amount_from_datum(&ceiling, slot_getattr(slot, COLUMN_CEILING,
												 &isnull));
		amount_copy(&magnitudes->ceilings[i], &ceiling);
		known[i] = true;
	}
	while (magnitudes->count < room && known[magnitudes->count])
		magnitudes->count++;
	pfree(known);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, AccessShareLock);
}

int16
magnitudes_lowest(const Magnitudes *magnitudes, const Amount *total)
{
	int			low = 0;
	int			high = magnitudes->count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (amount_compare(total, &magnitudes->ceilings[middle]) <= 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low < magnitudes->count ? low : MAGNITUDE_UNBOUNDED;
}

/*
 * A row one step too high costs a query little; moving it down would cost
 * every rise of the ceilings a new version of the rows just below them.
 */
int16
magnitudes_renew(const Magnitudes *magnitudes, int16 old, const Amount *total)
{
	int16		lowest;

	if (old > 0 && old < magnitudes->count &&
		amount_compare(total, &magnitudes->ceilings[old]) <= 0 &&
		(old == 1 ||
		 amount_compare(total, &magnitudes->ceilings[old - 2]) > 0))
		return old;
	lowest = magnitudes_lowest(magnitudes, total);
	return lowest == old - 1 ? old : lowest;
}

void
magnitudes_tune(Oid schema)
{
	if (!ConditionalLockRelationOid(magnitudes_table(schema),
									ShareUpdateExclusiveLock))
		return;
	statement_execute(&tune, schema, NULL, InvalidSnapshot, SPI_OK_SELECT);
	SPI_freetuptable(SPI_tuptable);
}
