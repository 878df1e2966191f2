/*
 * The alerts of some rules, each handed over once: those still open first,
 * then the new ones, whatever the order in which database transactions commit
 * and however often the connection breaks.
 *
 * Blocks, within connect_timeout and tcp_user_timeout; not safe for several
 * threads.
 */
#ifndef FINTRANS_ALERTS_H
#define FINTRANS_ALERTS_H

#include <stdbool.h>

#include "alert.h"
#include "listener.h"
#include "rules.h"

typedef struct AlertsSettings
{
	const char *database;		/* libpq connection string; "" for PG* */
	RulesSettings rules;
	const char *min_amount;		/* an unsigned decimal: only those whose total
								 * is so much at least, without a window the
								 * total as it is now; NULL for all */
	const char *state;			/* only those in it; NULL for those open when
								 * it begins, and whatever comes then */
	bool		follows;		/* is read again and again: then min_amount is
								 * for rules with a window only */
} AlertsSettings;

typedef struct Alerts Alerts;

/* Deal with an alert, which is valid during the call; false to stop. */
typedef bool (*AlertsTake) (void *context, const Alert *alert);

/* settings must outlive it; NULL when memory is short. */
extern Alerts *alerts_new(const AlertsSettings *settings);

/*
 * Connect, find the extension, listen for new alerts, and the first time see
 * to the rules.
 */
extern ListenerOutcome alerts_connect(Alerts *alerts);

/*
 * Hand over all that became visible since the last complete call, oldest
 * first.  After anything but LISTENER_DONE the next call goes on where this
 * one ended, on a new connection too.
 */
extern ListenerOutcome alerts_read(Alerts *alerts, AlertsTake take,
								   void *context);

/* What to wait on for input; -1 without a connection. */
extern int	alerts_socket(const Alerts *alerts);

/* Take input; notified becomes true when there may be new alerts. */
extern ListenerOutcome alerts_consume(Alerts *alerts, bool *notified);

/* Why the latest call failed; safe to log. */
extern const char *alerts_error(const Alerts *alerts);

extern void alerts_disconnect(Alerts *alerts);

/* alerts may be NULL. */
extern void alerts_free(Alerts *alerts);

#endif							/* FINTRANS_ALERTS_H */
