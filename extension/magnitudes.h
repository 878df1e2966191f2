/*
 * Magnitudes: upper bounds of totals, by which fintrans_suspects() finds the
 * large ones.
 */
#ifndef FINTRANS_MAGNITUDES_H
#define FINTRANS_MAGNITUDES_H

#include "utils/snapshot.h"

#include "amount.h"

/* The magnitude of a total that no ceiling is known to bound. */
#define MAGNITUDE_UNBOUNDED PG_INT16_MAX

typedef struct Magnitudes
{
	int			count;
	Amount	   *ceilings;		/* by magnitude, never falling */
} Magnitudes;

/* Read fintrans_magnitudes as snapshot shows it. */
extern void magnitudes_load(Magnitudes *magnitudes, Oid schema,
							Snapshot snapshot);

/* The lowest magnitude that bounds total. */
extern int16 magnitudes_lowest(const Magnitudes *magnitudes,
							   const Amount *total);

/*
 * The magnitude of a row that has magnitude old and shall have total: old
 * itself as long as that is nearly as good as the lowest.
 */
extern int16 magnitudes_renew(const Magnitudes *magnitudes, int16 old,
							  const Amount *total);

/*
 * Fit the ceilings to the totals there are, unless another session is at it;
 * in the current SPI connection.
 */
extern void magnitudes_tune(Oid schema);

#endif							/* FINTRANS_MAGNITUDES_H */
