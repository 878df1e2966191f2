/*
 * Alerts: what a statement has carried over a rule's threshold.
 */
#ifndef FINTRANS_ALERTS_H
#define FINTRANS_ALERTS_H

#include "deltas.h"
#include "measures.h"
#include "rules.h"

/* Those found so far and not yet raised. */
typedef struct Alerts Alerts;

/* None yet; rules must outlive it. */
extern Alerts *alerts_create(const Rules *rules);

/*
 * Note an alert for each rule without a window whose threshold lies in
 * [before, after).
 */
extern void alerts_check_total(Alerts *alerts, const PairDelta *pair,
							   const Amount *before, const Amount *after,
							   int64 transactions);

/*
 * Note the windows of the pair, or the account, that are above a threshold:
 * the caller has written the subject's row, which keeps other writers away.
 */
extern void alerts_check_pair_windows(Alerts *alerts, const PairDelta *pair,
									  const Windows *state,
									  const Windows *change);
extern void alerts_check_account_windows(Alerts *alerts,
										 const TextSpan *account,
										 const Windows *state,
										 const Windows *change);

/* Store the alerts noted, wake the listeners, and forget them. */
extern void alerts_raise(Alerts *alerts);

#endif							/* FINTRANS_ALERTS_H */
