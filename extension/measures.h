/*
 * Measures: from events to the buckets of windowed rules, and from buckets to
 * the values that rules compare with their thresholds.
 */
#ifndef FINTRANS_MEASURES_H
#define FINTRANS_MEASURES_H

#include "nodes/pg_list.h"

#include "deltas.h"
#include "rules.h"
#include "windows.h"

/* A window whose value is above the threshold. */
typedef struct WindowHit
{
	const Rule *rule;
	int64		last_bucket;	/* of the window */
	Amount		value;
	int64		transactions;	/* that were counted */
} WindowHit;

/* What the events change in the windows of all rules about pairs, or accounts. */
extern void measures_change_pair(const Rules *rules, const PairDelta *pair,
								 Windows *change);
extern void measures_change_account(const Rules *rules,
									const AccountDelta *account,
									Windows *change);

/*
 * The windows above a threshold that hold a bucket of the change, as a list
 * of WindowHit in order of rule and time; state is that after the change.
 */
extern List *measures_hits(const Rules *rules, RuleSubject subject,
						   const Windows *state, const Windows *change);

/* Where the hit's window begins, and ends: the start of the bucket after it. */
extern TimestampTz measures_window_start(const WindowHit *hit);
extern TimestampTz measures_window_end(const WindowHit *hit);

/*
 * How often the value is twice the threshold: 0 below that, 1 from 2, ... up to
 * MEASURES_MAX_LEVEL, whatever the threshold is.
 */
#define MEASURES_MAX_LEVEL 100
extern int16 measures_level(const Rule *rule, const Amount *value);

#endif							/* FINTRANS_MEASURES_H */
