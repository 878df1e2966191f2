/*
 * The docket: the alerts that wait for a decision, what a person has to know
 * of each, and the decision written.  One alert is at hand at a time.
 *
 * Nobody is kept from anything while a person thinks: no lock is held, and
 * nothing is written before the decision.  It is written only if the alert is
 * as it was shown; whoever was faster wins.
 *
 * Blocks, within connect_timeout and tcp_user_timeout; not safe for several
 * threads.
 */
#ifndef FINTRANS_DOCKET_H
#define FINTRANS_DOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

typedef struct DocketSettings
{
	const char *database;		/* libpq connection string; "" for PG* */
	OptionList	rules;			/* only alerts of these; none for all */
	const char *min_amount;		/* only alerts with this total now at least;
								 * NULL for all */
	const char *state;			/* only alerts in it; NULL for all that are to
								 * be looked at */
} DocketSettings;

typedef enum DocketOutcome
{
	DOCKET_DONE,
	DOCKET_NONE,				/* there is no (such) alert, or no further row */
	DOCKET_CHANGED,				/* the alert is not as it was shown */
	DOCKET_REFUSED,				/* by the database, for the reason given */
	DOCKET_BUSY,				/* failed for a reason that passes: try again */
	DOCKET_LOST,				/* no connection any more: connect again */
	DOCKET_FATAL				/* needs a human */
} DocketOutcome;

/* The alert at hand, as fintrans_alert_list has it. */
typedef enum CaseColumn
{
	CASE_RULE,
	CASE_KIND,					/* NULL when the rule is gone */
	CASE_SOURCE_ACCOUNT,		/* NULL when it is about one account */
	CASE_TARGET_ACCOUNT,		/* likewise */
	CASE_ACCOUNT,				/* NULL when it is about a pair */
	CASE_THRESHOLD,
	CASE_RAISED_TOTAL,
	CASE_TOTAL,
	CASE_LEVEL,
	CASE_WINDOW_START,
	CASE_WINDOW_END,
	CASE_RAISED_AT,
	CASE_ESCALATED_AT,
	CASE_STATE,
	CASE_REVIEWED_BY,			/* who put it into this state, if anybody */
	CASE_REVIEWED_AT,
	CASE_ASSIGNED_TO,
	CASE_QUIET_UNTIL,
	CASE_WINDOW,				/* length of the rule's, or NULL */
	CASE_AMOUNT_FROM,			/* the rule's, or NULL */
	CASE_AMOUNT_BELOW,			/* likewise */
	CASE_WAITS,					/* "t": is still to be looked at, "f": not */
	CASE_IS_OWN,				/* "t": under review by who is connected */
	CASE_NEEDS_ANOTHER,			/* "t": who is connected may not decide it, as
								 * duties are separate */
	CASE_VERSION,				/* another one after each change */
	CASE_COLUMNS
} CaseColumn;

/* The columns of a row of docket_decisions(). */
enum
{
	DECISION_COUNT,				/* of all there are, in each row */
	DECISION_AT,
	DECISION_ALERT,
	DECISION_RULE,
	DECISION_WHAT,
	DECISION_BY,
	DECISION_UNTIL,				/* of a snooze, else NULL */
	DECISION_ASSIGNED_TO,		/* of an assignment, else NULL */
	DECISION_NOTE				/* or NULL */
};

/* Transactions of an alert that are shown at most: nobody pages through more. */
#define EVIDENCE_MOST 1000

/* The columns of a row of docket_evidence(). */
enum
{
	EVIDENCE_COUNT,				/* of all there are, in each row;
								 * EVIDENCE_MOST + 1 for any more */
	EVIDENCE_TIME,
	EVIDENCE_CITY,
	EVIDENCE_SOURCE,
	EVIDENCE_TARGET,
	EVIDENCE_AMOUNT,
	EVIDENCE_COLUMNS
};

/* In what a review consists. */
typedef struct Decision
{
	const char *what;			/* reviewing, confirmed, dismissed, snoozed */
	const char *note;			/* NULL for none */
	int64_t		until_ms;		/* snoozed only: since 1970, UTC */
} Decision;

typedef struct Docket Docket;

/* settings must outlive it; NULL when memory is short. */
extern Docket *docket_new(const DocketSettings *settings);
extern void docket_free(Docket *docket);

/*
 * Connect, find the extension, and the first time see whether the rules are
 * there and the role may review.
 */
extern DocketOutcome docket_connect(Docket *docket);
extern void docket_disconnect(Docket *docket);

/* What to wait on for input; -1 without a connection. */
extern int	docket_socket(const Docket *docket);

/* Take input, which is of no interest, but that the connection is lost. */
extern DocketOutcome docket_consume(Docket *docket);

/*
 * Take the next alert, what has doubled most first, then the oldest; each one
 * once.  DOCKET_NONE at the end.
 */
extern DocketOutcome docket_next(Docket *docket);

/* How many there were behind the one at hand when they were counted. */
extern int64_t docket_left(const Docket *docket);

/* Read the alert at hand anew. */
extern DocketOutcome docket_read(Docket *docket);

extern int64_t docket_alert_id(const Docket *docket);

/* Of the alert as it was read; NULL for null. */
extern const char *docket_value(const Docket *docket, CaseColumn column);

/* The latest decisions about its subject, so many at most. */
extern DocketOutcome docket_decisions(Docket *docket, int limit);

/*
 * Its transactions, so many from the first on, or from where they ended; the
 * first EVIDENCE_MOST of them.
 */
extern DocketOutcome docket_evidence(Docket *docket, bool from_start,
									 int64_t limit);

/* Of the result of the two: valid until the next call. */
extern int	docket_rows(const Docket *docket);
extern const char *docket_row_value(const Docket *docket, int row,
									int column);

/*
 * Write a decision about the alert at hand, if it is as it was read.  After
 * DOCKET_LOST it may have been written: docket_settle() knows.
 */
extern DocketOutcome docket_decide(Docket *docket, const Decision *decision);

/* Connected again: was the decision written that was on its way? */
extern DocketOutcome docket_settle(Docket *docket, bool *written);

/* Why the latest call failed; no data in it. */
extern const char *docket_error(const Docket *docket);

#endif							/* FINTRANS_DOCKET_H */
