/*
 * Rules: what raises an alert.
 */
#ifndef FINTRANS_RULES_H
#define FINTRANS_RULES_H

#include "storage/lockdefs.h"

#include "amount.h"

/* What a rule is about. */
typedef enum RuleSubject
{
	RULE_PAIR,
	RULE_ACCOUNT
} RuleSubject;

/* What a rule compares with its threshold, in a window. */
typedef enum RuleMeasure
{
	RULE_TOTAL,					/* of the amounts */
	RULE_COUNT,					/* of the transactions */
	RULE_COUNTERPARTIES,		/* number of different ones */
	RULE_SHARE_PASSED_ON		/* of what came in */
} RuleMeasure;

typedef struct RuleKind
{
	const char *name;			/* as fintrans_rules.kind has it */
	RuleSubject subject;
	RuleMeasure measure;
	bool		outgoing;		/* an account's transactions as source count */
	bool		incoming;		/* ... as target count */
} RuleKind;

typedef struct Rule
{
	Datum		name;			/* text */
	Datum		threshold_datum;	/* numeric */
	Amount		threshold;
	const RuleKind *kind;
	int			generation;		/* of its window states; 0 without a window */
	int64		bucket_width;	/* in microseconds */
	int			cap;			/* most keys worth keeping in a bucket; 0: all */
	Amount	   *amount_from;	/* NULL if there is no such bound */
	Amount	   *amount_below;
} Rule;

/* The rules in force. */
typedef struct Rules
{
	Oid			schema;
	int			count;
	Rule	   *rules;
	bool		pair_windows;	/* some are windowed, and about pairs, */
	bool		outgoing_windows;	/* or what accounts send, */
	bool		incoming_windows;	/* or receive */
} Rules;

/* The kind of that name; an error if there is none. */
extern const RuleKind *rules_find_kind(const char *name);

/*
 * Lock the rules until the end of the database transaction: ShareLock to
 * follow them, ExclusiveLock to change them.
 */
extern void rules_lock(Oid schema, LOCKMODE mode);

/*
 * Read the enabled rules, in the current SPI connection, and keep them from
 * changing until the end of the database transaction: every subject above a
 * threshold has then been alerted already, so that crossing it is what counts.
 */
extern Rules *rules_load(Oid schema);

#endif							/* FINTRANS_RULES_H */
