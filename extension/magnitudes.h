/*
 * Magnitudes: rounded totals, by which fintrans_suspects() finds the large
 * ones.
 */
#ifndef FINTRANS_MAGNITUDES_H
#define FINTRANS_MAGNITUDES_H

#include "utils/snapshot.h"

#include "amount.h"

/* The magnitude of a new pair, before it gets one. */
#define MAGNITUDE_NONE (-1)

typedef struct Magnitudes
{
	bool		tuned;			/* floor is known */
	Amount		floor;			/* magnitude 0 means: not above this */
	int			grain;			/* magnitudes are rounded up to multiples */
} Magnitudes;

/* Read fintrans_magnitudes as snapshot shows it. */
extern void magnitudes_load(Magnitudes *magnitudes, Oid schema,
							Snapshot snapshot);

/*
 * The magnitude of a row that has magnitude old and shall have total: old
 * itself as long as that is nearly as good as the best.
 */
extern int16 magnitudes_renew(const Magnitudes *magnitudes, int16 old,
							  const Amount *total);

/*
 * Fit floor and grain to the totals there are, unless another session is at
 * it; in the current SPI connection.
 */
extern void magnitudes_tune(Oid schema);

#endif							/* FINTRANS_MAGNITUDES_H */
