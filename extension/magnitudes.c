/*
 * Magnitudes: rounded totals, by which fintrans_suspects() finds the large
 * ones.
 *
 * An index on the totals themselves would turn every update into a new row
 * version in every index.  Instead each row of fintrans_laundering carries an
 * indexed magnitude:
 *
 *	0			the total is not above the floor, which most totals are not
 *	1000 ...	the total's binary exponent and first eight bits, rounded up
 *				by less than the grain: it grows with the total
 *	else		of 0.1.0, which meant something else by it; such rows are
 *				always looked at, and get another magnitude when written to
 *
 * A query for totals above t reads the magnitudes from that of t on; if t is
 * below the floor, it reads the whole table, and returns a good part of it.
 *
 * Floor and grain follow the quantiles of the totals, see
 * fintrans_tune_magnitudes(): one pair in 256 is above it, and the
 * grain is an eighth of the step that halves their number.  So a query reads
 * hardly more than it returns, and an update leaves the index alone unless the
 * total is among the largest and grows by more than the grain.
 *
 * The floor only ever rises.  So a writer that still uses the floor of an
 * older snapshot leaves rows that are correct under the newer one as well, and
 * a reader always knows a floor at least as new as the rows it sees.  The
 * grain may be any: rows rounded by different ones go together.
 */
#include "postgres.h"

#include <math.h>

#include "access/table.h"
#include "access/tableam.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "magnitudes.h"
#include "statements.h"

/* Columns of fintrans_magnitudes, from 1. */
#define COLUMN_MAGNITUDE 1
#define COLUMN_CEILING 2

/* Its rows: the floor, and the total that half as many pairs exceed. */
#define QUANTILES 2

#define FIRST_MAGNITUDE 1000
#define STEPS_PER_DOUBLING 256
#define MAX_EXPONENT 120
#define UNITS_PER_ONE 10000		/* as in Amount */
#define STEPS_PER_HALVING 8

/* More than binary fractions can be wrong by. */
#define PRECISION 1e-12

PG_FUNCTION_INFO_V1(fintrans_magnitude_of);

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

static double
approximate_units(const Amount *total)
{
	Datum		value;

	if (total->big == NULL)
		return (double) total->units;
	value = DirectFunctionCall1(numeric_float8_no_overflow,
								NumericGetDatum(total->big));
	return DatumGetFloat8(value) * UNITS_PER_ONE;
}

/* Grows with units; below one unit all is the same. */
static int16
magnitude_of_units(double units)
{
	int			exponent;
	double		fraction;

	if (isnan(units) || units >= ldexp(1, MAX_EXPONENT))
		units = ldexp(1, MAX_EXPONENT);
	if (units < 1)
		return FIRST_MAGNITUDE;
	fraction = frexp(units, &exponent); /* 0.5 up to 1 */
	return FIRST_MAGNITUDE + (exponent - 1) * STEPS_PER_DOUBLING +
		(int) ((fraction * 2 - 1) * STEPS_PER_DOUBLING);
}

/* No row with this total, or a larger one, has a lower magnitude but 0. */
static int16
magnitude_lowest(const Amount *total)
{
	return magnitude_of_units(approximate_units(total) * (1 - PRECISION));
}

static int
fitting_grain(const Amount *quantiles)
{
	int			halving = magnitude_lowest(&quantiles[1]) -
		magnitude_lowest(&quantiles[0]);

	return Max(halving / STEPS_PER_HALVING, 1);
}

void
magnitudes_load(Magnitudes *magnitudes, Oid schema, Snapshot snapshot)
{
	Relation	table = table_open(magnitudes_table(schema), AccessShareLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TableScanDesc scan = table_beginscan(table, snapshot, 0, NULL);
	Amount		quantiles[QUANTILES] = {0};
	bool		known[QUANTILES] = {false};

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;		/* neither column can be NULL */
		int			i = DatumGetInt16(slot_getattr(slot, COLUMN_MAGNITUDE,
												   &isnull));
		Amount		ceiling;

		if (i < 0 || i >= QUANTILES)
			continue;
		amount_from_datum(&ceiling, slot_getattr(slot, COLUMN_CEILING,
												 &isnull));
		amount_copy(&quantiles[i], &ceiling);
		known[i] = true;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, AccessShareLock);

	magnitudes->tuned = known[0];
	magnitudes->floor = quantiles[0];
	magnitudes->grain = known[0] && known[1] ? fitting_grain(quantiles) : 1;
}

/* Rounded up, and never left at the lowest, which may be a step too low. */
int16
magnitudes_renew(const Magnitudes *magnitudes, int16 old, const Amount *total)
{
	int			grain = magnitudes->grain;
	int			lowest;

	if (magnitudes->tuned && amount_compare(total, &magnitudes->floor) <= 0)
		return 0;
	lowest = magnitude_lowest(total);
	if (old > lowest && old <= lowest + 2 * grain)
		return old;
	return Min((lowest / grain + 1) * grain, PG_INT16_MAX);
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

/* fintrans_magnitude_of(total numeric) */
Datum
fintrans_magnitude_of(PG_FUNCTION_ARGS)
{
	Amount		total;

	amount_from_datum(&total, PG_GETARG_DATUM(0));
	PG_RETURN_INT16(magnitude_lowest(&total));
}
