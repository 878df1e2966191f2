/*
 * The inside of a Docket, and what its files need of each other.  Private to
 * them: docket.c (what is read) and docket_decision.c (what is written).
 */
#ifndef FINTRANS_DOCKET_STATE_H
#define FINTRANS_DOCKET_STATE_H

#include "docket.h"
#include "listener.h"

#define DOCKET_NUMBER_BYTES 24

struct Docket
{
	const DocketSettings *settings;
	Listener   *listener;
	bool		is_allowed;		/* rules and role were found to be fine */

	int64_t	   *list;			/* all alerts ever listed, in their order */
	size_t		list_count;
	size_t		list_next;		/* index of the one after the one at hand */
	int64_t		left;			/* behind the one at hand, when they were
								 * counted */

	int64_t		alert_id;		/* at hand */
	char	   *values[CASE_COLUMNS];
	int64_t		pending_review; /* review_id of what a COMMIT was sent for; 0
								 * for none */
};

/* Of what only reads: never DOCKET_REFUSED. */
extern DocketOutcome docket_result(Docket *docket, ListenerOutcome outcome);

/* number as a parameter, in text, which has DOCKET_NUMBER_BYTES. */
extern const char *docket_number(int64_t number, char *text);

#endif							/* FINTRANS_DOCKET_STATE_H */
