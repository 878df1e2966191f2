/*
 * The window states of accounts: one row of fintrans_accounts per account.
 */
#ifndef FINTRANS_ACCOUNTS_H
#define FINTRANS_ACCOUNTS_H

#include "alerts.h"
#include "deltas.h"
#include "rules.h"

/*
 * Carry what happened to the pairs' accounts, in their order, into their states,
 * and note the alerts that follow.  pairs are all of deltas, sorted.  In the
 * current SPI connection.
 */
extern void accounts_apply(const Rules *rules, Deltas *deltas,
						   PairDelta **pairs, int count, Alerts *alerts);

#endif							/* FINTRANS_ACCOUNTS_H */
