/*
 * Rules: which totals raise an alert; and the alerts raised.
 */
#ifndef FINTRANS_RULES_H
#define FINTRANS_RULES_H

#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

#include "deltas.h"

typedef struct Rule
{
	Datum		name;			/* text */
	Datum		threshold_datum;	/* numeric */
	Amount		threshold;
} Rule;

/* The rules in force, and the alerts found so far by this statement. */
typedef struct Rules
{
	Oid			schema;
	int			count;
	Rule	   *rules;
	MemoryContext context;		/* of the alerts, until they are raised */
	List	   *alerts;			/* of Alert, in key order of their pairs */
} Rules;

/*
 * Lock the rules until the end of the database transaction: ShareLock to
 * follow them, ExclusiveLock to change them.
 */
extern void rules_lock(Oid schema, LOCKMODE mode);

/*
 * Read the enabled rules, in the current SPI connection, and keep them from
 * changing until the end of the database transaction: every pair above a
 * threshold has then been alerted already, so that crossing it is what counts.
 */
extern Rules *rules_load(Oid schema);

/* Note an alert for each rule whose threshold lies in [before, after). */
extern void rules_check_pair(Rules *rules, const PairDelta *pair,
							 const Amount *before, const Amount *after,
							 int64 transactions);

/* Store the alerts noted, wake the listeners, and forget them. */
extern void rules_raise_alerts(Rules *rules);

#endif							/* FINTRANS_RULES_H */
