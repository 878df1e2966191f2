/*
 * The running totals: one row of fintrans_laundering per account pair.
 */
#ifndef FINTRANS_LAUNDERING_H
#define FINTRANS_LAUNDERING_H

#include "alerts.h"
#include "deltas.h"
#include "rules.h"

/*
 * Carry the deltas, in their order, into the pairs' rows and note the alerts
 * that follow.  Raises 40001 above READ COMMITTED when another writer was
 * there first.
 */
extern void laundering_apply(const Rules *rules, PairDelta **pairs, int count,
							 Alerts *alerts);

#endif							/* FINTRANS_LAUNDERING_H */
