/*
 * The volume per city and minute, and its rollup by hour, day and week.
 */
#ifndef FINTRANS_VOLUME_H
#define FINTRANS_VOLUME_H

#include "deltas.h"

/*
 * Carry the deltas, in their order, into fintrans_volume and its rollup, in
 * the current SPI connection.
 */
extern void volume_apply(Oid schema, VolumeDelta **volumes, int count);

#endif							/* FINTRANS_VOLUME_H */
